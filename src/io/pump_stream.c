/* Is a direction's traffic a stream, and what becomes of its bytes while its source is empty.
 * Not here: moving them (pump.c), the mark (coalesce.c). */
#include "io/pump_extra.h"

enum {
	TICK_US = 256,
	UNIT_BYTES = 16, /* of pump.run and pump.burst */
};

bool pump_coalesces(const struct pump *p)
{
	return p->extra && p->extra->stream.on;
}

size_t pump_burst_bytes(const struct pump *p)
{
	return (size_t)p->burst * UNIT_BYTES;
}

static void add_up(uint16_t *units, size_t bytes)
{
	size_t sum = *units + bytes / UNIT_BYTES;

	*units = sum < UINT16_MAX ? (uint16_t)sum : UINT16_MAX;
}

/* The source is empty. There are few pipes: they are not kept while waiting. */
void pump_await_more(struct pump *p, int source, struct pump_desk *d)
{
	struct pump_extra *x = p->extra;
	size_t burst = pump_burst_bytes(p);

	p->readable = false;
	p->piping = p->piping && burst >= PUMP_BURST_BYTES;
	p->burst = 0;
	if (x == NULL)
		return;
	pump_extra_drop_pipe(x, d);
	if (!x->stream.on)
		pump_extra_drop(p);
	else if (coalesce_goes_on(&x->stream, burst) && d->coalesce_us)
		coalesce_arm(&x->stream, &d->streams, d->now_us + d->coalesce_us);
	else
		pump_interrupt(p, source, d);
}

/* Bytes have come. Are they a stream? */
void pump_count(struct pump *p, int source, struct pump_desk *d, size_t n)
{
	uint16_t tick = (uint16_t)(d->now_us / TICK_US);

	if ((uint16_t)(tick - p->tick) > COALESCE_PAUSE_US / TICK_US)
		p->run = 0;
	p->tick = tick;
	add_up(&p->run, n);
	add_up(&p->burst, n);
	if (p->run < COALESCE_AFTER_BYTES / UNIT_BYTES || n < COALESCE_LEAST_BYTES ||
	    d->coalesce_us == 0 || pump_coalesces(p) || pump_extra_of(p) == NULL)
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
		pump_extra_drop_pipe(x, d);
	pump_extra_drop(p);
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
