/* The stats socket's transport: HAProxy's framing, and clients that misbehave. */
#include "io/clock.h"
#include "io/line_server.h"
#include "io/loop.h"
#include "peer.h"
#include <fcntl.h>
#include <sys/stat.h>
#include <sys/un.h>

/* A little protocol: "echo" is everything that is not in on_line's list. */
struct fixture {
	uv_loop_t loop;
	struct line_server *server;
	struct line_server_options options;
	char dir[64];
	int n_lines, n_gone, closed;
	struct line_client *later; /* asked something that is answered by the test */
};

static void on_line(void *arg, struct line_client *c, char *line)
{
	struct fixture *f = arg;
	char reply[LINE_MAX_BYTES + 64];
	size_t n;
	char *big;

	f->n_lines++;
	if (line_client_data(c) == NULL)
		line_client_set_data(c, malloc(16)); /* freed by on_gone, or the leak is reported */
	if (strcmp(line, "later") == 0) {
		f->later = c;
		return;
	}
	if (strcmp(line, "quit") == 0) {
		line_client_quit(c);
		return;
	}
	if (strcmp(line, "prompt") == 0)
		line_client_keep_open(c, true);
	if (sscanf(line, "timeout %zu", &n) == 1)
		line_client_set_timeout(c, (int64_t)n);
	if (sscanf(line, "big %zu", &n) == 1) {
		big = malloc(n);
		memset(big, 'x', n);
		line_client_reply(c, big, n);
		free(big);
		return;
	}
	snprintf(reply, sizeof(reply), "<%s>\n\n", line);
	line_client_reply(c, reply, strlen(reply));
}

static void on_gone(void *arg, struct line_client *c)
{
	struct fixture *f = arg;

	f->n_gone++;
	if (f->later == c)
		f->later = NULL;
	free(line_client_data(c));
}

static void on_closed(void *arg)
{
	((struct fixture *)arg)->closed++;
}

static void prepare(struct fixture *f, enum addr_kind kind)
{
	memset(f, 0, sizeof(*f));
	strcpy(f->dir, "/tmp/isari-line-XXXXXX");
	assert_non_null(mkdtemp(f->dir));
	f->options.addr.kind = kind;
	if (kind == ADDR_UNIX) {
		snprintf(f->options.addr.host, sizeof(f->options.addr.host), "%s/sock", f->dir);
	} else {
		strcpy(f->options.addr.host, "127.0.0.1");
		f->options.addr.port = peer_free_port();
	}
	f->options.mode = 0600;
	f->options.arg = f;
	f->options.on_line = on_line;
	f->options.on_gone = on_gone;
	assert_int_equal(loop_open(&f->loop), 0);
}

static void open_server(struct fixture *f, enum addr_kind kind)
{
	struct err e = {""};

	prepare(f, kind);
	if (line_server_open(&f->loop, &f->options, &f->server, &e) != 0)
		fail_msg("%s", e.text);
}

static void finish(struct fixture *f)
{
	loop_close(&f->loop, "line server test");
	assert_int_not_equal(access(f->options.addr.host, F_OK), 0); /* the socket is unlinked */
	assert_int_equal(rmdir(f->dir), 0);
}

static void close_server(struct fixture *f)
{
	line_server_close(f->server, on_closed, f);
	assert_int_equal(f->closed, 0);
	finish(f);
	assert_int_equal(f->closed, 1);
}

static int dial(struct fixture *f)
{
	struct sockaddr_un un = {.sun_family = AF_UNIX};
	struct sockaddr_in in = {.sin_family = AF_INET,
				 .sin_port = htons(f->options.addr.port),
				 .sin_addr.s_addr = htonl(INADDR_LOOPBACK)};
	bool local = f->options.addr.kind == ADDR_UNIX;
	int fd = socket(local ? AF_UNIX : AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);

	memcpy(un.sun_path, f->options.addr.host, sizeof(un.sun_path) - 1);
	if (local)
		assert_int_equal(connect(fd, (struct sockaddr *)&un, sizeof(un)), 0);
	else
		assert_int_equal(connect(fd, (struct sockaddr *)&in, sizeof(in)), 0);
	return fd;
}

static void say(int fd, const char *text)
{
	assert_int_equal(send(fd, text, strlen(text), MSG_NOSIGNAL), strlen(text));
}

/* What the client hears, the loop running meanwhile, until `want` bytes or the end; -1 in *end: a
 * reset. */
static char *hear(struct fixture *f, int fd, size_t want, int *end)
{
	int64_t deadline = clock_ms() + WAIT_LIMIT_MS;
	size_t cap = want < SIZE_MAX ? want : 1 << 20, len = 0;
	char *text = malloc(cap + 1);

	*end = 1;
	while (len < want) {
		ssize_t n;

		if (len == cap)
			text = realloc(text, (cap *= 2) + 1);
		n = recv(fd, text + len, cap - len, MSG_DONTWAIT);
		if (n == 0)
			break;
		if (n > 0) {
			len += (size_t)n;
		} else if (errno != EAGAIN) {
			*end = -1;
			break;
		} else {
			assert_true(clock_ms() < deadline);
			uv_run(&f->loop, UV_RUN_NOWAIT);
		}
	}
	text[len] = '\0';
	return text;
}

static void expect_to_end(struct fixture *f, int fd, const char *want)
{
	int end;
	char *got = hear(f, fd, SIZE_MAX, &end);

	assert_string_equal(got, want);
	assert_int_equal(end, 1);
	free(got);
	close(fd);
}

static void expect_so_far(struct fixture *f, int fd, const char *want)
{
	int end;
	char *got = hear(f, fd, strlen(want), &end);

	assert_string_equal(got, want);
	free(got);
}

static void turn_until(struct fixture *f, const int *counter, int target)
{
	assert_true(wait_until(&f->loop, counter, target));
}

/* ---- framing --------------------------------------------------------------------------------- */

static void converse(enum addr_kind kind, const char *words, bool half_close, const char *want)
{
	struct fixture f;
	int fd;

	open_server(&f, kind);
	fd = dial(&f);
	say(fd, words);
	if (half_close)
		shutdown(fd, SHUT_WR);
	expect_to_end(&f, fd, want);
	close_server(&f);
	assert_int_equal(f.n_gone, f.n_lines > 0);
}

static void test_one_line_is_answered_and_the_server_closes(void **state)
{
	(void)state;
	converse(ADDR_UNIX, "show info\n", false, "<show info>\n\n");
	converse(ADDR_TCP, "show info\n", false, "<show info>\n\n");
}

static void test_lines_that_came_together_are_all_answered(void **state)
{
	(void)state;
	converse(ADDR_UNIX, "a\nb\r\n\nc d\n", false, "<a>\n\n<b>\n\n<>\n\n<c d>\n\n");
	converse(ADDR_TCP, "a\nb\n", true, "<a>\n\n<b>\n\n");
}

static void test_a_half_close_does_not_drop_the_answer(void **state)
{
	(void)state;
	converse(ADDR_UNIX, "show stat\n", true, "<show stat>\n\n");
	converse(ADDR_TCP, "show stat\n", true, "<show stat>\n\n");
}

static void test_a_line_without_its_end_is_no_line(void **state)
{
	(void)state;
	converse(ADDR_UNIX, "show version", true, "");
	converse(ADDR_UNIX, "a\nshow version", true, "<a>\n\n");
	converse(ADDR_UNIX, "a\nshow version", false, "<a>\n\n");
}

static void test_nothing_said_and_closed_is_nothing(void **state)
{
	(void)state;
	converse(ADDR_UNIX, "", true, "");
}

static void test_quit_ends_without_a_word_and_after_what_is_queued(void **state)
{
	(void)state;
	converse(ADDR_UNIX, "quit\n", false, "");
	converse(ADDR_UNIX, "a\nquit\nb\n", false, "<a>\n\n");
	converse(ADDR_TCP, "prompt\nquit\n", false, "<prompt>\n\n");
}

static void test_a_line_in_pieces_is_one_line(void **state)
{
	struct fixture f;
	int fd;

	(void)state;
	open_server(&f, ADDR_TCP);
	fd = dial(&f);
	for (const char *p = "show info\r\n"; *p; p++) {
		say(fd, (char[]){*p, '\0'});
		uv_run(&f.loop, UV_RUN_NOWAIT);
	}
	expect_to_end(&f, fd, "<show info>\n\n");
	close_server(&f);
	assert_int_equal(f.n_lines, 1);
}

static void test_an_interactive_client_stays(void **state)
{
	struct fixture f;
	int fd;

	(void)state;
	open_server(&f, ADDR_UNIX);
	fd = dial(&f);
	say(fd, "prompt\n");
	expect_so_far(&f, fd, "<prompt>\n\n");
	for (int i = 0; i < 3; i++) {
		say(fd, "again\n");
		expect_so_far(&f, fd, "<again>\n\n");
	}
	assert_int_equal(f.n_gone, 0);
	shutdown(fd, SHUT_WR);
	expect_to_end(&f, fd, "");
	assert_int_equal(f.n_gone, 1);
	close_server(&f);
	assert_int_equal(f.n_gone, 1);
}

/* ---- answers that come later ----------------------------------------------------------------- */

static void test_a_late_answer_keeps_the_order(void **state)
{
	struct fixture f;
	int fd;

	(void)state;
	open_server(&f, ADDR_UNIX);
	fd = dial(&f);
	say(fd, "later\nb\n");
	shutdown(fd, SHUT_WR); /* and the client's end does not drop it */
	turn_until(&f, &f.n_lines, 1);
	for (int i = 0; i < 10; i++)
		uv_run(&f.loop, UV_RUN_NOWAIT);
	assert_int_equal(f.n_lines, 1); /* the next line waits */
	line_client_reply(f.later, "at last\n\n", 9);
	expect_to_end(&f, fd, "at last\n\n<b>\n\n");
	close_server(&f);
	assert_int_equal(f.n_lines, 2);
	assert_int_equal(f.n_gone, 1);
}

static void test_a_client_that_leaves_before_its_answer_is_told(void **state)
{
	struct fixture f;
	int fd;

	(void)state;
	open_server(&f, ADDR_TCP);
	fd = dial(&f);
	say(fd, "later\n");
	turn_until(&f, &f.n_lines, 1);
	assert_non_null(f.later);
	peer_reset(fd);
	close(fd);
	turn_until(&f, &f.n_gone, 1);
	assert_null(f.later);
	close_server(&f);
}

static void test_the_server_closes_while_an_answer_is_awaited(void **state)
{
	struct fixture f;
	int fd;

	(void)state;
	open_server(&f, ADDR_UNIX);
	fd = dial(&f);
	say(fd, "later\n");
	turn_until(&f, &f.n_lines, 1);
	close_server(&f);
	assert_int_equal(f.n_gone, 1);
	close(fd);
}

/* ---- clients that misbehave ------------------------------------------------------------------ */

static void test_a_silent_client_is_closed_after_its_timeout(void **state)
{
	struct fixture f;
	int fd;

	(void)state;
	open_server(&f, ADDR_UNIX);
	fd = dial(&f);
	say(fd, "prompt\ntimeout 50\n");
	expect_to_end(&f, fd, "<prompt>\n\n<timeout 50>\n\n");
	assert_int_equal(f.n_gone, 1);
	close_server(&f);
}

static void test_a_client_that_never_reads_is_closed_after_its_timeout(void **state)
{
	struct fixture f;
	int fd;

	(void)state;
	open_server(&f, ADDR_UNIX);
	fd = dial(&f);
	say(fd, "timeout 50\nbig 4000000\n");
	turn_until(&f, &f.n_gone, 1);
	close(fd);
	close_server(&f);
}

static void test_a_client_that_only_asks_is_not_answered_for_ever(void **state)
{
	struct fixture f;
	int fd, n = 0;

	(void)state;
	open_server(&f, ADDR_UNIX);
	fd = dial(&f);
	say(fd, "prompt\ntimeout 200\n");
	while (f.n_gone == 0) { /* asks and asks, and reads nothing */
		if (send(fd, "big 10000\n", 10, MSG_NOSIGNAL | MSG_DONTWAIT) == 10)
			n++;
		uv_run(&f.loop, UV_RUN_NOWAIT);
	}
	assert_in_range(f.n_lines, 2, 200); /* a socket's buffer and 64 KiB, not what was asked */
	assert_true(n > f.n_lines);
	close(fd);
	close_server(&f);
}

static void test_a_slow_reader_of_a_long_reply_gets_it_whole(void **state)
{
	enum { N = 3000000 };
	struct fixture f;
	size_t heard = 0;
	char *want = malloc(N);
	int fd;

	(void)state;
	memset(want, 'x', N);
	open_server(&f, ADDR_UNIX);
	fd = dial(&f);
	say(fd, "timeout 100\nbig 3000000\n");
	expect_so_far(&f, fd, "<timeout 100>\n\n");
	while (heard <
	       N) { /* one gulp per half timeout: longer in all than the timeout, never idle */
		int64_t until = clock_ms() + 25;
		char gulp[300000];
		ssize_t n = recv(fd, gulp, sizeof(gulp), MSG_DONTWAIT);

		assert_true(n != 0);
		if (n > 0) {
			assert_memory_equal(gulp, want, (size_t)n);
			heard += (size_t)n;
		}
		while (clock_ms() < until)
			uv_run(&f.loop, UV_RUN_NOWAIT);
	}
	expect_to_end(&f, fd, "");
	free(want);
	close_server(&f);
}

static void test_a_reply_over_the_limit_ends_its_client(void **state)
{
	struct fixture f;
	char line[64];
	int fd, end;
	char *got;

	(void)state;
	open_server(&f, ADDR_UNIX);
	fd = dial(&f);
	snprintf(line, sizeof(line), "big %d\n", LINE_REPLY_MAX_BYTES + 1);
	say(fd, line);
	got = hear(&f, fd, SIZE_MAX, &end);
	assert_string_equal(got, "");
	free(got);
	close(fd);
	assert_int_equal(f.n_gone, 1);
	close_server(&f);
}

static void test_ten_megabytes_without_a_newline(void **state)
{
	enum { N = 10 * 1000 * 1000 };
	char *junk = malloc(N);
	struct fixture f;
	size_t sent = 0;
	int fd;

	(void)state;
	memset(junk, 'a', N);
	open_server(&f, ADDR_UNIX);
	fd = dial(&f);
	while (sent < N) {
		ssize_t n = send(fd, junk + sent, N - sent, MSG_NOSIGNAL | MSG_DONTWAIT);

		if (n < 0 && errno != EAGAIN)
			break; /* shown the door */
		sent += n > 0 ? (size_t)n : 0;
		uv_run(&f.loop, UV_RUN_NOWAIT);
	}
	close(fd);
	assert_int_equal(f.n_lines, 0);
	fd = dial(&f); /* and the next one is served */
	say(fd, "hello\n");
	expect_to_end(&f, fd, "<hello>\n\n");
	free(junk);
	close_server(&f);
}

static void test_the_longest_line_passes_and_a_longer_one_does_not(void **state)
{
	char *line = malloc(LINE_MAX_BYTES + 3), *want = malloc(LINE_MAX_BYTES + 8);

	(void)state;
	memset(line, 'a', LINE_MAX_BYTES + 1);
	strcpy(line + LINE_MAX_BYTES, "\n");
	snprintf(want, LINE_MAX_BYTES + 8, "<%.*s>\n\n", LINE_MAX_BYTES, line);
	converse(ADDR_UNIX, line, false, want);
	memset(line, 'a', LINE_MAX_BYTES + 1);
	strcpy(line + LINE_MAX_BYTES + 1, "\n");
	converse(ADDR_UNIX, line, true, "");
	free(line);
	free(want);
}

static void test_thousands_of_lines_in_one_go(void **state)
{
	enum { N = 20000 };
	struct fixture f;
	size_t len;
	char *got;
	int fd, end, sent = 0;

	(void)state;
	open_server(&f, ADDR_UNIX);
	fd = dial(&f);
	say(fd, "prompt\n");
	expect_so_far(&f, fd, "<prompt>\n\n");
	for (; sent < N; sent += 100) {
		char batch[201];

		for (int i = 0; i < 100; i++)
			memcpy(batch + 2 * i, "x\n", 3);
		say(fd, batch);
		got = hear(&f, fd, 100 * strlen("<x>\n\n"), &end);
		free(got);
	}
	for (int i = 0; i < 10; i++)
		say(fd, "y\ny\ny\n");
	shutdown(fd, SHUT_WR);
	got = hear(&f, fd, SIZE_MAX, &end);
	len = strlen(got);
	assert_int_equal(len, 30 * strlen("<y>\n\n"));
	free(got);
	close(fd);
	close_server(&f);
	assert_int_equal(f.n_lines, 1 + N + 30);
}

static void test_who_comes_when_all_places_are_taken_waits(void **state)
{
	int fds[LINE_MAX_CLIENTS], late;
	struct fixture f;

	(void)state;
	open_server(&f, ADDR_UNIX);
	for (int i = 0; i < LINE_MAX_CLIENTS; i++) {
		fds[i] = dial(&f);
		say(fds[i], "prompt\n");
		expect_so_far(&f, fds[i], "<prompt>\n\n");
	}
	late = dial(&f);
	say(late, "hello\n");
	for (int i = 0; i < 20; i++)
		uv_run(&f.loop, UV_RUN_NOWAIT);
	assert_int_equal(f.n_lines, LINE_MAX_CLIENTS);
	close(fds[0]);
	expect_to_end(&f, late, "<hello>\n\n");
	close_server(&f);
	assert_int_equal(f.n_gone, LINE_MAX_CLIENTS + 1);
	for (int i = 1; i < LINE_MAX_CLIENTS; i++)
		close(fds[i]);
}

static void test_the_server_closes_with_one_waiting_for_a_place(void **state)
{
	int fds[LINE_MAX_CLIENTS + 2];
	struct fixture f;

	(void)state;
	open_server(&f, ADDR_TCP);
	for (int i = 0; i < LINE_MAX_CLIENTS + 2; i++) {
		fds[i] = dial(&f);
		uv_run(&f.loop, UV_RUN_NOWAIT);
	}
	close_server(&f);
	for (int i = 0; i < LINE_MAX_CLIENTS + 2; i++)
		close(fds[i]);
	assert_int_equal(f.n_gone, 0); /* nobody had asked anything */
}

/* ---- the socket ------------------------------------------------------------------------------ */

static void test_a_socket_in_use_is_an_error_and_stays_served(void **state)
{
	struct line_server *second;
	struct fixture f;
	struct err e = {""};
	int fd;

	(void)state;
	open_server(&f, ADDR_UNIX);
	assert_int_equal(line_server_open(&f.loop, &f.options, &second, &e), -EADDRINUSE);
	assert_non_null(strstr(e.text, f.options.addr.host));
	assert_non_null(strstr(e.text, "in use"));
	fd = dial(&f);
	say(fd, "still there\n");
	expect_to_end(&f, fd, "<still there>\n\n");
	close_server(&f);
}

static void test_a_port_in_use_is_an_error(void **state)
{
	struct line_server *second;
	struct fixture f;
	struct err e = {""};

	(void)state;
	open_server(&f, ADDR_TCP);
	assert_int_equal(line_server_open(&f.loop, &f.options, &second, &e), -EADDRINUSE);
	assert_non_null(strstr(e.text, "127.0.0.1:"));
	close_server(&f);
}

static void test_a_stale_socket_is_replaced(void **state)
{
	struct sockaddr_un un = {.sun_family = AF_UNIX};
	struct fixture f;
	struct err e = {""};
	struct stat st;
	int fd;

	(void)state;
	prepare(&f, ADDR_UNIX);
	memcpy(un.sun_path, f.options.addr.host, sizeof(un.sun_path) - 1);
	fd = socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0);
	assert_int_equal(bind(fd, (struct sockaddr *)&un, sizeof(un)), 0);
	close(fd); /* as after kill -9 */
	assert_int_equal(line_server_open(&f.loop, &f.options, &f.server, &e), 0);
	assert_int_equal(stat(f.options.addr.host, &st), 0);
	assert_int_equal(st.st_mode & 0777, 0600);
	fd = dial(&f);
	say(fd, "hello\n");
	expect_to_end(&f, fd, "<hello>\n\n");
	close_server(&f);
}

static void test_a_file_in_the_way_is_not_removed(void **state)
{
	struct fixture f;
	struct err e = {""};
	int fd;

	(void)state;
	prepare(&f, ADDR_UNIX);
	fd = open(f.options.addr.host, O_CREAT | O_WRONLY | O_CLOEXEC, 0600);
	close(fd);
	assert_int_equal(line_server_open(&f.loop, &f.options, &f.server, &e), -EEXIST);
	assert_non_null(strstr(e.text, "not a socket"));
	assert_int_equal(unlink(f.options.addr.host), 0);
	finish(&f);
}

static void test_a_missing_parent_is_made_and_an_impossible_one_named(void **state)
{
	struct fixture f;
	struct err e = {""};
	char parent[128];

	(void)state;
	prepare(&f, ADDR_UNIX);
	snprintf(parent, sizeof(parent), "%s/run", f.dir);
	snprintf(f.options.addr.host, sizeof(f.options.addr.host), "%s/sock", parent);
	assert_int_equal(line_server_open(&f.loop, &f.options, &f.server, &e), 0);
	line_server_close(f.server, NULL, NULL);
	assert_int_equal(rmdir(parent), 0);
	snprintf(f.options.addr.host, sizeof(f.options.addr.host), "%s/run/deep/sock", f.dir);
	assert_true(line_server_open(&f.loop, &f.options, &f.server, &e) < 0);
	assert_non_null(strstr(e.text, "run/deep"));
	finish(&f);
}

static void test_an_unknown_user_is_named(void **state)
{
	struct fixture f;
	struct err e = {""};

	(void)state;
	prepare(&f, ADDR_UNIX);
	f.options.user = "no-such-user";
	assert_true(line_server_open(&f.loop, &f.options, &f.server, &e) < 0);
	assert_non_null(strstr(e.text, "no-such-user"));
	finish(&f); /* and nothing is left at the path */
}

static void test_a_successors_socket_is_not_unlinked(void **state)
{
	struct line_server *successor;
	struct fixture f;
	struct err e = {""};
	int fd;

	(void)state;
	open_server(&f, ADDR_UNIX);
	assert_int_equal(unlink(f.options.addr.host), 0);
	assert_int_equal(line_server_open(&f.loop, &f.options, &successor, &e), 0);
	line_server_close(f.server, NULL, NULL);
	f.server = successor;
	fd = dial(&f);
	say(fd, "hello\n");
	expect_to_end(&f, fd, "<hello>\n\n");
	close_server(&f);
}

static void test_a_name_is_no_address(void **state)
{
	struct fixture f;
	struct err e = {""};

	(void)state;
	prepare(&f, ADDR_TCP);
	strcpy(f.options.addr.host, "localhost");
	assert_int_equal(line_server_open(&f.loop, &f.options, &f.server, &e), -EINVAL);
	assert_non_null(strstr(e.text, "localhost"));
	finish(&f);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_one_line_is_answered_and_the_server_closes),
		cmocka_unit_test(test_lines_that_came_together_are_all_answered),
		cmocka_unit_test(test_a_half_close_does_not_drop_the_answer),
		cmocka_unit_test(test_a_line_without_its_end_is_no_line),
		cmocka_unit_test(test_nothing_said_and_closed_is_nothing),
		cmocka_unit_test(test_quit_ends_without_a_word_and_after_what_is_queued),
		cmocka_unit_test(test_a_line_in_pieces_is_one_line),
		cmocka_unit_test(test_an_interactive_client_stays),
		cmocka_unit_test(test_a_late_answer_keeps_the_order),
		cmocka_unit_test(test_a_client_that_leaves_before_its_answer_is_told),
		cmocka_unit_test(test_the_server_closes_while_an_answer_is_awaited),
		cmocka_unit_test(test_a_silent_client_is_closed_after_its_timeout),
		cmocka_unit_test(test_a_client_that_never_reads_is_closed_after_its_timeout),
		cmocka_unit_test(test_a_client_that_only_asks_is_not_answered_for_ever),
		cmocka_unit_test(test_a_slow_reader_of_a_long_reply_gets_it_whole),
		cmocka_unit_test(test_a_reply_over_the_limit_ends_its_client),
		cmocka_unit_test(test_ten_megabytes_without_a_newline),
		cmocka_unit_test(test_the_longest_line_passes_and_a_longer_one_does_not),
		cmocka_unit_test(test_thousands_of_lines_in_one_go),
		cmocka_unit_test(test_who_comes_when_all_places_are_taken_waits),
		cmocka_unit_test(test_the_server_closes_with_one_waiting_for_a_place),
		cmocka_unit_test(test_a_socket_in_use_is_an_error_and_stays_served),
		cmocka_unit_test(test_a_port_in_use_is_an_error),
		cmocka_unit_test(test_a_stale_socket_is_replaced),
		cmocka_unit_test(test_a_file_in_the_way_is_not_removed),
		cmocka_unit_test(test_a_missing_parent_is_made_and_an_impossible_one_named),
		cmocka_unit_test(test_an_unknown_user_is_named),
		cmocka_unit_test(test_a_successors_socket_is_not_unlinked),
		cmocka_unit_test(test_a_name_is_no_address),
	};

	signal(SIGPIPE, SIG_IGN);
	return cmocka_run_group_tests(tests, NULL, NULL);
}
