/* The view of this moment: what every listener may do with every member.
 * Not here: the judgement of one server (eligible.c), building the round robin (view.c). */
#include "core/monitor_state.h"
#include <string.h>

static void note_server(struct monitor *m, const struct listener_config *l,
			const struct member_state *s, const struct view_server *v, int64_t after_ms)
{
	struct change *change = monitor_note(m, CHANGE_SERVER, l->cluster);

	change->listener = (int)l->id;
	change->member = (int)s->config->id;
	change->state = v->state;
	change->up = v->state == SERVER_OPEN;
	change->why = v->why;
	change->outcome = s->outcome;
	change->http_status = s->http_status;
	change->after_ms = after_ms;
}

/* Down by a clear answer. Silent answers are counted as they come (monitor_observe.c); what we or
 * an operator decide is no failed check. */
static bool failed_check(enum why why)
{
	switch (why) {
	case WHY_NOT_LEADER:
	case WHY_ROLE_LOST:
	case WHY_PROMOTING:
	case WHY_PG_NOT_RUNNING:
	case WHY_LAGGING:
	case WHY_NOLOADBALANCE:
	case WHY_LOWER_TIMELINE:
	case WHY_WRONG_SCOPE:
	case WHY_WRONG_SYSTEM:
	case WHY_WRONG_NAME: return true;
	default: return false;
	}
}

/* The row's history, as HAProxy's columns lastchg, downtime, chkdown and chkfail tell it. Drain is
 * not down, nor is a backup that is not needed. */
static void track(struct monitor *m, const struct listener_config *l, const struct member_state *s,
		  struct server_track *t, const struct view_server *v, enum server_state before,
		  int64_t now_ms)
{
	bool up = v->state == SERVER_OPEN || v->why == WHY_DRAIN || v->why == WHY_LAST_RESORT ||
		  v->why == WHY_HEALTH_STOPPING;

	if (v->state != before)
		note_server(m, l, s, v, now_ms - t->changed_ms);
	if (up == t->up)
		return;
	if (up) {
		t->down_ms += now_ms - t->changed_ms;
	} else {
		t->downs++;
		t->check_failures += failed_check(v->why);
	}
	t->up = up;
	t->changed_ms = now_ms;
}

static bool takes_new(const struct view_server *s)
{
	return s->state == SERVER_OPEN && s->weight > 0;
}

static void put_standing(struct view_server *v, struct standing s, const struct view_server *before)
{
	v->state = s.state;
	v->why = s.why;
	v->cut = s.cut;
	v->drain_back = s.drain_back;
	v->generation = before->generation;
	if (s.state == SERVER_CLOSED && before->state != SERVER_CLOSED)
		v->generation++;
}

static struct server_track *track_of(const struct monitor *m, const struct view_server *v)
{
	return &m->servers[v->row - m->config->n_listeners];
}

static struct standing judge_server(const struct monitor *m, const struct listener_config *l,
				    unsigned index, const struct view_server *v,
				    const struct view_server *before)
{
	const struct cluster_state *c = &m->clusters[l->cluster];
	struct server_track *t = track_of(m, v);

	t->lags = eligible_lags(&c->members[index], l, t->lags);
	return eligible_judge(c, &c->members[index], l, t, before->state);
}

static void fill_server(struct monitor *m, const struct listener_config *l, unsigned index,
			struct view_server *v, const struct view_server *before)
{
	const struct member_state *s = &m->clusters[l->cluster].members[index];

	v->weight = track_of(m, v)->weight;
	v->port = s->config->port;
	memcpy(v->ip, s->ip, sizeof(v->ip)); /* the same field; this runs at every step */
	put_standing(v, judge_server(m, l, index, v, before), before);
}

/* `or_soon`: one that will be any moment counts as well. */
static bool right_one_is_open(const struct cluster_state *c, const struct view_listener *v,
			      bool or_soon)
{
	for (unsigned k = 0; k < v->n_servers; k++) {
		const struct view_server *s = &v->servers[k];

		if (c->leader.member == (int)s->member || s->weight == 0)
			continue;
		if (s->state == SERVER_OPEN || (or_soon && eligible_soon(&c->members[k])))
			return true;
	}
	return false;
}

/* The last resort is judged again when it is known whether any of the right ones is open. It does
 * not begin to serve when one will be in a moment, and does not stop before one is. */
static void fill_last_resort(struct monitor *m, const struct listener_config *l,
			     struct view_listener *v, const struct view_listener *before)
{
	const struct cluster_state *c = &m->clusters[l->cluster];
	bool open = right_one_is_open(c, v, false), open_soon = right_one_is_open(c, v, true);

	for (unsigned k = 0; k < v->n_servers; k++) {
		struct server_track *t = track_of(m, &v->servers[k]);
		struct standing s = {.state = v->servers[k].state,
				     .why = v->servers[k].why,
				     .cut = v->servers[k].cut};
		bool serves = t->last_resort && before->servers[k].state == SERVER_OPEN;

		s = eligible_last_resort(s, l, t, before->servers[k].state,
					 serves ? open : open_soon);
		put_standing(&v->servers[k], s, &before->servers[k]);
		if (s.state == SERVER_CLOSED || s.why == WHY_ROLE_HELD)
			t->last_resort = false;
		else if (s.state == SERVER_OPEN)
			t->last_resort = true;
	}
}

/* That a cluster has a primary is not why it has no replica. */
static bool to_blame(const struct cluster_state *c, const struct listener_config *l,
		     const struct view_server *s)
{
	return c->leader.member != (int)s->member || (l->serve & ROLE_BIT(ROLE_PRIMARY));
}

/* Which server to blame when none is open: the one that was the last, as long as there is none. */
static unsigned culprit(const struct cluster_state *c, const struct listener_config *l,
			const struct view_listener *v, const struct view_listener *before)
{
	unsigned first = 0, last = (unsigned)before->none_member - c->config->first_member;

	for (unsigned i = 0; i < v->n_servers; i++)
		if (takes_new(&before->servers[i]) && to_blame(c, l, &v->servers[i]))
			return i;
	if (before->none_member >= 0 && to_blame(c, l, &v->servers[last]))
		return last;
	while (first + 1 < v->n_servers && !to_blame(c, l, &v->servers[first]))
		first++;
	return first;
}

static void blame_member(struct view_listener *v, unsigned server)
{
	v->none_member = (int)v->servers[server].member;
	v->none_why = v->servers[server].why;
}

static void blame(const struct cluster_state *c, const struct listener_config *l,
		  struct view_listener *v, const struct view_listener *before)
{
	if (l->serve != ROLE_BIT(ROLE_PRIMARY)) {
		blame_member(v, culprit(c, l, v, before));
	} else if (c->leader.member >= 0) {
		blame_member(v, (unsigned)c->leader.member - c->config->first_member);
	} else {
		v->none_member = c->leader.about;
		v->none_why = c->leader.why;
	}
}

static void fill_none(const struct cluster_state *c, const struct listener_config *l,
		      struct view_listener *v, const struct view_listener *before, int64_t now_ms)
{
	v->none_since_ms = 0;
	v->none_member = v->none_last = -1;
	v->none_why = WHY_NONE;
	for (unsigned i = 0; i < v->n_servers; i++)
		if (takes_new(&v->servers[i]))
			return;
	v->none_since_ms = before->n_open == 0 ? before->none_since_ms : now_ms;
	blame(c, l, v, before);
	if (l->serve & ROLE_BIT(ROLE_PRIMARY))
		v->none_last = c->leader.last;
}

static void fill_listener(struct monitor *m, struct view_listener *v,
			  const struct view_listener *before, int64_t now_ms)
{
	const struct listener_config *l = &m->config->listeners[v->listener];

	for (unsigned k = 0; k < v->n_servers; k++)
		fill_server(m, l, k, &v->servers[k], &before->servers[k]);
	if (l->fallback == FALLBACK_PRIMARY)
		fill_last_resort(m, l, v, before);
	fill_none(&m->clusters[l->cluster], l, v, before, now_ms);
}

static void adopt(struct monitor *m, struct view *v, int64_t now_ms)
{
	for (size_t i = 0; i < v->n_listeners; i++) {
		const struct listener_config *l = &m->config->listeners[i];
		const struct cluster_state *c = &m->clusters[l->cluster];

		for (unsigned k = 0; k < v->listeners[i].n_servers; k++) {
			struct view_server *now = &v->listeners[i].servers[k];

			track(m, l, &c->members[k], &m->servers[now->row - m->config->n_listeners],
			      now, m->view->listeners[i].servers[k].state, now_ms);
		}
	}
	view_unref(m->view);
	m->view = view_ref(v);
}

struct view *monitor_make_view(struct monitor *m, int64_t now_ms, bool force)
{
	struct view *v = m->draft ? m->draft : view_new(m->config);

	m->draft = v;
	for (size_t i = 0; i < v->n_listeners; i++)
		fill_listener(m, &v->listeners[i], &m->view->listeners[i], now_ms);
	if (!force && view_same(v, m->view))
		return NULL;
	m->draft = NULL;
	view_finish(v);
	v->generation = m->view->generation + 1;
	v->made_ms = now_ms;
	adopt(m, v, now_ms);
	return v;
}
