/* Moving bytes from one socket to another. Not here: when to run (proxy/relay.c), what an end means
 * for the session, how bytes gather (coalesce.c), pipes (splice.c). The thread that owns the desk.
 *
 * Happy path: one recv into the shared scratch, one send, no further call: a short read tells that
 * the source is empty, and the next bytes raise a new edge. Only when the end is known to be queued
 * already is it read on. Failure modes: the sink is full (residue), the sink is reset (what was
 * read is lost, as it would be in the kernel's buffers), the source is reset (recv hands out what
 * had arrived before it says so).
 *
 * Whatever the way, bytes wait for the sink in one place only, the residue or the pipe, and nothing
 * is read before that is empty: so their order is kept when the way changes. */
#include "io/pump.h"
#include "base/assert.h"
#include "io/edge.h"
#include "io/pump_extra.h"
#include "io/socket.h"
#include <errno.h>
#include <limits.h>
#include <stdlib.h>
#include <string.h>

enum {
	PASSES_AT_THE_END = 4,    /* reads in a row while the end is queued, before others get their
				     turn */
	LITTLE_BYTES = 16 * 1024, /* less is not worth a pipe */
	MOST_LITTLE = 2,          /* fills of a pipe in a row: what its few slots take is little */
	GLANCE_BYTES = 4096,      /* between bytes that may pass unseen: enough to find the next */
};

int pump_desk_init(struct pump_desk *d)
{
	*d = (struct pump_desk){.budget = PUMP_SHARED_BYTES,
				.residue_max = PUMP_RESIDUE_MAX,
				.unseen_most = SIZE_MAX};
	list_init(&d->streams);
	d->scratch = aligned_alloc(4096, PUMP_SCRATCH_BYTES);
	return d->scratch ? 0 : -ENOMEM;
}

void pump_desk_fini(struct pump_desk *d)
{
	if (d->scratch == NULL)
		return; /* never set up */
	REQUIRE(d->residue_bytes == 0 && list_empty(&d->streams));
	pipes_fini(&d->pipes);
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
	return !p->finished && !p->blocked && (p->readable || !pump_is_empty(p));
}

static enum pump_result finish(struct pump *p, struct pump_desk *d, enum pump_result why)
{
	pump_fini(p, d);
	return why;
}

/* ---- to the sink ---- */

/* Bytes taken (0 when the sink is full), or negative errno. */
static ssize_t took(struct pump *p, ssize_t sent)
{
	if (sent == -EAGAIN)
		sent = 0;
	if (sent > 0)
		p->bytes += (uint64_t)sent;
	return sent;
}

static enum pump_result block(struct pump *p)
{
	p->blocked = true;
	if (p->extra)
		coalesce_disarm(&p->extra->stream);
	return PUMP_BLOCKED;
}

static enum pump_result flush_residue(struct pump *p, int sink, struct pump_desk *d)
{
	struct pump_extra *x = p->extra;
	ssize_t sent = took(p, socket_write(sink, x->residue + x->at, x->len - x->at));

	if (sent < 0)
		return finish(p, d, PUMP_SINK_LOST);
	x->at += (size_t)sent;
	if (x->at < x->len)
		return block(p);
	pump_extra_drop_residue(x, d);
	pump_extra_drop(p);
	return PUMP_IDLE;
}

static enum pump_result keep_residue(struct pump *p, struct pump_desk *d, const char *data,
				     size_t n)
{
	char *bytes = pump_extra_of(p) ? malloc(n) : NULL;

	if (bytes == NULL)
		return finish(p, d, PUMP_NO_MEMORY);
	memcpy(bytes, data, n);
	pump_extra_keep(p, d, bytes, n);
	return block(p);
}

/* ---- copying ---- */

static size_t least(size_t a, size_t b, size_t c)
{
	size_t ab = a < b ? a : b;

	return ab < c ? ab : c;
}

static size_t bytes_to_ask(const struct pump *p, const struct pump_desk *d)
{
	bool glance = p->extra && p->extra->pipe && d->unseen_most < LITTLE_BYTES;

	if (d->residue_bytes >= d->residue_max)
		return least(PUMP_SCARCE_BYTES, d->budget, SIZE_MAX);
	return least((size_t)PUMP_SCRATCH_BYTES >> p->slow, d->budget,
		     glance ? d->unseen_most + GLANCE_BYTES : SIZE_MAX);
}

/* What a read says when it brought nothing. */
static enum pump_result nothing_came(struct pump *p, int source, int sink, struct pump_desk *d,
				     ssize_t got)
{
	if (got == -EAGAIN) {
		pump_await_more(p, source, d);
		return PUMP_IDLE;
	}
	if (got < 0)
		return finish(p, d, PUMP_SOURCE_LOST);
	if (!d->last)
		socket_shutdown_write(sink);
	return finish(p, d, PUMP_EOF);
}

/* One recv and one send. PUMP_MORE: the source probably holds more. */
static enum pump_result copy(struct pump *p, int source, int sink, struct pump_desk *d)
{
	size_t asked = bytes_to_ask(p, d);
	ssize_t got = socket_read(source, d->scratch, asked), sent;

	if (got <= 0)
		return nothing_came(p, source, sink, d, got);
	d->n_reads++;
	d->n_read = (size_t)got;
	sent = took(p, socket_write(sink, d->scratch, (size_t)got));
	if (sent < 0)
		return finish(p, d, PUMP_SINK_LOST);
	pump_count(p, source, d, (size_t)got);
	if (sent < got)
		return keep_residue(p, d, d->scratch + sent, (size_t)(got - sent));
	if ((size_t)got == asked && p->slow > 0)
		p->slow--; /* all of a full read was taken: it is trusted with twice as much */
	if ((size_t)got == asked || p->ending)
		return PUMP_MORE;
	pump_await_more(p, source, d);
	return PUMP_IDLE;
}

/* ---- splicing ---- */

/* The way is not worth it, or closed: the next pass copies. */
static void leave_pipe(struct pump *p, struct pump_desk *d)
{
	p->piping = false;
	p->burst = 0;
	p->extra->n_little = 0;
	pump_extra_drop_pipe(p->extra, d);
	pump_extra_drop(p);
}

/* The source gave to a pipe, and the sink takes nothing from one: what it holds goes on as residue.
 */
static enum pump_result spill(struct pump *p, struct pump_desk *d)
{
	struct pipe *pipe = p->extra->pipe;
	size_t held = pipe->held;
	char *bytes = malloc(held);

	if (bytes == NULL)
		return finish(p, d, PUMP_NO_MEMORY);
	pipe_empty(pipe, bytes);
	pump_extra_keep(p, d, bytes, held);
	p->unpiped = true;
	leave_pipe(p, d);
	return PUMP_MORE;
}

static enum pump_result flush_pipe(struct pump *p, int sink, struct pump_desk *d)
{
	struct pipe *pipe = p->extra->pipe;
	ssize_t sent = took(p, pipe_drain(pipe, sink));

	if (sent == -EINVAL)
		return spill(p, d);
	if (sent < 0)
		return finish(p, d, PUMP_SINK_LOST);
	return pipe->held ? block(p) : PUMP_IDLE;
}

static bool wants_pipe(struct pump *p, struct pump_desk *d)
{
	struct pump_extra *x;

	if (!(p->piping || pump_burst_bytes(p) >= PUMP_BURST_BYTES) || p->unpiped)
		return false;
	d->wants_unseen =
		d->unseen_most < LITTLE_BYTES && pump_burst_bytes(p) == PUMP_LONG_BURST_BYTES;
	if (d->unseen_most < LITTLE_BYTES)
		return false;
	x = pump_extra_of(p);
	if (x && x->pipe == NULL)
		x->pipe = pipes_take(&d->pipes);
	if (x && x->pipe)
		return true;
	pump_extra_drop(p);
	return false;
}

/* One splice in and one out. A short one says nothing of the source: a pipe has few slots. */
static enum pump_result through_pipe(struct pump *p, int source, int sink, struct pump_desk *d)
{
	size_t most = d->unseen_most < PIPE_BYTES ? d->unseen_most : PIPE_BYTES;
	ssize_t got = pipe_fill(p->extra->pipe, source, most);
	enum pump_result r;

	if (got == -EINVAL) {
		p->unpiped = true;
		leave_pipe(p, d);
		return PUMP_MORE;
	}
	if (got <= 0)
		return nothing_came(p, source, sink, d, got);
	d->n_unseen += (size_t)got;
	d->unseen_most -= d->unseen_most == SIZE_MAX ? 0 : (size_t)got;
	pump_count(p, source, d, (size_t)got);
	r = flush_pipe(p, sink, d);
	if (r != PUMP_IDLE)
		return r;
	p->piping = true;
	p->extra->n_little = got < LITTLE_BYTES ? p->extra->n_little + 1 : 0;
	if (p->extra->n_little > MOST_LITTLE)
		leave_pipe(p, d);
	return PUMP_MORE;
}

/* ---- a run ---- */

static enum pump_result pass(struct pump *p, int source, int sink, struct pump_desk *d)
{
	enum pump_result r;

	if (wants_pipe(p, d))
		return through_pipe(p, source, sink, d);
	r = copy(p, source, sink, d);
	if (p->extra)
		pump_extra_drop_pipe(p->extra, d);
	pump_extra_drop(p);
	return r;
}

static enum pump_result flush(struct pump *p, int sink, struct pump_desk *d)
{
	if (p->extra && p->extra->residue)
		return flush_residue(p, sink, d);
	return pump_is_empty(p) ? PUMP_IDLE : flush_pipe(p, sink, d);
}

/* Who looks at the bytes sees one read of a run; at the end nobody can wait. What was spilled goes
 * first. */
static unsigned most_passes(const struct pump *p, const struct pump_desk *d)
{
	if (p->ending)
		return PASSES_AT_THE_END;
	return d->unseen_most == SIZE_MAX ? UINT_MAX : 1;
}

enum pump_result pump_run(struct pump *p, int source, int sink, struct pump_desk *d)
{
	unsigned passes = most_passes(p, d);
	uint64_t before = p->bytes;
	enum pump_result r;

	d->n_reads = 0;
	d->n_unseen = 0;
	d->wants_unseen = false;
	if (p->finished)
		return PUMP_IDLE;
	if (p->blocked)
		return PUMP_BLOCKED;
	r = flush(p, sink, d);
	if (r != PUMP_IDLE || !p->readable)
		return r;
	do
		r = pass(p, source, sink, d);
	while (r == PUMP_MORE && pump_is_empty(p) && --passes > 0 && p->bytes - before < d->budget);
	return r;
}
