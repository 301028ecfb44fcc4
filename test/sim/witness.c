/* The invariants that hold after every step, and those of a world that has settled. */
#include "witness.h"
#include <stdarg.h>
#include <stdio.h>
#include <string.h>

enum {
	LEASE_MS = 10000,
	LEASE_MARGIN_MS = 5000,
	OWN_PAUSE_MS = 1000,
	SILENT_BOUND_MS = 3000,
	FALL = 3
};

void witness_init(struct witness *x, struct world *world)
{
	*x = (struct witness){.world = world, .lease_ms = LEASE_MS};
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

/* ---- what the monitor is told ---- */

void witness_note_audible(struct witness *x)
{
	for (unsigned i = 0; i < x->world->n_nodes; i++)
		if (world_audible(x->world, i))
			x->told[i].audible_ms = x->world->now_ms;
}

static bool ours(const struct observation *o)
{
	return strcmp(o->scope, "world") == 0;
}

/* Asked before our own pause, only a clear no is worth anything. */
static bool is_void(const struct witness *x, const struct observation *o)
{
	return o->asked_ms < x->slept_ms;
}

static bool is_proof(const struct observation *o)
{
	return o->question == ASK_PRIMARY && o->outcome == OUTCOME_ANSWERED &&
	       o->http_status == 200 && o->claim == CLAIM_PRIMARY && o->state == PG_RUNNING &&
	       ours(o);
}

static void hear_config(struct witness *x, const struct observation *o)
{
	int64_t safe_ms = o->ttl_ms - o->loop_wait_ms - LEASE_MARGIN_MS;

	if (o->outcome == OUTCOME_ANSWERED)
		x->lease_ms = safe_ms < LEASE_MS ? safe_ms : LEASE_MS;
}

static void hear_rest(struct witness *x, const struct observation *o, bool on_time)
{
	struct told *t = &x->told[o->member];

	if (o->question == ASK_PRIMARY || o->outcome != OUTCOME_ANSWERED)
		t->fresh = is_proof(o) && !is_void(x, o);
	if (o->outcome != OUTCOME_ANSWERED) {
		t->n_silent += !is_void(x, o);
		return;
	}
	t->heard_ms = x->world->now_ms;
	t->n_silent = 0;
	if (!is_proof(o) || is_void(x, o))
		return;
	t->proof_ms = o->asked_ms;
	t->timeline = o->timeline;
	t->on_time = on_time;
}

/* An older ping says nothing: the node has answered since. */
static void hear_port(struct told *t, const struct observation *o)
{
	if (o->outcome != OUTCOME_ANSWERED && o->asked_ms > t->heard_ms)
		t->fresh = false;
}

static void sleep_ended(struct witness *x, int64_t now_ms)
{
	x->slept_ms = now_ms;
	for (unsigned i = 0; i < x->world->n_nodes; i++)
		x->told[i].fresh = false;
}

void witness_before(struct witness *x, const struct event *ev, bool on_time, int64_t tick_ms)
{
	const struct observation *o = &ev->u.observation;

	witness_note_audible(x);
	if (ev->now_ms > tick_ms + OWN_PAUSE_MS)
		sleep_ended(x, ev->now_ms);
	if (ev->type != EV_OBSERVATION)
		return;
	if (o->question == ASK_PORT)
		hear_port(&x->told[o->member], o);
	else if (o->question == ASK_CONFIG)
		hear_config(x, o);
	else
		hear_rest(x, o, on_time);
}

/* ---- what it makes of it ---- */

static const struct view_server *server(const struct view *v, unsigned listener, unsigned i)
{
	return &v->listeners[listener].servers[i];
}

static bool moves_bytes(const struct view_server *s)
{
	return s->state == SERVER_OPEN || s->state == SERVER_KEPT;
}

static void check_write_server(struct witness *x, const struct view_server *s, unsigned i)
{
	const struct told *t = &x->told[i];
	int64_t age_ms = x->world->now_ms - t->proof_ms;

	if (t->proof_ms == 0)
		witness_violated(x, "n%u serves writes without any proof", i);
	if (age_ms >= x->lease_ms)
		witness_violated(x, "n%u serves writes %lld ms after its last proof", i,
				 (long long)age_ms);
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

		for (unsigned l = WITNESS_WRITE; l <= WITNESS_READ; l++)
			if (for_ms > SILENT_BOUND_MS && moves_bytes(server(v, l, i)))
				witness_violated(
					x, "n%u is silent on both ports for %lld ms and serves", i,
					(long long)for_ms);
		if (t->n_silent >= FALL && server(v, WITNESS_READ, i)->state == SERVER_OPEN)
			witness_violated(x, "n%u is silent and takes new sessions", i);
	}
}

/* Does another node prove as much as node i does, or did it less than a lease ago? */
static bool has_rival(const struct witness *x, unsigned i, bool now)
{
	for (unsigned k = 0; k < x->world->n_nodes; k++) {
		const struct told *t = &x->told[k];

		if (k != i && (t->fresh || !now) && t->timeline >= x->told[i].timeline &&
		    x->world->now_ms - t->proof_ms < x->lease_ms)
			return true;
	}
	return false;
}

/* May this event end the write sessions of node i, whose lease is not over? */
static bool may_cut(const struct witness *x, const struct event *ev, unsigned i)
{
	const struct observation *o = &ev->u.observation;
	bool answered = o->outcome == OUTCOME_ANSWERED;

	if (has_rival(x, i, false)) /* a tie lives by answers */
		return true;
	if (ev->type != EV_OBSERVATION)
		return false;
	if (o->question == ASK_PORT)
		return o->member == i && !answered;
	return answered && (o->member == i || o->http_status == 200);
}

static void check_cuts(struct witness *x, const struct event *ev, const struct view *before,
		       const struct view *now)
{
	for (unsigned i = 0; i < x->world->n_nodes; i++)
		if (server(before, WITNESS_WRITE, i)->state != SERVER_CLOSED &&
		    server(now, WITNESS_WRITE, i)->state == SERVER_CLOSED && !may_cut(x, ev, i) &&
		    x->world->now_ms - x->told[i].proof_ms < x->lease_ms)
			witness_violated(x, "the write sessions of n%u were cut for nothing", i);
}

/* Nobody is elected by silence, nor beside another that proves as much. */
static void check_elections(struct witness *x, const struct view *before, const struct view *now)
{
	for (unsigned i = 0; i < x->world->n_nodes; i++) {
		if (server(before, WITNESS_WRITE, i)->state != SERVER_CLOSED ||
		    server(now, WITNESS_WRITE, i)->state == SERVER_CLOSED)
			continue;
		if (!x->told[i].fresh)
			witness_violated(x, "n%u was elected by silence", i);
		if (has_rival(x, i, true))
			witness_violated(x, "n%u was elected beside another", i);
	}
}

static void check_clear_answer(struct witness *x, const struct observation *o, const struct view *v)
{
	const struct view_server *s = server(v, WITNESS_WRITE, o->member);

	if ((o->http_status != 200 || !ours(o)) && s->state != SERVER_CLOSED)
		witness_violated(x, "n%u said a clear no and serves writes", o->member);
	if (!is_proof(o) && o->state != PG_UNKNOWN && s->state == SERVER_OPEN)
		witness_violated(x, "n%u cannot write and takes new sessions", o->member);
}

static void check_fences(struct witness *x, const struct observation *o, const struct view *v)
{
	if (!is_proof(o) || is_void(x, o) || x->world->now_ms - o->asked_ms >= x->lease_ms)
		return;
	for (unsigned i = 0; i < x->world->n_nodes; i++)
		if (x->told[i].timeline < o->timeline &&
		    server(v, WITNESS_WRITE, i)->state != SERVER_CLOSED)
			witness_violated(x, "n%u serves writes below the timeline of n%u", i,
					 o->member);
}

void witness_after(struct witness *x, const struct event *ev, const struct view *before,
		   const struct view *now)
{
	const struct observation *o = &ev->u.observation;

	if (now == NULL)
		return;
	check_write_servers(x, now);
	check_silence(x, now);
	if (before && before != now) {
		check_cuts(x, ev, before, now);
		check_elections(x, before, now);
	}
	if (ev->type != EV_OBSERVATION || o->question != ASK_PRIMARY ||
	    o->outcome != OUTCOME_ANSWERED)
		return;
	check_clear_answer(x, o, now);
	check_fences(x, o, now);
}

void witness_settled(struct witness *x, const struct view *v)
{
	int primary = world_true_primary(x->world);

	if (primary < 0)
		witness_violated(x, "the world itself has no primary, long after the last fault");
	else if (server(v, WITNESS_WRITE, (unsigned)primary)->state != SERVER_OPEN)
		witness_violated(x, "n%d is the true primary and is not served: %s", primary,
				 why_text(server(v, WITNESS_WRITE, (unsigned)primary)->why));
	for (unsigned i = 0; i < x->world->n_nodes; i++) {
		const struct view_server *s = server(v, WITNESS_READ, i);
		bool replica = world_true_replica(x->world, i);

		if (replica != (s->state == SERVER_OPEN))
			witness_violated(x, "n%u %s a replica, and the view says otherwise: %s", i,
					 replica ? "is" : "is not", why_text(s->why));
	}
}
