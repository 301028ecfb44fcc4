/* Copy out what the monitor knows, for people and tools. */
#include "base/mem.h"
#include "base/str.h"
#include "core/counters.h"
#include "core/monitor_state.h"

static struct cluster_report cluster_report(const struct cluster_state *c, size_t id,
					    int64_t now_ms)
{
	struct cluster_report r = {
		.cluster = (unsigned)id,
		.primary = c->leader.member,
		.why = c->leader.why,
		.since_ms_ago = now_ms - c->leader.since_ms,
		.timeline = c->leader.timeline,
		.ambiguous = c->leader.ambiguous,
		.in_doubt = c->doubt.in_doubt,
		.system_id = c->system_id,
		.primary_changes = c->leader.changes,
	};

	str_copy(r.scope, sizeof(r.scope), c->config->scope ? c->config->scope : c->scope);
	return r;
}

static unsigned roles_of(const struct cluster_state *c, const struct member_state *s)
{
	unsigned roles = s->health.gone ? 0 : s->roles;

	if (c->leader.member == (int)s->config->id)
		roles |= ROLE_BIT(ROLE_PRIMARY);
	return roles;
}

/* A replica that serves is not best described by the lock it does not hold. */
static enum why why_of(const struct member_state *s)
{
	bool is_reader = s->health.up && (s->roles & ~ROLE_BIT(ROLE_ANY));

	if (s->why != WHY_NOT_LEADER || !is_reader)
		return s->why;
	return s->last.flags & TAG_NOLOADBALANCE ? WHY_NOLOADBALANCE : WHY_ROLE_HELD;
}

static struct member_report member_report(const struct cluster_state *c,
					  const struct member_state *s, int64_t now_ms)
{
	struct member_report r = {
		.member = s->config->id,
		.up = s->health.up && s->refused == WHY_NONE,
		.asked = s->last_answer_ms >= 0,
		.why = why_of(s),
		.claim = s->last.claim,
		.state = s->last.state,
		.roles = roles_of(c, s),
		.timeline = s->last.timeline,
		.flags = s->last.flags,
		.outcome = s->outcome,
		.http_status = s->http_status,
		.last_answer_age_ms = s->last_answer_ms < 0 ? -1 : now_ms - s->last_answer_ms,
		.proof_left_ms = s->proof.stands ? s->proof.until_ms - now_ms : -1,
		.server_version = s->last.server_version,
	};

	r.lag_known = monitor_lag_known(c, s) && now_ms - s->lag.measured_ms <= monitor_lease_ms(c);
	r.lag_bytes = r.lag_known ? s->lag.bytes : 0;
	str_copy(r.patroni_name, sizeof(r.patroni_name), s->last.name);
	str_copy(r.patroni_version, sizeof(r.patroni_version), s->last.patroni_version);
	return r;
}

/* HAProxy would have asked the listener's own endpoint; say what that answered, or would have. */
static int check_status(const struct member_state *s, const struct view_server *v)
{
	if (s->outcome != OUTCOME_ANSWERED)
		return s->http_status;
	switch (v->why) {
	case WHY_DRAIN:
	case WHY_LAST_RESORT:
	case WHY_HEALTH_DOWN:
	case WHY_HEALTH_STOPPING: return 200; /* it is not its answers that keep it from serving */
	default: return v->state == SERVER_OPEN ? 200 : 503;
	}
}

static struct server_report server_report(const struct monitor *m, const struct listener_config *l,
					  unsigned index, int64_t now_ms)
{
	const struct member_state *s = &m->clusters[l->cluster].members[index];
	const struct view_server *v = &m->view->listeners[l->id].servers[index];
	const struct server_track *t = &m->servers[v->row - m->config->n_listeners];

	return (struct server_report){
		.listener = l->id,
		.server = index,
		.member = s->config->id,
		.row = v->row,
		.state = v->state,
		.admin = t->admin,
		.weight = t->weight,
		.why = v->why,
		.check_outcome = s->outcome,
		.check_status = check_status(s, v),
		.check_ms = s->last_duration_ms,
		.check_failures = t->check_failures,
		.downs = t->downs,
		.last_change_ms_ago = now_ms - t->changed_ms,
		.down_ms = t->down_ms + (t->up ? 0 : now_ms - t->changed_ms),
	};
}

void monitor_report(const struct monitor *m, int64_t now_ms, struct report *r)
{
	size_t n = 0;

	r->now_ms = now_ms;
	r->generation = m->view->generation;
	r->n_clusters = m->config->n_clusters;
	r->n_members = m->config->n_members;
	r->n_servers = m->n_servers;
	r->clusters = xcalloc(r->n_clusters, sizeof(*r->clusters));
	r->members = xcalloc(r->n_members, sizeof(*r->members));
	r->servers = xcalloc(r->n_servers, sizeof(*r->servers));
	for (size_t i = 0; i < r->n_clusters; i++)
		r->clusters[i] = cluster_report(&m->clusters[i], i, now_ms);
	for (size_t i = 0; i < r->n_members; i++)
		r->members[i] =
			member_report(monitor_cluster_of(m, (unsigned)i), &m->members[i], now_ms);
	for (size_t i = 0; i < m->config->n_listeners; i++)
		for (unsigned k = 0; k < m->view->listeners[i].n_servers; k++)
			r->servers[n++] = server_report(m, &m->config->listeners[i], k, now_ms);
}
