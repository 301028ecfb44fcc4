/* isari_cluster_* and isari_failover_*: who is primary, since when, and how the last change went.
 * What is not known has no sample. */
#include "admin/metrics.h"
#include "admin/phrases.h"
#include <inttypes.h>
#include <stdio.h>
#include <string.h>

static const struct prom_value absent = {.kind = PROM_ABSENT};

/* ---- the cluster ---- */

static const struct cluster_report *report(const struct metrics *m, unsigned i)
{
	return &m->facts->report->clusters[i];
}

static const struct cluster_config *config(const struct metrics *m, unsigned i)
{
	return &m->facts->config->clusters[i];
}

#define VALUE(name, expression)                                            \
	static struct prom_value name(const struct metrics *m, unsigned i) \
	{                                                                  \
		return (expression);                                       \
	}

VALUE(has_primary, PROM_INTEGER(report(m, i)->primary >= 0))
VALUE(ambiguous, PROM_INTEGER(report(m, i)->ambiguous))
VALUE(in_doubt, PROM_INTEGER(report(m, i)->in_doubt))
VALUE(timeline, report(m, i)->timeline ? PROM_INTEGER(report(m, i)->timeline) : absent)
VALUE(since, PROM_MS(report(m, i)->since_ms_ago))
VALUE(changes, PROM_INTEGER(report(m, i)->primary_changes))
VALUE(n_members, PROM_INTEGER(config(m, i)->n_members))
VALUE(lease, PROM_MS(config(m, i)->probe.lease_ms))
VALUE(interval, PROM_MS(config(m, i)->probe.interval_ms))

/* Patroni's maintenance mode: any member that answers says so of its cluster. */
static struct prom_value paused(const struct metrics *m, unsigned i)
{
	bool any = false;

	for (unsigned k = 0; k < config(m, i)->n_members; k++) {
		const struct member_report *r =
			&m->facts->report->members[config(m, i)->first_member + k];

		any |= r->up && (r->flags & FLAG_PAUSED);
	}
	return PROM_INTEGER(any);
}

static bool primary_info(const struct metrics *m, unsigned i, struct buf *labels)
{
	int primary = report(m, i)->primary;

	if (primary < 0)
		return false;
	prom_label(labels, "member", m->facts->config->members[primary].name);
	return true;
}

static bool cluster_info(const struct metrics *m, unsigned i, struct buf *labels)
{
	struct buf why = {0};
	char system_id[24] = "";

	if (report(m, i)->system_id)
		snprintf(system_id, sizeof(system_id), "%" PRIu64, report(m, i)->system_id);
	phrase_cluster_why(m->facts, report(m, i), &why);
	prom_label(labels, "scope", report(m, i)->scope);
	prom_label(labels, "system_id", system_id);
	prom_label(labels, "why", why.len ? why.data : "");
	buf_fini(&why);
	return true;
}

/* ---- its failovers ---- */

static const struct cluster_meter *meter(const struct metrics *m, unsigned i)
{
	static const struct cluster_meter none;

	return m->facts->meters ? &m->facts->meters->clusters[i] : &none;
}

/* The last one, over or not; NULL: there was none. Who was primary first is no failover. */
static const struct failover *last(const struct metrics *m, unsigned i)
{
	const struct journal *j = m->facts->journal;

	for (unsigned k = j ? j->n : 0; k-- > 0;)
		if (j->entries[k].cluster == i && j->entries[k].from >= 0)
			return &j->entries[k];
	return NULL;
}

VALUE(failovers, PROM_INTEGER(meter(m, i)->failovers))
VALUE(returns, PROM_INTEGER(meter(m, i)->returns))
VALUE(interruptions, PROM_INTEGER(meter(m, i)->interruptions))
VALUE(began, last(m, i) ? PROM_MS(failover_began_wall_ms(last(m, i))) : absent)

static struct prom_value gap(const struct metrics *m, unsigned i)
{
	const struct failover *f = last(m, i);

	return f && failover_gap_ms(f) >= 0 ? PROM_MS(failover_gap_ms(f)) : absent;
}

/* The journal's keys without their unit: here it is another. */
static const char *phase_word(unsigned k)
{
	static const char *const words[N_PHASES] = {[PHASE_LAST_ANSWER] = "last_answer",
						    [PHASE_DOUBT] = "first_doubt",
						    [PHASE_GONE] = "gone",
						    [PHASE_ASKED] = "asked",
						    [PHASE_WRITABLE] = "writable",
						    [PHASE_PUBLISHED] = "published",
						    [PHASE_IN_FORCE] = "in_force",
						    [PHASE_SESSION] = "first_session",
						    [PHASE_RELEASED] = "last_released"};

	return words[k];
}

static struct prom_value phase(const struct metrics *m, unsigned i, unsigned k)
{
	const struct failover *f = last(m, i);

	return f && f->at_ms[k] >= 0 ? PROM_MS(f->at_ms[k] - failover_began_ms(f)) : absent;
}

enum { CUT, HELD, RELEASED, REFUSED, N_FATES };

static const char *fate_word(unsigned k)
{
	static const char *const words[] = {"cut", "held", "released", "refused"};

	return words[k];
}

static struct prom_value fate(const struct metrics *m, unsigned i, unsigned k)
{
	const struct failover *f = last(m, i);

	if (!f)
		return absent;
	switch (k) {
	case CUT: return PROM_INTEGER(f->counted.cut);
	case HELD: return PROM_INTEGER(f->counted.held);
	case RELEASED: return PROM_INTEGER(f->counted.released);
	default: return PROM_INTEGER(f->counted.refused);
	}
}

static bool failover_info(const struct metrics *m, unsigned i, struct buf *labels)
{
	const struct member_config *members = m->facts->config->members;
	const struct failover *f = last(m, i);

	if (!f)
		return false;
	prom_label(labels, "kind", phrase_failover_kind(f));
	prom_label(labels, "from", members[f->from].name);
	prom_label(labels, "to", f->to >= 0 ? members[f->to].name : "");
	prom_label(labels, "why", why_text(f->why));
	return true;
}

/* clang-format off */
static const struct metric table[] = {
	{"isari_cluster_writable_primary", PROM_GAUGE,
	 "1 while a member is primary by our judgement, else 0.", .value = has_primary},
	{"isari_cluster_primary_info", PROM_GAUGE,
	 "Who is primary; no sample while nobody is.", .info = primary_info},
	{"isari_cluster_primary_age_seconds", PROM_GAUGE,
	 "Since when that is so: the primary is primary, or nobody is.", .value = since},
	{"isari_cluster_primary_changes_total", PROM_COUNTER,
	 "How often who is primary changed, to nobody and back included.", .value = changes},
	{"isari_cluster_ambiguous", PROM_GAUGE,
	 "1 while more than one member proves to be primary on the same timeline.",
	 .value = ambiguous},
	{"isari_cluster_in_doubt", PROM_GAUGE,
	 "1 while something is in doubt and all members are asked every fast_interval.",
	 .value = in_doubt},
	{"isari_cluster_paused", PROM_GAUGE,
	 "1 while Patroni is in its maintenance mode: it fails over to nobody.", .value = paused},
	{"isari_cluster_timeline", PROM_GAUGE,
	 "Timeline of the primary, or of the last one.", .value = timeline},
	{"isari_cluster_members", PROM_GAUGE, "Members that are configured.", .value = n_members},
	{"isari_cluster_lease_seconds", PROM_GAUGE,
	 "Configured: longest life of write sessions without a new proof; a short ttl shortens it.",
	 .value = lease},
	{"isari_cluster_probe_interval_seconds", PROM_GAUGE,
	 "Configured: how often a member is asked while all is calm.", .value = interval},
	{"isari_cluster_info", PROM_GAUGE,
	 "Patroni's scope, PostgreSQL's system identifier, and why who is primary is.",
	 .info = cluster_info},
	{"isari_failovers_total", PROM_COUNTER,
	 "Changes from one primary to another one, counted when they are over.",
	 .value = failovers},
	{"isari_primary_returns_total", PROM_COUNTER,
	 "Losses of a primary that were followed by itself again.", .value = returns},
	{"isari_interruptions_total", PROM_COUNTER,
	 "Times that a primary was in doubt and clients had to wait, but it stayed primary.",
	 .value = interruptions},
	{"isari_failover_info", PROM_GAUGE, "The last failover or interruption.",
	 .info = failover_info},
	{"isari_failover_began_timestamp_seconds", PROM_GAUGE,
	 "When the last failover or interruption began.", .value = began},
	{"isari_failover_phase_seconds", PROM_GAUGE,
	 "The last failover or interruption: when it reached each phase, since it began.",
	 .each = {"phase", N_PHASES, phase_word, phase}},
	{"isari_failover_gap_seconds", PROM_GAUGE,
	 "The last failover or interruption: how long there was no primary, or a doubtful one.",
	 .value = gap},
	{"isari_failover_clients", PROM_GAUGE,
	 "The last failover or interruption: what became of how many clients.",
	 .each = {"fate", N_FATES, fate_word, fate}},
};
/* clang-format on */

void metrics_clusters(const struct metrics *m)
{
	metrics_put(m, &m->clusters, table, sizeof(table) / sizeof(table[0]));
}
