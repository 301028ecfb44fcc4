/* An answer without an end, sent piece by piece.
 *
 * At most two pieces are kept: the one that is going out, and the newest of those that came since.
 * With nothing to send the connection is suspended; MHD does not look at it then, so a reader that
 * left is noticed when the next piece is sent. A piece that is not taken for stall_ms ends it.
 * Not here: what the pieces say. */
#include "base/assert.h"
#include "io/clock.h"
#include "io/http_state.h"
#include <errno.h>
#include <string.h>

enum { BLOCK_BYTES = 16 * 1024 };

bool http_stream_is_stuck(const struct http_exchange *x)
{
	return x->sent < x->sending.len || x->next.len > 0;
}

static void be_patient(struct http_exchange *x)
{
	x->deadline_ms = clock_ms() + x->server->options.stall_ms;
}

static void begin_next(struct http_exchange *x)
{
	struct buf done = x->sending;

	x->sending = x->next;
	x->next = done;
	buf_clear(&x->next);
	x->sent = 0;
}

static ssize_t on_room(void *exchange, uint64_t position, char *out, size_t max)
{
	struct http_exchange *x = exchange;

	(void)position;
	if (x->state != HTTP_STREAMING)
		return MHD_CONTENT_READER_END_WITH_ERROR;
	if (x->sent == x->sending.len)
		begin_next(x);
	size_t n = x->sending.len - x->sent;
	if (n == 0) {
		http_exchange_suspend(x);
		return 0;
	}
	if (n > max)
		n = max;
	memcpy(out, x->sending.data + x->sent, n);
	x->sent += n;
	be_patient(x);
	return (ssize_t)n;
}

int http_stream_begin(struct http_exchange *x, const struct http_answer *a)
{
	struct http_server *s = x->server;

	REQUIRE(!x->streams && a->body == NULL);
	if (s->n_streams == HTTP_MAX_STREAMS)
		return -EBUSY;
	s->n_streams++;
	x->streams = true;
	http_exchange_answer(
		x, a,
		MHD_create_response_from_callback(MHD_SIZE_UNKNOWN, BLOCK_BYTES, on_room, x, NULL));
	return 0;
}

void http_stream_send(struct http_exchange *x, const char *data, size_t len)
{
	REQUIRE(x->streams);
	if (x->state == HTTP_CUT)
		return;
	if (!http_stream_is_stuck(x))
		be_patient(x);
	buf_clear(&x->next);
	buf_append(&x->next, data, len);
	if (x->state == HTTP_STREAMING)
		http_exchange_resume(x);
	http_server_plan(x->server);
}
