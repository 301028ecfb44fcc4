/* What control measures. Not here: showing it (admin/metrics_*.c). */
#include "core/meters.h"
#include "base/mem.h"
#include <stdlib.h>

/* A REST answer takes milliseconds; one that takes seconds is on its way to a timeout. */
static const int64_t answer_bounds_ms[] = {1, 2, 5, 10, 25, 50, 100, 250, 500, 1000, 2500, 5000};
/* From "as planned" to the pause of which every proof is void (1 s). */
static const int64_t late_bounds_us[] = {1000,   2000,   5000,   10000,   25000,  50000,
					 100000, 250000, 500000, 1000000, 2500000};
static const int64_t page_bounds_us[] = {100, 250, 500, 1000, 2500, 5000, 10000, 25000, 100000};

#define BOUNDS(array) (array), sizeof(array) / sizeof((array)[0])

struct meters *meters_new(const struct config *config)
{
	struct meters *m = xcalloc(1, sizeof(*m));

	m->n_clusters = config->n_clusters;
	m->n_members = config->n_members;
	m->clusters = xcalloc(m->n_clusters, sizeof(*m->clusters));
	m->members = xcalloc(m->n_members, sizeof(*m->members));
	for (size_t i = 0; i < m->n_members; i++)
		for (unsigned v = 0; v < N_VIAS; v++)
			hist_init(&m->members[i].via[v].answer_ms, BOUNDS(answer_bounds_ms));
	hist_init(&m->late_us, BOUNDS(late_bounds_us));
	hist_init(&m->page_us, BOUNDS(page_bounds_us));
	return m;
}

void meters_free(struct meters *m)
{
	if (m == NULL)
		return;
	free(m->clusters);
	free(m->members);
	free(m);
}

static struct question_meter *meter_of(struct meters *m, unsigned member, enum question question)
{
	return &m->members[member].via[question == ASK_PORT ? VIA_PORT : VIA_REST];
}

void meters_asked(struct meters *m, unsigned member, enum question question)
{
	meter_of(m, member, question)->asked++;
}

void meters_answered(struct meters *m, const struct observation *o)
{
	struct question_meter *q = meter_of(m, o->member, o->question);

	q->outcomes[o->outcome]++;
	if (o->outcome == OUTCOME_ANSWERED)
		hist_add(&q->answer_ms, o->answered_ms - o->asked_ms);
}

/* A start is no failover. */
void meters_failover(struct meters *m, const struct failover *f)
{
	struct cluster_meter *c = &m->clusters[f->cluster];

	if (f->from < 0)
		return;
	if (f->interruption)
		c->interruptions++;
	else if (failover_is_return(f))
		c->returns++;
	else
		c->failovers++;
}

void meters_late(struct meters *m, int64_t late_us)
{
	hist_add(&m->late_us, late_us > 0 ? late_us : 0);
}

void meters_page(struct meters *m, int64_t took_us, size_t bytes)
{
	hist_add(&m->page_us, took_us);
	m->page_bytes = bytes;
}
