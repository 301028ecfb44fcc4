/* Sentences and judgements that text, JSON and pages share. Not here: the words themselves
 * (core/names.h, core/journal.h). */
#include "admin/phrases.h"
#include "base/str.h"
#include <stdio.h>

const char *phrase_member(const struct admin_facts *f, int member, const char *nobody)
{
	return member < 0 ? nobody : f->config->members[member].name;
}

/* Of whom the cluster's reason speaks: its primary, or whom the view blames for there being
 * none. */
static int member_concerned(const struct admin_facts *f, const struct cluster_report *r)
{
	if (r->primary >= 0 || !f->view)
		return r->primary;
	for (size_t i = 0; i < f->view->n_listeners; i++) {
		const struct view_listener *l = &f->view->listeners[i];
		bool primary_only = f->config->listeners[i].serve == ROLE_BIT(ROLE_PRIMARY);

		if (primary_only && f->config->listeners[i].cluster == r->cluster &&
		    l->none_why == r->why)
			return l->none_member;
	}
	return -1;
}

enum why phrase_doubt(const struct admin_facts *f, const struct cluster_report *r)
{
	enum why why = r->primary < 0 ? WHY_PROVEN : f->report->members[r->primary].why;

	return why == WHY_PROVEN ? WHY_NONE : why;
}

void phrase_cluster_why(const struct admin_facts *f, const struct cluster_report *r,
			struct buf *out)
{
	enum why doubt = phrase_doubt(f, r), why = doubt == WHY_NONE ? r->why : doubt;

	if (why == WHY_NONE)
		return;
	if (why == WHY_NO_PROOF)
		buf_puts(out, why_text(why));
	else
		buf_printf(out, "%s %s", phrase_member(f, member_concerned(f, r), "a member"),
			   why_text(why));
}

const char *phrase_no_primary(const struct cluster_report *r)
{
	return r->ambiguous ? "no primary (ambiguous)" : "no primary";
}

static bool is_primary(const struct admin_facts *f, const struct member_report *m)
{
	unsigned cluster = f->config->members[m->member].cluster;

	return f->report->clusters[cluster].primary == (int)m->member;
}

bool phrase_is_current(const struct admin_facts *f, const struct member_report *m)
{
	return m->asked && (m->outcome == OUTCOME_ANSWERED || is_primary(f, m));
}

bool phrase_has_lag(const struct admin_facts *f, const struct member_report *m)
{
	return m->lag_known && m->outcome == OUTCOME_ANSWERED && !is_primary(f, m);
}

const char *phrase_flag(unsigned i)
{
	switch (1u << i) {
	case TAG_NOLOADBALANCE: return "noloadbalance";
	case FLAG_PAUSED: return "paused";
	case FLAG_SYNC: return "sync";
	case FLAG_QUORUM: return "quorum";
	case FLAG_CLUSTER_UNLOCKED: return "unlocked";
	case FLAG_FAILSAFE: return "failsafe";
	default: return NULL;
	}
}

/* Two numbers since PostgreSQL 10, three before it, of which two are the major version. */
const char *phrase_server_version(int version, char out[static PHRASE_VERSION_BYTES])
{
	out[0] = '\0';
	if (version > 0)
		snprintf(out, PHRASE_VERSION_BYTES, "%d.%d", version / 10000,
			 version >= 100000 ? version % 10000 : version / 100 % 100);
	return out;
}

void phrase_change(const struct admin_facts *f, const struct failover *e, const char *arrow,
		   struct buf *out)
{
	char gap[32];

	if (failover_is_return(e))
		buf_printf(out, "%s was %s for %s", phrase_member(f, e->from, ""),
			   e->interruption ? "in doubt" : "gone",
			   str_duration(failover_gap_ms(e), gap, sizeof(gap)));
	else
		buf_printf(out, "%s %s %s", phrase_member(f, e->from, "(start)"), arrow,
			   phrase_member(f, e->to, "(nobody yet)"));
}

const char *phrase_failover_kind(const struct failover *e)
{
	if (e->interruption)
		return "interruption";
	if (e->from < 0)
		return "start";
	return failover_is_return(e) ? "return" : "failover";
}

const char *phrase_phase(const struct failover *e, enum phase p)
{
	static const char *const again[N_PHASES] = {[PHASE_GONE] = "gone",
						    [PHASE_ASKED] = "next proof asked",
						    [PHASE_WRITABLE] = "writable again",
						    [PHASE_SESSION] = "first session again"};

	if (e->interruption && p == PHASE_GONE)
		return "closed to new sessions";
	return failover_is_return(e) && again[p] ? again[p] : phase_words(p);
}

unsigned phrase_member_sessions(const struct admin_facts *f, unsigned member)
{
	const struct config *c = f->config;
	unsigned cluster = c->members[member].cluster, sessions = 0;
	unsigned server = member - c->clusters[cluster].first_member;

	for (unsigned i = 0; i < c->n_listeners; i++)
		if (c->listeners[i].cluster == cluster)
			sessions += f->rows[counters_server_row(c, i, server)].sessions_now;
	return sessions;
}
