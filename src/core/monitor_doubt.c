/* Since when a primary is in doubt, and the other times of a change of leadership: what the journal
 * tells of it. Not here: what doubt makes us do (schedule.c), the journal (journal.c). */
#include "core/monitor_state.h"

static const struct member_state *leader_of(const struct cluster_state *c)
{
	return &c->members[c->leader.member - (int)c->config->first_member];
}

/* Is this event the answer by which the primary proves itself? Then nothing about it is doubt. */
static bool is_own_proof(const struct event *ev, const struct member_state *leader)
{
	return ev->type == EV_OBSERVATION && ev->u.observation.member == leader->config->id &&
	       leader->proof.fresh && leader->proof.asked_ms == ev->u.observation.asked_ms;
}

/* A surprise of this very step; that it was crowned a moment ago is none. */
static bool surprised_now(const struct cluster_state *c, int64_t now_ms)
{
	return c->doubt.burst_until_ms == now_ms + SCHEDULE_BURST_MS && c->leader.since_ms < now_ms;
}

static bool doubtful(const struct cluster_state *c, const struct member_state *leader,
		     int64_t now_ms)
{
	return !leader->proof.fresh || leader->proof.voided || surprised_now(c, now_ms) ||
	       (schedule_late(&leader->asking, now_ms) && !leader->slow);
}

static void note_cluster(struct cluster_state *c, const struct event *ev)
{
	struct leadership *l = &c->leader;

	if (l->member < 0)
		return;
	if (leader_of(c)->proof.fresh && l->doubted_ms < leader_of(c)->proof.asked_ms)
		l->doubted_ms = -1;
	if (l->doubted_ms < 0 && !is_own_proof(ev, leader_of(c)) &&
	    doubtful(c, leader_of(c), ev->now_ms))
		l->doubted_ms = ev->now_ms;
}

void monitor_note_doubt(struct monitor *m, const struct event *ev)
{
	for (size_t i = 0; i < m->config->n_clusters; i++)
		note_cluster(&m->clusters[i], ev);
}

int64_t monitor_doubted_ms(const struct monitor *m, unsigned cluster)
{
	return m->clusters[cluster].leader.doubted_ms;
}

static void time_old(const struct cluster_state *c, int64_t now_ms, struct change_times *t)
{
	t->last_proof_ms = leader_of(c)->proof.asked_ms;
	t->doubt_ms = c->leader.doubted_ms >= 0 ? c->leader.doubted_ms : now_ms;
}

/* Its first proof since the old one was lost: a proof that stood all the while (two proved it) says
 * when it was given last. */
static void time_new(const struct cluster_state *c, int to, int64_t now_ms, struct change_times *t)
{
	const struct proof *p = &c->members[to - (int)c->config->first_member].proof;
	int64_t lost_ms = c->leader.member < 0 ? c->leader.since_ms : now_ms;
	bool first = c->leader.changes == 0 || p->first_answered_ms >= lost_ms;

	t->asked_ms = first ? p->first_asked_ms : p->asked_ms;
	t->answered_ms = first ? p->first_answered_ms : p->answered_ms;
}

struct change_times monitor_change_times(const struct cluster_state *c, int to, int64_t now_ms)
{
	struct change_times t = {-1, -1, -1, -1};

	if (c->leader.member >= 0)
		time_old(c, now_ms, &t);
	if (to >= 0)
		time_new(c, to, now_ms, &t);
	return t;
}
