/* Take one answer in: what it says of its member's proof, health, roles and identity.
 * Not here: the data port's answers (monitor_port.c), Patroni's settings (monitor_lease.c), who is
 * primary then (arbiter.c, through monitor.c), what listeners make of it (eligible.c). */
#include "core/monitor_state.h"
#include "core/role.h"
#include <string.h>

enum { RESTART_MS = 1000 }; /* from a restarted Patroni's first answer to one that counts */

void monitor_withdraw(struct cluster_state *c, struct member_state *s, enum why why)
{
	if (s->proof.stands && c->leader.member == (int)s->config->id)
		s->lost = why;
	s->proof.silenced = (s->proof.stands || s->proof.silenced) &&
			    (why == WHY_PORT_SILENT || why == WHY_PORT_REFUSED);
	s->proof.stands = s->proof.fresh = false;
}

/* As HAProxy's chkfail: checks that failed while the server was up. */
static void count_failed_check(struct monitor *m, unsigned member)
{
	for (size_t i = 0; i < m->view->n_listeners; i++) {
		const struct view_listener *l = &m->view->listeners[i];

		for (unsigned k = 0; k < l->n_servers; k++) {
			struct server_track *t =
				&m->servers[l->servers[k].row - m->config->n_listeners];

			if (l->servers[k].member == member && t->up)
				t->check_failures++;
		}
	}
}

static void take_silence(struct monitor *m, struct cluster_state *c, struct member_state *s,
			 int64_t now_ms)
{
	if (!s->health.rest_silent || s->health.silent == 0)
		doubt_surprise(&c->doubt, now_ms);
	count_failed_check(m, s->config->id);
	health_silence(&s->health, c->config->probe.fall, now_ms);
	s->proof.fresh = false;
	s->lower_timeline = 0;
	s->asking.pending = 0;
	monitor_note_bad_answer(m, s->config->id);
	if (!s->health.gone && s->refused == WHY_NONE)
		s->why = WHY_REST_SILENT;
}

/* Refused members are not believed in anything. */
static void take_wrong_cluster(struct cluster_state *c, struct member_state *s, enum why why,
			       int64_t now_ms)
{
	if (s->refused != why)
		doubt_surprise(&c->doubt, now_ms);
	s->refused = s->why = why;
	s->roles = s->roles_unasked = 0;
	s->lower_timeline = 0;
	s->asking.pending = 0;
	monitor_withdraw(c, s, why);
}

/* A proof on a new, higher timeline ends every other: an old primary that is silent, too (product
 * rule 3). */
static void overtake(struct cluster_state *c, const struct member_state *winner)
{
	for (unsigned i = 0; i < c->config->n_members; i++)
		if (&c->members[i] != winner)
			monitor_withdraw(c, &c->members[i], WHY_HIGHER_TIMELINE);
	c->highest_timeline = winner->proof.timeline;
}

static void take_proof(struct cluster_state *c, struct member_state *s, const struct observation *o)
{
	const struct proof *p = &s->proof;
	bool first = !p->stands;

	s->lower_timeline = 0;
	s->roles = s->roles_unasked = 0;
	s->restarted_ms = 0; /* it knows the lock now */
	s->why = WHY_PROVEN;
	s->proof = (struct proof){
		.stands = true,
		.fresh = true,
		.asked_ms = o->asked_ms,
		.answered_ms = o->answered_ms,
		.until_ms = o->asked_ms + monitor_lease_ms(c),
		.first_asked_ms = first ? o->asked_ms : p->first_asked_ms,
		.first_answered_ms = first ? o->answered_ms : p->first_answered_ms,
		.timeline = o->timeline,
	};
	if (o->timeline > c->highest_timeline)
		overtake(c, s);
}

/* Falling silent takes nothing back before a lease is over, or silence would elect another
 * (rule 5). */
bool monitor_claims_primary(const struct cluster_state *c, const struct member_state *s,
			    int64_t now_ms)
{
	return now_ms < s->last.asked_ms + monitor_lease_ms(c) && s->refused == WHY_NONE &&
	       s->primary_status == 200 && s->last.claim == CLAIM_PRIMARY &&
	       s->last.state == PG_RUNNING;
}

static bool claims_as_much(const struct cluster_state *c, const struct member_state *other,
			   const struct member_state *s, int64_t now_ms)
{
	return monitor_claims_primary(c, other, now_ms) &&
	       other->last.timeline < c->highest_timeline &&
	       other->last.timeline >= s->last.timeline;
}

/* Another proof stands, or another member claims as much, on a timeline that is no lower; or did
 * so less than a lease ago and fell silent: that elects nobody (rule 5). */
static bool another_claims_it(const struct cluster_state *c, const struct member_state *s,
			      int64_t now_ms)
{
	for (unsigned i = 0; i < c->config->n_members; i++) {
		const struct member_state *other = &c->members[i];

		if (other != s && (other->proof.stands || other->proof.silenced ||
				   claims_as_much(c, other, s, now_ms)))
			return true;
	}
	return false;
}

/* A clear no. It also replaces an older, vaguer reason: a node that was silent has now spoken. */
void monitor_refute(struct cluster_state *c, struct member_state *s, enum why why)
{
	monitor_withdraw(c, s, why);
	if (s->lost != WHY_NONE)
		s->lost = why;
}

/* Patroni 3.0 with etcd v3 lets a thawed old primary steal the lock back (rule 7): followed
 * only after `rise` confirmations, all of them while nobody else proves anything, and shouted
 * about. */
static void take_lower_timeline(struct monitor *m, struct cluster_state *c, struct member_state *s,
				const struct observation *o)
{
	struct change *change;

	s->why = WHY_LOWER_TIMELINE;
	monitor_refute(c, s, WHY_LOWER_TIMELINE);
	if (another_claims_it(c, s, o->answered_ms))
		s->lower_timeline = 0;
	else
		s->lower_timeline++;
	if (s->lower_timeline <= c->config->probe.rise)
		return;
	change = monitor_note(m, CHANGE_TIMELINE_DOWN, s->config->cluster);
	change->member = (int)s->config->id;
	change->timeline = o->timeline;
	c->highest_timeline = o->timeline;
	take_proof(c, s, o);
}

/* A Patroni that was restarted while its PostgreSQL went on (to upgrade it, in maintenance mode)
 * answers 503 until its first look at the DCS, 0.2 s later: that is not the word of one who lost
 * the lock. Its sessions live on by the old proof, never beyond its lease; new ones wait. */
static bool does_not_know_yet(const struct cluster_state *c, const struct member_state *s,
			      const struct observation *o, int64_t now_ms)
{
	return c->leader.member == (int)s->config->id && s->proof.stands && s->restarted_ms &&
	       now_ms - s->restarted_ms <= RESTART_MS && o->http_status == 503 &&
	       o->claim == CLAIM_PRIMARY && o->state == PG_RUNNING &&
	       o->timeline == s->proof.timeline;
}

static struct judgement judge_restarted(const struct cluster_state *c, struct member_state *s,
					const struct observation *o, struct judgement j,
					int64_t now_ms)
{
	if (s->outcome == OUTCOME_REFUSED)
		s->restarted_ms = now_ms;
	if (j.verdict == VERDICT_REFUSAL && does_not_know_yet(c, s, o, now_ms))
		return (struct judgement){VERDICT_NOT_WRITABLE, WHY_RESTARTED};
	return j;
}

static void judge_primary(struct monitor *m, struct cluster_state *c, struct member_state *s,
			  const struct observation *o, struct judgement j)
{
	s->proof.fresh = false;
	s->why = j.why;
	switch (j.verdict) {
	case VERDICT_PROOF: take_proof(c, s, o); break;
	case VERDICT_NOT_WRITABLE: s->proof.unwritable = j.why; break;
	case VERDICT_LOWER_TIMELINE: take_lower_timeline(m, c, s, o); break;
	case VERDICT_REFUSAL: monitor_refute(c, s, WHY_NOT_LEADER); break;
	default: break;
	}
	if (j.verdict != VERDICT_PROOF && j.verdict != VERDICT_LOWER_TIMELINE)
		s->lower_timeline = 0;
}

static bool surprising(const struct member_state *s, const struct observation *o)
{
	return s->last_answer_ms < 0 || s->primary_status != o->http_status ||
	       s->last.claim != o->claim || s->last.state != o->state ||
	       s->last.timeline != o->timeline || s->health.silent > 0;
}

static bool says_it_does_not_run(const struct observation *o)
{
	return o->state != PG_RUNNING && o->state != PG_UNKNOWN;
}

/* `any` asks nothing of its own: the body of every /primary answer says whether PostgreSQL runs.
 * One that does not run has no role at all, whatever was said before. */
static void take_running(struct member_state *s, const struct observation *o)
{
	if (o->state == PG_RUNNING)
		s->roles |= ROLE_BIT(ROLE_ANY);
	else if (says_it_does_not_run(o))
		s->roles = s->roles_unasked = 0;
}

/* The primary's word on ttl and loop_wait counts: its own loop has to renew the lock. Anybody's is
 * better than none. */
static bool config_is_due(const struct cluster_state *c, const struct member_state *s,
			  int64_t now_ms)
{
	bool right_one = !c->config_known || c->leader.member == (int)s->config->id;

	return right_one && now_ms >= c->config_due_ms;
}

static bool asks_for_roles(const struct asking *a)
{
	return a->pending & ~(1u << ASK_CONFIG);
}

/* The rest of this member's round, now that /primary has answered. */
static void plan_round(struct cluster_state *c, struct member_state *s, const struct observation *o,
		       int64_t now_ms)
{
	s->asking.pending =
		o->http_status == 200 ? 0 : schedule_role_questions(c->config->roles_served);
	if (o->http_status == 200)
		s->roles_unasked = 0;
	if (config_is_due(c, s, now_ms)) {
		s->asking.pending |= 1u << ASK_CONFIG;
		c->config_due_ms = now_ms + SCHEDULE_CONFIG_AGAIN_MS;
	}
}

static void take_primary_answer(struct monitor *m, struct cluster_state *c, struct member_state *s,
				const struct observation *o, struct judgement j, int64_t now_ms)
{
	if (surprising(s, o))
		doubt_surprise(&c->doubt, now_ms);
	health_answer(&s->health, c->config->probe.rise);
	monitor_note_good_answer(m, o);
	s->roles_due |= s->primary_status != o->http_status;
	s->last = *o;
	s->primary_status = o->http_status;
	s->refused = WHY_NONE;
	judge_primary(m, c, s, o, judge_restarted(c, s, o, j, now_ms));
	take_running(s, o);
	plan_round(c, s, o, now_ms);
	s->roles_due &= asks_for_roles(&s->asking);
}

static void take_role_answer(struct cluster_state *c, struct member_state *s,
			     const struct observation *o, int64_t now_ms)
{
	unsigned bit = ROLE_BIT(role_asked(o->question));
	unsigned before = s->roles;

	health_answer(&s->health, c->config->probe.rise);
	s->last.flags = o->flags;
	s->roles = role_held(o) ? s->roles | bit : s->roles & ~bit;
	s->roles_unasked &= ~bit;
	s->roles_due &= asks_for_roles(&s->asking);
	if (s->roles != before)
		doubt_surprise(&c->doubt, now_ms);
}

static bool another_members_name(const struct cluster_state *c, const struct member_state *s,
				 const char *name)
{
	if (*name == '\0' || strcmp(name, s->config->name) == 0)
		return false;
	for (unsigned i = 0; i < c->config->n_members; i++)
		if (strcmp(name, c->members[i].config->name) == 0)
			return true;
	return false;
}

static bool says_nothing_of_itself(const struct observation *o)
{
	return o->scope[0] == '\0' && o->name[0] == '\0' && o->system_id == 0;
}

/* A member that was refused stays so until it says who it is. */
static struct judgement judge(const struct cluster_state *c, const struct member_state *s,
			      const struct observation *o)
{
	struct expectation e = {
		.scope = c->config->scope ? c->config->scope : c->scope,
		.scope_is_configured = c->config->scope != NULL,
		.system_id = c->system_id,
		.highest_timeline = c->highest_timeline,
		.another_members_name = another_members_name(c, s, o->name),
	};

	struct judgement j = proof_judge(o, &e);

	if (s->refused != WHY_NONE && says_nothing_of_itself(o) && o->outcome == OUTCOME_ANSWERED)
		return (struct judgement){VERDICT_WRONG_CLUSTER, s->refused};
	return j;
}

/* Rule 12: what we asked before we slept proves nothing and its lateness is our own; a clear no
 * still counts. */
static bool void_by_pause(const struct monitor *m, const struct observation *o, struct judgement j)
{
	return o->asked_ms < m->void_before_ms && j.verdict != VERDICT_REFUSAL &&
	       j.verdict != VERDICT_WRONG_CLUSTER;
}

static void remember(struct member_state *s, const struct observation *o)
{
	s->outcome = o->outcome;
	s->http_status = o->http_status;
	s->last_duration_ms = o->answered_ms - o->asked_ms;
	if (o->outcome == OUTCOME_ANSWERED)
		s->last_answer_ms = o->answered_ms;
	s->slow = s->last_duration_ms >= SCHEDULE_LATE_MS;
}

static void take_rest(struct monitor *m, struct cluster_state *c, struct member_state *s,
		      const struct observation *o, int64_t now_ms)
{
	struct judgement j = judge(c, s, o);

	if (j.verdict == VERDICT_OWN_FAULT || void_by_pause(m, o, j)) {
		s->asking.pending = 0;
		return;
	}
	switch (j.verdict) {
	case VERDICT_SILENCE: take_silence(m, c, s, now_ms); break;
	case VERDICT_WRONG_CLUSTER:
		health_answer(&s->health, c->config->probe.rise);
		take_wrong_cluster(c, s, j.why, now_ms);
		break;
	default:
		if (o->question == ASK_PRIMARY)
			take_primary_answer(m, c, s, o, j, now_ms);
		else
			take_role_answer(c, s, o, now_ms);
		monitor_take_position(c, s, o);
	}
	remember(s, o);
}

void monitor_observe(struct monitor *m, const struct observation *o, int64_t now_ms)
{
	struct cluster_state *c = monitor_cluster_of(m, o->member);
	struct member_state *s = &m->members[o->member];
	bool stale = s->asking.stale;

	if (o->question == ASK_PORT) {
		monitor_observe_port(m, c, s, o, now_ms);
		return;
	}
	s->asking.in_flight = s->asking.stale = false;
	if (stale)
		return;
	if (o->question == ASK_CONFIG)
		monitor_observe_config(m, c, o, now_ms);
	else
		take_rest(m, c, s, o, now_ms);
}
