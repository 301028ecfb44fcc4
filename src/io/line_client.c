/* One conversation: lines in, replies out.
 *
 * The happy path: bytes are collected, each complete line goes to on_line, its reply is queued, the
 * next line follows; what was answered in one turn leaves in one write. When nothing is left to
 * answer and the client is not interactive we shut our side down, so that it sees the end right
 * after the last reply, and linger until it closes too: closing at once over bytes it still sent
 * would be a reset, which can destroy a reply on its way.
 * What goes wrong: an endless line, a reply nobody reads, silence. Each ends this client and no
 * other.
 * Not here: who may come in (line_server.c), what a line means. */
#include "io/line_client.h"
#include "base/assert.h"
#include "base/buf.h"
#include "base/mem.h"
#include <stdlib.h>
#include <string.h>

enum {
	INPUT_MAX = 64 * 1024,  /* unanswered lines kept; reading pauses above it */
	UNREAD_MAX = 64 * 1024, /* replies not taken yet; the next line waits above it */
	IDLE_MS = 10 * 1000,    /* HAProxy's "stats timeout" */
	LINGER_MS = 1000,
};

enum client_state {
	CLIENT_OPEN,      /* lines and replies */
	CLIENT_LINGERING, /* everything was answered; waiting for the client's end */
	CLIENT_CLOSING,   /* waiting for the close callbacks */
};

struct line_client {
	struct list node;
	struct line_room *room;
	enum client_state state;
	union line_stream peer;
	uv_timer_t timer;
	uv_write_t write;
	uv_shutdown_t shutdown;
	unsigned open_handles;
	struct buf in, out;
	struct buf sending;   /* belongs to `write` while it is under way */
	size_t unsent_before; /* at the last look of the idle timer */
	int64_t idle_ms;
	bool asked;     /* on_line was called for it: on_gone is due */
	bool busy;      /* a line is out, its reply is awaited */
	bool stepping;  /* inside client_step */
	bool eof;       /* nothing more will come */
	bool keep_open; /* interactive */
	bool quit;
	bool rude; /* its line has no end: no reply is due that a reset could destroy */
	void *data;
};

static void client_step(struct line_client *c);
static void on_alloc(uv_handle_t *h, size_t suggested, uv_buf_t *buf);
static void on_read(uv_stream_t *stream, ssize_t n, const uv_buf_t *buf);

/* ---- the ends -------------------------------------------------------------------------------- */

static void on_client_handle_closed(uv_handle_t *h)
{
	struct line_client *c = h->data;
	struct line_room *room = c->room;

	if (--c->open_handles > 0)
		return;
	list_unlink(&c->node);
	room->n_clients--;
	buf_fini(&c->in);
	buf_fini(&c->out);
	buf_fini(&c->sending);
	free(c);
	room->on_left(room);
}

static void tell_gone(struct line_client *c)
{
	if (!c->asked)
		return;
	c->asked = false;
	c->room->options.on_gone(c->room->options.arg, c);
}

void line_client_close(struct line_client *c)
{
	if (c->state == CLIENT_CLOSING)
		return;
	c->state = CLIENT_CLOSING;
	tell_gone(c);
	uv_close(&c->peer.handle, on_client_handle_closed);
	uv_close((uv_handle_t *)&c->timer, on_client_handle_closed);
}

static void on_linger_over(uv_timer_t *timer)
{
	line_client_close(timer->data);
}

static void on_shutdown(uv_shutdown_t *shutdown, int status)
{
	struct line_client *c = shutdown->handle->data;

	if (status < 0)
		line_client_close(c);
}

/* Everything is answered and written. */
static void client_finish(struct line_client *c)
{
	if (c->eof || c->rude) {
		line_client_close(c);
		return;
	}
	c->state = CLIENT_LINGERING;
	tell_gone(c);
	uv_timer_start(&c->timer, on_linger_over, LINGER_MS, 0);
	uv_read_start(&c->peer.stream, on_alloc, on_read); /* it may have been paused */
	if (uv_shutdown(&c->shutdown, &c->peer.stream, on_shutdown) < 0)
		line_client_close(c);
}

/* ---- out ------------------------------------------------------------------------------------- */

static size_t unsent_bytes(const struct line_client *c)
{
	return c->out.len + uv_stream_get_write_queue_size(&c->peer.stream);
}

static void on_written(uv_write_t *w, int status)
{
	struct line_client *c = w->handle->data;

	buf_fini(&c->sending);
	if (c->state != CLIENT_OPEN)
		return;
	if (status < 0)
		line_client_close(c);
	else
		client_step(c);
}

/* One write at a time: what is queued meanwhile leaves together with the next. */
static void client_flush(struct line_client *c)
{
	uv_buf_t b;

	if (c->sending.data || c->out.len == 0)
		return;
	c->sending = c->out;
	memset(&c->out, 0, sizeof(c->out));
	b = uv_buf_init(c->sending.data, (unsigned)c->sending.len);
	if (uv_write(&c->write, &c->peer.stream, &b, 1, on_written) < 0) {
		buf_fini(&c->sending);
		line_client_close(c);
	}
}

/* ---- in -------------------------------------------------------------------------------------- */

/* Silence is what the client does, not what we do: no clock runs while a reply is being made, and
 * one who reads a long reply slowly is not silent. */
static void on_idle(uv_timer_t *timer)
{
	struct line_client *c = timer->data;
	size_t unsent = unsent_bytes(c);

	if (c->busy || unsent < c->unsent_before) {
		c->unsent_before = unsent;
		uv_timer_again(timer);
		return;
	}
	line_client_close(c);
}

static void restart_idle_timer(struct line_client *c)
{
	c->unsent_before = unsent_bytes(c);
	uv_timer_start(&c->timer, on_idle, (uint64_t)c->idle_ms, (uint64_t)c->idle_ms);
}

static void deliver(struct line_client *c, char *line, size_t len)
{
	line[len] = '\0';
	if (len > 0 && line[len - 1] == '\r')
		line[len - 1] = '\0';
	c->asked = true;
	c->busy = true;
	c->room->options.on_line(c->room->options.arg, c, line);
}

/* Hand out complete lines until one is not answered at once. False: a line is longer than we
 * take. */
static bool deliver_lines(struct line_client *c)
{
	size_t used = 0;
	bool fits = true;

	while (fits && c->state == CLIENT_OPEN && !c->busy && !c->quit && used < c->in.len &&
	       unsent_bytes(c) < UNREAD_MAX) {
		char *line = c->in.data + used, *end = memchr(line, '\n', c->in.len - used);
		size_t len = end ? (size_t)(end - line) : c->in.len - used;

		fits = len <= LINE_MAX_BYTES;
		if (!fits || !end)
			break;
		used += len + 1;
		deliver(c, line, len);
	}
	buf_consume(&c->in, used);
	return fits;
}

static bool has_line(const struct line_client *c)
{
	return c->in.len > 0 && memchr(c->in.data, '\n', c->in.len) != NULL;
}

static bool is_finished(const struct line_client *c)
{
	if (c->busy || c->sending.data || c->out.len > 0)
		return false;
	if (c->quit)
		return true;
	if (has_line(c))
		return false;
	return c->eof || (c->asked && !c->keep_open);
}

static void on_alloc(uv_handle_t *h, size_t suggested, uv_buf_t *buf)
{
	struct line_client *c = h->data;

	(void)suggested;
	*buf = uv_buf_init(c->room->scratch, LINE_READ_BYTES);
}

static void on_read(uv_stream_t *stream, ssize_t n, const uv_buf_t *buf)
{
	struct line_client *c = stream->data;

	if (n == 0)
		return; /* EAGAIN */
	if (c->state == CLIENT_LINGERING) {
		if (n < 0)
			line_client_close(c);
		return; /* bytes after the last answer: nobody waits for them */
	}
	if (n < 0 && n != UV_EOF) {
		line_client_close(c);
		return;
	}
	if (n < 0)
		c->eof = true;
	else
		buf_append(&c->in, buf->base, (size_t)n);
	restart_idle_timer(c);
	client_step(c);
}

static void set_reading(struct line_client *c)
{
	if (c->eof || c->in.len > INPUT_MAX)
		uv_read_stop(&c->peer.stream);
	else
		uv_read_start(&c->peer.stream, on_alloc, on_read); /* again and again is allowed */
}

/* The one place that moves a client on; after every event. */
static void client_step(struct line_client *c)
{
	bool fits;

	if (c->stepping || c->state != CLIENT_OPEN)
		return;
	c->stepping = true;
	fits = deliver_lines(c);
	c->stepping = false;
	if (c->state != CLIENT_OPEN)
		return;
	if (!fits) {
		buf_clear(&c->in);
		c->quit = c->rude = true;
	}
	if (unsent_bytes(c) > LINE_REPLY_MAX_BYTES) {
		line_client_close(c);
		return;
	}
	client_flush(c);
	if (c->state == CLIENT_OPEN && is_finished(c))
		client_finish(c);
	if (c->state == CLIENT_OPEN)
		set_reading(c);
}

/* ---- the door, and what the owner of the protocol calls -------------------------------------- */

void line_stream_init(uv_loop_t *loop, union line_stream *s, enum addr_kind kind)
{
	if (kind == ADDR_UNIX)
		uv_pipe_init(loop, &s->pipe, 0);
	else
		uv_tcp_init(loop, &s->tcp);
}

void line_client_accept(struct line_room *room, uv_stream_t *listener)
{
	struct line_client *c = xcalloc(1, sizeof(*c));

	c->room = room;
	c->idle_ms = IDLE_MS;
	line_stream_init(listener->loop, &c->peer, room->options.addr.kind);
	uv_timer_init(listener->loop, &c->timer);
	c->open_handles = 2;
	c->peer.handle.data = c->timer.data = c;
	list_append(&room->clients, &c->node);
	room->n_clients++;
	if (uv_accept(listener, &c->peer.stream) < 0) {
		line_client_close(c);
		return;
	}
	restart_idle_timer(c);
	client_step(c);
}

void line_room_close(struct line_room *room)
{
	LIST_FOREACH_SAFE (node, &room->clients)
		line_client_close(LIST_ENTRY(node, struct line_client, node));
}

void line_client_reply(struct line_client *c, const char *text, size_t len)
{
	REQUIRE(c->asked);
	if (c->state != CLIENT_OPEN)
		return;
	buf_append(&c->out, text, len);
	c->busy = false;
	restart_idle_timer(c);
	client_step(c);
}

void line_client_set_data(struct line_client *c, void *data)
{
	c->data = data;
}

void *line_client_data(const struct line_client *c)
{
	return c->data;
}

void line_client_keep_open(struct line_client *c, bool keep)
{
	c->keep_open = keep;
}

void line_client_quit(struct line_client *c)
{
	c->quit = true;
	c->busy = false;
	client_step(c);
}

void line_client_set_timeout(struct line_client *c, int64_t idle_ms)
{
	c->idle_ms = idle_ms > 0 ? idle_ms : 1;
	if (c->state == CLIENT_OPEN)
		restart_idle_timer(c);
}
