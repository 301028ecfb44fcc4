/* Any bytes as a session's two directions. Besides the sanitizers:
 * whole is as sliced, and as it is when what may pass unseen does; a boundary is claimed only where
 * a plain reading of everything that the server sent, from its first byte on, finds the end of a
 * message; nobody is idle elsewhere.
 *
 * The input is a list of turns: a byte (bit 7: from the server; the rest: how many bytes, from 1
 * to 128), and the bytes. */
#include "base/assert.h"
#include "wire/pg_stream.h"
#include <stdlib.h>
#include <string.h>

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

struct server { /* what it sent since it may send messages */
	bool plain;
	uint8_t head[5];
	uint64_t have, left;
};

/* As simple as can be: a byte at a time. */
static void server_says(struct server *o, uint8_t c)
{
	if (o->left > 0) {
		o->left--;
		return;
	}
	o->head[o->have++] = c;
	if (o->have < 5)
		return;
	o->have = 0;
	o->left = (uint64_t)o->head[1] << 24 | (uint64_t)o->head[2] << 16 |
		  (uint64_t)o->head[3] << 8 | o->head[4];
	o->left = o->left < 4 ? UINT64_MAX : o->left - 4; /* no message: never an end */
}

static void feed(struct pg_stream *s, bool down, const uint8_t *p, size_t n)
{
	uint8_t *copy = malloc(n); /* of exactly its size: one byte too far is seen */

	INSIST(copy != NULL);
	memcpy(copy, p, n);
	(down ? pg_stream_down : pg_stream_up)(s, copy, n);
	free(copy);
}

static void check(const struct pg_stream *s, const struct server *o)
{
	if (pg_stream_at_boundary(s))
		INSIST(o->plain && o->left == 0 && o->have == 0);
	if (pg_stream_is_idle(s))
		INSIST(pg_stream_at_boundary(s) && s->awaited == 0);
}

/* A slice is one read, so only its heads beyond the free ones are counted: that may differ. */
static void check_same(struct pg_stream a, struct pg_stream b)
{
	a.walked = b.walked = 0;
	INSIST(a.phase == b.phase && a.key == b.key);
	INSIST(pg_stream_at_boundary(&a) == pg_stream_at_boundary(&b));
	INSIST(pg_stream_is_idle(&a) == pg_stream_is_idle(&b));
	if (a.phase == STREAM_OPAQUE)
		return;
	INSIST(a.down_left == b.down_left && a.up_left == b.up_left);
	INSIST(a.down_have == b.down_have && a.up_have == b.up_have);
	INSIST(a.awaited == b.awaited && a.ready == b.ready && a.up_unsynced == b.up_unsynced);
}

/* Byte by byte, but where a byte alone means something else: an encryption request and its answer
 * are whole turns. */
static void feed_sliced(struct pg_stream *s, bool down, const uint8_t *p, size_t n)
{
	if (s->phase == STREAM_ASKED) {
		feed(s, down, p, n);
		return;
	}
	for (size_t i = 0; i < n; i++) {
		const uint8_t one[1] = {p[i]}; /* so many blocks of the heap would fill it */

		(down ? pg_stream_down : pg_stream_up)(s, one, 1);
	}
}

/* The same, without the bytes that nobody needs to see. */
static void feed_unseen(struct pg_stream *s, bool down, const uint8_t *p, size_t n)
{
	if (s->phase == STREAM_ASKED) {
		feed(s, down, p, n);
		return;
	}
	for (size_t i = 0; i < n;) {
		size_t most = (down ? pg_stream_down_unseen_most : pg_stream_up_unseen_most)(s);

		most = most < n - i ? most : n - i;
		(down ? pg_stream_down_unseen : pg_stream_up_unseen)(s, most);
		i += most;
		if (i < n)
			(down ? pg_stream_down : pg_stream_up)(s, &p[i++], 1);
	}
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	struct pg_stream whole, sliced, unseen;
	struct server server = {0};

	pg_stream_begin(&whole);
	pg_stream_begin(&sliced);
	pg_stream_begin(&unseen);
	for (size_t at = 0; at + 1 < size;) {
		bool down = data[at] & 0x80;
		size_t n = (data[at] & 0x7fu) + 1;

		at++;
		n = n < size - at ? n : size - at;
		for (size_t i = 0; down && server.plain && i < n; i++)
			server_says(&server, data[at + i]);
		feed(&whole, down, data + at, n);
		feed_sliced(&sliced, down, data + at, n);
		feed_unseen(&unseen, down, data + at, n);
		server.plain |= whole.phase == STREAM_PLAIN;
		check(&whole, &server);
		check(&sliced, &server);
		check_same(whole, sliced);
		check_same(whole, unseen);
		at += n;
	}
	return 0;
}
