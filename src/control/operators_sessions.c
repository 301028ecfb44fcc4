/* The list of all sessions, collected from the workers for those who wait for it.
 *
 * All who wait share one question. The last worker's answer ends it, or the deadline: then the list
 * is what came so far. Not here: what is done with it (operators_line.c, web.c). */
#include "base/mem.h"
#include "control/operators_state.h"
#include <stdlib.h>
#include <string.h>

enum { DEADLINE_MS = 1000 };

static struct sessions_wait *move_first(struct list *from, struct list *to)
{
	struct sessions_wait *w = LIST_ENTRY(from->next, struct sessions_wait, node);

	list_unlink(&w->node);
	if (to)
		list_append(to, &w->node);
	return w;
}

/* Anybody may leave while one goes on, or wait for the next list: look again each time. */
static void end_asking(struct operators *ops)
{
	struct asking answer = ops->asking;
	struct list taken = LIST_INIT(taken);

	uv_timer_stop(&ops->deadline);
	ops->asking.open = false;
	ops->asking.list = NULL;
	ops->asking.n = 0;
	while (!list_empty(&ops->asking.waiting)) {
		struct sessions_wait *w = move_first(&ops->asking.waiting, &taken);

		w->take(w, &answer);
	}
	while (!list_empty(&taken)) {
		struct sessions_wait *w = move_first(&taken, NULL);

		if (w->go_on)
			w->go_on(w);
	}
	free(answer.list);
}

static void on_deadline(uv_timer_t *timer)
{
	end_asking(timer->data);
}

void operators_await_sessions(struct operators *ops, struct sessions_wait *w)
{
	struct asking *a = &ops->asking;
	const struct operators_hooks *hooks = &ops->setup.hooks;

	list_append(&a->waiting, &w->node);
	if (a->open)
		return;
	a->open = true;
	a->request++;
	uv_update_time(ops->setup.loop);
	uv_timer_start(&ops->deadline, on_deadline, DEADLINE_MS, 0);
	a->n_missing = hooks->ask_sessions(hooks->arg, a->request);
	if (a->n_missing == 0)
		end_asking(ops);
}

void operators_sessions(struct operators *ops, uint64_t request, struct session_info *list,
			size_t n)
{
	struct asking *a = &ops->asking;

	if (!a->open || request != a->request) {
		free(list);
		return;
	}
	if (n > 0) {
		a->list = xrealloc(a->list, (a->n + n) * sizeof(*list));
		memcpy(a->list + a->n, list, n * sizeof(*list));
		a->n += n;
	}
	free(list);
	if (--a->n_missing == 0)
		end_asking(ops);
}
