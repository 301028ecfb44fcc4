/* One question to a PostgreSQL, through libpq and never waiting for it.
 *
 * The happy path: PQconnectStartParams, then PQconnectPoll as often as its socket is ready, one
 * query, its result, Terminate and FIN. One timer serves half time (a second attempt, if the first
 * is not even accepted) and the end. The first attempt that ends decides; one that fails for want
 * of a descriptor of our own leaves the decision to the other.
 *
 * The rules that keep libpq and uv apart:
 * - libpq may close its socket and open another inside PQconnectPoll (sslmode=prefer tries again
 *   without TLS), often under the same number: uv's watch is stopped before every call of libpq,
 *   and started anew after it on whatever socket there is then;
 * - a watch is closed before PQfinish closes its socket;
 * - when uv reports an error it has stopped watching: libpq is called all the same, it finds the
 *   error;
 * - a connection blocks on writing until PQsetnonblocking, PQfinish included.
 *
 * Not here: what libpq is told (pg_login.c), what its words mean when it fails (pg_words.c). */
#include "io/pg_ask.h"
#include "base/assert.h"
#include "base/mem.h"
#include "base/str.h"
#include "io/pg_login.h"
#include "io/pg_words.h"
#include <errno.h>
#include <libpq-fe.h>
#include <stdbool.h>
#include <stdlib.h>
#include <string.h>

enum { N_ATTEMPTS = 2 };

static const char query[] = "select pg_catalog.pg_is_in_recovery()";

struct watch { /* of one socket; lives until its close callback */
	uv_poll_t poll;
	struct attempt *attempt;
	int fd;
};

struct attempt {
	struct pg_ask *ask;
	PGconn *conn;
	struct watch *watch; /* NULL: no socket yet */
	bool asked;          /* logged in, the query is on its way */
	bool answered;       /* `result` is the answer; the end of the query has not come yet */
	enum sql_result result;
};

struct pg_ask {
	struct attempt attempts[N_ATTEMPTS];
	uv_timer_t timer;
	struct sql_question question;
	char ip[46];
	uint64_t half_ms, rest_ms; /* the timeout in two parts */
	unsigned n_started, n_running;
	unsigned open_handles;
	enum sql_result result; /* of the last attempt that failed */
	char detail[200];
	bool closing;
	void (*done)(void *arg, enum sql_result result, const char *detail);
	void *arg;
};

/* ---- the end --------------------------------------------------------------------------------- */

static void release(struct pg_ask *p)
{
	if (--p->open_handles == 0)
		free(p);
}

static void on_timer_closed(uv_handle_t *h)
{
	release(h->data);
}

static void on_watch_closed(uv_handle_t *h)
{
	struct watch *w = h->data;
	struct pg_ask *p = w->attempt->ask;

	free(w);
	release(p);
}

static void watch_close(struct attempt *a)
{
	if (a->watch)
		uv_close((uv_handle_t *)&a->watch->poll, on_watch_closed);
	a->watch = NULL;
}

static void attempt_close(struct attempt *a)
{
	watch_close(a);
	PQfinish(a->conn); /* of NULL: nothing */
	a->conn = NULL;
}

static void close_all(struct pg_ask *p)
{
	REQUIRE(!p->closing);
	p->closing = true;
	uv_close((uv_handle_t *)&p->timer, on_timer_closed);
	for (unsigned i = 0; i < p->n_started; i++)
		attempt_close(&p->attempts[i]);
}

/* Closed first, then reported: the receiver may ask again at once, and cannot cancel this one. */
static void finish(struct pg_ask *p, enum sql_result result)
{
	void (*done)(void *, enum sql_result, const char *) = p->done;
	void *arg = p->arg;
	char detail[sizeof(p->detail)];

	str_copy(detail, sizeof(detail), p->detail);
	close_all(p);
	done(arg, result, detail);
}

/* The ask may be closing after this. */
static void attempt_ended(struct attempt *a, enum sql_result result)
{
	struct pg_ask *p = a->ask;

	attempt_close(a);
	p->n_running--;
	p->result = result;
	if (result != SQL_OWN_FAULT || (p->n_running == 0 && p->n_started == N_ATTEMPTS))
		finish(p, result);
}

/* ---- failing -------------------------------------------------------------------------------- */

static void keep_line(struct pg_ask *p, const char *text)
{
	str_copy(p->detail, sizeof(p->detail), text);
	p->detail[strcspn(p->detail, "\n")] = '\0';
}

/* A UNIX socket cannot be cut off, only forbidden to us. */
static enum sql_result result_of_words(const struct attempt *a, const char *text)
{
	enum sql_result result = pg_words_result(text);

	return a->ask->question.socket && result == SQL_UNREACHABLE ? SQL_OWN_FAULT : result;
}

/* Its queue is full: like a lost SYN, this attempt hears nothing any more. */
static void attempt_fall_silent(struct attempt *a)
{
	attempt_close(a);
}

static void attempt_failed(struct attempt *a, const char *text)
{
	enum sql_result result;

	text = pg_words_after_preface(text);
	result = result_of_words(a, text);
	if (a->ask->question.socket && result == SQL_TIMEOUT) {
		attempt_fall_silent(a);
		return;
	}
	if (a->conn && PQconnectionNeedsPassword(a->conn))
		pg_login_explain(&a->ask->question, a->ask->detail, sizeof(a->ask->detail));
	else if (result == SQL_DENIED || result == SQL_TLS)
		keep_line(a->ask, text);
	attempt_ended(a, result);
}

/* ---- one attempt: the sockets ---------------------------------------------------------------- */

static void on_ready(uv_poll_t *poll, int status, int events);

static int watch_open(struct attempt *a, int fd)
{
	struct pg_ask *p = a->ask;
	struct watch *w = xcalloc(1, sizeof(*w));

	w->attempt = a;
	w->fd = fd;
	w->poll.data = w;
	if (fd < 0 || uv_poll_init_socket(p->timer.loop, &w->poll, fd) != 0) {
		free(w);
		return -ENOMEM;
	}
	p->open_handles++;
	a->watch = w;
	return 0;
}

static void pause_watch(struct attempt *a)
{
	if (a->watch)
		uv_poll_stop(&a->watch->poll);
}

/* Wait for these on the socket that libpq has now. */
static void wait_for(struct attempt *a, int events)
{
	int fd = PQsocket(a->conn);

	if (a->watch && a->watch->fd != fd)
		watch_close(a);
	if ((a->watch == NULL && watch_open(a, fd) < 0) ||
	    uv_poll_start(&a->watch->poll, events, on_ready) != 0)
		attempt_ended(a, SQL_OWN_FAULT);
}

/* ---- one attempt: the question --------------------------------------------------------------- */

static void flush_and_wait(struct attempt *a)
{
	int left = PQflush(a->conn);

	if (left < 0)
		attempt_failed(a, PQerrorMessage(a->conn));
	else
		wait_for(a, UV_READABLE | (left > 0 ? UV_WRITABLE : 0));
}

static void put_question(struct attempt *a)
{
	if (PQsetnonblocking(a->conn, 1) != 0 || !PQsendQuery(a->conn, query)) {
		attempt_failed(a, PQerrorMessage(a->conn));
		return;
	}
	a->asked = true;
	flush_and_wait(a);
}

static enum sql_result result_of_rows(const PGresult *r)
{
	const char *value;

	if (PQntuples(r) != 1 || PQnfields(r) != 1)
		return SQL_GARBAGE;
	value = PQgetvalue(r, 0, 0);
	if (strcmp(value, "t") != 0 && strcmp(value, "f") != 0)
		return SQL_GARBAGE;
	return *value == 't' ? SQL_STANDBY : SQL_PRIMARY;
}

/* False: the attempt has ended. */
static bool take_result(struct attempt *a, PGresult *r)
{
	bool rows = PQresultStatus(r) == PGRES_TUPLES_OK;

	if (rows) {
		a->result = result_of_rows(r);
		a->answered = true;
	} else {
		attempt_failed(a, PQresultErrorMessage(r));
	}
	PQclear(r);
	return rows;
}

/* Read to the query's end, so that nothing is left in the socket: closing would send RST, which
 * PostgreSQL logs. */
static void read_answer(struct attempt *a)
{
	bool alive = PQconsumeInput(a->conn) == 1;

	while (!PQisBusy(a->conn)) {
		PGresult *r = PQgetResult(a->conn);

		if (r == NULL) {
			attempt_ended(a, a->answered ? a->result : SQL_GARBAGE);
			return;
		}
		if (!take_result(a, r))
			return;
	}
	if (!alive)
		attempt_failed(a, PQerrorMessage(a->conn));
	else
		flush_and_wait(a);
}

static void go_on(struct attempt *a, PostgresPollingStatusType what)
{
	switch (what) {
	case PGRES_POLLING_READING: wait_for(a, UV_READABLE); break;
	case PGRES_POLLING_WRITING: wait_for(a, UV_WRITABLE); break;
	case PGRES_POLLING_OK: put_question(a); break;
	default: attempt_failed(a, PQerrorMessage(a->conn)); break;
	}
}

static void on_ready(uv_poll_t *poll, int status, int events)
{
	struct attempt *a = ((struct watch *)poll->data)->attempt;

	(void)status;
	(void)events;
	pause_watch(a);
	if (a->asked)
		read_answer(a);
	else
		go_on(a, PQconnectPoll(a->conn));
}

/* ---- one attempt: the beginning -------------------------------------------------------------- */

/* 0, or why the attempt could not begin; it counts as running until attempt_ended either way. */
static int attempt_start(struct pg_ask *p)
{
	struct attempt *a = &p->attempts[p->n_started++];

	a->ask = p;
	p->n_running++;
	a->conn = pg_login_start(&p->question);
	if (a->conn == NULL)
		return -ENOMEM;
	return PQstatus(a->conn) == CONNECTION_BAD ? -EIO : 0;
}

/* Never from inside a start function: it may end the whole question. */
static void attempt_go(struct attempt *a, int error)
{
	if (error == -ENOMEM)
		attempt_ended(a, SQL_OWN_FAULT);
	else if (error < 0)
		attempt_failed(a, PQerrorMessage(a->conn));
	else
		wait_for(a, UV_WRITABLE); /* as if PQconnectPoll had said so */
}

/* ---- the ask --------------------------------------------------------------------------------- */

static void on_deadline(uv_timer_t *timer)
{
	struct pg_ask *p = timer->data;

	finish(p, p->n_running > 0 ? SQL_TIMEOUT : p->result);
}

static bool not_even_accepted(const struct attempt *a)
{
	return a->conn == NULL || PQstatus(a->conn) == CONNECTION_STARTED;
}

static void on_half_time(uv_timer_t *timer)
{
	struct pg_ask *p = timer->data;
	struct attempt *second = &p->attempts[1];

	uv_timer_start(timer, on_deadline, p->rest_ms, 0);
	if (not_even_accepted(&p->attempts[0]))
		attempt_go(second, attempt_start(p));
}

/* The first attempt begins here, not in pg_ask_start: so it may fail at once, and report it. */
static void on_begin(uv_timer_t *timer)
{
	struct pg_ask *p = timer->data;

	uv_timer_start(timer, on_half_time, p->half_ms, 0);
	attempt_go(&p->attempts[0], attempt_start(p));
}

static bool is_numeric(const char *ip)
{
	struct sockaddr_in6 any;

	return uv_ip4_addr(ip, 0, (struct sockaddr_in *)&any) == 0 || uv_ip6_addr(ip, 0, &any) == 0;
}

int pg_ask_start(uv_loop_t *loop, const struct sql_question *q,
		 void (*done)(void *arg, enum sql_result result, const char *detail), void *arg,
		 struct pg_ask **ask)
{
	struct pg_ask *p;

	if ((!q->socket && !is_numeric(q->ip)) || q->timeout_ms <= 0 || q->user == NULL ||
	    q->dbname == NULL)
		return -EINVAL;
	p = xcalloc(1, sizeof(*p));
	p->question = *q;
	str_copy(p->ip, sizeof(p->ip), q->ip);
	p->question.ip = p->ip;
	p->done = done;
	p->arg = arg;
	p->half_ms = (uint64_t)(q->timeout_ms + 1) / 2;
	p->rest_ms = (uint64_t)q->timeout_ms - p->half_ms;
	uv_timer_init(loop, &p->timer);
	p->timer.data = p;
	p->open_handles = 1;
	uv_update_time(loop); /* a late loop must not shorten the server's time to answer */
	uv_timer_start(&p->timer, on_begin, 1, 0);
	*ask = p;
	return 0;
}

void pg_ask_cancel(struct pg_ask *ask)
{
	close_all(ask);
}
