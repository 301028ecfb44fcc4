/* Letting a stream's bytes gather. Not here: when (io/pump.c), who sleeps until the deadline (the
 * thread's owner). */
#include "io/coalesce.h"
#include <sys/socket.h>

enum { SMALL_BYTES = 8 * 1024, MOST_SMALL = 2, MOST_DRY = 2 };

/* A socket that refuses the mark is woken for every byte, as before. */
static void set_mark(int source, int bytes)
{
	(void)setsockopt(source, SOL_SOCKET, SO_RCVLOWAT, &bytes, sizeof(bytes));
}

void coalesce_init(struct coalesce *c)
{
	*c = (struct coalesce){0};
	list_init(&c->node);
}

void coalesce_begin(struct coalesce *c, int source)
{
	set_mark(source, COALESCE_MARK_BYTES);
	c->on = true;
	c->small = c->dry = 0;
}

void coalesce_end(struct coalesce *c, int source)
{
	coalesce_disarm(c);
	c->on = false;
	set_mark(source, 1);
}

bool coalesce_goes_on(struct coalesce *c, size_t n)
{
	c->dry = n == 0 ? c->dry + 1 : 0;
	if (n > 0)
		c->small = n < SMALL_BYTES ? c->small + 1 : 0;
	return c->dry < MOST_DRY && c->small < MOST_SMALL;
}

/* All deadlines are a few hundred us from now, so the place is found near the end. */
void coalesce_arm(struct coalesce *c, struct list *by_due, int64_t due_us)
{
	struct list *after;

	list_unlink(&c->node);
	c->due_us = due_us;
	for (after = by_due->prev; after != by_due; after = after->prev)
		if (LIST_ENTRY(after, struct coalesce, node)->due_us <= due_us)
			break;
	list_append(after->next, &c->node);
}

void coalesce_disarm(struct coalesce *c)
{
	list_unlink(&c->node);
}
