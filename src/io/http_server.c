/* HTTP on a uv loop: libmicrohttpd without a thread of its own.
 *
 * MHD keeps its sockets in an epoll set; the loop watches that one descriptor and lets MHD run when
 * it is readable, when MHD says that it has work left, and when a deadline of ours is over. MHD's
 * own timeout is not used: every byte starts it anew, so who sends one a second would stay for
 * ever. Ours are for a whole request and a whole answer; whoever is late is shut down and MHD finds
 * its socket closed.
 *
 * What the owner does for requests may take long, and MHD would bring one of each connection before
 * it returns. So the owner is asked for TURN_US at most in one turn of the loop; other requests
 * wait for the next one. Not here: who comes in (http_door.c), requests and answers
 * (http_exchange.c, http_stream.c). */
#include "io/http_server.h"
#include "base/assert.h"
#include "base/mem.h"
#include "io/clock.h"
#include "io/http_state.h"
#include "io/line_bind.h"
#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

enum {
	REQUEST_MS = 10 * 1000,
	HURRY = 10, /* while all places are taken, a request has so many times less of it: else
		       those who send slowly would hold up everybody else */
	RESPONSE_MS = 30 * 1000,
	STALL_MS = 10 * 1000,
	SEND_BUFFER_BYTES = 128 * 1024, /* else the kernel may take 4 MB for who does not read */
	TURNS_MAX = 8,                  /* of MHD in one turn of the loop, which has others, too */
	TURN_US = 5 * 1000,
};

/* ---- connections ---- */

static void set_up_socket(int fd)
{
	int bytes = SEND_BUFFER_BYTES;

	setsockopt(fd, SOL_SOCKET, SO_SNDBUF, &bytes, sizeof(bytes));
}

static struct http_exchange *connection_new(struct http_server *s, struct MHD_Connection *c)
{
	struct http_exchange *x = xcalloc(1, sizeof(*x));

	x->server = s;
	x->connection = c;
	x->fd = MHD_get_connection_info(c, MHD_CONNECTION_INFO_CONNECTION_FD)->connect_fd;
	x->client = socket_peer(x->fd);
	set_up_socket(x->fd);
	list_init(&x->turn);
	list_append(&s->exchanges, &x->node);
	s->n_connections++;
	http_exchange_reset(x);
	return x;
}

static void connection_free(struct http_exchange *x)
{
	struct http_server *s = x->server;

	http_exchange_reset(x);
	list_unlink(&x->node);
	s->n_connections--;
	free(x);
}

static void on_connection(void *server, struct MHD_Connection *c, void **exchange,
			  enum MHD_ConnectionNotificationCode what)
{
	if (what == MHD_CONNECTION_NOTIFY_STARTED)
		*exchange = connection_new(server, c);
	else
		connection_free(*exchange);
}

unsigned http_server_connections(const struct http_server *s)
{
	return s->n_connections;
}

/* ---- deadlines ---- */

/* What a slow reader has not taken is dropped, not kept by the kernel for as long as it likes. */
void http_exchange_cut(struct http_exchange *x)
{
	const struct linger at_once = {.l_onoff = 1};

	if (x->state == HTTP_SENDING || x->state == HTTP_STREAMING)
		setsockopt(x->fd, SOL_SOCKET, SO_LINGER, &at_once, sizeof(at_once));
	shutdown(x->fd, SHUT_RDWR);
	list_unlink(&x->turn);
	x->state = HTTP_CUT;
	x->deadline_ms = 0;
	http_exchange_resume(x);
}

bool http_server_is_full(const struct http_server *s)
{
	return s->n_connections >= HTTP_MAX_CONNECTIONS;
}

/* 0: never. */
static int64_t due_ms(const struct http_exchange *x)
{
	const struct http_server *s = x->server;
	int64_t whole_ms = s->options.request_ms;

	if (x->state == HTTP_STREAMING && !http_stream_is_stuck(x))
		return 0;
	if (x->state == HTTP_RECEIVING && http_server_is_full(s))
		return x->deadline_ms - whole_ms + whole_ms / HURRY;
	return x->deadline_ms;
}

static void cut_late(struct http_server *s)
{
	int64_t now_ms = clock_ms();

	LIST_FOREACH (node, &s->exchanges) {
		struct http_exchange *x = LIST_ENTRY(node, struct http_exchange, node);

		if (due_ms(x) > 0 && due_ms(x) <= now_ms)
			http_exchange_cut(x);
	}
}

/* MHD has no timeouts of its own here: if it names one, there is something to do now. */
static bool has_work_left(const struct http_server *s)
{
	MHD_UNSIGNED_LONG_LONG own;

	return s->again || !list_empty(&s->whole) || MHD_get_timeout(s->daemon, &own) == MHD_YES;
}

/* From waits and moments the shorter wait; -1: for ever, `due_ms` 0: never. */
static int64_t sooner(int64_t wait_ms, int64_t due_ms, int64_t now_ms)
{
	int64_t left = due_ms > now_ms ? due_ms - now_ms : 0;

	return due_ms > 0 && (wait_ms < 0 || left < wait_ms) ? left : wait_ms;
}

/* -1: nothing is due. */
static int64_t next_due_ms(const struct http_server *s)
{
	int64_t now_ms = clock_ms(), next = has_work_left(s) ? 0 : -1;

	next = sooner(next, http_door_due_ms(s), now_ms);
	LIST_FOREACH (node, &s->exchanges)
		next = sooner(next, due_ms(LIST_ENTRY(node, struct http_exchange, node)), now_ms);
	return next;
}

/* ---- the loop ---- */

static void on_timer(uv_timer_t *timer)
{
	http_server_drive(timer->data);
}

void http_server_plan(struct http_server *s)
{
	int64_t wait = s->running || s->stopped ? -1 : next_due_ms(s);

	if (wait < 0)
		return;
	uv_update_time(s->loop);
	uv_timer_start(&s->timer, on_timer, wait > 1 ? (uint64_t)wait : 1,
		       0); /* 0 would spin: libuv before 1.48 */
}

bool http_server_turn_is_over(const struct http_server *s)
{
	return s->closing || clock_us() >= s->turn_ends_us;
}

static void stop(struct http_server *s);

void http_server_drive(struct http_server *s)
{
	unsigned turns = 0;

	uv_timer_stop(&s->timer);
	cut_late(s);
	s->running = true;
	s->turn_ends_us = clock_us() + TURN_US;
	do {
		s->again = false;
		http_exchange_ask_waiting(s);
		MHD_run(s->daemon);
	} while (!http_server_turn_is_over(s) && has_work_left(s) && ++turns < TURNS_MAX);
	s->running = false;
	if (s->closing) {
		stop(s);
		return;
	}
	http_door_tend(s);
	http_server_plan(s);
}

/* An error of the watch (status < 0) would have stopped it: MHD finds out itself what is wrong. */
static void on_poll(uv_poll_t *poll, int status, int events)
{
	(void)events;
	http_server_drive(poll->data);
	if (status < 0 && !uv_is_closing((uv_handle_t *)poll))
		uv_poll_start(poll, UV_READABLE, on_poll);
}

/* ---- the end ---- */

static void on_handle_closed(uv_handle_t *h)
{
	struct http_server *s = h->data;

	if (--s->open_handles > 0)
		return;
	if (s->on_closed)
		s->on_closed(s->on_closed_arg);
	free(s);
}

/* MHD may only be stopped from outside of it, with nobody suspended. The watch ends before the
 * descriptor does. */
static void stop(struct http_server *s)
{
	s->stopped = true;
	uv_close((uv_handle_t *)&s->timer, on_handle_closed);
	uv_close((uv_handle_t *)&s->poll, on_handle_closed);
	uv_close((uv_handle_t *)&s->door, on_handle_closed);
	close(s->listening_fd);
	LIST_FOREACH (node, &s->exchanges)
		http_exchange_resume(LIST_ENTRY(node, struct http_exchange, node));
	MHD_stop_daemon(s->daemon);
	INSIST(list_empty(&s->exchanges));
}

void http_server_close(struct http_server *s, void (*on_closed)(void *arg), void *arg)
{
	REQUIRE(!s->closing);
	s->closing = true;
	s->on_closed = on_closed;
	s->on_closed_arg = arg;
	if (!s->running)
		stop(s);
}

/* ---- the beginning ---- */

static int64_t or_default(int64_t ms, int64_t otherwise)
{
	return ms > 0 ? ms : otherwise;
}

static struct http_server *server_new(uv_loop_t *loop, const struct http_server_options *o)
{
	struct http_server *s = xcalloc(1, sizeof(*s));

	s->options = *o;
	s->options.request_ms = or_default(o->request_ms, REQUEST_MS);
	s->options.response_ms = or_default(o->response_ms, RESPONSE_MS);
	s->options.stall_ms = or_default(o->stall_ms, STALL_MS);
	s->loop = loop;
	list_init(&s->exchanges);
	list_init(&s->whole);
	return s;
}

/* The limit of connections is ours to keep: who comes with one more is not to be turned away. */
static struct MHD_Daemon *start_daemon(struct http_server *s)
{
	const struct MHD_OptionItem options[] = {
		{MHD_OPTION_CONNECTION_LIMIT, HTTP_MAX_CONNECTIONS + 1, NULL},
		{MHD_OPTION_PER_IP_CONNECTION_LIMIT, HTTP_MAX_PER_ADDRESS, NULL},
		{MHD_OPTION_CONNECTION_MEMORY_LIMIT, HTTP_CONNECTION_BYTES, NULL},
		{MHD_OPTION_CONNECTION_TIMEOUT, 0, NULL},
		{MHD_OPTION_NOTIFY_CONNECTION, (intptr_t)on_connection, s},
		{MHD_OPTION_NOTIFY_COMPLETED, (intptr_t)http_on_completed, s},
		{MHD_OPTION_URI_LOG_CALLBACK, (intptr_t)http_on_target, s},
		{MHD_OPTION_END, 0, NULL},
	};

	return MHD_start_daemon(MHD_USE_EPOLL | MHD_ALLOW_SUSPEND_RESUME | MHD_USE_NO_LISTEN_SOCKET,
				0, NULL, NULL, http_on_access, s, MHD_OPTION_ARRAY, options,
				MHD_OPTION_END);
}

static int watch(struct http_server *s)
{
	int fd = MHD_get_daemon_info(s->daemon, MHD_DAEMON_INFO_EPOLL_FD)->epoll_fd;
	int rc = uv_poll_init(s->loop, &s->poll, fd);

	if (rc < 0)
		return rc;
	rc = uv_poll_init(s->loop, &s->door, s->listening_fd);
	INSIST(rc == 0); /* as for the one before: both are ours and can be watched */
	uv_timer_init(s->loop, &s->timer);
	s->poll.data = s->door.data = s->timer.data = s;
	s->open_handles = 3;
	rc = uv_poll_start(&s->poll, UV_READABLE, on_poll);
	INSIST(rc == 0); /* fails on a closing handle only */
	return 0;
}

int http_server_open(uv_loop_t *loop, const struct http_server_options *o, struct http_server **out,
		     struct err *e)
{
	struct http_server *s;
	struct line_bind bound;
	int rc;

	REQUIRE(o->addr.kind == ADDR_TCP);
	rc = line_bind_open(&bound, &o->addr, 0, NULL, NULL, e);
	if (rc < 0)
		return rc;
	s = server_new(loop, o);
	s->listening_fd = bound.fd;
	s->daemon = start_daemon(s);
	if (s->daemon == NULL) {
		close(bound.fd);
		free(s);
		return err_set(e, -ENOMEM, "cannot start the HTTP server: %s", strerror(errno));
	}
	rc = watch(s);
	if (rc < 0) {
		MHD_stop_daemon(s->daemon);
		close(bound.fd);
		free(s);
		return err_set(e, rc, "cannot watch the HTTP server's sockets: %s",
			       uv_strerror(rc));
	}
	http_door_tend(s);
	*out = s;
	return 0;
}
