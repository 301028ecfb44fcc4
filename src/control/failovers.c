/* From changes, acknowledgements and counters to the journal, and from there to the log.
 * Not here: what an entry is made of (core/journal.h), `show events` (admin/). */
#include "control/failovers.h"
#include "base/mem.h"
#include "io/clock.h"
#include "io/log.h"
#include <stdlib.h>

struct failovers {
	const struct config *config;
	const struct scoreboard *board;
	struct journal journal;
	struct baseline { /* per cluster: its tally when the primary came into doubt, or when we
			     started */
		bool taken;
		struct tally tally;
	} * baselines;
};

struct failovers *failovers_new(const struct config *config, const struct scoreboard *board)
{
	struct failovers *f = xcalloc(1, sizeof(*f));

	f->config = config;
	f->board = board;
	f->baselines = xcalloc(config->n_clusters, sizeof(*f->baselines));
	return f;
}

void failovers_free(struct failovers *f)
{
	free(f->baselines);
	free(f);
}

const struct journal *failovers_journal(const struct failovers *f)
{
	return &f->journal;
}

/* ---- counting ---- */

static void tally_listener(const struct counters_sum *sum, struct tally *t)
{
	static const enum close_reason cuts[] = {CLOSE_DEMOTED, CLOSE_UNREACHABLE, CLOSE_FENCED,
						 CLOSE_LEASE, CLOSE_WRONG_CLUSTER};
	static const enum close_reason refusals[] = {CLOSE_NO_SERVER, CLOSE_CONNECT_FAILED};

	for (size_t i = 0; i < sizeof(cuts) / sizeof(cuts[0]); i++)
		t->cut += sum->closes[cuts[i]];
	for (size_t i = 0; i < sizeof(refusals) / sizeof(refusals[0]); i++)
		t->refused += sum->closes[refusals[i]];
}

static struct tally tally(const struct failovers *f, unsigned cluster)
{
	struct counters_sum sum;
	struct tally t = {0};

	for (unsigned i = 0; i < f->config->n_listeners; i++) {
		const struct listener_config *l = &f->config->listeners[i];

		if (l->cluster != cluster || !(l->serve & ROLE_BIT(ROLE_PRIMARY)))
			continue;
		scoreboard_sum(f->board, i, &sum);
		tally_listener(&sum, &t);
	}
	return t;
}

static void keep_baseline(struct failovers *f, unsigned cluster, bool in_doubt)
{
	struct baseline *b = &f->baselines[cluster];

	if (in_doubt && !b->taken)
		b->tally = tally(f, cluster);
	b->taken = in_doubt;
}

/* ---- what is told ---- */

static int64_t wall_ms(void)
{
	struct timespec t = clock_wall();

	return t.tv_sec * 1000 + t.tv_nsec / 1000000;
}

/* A primary that is lost at once, without any doubt before, has no baseline yet. */
static void take_change(struct failovers *f, const struct change *c, int64_t now_ms)
{
	struct baseline *b = &f->baselines[c->cluster];

	if (c->type != CHANGE_LEADERSHIP)
		return;
	if (!b->taken)
		b->tally = tally(f, c->cluster);
	journal_change(&f->journal, c, &b->tally, now_ms, wall_ms());
}

void failovers_take(struct failovers *f, const struct monitor *m, const struct update *up,
		    int64_t now_ms)
{
	for (size_t i = 0; i < up->n_changes; i++)
		take_change(f, &up->changes[i], now_ms);
	for (unsigned i = 0; i < f->config->n_clusters; i++)
		keep_baseline(f, i, monitor_doubted_ms(m, i) >= 0);
	if (up->view)
		journal_view(&f->journal, up->view);
}

void failovers_in_force(struct failovers *f, uint64_t generation, int64_t now_ms)
{
	journal_in_force(&f->journal, generation, now_ms);
}

void failovers_session(struct failovers *f, const struct message *m)
{
	unsigned member = m->u.first_session.member;

	journal_session(&f->journal, f->config->members[member].cluster, member,
			m->u.first_session.generation, m->u.first_session.at_ms);
}

/* ---- the log ---- */

static const char *name_of(const struct failovers *f, int member)
{
	return member < 0 ? NULL : f->config->members[member].name;
}

/* Milliseconds since the first known phase; a phase that is not known is left out. */
static void log_phases(struct log_line *l, const struct failover *e)
{
	for (unsigned i = 0; i < N_PHASES; i++)
		if (e->at_ms[i] >= 0)
			log_int(l, phase_key(i), e->at_ms[i] - failover_began_ms(e));
}

static void log_failover(const struct failovers *f, const struct failover *e)
{
	struct log_line l;

	if (!log_begin(&l, SEVERITY_INFO, "failover"))
		return;
	log_str(&l, "cluster", f->config->clusters[e->cluster].name);
	log_str(&l, "from", name_of(f, e->from));
	log_str(&l, "to", name_of(f, e->to));
	log_int(&l, "from_timeline", (int64_t)e->from_timeline);
	log_int(&l, "timeline", (int64_t)e->to_timeline);
	log_str(&l, "why", why_text(e->why));
	log_phases(&l, e);
	log_int(&l, "cut", (int64_t)e->counted.cut);
	log_int(&l, "refused", (int64_t)e->counted.refused);
	log_end(&l);
}

/* What happens while the new primary is in doubt itself may belong to the next failover. */
static void count(struct failovers *f, unsigned cluster)
{
	const struct failover *open = journal_open(&f->journal, cluster);
	struct tally now;

	if (!open || (open->to >= 0 && f->baselines[cluster].taken))
		return;
	now = tally(f, cluster);
	journal_count(&f->journal, cluster, &now);
}

/* A start is no failover: it is in the journal, and `primary_changed` is in the log. */
void failovers_say(struct failovers *f, int64_t now_ms)
{
	const struct failover *e;

	for (unsigned i = 0; i < f->config->n_clusters; i++)
		count(f, i);
	journal_close_due(&f->journal, now_ms);
	while ((e = journal_next_closed(&f->journal)) != NULL)
		if (e->from >= 0)
			log_failover(f, e);
}
