/* A conversation with a stats socket that begins again by itself.
 *
 * The happy path: connect, `prompt` and `set timeout cli`, whose replies nobody hears of; then
 * lines out and replies in, in order. What goes wrong: nobody listens, the server leaves, it is
 * silent for too long, or it talks without an end. Each is one on_down with the reason, and a new
 * attempt a second later. */
#include "io/ctl_talk.h"
#include "base/buf.h"
#include "base/mem.h"
#include "base/str.h"
#include "io/line_client.h"
#include "io/resolve.h"
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

enum { AGAIN_MS = 1000, REPLY_MAX_BYTES = 64 * 1024 * 1024, READ_BYTES = 64 * 1024 };

enum talk_state { TALK_WAITING, TALK_CONNECTING, TALK_UP, TALK_CLOSING };

/* One attempt: freed when its last call back was there, while the talk may have begun another. */
struct connection {
	struct ctl_talk *talk; /* NULL: given up */
	union line_stream peer;
	uv_connect_t connect;
	bool opened, resolving;
	char ip[RESOLVE_IP_BYTES];
};

struct ctl_talk {
	struct ctl_talk_options options;
	uv_loop_t *loop;
	uv_timer_t timer; /* until the next attempt, or until the answer is late */
	enum talk_state state;
	struct connection *connection;
	struct buf in;
	size_t scanned;   /* of `in`, without a reply's end */
	unsigned owed;    /* replies */
	unsigned greeted; /* of them, those to our first lines, which come first */
	char scratch[READ_BYTES];
};

struct outgoing {
	uv_write_t write;
	struct buf line;
};

long ctl_reply_end(const char *text, size_t len, size_t *after)
{
	const char *end = memmem(text, len, "\n> ", 3);

	if (!end)
		return -1;
	*after = (size_t)(end - text) + 3;
	while (end > text && end[-1] == '\n')
		end--;
	return end - text;
}

/* ---- the ends ---- */

static void start_attempt(struct ctl_talk *t);

static void on_connection_closed(uv_handle_t *h)
{
	free(h->data);
}

static void give_up(struct connection *c)
{
	c->talk = NULL;
	if (c->opened)
		uv_close(&c->peer.handle, on_connection_closed);
	else if (!c->resolving)
		free(c);
}

static void on_again(uv_timer_t *timer)
{
	start_attempt(timer->data);
}

static void down(struct ctl_talk *t, const char *why)
{
	if (t->connection)
		give_up(t->connection);
	t->connection = NULL;
	t->state = TALK_WAITING;
	buf_clear(&t->in);
	t->scanned = 0;
	t->owed = t->greeted = 0;
	uv_timer_start(&t->timer, on_again, AGAIN_MS, 0);
	t->options.on_down(t->options.arg, why);
}

static void on_late(uv_timer_t *timer)
{
	down(timer->data, "no answer");
}

/* The clock runs while something is owed. */
static void watch(struct ctl_talk *t)
{
	if (t->owed > 0)
		uv_timer_start(&t->timer, on_late, (uint64_t)t->options.timeout_ms, 0);
	else
		uv_timer_stop(&t->timer);
}

/* ---- in ---- */

static void take_reply(struct ctl_talk *t, const char *reply, size_t len)
{
	if (t->owed > 0)
		t->owed--;
	if (t->greeted > 0) {
		if (--t->greeted == 0)
			t->options.on_up(t->options.arg);
		return;
	}
	t->options.on_reply(t->options.arg, reply, len);
}

/* The receiver may close the talk. */
static void take_replies(struct ctl_talk *t)
{
	struct buf in = t->in;
	size_t used = 0, after;
	long len;

	/* A reply's end may lie across two reads. */
	size_t from = t->scanned > 2 ? t->scanned - 2 : 0;
	if (!memmem(in.data + from, in.len - from, "\n> ", 3)) {
		t->scanned = in.len;
		return;
	}
	t->in = (struct buf){0};
	t->scanned = 0;
	while (t->state == TALK_UP &&
	       (len = ctl_reply_end(in.data + used, in.len - used, &after)) >= 0) {
		take_reply(t, in.data + used, (size_t)len);
		used += after;
	}
	if (t->state == TALK_UP)
		buf_append(&t->in, in.data + used, in.len - used);
	buf_fini(&in);
}

static void on_alloc(uv_handle_t *h, size_t suggested, uv_buf_t *buf)
{
	struct connection *c = h->data;

	(void)suggested;
	*buf = uv_buf_init(c->talk->scratch, READ_BYTES);
}

static void on_read(uv_stream_t *stream, ssize_t n, const uv_buf_t *buf)
{
	struct connection *c = stream->data;
	struct ctl_talk *t = c->talk;

	if (n == 0)
		return; /* EAGAIN */
	if (n < 0) {
		down(t, n == UV_EOF ? "it closed the connection" : uv_strerror((int)n));
		return;
	}
	buf_append(&t->in, buf->base, (size_t)n);
	take_replies(t);
	if (t->state != TALK_UP)
		return;
	if (t->in.len > REPLY_MAX_BYTES)
		down(t, "its reply has no end");
	else
		watch(t);
}

/* ---- out ---- */

static void on_written(uv_write_t *w, int status)
{
	struct outgoing *o = (struct outgoing *)w;

	(void)status; /* the reader hears of the end as well */
	buf_fini(&o->line);
	free(o);
}

static int send_text(struct ctl_talk *t, const char *text)
{
	struct outgoing *o = xcalloc(1, sizeof(*o));
	uv_buf_t b;
	int rc;

	buf_puts(&o->line, text);
	b = uv_buf_init(o->line.data, (unsigned)o->line.len);
	rc = uv_write(&o->write, &t->connection->peer.stream, &b, 1, on_written);
	if (rc < 0)
		on_written(&o->write, rc);
	return rc;
}

int ctl_talk_send(struct ctl_talk *t, const char *line, unsigned n_replies)
{
	struct buf text = {0};
	int rc = -ENOTCONN;

	if (t->state == TALK_UP && t->greeted == 0) {
		buf_printf(&text, "%s\n", line);
		rc = send_text(t, text.data);
		buf_fini(&text);
	}
	if (rc < 0)
		return rc;
	if (t->owed == 0)
		t->owed = n_replies, watch(t);
	else
		t->owed += n_replies;
	return 0;
}

static void greet(struct ctl_talk *t)
{
	char text[64];

	snprintf(text, sizeof(text), "prompt\nset timeout cli %lld\n",
		 (long long)t->options.idle_ms / 1000 + 1);
	t->state = TALK_UP;
	t->owed = t->greeted = 2;
	watch(t);
	if (send_text(t, text) < 0 ||
	    uv_read_start(&t->connection->peer.stream, on_alloc, on_read) < 0)
		down(t, "it closed the connection");
}

/* ---- connecting ---- */

static void on_connected(uv_connect_t *connect, int status)
{
	struct connection *c = connect->handle->data;

	if (!c->talk)
		return; /* given up meanwhile */
	if (status < 0)
		down(c->talk, uv_strerror(status));
	else
		greet(c->talk);
}

static void open_stream(struct connection *c, enum addr_kind kind)
{
	line_stream_init(c->talk->loop, &c->peer, kind);
	c->peer.handle.data = c;
	c->opened = true;
}

static int connect_tcp(struct connection *c)
{
	struct sockaddr_in6 v6;
	struct sockaddr_in v4;

	open_stream(c, ADDR_TCP);
	if (uv_ip4_addr(c->ip, c->talk->options.addr.port, &v4) == 0)
		return uv_tcp_connect(&c->connect, &c->peer.tcp, (struct sockaddr *)&v4,
				      on_connected);
	uv_ip6_addr(c->ip, c->talk->options.addr.port, &v6);
	return uv_tcp_connect(&c->connect, &c->peer.tcp, (struct sockaddr *)&v6, on_connected);
}

static void on_resolved(void *arg, int status, const char *ip)
{
	struct connection *c = arg;

	c->resolving = false;
	if (!c->talk) {
		free(c);
		return;
	}
	if (status == 0) {
		str_copy(c->ip, sizeof(c->ip), ip);
		status = connect_tcp(c);
	}
	if (status < 0)
		down(c->talk, uv_strerror(status));
}

static void start_attempt(struct ctl_talk *t)
{
	struct connection *c = xcalloc(1, sizeof(*c));
	const struct addr *a = &t->options.addr;
	int rc;

	c->talk = t;
	t->connection = c;
	t->state = TALK_CONNECTING;
	uv_timer_start(&t->timer, on_late, (uint64_t)t->options.timeout_ms, 0);
	if (a->kind == ADDR_UNIX) {
		open_stream(c, ADDR_UNIX);
		uv_pipe_connect(&c->connect, &c->peer.pipe, a->host, on_connected);
		return;
	}
	c->resolving = true;
	rc = resolve_start(t->loop, strcmp(a->host, "*") == 0 ? "127.0.0.1" : a->host, on_resolved,
			   c);
	if (rc < 0) {
		c->resolving = false;
		down(t, uv_strerror(rc));
	}
}

/* ---- the talk ---- */

struct ctl_talk *ctl_talk_open(uv_loop_t *loop, const struct ctl_talk_options *o)
{
	struct ctl_talk *t = xcalloc(1, sizeof(*t));

	t->options = *o;
	t->loop = loop;
	uv_timer_init(loop, &t->timer);
	t->timer.data = t;
	start_attempt(t);
	return t;
}

static void on_timer_closed(uv_handle_t *h)
{
	struct ctl_talk *t = h->data;

	buf_fini(&t->in);
	free(t);
}

void ctl_talk_close(struct ctl_talk *t)
{
	t->state = TALK_CLOSING;
	if (t->connection)
		give_up(t->connection);
	t->connection = NULL;
	uv_close((uv_handle_t *)&t->timer, on_timer_closed);
}
