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
#include "io/coalesce.h"
#include "io/edge.h"
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
	SLOWEST = 2,              /* PUMP_SCRATCH_BYTES >> 2 == PUMP_SLOW_BYTES */
	TICK_US = 256,
	UNIT_BYTES = 16, /* of pump.run and pump.burst */
};

_Static_assert(PUMP_SCRATCH_BYTES >> SLOWEST == PUMP_SLOW_BYTES,
	       "reads double until they are full");

struct pump_extra {
	struct pump *pump;
	struct coalesce stream;
	struct pipe *pipe;
	unsigned n_little; /* fills of a pipe in a row that brought little */
	char *residue;     /* NULL: none */
	size_t at, len;    /* of it: still to be sent, and its end */
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

bool pump_is_empty(const struct pump *p)
{
	return p->extra == NULL ||
	       (p->extra->residue == NULL && !(p->extra->pipe && p->extra->pipe->held));
}

bool pump_has_work(const struct pump *p)
{
	return !p->finished && !p->blocked && (p->readable || !pump_is_empty(p));
}

bool pump_coalesces(const struct pump *p)
{
	return p->extra && p->extra->stream.on;
}

/* ---- what only some pumps need ---- */

static struct pump_extra *extra_of(struct pump *p)
{
	struct pump_extra *x = p->extra;

	if (x || (x = calloc(1, sizeof(*x))) == NULL)
		return x;
	x->pump = p;
	coalesce_init(&x->stream);
	return p->extra = x;
}

static void drop_unneeded_extra(struct pump *p)
{
	struct pump_extra *x = p->extra;

	if (x == NULL || x->stream.on || x->pipe || x->residue)
		return;
	free(x);
	p->extra = NULL;
}

static void drop_residue(struct pump_extra *x, struct pump_desk *d)
{
	if (x->residue == NULL)
		return;
	d->residue_bytes -= x->len;
	free(x->residue);
	x->residue = NULL;
}

static void drop_pipe(struct pump_extra *x, struct pump_desk *d)
{
	if (x->pipe)
		pipes_give_back(&d->pipes, x->pipe);
	x->pipe = NULL;
}

void pump_fini(struct pump *p, struct pump_desk *d)
{
	struct pump_extra *x = p->extra;

	p->finished = true;
	if (x == NULL)
		return;
	drop_residue(x, d);
	drop_pipe(x, d);
	coalesce_disarm(&x->stream);
	free(x);
	p->extra = NULL;
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
	drop_residue(x, d);
	drop_unneeded_extra(p);
	return PUMP_IDLE;
}

/* `bytes` are the pump's now. */
static void keep(struct pump *p, struct pump_desk *d, char *bytes, size_t n)
{
	p->extra->residue = bytes;
	p->extra->at = 0;
	p->extra->len = n;
	d->residue_bytes += n;
	p->slow = SLOWEST;
}

static enum pump_result keep_residue(struct pump *p, struct pump_desk *d, const char *data,
				     size_t n)
{
	char *bytes = extra_of(p) ? malloc(n) : NULL;

	if (bytes == NULL)
		return finish(p, d, PUMP_NO_MEMORY);
	memcpy(bytes, data, n);
	keep(p, d, bytes, n);
	return block(p);
}

/* ---- a stream ---- */

static size_t burst_bytes(const struct pump *p)
{
	return (size_t)p->burst * UNIT_BYTES;
}

static void add_up(uint16_t *units, size_t bytes)
{
	size_t sum = *units + bytes / UNIT_BYTES;

	*units = sum < UINT16_MAX ? (uint16_t)sum : UINT16_MAX;
}

/* The source is empty. There are few pipes: they are not kept while waiting. */
static void wait_for_more(struct pump *p, int source, struct pump_desk *d)
{
	struct pump_extra *x = p->extra;
	size_t burst = burst_bytes(p);

	p->readable = false;
	p->piping = p->piping && burst >= PUMP_BURST_BYTES;
	p->burst = 0;
	if (x == NULL)
		return;
	drop_pipe(x, d);
	if (!x->stream.on)
		drop_unneeded_extra(p);
	else if (coalesce_goes_on(&x->stream, burst) && d->coalesce_us)
		coalesce_arm(&x->stream, &d->streams, d->now_us + d->coalesce_us);
	else
		pump_interrupt(p, source, d);
}

/* Bytes have come. Are they a stream? */
static void count_run(struct pump *p, int source, struct pump_desk *d, size_t n)
{
	uint16_t tick = (uint16_t)(d->now_us / TICK_US);

	if ((uint16_t)(tick - p->tick) > COALESCE_PAUSE_US / TICK_US)
		p->run = 0;
	p->tick = tick;
	add_up(&p->run, n);
	add_up(&p->burst, n);
	if (p->run < COALESCE_AFTER_BYTES / UNIT_BYTES || n < COALESCE_LEAST_BYTES ||
	    d->coalesce_us == 0 || pump_coalesces(p) || extra_of(p) == NULL)
		return;
	coalesce_begin(&p->extra->stream, source);
}

void pump_interrupt(struct pump *p, int source, struct pump_desk *d)
{
	struct pump_extra *x = p->extra;

	p->run = p->burst = 0;
	p->piping = false;
	if (x == NULL)
		return;
	if (x->stream.on)
		coalesce_end(&x->stream, source);
	if (x->pipe && x->pipe->held == 0)
		drop_pipe(x, d);
	drop_unneeded_extra(p);
}

int64_t pump_desk_due_us(const struct pump_desk *d)
{
	return list_empty(&d->streams) ? INT64_MAX
				       : LIST_ENTRY(d->streams.next, struct coalesce, node)->due_us;
}

struct pump *pump_desk_overdue(struct pump_desk *d)
{
	struct coalesce *c;
	struct pump *p;

	if (pump_desk_due_us(d) > d->now_us)
		return NULL;
	c = LIST_ENTRY(d->streams.next, struct coalesce, node);
	coalesce_disarm(c);
	p = LIST_ENTRY(c, struct pump_extra, stream)->pump;
	p->readable = true;
	return p;
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
		wait_for_more(p, source, d);
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
	count_run(p, source, d, (size_t)got);
	if (sent < got)
		return keep_residue(p, d, d->scratch + sent, (size_t)(got - sent));
	if ((size_t)got == asked && p->slow > 0)
		p->slow--; /* all of a full read was taken: it is trusted with twice as much */
	if ((size_t)got == asked || p->ending)
		return PUMP_MORE;
	wait_for_more(p, source, d);
	return PUMP_IDLE;
}

/* ---- splicing ---- */

/* The way is not worth it, or closed: the next pass copies. */
static void leave_pipe(struct pump *p, struct pump_desk *d)
{
	p->piping = false;
	p->burst = 0;
	p->extra->n_little = 0;
	drop_pipe(p->extra, d);
	drop_unneeded_extra(p);
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
	keep(p, d, bytes, held);
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

	if (!(p->piping || burst_bytes(p) >= PUMP_BURST_BYTES) || p->unpiped ||
	    d->unseen_most < LITTLE_BYTES)
		return false;
	x = extra_of(p);
	if (x && x->pipe == NULL)
		x->pipe = pipes_take(&d->pipes);
	if (x && x->pipe)
		return true;
	drop_unneeded_extra(p);
	return false;
}

/* One splice in and one out. A short one says nothing of the source: a pipe has few slots. */
static enum pump_result through_pipe(struct pump *p, int source, int sink, struct pump_desk *d)
{
	size_t most = least(PIPE_BYTES, d->budget, d->unseen_most);
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
	count_run(p, source, d, (size_t)got);
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
		drop_pipe(p->extra, d);
	drop_unneeded_extra(p);
	return r;
}

static enum pump_result flush(struct pump *p, int sink, struct pump_desk *d)
{
	if (p->extra && p->extra->residue)
		return flush_residue(p, sink, d);
	return pump_is_empty(p) ? PUMP_IDLE : flush_pipe(p, sink, d);
}

/* Who looks at the bytes sees one read of a run; at the end nobody can wait. */
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
	if (p->finished)
		return PUMP_IDLE;
	if (p->blocked)
		return PUMP_BLOCKED;
	r = flush(p, sink, d);
	if (r != PUMP_IDLE || !p->readable)
		return r;
	do
		r = pass(p, source, sink, d);
	while (r == PUMP_MORE && --passes > 0 && p->bytes - before < d->budget);
	return r;
}
