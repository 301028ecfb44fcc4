/* Which members may serve a listener, and what becomes of the sessions of one that may not (product
 * rules 4, 5). */
#include "core/monitor_state.h"

static struct standing stand(enum server_state state, enum why why, enum close_reason cut)
{
	return (struct standing){state, why, cut};
}

/* The member is no longer good for this listener: cut, or keep what is there, by policy. */
static struct standing lose(enum policy policy, enum server_state before, enum why why,
			    enum close_reason cut)
{
	if (policy == POLICY_KEEP && before != SERVER_CLOSED)
		return stand(SERVER_KEPT, why, cut);
	return stand(SERVER_CLOSED, why, cut);
}

static struct standing primary_standing(const struct member_state *m)
{
	if (m->proof.voided)
		return stand(SERVER_PAUSED, WHY_OWN_PAUSE, CLOSE_LEASE);
	if (m->proof.unwritable != WHY_NONE)
		return stand(SERVER_KEPT, m->proof.unwritable, CLOSE_DEMOTED);
	return stand(SERVER_OPEN, WHY_PROVEN, CLOSE_DEMOTED);
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
	return lose(l->on_demotion, before, m->lost, CLOSE_DEMOTED);
}

/* A role without a lease: replicas and "any". Silence alone stops new sessions after `fall`; it
 * ends the old ones only when the data port is silent too. */
static struct standing reader_standing(const struct member_state *m,
				       const struct listener_config *l, enum server_state before)
{
	if (m->health.gone)
		return lose(l->on_unreachable, before, gone_why(m), CLOSE_UNREACHABLE);
	if (!m->health.up && before == SERVER_CLOSED)
		return stand(SERVER_CLOSED, m->why, CLOSE_UNREACHABLE);
	if (!m->health.up)
		return stand(SERVER_KEPT, m->why, CLOSE_UNREACHABLE);
	return stand(SERVER_OPEN, WHY_ROLE_HELD, CLOSE_DEMOTED);
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

static struct standing by_role(const struct cluster_state *c, const struct member_state *m,
			       const struct listener_config *l, enum server_state before)
{
	bool is_leader = c->leader.member == (int)m->config->id;

	if (is_leader && (l->serve & ROLE_BIT(ROLE_PRIMARY)))
		return primary_standing(m);
	if (l->serve & m->roles)
		return reader_standing(m, l, before);
	if ((l->serve & ROLE_BIT(ROLE_PRIMARY)) && m->lost != WHY_NONE)
		return former_primary_standing(m, l, before);
	if (m->health.gone)
		return lose(l->on_unreachable, before, gone_why(m), CLOSE_UNREACHABLE);
	return lose(l->on_demotion, before, role_why(m, l, is_leader), CLOSE_DEMOTED);
}

struct standing eligible_judge(const struct cluster_state *c, const struct member_state *m,
			       const struct listener_config *l, enum admin_state admin,
			       enum server_state before)
{
	struct standing s;

	if (admin == ADMIN_MAINT)
		return stand(SERVER_CLOSED, WHY_MAINT, CLOSE_MAINT);
	if (m->refused != WHY_NONE)
		return stand(SERVER_CLOSED, m->refused, CLOSE_WRONG_CLUSTER);
	if (!m->address_known)
		return stand(SERVER_CLOSED, m->why, CLOSE_UNREACHABLE);
	s = by_role(c, m, l, before);
	if (admin == ADMIN_DRAIN && s.state == SERVER_OPEN)
		s = stand(SERVER_KEPT, WHY_DRAIN, CLOSE_DEMOTED);
	return s;
}
