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
	struct meters *meters; /* may be NULL */
	struct doubt {         /* per cluster: the primary's latest, or since we started */
		bool lasts;
		bool changed;              /* a leadership, meanwhile */
		struct tally before;       /* the cluster's, when it began */
		struct interruption about; /* ... if that is all that comes of it */
	} * doubts;
	/* Per cluster: what its listeners had counted before they wrote to it, since a reload. */
	struct tally *strange;
};

struct failovers *failovers_new(const struct config *config, const struct scoreboard *board)
{
	struct failovers *f = xcalloc(1, sizeof(*f));

	f->config = config;
	f->board = board;
	f->doubts = xcalloc(config->n_clusters, sizeof(*f->doubts));
	f->strange = xcalloc(config->n_clusters, sizeof(*f->strange));
	return f;
}

void failovers_free(struct failovers *f)
{
	free(f->doubts);
	free(f->strange);
	free(f);
}

void failovers_count_in(struct failovers *f, struct meters *m)
{
	f->meters = m;
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
	static const enum close_reason refusals[] = {CLOSE_NO_SERVER, CLOSE_CONNECT_FAILED,
						     CLOSE_LIMIT};

	t->held += sum->held;
	t->released += sum->released;
	for (size_t i = 0; i < sizeof(cuts) / sizeof(cuts[0]); i++)
		t->cut += sum->closes[cuts[i]];
	for (size_t i = 0; i < sizeof(refusals) / sizeof(refusals[0]); i++)
		t->refused += sum->closes[refusals[i]];
}

static bool writes_to(const struct listener_config *l, unsigned cluster)
{
	return l->cluster == cluster && (l->serve & ROLE_BIT(ROLE_PRIMARY));
}

static struct tally sum_of_listeners(const struct failovers *f, const struct config *config,
				     unsigned cluster)
{
	struct counters_sum sum;
	struct tally t = {0};

	for (unsigned i = 0; i < config->n_listeners; i++) {
		if (!writes_to(&config->listeners[i], cluster))
			continue;
		scoreboard_sum(f->board, i, &sum);
		tally_listener(&sum, &t);
	}
	return t;
}

static struct tally less(struct tally a, const struct tally *b)
{
	a.cut -= b->cut;
	a.held -= b->held;
	a.released -= b->released;
	a.refused -= b->refused;
	return a;
}

static struct tally tally(const struct failovers *f, unsigned cluster)
{
	return less(sum_of_listeners(f, f->config, cluster), &f->strange[cluster]);
}

/* A listener may begin or cease to serve the primary: the others' count must not jump. */
void failovers_take_config(struct failovers *f, const struct config *config)
{
	for (unsigned i = 0; i < config->n_clusters; i++) {
		struct tally counted = tally(f, i);

		f->strange[i] = less(sum_of_listeners(f, config, i), &counted);
	}
	f->config = config;
}

static unsigned waiting(const struct failovers *f, unsigned cluster)
{
	unsigned n = 0;

	for (unsigned i = 0; i < f->config->n_listeners; i++)
		if (writes_to(&f->config->listeners[i], cluster))
			n += atomic_load_explicit(&f->board->holds[i].now, memory_order_relaxed);
	return n;
}

/* Who waits already is held by what begins now. (Counters and gauges are not read at one moment:
 * this may lie one below 0, and what is counted from there is right all the same.) */
static struct tally beginning(const struct failovers *f, unsigned cluster)
{
	struct tally t = tally(f, cluster);

	t.held -= waiting(f, cluster);
	return t;
}

/* ---- doubt, and what comes of it ---- */

static int64_t wall_ms(void)
{
	struct timespec t = clock_wall();

	return t.tv_sec * 1000 + t.tv_nsec / 1000000;
}

static struct cluster_report report_of(const struct monitor *m, unsigned cluster, int64_t now_ms)
{
	struct cluster_report of;
	struct report r;

	monitor_report(m, now_ms, &r);
	of = r.clusters[cluster];
	report_fini(&r);
	return of;
}

static void doubt_begins(struct failovers *f, const struct monitor *m, unsigned cluster,
			 int64_t now_ms)
{
	struct cluster_report r = report_of(m, cluster, now_ms);

	f->doubts[cluster] = (struct doubt){.lasts = true,
					    .before = beginning(f, cluster),
					    .about = {.cluster = cluster,
						      .member = r.primary,
						      .from_timeline = r.timeline,
						      .doubt_ms = monitor_doubted_ms(m, cluster),
						      .gone_ms = -1,
						      .released_ms = -1}};
}

/* It proved itself again. That nobody noticed is the rule, and of no interest. */
static void doubt_ends(struct failovers *f, const struct monitor *m, unsigned cluster,
		       int64_t now_ms)
{
	struct doubt *d = &f->doubts[cluster];

	d->lasts = false;
	if (d->changed || d->about.member < 0 || tally(f, cluster).held == d->before.held)
		return;
	d->about.to_timeline = report_of(m, cluster, now_ms).timeline;
	d->about.proven_ms = now_ms;
	journal_interruption(&f->journal, &d->about, &d->before, wall_ms() - now_ms);
}

/* ---- what is told ---- */

/* A primary that is lost at once, without any doubt before, is counted from here. */
static void take_leadership(struct failovers *f, const struct change *c, int64_t now_ms)
{
	struct doubt *d = &f->doubts[c->cluster];

	if (!d->lasts)
		d->before = beginning(f, c->cluster);
	d->changed = true;
	journal_change(&f->journal, c, &d->before, now_ms, wall_ms());
}

/* The primary takes no new sessions, though it is not lost. */
static void take_server(struct failovers *f, const struct change *c, int64_t now_ms)
{
	struct interruption *i = &f->doubts[c->cluster].about;

	if (c->state == SERVER_OPEN || c->member != i->member || i->gone_ms >= 0 ||
	    !writes_to(&f->config->listeners[c->listener], c->cluster))
		return;
	i->gone_ms = now_ms;
	i->why = c->why;
}

static void take_change(struct failovers *f, const struct change *c, int64_t now_ms)
{
	if (c->type == CHANGE_LEADERSHIP)
		take_leadership(f, c, now_ms);
	else if (c->type == CHANGE_SERVER)
		take_server(f, c, now_ms);
}

void failovers_take(struct failovers *f, const struct monitor *m, const struct update *up,
		    int64_t now_ms)
{
	for (unsigned i = 0; i < f->config->n_clusters; i++)
		if (monitor_doubted_ms(m, i) >= 0 && !f->doubts[i].lasts)
			doubt_begins(f, m, i, now_ms);
	for (size_t i = 0; i < up->n_changes; i++)
		take_change(f, &up->changes[i], now_ms);
	for (unsigned i = 0; i < f->config->n_clusters; i++)
		if (monitor_doubted_ms(m, i) < 0 && f->doubts[i].lasts)
			doubt_ends(f, m, i, now_ms);
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

/* Readers wait too, but not for a primary. */
void failovers_released(struct failovers *f, const struct message *m)
{
	const struct listener_config *l = &f->config->listeners[m->u.hold_emptied.listener];
	struct interruption *i = &f->doubts[l->cluster].about;

	if (!writes_to(l, l->cluster))
		return;
	if (m->u.hold_emptied.at_ms > i->released_ms)
		i->released_ms = m->u.hold_emptied.at_ms;
	journal_released(&f->journal, l->cluster, m->u.hold_emptied.at_ms);
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

	if (!log_begin(&l, SEVERITY_INFO, failover_is_return(e) ? "interruption" : "failover"))
		return;
	log_str(&l, "cluster", f->config->clusters[e->cluster].name);
	log_str(&l, "from", name_of(f, e->from));
	log_str(&l, "to", name_of(f, e->to));
	log_int(&l, "from_timeline", (int64_t)e->from_timeline);
	log_int(&l, "timeline", (int64_t)e->to_timeline);
	if (e->why != WHY_NONE)
		log_str(&l, "why", why_text(e->why));
	log_phases(&l, e);
	log_int(&l, "cut", (int64_t)e->counted.cut);
	log_int(&l, "held", (int64_t)e->counted.held);
	log_int(&l, "released", (int64_t)e->counted.released);
	log_int(&l, "refused", (int64_t)e->counted.refused);
	log_end(&l);
}

/* What happens while the new primary is in doubt itself may belong to the next failover. */
static void count(struct failovers *f, unsigned cluster)
{
	const struct failover *open = journal_open(&f->journal, cluster);
	struct tally now;

	if (!open || (open->to >= 0 && f->doubts[cluster].lasts))
		return;
	now = tally(f, cluster);
	journal_count(&f->journal, cluster, &now, waiting(f, cluster));
}

/* A start is no failover: it is in the journal, and `primary_changed` is in the log. */
void failovers_say(struct failovers *f, int64_t now_ms)
{
	const struct failover *e;

	for (unsigned i = 0; i < f->config->n_clusters; i++)
		count(f, i);
	journal_close_due(&f->journal, now_ms);
	while ((e = journal_next_closed(&f->journal)) != NULL) {
		if (f->meters)
			meters_failover(f->meters, e);
		if (e->from >= 0)
			log_failover(f, e);
	}
}
