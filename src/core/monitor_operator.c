/* What operators say of a server: its weight, whether it may serve, and that it is to be looked at
 * again. Not here: what becomes of its state (eligible.c). Nothing that is said here can open a
 * server that its answers would not. */
#include "base/assert.h"
#include "core/counters.h"
#include "core/monitor_state.h"

static struct server_track *track_of(const struct monitor *m, unsigned listener, unsigned server)
{
	unsigned row = counters_server_row(m->config, listener, server);

	return &m->servers[row - m->config->n_listeners];
}

static unsigned rise_of(const struct monitor *m, unsigned cluster)
{
	return m->config->clusters[cluster].probe.rise;
}

static void set_health(const struct monitor *m, struct server_track *t, const struct event *ev)
{
	t->health = ev->u.operator.health;
	t->answers_due = rise_of(m, m->config->listeners[ev->u.operator.listener].cluster);
	t->health_since_ms = ev->now_ms;
}

void monitor_obey(struct monitor *m, const struct event *ev)
{
	const struct listener_config *l = &m->config->listeners[ev->u.operator.listener];
	struct server_track *t;

	REQUIRE(ev->u.operator.server<config_listener_cluster(m->config, l)->n_members);
	t = track_of(m, l->id, ev->u.operator.server);
	switch (ev->u.operator.word) {
	case OPERATOR_STATE: t->admin = ev->u.operator.state; break;
	case OPERATOR_WEIGHT: t->weight = ev->u.operator.weight; break;
	case OPERATOR_HEALTH: set_health(m, t, ev); break;
	case OPERATOR_CLEAR: t->check_failures = t->downs = 0; break;
	}
}

/* Its server at each listener that an operator has spoken of. */
static void each_spoken_of(struct monitor *m, unsigned member,
			   void (*fn)(struct server_track *t, int64_t asked_ms, unsigned rise),
			   int64_t asked_ms)
{
	unsigned cluster = m->config->members[member].cluster;
	unsigned server = member - m->config->clusters[cluster].first_member;

	for (unsigned i = 0; i < m->config->n_listeners; i++) {
		struct server_track *t;

		if (m->config->listeners[i].cluster != cluster)
			continue;
		t = track_of(m, i, server);
		if (t->health != HEALTH_AS_ANSWERED)
			fn(t, asked_ms, rise_of(m, cluster));
	}
}

static void count_down(struct server_track *t, int64_t asked_ms, unsigned rise)
{
	(void)rise;
	if (asked_ms >= t->health_since_ms && --t->answers_due == 0)
		t->health = HEALTH_AS_ANSWERED;
}

static void start_over(struct server_track *t, int64_t asked_ms, unsigned rise)
{
	(void)asked_ms;
	t->answers_due = rise;
}

void monitor_note_good_answer(struct monitor *m, const struct observation *o)
{
	each_spoken_of(m, o->member, count_down, o->asked_ms);
}

void monitor_note_bad_answer(struct monitor *m, unsigned member)
{
	each_spoken_of(m, member, start_over, 0);
}
