/* The step function: one event in, one update out (the life of an answer, README).
 *
 * Happy path: EV_TICK orders /primary of every member; the answers come back as EV_OBSERVATION; one
 * of them is a proof (proof.c); the arbiter names the primary; listeners get their servers
 * (eligible.c); the view differs from the last one and goes out. What can go wrong has a rule of
 * its own: silence (health.c), a lease that ends (expire), two proofs (arbiter.c), the wrong
 * cluster (proof.c), our own sleep (void_proofs). */
#include "core/monitor.h"
#include "base/assert.h"
#include "base/mem.h"
#include "base/str.h"
#include "core/counters.h"
#include "core/monitor_state.h"
#include <stdlib.h>
#include <string.h>

enum { OWN_PAUSE_MS = 1000 }; /* rule 12 */

/* ---- birth and death ---- */

static void init_cluster(struct monitor *m, size_t i, int64_t now_ms)
{
	struct cluster_state *c = &m->clusters[i];

	c->config = &m->config->clusters[i];
	c->members = &m->members[c->config->first_member];
	c->leader = (struct leadership){.member = -1,
					.why = WHY_NO_PROOF,
					.about = -1,
					.last = -1,
					.since_ms = now_ms,
					.doubted_ms = now_ms};
	for (unsigned k = 0; k < c->config->n_members; k++) {
		struct member_state *s = &c->members[k];

		s->config = &m->config->members[c->config->first_member + k];
		s->why = WHY_NOT_ASKED;
		s->last_answer_ms = -1;
		s->standing_since_ms = now_ms;
		s->asking.port_asked_ms = now_ms - SCHEDULE_PING_MS;
		s->asking.round_ms = now_ms - c->config->probe.interval_ms;
	}
}

static void init_servers(struct monitor *m, const struct view_listener *l, int64_t now_ms)
{
	for (unsigned k = 0; k < l->n_servers; k++) {
		struct server_track *t = &m->servers[l->servers[k].row - m->config->n_listeners];

		t->changed_ms = now_ms;
		t->weight = l->servers[k].weight;
	}
}

struct monitor *monitor_new(struct config *config, uint64_t seed, int64_t now_ms)
{
	struct monitor *m = xcalloc(1, sizeof(*m));

	m->config = config_ref(config);
	rng_seed(&m->rng, seed);
	m->clusters = xcalloc(config->n_clusters, sizeof(*m->clusters));
	m->members = xcalloc(config->n_members, sizeof(*m->members));
	m->n_servers = counters_rows(config) - config->n_listeners;
	m->servers = xcalloc(m->n_servers, sizeof(*m->servers));
	m->probes = xcalloc(2 * config->n_members, sizeof(*m->probes));
	m->view = view_new(config);
	m->planned_ms = now_ms;
	for (size_t i = 0; i < config->n_clusters; i++)
		init_cluster(m, i, now_ms);
	for (size_t i = 0; i < m->view->n_listeners; i++) {
		init_servers(m, &m->view->listeners[i], now_ms);
		m->view->listeners[i].none_since_ms = now_ms;
		m->view->listeners[i].none_member = m->view->listeners[i].none_last = -1;
		m->view->listeners[i].none_why = WHY_NO_PROOF;
	}
	return m;
}

void monitor_free(struct monitor *m)
{
	view_unref(m->view);
	view_unref(m->draft);
	free(m->clusters);
	free(m->members);
	free(m->servers);
	free(m->probes);
	free(m->changes);
	config_unref(m->config);
	free(m);
}

/* ---- time ---- */

/* We slept: whatever we were told before may be over. Sessions wait, paused, for a new proof or
 * their lease's end. */
static void void_proofs(struct monitor *m, int64_t slept_ms, int64_t now_ms)
{
	struct change *change = monitor_note(m, CHANGE_OWN_PAUSE, 0);

	change->after_ms = slept_ms;
	m->void_before_ms = now_ms;
	for (size_t i = 0; i < m->config->n_members; i++) {
		struct member_state *s = &m->members[i];

		s->proof.voided = true;
		s->proof.fresh = false;
		s->lower_timeline = 0;
		s->asking.round_ms =
			now_ms - monitor_cluster_of(m, (unsigned)i)->config->probe.interval_ms;
	}
	for (size_t i = 0; i < m->config->n_clusters; i++)
		doubt_surprise(&m->clusters[i].doubt, now_ms);
}

static bool is_silent(enum why lost)
{
	return lost == WHY_PORT_REFUSED || lost == WHY_PORT_SILENT;
}

static void expire(struct monitor *m, int64_t now_ms)
{
	for (size_t i = 0; i < m->config->n_members; i++) {
		struct member_state *s = &m->members[i];

		if (now_ms < s->proof.until_ms)
			continue;
		s->proof.silenced = false;
		if (is_silent(s->lost))
			s->lost = WHY_LEASE_ENDED; /* sessions that a policy kept go now */
		if (s->proof.stands)
			monitor_withdraw(monitor_cluster_of(m, (unsigned)i), s, WHY_LEASE_ENDED);
	}
}

/* ---- who is primary ---- */

enum { MAX_CLAIMANTS = 64 }; /* no configuration names more members of one cluster */

static struct ruling rule(const struct cluster_state *c, int64_t now_ms)
{
	struct claimant claims[MAX_CLAIMANTS];
	struct ruling two;

	REQUIRE(c->config->n_members <= MAX_CLAIMANTS);
	if (c->leader.changes == 0 && monitor_sees_two_clusters(c, now_ms, &two))
		return two;
	for (unsigned i = 0; i < c->config->n_members; i++) {
		const struct member_state *s = &c->members[i];

		claims[i] = (struct claimant){.member = s->config->id,
					      .stands = s->proof.stands,
					      .fresh = s->proof.fresh,
					      .timeline = s->proof.timeline};
	}
	return arbiter_rule(claims, c->config->n_members, c->leader.member);
}

static struct member_state *member_of(struct cluster_state *c, int member)
{
	return &c->members[member - (int)c->config->first_member];
}

/* What the primary says of its cluster is what the others are held to. */
static void learn(struct cluster_state *c, const struct member_state *primary)
{
	c->leader.timeline = primary->proof.timeline;
	if (c->system_id == 0)
		c->system_id = primary->last.system_id;
	if (c->scope[0] == '\0')
		str_copy(c->scope, sizeof(c->scope), primary->last.scope);
}

/* Sessions that a policy kept on a silent primary end when there is another one. */
static void crown(struct cluster_state *c, int member)
{
	for (unsigned i = 0; i < c->config->n_members; i++)
		if (is_silent(c->members[i].lost))
			c->members[i].lost = WHY_REPLACED;
	member_of(c, member)->lost = WHY_NONE;
	c->config_due_ms = 0; /* its ttl and loop_wait are what counts now */
}

/* The incumbent's proof may stand and yet lose: then the ruling says why. */
static void dethrone(struct cluster_state *c, const struct ruling *r)
{
	struct member_state *old = member_of(c, c->leader.member);

	if (!old->proof.stands)
		return;
	old->lost = r->ambiguous ? WHY_AMBIGUOUS : WHY_HIGHER_TIMELINE;
}

static void explain(struct leadership *l, enum why why, int about)
{
	l->why = why;
	l->about = about;
}

static void change_leader(struct monitor *m, struct cluster_state *c, const struct ruling *r,
			  int64_t now_ms)
{
	unsigned id = (unsigned)(c - m->clusters);
	struct change *change = monitor_note(m, CHANGE_LEADERSHIP, id);
	int old = c->leader.member;

	change->from = old;
	change->to = r->member;
	change->after_ms = now_ms - c->leader.since_ms;
	change->times = monitor_change_times(c, r->member, now_ms);
	if (old >= 0) {
		dethrone(c, r);
		change->lost = member_of(c, old)->lost;
		change->from_timeline = c->leader.timeline;
	}
	if (r->member < 0 && !r->ambiguous)
		explain(&c->leader, member_of(c, old)->lost, old);
	else
		explain(&c->leader, r->why, r->member >= 0 ? r->member : r->first);
	c->leader.member = r->member;
	c->leader.since_ms = now_ms;
	c->leader.doubted_ms = r->member < 0 ? change->times.doubt_ms : -1;
	c->leader.changes++;
	if (r->member >= 0) {
		c->leader.last = r->member;
		crown(c, r->member);
		learn(c, member_of(c, r->member));
	}
	change->member = c->leader.about;
	change->why = c->leader.why;
	change->timeline = c->leader.timeline;
	doubt_surprise(&c->doubt, now_ms);
}

static void note_ambiguity(struct monitor *m, struct cluster_state *c, const struct ruling *r)
{
	struct change *change = monitor_note(m, CHANGE_AMBIGUOUS, (unsigned)(c - m->clusters));

	change->member = r->first;
	change->to = r->other;
	change->timeline = member_of(c, r->first)->proof.timeline;
	change->why = r->why == WHY_PROVEN ? WHY_AMBIGUOUS : r->why;
}

/* Before anybody was primary, the first to answer has no better claim than one who answers a moment
 * later: hear everybody who answers in time, so that a tie at the start is seen as one. */
static bool may_crown(const struct cluster_state *c, int64_t now_ms)
{
	if (c->leader.changes > 0 || now_ms - c->leader.since_ms >= SCHEDULE_LATE_MS)
		return true;
	for (unsigned i = 0; i < c->config->n_members; i++)
		if (c->members[i].outcome == OUTCOME_NONE)
			return false;
	return true;
}

static void arbitrate_cluster(struct monitor *m, struct cluster_state *c, int64_t now_ms)
{
	struct ruling r = rule(c, now_ms);
	bool was_ambiguous = c->leader.ambiguous;

	if (!may_crown(c, now_ms))
		return;

	if (r.ambiguous && !was_ambiguous)
		note_ambiguity(m, c, &r);
	c->leader.ambiguous = r.ambiguous;
	if (r.member != c->leader.member)
		change_leader(m, c, &r, now_ms);
	else if (r.member < 0 && r.ambiguous != was_ambiguous)
		explain(&c->leader, r.why, r.first);
	else if (r.member >= 0)
		learn(c, member_of(c, r.member));
}

static void arbitrate(struct monitor *m, int64_t now_ms)
{
	for (size_t i = 0; i < m->config->n_clusters; i++)
		arbitrate_cluster(m, &m->clusters[i], now_ms);
}

/* ---- events ---- */

/* Returns true when workers wait for a view even if it is the same. */
static bool take_event(struct monitor *m, const struct event *ev)
{
	switch (ev->type) {
	case EV_TICK: break;
	case EV_OBSERVATION: monitor_observe(m, &ev->u.observation, ev->now_ms); break;
	case EV_ADDRESS: monitor_take_address(m, ev); break;
	case EV_SIGN:
		doubt_sign(
			monitor_ask_at_once(monitor_cluster_of(m, ev->u.sign.member), ev->now_ms),
			ev->now_ms);
		break;
	case EV_OPERATOR: monitor_obey(m, ev); break;
	case EV_HINT:
		doubt_surprise(monitor_ask_at_once(&m->clusters[ev->u.hint.cluster], ev->now_ms),
			       ev->now_ms);
		break;
	case EV_PAUSE: void_proofs(m, ev->u.pause.slept_ms, ev->now_ms); return true;
	case EV_CONFIG: monitor_take_config(m, ev->u.config, ev->now_ms); return true;
	}
	return false;
}

void monitor_step(struct monitor *m, const struct event *ev, struct update *up)
{
	int64_t late_ms = ev->now_ms - m->planned_ms;
	bool force = false;

	m->n_probes = m->n_changes = 0;
	if (late_ms > OWN_PAUSE_MS) {
		void_proofs(m, late_ms, ev->now_ms);
		force = true;
	}
	force |= take_event(m, ev);
	expire(m, ev->now_ms);
	monitor_note_doubt(m, ev);
	arbitrate(m, ev->now_ms);
	monitor_note_members(m, ev->now_ms);
	monitor_ask(m, ev->now_ms);
	*up = (struct update){0};
	up->view = monitor_make_view(m, ev->now_ms, force);
	m->planned_ms = up->next_tick_ms = monitor_next_ms(m, ev->now_ms);
	up->probes = m->probes;
	up->n_probes = m->n_probes;
	up->changes = m->changes;
	up->n_changes = m->n_changes;
}
