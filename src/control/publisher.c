/* From a verdict to its enforcement: publish, collect acknowledgements, say how long it took. */
#include "control/publisher.h"
#include "base/mem.h"
#include "io/log.h"
#include <stdlib.h>

void publisher_init(struct publisher *p, const struct worker_door *workers, unsigned n_workers)
{
	*p = (struct publisher){.workers = workers, .n_workers = n_workers};
	p->taken = xcalloc(n_workers, sizeof(*p->taken));
}

void publisher_fini(struct publisher *p)
{
	free(p->taken);
}

void publisher_publish(struct publisher *p, struct view *view, int64_t now_ms)
{
	p->generation = view->generation;
	p->published_ms = now_ms;
	p->n_waiting = p->n_workers;
	for (unsigned i = 0; i < p->n_workers; i++)
		p->workers[i].publish(p->workers[i].worker, view_ref(view));
	view_unref(view);
}

void publisher_taken(struct publisher *p, const struct message *m, int64_t now_ms)
{
	struct log_line l;

	p->n_doomed += m->u.view_taken.count;
	if (p->taken[m->worker] < p->generation && m->u.view_taken.generation == p->generation)
		p->n_waiting--;
	p->taken[m->worker] = m->u.view_taken.generation;
	if (p->n_waiting > 0 || p->n_doomed == 0)
		return;
	if (log_begin(&l, SEVERITY_INFO, "sessions_cut")) {
		log_int(&l, "generation", (int64_t)p->generation);
		log_int(&l, "sessions", p->n_doomed);
		log_int(&l, "after_verdict_ms", now_ms - p->published_ms);
		log_end(&l);
	}
	p->n_doomed = 0;
}

uint64_t publisher_in_force(const struct publisher *p)
{
	uint64_t least = p->taken[0];

	for (unsigned i = 1; i < p->n_workers; i++)
		least = p->taken[i] < least ? p->taken[i] : least;
	return least;
}
