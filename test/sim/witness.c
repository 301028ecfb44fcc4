/* The invariants that hold after every step, and those of a world that has settled. */
#include "witness.h"
#include <stdarg.h>
#include <stdio.h>
#include <string.h>

enum {
	SILENT_BOUND_MS = 3000,
	FIRST_CROWN_MS = 300, /* before the first crown, everybody who answers in time is heard */
	LATE_MS = 300,
};

void witness_init(struct witness *x, struct world *world, const struct config *config)
{
	*x = (struct witness){
		.world = world, .config = config, .started_ms = world->now_ms, .true_primary = -1};
	x->lease_ms = witness_probe(x)->lease_ms;
}

void witness_violated(struct witness *x, const char *format, ...)
{
	va_list ap;
	int n;

	if (x->failure[0])
		return;
	n = snprintf(x->failure, sizeof(x->failure), "at %lld: ", (long long)x->world->now_ms);
	va_start(ap, format);
	vsnprintf(x->failure + n, sizeof(x->failure) - (size_t)n, format, ap);
	va_end(ap);
	world_trace(x->world, "FAILURE %s", x->failure);
}

static const struct view_server *server(const struct view *v, unsigned listener, unsigned i)
{
	return &v->listeners[listener].servers[i];
}

static bool moves_bytes(const struct view_server *s)
{
	return s->state == SERVER_OPEN || s->state == SERVER_KEPT;
}

static bool keeps_unreachable(const struct witness *x, unsigned listener)
{
	return x->config->listeners[listener].on_unreachable == POLICY_KEEP;
}

/* ---- at any time ---- */

static void check_write_server(struct witness *x, const struct view_server *s, unsigned i)
{
	const struct told *t = &x->told[i];
	int64_t age_ms = x->world->now_ms - t->proof_ms;

	if (t->proof_ms == 0)
		witness_violated(x, "n%u serves writes without any proof", i);
	if (age_ms >= x->lease_ms)
		witness_violated(x, "n%u serves writes %lld ms after its last proof", i,
				 (long long)age_ms);
	if (!t->fresh && witness_rival(x, i, true) &&
	    (s->state == SERVER_OPEN || !keeps_unreachable(x, WITNESS_WRITE)))
		witness_violated(x, "n%u serves writes while only another proves it", i);
	if (!moves_bytes(s))
		return;
	if (t->proof_ms < x->slept_ms)
		witness_violated(x, "n%u serves writes on a proof from before our pause", i);
	if (t->on_time && world_usurped(x->world, i))
		witness_violated(x, "n%u is a stale primary and serves writes", i);
}

static void check_write_servers(struct witness *x, const struct view *v)
{
	unsigned n = 0;

	for (unsigned i = 0; i < x->world->n_nodes; i++) {
		const struct view_server *s = server(v, WITNESS_WRITE, i);

		if (s->state == SERVER_CLOSED)
			continue;
		n++;
		check_write_server(x, s, i);
	}
	if (n > 1)
		witness_violated(x, "%u primaries in one view", n);
}

static void check_silence(struct witness *x, const struct view *v)
{
	for (unsigned i = 0; i < x->world->n_nodes; i++) {
		const struct told *t = &x->told[i];
		int64_t since_ms = t->audible_ms > t->heard_ms ? t->audible_ms : t->heard_ms;
		int64_t for_ms =
			x->world->now_ms - (since_ms > x->slept_ms ? since_ms : x->slept_ms);

		for (unsigned l = 0; l < WITNESS_LISTENERS; l++)
			if (for_ms > SILENT_BOUND_MS && moves_bytes(server(v, l, i)) &&
			    (server(v, l, i)->state == SERVER_OPEN || !keeps_unreachable(x, l)))
				witness_violated(
					x, "n%u is silent on both ports for %lld ms and serves", i,
					(long long)for_ms);
		if (t->n_silent >= witness_probe(x)->fall &&
		    server(v, WITNESS_READ, i)->state == SERVER_OPEN)
			witness_violated(x, "n%u is silent and takes new sessions", i);
	}
}

/* ---- from one view to the next ---- */

/* The incumbent of a tie stays as long as it proves itself. */
static bool may_lose(const struct witness *x, unsigned i)
{
	for (unsigned k = 0; k < x->world->n_nodes && x->told[i].fresh; k++)
		if (x->told[k].fresh && x->told[k].timeline > x->told[i].timeline)
			return true;
	return !x->told[i].fresh && witness_rival(x, i, false);
}

/* May this event end the write sessions of node i, whose lease is not over? */
static bool may_cut(const struct witness *x, const struct event *ev, unsigned i)
{
	const struct observation *o = &ev->u.observation;
	bool answered = o->outcome == OUTCOME_ANSWERED;
	enum word word;

	if (may_lose(x, i)) /* a tie lives by answers */
		return true;
	if (ev->type == EV_CONFIG)
		return x->lets_go[WITNESS_WRITE] && !x->told[i].fresh;
	if (ev->type != EV_OBSERVATION)
		return false;
	if (witness_contradicts(x, o))
		return o->member == i;
	if (o->question == ASK_PORT)
		return o->member == i && !answered && !keeps_unreachable(x, WITNESS_WRITE);
	word = witness_word(x, o);
	return answered && o->member == i && (word == WORD_NO || word == WORD_LOWER);
}

static void check_cut(struct witness *x, const struct event *ev, unsigned i)
{
	if (!may_cut(x, ev, i) && x->world->now_ms - x->told[i].proof_ms < x->lease_ms)
		witness_violated(x, "the write sessions of n%u were cut for nothing", i);
}

/* Only its own answers, or its port's silence, end read sessions; or a file that keeps them no
 * more. */
static void check_read_cut(struct witness *x, const struct event *ev, unsigned i)
{
	const struct observation *o = &ev->u.observation;

	if (ev->type == EV_CONFIG && x->lets_go[WITNESS_READ])
		return;
	if (ev->type != EV_OBSERVATION || o->member != i ||
	    (o->question == ASK_PORT) == (o->outcome == OUTCOME_ANSWERED))
		witness_violated(x, "the read sessions of n%u were cut for nothing", i);
}

static bool is_of_another_cluster(const struct observation *a, const struct observation *b)
{
	return a->system_id != b->system_id || strcmp(a->scope, b->scope) != 0;
}

/* While nobody knows which cluster this is: not before all were heard, and no guess. */
static void check_first_crown(struct witness *x, unsigned i)
{
	int64_t age_ms = x->world->now_ms - x->started_ms;

	for (unsigned k = 0; k < x->world->n_nodes && !x->crowned; k++) {
		const struct told *t = &x->told[k];

		if (t->n_ended == 0 && age_ms < FIRST_CROWN_MS)
			witness_violated(x, "n%u was elected before n%u was heard", i, k);
		if (t->fresh && is_of_another_cluster(&t->said, &x->told[i].said))
			witness_violated(x, "n%u was elected beside another cluster's n%u", i, k);
	}
}

/* Nobody is elected by silence, beside another that proves as much, or before all were heard. */
static void check_election(struct witness *x, unsigned i)
{
	if (!x->told[i].fresh)
		witness_violated(x, "n%u was elected by silence", i);
	if (witness_rival(x, i, true))
		witness_violated(x, "n%u was elected beside another", i);
	check_first_crown(x, i);
	x->crowned = true;
}

static void check_moves(struct witness *x, const struct event *ev, const struct view *before,
			const struct view *now, unsigned l, unsigned i)
{
	bool was = before && server(before, l, i)->state != SERVER_CLOSED;
	bool is = server(now, l, i)->state != SERVER_CLOSED;

	if (was && !is) {
		x->n_closed[l][i]++;
		if (l == WITNESS_WRITE)
			check_cut(x, ev, i);
		else if (l == WITNESS_READ)
			check_read_cut(x, ev, i);
	}
	if (!was && is && l == WITNESS_WRITE)
		check_election(x, i);
}

/* ---- after an answer ---- */

static void check_clear_answer(struct witness *x, const struct observation *o, const struct view *v)
{
	const struct view_server *s = server(v, WITNESS_WRITE, o->member);
	enum word word = witness_word(x, o);

	if (!witness_is_ours(x, o) && server(v, WITNESS_READ, o->member)->state != SERVER_CLOSED)
		witness_violated(x, "n%u is of another cluster and serves reads", o->member);
	if (witness_is_void(x, o) && word != WORD_NO)
		return;
	if ((word == WORD_NO || word == WORD_LOWER) && s->state != SERVER_CLOSED)
		witness_violated(x, "n%u said a clear no and serves writes", o->member);
	if (word == WORD_CANNOT_WRITE && s->state == SERVER_OPEN)
		witness_violated(x, "n%u cannot write and takes new sessions", o->member);
}

static void check_fences(struct witness *x, const struct observation *o, const struct view *v)
{
	if (witness_word(x, o) != WORD_PROOF || witness_is_void(x, o) ||
	    x->world->now_ms - o->asked_ms >= x->lease_ms)
		return;
	for (unsigned i = 0; i < x->world->n_nodes; i++)
		if (x->told[i].timeline < o->timeline &&
		    server(v, WITNESS_WRITE, i)->state != SERVER_CLOSED)
			witness_violated(x, "n%u serves writes below the timeline of n%u", i,
					 o->member);
}

/* When the ping was sent its Patroni had answered, and owed no answer that was late. */
static bool was_only_unsure(const struct told *t, const struct observation *o)
{
	return t->unsure && t->n_silent == 0 &&
	       (!t->in_flight || o->asked_ms < t->asked_ms + LATE_MS);
}

/* Nobody new is sent where no session is to be had. A Patroni that is late by now is asked again.
 */
static void check_unsure(struct witness *x, const struct observation *o, const struct view *v)
{
	const struct told *t = &x->told[o->member];

	if (t->in_flight && x->world->now_ms >= t->asked_ms + LATE_MS)
		return;
	if (server(v, WITNESS_WRITE, o->member)->state == SERVER_OPEN)
		witness_violated(x, "n%u takes no sessions and is sent new ones", o->member);
}

/* Its REST has been silent since before the ping was sent, and its PostgreSQL refused, or slept. */
static void check_port(struct witness *x, const struct observation *o, const struct view *v)
{
	const struct told *t = &x->told[o->member];

	if (witness_contradicts(x, o) &&
	    server(v, WITNESS_WRITE, o->member)->state != SERVER_CLOSED)
		witness_violated(x, "n%u is in recovery and serves writes", o->member);
	if (o->outcome == OUTCOME_ANSWERED || o->asked_ms <= t->heard_ms || witness_is_void(x, o))
		return;
	if (was_only_unsure(t, o)) {
		check_unsure(x, o, v);
		return;
	}
	for (unsigned l = 0; l < WITNESS_LISTENERS; l++) {
		enum server_state state = server(v, l, o->member)->state;

		if (state == SERVER_OPEN || (state != SERVER_CLOSED && !keeps_unreachable(x, l)))
			witness_violated(x, "n%u is silent on both ports and serves", o->member);
	}
}

static void check_answer(struct witness *x, const struct observation *o, const struct view *v)
{
	if (o->question == ASK_PORT)
		check_port(x, o, v);
	else if (o->question != ASK_CONFIG && o->outcome == OUTCOME_ANSWERED)
		check_clear_answer(x, o, v);
	if (o->question == ASK_PRIMARY && o->outcome == OUTCOME_ANSWERED)
		check_fences(x, o, v);
}

/* ---- what the monitor says of itself ---- */

static void timeline_went_down(struct witness *x, const struct change *c)
{
	struct told *t = &x->told[c->member];

	if (t->n_lower <= witness_probe(x)->rise)
		witness_violated(x, "n%d was followed down after %u answers", c->member,
				 t->n_lower);
	for (unsigned k = 0; k < x->world->n_nodes; k++)
		if ((int)k != c->member && !x->told[k].refuted &&
		    x->world->now_ms < x->told[k].until_ms)
			witness_violated(x, "n%d was followed down before n%u's lease ended",
					 c->member, k);
	x->highest = t->timeline = c->timeline;
	t->proof_ms = t->lower_ms;
	t->until_ms = t->proof_ms + x->lease_ms;
	t->fresh = true;
	t->refuted = t->gone = false;
	t->restarted_ms = 0;
}

static void check_changes(struct witness *x, const struct update *up)
{
	for (size_t i = 0; i < up->n_changes; i++)
		if (up->changes[i].type == CHANGE_TIMELINE_DOWN)
			timeline_went_down(x, &up->changes[i]);
}

/* ---- how soon ---- */

void witness_expect_promptness(struct witness *x, int64_t prompt_ms)
{
	x->prompt_since_ms = x->world->now_ms;
	x->prompt_ms = prompt_ms;
}

static void check_promptness(struct witness *x, const struct view *v)
{
	int primary = world_true_primary(x->world);
	int64_t for_ms;

	if (primary >= 0 && !world_undisputed(x->world, (unsigned)primary))
		primary = -1;
	if (primary != x->true_primary) {
		x->true_primary = primary;
		x->true_since_ms = x->world->now_ms;
	}
	if (primary < 0 || x->prompt_ms == 0)
		return;
	for_ms = x->world->now_ms -
		 (x->true_since_ms > x->prompt_since_ms ? x->true_since_ms : x->prompt_since_ms);
	if (for_ms > x->prompt_ms &&
	    server(v, WITNESS_WRITE, (unsigned)primary)->state != SERVER_OPEN)
		witness_violated(x, "n%d is primary for %lld ms and not served", primary,
				 (long long)for_ms);
}

void witness_after(struct witness *x, const struct event *ev, const struct update *up,
		   const struct view *before, const struct view *now)
{
	check_changes(x, up);
	if (now == NULL)
		return;
	check_write_servers(x, now);
	check_silence(x, now);
	check_promptness(x, now);
	witness_check_orders(x, before, now);
	for (unsigned i = 0; i < x->world->n_nodes && before != now; i++)
		for (unsigned l = 0; l < WITNESS_LISTENERS; l++)
			check_moves(x, ev, before, now, l, i);
	if (ev->type == EV_OBSERVATION)
		check_answer(x, &ev->u.observation, now);
	for (unsigned i = 0; i < x->world->n_nodes; i++)
		x->told[i].serves = server(now, WITNESS_WRITE, i)->state != SERVER_CLOSED;
}

static void check_settled_primary(struct witness *x, const struct view *v)
{
	int primary = world_true_primary(x->world);
	const struct view_server *s;

	if (x->world->standby && v->listeners[WITNESS_WRITE].n_open > 0)
		witness_violated(x, "a standby cluster has a primary");
	if (x->world->standby)
		return;
	if (primary < 0) {
		witness_violated(x, "the world itself has no primary, long after the last fault");
		return;
	}
	s = server(v, WITNESS_WRITE, (unsigned)primary);
	if (s->state != SERVER_OPEN)
		witness_violated(x, "n%d is the true primary and is not served: %s", primary,
				 why_text(s->why));
}

void witness_settled(struct witness *x, const struct view *v)
{
	check_settled_primary(x, v);
	for (unsigned i = 0; i < x->world->n_nodes; i++) {
		const struct view_server *s = server(v, WITNESS_READ, i);
		bool replica = world_true_replica(x->world, i);

		if (replica != (s->state == SERVER_OPEN))
			witness_violated(x, "n%u %s a replica, and the view says otherwise: %s", i,
					 replica ? "is" : "is not", why_text(s->why));
	}
}
