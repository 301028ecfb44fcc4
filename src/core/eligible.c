/* Which members may serve a listener, and what becomes of the sessions of one that may not (product
 * rules 4, 5; reads by cause). Not here: how far a replica is behind (lag.c, monitor_lag.c). */
#include "core/monitor_state.h"

static struct standing stand(enum server_state state, enum why why, enum close_reason cut)
{
	return (struct standing){.state = state, .why = why, .cut = cut};
}

/* The member is no longer good for this listener: cut, or keep what is there, by policy. */
static struct standing lose(enum policy policy, enum server_state before, enum why why,
			    enum close_reason cut)
{
	if (policy == POLICY_KEEP && before != SERVER_CLOSED)
		return stand(SERVER_KEPT, why, cut);
	return stand(SERVER_CLOSED, why, cut);
}

static struct standing primary_standing(const struct member_state *m,
					const struct listener_config *l)
{
	bool is_right = l->serve & ROLE_BIT(ROLE_PRIMARY);

	if (m->proof.voided)
		return stand(SERVER_PAUSED, WHY_OWN_PAUSE, CLOSE_LEASE);
	if (m->proof.unwritable != WHY_NONE)
		return stand(SERVER_KEPT, m->proof.unwritable, CLOSE_DEMOTED);
	return stand(SERVER_OPEN, is_right ? WHY_PROVEN : WHY_LAST_RESORT, CLOSE_DEMOTED);
}

static enum why gone_why(const struct member_state *m)
{
	return m->health.port == PORT_REFUSED ? WHY_PORT_REFUSED : WHY_PORT_SILENT;
}

/* A silent primary's sessions may stay by policy until the lease ends; if we slept meanwhile,
 * standing still. */
static struct standing silent_primary_standing(const struct member_state *m,
					       const struct listener_config *l,
					       enum server_state before)
{
	struct standing s = lose(l->on_unreachable, before, m->lost, CLOSE_UNREACHABLE);

	if (s.state == SERVER_KEPT && m->proof.voided)
		s.state = SERVER_PAUSED;
	return s;
}

/* To a reader's listener the lock is not what its server has lost. */
static enum why demoted_why(const struct member_state *m, const struct listener_config *l)
{
	return l->serve & ROLE_BIT(ROLE_PRIMARY) ? m->lost : WHY_ROLE_LOST;
}

static struct standing former_primary_standing(const struct member_state *m,
					       const struct listener_config *l,
					       enum server_state before)
{
	switch (m->lost) {
	case WHY_PORT_REFUSED:
	case WHY_PORT_SILENT: return silent_primary_standing(m, l, before);
	case WHY_LEASE_ENDED:
		return stand(SERVER_CLOSED, m->lost, CLOSE_LEASE); /* no policy outlives a lease */
	case WHY_HIGHER_TIMELINE:
	case WHY_LOWER_TIMELINE:
	case WHY_REPLACED:
	case WHY_AMBIGUOUS: return stand(SERVER_CLOSED, m->lost, CLOSE_FENCED);
	default: break;
	}
	if (m->health.gone)
		return lose(l->on_unreachable, before, gone_why(m), CLOSE_UNREACHABLE);
	return lose(l->on_demotion, before, demoted_why(m, l), CLOSE_DEMOTED);
}

/* Patroni's word for it: excluded from load balancing. It says nothing of the primary, nor of a
 * standby leader. */
static bool is_out_of_balance(const struct member_state *m)
{
	return (m->last.flags & TAG_NOLOADBALANCE) && m->last.claim == CLAIM_REPLICA;
}

bool eligible_lags(const struct member_state *m, const struct listener_config *l, bool before)
{
	if (!l->has_max_lag || !m->lag.measured)
		return l->has_max_lag && before;
	return lag_exceeds(m->lag.bytes, l->max_lag_bytes, before);
}

/* Good enough for a new session? A distance that nobody knows is no reason to cut: on_lag is about
 * one that is known to be too long. */
static struct standing fit_reader_standing(const struct cluster_state *c,
					   const struct member_state *m,
					   const struct listener_config *l,
					   const struct server_track *t, enum server_state before)
{
	if (is_out_of_balance(m))
		return lose(POLICY_KEEP, before, WHY_NOLOADBALANCE, CLOSE_DEMOTED);
	if (l->has_max_lag && !monitor_lag_known(c, m))
		return lose(POLICY_KEEP, before, WHY_LAG_UNKNOWN, CLOSE_LAGGING);
	if (t->lags)
		return lose(l->on_lag, before, WHY_LAGGING, CLOSE_LAGGING);
	return stand(SERVER_OPEN, WHY_ROLE_HELD, CLOSE_DEMOTED);
}

/* A role without a lease: replicas and "any". Silence alone stops new sessions after `fall`; it
 * ends the old ones only when the data port is silent too. */
static struct standing reader_standing(const struct cluster_state *c, const struct member_state *m,
				       const struct listener_config *l,
				       const struct server_track *t, enum server_state before)
{
	if (m->health.gone)
		return lose(l->on_unreachable, before, gone_why(m), CLOSE_UNREACHABLE);
	if (!m->health.up && before == SERVER_CLOSED)
		return stand(SERVER_CLOSED, m->why, CLOSE_UNREACHABLE);
	if (!m->health.up)
		return stand(SERVER_KEPT, m->why, CLOSE_UNREACHABLE);
	return fit_reader_standing(c, m, l, t, before);
}

/* Why a member does not have the role: the lock is not what a reader's listener is about, and a
 * member whose proof did not make it primary is not the only one. */
static enum why role_why(const struct member_state *m, const struct listener_config *l,
			 bool is_leader)
{
	if (l->serve & ROLE_BIT(ROLE_PRIMARY))
		return m->why == WHY_PROVEN ? WHY_AMBIGUOUS : m->why;
	return is_leader || m->why == WHY_NOT_LEADER || m->why == WHY_PROVEN ? WHY_ROLE_LOST
									     : m->why;
}

/* A session on the primary lives by its lease, on whatever port it came. */
static struct standing by_role(const struct cluster_state *c, const struct member_state *m,
			       const struct listener_config *l, const struct server_track *t,
			       enum server_state before)
{
	bool may_be_primary = listener_config_roles(l) & ROLE_BIT(ROLE_PRIMARY);
	bool is_leader = c->leader.member == (int)m->config->id;

	if (is_leader && may_be_primary)
		return primary_standing(m, l);
	if (l->serve & m->roles)
		return reader_standing(c, m, l, t, before);
	if (may_be_primary && m->lost != WHY_NONE)
		return former_primary_standing(m, l, before);
	if (m->health.gone)
		return lose(l->on_unreachable, before, gone_why(m), CLOSE_UNREACHABLE);
	if (l->serve & m->roles_unasked)
		return lose(POLICY_KEEP, before, WHY_NOT_ASKED, CLOSE_DEMOTED);
	return lose(l->on_demotion, before, role_why(m, l, is_leader), CLOSE_DEMOTED);
}

/* By an operator's word. A last resort that is not needed and serves nobody is not kept for
 * anybody: else it would be taken for a server that has lost its role, once it may serve again. */
static struct standing take_no_new(struct standing s, enum server_state before, enum why why)
{
	bool idle = s.why == WHY_LAST_RESORT && before == SERVER_CLOSED;

	return stand(idle ? SERVER_CLOSED : SERVER_KEPT, why, CLOSE_DEMOTED);
}

struct standing eligible_judge(const struct cluster_state *c, const struct member_state *m,
			       const struct listener_config *l, const struct server_track *t,
			       enum server_state before)
{
	struct standing s;

	if (t->admin == ADMIN_MAINT)
		return stand(SERVER_CLOSED, WHY_MAINT, CLOSE_MAINT);
	if (m->refused != WHY_NONE)
		return stand(SERVER_CLOSED, m->refused, CLOSE_WRONG_CLUSTER);
	if (!m->address_known)
		return stand(SERVER_CLOSED, m->why, CLOSE_UNREACHABLE);
	s = by_role(c, m, l, t, before);
	if (t->health == HEALTH_DOWN && s.state != SERVER_CLOSED)
		return stand(SERVER_CLOSED, WHY_HEALTH_DOWN, CLOSE_OPERATOR);
	if (t->admin == ADMIN_DRAIN && s.state == SERVER_OPEN)
		s = take_no_new(s, before, WHY_DRAIN);
	if (t->health == HEALTH_STOPPING && s.state == SERVER_OPEN)
		s = take_no_new(s, before, WHY_HEALTH_STOPPING);
	return s;
}

/* Not heard of yet, not up yet, or a replica that was not asked yet which one. Lateness ends it. */
bool eligible_soon(const struct member_state *m)
{
	bool rises = !m->health.up && m->health.answers > 0;
	bool unclear =
		m->roles_due && m->last.claim == CLAIM_REPLICA && m->last.state == PG_RUNNING;

	if (!m->address_known || m->refused != WHY_NONE || m->health.rest_silent)
		return false;
	return m->outcome == OUTCOME_NONE || rises || unclear;
}

/* The right ones first. Sessions that came to the last resort as such are asked to go back; those
 * of a replica that was promoted under them follow the policy for that. */
struct standing eligible_last_resort(struct standing s, const struct listener_config *l,
				     const struct server_track *t, enum server_state before,
				     bool others_open)
{
	if (s.state != SERVER_OPEN || s.why != WHY_LAST_RESORT || !others_open)
		return s;
	if (before == SERVER_CLOSED)
		return stand(SERVER_CLOSED, WHY_LAST_RESORT, CLOSE_DEMOTED);
	if (!t->last_resort)
		return lose(l->on_demotion, before, WHY_ROLE_LOST, CLOSE_DEMOTED);
	s.state = SERVER_KEPT;
	s.drain_back = true;
	return s;
}
