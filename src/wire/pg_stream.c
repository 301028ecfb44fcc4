/* Following a session's bytes (protocol.html, "Message Flow" and "Message Formats"): type:1
 * length:4 (itself included) body, in both directions, once a StartupMessage has passed.
 * Not here: what is done with the knowledge (proxy/goodbye.c, send_back.c, cancel.c). */
#include "wire/pg_stream.h"
#include "wire/pg_startup.h"
#include <string.h>

enum {
	HEAD_BYTES = 5,
	LENGTH_BYTES = 4, /* they count themselves */
	PACKET_HEAD_BYTES = 8,
	MOST_BODY_BYTES = 1 << 30, /* PostgreSQL allocates no more; so this is no message */
	LEAST_KEY_BYTES = 4,
	PID_BYTES = 4,
	CODE_SSL = 1234 << 16 | 5679,
	CODE_GSSENC = 1234 << 16 | 5680,
	LOST_COUNT = UINT8_MAX,
	STREAM_LOOKED_AT_BYTES = PID_BYTES + CANCEL_KEY_MAX_BYTES,
};

/* FNV-1a: a byte at a time, so that slices need no buffer. Who guesses keys finds the server's own
 * check behind it. */
static const uint64_t hash_begin = UINT64_C(0xcbf29ce484222325);

static uint64_t hash_more(uint64_t hash, const uint8_t *p, size_t n)
{
	for (size_t i = 0; i < n; i++)
		hash = (hash ^ p[i]) * UINT64_C(0x100000001b3);
	return hash ? hash : 1;
}

uint64_t pg_stream_key(const void *pid_and_key, size_t n)
{
	return hash_more(hash_begin, pid_and_key, n);
}

void pg_stream_begin(struct pg_stream *s)
{
	memset(s, 0, sizeof(*s));
	s->phase = STREAM_GREETING;
}

void pg_stream_lose(struct pg_stream *s)
{
	if (s->phase != STREAM_PLAIN)
		s->key = 0;
	s->phase = STREAM_OPAQUE;
}

/* ---- messages ---- */

/* One direction, while it is walked. */
struct frame {
	uint32_t left;
	uint8_t have, type;
};

static uint32_t read_u32(const uint8_t *p)
{
	return (uint32_t)p[0] << 24 | (uint32_t)p[1] << 16 | (uint32_t)p[2] << 8 | p[3];
}

/* Returns where it stopped: behind the head, or at the end. */
static inline const uint8_t *take_head(struct frame *f, const uint8_t *p, const uint8_t *end)
{
	if (f->have == 0 && end - p >= HEAD_BYTES) {
		*f = (struct frame){.left = read_u32(p + 1), .have = HEAD_BYTES, .type = *p};
		return p + HEAD_BYTES;
	}
	for (; f->have < HEAD_BYTES && p < end; p++)
		if (f->have++ == 0)
			*f = (struct frame){.have = 1, .type = *p};
		else
			f->left = f->left << 8 | *p;
	return p;
}

/* False: no such message. */
typedef bool (*on_head)(struct pg_stream *s, const struct frame *f);
typedef void (*on_body)(struct pg_stream *s, const struct frame *f, const uint8_t *p, size_t n);

static inline const uint8_t *take_body(struct pg_stream *s, struct frame *f, const uint8_t *p,
				       const uint8_t *end, on_body body)
{
	size_t n = (size_t)(end - p);

	if (n > f->left)
		n = f->left;
	if (body)
		body(s, f, p, n);
	f->left -= (uint32_t)n;
	return p + n;
}

static bool afford(struct pg_stream *s, size_t heads)
{
	size_t dear = heads > STREAM_FREE_HEADS ? heads - STREAM_FREE_HEADS : 0;

	if (dear > (size_t)STREAM_MOST_HEADS - s->walked)
		return false;
	s->walked = (uint16_t)(s->walked + dear);
	return true;
}

/* False: these are no messages, or too many. */
static inline bool walk(struct pg_stream *s, struct frame *f, const uint8_t *p, const uint8_t *end,
			on_head head, on_body body)
{
	size_t heads = 0;

	if (f->have == 0 && f->left > 0)
		p = take_body(s, f, p, end, body);
	while (p < end) {
		p = take_head(f, p, end);
		if (f->have < HEAD_BYTES)
			break;
		f->have = 0;
		f->left -= LENGTH_BYTES; /* below zero is far too much */
		if (f->left > MOST_BODY_BYTES || !head(s, f))
			return false;
		p = take_body(s, f, p, end, body);
		heads++;
	}
	return afford(s, heads);
}

/* ---- from the client ---- */

/* Which ReadyForQuery will there be? A Sync amid a COPY is not answered, and a Query after an error
 * before its Sync is not either: then one too many is awaited, and the session is never idle again,
 * which is the safe side. */
static inline bool up_head(struct pg_stream *s, const struct frame *f)
{
	switch (f->type) {
	case 'Q': /* Query */
	case 'S': /* Sync */
	case 'F': /* FunctionCall */
		if (s->awaited < LOST_COUNT)
			s->awaited++;
		s->up_unsynced = false;
		break;
	case 'p': /* PasswordMessage and its kin: before anything can be asked */
	case 'd': /* CopyData, CopyDone, CopyFail: part of what was asked */
	case 'c':
	case 'f': break;
	default: s->up_unsynced = true;
	}
	return true;
}

static bool walk_up(struct pg_stream *s, const uint8_t *p, const uint8_t *end)
{
	struct frame f = {s->up_left, s->up_have, s->up_type};
	bool ok = walk(s, &f, p, end, up_head, NULL);

	s->up_left = f.left;
	s->up_have = f.have & 7u;
	s->up_type = f.type;
	return ok;
}

/* The first packet's head is complete, in s->key. */
static bool greeted(struct pg_stream *s, bool last)
{
	uint32_t length = (uint32_t)(s->key >> 32), code = (uint32_t)s->key;

	s->key = 0;
	s->up_have = 0;
	if (length == PACKET_HEAD_BYTES && (code == CODE_SSL || code == CODE_GSSENC)) {
		s->phase = STREAM_ASKED;
		return last; /* nobody goes on before the answer */
	}
	if (code >> 16 != 3 || length < PACKET_HEAD_BYTES || length > STARTUP_MAX_BYTES)
		return false;
	s->phase = STREAM_PLAIN;
	s->up_left = length - PACKET_HEAD_BYTES;
	s->awaited = 1;
	return true;
}

static bool greet(struct pg_stream *s, const uint8_t *p, const uint8_t *end)
{
	while (p < end && s->phase == STREAM_GREETING) {
		s->key = s->key << 8 | *p++;
		if (s->up_have < PACKET_HEAD_BYTES - 1)
			s->up_have++;
		else if (!greeted(s, p == end))
			return false;
	}
	return p == end || walk_up(s, p, end);
}

void pg_stream_up(struct pg_stream *s, const void *bytes, size_t n)
{
	const uint8_t *p = bytes;
	bool ok = false;

	if (n == 0 || s->phase == STREAM_OPAQUE)
		return;
	s->ready = false;
	if (s->phase == STREAM_PLAIN)
		ok = walk_up(s, p, p + n);
	else if (s->phase == STREAM_GREETING)
		ok = greet(s, p, p + n);
	if (!ok)
		pg_stream_lose(s);
}

/* ---- from the server ---- */

static inline bool down_head(struct pg_stream *s, const struct frame *f)
{
	switch (f->type) {
	case 'Z': return f->left == 1;
	case 'A': /* NotificationResponse, NoticeResponse, ParameterStatus: at any time */
	case 'N':
	case 'S': return true;
	case 'K':
		if (f->left < PID_BYTES + LEAST_KEY_BYTES ||
		    f->left > PID_BYTES + CANCEL_KEY_MAX_BYTES)
			return false;
		s->key = hash_begin;
		break;
	default: break;
	}
	s->ready = false;
	return true;
}

static void take_ready(struct pg_stream *s, char status)
{
	s->walked = 0;
	if (s->awaited == 0) /* nobody asked */
		s->awaited = LOST_COUNT;
	if (s->awaited < LOST_COUNT)
		s->awaited--;
	s->ready = s->awaited == 0 && status == 'I';
}

static inline void down_body(struct pg_stream *s, const struct frame *f, const uint8_t *p, size_t n)
{
	if (f->type == 'Z' && n == 1)
		take_ready(s, (char)*p);
	else if (f->type == 'K')
		s->key = hash_more(s->key, p, n);
}

static bool walk_down(struct pg_stream *s, const uint8_t *p, const uint8_t *end)
{
	struct frame f = {s->down_left, s->down_have, s->down_type};
	bool ok = walk(s, &f, p, end, down_head, down_body);

	s->down_left = f.left;
	s->down_have = f.have & 7u;
	s->down_type = f.type;
	return ok;
}

void pg_stream_down(struct pg_stream *s, const void *bytes, size_t n)
{
	const uint8_t *p = bytes;
	bool ok = false;

	if (n == 0 || s->phase == STREAM_OPAQUE)
		return;
	if (s->phase == STREAM_PLAIN)
		ok = walk_down(s, p, p + n);
	else if (s->phase == STREAM_ASKED && n == 1 && *p == 'N') {
		s->phase = STREAM_GREETING;
		ok = true;
	}
	if (!ok)
		pg_stream_lose(s);
}

/* ---- unseen ---- */

/* `have`: of the next head; `left`: of the body, when there is none of it. (The bodies that are
 * looked at, a key's and a ReadyForQuery's, are so short that nobody wants them unseen.) */
static size_t unseen_most(const struct pg_stream *s, unsigned have, uint32_t left)
{
	if (s->phase == STREAM_OPAQUE)
		return SIZE_MAX;
	return s->phase == STREAM_PLAIN && have == 0 && left > STREAM_LOOKED_AT_BYTES ? left : 0;
}

size_t pg_stream_up_unseen_most(const struct pg_stream *s)
{
	return unseen_most(s, s->up_have, s->up_left);
}

size_t pg_stream_down_unseen_most(const struct pg_stream *s)
{
	return unseen_most(s, s->down_have, s->down_left);
}

void pg_stream_up_unseen(struct pg_stream *s, size_t n)
{
	if (s->phase == STREAM_OPAQUE || n == 0)
		return;
	s->ready = false;
	s->up_left -= (uint32_t)n;
}

void pg_stream_down_unseen(struct pg_stream *s, size_t n)
{
	if (s->phase != STREAM_OPAQUE)
		s->down_left -= (uint32_t)n;
}

bool pg_stream_ends_answer(const void *bytes, size_t n)
{
	static const char ready[] = {'Z', 0, 0, 0, 5};
	enum { STATUS_BYTES = 1, ALL_BYTES = sizeof(ready) + STATUS_BYTES };

	return n >= ALL_BYTES &&
	       memcmp((const char *)bytes + n - ALL_BYTES, ready, sizeof(ready)) == 0;
}

/* ---- the answers ---- */

bool pg_stream_at_boundary(const struct pg_stream *s)
{
	return s->phase == STREAM_PLAIN && s->down_left == 0 && s->down_have == 0;
}

bool pg_stream_is_idle(const struct pg_stream *s)
{
	return pg_stream_at_boundary(s) && s->ready && !s->up_unsynced && s->up_left == 0 &&
	       s->up_have == 0;
}
