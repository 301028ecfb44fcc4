/* Gather the scoreboard and the history into facts. Not here: the report (the owner of the monitor
 * gives it). */
#include "control/snapshot.h"
#include "base/mem.h"
#include <stdlib.h>

void snapshot_init(struct snapshot *s, const struct config *config, struct history *h,
		   int64_t now_ms)
{
	unsigned n_rows = counters_rows(config), n_workers = h->board->n_workers;

	*s = (struct snapshot){
		.rows = xcalloc(n_rows, sizeof(*s->rows)),
		.listeners = xcalloc(config->n_listeners, sizeof(*s->listeners)),
		.workers = xcalloc(n_workers, sizeof(*s->workers)),
	};
	s->facts = (struct admin_facts){
		.config = config,
		.report = &s->report,
		.process = &s->process,
		.rows = s->rows,
		.listeners = s->listeners,
		.workers = s->workers,
		.n_workers = n_workers,
	};
	for (unsigned i = 0; i < n_rows; i++)
		history_row(h, i, now_ms, &s->rows[i]);
	for (unsigned i = 0; i < config->n_listeners; i++)
		history_listener(h, i, now_ms, &s->listeners[i]);
	for (unsigned i = 0; i < n_workers; i++)
		scoreboard_worker(h->board, i, (unsigned)config->n_listeners, &s->workers[i]);
	history_process(h, now_ms, &s->process);
}

void snapshot_fini(struct snapshot *s)
{
	report_fini(&s->report);
	free(s->rows);
	free(s->listeners);
	free(s->workers);
}
