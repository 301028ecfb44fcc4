/* What the false PostgreSQL says: short answers at once, echoes and copies from prebuilt images, as
 * far as the socket takes them, one pass per turn.
 * Not here: what was asked (server_session.c). */
#include "net.h"
#include "server.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

enum { BEHIND_MS = 20 }; /* a limited copy makes up for no longer delay than this */

/* ---- copies ---------------------------------------------------------------------------------- */

void stream_free(struct session *s)
{
	if (s->stream && s->stream->rate)
		LIST_REMOVE(s->stream, paced);
	free(s->stream);
	s->stream = NULL;
}

/* How much a copy may send now. */
static uint64_t allowance(struct stream *st, uint64_t at)
{
	if (!st->rate)
		return UINT64_MAX;
	uint64_t elapsed_us = (uint64_t)(now_ns() - st->begun_ns) / 1000;
	uint64_t due = (uint64_t)((double)elapsed_us * (double)st->rate / 1e6);
	uint64_t behind = st->rate * BEHIND_MS / 1000;
	if (due > at + behind) { /* the reader was slow: what it missed is not owed to it */
		st->begun_ns += (int64_t)((double)(due - at - behind) * 1e9 / (double)st->rate);
		due = at + behind;
	}
	return due > at ? due - at : 0;
}

/* ---- sending --------------------------------------------------------------------------------- */

static const char *next_piece(struct session *s, size_t *n)
{
	struct out *o = &s->out;
	if (o->kind == OUT_COPY) {
		uint64_t may = allowance(s->stream, o->at);
		*n = may < *n ? (size_t)may : *n;
		return copy_piece(&s->stream->copy, o->at, n);
	}
	*n = *n < o->total - o->at ? *n : (size_t)(o->total - o->at);
	if (o->kind == OUT_REST)
		return o->rest + o->at;
	return echo_image(&s->server->images, (size_t)o->total, o->tag) + o->at;
}

static int finish(struct session *s)
{
	struct out *o = &s->out;
	if (o->kind == OUT_COPY)
		stream_free(s);
	free(o->rest);
	o->rest = NULL;
	o->kind = OUT_NOTHING;
	return o->last ? -ECONNRESET : 0;
}

static int blocked(struct session *s)
{
	s->out.blocked = true;
	return 1;
}

/* Alone, a session moves more in one pass: the fewer system calls are then ours. */
static size_t pass_of(const struct session *s)
{
	bool limited = s->out.kind == OUT_COPY && s->stream->rate;
	return limited || !TAILQ_EMPTY(&s->server->ready) ? PASS : SCRATCH;
}

int output_flush(struct session *s)
{
	struct out *o = &s->out;
	size_t left = pass_of(s);
	while (o->at < o->total) {
		size_t n = left;
		const char *data = next_piece(s, &n);
		if (left == 0)
			session_queue(s);
		if (n == 0)
			return 1; /* after the others, or at the next tick */
		ssize_t sent = send(s->fd, data, n, MSG_NOSIGNAL);
		if (sent < 0)
			return errno == EAGAIN ? blocked(s) : -errno;
		o->at += (uint64_t)sent;
		left -= (size_t)sent;
		if ((size_t)sent < n)
			return blocked(s);
	}
	return finish(s);
}

/* ---- answers --------------------------------------------------------------------------------- */

int output_short(struct session *s, const char *data, size_t n)
{
	ssize_t sent = send(s->fd, data, n, MSG_NOSIGNAL);
	if (sent < 0 && errno != EAGAIN)
		return -errno;
	size_t done = sent < 0 ? 0 : (size_t)sent;
	if (done == n)
		return 0;
	s->out = (struct out){.kind = OUT_REST, .total = n - done, .rest = malloc(n - done)};
	memcpy(s->out.rest, data + done, n - done);
	return blocked(s);
}

int output_done(struct session *s, const char *tag)
{
	char text[SHORT];
	return output_short(s, text, (size_t)(put_done(text, tag) - text));
}

/* The client hears why, and then the end. */
int output_error(struct session *s, const char *state, const char *text)
{
	char body[SHORT - 8], message[SHORT];
	int n = snprintf(body, sizeof(body), "SFATAL%cVFATAL%cC%s%cM%s%c", 0, 0, state, 0, text, 0);
	char *end = put_message(message, 'E', body, (size_t)n + 1);
	if (output_short(s, message, (size_t)(end - message)) != 1)
		return -ECONNRESET;
	s->out.last = true;
	return 1;
}

int output_echo(struct session *s, size_t n, const char *text)
{
	s->out = (struct out){.kind = OUT_ECHO, .total = n};
	memset(s->out.tag, '.', TAG);
	memcpy(s->out.tag, text, strnlen(text, TAG));
	return output_flush(s);
}

int output_copy(struct session *s, uint64_t bytes, size_t chunk, uint64_t rate)
{
	struct stream *st = calloc(1, sizeof(*st));
	*st = (struct stream){.session = s, .rate = rate, .begun_ns = now_ns()};
	s->stream = st;
	if (rate)
		server_pace(s->server, st);
	if (copy_init(&st->copy, &s->server->images, COPY_DOWN, bytes, chunk) < 0)
		return output_error(s, "22023", "send: no such size");
	s->out = (struct out){.kind = OUT_COPY, .total = st->copy.total};
	return output_flush(s);
}
