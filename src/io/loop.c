/* A uv loop that must end clean: whatever was opened on it is closed, or the process stops and says
 * what was not. Not here: threads. A loop belongs to the thread that runs it. */
#include "io/loop.h"
#include "base/assert.h"
#include <stdio.h>

struct census {
	unsigned open, closing;
	const char *owner; /* set: print each handle that is open */
};

static void count_handle(uv_handle_t *h, void *arg)
{
	struct census *c = arg;

	if (uv_is_closing(h)) {
		c->closing++;
		return;
	}
	c->open++;
	if (c->owner)
		fprintf(stderr, "loop of %s: a %s handle was never closed (%s, data %p)\n",
			c->owner, uv_handle_type_name(uv_handle_get_type(h)),
			uv_is_active(h) ? "active" : "idle", uv_handle_get_data(h));
}

static struct census take_census(uv_loop_t *loop, const char *owner)
{
	struct census c = {.owner = owner};

	uv_walk(loop, count_handle, &c);
	return c;
}

int loop_open(uv_loop_t *loop)
{
	return uv_loop_init(loop);
}

void loop_close(uv_loop_t *loop, const char *owner)
{
	for (;;) {
		struct census c = take_census(loop, NULL);

		if (c.closing > 0)
			uv_run(loop, UV_RUN_NOWAIT);
		else if (c.open == 0 && uv_loop_alive(loop))
			uv_run(loop,
			       UV_RUN_ONCE); /* a request is under way: a lookup in its thread */
		else
			break;
	}
	take_census(loop, owner);
	INSIST(uv_loop_close(loop) == 0);
}
