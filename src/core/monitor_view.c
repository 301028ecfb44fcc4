/* The view of this moment: what every listener may do with every member.
 * Not here: the judgement of one server (eligible.c), building the round robin (view.c). */
#include "base/str.h"
#include "core/monitor_state.h"

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

/* The row's history, as HAProxy's columns lastchg, downtime and chkdown tell it. Drain is not down. */
static void track(struct monitor *m, const struct listener_config *l, const struct member_state *s,
		  struct server_track *t, const struct view_server *v, enum server_state before,
		  int64_t now_ms)
{
	bool up = v->state == SERVER_OPEN || v->why == WHY_DRAIN;

	if (v->state != before)
		note_server(m, l, s, v, now_ms - t->changed_ms);
	if (up == t->up)
		return;
	if (up)
		t->down_ms += now_ms - t->changed_ms;
	else
		t->downs++;
	t->up = up;
	t->changed_ms = now_ms;
}

static void fill_server(struct monitor *m, const struct listener_config *l, unsigned index,
			struct view_server *v, const struct view_server *before)
{
	const struct cluster_state *c = &m->clusters[l->cluster];
	const struct member_state *s = &c->members[index];
	struct server_track *t = &m->servers[v->row - m->config->n_listeners];
	struct standing standing = eligible_judge(c, s, l, t->admin, before->state);

	v->state = standing.state;
	v->why = standing.why;
	v->cut = standing.cut;
	v->weight = s->config->weight;
	v->port = s->config->port;
	v->generation = before->generation;
	if (standing.state == SERVER_CLOSED && before->state != SERVER_CLOSED)
		v->generation++;
	str_copy(v->ip, sizeof(v->ip), s->ip);
}

/* Whom to blame when no server is open: the lost primary, or whichever server closed last. */
static void fill_none(struct monitor *m, const struct listener_config *l, struct view_listener *v,
		      const struct view_listener *before, int64_t now_ms)
{
	const struct cluster_state *c = &m->clusters[l->cluster];
	const struct server_track *t = &m->servers[v->servers[0].row - m->config->n_listeners];
	unsigned last = 0;

	v->none_since_ms = before->n_open == 0 ? before->none_since_ms : now_ms;
	if (v->n_open > 0) {
		v->none_since_ms = 0;
		v->none_member = -1;
		return;
	}
	for (unsigned i = 1; i < v->n_servers; i++)
		if (t[i].changed_ms > t[last].changed_ms)
			last = i;
	v->none_member = (int)v->servers[last].member;
	v->none_why = v->servers[last].why;
	if (l->serve == ROLE_BIT(ROLE_PRIMARY) && c->leader.member < 0) {
		v->none_member = c->leader.about;
		v->none_why = c->leader.why;
	}
}

static void fill_listener(struct monitor *m, struct view *v, size_t i)
{
	const struct listener_config *l = &m->config->listeners[i];

	for (unsigned k = 0; k < v->listeners[i].n_servers; k++)
		fill_server(m, l, k, &v->listeners[i].servers[k],
			    &m->view->listeners[i].servers[k]);
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
	struct view *v = view_new(m->config);

	for (size_t i = 0; i < v->n_listeners; i++)
		fill_listener(m, v, i);
	view_finish(v);
	for (size_t i = 0; i < v->n_listeners; i++)
		fill_none(m, &m->config->listeners[i], &v->listeners[i], &m->view->listeners[i],
			  now_ms);
	if (!force && view_same(v, m->view)) {
		view_unref(v);
		return NULL;
	}
	v->generation = m->view->generation + 1;
	v->made_ms = now_ms;
	adopt(m, v, now_ms);
	return v;
}
