/* Latest wins, between two threads: one atomic pointer and a wake-up. */
#include "io/slot.h"
#include "base/assert.h"
#include <stddef.h>

static void on_async(uv_async_t *async)
{
	struct slot *s = async->data;

	s->on_value(s->arg);
}

int slot_open(struct slot *s, uv_loop_t *loop, void (*on_value)(void *arg), void *arg)
{
	REQUIRE(on_value != NULL);
	atomic_init(&s->value, NULL);
	s->on_value = on_value;
	s->on_closed = NULL;
	s->arg = arg;
	s->async.data = s;
	return uv_async_init(loop, &s->async, on_async);
}

void *slot_put(struct slot *s, void *value)
{
	void *old = atomic_exchange(&s->value, value);

	/* uv_async_send begins with a plain read of its "already pending" mark. If that read
	 * overtook the exchange, the reader could clear the mark, find nothing, and sleep. (gcc's
	 * thread sanitizer knows no fences.) */
#ifndef __SANITIZE_THREAD__
	atomic_thread_fence(memory_order_seq_cst);
#endif
	uv_async_send(&s->async);
	return old;
}

void *slot_take(struct slot *s)
{
	return atomic_exchange(&s->value, NULL);
}

static void on_async_closed(uv_handle_t *h)
{
	struct slot *s = h->data;

	if (s->on_closed)
		s->on_closed(s->arg);
}

void slot_close(struct slot *s, void (*on_closed)(void *arg))
{
	s->on_closed = on_closed;
	uv_close((uv_handle_t *)&s->async, on_async_closed);
}
