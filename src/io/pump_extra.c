/* What only some pumps need: bytes that a full sink refused, a pipe, a stream's deadline.
 * Not here: when it is needed (pump.c, pump_stream.c). */
#include "io/pump_extra.h"
#include <stdlib.h>

bool pump_is_empty(const struct pump *p)
{
	return p->extra == NULL ||
	       (p->extra->residue == NULL && !(p->extra->pipe && p->extra->pipe->held));
}

struct pump_extra *pump_extra_of(struct pump *p)
{
	struct pump_extra *x = p->extra;

	if (x || (x = calloc(1, sizeof(*x))) == NULL)
		return x;
	x->pump = p;
	coalesce_init(&x->stream);
	return p->extra = x;
}

void pump_extra_drop(struct pump *p)
{
	struct pump_extra *x = p->extra;

	if (x == NULL || x->stream.on || x->pipe || x->residue)
		return;
	free(x);
	p->extra = NULL;
}

void pump_extra_drop_residue(struct pump_extra *x, struct pump_desk *d)
{
	if (x->residue == NULL)
		return;
	d->residue_bytes -= x->len;
	free(x->residue);
	x->residue = NULL;
}

void pump_extra_drop_pipe(struct pump_extra *x, struct pump_desk *d)
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
	pump_extra_drop_residue(x, d);
	pump_extra_drop_pipe(x, d);
	coalesce_disarm(&x->stream);
	free(x);
	p->extra = NULL;
}

/* `bytes` are the pump's now. */
void pump_extra_keep(struct pump *p, struct pump_desk *d, char *bytes, size_t n)
{
	p->extra->residue = bytes;
	p->extra->at = 0;
	p->extra->len = n;
	d->residue_bytes += n;
	p->slow = PUMP_SLOWEST;
}
