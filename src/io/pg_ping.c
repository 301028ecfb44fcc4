/* One question to a PostgreSQL port or socket: an SSLRequest, answered by one byte.
 *
 * The happy path: connect, 8 bytes out, 1 byte in, close with FIN (a reset would be logged by the
 * server). At half time, when nothing was heard, a second attempt starts beside the first: a lost
 * SYN is repeated by the kernel only after 1 s. The first attempt that ends decides; one that fails
 * for want of a descriptor of our own leaves the decision to the other. A UNIX socket whose queue
 * is full is like a lost SYN: that attempt hears nothing. One timer serves both moments, half time
 * and the end. */
#include "io/pg_ping.h"
#include "base/assert.h"
#include "base/mem.h"
#include <errno.h>
#include <stdbool.h>
#include <stdlib.h>
#include <string.h>
#include <sys/un.h>

enum { N_ATTEMPTS = 2 };

struct attempt {
	struct pg_ping *ping;
	union {
		uv_handle_t handle;
		uv_stream_t stream;
		uv_tcp_t tcp;
		uv_pipe_t pipe;
	};
	uv_connect_t connect;
	char byte;
};

struct pg_ping {
	struct attempt attempts[N_ATTEMPTS];
	uv_timer_t timer;
	struct dialer_address to;
	uint64_t half_ms, rest_ms; /* the timeout in two parts */
	unsigned n_started, n_running;
	unsigned open_handles;
	enum ping_result result; /* of the last attempt that failed */
	bool closing;
	void (*done)(void *arg, enum ping_result result);
	void *arg;
};

static void on_handle_closed(uv_handle_t *h)
{
	struct pg_ping *p = h->data;

	if (--p->open_handles == 0)
		free(p);
}

static void close_all(struct pg_ping *p)
{
	REQUIRE(!p->closing);
	p->closing = true;
	uv_close((uv_handle_t *)&p->timer, on_handle_closed);
	for (unsigned i = 0; i < p->n_started; i++)
		uv_close(&p->attempts[i].handle, on_handle_closed);
}

/* Closed first, then reported: the receiver may start the next ping at once, and cannot cancel this
 * one. */
static void finish(struct pg_ping *p, enum ping_result result)
{
	void (*done)(void *, enum ping_result) = p->done;
	void *arg = p->arg;

	close_all(p);
	done(arg, result);
}

static enum ping_result result_of(int error, bool local)
{
	static const struct {
		int error;
		enum ping_result result;
	} rows[] = {
		{UV_ECONNREFUSED, PING_REFUSED}, {UV_ECONNRESET, PING_RESET},
		{UV_EPIPE, PING_RESET},          {UV_EOF, PING_RESET},
		{UV_ETIMEDOUT, PING_TIMEOUT},    {UV_EMFILE, PING_OWN_FAULT},
		{UV_ENFILE, PING_OWN_FAULT},     {UV_ENOMEM, PING_OWN_FAULT},
		{UV_ENOBUFS, PING_OWN_FAULT},    {UV_EADDRNOTAVAIL, PING_OWN_FAULT},
		{UV_ENOENT, PING_REFUSED},
	};

	for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++)
		if (rows[i].error == error)
			return rows[i].result;
	return local ? PING_OWN_FAULT : PING_UNREACHABLE; /* no path to a socket is ever cut */
}

static void attempt_ended(struct attempt *a, enum ping_result result)
{
	struct pg_ping *p = a->ping;

	p->n_running--;
	p->result = result;
	if (result != PING_OWN_FAULT || (p->n_running == 0 && p->n_started == N_ATTEMPTS))
		finish(p, result);
}

static void attempt_failed(struct attempt *a, int error)
{
	bool local = dialer_is_local(&a->ping->to);

	if (!local || error != UV_EAGAIN) /* else it goes on running, and stays silent */
		attempt_ended(a, result_of(error, local));
}

/* ---- one attempt ----------------------------------------------------------------------------- */

static void on_alloc(uv_handle_t *h, size_t suggested, uv_buf_t *buf)
{
	struct attempt *a = (struct attempt *)((char *)h - offsetof(struct attempt, handle));

	(void)suggested;
	*buf = uv_buf_init(&a->byte, 1);
}

static void on_read(uv_stream_t *s, ssize_t n, const uv_buf_t *buf)
{
	struct attempt *a = (struct attempt *)((char *)s - offsetof(struct attempt, stream));

	(void)buf;
	if (n == 0)
		return; /* EAGAIN */
	uv_read_stop(s);
	if (n < 0)
		attempt_failed(a, (int)n);
	else
		attempt_ended(a, a->byte && strchr("SNE", a->byte) ? PING_ALIVE : PING_GARBAGE);
}

static void on_connect(uv_connect_t *connect, int status)
{
	char ssl_request[8] = {0, 0, 0, 8, 0x04, (char)0xd2, 0x16, 0x2f}; /* 80877103 */
	struct attempt *a = (struct attempt *)((char *)connect - offsetof(struct attempt, connect));
	uv_buf_t out = uv_buf_init(ssl_request, sizeof(ssl_request));

	if (a->ping->closing)
		return;
	if (status == 0) /* an empty socket buffer takes 8 bytes whole */
		status = uv_try_write(connect->handle, &out, 1);
	if (status >= 0)
		status = uv_read_start(connect->handle, on_alloc, on_read);
	if (status < 0)
		attempt_failed(a, status);
}

/* The handles' own errors come with a call back: libuv makes the sockets in the connect. */
static int attempt_connect(struct attempt *a, uv_loop_t *loop)
{
	const struct sockaddr *to = (const struct sockaddr *)&a->ping->to.to;

	if (!dialer_is_local(&a->ping->to)) {
		uv_tcp_init(loop, &a->tcp);
		return uv_tcp_connect(&a->connect, &a->tcp, to, on_connect);
	}
	uv_pipe_init(loop, &a->pipe, 0);
	uv_pipe_connect(&a->connect, &a->pipe, ((const struct sockaddr_un *)to)->sun_path,
			on_connect);
	return 0;
}

/* 0, or the error of an attempt that could not begin; it counts as running until attempt_ended
 * either way. */
static int attempt_start(struct pg_ping *p)
{
	struct attempt *a = &p->attempts[p->n_started];
	int rc;

	a->ping = p;
	p->n_started++;
	p->n_running++;
	p->open_handles++;
	rc = attempt_connect(a, p->timer.loop);
	a->handle.data = p;
	return rc;
}

/* ---- the ping -------------------------------------------------------------------------------- */

static void on_deadline(uv_timer_t *timer)
{
	struct pg_ping *p = timer->data;

	finish(p, p->n_running > 0 ? PING_TIMEOUT : p->result);
}

static void on_half_time(uv_timer_t *timer)
{
	struct pg_ping *p = timer->data;
	struct attempt *a = &p->attempts[p->n_started];
	int rc;

	uv_timer_start(timer, on_deadline, p->rest_ms, 0);
	rc = attempt_start(p);
	if (rc < 0)
		attempt_failed(a, rc);
}

/* The first attempt could not begin: said from here, because a start function does not call
 * back. */
static void on_first_failed(uv_timer_t *timer)
{
	struct pg_ping *p = timer->data;

	finish(p, p->result);
}

int pg_ping_start(uv_loop_t *loop, const struct dialer_address *to, int64_t timeout_ms,
		  void (*done)(void *arg, enum ping_result result), void *arg,
		  struct pg_ping **ping)
{
	struct pg_ping *p;
	int rc;

	if (to->len == 0 || timeout_ms <= 0)
		return -EINVAL;
	p = xcalloc(1, sizeof(*p));
	p->to = *to;
	p->done = done;
	p->arg = arg;
	p->half_ms = (uint64_t)(timeout_ms + 1) / 2;
	p->rest_ms = (uint64_t)timeout_ms - p->half_ms;
	uv_timer_init(loop, &p->timer);
	p->timer.data = p;
	p->open_handles = 1;
	uv_update_time(loop); /* a late loop must not shorten the server's time to answer */
	rc = attempt_start(p);
	if (rc < 0)
		p->result = result_of(rc, false);
	uv_timer_start(&p->timer, rc < 0 ? on_first_failed : on_half_time, rc < 0 ? 1 : p->half_ms,
		       0);
	*ping = p;
	return 0;
}

void pg_ping_cancel(struct pg_ping *ping)
{
	close_all(ping);
}
