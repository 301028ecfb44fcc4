/* Copying bytes from one socket to another. Not here: when to run (proxy/relay.c), what an end
 * means for the session. The thread that owns the desk.
 *
 * Happy path: one recv into the shared scratch, one send, no further call: a short read tells that
 * the source is empty, and the next bytes raise a new edge. Only when the end is known to be queued
 * already is it read on. Failure modes: the sink is full (residue), the sink is reset (what was
 * read is lost, as it would be in the kernel's buffers), the source is reset (recv hands out what
 * had arrived before it says so). */
#include "io/pump.h"
#include "base/assert.h"
#include "io/edge.h"
#include "io/socket.h"
#include <errno.h>
#include <stdlib.h>
#include <string.h>

enum {
	PASSES_AT_THE_END = 4
}; /* short reads in a row while the end is queued, before others get their turn */

struct pump_residue {
	size_t at, len;
	char data[];
};

int pump_desk_init(struct pump_desk *d)
{
	*d = (struct pump_desk){.budget = PUMP_SHARED_BYTES, .residue_max = PUMP_RESIDUE_MAX};
	d->scratch = aligned_alloc(4096, PUMP_SCRATCH_BYTES);
	return d->scratch ? 0 : -ENOMEM;
}

void pump_desk_fini(struct pump_desk *d)
{
	REQUIRE(d->residue_bytes == 0);
	free(d->scratch);
	d->scratch = NULL;
}

void pump_source_ready(struct pump *p, uint32_t events)
{
	if (events & (EDGE_READ | EDGE_ENDING))
		p->readable = true;
	if (events & EDGE_ENDING)
		p->ending = true;
}

void pump_sink_ready(struct pump *p, uint32_t events)
{
	if (events & (EDGE_WRITE | EDGE_HANGUP | EDGE_ERROR))
		p->blocked = false;
}

bool pump_has_work(const struct pump *p)
{
	return !p->finished && !p->blocked && (p->residue || p->readable);
}

static void drop_residue(struct pump *p, struct pump_desk *d)
{
	if (p->residue == NULL)
		return;
	d->residue_bytes -= p->residue->len;
	free(p->residue);
	p->residue = NULL;
}

void pump_fini(struct pump *p, struct pump_desk *d)
{
	drop_residue(p, d);
	p->finished = true;
}

static enum pump_result finish(struct pump *p, struct pump_desk *d, enum pump_result why)
{
	pump_fini(p, d);
	return why;
}

/* Bytes taken (0 when the sink is full), or negative errno. */
static ssize_t offer(struct pump *p, int sink, const char *data, size_t n)
{
	ssize_t sent = socket_write(sink, data, n);

	if (sent == -EAGAIN)
		sent = 0;
	if (sent > 0)
		p->bytes += (uint64_t)sent;
	return sent;
}

static enum pump_result flush_residue(struct pump *p, int sink, struct pump_desk *d)
{
	struct pump_residue *r = p->residue;
	ssize_t sent = offer(p, sink, r->data + r->at, r->len - r->at);

	if (sent < 0)
		return finish(p, d, PUMP_SINK_LOST);
	r->at += (size_t)sent;
	if (r->at < r->len) {
		p->blocked = true;
		return PUMP_BLOCKED;
	}
	drop_residue(p, d);
	return PUMP_IDLE;
}

static enum pump_result keep_residue(struct pump *p, struct pump_desk *d, const char *data,
				     size_t n)
{
	p->residue = malloc(sizeof(*p->residue) + n);
	if (p->residue == NULL)
		return finish(p, d, PUMP_NO_MEMORY);
	p->residue->at = 0;
	p->residue->len = n;
	memcpy(p->residue->data, data, n);
	d->residue_bytes += n;
	p->blocked = true;
	p->limit = PUMP_SLOW_BYTES;
	return PUMP_BLOCKED;
}

static size_t bytes_to_ask(const struct pump *p, const struct pump_desk *d)
{
	size_t limit = p->limit ? p->limit : PUMP_SHARED_BYTES;

	if (d->residue_bytes >= d->residue_max)
		return PUMP_SCARCE_BYTES;
	return limit < d->budget ? limit : d->budget;
}

/* The destination took all of a full read: trust it with twice as much. */
static void widen(struct pump *p)
{
	uint32_t limit = p->limit ? p->limit : PUMP_SHARED_BYTES;

	p->limit = limit < PUMP_SCRATCH_BYTES ? limit * 2 : PUMP_SCRATCH_BYTES;
}

/* One recv and one send. PUMP_MORE: the source probably holds more. */
static enum pump_result pass(struct pump *p, int source, int sink, struct pump_desk *d)
{
	size_t asked = bytes_to_ask(p, d);
	ssize_t got = socket_read(source, d->scratch, asked), sent;

	if (got == -EAGAIN) {
		p->readable = false;
		return PUMP_IDLE;
	}
	if (got < 0)
		return finish(p, d, PUMP_SOURCE_LOST);
	if (got == 0) {
		socket_shutdown_write(sink);
		return finish(p, d, PUMP_EOF);
	}
	d->n_reads++;
	d->n_read = (size_t)got;
	sent = offer(p, sink, d->scratch, (size_t)got);
	if (sent < 0)
		return finish(p, d, PUMP_SINK_LOST);
	if (sent < got)
		return keep_residue(p, d, d->scratch + sent, (size_t)(got - sent));
	if ((size_t)got == asked)
		widen(p);
	if ((size_t)got == asked || p->ending)
		return PUMP_MORE;
	p->readable = false;
	return PUMP_IDLE;
}

enum pump_result pump_run(struct pump *p, int source, int sink, struct pump_desk *d)
{
	enum pump_result r = PUMP_IDLE;
	uint64_t before = p->bytes;

	d->n_reads = 0;
	if (p->finished)
		return PUMP_IDLE;
	if (p->blocked)
		return PUMP_BLOCKED;
	if (p->residue)
		r = flush_residue(p, sink, d);
	if (r != PUMP_IDLE || !p->readable)
		return r;
	for (unsigned i = 0; i < PASSES_AT_THE_END; i++) {
		r = pass(p, source, sink, d);
		if (r != PUMP_MORE || !p->ending || p->bytes - before >= d->budget)
			break;
	}
	return r;
}
