/* What the monitor was told, kept as the contract reads it (rules 2 to 8). */
#include "witness.h"
#include <stdio.h>
#include <string.h>

enum { LEASE_MARGIN_MS = 5000, OWN_PAUSE_MS = 1000, RESTART_MS = 1000, TIMER_MS = 20 };

const struct probe_config *witness_probe(const struct witness *x)
{
	return &x->config->clusters[0].probe;
}

void witness_note_audible(struct witness *x)
{
	for (unsigned i = 0; i < x->world->n_nodes; i++)
		if (world_audible(x->world, i))
			x->told[i].audible_ms = x->world->now_ms;
}

/* ---- what an answer amounts to ---- */

static bool is_anothers_name(const struct witness *x, const struct observation *o)
{
	for (unsigned i = 0; i < x->config->n_members; i++)
		if (i != o->member && strcmp(o->name, x->config->members[i].name) == 0)
			return true;
	return false;
}

/* Scope and system identifier are learnt from the first primary, where they are not configured. */
bool witness_is_ours(const struct witness *x, const struct observation *o)
{
	bool knows_scope = x->crowned || x->config->clusters[0].scope;

	if (knows_scope && o->scope[0] && strcmp(o->scope, "world") != 0)
		return false;
	if (x->crowned && o->system_id && o->system_id != WORLD_SYSTEM_ID)
		return false;
	return !is_anothers_name(x, o);
}

/* A Patroni that was restarted beside its primary answers 503 until it has looked at its DCS. */
static bool does_not_know_yet(const struct witness *x, const struct observation *o)
{
	const struct told *t = &x->told[o->member];

	return t->serves && t->restarted_ms && x->world->now_ms - t->restarted_ms <= RESTART_MS &&
	       !t->refuted && !t->gone && x->world->now_ms < t->until_ms &&
	       o->claim == CLAIM_PRIMARY && o->state == PG_RUNNING && o->timeline == t->timeline;
}

enum word witness_word(const struct witness *x, const struct observation *o)
{
	if (!witness_is_ours(x, o))
		return WORD_NO;
	if (o->question != ASK_PRIMARY)
		return WORD_NOTHING;
	if (o->http_status != 200)
		return does_not_know_yet(x, o) ? WORD_CANNOT_WRITE : WORD_NO;
	if (o->state == PG_UNKNOWN)
		return WORD_NOTHING;
	if (o->state != PG_RUNNING || o->claim != CLAIM_PRIMARY)
		return WORD_CANNOT_WRITE;
	if ((x->config->clusters[0].scope && o->scope[0] == '\0') ||
	    (x->highest && o->timeline == 0))
		return WORD_NOTHING;
	return o->timeline < x->highest ? WORD_LOWER : WORD_PROOF;
}

bool witness_is_void(const struct witness *x, const struct observation *o)
{
	return o->asked_ms < x->slept_ms;
}

bool witness_rival(const struct witness *x, unsigned i, bool now)
{
	for (unsigned k = 0; k < x->world->n_nodes; k++) {
		const struct told *t = &x->told[k];

		if (k != i && !t->refuted && (t->fresh || !now) &&
		    t->timeline >= x->told[i].timeline && t->proof_ms &&
		    x->world->now_ms - t->proof_ms < x->lease_ms)
			return true;
	}
	return false;
}

bool witness_lock_is_good(const struct witness *x, unsigned member)
{
	const struct world *w = x->world;

	return x->ttl_ms == w->ttl_ms && x->loop_wait_ms == w->loop_wait_ms &&
	       world_lock_left_ms(w, member) >= w->ttl_ms - w->loop_wait_ms - LEASE_MARGIN_MS;
}

void witness_asked(struct witness *x, unsigned member)
{
	x->told[member].asked_ms = x->world->now_ms;
	x->told[member].in_flight = true;
}

/* ---- hearing ---- */

static int64_t less(int64_t a, int64_t b)
{
	return a < b ? a : b;
}

static void renew_leases(struct witness *x)
{
	int64_t lock_ms = x->ttl_ms - x->loop_wait_ms - LEASE_MARGIN_MS;

	x->lease_ms = witness_probe(x)->lease_ms;
	if (x->ttl_ms)
		x->lease_ms = less(x->lease_ms, lock_ms);
	for (unsigned i = 0; i < x->world->n_nodes; i++)
		if (x->world->now_ms < x->told[i].until_ms) /* what is over does not come back */
			x->told[i].until_ms = x->told[i].proof_ms + x->lease_ms;
}

static void hear_config(struct witness *x, const struct observation *o)
{
	if (o->outcome != OUTCOME_ANSWERED)
		return;
	x->ttl_ms = o->ttl_ms;
	x->loop_wait_ms = o->loop_wait_ms;
	renew_leases(x);
}

static bool keeps(const struct config *c, unsigned listener)
{
	return c->listeners[listener].on_unreachable == POLICY_KEEP ||
	       c->listeners[listener].on_demotion == POLICY_KEEP;
}

void witness_reload(struct witness *x, const struct config *next)
{
	for (unsigned l = 0; l < WITNESS_LISTENERS; l++)
		x->lets_go[l] = keeps(x->config, l);
	x->config = next;
	renew_leases(x);
}

static void hear_silence(struct told *t, const struct observation *o)
{
	t->rest_refused = o->outcome == OUTCOME_REFUSED;
	t->fresh = false;
	t->n_lower = 0;
	t->n_silent++;
}

static void hear_proof(struct witness *x, const struct observation *o, bool on_time)
{
	struct told *t = &x->told[o->member];

	t->proof_ms = o->asked_ms;
	t->answered_ms = x->world->now_ms;
	t->until_ms = o->asked_ms + x->lease_ms;
	t->timeline = o->timeline;
	t->on_time = on_time;
	t->refuted = t->gone = false;
	t->restarted_ms = 0; /* it knows */
	if (o->timeline <= x->highest)
		return;
	x->highest = o->timeline;
	for (unsigned k = 0; k < x->world->n_nodes; k++)
		x->told[k].refuted |= k != o->member;
}

static void hear_lower(struct told *t, const struct observation *o, bool on_time)
{
	t->n_lower++;
	t->lower_ms = o->asked_ms;
	t->on_time = on_time;
}

static void hear_answer(struct witness *x, const struct observation *o, bool on_time)
{
	struct told *t = &x->told[o->member];
	enum word word;

	if (t->rest_refused && o->question == ASK_PRIMARY)
		t->restarted_ms = x->world->now_ms;
	t->rest_refused = false;
	word = witness_word(x, o);
	t->heard_ms = x->world->now_ms;
	t->n_silent = 0;
	if (o->question != ASK_PRIMARY && word != WORD_NO)
		return;
	if (witness_is_void(x, o) && word != WORD_NO)
		return;
	t->said = *o;
	t->fresh = word == WORD_PROOF;
	t->unsure = word == WORD_NOTHING && o->state == PG_UNKNOWN;
	t->refuted |= word == WORD_NO || word == WORD_LOWER;
	if (word == WORD_PROOF)
		hear_proof(x, o, on_time);
	if (word == WORD_LOWER)
		hear_lower(t, o, on_time);
	else
		t->n_lower = 0;
}

bool witness_contradicts(const struct witness *x, const struct observation *o)
{
	return o->question == ASK_PORT && o->outcome == OUTCOME_ANSWERED &&
	       o->claim == CLAIM_REPLICA && o->asked_ms >= x->told[o->member].answered_ms &&
	       !witness_is_void(x, o);
}

/* An older ping says nothing: the node has answered since. */
static void hear_port(struct witness *x, const struct observation *o)
{
	struct told *t = &x->told[o->member];

	if (o->outcome != OUTCOME_ANSWERED && o->asked_ms > t->heard_ms && !witness_is_void(x, o))
		t->gone = true;
	if (t->gone)
		t->fresh = false;
	if (!witness_contradicts(x, o))
		return;
	t->fresh = false;
	t->refuted = true;
}

static void sleep_ended(struct witness *x, int64_t now_ms)
{
	x->slept_ms = now_ms;
	x->hinted_ms = 0;
	for (unsigned i = 0; i < x->world->n_nodes; i++) {
		x->told[i].fresh = false;
		x->told[i].n_lower = 0;
	}
}

static void hear(struct witness *x, const struct observation *o, bool on_time)
{
	if (o->question == ASK_PORT) {
		hear_port(x, o);
		return;
	}
	x->told[o->member].in_flight = false;
	if (o->question == ASK_CONFIG) {
		hear_config(x, o);
		return;
	}
	x->told[o->member].n_ended++;
	if (o->outcome == OUTCOME_ANSWERED)
		hear_answer(x, o, on_time);
	else if (!witness_is_void(x, o))
		hear_silence(&x->told[o->member], o);
}

/* Everybody answers, and somebody proves it. */
static bool all_is_well(const struct witness *x)
{
	bool proven = false;

	for (unsigned i = 0; i < x->world->n_nodes; i++) {
		if (x->told[i].n_silent || x->told[i].n_ended == 0)
			return false;
		proven |= x->told[i].fresh;
	}
	return proven;
}

/* A sign does not end a back-off, as a hint does: it counts when there can be none. */
static void hear_hint(struct witness *x, const struct event *ev)
{
	enum { BURST_MS = 3000 };
	bool calm = ev->now_ms - x->restless_ms > 2 * BURST_MS;

	if (ev->type == EV_HINT || (ev->type == EV_SIGN && calm))
		x->hinted_ms = ev->now_ms;
}

/* Before this event is taken in: who is asked only now is asked too late. */
static void check_hint(struct witness *x)
{
	int64_t bound_ms = x->hinted_ms + witness_probe(x)->fast_interval_ms + TIMER_MS;

	if (x->hinted_ms == 0 || x->world->now_ms <= bound_ms)
		return;
	for (unsigned i = 0; i < x->world->n_nodes; i++)
		if (x->told[i].asked_ms < x->hinted_ms && !x->told[i].in_flight)
			witness_violated(x, "n%u was not asked within %lld ms of a hint", i,
					 (long long)(x->world->now_ms - x->hinted_ms));
	x->hinted_ms = 0;
}

void witness_before(struct witness *x, const struct event *ev, bool on_time, int64_t tick_ms)
{
	witness_note_audible(x);
	if (ev->now_ms > tick_ms + OWN_PAUSE_MS || ev->type == EV_PAUSE)
		sleep_ended(x, ev->now_ms);
	if (ev->now_ms > tick_ms) /* a small pause of our own */
		x->hinted_ms = 0;
	check_hint(x);
	if (!all_is_well(x))
		x->restless_ms = ev->now_ms;
	hear_hint(x, ev);
	if (ev->type == EV_OBSERVATION) {
		hear(x, &ev->u.observation, on_time);
		witness_hear_of_orders(x, &ev->u.observation);
	}
	if (ev->type == EV_OPERATOR)
		witness_order(x, ev);
}
