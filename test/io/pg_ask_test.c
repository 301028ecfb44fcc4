/* Every way a PostgreSQL can answer a question put through libpq, or fail to: exactly one outcome,
 * later, in bounded time. The servers here speak the protocol by hand, and leave it at any step. */
#include "io/loop.h"
#include "io/pg_ask.h"
#include "io/pg_words.h"
#include "peer.h"
#include <dirent.h>
#include <sys/resource.h>
#include <sys/stat.h>

enum { SHORT_MS = 200, LONG_MS = 10000 };

struct outcome {
	int calls;
	enum sql_result result;
	char detail[256];
};

/* ---- the server's side ----------------------------------------------------------------------- */

enum step { /* before which the server may leave the protocol */
	    STEP_SSL,
	    STEP_STARTUP,
	    STEP_AUTH,
	    STEP_READY,
	    STEP_ROW,
	    STEP_COMPLETE,
	    N_STEPS,
	    STEP_NEVER = N_STEPS,
};

enum leave { LEAVE_HANG, LEAVE_CLOSE, LEAVE_RESET, LEAVE_GARBAGE, LEAVE_ERROR };

struct story {
	bool tls_asked;       /* the client sends an SSLRequest first */
	char tls_answer;      /* to it; 0: 'N' */
	bool tls_then_plain;  /* 'S' and the end to the first, the protocol to the next */
	enum step leave_at;   /* where it goes wrong */
	enum leave leave;     /* ... and how */
	const char *sqlstate; /* LEAVE_ERROR */
	const char *value;    /* "t", "f" */
	bool wants_password;  /* in clear text, so that it can be read here */
	bool drip;            /* one byte at a time */
	bool notice;          /* NoticeResponse before and after the login */
	const char *passfile; /* the asker's */
	char startup[512];    /* the startup packet, zero bytes as blanks */
	char password[64];
	_Atomic bool terminated; /* the client said good-bye */
	_Atomic bool was_reset;  /* ... or left with RST */
	_Atomic int n_served;
};

struct out { /* what goes out in one piece */
	char bytes[1024];
	size_t n;
};

static void put(struct out *o, char type, const void *body, size_t n)
{
	uint32_t len = htonl((uint32_t)n + 4);

	if (type)
		o->bytes[o->n++] = type;
	memcpy(o->bytes + o->n, &len, 4);
	memcpy(o->bytes + o->n + 4, body, n);
	o->n += 4 + n;
}

static void put_error(struct out *o, char type, const char *severity, const char *sqlstate)
{
	char body[256];
	int n = snprintf(body, sizeof(body), "S%s%cV%s%cC%s%cMsays the \"server\"%c%c", severity, 0,
			 severity, 0, sqlstate, 0, 0, 0);

	put(o, type, body, (size_t)n);
}

static void send_out(struct story *s, int fd, struct out *o)
{
	for (size_t i = 0; s->drip && i < o->n; i++) {
		peer_write(fd, o->bytes + i, 1);
		sched_yield();
	}
	if (!s->drip)
		peer_write(fd, o->bytes, o->n);
	o->n = 0;
}

static bool read_packet(int fd, bool typed, char *body, size_t cap, size_t *n)
{
	char type;
	uint32_t len;

	if ((typed && recv(fd, &type, 1, MSG_WAITALL) != 1) || recv(fd, &len, 4, MSG_WAITALL) != 4)
		return false;
	*n = ntohl(len) - 4;
	if (*n >= cap || (*n > 0 && recv(fd, body, *n, MSG_WAITALL) != (ssize_t)*n))
		return false;
	body[*n] = '\0';
	return !typed || type != 'X';
}

static void leave(struct story *s, int fd)
{
	struct out o = {.n = 0};

	switch (s->leave) {
	case LEAVE_HANG: peer_wait_for_end(fd); break;
	case LEAVE_CLOSE: break;
	case LEAVE_RESET: peer_reset(fd); break;
	case LEAVE_GARBAGE:
		peer_puts(fd, "HTTP/1.0 400 Bad Request\r\n\r\n");
		peer_wait_for_end(fd);
		break;
	case LEAVE_ERROR:
		put_error(&o, 'E', "FATAL", s->sqlstate);
		send_out(s, fd, &o);
		break;
	}
}

#define MAY_LEAVE(step)                      \
	do {                                 \
		if (s->leave_at == (step)) { \
			leave(s, fd);        \
			return;              \
		}                            \
	} while (0)

static bool answer_tls(struct story *s, int fd, int n)
{
	char request[8], answer = s->tls_answer ? s->tls_answer : 'N';

	if (s->tls_then_plain && n > 0)
		return true; /* libpq asks no more for TLS */
	if (recv(fd, request, 8, MSG_WAITALL) != 8)
		return false;
	if (s->leave_at == STEP_SSL)
		return true;
	if (s->tls_then_plain)
		answer = 'S';
	peer_write(fd, &answer, 1);
	return answer == 'N';
}

static void keep_startup(struct story *s, char *body, size_t n)
{
	for (size_t i = 0; i < n; i++)
		if (body[i] < ' ')
			body[i] = ' ';
	memcpy(s->startup, body, n + 1);
}

static void wait_for_goodbye(struct story *s, int fd)
{
	char body[64];
	size_t n;

	s->terminated = !read_packet(fd, true, body, sizeof(body), &n);
	s->was_reset = recv(fd, body, 1, 0) < 0;
}

static void log_in(struct story *s, struct out *o)
{
	put(o, 'R', "\0\0\0\0", 4);
	if (s->notice)
		put_error(o, 'N', "WARNING", "01000");
	put(o, 'S', "server_version\00015.3", 20);
	put(o, 'K', "\0\0\0\1\0\0\0\2", 8);
	if (s->notice)
		put_error(o, 'N', "WARNING", "01000");
}

static void put_row(struct story *s, struct out *o)
{
	char row[16] = "\0\1\0\0\0\1";
	size_t n = strlen(s->value);

	put(o, 'T', "\0\1pg_is_in_recovery\0\0\0\0\0\0\0\0\0\0\20\0\1\377\377\377\377\0\0", 38);
	row[5] = (char)n;
	memcpy(row + 6, s->value, n);
	put(o, 'D', row, 6 + n);
}

static void serve(struct peer *p, int fd, int n)
{
	struct story *s = p->arg;
	struct out o = {.n = 0};
	char body[512];
	size_t len;

	s->n_served++;
	if (s->tls_asked && !answer_tls(s, fd, n))
		return;
	MAY_LEAVE(STEP_SSL);
	MAY_LEAVE(STEP_STARTUP);
	if (!read_packet(fd, false, body, sizeof(body), &len))
		return;
	keep_startup(s, body, len);
	MAY_LEAVE(STEP_AUTH);
	if (s->wants_password) {
		put(&o, 'R', "\0\0\0\3", 4);
		send_out(s, fd, &o);
		if (!read_packet(fd, true, s->password, sizeof(s->password), &len))
			return;
	}
	log_in(s, &o);
	send_out(s, fd, &o);
	MAY_LEAVE(STEP_READY);
	put(&o, 'Z', "I", 1);
	send_out(s, fd, &o);
	if (!read_packet(fd, true, body, sizeof(body), &len))
		return;
	MAY_LEAVE(STEP_ROW);
	put_row(s, &o);
	send_out(s, fd, &o);
	MAY_LEAVE(STEP_COMPLETE);
	put(&o, 'C', "SELECT 1", 9);
	put(&o, 'Z', "I", 1);
	send_out(s, fd, &o);
	wait_for_goodbye(s, fd);
}

/* ---- the asker's side ------------------------------------------------------------------------ */

static void on_answer(void *arg, enum sql_result result, const char *detail)
{
	struct outcome *o = arg;

	o->calls++;
	o->result = result;
	snprintf(o->detail, sizeof(o->detail), "%s", detail);
}

static struct sql_question question(uint16_t port, int64_t timeout_ms)
{
	return (struct sql_question){.ip = "127.0.0.1",
				     .host = "n1.example",
				     .port = port,
				     .user = "monitor",
				     .dbname = "postgres",
				     .sslmode = "disable",
				     .timeout_ms = timeout_ms};
}

static struct outcome ask(const struct sql_question *q)
{
	struct outcome o = {0};
	struct pg_ask *a;
	uv_loop_t loop;

	assert_int_equal(loop_open(&loop), 0);
	assert_int_equal(pg_ask_start(&loop, q, on_answer, &o, &a), 0);
	assert_int_equal(o.calls, 0); /* never from inside */
	assert_true(wait_until(&loop, &o.calls, 1));
	loop_close(&loop, "ask test");
	assert_int_equal(o.calls, 1);
	return o;
}

static struct outcome ask_story(struct story *s, const char *sslmode, int64_t timeout_ms)
{
	struct sql_question q;
	struct outcome o;
	struct peer p;

	s->tls_asked = strcmp(sslmode, "disable") != 0;
	if (s->value == NULL)
		s->value = "f";
	peer_start(&p, serve, s);
	q = question(p.port, timeout_ms);
	q.sslmode = sslmode;
	q.passfile = s->passfile;
	o = ask(&q);
	peer_stop(&p);
	return o;
}

/* ---- by a UNIX socket ---- */

struct place { /* a directory of a story, and the socket in it */
	char directory[32], path[64];
};

static struct place place_new(void)
{
	struct place at = {.directory = "/tmp/isari-ask-XXXXXX"};

	assert_non_null(mkdtemp(at.directory));
	assert_int_equal(chmod(at.directory, 0755), 0);
	snprintf(at.path, sizeof(at.path), "%s/.s.PGSQL.6543", at.directory);
	return at;
}

static void place_free(const struct place *at)
{
	unlink(at->path);
	assert_int_equal(rmdir(at->directory), 0);
}

/* There is nobody at its address: whatever is heard came by the socket. */
static struct sql_question question_at(const struct place *at, int64_t timeout_ms)
{
	struct sql_question q = question(6543, timeout_ms);

	q.ip = "";
	q.socket = at->path;
	q.sslmode = "verify-full"; /* means nothing there */
	return q;
}

static int count_fds(void)
{
	DIR *d = opendir("/proc/self/fd");
	int n = 0;

	while (readdir(d))
		n++;
	closedir(d);
	return n;
}

/* ---- answers --------------------------------------------------------------------------------- */

static void test_it_says_whether_it_is_in_recovery_and_the_end_is_no_reset(void **state)
{
	static const struct {
		const char *value;
		enum sql_result result;
	} rows[] = {
		{"f", SQL_PRIMARY}, {"t", SQL_STANDBY}, {"maybe", SQL_GARBAGE}, {"", SQL_GARBAGE}};

	(void)state;
	for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
		struct story s = {.value = rows[i].value, .leave_at = STEP_NEVER};
		struct outcome o = ask_story(&s, "disable", LONG_MS);

		assert_int_equal(o.result, rows[i].result);
		assert_string_equal(o.detail, "");
		assert_true(s.terminated);
		assert_false(s.was_reset);
	}
}

static void test_the_startup_packet_says_who_asks_and_nothing_else(void **state)
{
	struct story s = {.leave_at = STEP_NEVER};

	(void)state;
	ask_story(&s, "disable", LONG_MS);
	assert_string_equal(s.startup + 4,
			    "user monitor database postgres application_name isari  ");
}

static void test_an_answer_that_drips_in_byte_by_byte(void **state)
{
	struct story s = {.leave_at = STEP_NEVER, .drip = true, .value = "t"};

	(void)state;
	assert_int_equal(ask_story(&s, "disable", LONG_MS).result, SQL_STANDBY);
	assert_true(s.terminated);
}

static void test_notices_go_nowhere(void **state)
{
	struct story s = {.leave_at = STEP_NEVER, .notice = true};
	int saved = dup(STDERR_FILENO), pipes[2];
	enum sql_result result;
	char said[64];

	(void)state;
	assert_int_equal(pipe(pipes), 0);
	dup2(pipes[1], STDERR_FILENO);
	result = ask_story(&s, "disable", LONG_MS).result;
	dup2(saved, STDERR_FILENO);
	close(saved);
	close(pipes[1]);
	assert_int_equal(result, SQL_PRIMARY);
	assert_int_equal(read(pipes[0], said, sizeof(said)), 0);
	close(pipes[0]);
}

/* ---- TLS ------------------------------------------------------------------------------------- */

static void test_a_server_without_tls(void **state)
{
	static const struct {
		const char *sslmode;
		enum sql_result result;
	} rows[] = {{"prefer", SQL_PRIMARY}, {"require", SQL_TLS}, {"verify-full", SQL_TLS}};

	(void)state;
	for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
		struct story s = {.leave_at = STEP_NEVER};
		struct outcome o = ask_story(&s, rows[i].sslmode, LONG_MS);

		assert_int_equal(o.result, rows[i].result);
		assert_int_equal(o.detail[0] != '\0', rows[i].result == SQL_TLS);
	}
}

/* libpq closes its socket and opens another, under the same number. */
static void test_tls_that_fails_and_is_tried_again_without(void **state)
{
	struct story s = {.leave_at = STEP_NEVER, .tls_then_plain = true, .value = "t"};

	(void)state;
	assert_int_equal(ask_story(&s, "prefer", LONG_MS).result, SQL_STANDBY);
	assert_int_equal(s.n_served, 2);
	assert_true(s.terminated);
}

static void test_what_is_no_answer_to_an_ssl_request(void **state)
{
	struct story s = {.leave_at = STEP_NEVER, .tls_answer = 'H'};

	(void)state;
	assert_int_equal(ask_story(&s, "require", LONG_MS).result, SQL_GARBAGE);
}

/* ---- where it goes wrong, and how ------------------------------------------------------------ */

static void test_every_way_of_leaving_at_every_step(void **state)
{
	static const struct {
		enum leave leave;
		enum sql_result result;
	} rows[] = {{LEAVE_HANG, SQL_TIMEOUT},
		    {LEAVE_CLOSE, SQL_RESET},
		    {LEAVE_RESET, SQL_RESET},
		    {LEAVE_GARBAGE, SQL_GARBAGE}};

	(void)state;
	for (enum step step = STEP_SSL; step < N_STEPS; step++)
		for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
			struct story s = {.leave_at = step, .leave = rows[i].leave};
			const char *sslmode = step == STEP_SSL ? "require" : "disable";
			int64_t ms = rows[i].leave == LEAVE_HANG ? SHORT_MS : LONG_MS;
			struct outcome o = ask_story(&s, sslmode, ms);

			if (o.result != rows[i].result)
				fail_msg("step %d, leave %d: %d %s", step, rows[i].leave, o.result,
					 o.detail);
		}
}

static void test_a_sqlstate_says_what_kind_of_no_it_is(void **state)
{
	static const struct {
		const char *sqlstate;
		enum sql_result result;
	} rows[] = {{"57P03", SQL_NOT_READY}, {"57P01", SQL_NOT_READY}, {"57P02", SQL_NOT_READY},
		    {"28P01", SQL_DENIED},    {"28000", SQL_DENIED},    {"3D000", SQL_DENIED},
		    {"53300", SQL_DENIED},    {"42501", SQL_DENIED},    {"08P01", SQL_DENIED}};

	(void)state;
	for (enum step step = STEP_AUTH; step < N_STEPS; step++)
		for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
			struct story s = {.leave_at = step,
					  .leave = LEAVE_ERROR,
					  .sqlstate = rows[i].sqlstate};
			struct outcome o = ask_story(&s, "disable", LONG_MS);

			if (o.result != rows[i].result)
				fail_msg("step %d, %s: %d %s", step, rows[i].sqlstate, o.result,
					 o.detail);
			if (o.result == SQL_DENIED)
				assert_non_null(strstr(o.detail, "says the \"server\""));
			assert_null(strchr(o.detail, '\n'));
		}
}

static void test_nobody_listens(void **state)
{
	struct sql_question q = question(peer_free_port(), LONG_MS);

	(void)state;
	assert_int_equal(ask(&q).result, SQL_REFUSED);
}

static void test_no_route(void **state)
{
	struct sql_question q = question(5432, LONG_MS);

	(void)state;
	q.ip = "255.255.255.255"; /* connect() itself fails */
	assert_int_equal(ask(&q).result, SQL_UNREACHABLE);
}

static void test_ipv6_is_asked_or_is_refused(void **state)
{
	struct sql_question q = question(peer_free_port(), LONG_MS);
	enum sql_result result;

	(void)state;
	q.ip = "::1";
	result = ask(&q).result;
	assert_true(result == SQL_REFUSED || result == SQL_UNREACHABLE || result == SQL_OWN_FAULT);
}

static void test_never_accepted(void **state)
{
	struct full_port f;
	struct sql_question q;

	(void)state;
	full_port_open(&f);
	q = question(f.port, SHORT_MS);
	assert_int_equal(ask(&q).result, SQL_TIMEOUT);
	full_port_close(&f);
}

/* A lost SYN: the first attempt is in nobody's queue when there is room at last, and the kernel
 * would send it again only after a second. */
static void *make_room(void *arg)
{
	struct full_port *f = arg;
	struct story s = {.leave_at = STEP_NEVER, .value = "t"};
	struct peer p = {.arg = &s};
	int fd;

	for (int i = 0; (fd = accept(f->listener, NULL, NULL)) >= 0; i++) {
		char byte;

		if (recv(fd, &byte, 1, MSG_PEEK) == 1)
			serve(&p, fd, i);
		close(fd);
	}
	return NULL;
}

static enum sql_result ask_after_a_lost_syn(void)
{
	struct full_port f;
	struct sql_question q;
	struct outcome o = {0};
	struct pg_ask *a;
	pthread_t server;
	uv_loop_t loop;

	full_port_open(&f);
	q = question(f.port, 900); /* less than that second */
	assert_int_equal(loop_open(&loop), 0);
	assert_int_equal(pg_ask_start(&loop, &q, on_answer, &o, &a), 0);
	uv_run(&loop, UV_RUN_ONCE); /* the first SYN, which is dropped */
	for (int i = 0; i < 4; i++)
		close(f.fds[i]);
	pthread_create(&server, NULL, make_room, &f);
	assert_true(wait_until(&loop, &o.calls, 1));
	loop_close(&loop, "ask test");
	shutdown(f.listener, SHUT_RDWR);
	pthread_join(server, NULL);
	close(f.listener);
	return o.result;
}

/* Again, when this machine is too busy to answer in what is left of that time. */
static void test_the_second_attempt_at_half_time_answers(void **state)
{
	enum sql_result result = SQL_TIMEOUT;

	(void)state;
	for (int i = 0; i < 5 && result == SQL_TIMEOUT; i++)
		result = ask_after_a_lost_syn();
	assert_int_equal(result, SQL_STANDBY);
}

/* One that was accepted and is slow is not asked twice: each question costs it a process. */
static void test_a_server_that_is_only_slow_is_asked_once(void **state)
{
	struct story s = {.leave_at = STEP_AUTH, .leave = LEAVE_HANG};

	(void)state;
	assert_int_equal(ask_story(&s, "disable", SHORT_MS).result, SQL_TIMEOUT);
	assert_int_equal(s.n_served, 1);
}

static void test_what_cannot_be_asked_at_all(void **state)
{
	struct sql_question name = question(5432, LONG_MS), none = name, late = name;
	struct outcome o = {0};
	struct pg_ask *a;
	uv_loop_t loop;

	(void)state;
	name.ip = "localhost"; /* libpq would look it up, and wait */
	none.user = NULL;
	late.timeout_ms = 0;
	assert_int_equal(loop_open(&loop), 0);
	assert_int_equal(pg_ask_start(&loop, &name, on_answer, &o, &a), -EINVAL);
	assert_int_equal(pg_ask_start(&loop, &none, on_answer, &o, &a), -EINVAL);
	assert_int_equal(pg_ask_start(&loop, &late, on_answer, &o, &a), -EINVAL);
	loop_close(&loop, "ask test");
	assert_int_equal(o.calls, 0);
}

static void test_a_mode_that_libpq_does_not_know_is_told(void **state)
{
	struct sql_question q = question(peer_free_port(), LONG_MS);
	struct outcome o;

	(void)state;
	q.sslmode = "sometimes";
	o = ask(&q);
	assert_int_equal(o.result, SQL_DENIED);
	assert_non_null(strstr(o.detail, "sometimes"));
}

static void test_no_descriptor_left_is_our_own_fault(void **state)
{
	enum { FEW = 256 };
	struct story s = {.leave_at = STEP_NEVER, .value = "f"};
	int hoard[FEW], n = 0;
	struct rlimit usual, few;
	struct outcome o = {0};
	struct sql_question q;
	struct pg_ask *a;
	struct peer p;
	uv_loop_t loop;

	(void)state;
	assert_int_equal(getrlimit(RLIMIT_NOFILE, &usual), 0);
	few = (struct rlimit){FEW, usual.rlim_max};
	assert_int_equal(setrlimit(RLIMIT_NOFILE, &few), 0);
	peer_start(&p, serve, &s);
	assert_int_equal(loop_open(&loop), 0);
	q = question(p.port, SHORT_MS);
	assert_int_equal(pg_ask_start(&loop, &q, on_answer, &o, &a), 0);
	while (n < FEW && (hoard[n] = dup(0)) >= 0)
		n++;
	assert_int_equal(errno, EMFILE);
	assert_true(wait_until(&loop, &o.calls, 1));
	while (n > 0)
		close(hoard[--n]);
	assert_int_equal(setrlimit(RLIMIT_NOFILE, &usual), 0);
	loop_close(&loop, "ask test");
	assert_int_equal(o.result, SQL_OWN_FAULT);
	peer_stop(&p);
}

/* As libpq 15 says it. Some of it no server can be made to cause at will. */
static void test_what_the_words_of_libpq_mean(void **state)
{
	static const char host[] =
		"connection to server at \"certificate\" (10.0.0.1), port 5432 failed: ";
	static const struct {
		const char *words;
		enum sql_result result;
	} rows[] = {
		{"Connection refused\n\tIs the server running on that host and accepting TCP/IP "
		 "connections?\n",
		 SQL_REFUSED},
		{"No route to host\n", SQL_UNREACHABLE},
		{"Connection timed out\n", SQL_TIMEOUT},
		{"SSL SYSCALL error: Connection reset by peer\n", SQL_RESET},
		{"SSL SYSCALL error: EOF detected\n", SQL_RESET},
		{"SSL error: certificate verify failed\n", SQL_TLS},
		{"SSL error: tlsv1 alert unknown ca\n", SQL_TLS},
		{"root certificate file \"/x/root.crt\" does not exist\n", SQL_TLS},
		{"could not load private key file \"/x/postgresql.key\": Permission denied\n",
		 SQL_TLS},
		{"FATAL:  57P03: the database system is starting up\nLOCATION:  x\n",
		 SQL_NOT_READY},
		{"FATAL\303\234R:  57P03: Certificate\n", SQL_NOT_READY},
		{"FATAL:  28000: no pg_hba.conf entry for host \"10.0.0.9\", no encryption\n",
		 SQL_DENIED},
		{"FATAL:  53300: sorry, too many clients already\n", SQL_DENIED},
		{"fe_sendauth: no password supplied\n", SQL_DENIED},
		{"authentication method 99 not supported\n", SQL_DENIED},
		{"could not create socket: Too many open files\n", SQL_OWN_FAULT},
		{"out of memory\n", SQL_OWN_FAULT},
		{"lost synchronization with server: got message type \"x\", length 5\n",
		 SQL_GARBAGE},
		{"words of a libpq to come\n", SQL_DENIED},
	};

	(void)state;
	for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
		char text[512];

		snprintf(text, sizeof(text), "%s%s", host, rows[i].words);
		assert_int_equal(pg_words_result(pg_words_after_preface(text)), rows[i].result);
		assert_int_equal(pg_words_result(pg_words_after_preface(rows[i].words)),
				 rows[i].result);
	}
}

/* ---- the password ---------------------------------------------------------------------------- */

static char passfile[64];

static void write_passfile(const char *line)
{
	int fd;

	strcpy(passfile, "/tmp/pg_ask_test.XXXXXX");
	fd = mkstemp(passfile);
	assert_true(fd >= 0);
	assert_int_equal(write(fd, line, strlen(line)), strlen(line));
	close(fd);
}

static void test_the_password_is_found_by_the_members_name(void **state)
{
	struct story s = {.leave_at = STEP_NEVER, .wants_password = true, .passfile = passfile};
	struct outcome o;

	(void)state;
	write_passfile("n2.example:*:*:monitor:wrong\nn1.example:*:postgres:monitor:s3cret\n");
	o = ask_story(&s, "disable", LONG_MS);
	unlink(passfile);
	assert_int_equal(o.result, SQL_PRIMARY);
	assert_string_equal(s.password, "s3cret");
}

static void test_a_password_that_is_wanted_and_not_there_is_told(void **state)
{
	struct story s = {.leave_at = STEP_NEVER, .wants_password = true};
	struct outcome o = ask_story(&s, "disable", LONG_MS);

	(void)state;
	assert_int_equal(o.result, SQL_DENIED);
	assert_string_equal(o.detail, "a password is wanted, and there is no passfile");
}

static void test_a_passfile_that_is_no_good_is_named_with_the_reason(void **state)
{
	static const struct {
		mode_t mode;
		const char *line, *reason;
	} rows[] = {{0600, "n2.example:*:*:monitor:x\n", "has no line for n1.example:"},
		    {0640, "*:*:*:monitor:x\n", "must be a plain file of mode 0600"},
		    {0604, "*:*:*:monitor:x\n", "must be a plain file of mode 0600"}};

	(void)state;
	for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
		struct story s = {
			.leave_at = STEP_NEVER, .wants_password = true, .passfile = passfile};
		struct outcome o;

		write_passfile(rows[i].line);
		chmod(passfile, rows[i].mode);
		o = ask_story(&s, "disable", LONG_MS);
		unlink(passfile);
		assert_int_equal(o.result, SQL_DENIED);
		assert_non_null(strstr(o.detail, passfile));
		assert_non_null(strstr(o.detail, rows[i].reason));
		assert_string_equal(s.password, "");
	}
}

static void test_a_passfile_that_is_not_there_is_told(void **state)
{
	struct story s = {
		.leave_at = STEP_NEVER, .wants_password = true, .passfile = "/nonexistent/pgpass"};
	struct outcome o = ask_story(&s, "disable", LONG_MS);

	(void)state;
	assert_int_equal(o.result, SQL_DENIED);
	assert_string_equal(o.detail, "passfile /nonexistent/pgpass: No such file or directory");
}

static void test_the_environment_has_no_say(void **state)
{
	static const char *const leaks[][2] = {
		{"PGPASSWORD", "leaked"},  {"PGSERVICE", "nowhere"},
		{"PGOPTIONS", "-c x=y"},   {"PGTZ", "Asia/Tbilisi"},
		{"PGHOST", "10.9.8.7"},    {"PGHOSTADDR", "10.9.8.7"},
		{"PGDATESTYLE", "German"}, {"PGUSER", "root"},
		{"PGREQUIREPEER", "root"}, {"PGCHANNELBINDING", "no"},
		{"PGSSLMODE", "verify"},   {"PGCLIENTENCODING", "LATIN1"}};
	struct story s = {.leave_at = STEP_NEVER, .wants_password = true};

	(void)state;
	for (size_t i = 0; i < sizeof(leaks) / sizeof(leaks[0]); i++)
		setenv(leaks[i][0], leaks[i][1], 1);
	setenv("SPGX", "stays", 1);
	pg_ask_forget_environment();
	for (size_t i = 0; i < sizeof(leaks) / sizeof(leaks[0]); i++)
		assert_null(getenv(leaks[i][0]));
	assert_string_equal(getenv("SPGX"), "stays");
	assert_int_equal(ask_story(&s, "disable", LONG_MS).result, SQL_DENIED);
	assert_string_equal(s.password, "");
	assert_string_equal(s.startup + 4,
			    "user monitor database postgres application_name isari  ");
}

/* ---- cancelling, and many -------------------------------------------------------------------- */

/* 0, 1, 2 ... turns of the loop: at every step of the protocol, and at half time. */
static void test_cancelled_after_any_number_of_turns(void **state)
{
	int fds = count_fds();

	(void)state;
	for (int turns = 0; turns < 12; turns++) {
		struct story s = {.leave_at = STEP_NEVER, .value = "f", .drip = turns % 2};
		struct outcome o = {0};
		struct sql_question q;
		struct pg_ask *a;
		struct peer p;
		uv_loop_t loop;

		peer_start(&p, serve, &s);
		assert_int_equal(loop_open(&loop), 0);
		q = question(p.port, LONG_MS);
		assert_int_equal(pg_ask_start(&loop, &q, on_answer, &o, &a), 0);
		for (int i = 0; i < turns && o.calls == 0; i++)
			uv_run(&loop, UV_RUN_ONCE);
		if (o.calls == 0)
			pg_ask_cancel(a);
		loop_close(&loop, "ask test");
		assert_in_range(o.calls, 0, 1);
		peer_stop(&p);
	}
	assert_int_equal(count_fds(), fds);
}

static void test_many_at_once_each_answer_once(void **state)
{
	enum { N = 40 };
	struct story s = {.leave_at = STEP_NEVER, .value = "t"};
	struct outcome o[N] = {0};
	struct sql_question q;
	struct pg_ask *asks[N];
	struct peer p;
	uv_loop_t loop;

	(void)state;
	peer_start(&p, serve, &s);
	assert_int_equal(loop_open(&loop), 0);
	q = question(p.port, LONG_MS);
	for (int i = 0; i < N; i++)
		assert_int_equal(pg_ask_start(&loop, &q, on_answer, &o[i], &asks[i]), 0);
	for (int i = 0; i < N; i++)
		assert_true(wait_until(&loop, &o[i].calls, 1));
	loop_close(&loop, "ask test");
	for (int i = 0; i < N; i++) {
		assert_int_equal(o[i].calls, 1);
		assert_int_equal(o[i].result, SQL_STANDBY);
	}
	peer_stop(&p);
}

static void test_no_descriptor_is_left_behind(void **state)
{
	int fds = count_fds();

	(void)state;
	test_every_way_of_leaving_at_every_step(NULL);
	test_tls_that_fails_and_is_tried_again_without(NULL);
	assert_int_equal(count_fds(), fds);
}

static void test_by_its_socket_it_says_the_same(void **state)
{
	struct story s = {.leave_at = STEP_NEVER, .value = "t"};
	struct place at = place_new();
	struct sql_question q = question_at(&at, LONG_MS);
	struct outcome o;
	struct peer p;

	(void)state;
	peer_start_at(&p, at.path, serve, &s);
	o = ask(&q);
	peer_stop(&p);
	assert_int_equal(o.result, SQL_STANDBY);
	assert_true(s.terminated);
	assert_false(s.was_reset);
	place_free(&at);
}

static void test_a_socket_that_is_not_there_or_dead_refuses(void **state)
{
	struct place at = place_new();
	struct sql_question q = question_at(&at, LONG_MS);

	(void)state;
	assert_int_equal(ask(&q).result, SQL_REFUSED);
	close(peer_listen_at(at.path, 1)); /* the file is left */
	assert_int_equal(ask(&q).result, SQL_REFUSED);
	place_free(&at);
}

static void test_a_queue_that_stays_full_is_silence(void **state)
{
	struct place at = place_new();
	struct sql_question q = question_at(&at, SHORT_MS);
	struct sockaddr_un un = {.sun_family = AF_UNIX};
	int listener = peer_listen_at(at.path, 0), first = socket(AF_UNIX, SOCK_STREAM, 0);
	int fds = count_fds();

	(void)state;
	strcpy(un.sun_path, at.path);
	assert_int_equal(connect(first, (struct sockaddr *)&un, sizeof(un)), 0);
	assert_int_equal(ask(&q).result, SQL_TIMEOUT);
	assert_int_equal(count_fds(), fds);
	close(first);
	close(listener);
	place_free(&at);
}

static void test_a_socket_that_is_not_ours_to_open_says_nothing(void **state)
{
	struct place at = place_new();
	struct sql_question q = question_at(&at, SHORT_MS);
	int listener = peer_listen_at(at.path, 5);
	uid_t me = geteuid();

	(void)state;
	assert_int_equal(chmod(at.path, 0), 0);
	if (me == 0)
		assert_int_equal(seteuid(65534), 0); /* root may open everything */
	assert_int_equal(ask(&q).result, SQL_OWN_FAULT);
	assert_int_equal(seteuid(me), 0);
	close(listener);
	place_free(&at);
}

static void test_for_a_socket_the_passfile_lacks_a_line_for_any_host(void **state)
{
	struct story s = {.leave_at = STEP_NEVER, .wants_password = true, .passfile = passfile};
	struct place at = place_new();
	struct sql_question q = question_at(&at, LONG_MS);
	struct outcome o;
	struct peer p;

	(void)state;
	write_passfile("n1.example:*:postgres:monitor:s3cret\n");
	q.passfile = passfile;
	peer_start_at(&p, at.path, serve, &s);
	o = ask(&q);
	peer_stop(&p);
	unlink(passfile);
	assert_int_equal(o.result, SQL_DENIED);
	assert_non_null(strstr(o.detail, "has no line for *:6543:postgres:monitor"));
	place_free(&at);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_it_says_whether_it_is_in_recovery_and_the_end_is_no_reset),
		cmocka_unit_test(test_the_startup_packet_says_who_asks_and_nothing_else),
		cmocka_unit_test(test_an_answer_that_drips_in_byte_by_byte),
		cmocka_unit_test(test_notices_go_nowhere),
		cmocka_unit_test(test_a_server_without_tls),
		cmocka_unit_test(test_tls_that_fails_and_is_tried_again_without),
		cmocka_unit_test(test_what_is_no_answer_to_an_ssl_request),
		cmocka_unit_test(test_every_way_of_leaving_at_every_step),
		cmocka_unit_test(test_a_sqlstate_says_what_kind_of_no_it_is),
		cmocka_unit_test(test_what_the_words_of_libpq_mean),
		cmocka_unit_test(test_nobody_listens),
		cmocka_unit_test(test_no_route),
		cmocka_unit_test(test_ipv6_is_asked_or_is_refused),
		cmocka_unit_test(test_never_accepted),
		cmocka_unit_test(test_the_second_attempt_at_half_time_answers),
		cmocka_unit_test(test_a_server_that_is_only_slow_is_asked_once),
		cmocka_unit_test(test_what_cannot_be_asked_at_all),
		cmocka_unit_test(test_a_mode_that_libpq_does_not_know_is_told),
		cmocka_unit_test(test_no_descriptor_left_is_our_own_fault),
		cmocka_unit_test(test_the_password_is_found_by_the_members_name),
		cmocka_unit_test(test_a_password_that_is_wanted_and_not_there_is_told),
		cmocka_unit_test(test_a_passfile_that_is_no_good_is_named_with_the_reason),
		cmocka_unit_test(test_a_passfile_that_is_not_there_is_told),
		cmocka_unit_test(test_the_environment_has_no_say),
		cmocka_unit_test(test_cancelled_after_any_number_of_turns),
		cmocka_unit_test(test_many_at_once_each_answer_once),
		cmocka_unit_test(test_no_descriptor_is_left_behind),
		cmocka_unit_test(test_by_its_socket_it_says_the_same),
		cmocka_unit_test(test_a_socket_that_is_not_there_or_dead_refuses),
		cmocka_unit_test(test_a_queue_that_stays_full_is_silence),
		cmocka_unit_test(test_a_socket_that_is_not_ours_to_open_says_nothing),
		cmocka_unit_test(test_for_a_socket_the_passfile_lacks_a_line_for_any_host),
	};

	signal(SIGPIPE, SIG_IGN);
	return cmocka_run_group_tests(tests, NULL, NULL);
}
