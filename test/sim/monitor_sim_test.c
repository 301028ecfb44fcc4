/* A night of failovers in a millisecond: the monitor against a seeded world, in virtual time.
 *
 *	SEEDS=1000 worlds by default; SEED=n replays one and prints its trace; FIRST=1 ends with the
 *	first that fails and prints one line (test/sim/mutants.py).
 *
 * Invariants, checked after every step (witness.c; what the monitor was told: witness_hears.c):
 *	1. never two primaries in one view
 *	2. never a write session living past its lease: an unclosed write server has a proof asked
 *	   less than a lease ago
 *	3. never a primary without a proof
 *	4. never a stale primary: a write server that moves bytes is not one whose lock somebody
 *	   else holds. Promised where the lock was good for another ttl - loop_wait - 5 s when the
 *	   proof was asked for, by the times that were told; a Patroni that goes on answering 200
 *	   for longer without renewing it, and then freezes, is beyond that, and so is one that
 *	   steals the lock (why dcs_last_seen does not help: dcs_last_seen_test.c)
 *	5. one REST question and one ping in flight per member
 *	6. a clear no (another status, another cluster, a lower timeline, PostgreSQL itself)
 *	   closes the write server at once; one that cannot write takes no new sessions, nor does
 *	   one whose Patroni was restarted a second ago and does not know the lock yet
 *	7. a node that is silent on both ports serves nobody: at once when its PostgreSQL refuses or
 *	   its ping ends, after 3 s in any case, unless a policy keeps its sessions
 *	8. after a pause of our own no byte moves without a proof asked since
 *	9. a proof on a higher timeline ends every other write server
 *	10. `fall` silent answers in a row stop new read sessions
 *	11. silence by itself cuts nobody before its lease (but in a tie, where who is silent
 *loses), and elects nobody; nobody is elected beside another proof, or first of all before all
 *	   members had the time to answer
 *	12. a timeline is followed down only after more than `rise` answers in a row, and not
 *	   before the lease of every other proof has ended, unless that was refuted by an answer
 *	13. read sessions are cut by their own node's answers and silence only
 *	14. a worker that skips views cuts every session whose server was closed since, and no other
 *	   (worker.c)
 *	15. an operator's order is done, is all that it does, and outlives roles and reloads: its
 *	   server is as its twin, of whom nothing was said, or closed, or drained, as ordered
 *	   (witness_orders.c)
 *	16. after a hint all members are asked within fast_interval; after a sign, too, where
 *	   nothing was amiss
 * and at the end of a world:
 *	17. after the last fault a true primary is served within 5 s (in a switchover on a calm day,
 *	   150 ms), and in the end the view names the true primary and the true replicas
 *	18. an unchanged world makes no new generation
 *	19. replaying the events gives the same views (asked of every fourth world: it costs as much
 *	   as the world itself) */
#include "base/mem.h"
#include "cast.h"
#include "core/monitor.h"
#include "witness.h"
#include "worker.h"
#include "world.h"
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

/* fast_interval and the answer's way; after the last fault, a question of 3 s may be under way and
 * is asked again a second later. */
enum { SWITCHOVER_MS = 150, PROMPT_MS = 5000 };
enum { REPLAYED = 4 };
enum { STORM_MS = 150000, SETTLE_MS = 90000, CALM_MS = 60000, MAX_PENDING = 64 };

struct pending { /* an answer on its way */
	int64_t at_ms;
	bool on_time; /* the member's lock outlives the lease of a proof asked at that moment */
	struct observation o;
};

struct sim {
	struct world world;
	struct rng orders; /* of its own: the same worlds with other orders */
	struct witness witness;
	struct sim_worker worker;
	struct config *config; /* at the start ... */
	struct config **next;  /* ... and since then, one after the other */
	size_t n_next;
	struct monitor *monitor;
	struct view *view; /* newest; NULL before the first */
	int64_t tick_ms;
	bool stormy;
	struct pending pending[MAX_PENDING];
	unsigned n_pending;
	struct event *log; /* every event, for the replay */
	size_t n_log, cap_log;
	uint64_t *generations; /* per event: the view's generation after it */
};

/* ---- events ---- */

static void keep(struct sim *s, const struct event *ev)
{
	if (s->n_log == s->cap_log) {
		s->cap_log = s->cap_log ? 2 * s->cap_log : 4096;
		s->log = xrealloc(s->log, s->cap_log * sizeof(*s->log));
		s->generations = xrealloc(s->generations, s->cap_log * sizeof(*s->generations));
	}
	s->log[s->n_log++] = *ev;
}

static bool in_flight(const struct sim *s, unsigned member, bool port)
{
	for (unsigned i = 0; i < s->n_pending; i++)
		if (s->pending[i].o.member == member &&
		    (s->pending[i].o.question == ASK_PORT) == port)
			return true;
	return false;
}

static void ask(struct sim *s, const struct probe_order *order)
{
	struct observation asked = {.member = order->member, .question = order->question};
	struct pending *p = &s->pending[s->n_pending];

	if (in_flight(s, order->member, order->question == ASK_PORT))
		witness_violated(&s->witness, "n%u was asked twice at the same time",
				 order->member);
	if (s->n_pending >= MAX_PENDING) {
		witness_violated(&s->witness, "too many questions in flight");
		return;
	}
	if (order->question != ASK_PORT)
		witness_asked(&s->witness, order->member);
	p->on_time = witness_lock_is_good(&s->witness, order->member);
	p->at_ms = world_answer(&s->world, &asked, order->timeout_ms, &p->o);
	s->n_pending++;
}

static void trace_changes(struct sim *s, const struct update *up)
{
	for (size_t i = 0; i < up->n_changes && s->world.tracing; i++) {
		const struct change *c = &up->changes[i];

		world_trace(&s->world, "  change %d: %d -> %d member n%d up %d: %s (timeline %llu)",
			    c->type, c->from, c->to, c->member, c->up, why_text(c->why),
			    (unsigned long long)c->timeline);
	}
}

static void step(struct sim *s, const struct event *ev, bool on_time)
{
	struct view *before = s->view;
	struct update up;

	keep(s, ev);
	witness_before(&s->witness, ev, on_time, s->tick_ms);
	monitor_step(s->monitor, ev, &up);
	trace_changes(s, &up);
	if (up.view)
		s->view = up.view;
	for (size_t i = 0; i < up.n_probes; i++)
		ask(s, &up.probes[i]);
	witness_after(&s->witness, ev, &up, before, s->view);
	if (up.view)
		view_unref(before);
	if (rng_below(ev->type == EV_OPERATOR ? &s->orders : &s->world.rng, 3))
		worker_take(&s->worker, s->view);
	s->generations[s->n_log - 1] = s->view ? s->view->generation : 0;
	s->tick_ms = up.next_tick_ms;
}

/* ---- time ---- */

static unsigned next_pending(const struct sim *s)
{
	unsigned first = 0;

	for (unsigned i = 1; i < s->n_pending; i++)
		if (s->pending[i].at_ms < s->pending[first].at_ms)
			first = i;
	return first;
}

static void deliver(struct sim *s, unsigned i)
{
	struct event ev = {.type = EV_OBSERVATION, .now_ms = s->world.now_ms};
	bool on_time = s->pending[i].on_time;

	ev.u.observation = s->pending[i].o;
	if (ev.u.observation.answered_ms < s->world.now_ms)
		ev.u.observation.answered_ms = s->world.now_ms;
	s->pending[i] = s->pending[--s->n_pending];
	step(s, &ev, on_time);
	if (s->stormy && ev.u.observation.question == ASK_CONFIG && !world_chance(&s->world, 4))
		world_freeze_patroni(&s->world, ev.u.observation.member); /* its last word */
}

/* Run to `until_ms`: the sooner of the monitor's tick and the next answer, again and again. */
static void run(struct sim *s, int64_t until_ms)
{
	while (!s->witness.failure[0]) {
		unsigned i = next_pending(s);
		int64_t answer = s->n_pending ? s->pending[i].at_ms : INT64_MAX;
		int64_t at = s->tick_ms < answer ? s->tick_ms : answer;

		if (at > until_ms)
			break;
		world_advance(&s->world, at);
		if (answer <= at)
			deliver(s, i);
		else
			step(s, &(struct event){.type = EV_TICK, .now_ms = s->world.now_ms}, false);
	}
	world_advance(&s->world, until_ms);
}

/* isari itself is stopped for a while: nothing is delivered, time goes on. */
static void own_pause(struct sim *s)
{
	int64_t ms = 500 + (int64_t)rng_below(&s->world.rng, 20000);

	world_trace(&s->world, "FAULT isari sleeps %lld ms", (long long)ms);
	world_advance(&s->world, s->world.now_ms + ms);
}

/* What workers and operators report: reasons to ask again, and a worker's own pause. */
static void report_sign(struct sim *s)
{
	struct event ev = {.now_ms = s->world.now_ms};

	switch (rng_below(&s->world.rng, 3)) {
	case 0: ev.type = EV_HINT; break;
	case 1:
		ev.type = EV_PAUSE;
		ev.u.pause.slept_ms = 1500;
		break;
	default:
		ev.type = EV_SIGN;
		ev.u.sign.member = (unsigned)rng_below(&s->world.rng, s->world.n_nodes);
	}
	step(s, &ev, false);
}

/* The file is read again, edited or not: no verdict is forgotten. */
static void reload(struct sim *s)
{
	struct config *now = s->n_next ? s->next[s->n_next - 1] : s->config;
	struct event ev = {.type = EV_CONFIG, .now_ms = s->world.now_ms};

	ev.u.config = cast_again(&s->world, now);
	s->next = xrealloc(s->next, (s->n_next + 1) * sizeof(struct config *));
	s->next[s->n_next++] = ev.u.config;
	world_trace(&s->world, "FAULT reload, lease %lld ms",
		    (long long)ev.u.config->clusters[0].probe.lease_ms);
	witness_reload(&s->witness, ev.u.config);
	step(s, &ev, false);
}

/* Anything that an operator may say of a server. */
static void order(struct sim *s)
{
	enum { WORDS = OPERATOR_CLEAR + 1, N_TWINS = WITNESS_LISTENERS - WITNESS_ORDERED_WRITE };
	struct event ev = {.type = EV_OPERATOR, .now_ms = s->world.now_ms};

	ev.u.operator.listener = WITNESS_ORDERED_WRITE +(unsigned) rng_below(&s->orders, N_TWINS);
	ev.u.operator.server =(unsigned) rng_below(&s->orders, s->world.n_nodes);
	ev.u.operator.word =(enum operator_word) rng_below(&s->orders, WORDS);
	ev.u.operator.state =(enum admin_state) rng_below(&s->orders, ADMIN_MAINT + 1);
	ev.u.operator.weight = rng_below(&s->orders, 2) ? 256 : 0;
	ev.u.operator.health = rng_below(&s->orders, 2) ? HEALTH_DOWN : HEALTH_STOPPING;
	world_trace(&s->world, "ORDER listener %u, n%u: word %d, %s, health %s, weight %u",
		    ev.u.operator.listener, ev.u.operator.server, ev.u.operator.word,
		    admin_state_name(ev.u.operator.state), health_order_name(ev.u.operator.health),
		    ev.u.operator.weight);
	step(s, &ev, false);
}

static void disturb(struct sim *s)
{
	while (rng_below(&s->orders, 2))
		order(s);
	switch (rng_below(&s->world.rng, 13)) {
	case 0: own_pause(s); break;
	case 1: report_sign(s); break;
	case 2: reload(s); break;
	default: world_fault(&s->world);
	}
}

/* From a fault every ten seconds to several a second. */
static void storm(struct sim *s)
{
	static const uint64_t paces_ms[] = {20000, 20000, 8000, 1500};
	uint64_t pace_ms = paces_ms[rng_below(&s->world.rng, 4)];
	int64_t end = s->world.now_ms + STORM_MS;

	while (s->world.now_ms < end && !s->witness.failure[0]) {
		run(s, s->world.now_ms + (int64_t)rng_below(&s->world.rng, pace_ms));
		witness_note_audible(&s->witness);
		disturb(s);
	}
}

static void check_calm(struct sim *s)
{
	uint64_t before = s->view->generation;

	run(s, s->world.now_ms + CALM_MS);
	if (s->view->generation != before)
		witness_violated(&s->witness, "an unchanged world made generation %llu after %llu",
				 (unsigned long long)s->view->generation,
				 (unsigned long long)before);
}

static void check_replay(struct sim *s, uint64_t seed, int64_t start_ms)
{
	struct monitor *again = monitor_new(s->config, seed, start_ms);
	struct view *last = NULL;
	struct update up;

	for (size_t i = 0; i < s->n_log; i++) {
		monitor_step(again, &s->log[i], &up);
		if (up.view) {
			view_unref(last);
			last = up.view;
		}
		if ((last ? last->generation : 0) != s->generations[i]) {
			witness_violated(&s->witness, "the replay differs at event %zu", i);
			break;
		}
	}
	if (last && !view_same(last, s->view))
		witness_violated(&s->witness, "the replay ends with another view");
	view_unref(last);
	monitor_free(again);
}

/* ---- one world ---- */

static void give_addresses(struct sim *s)
{
	for (unsigned i = 0; i < s->world.n_nodes; i++) {
		struct event ev = {.type = EV_ADDRESS, .now_ms = s->world.now_ms};

		ev.u.address.member = i;
		strcpy(ev.u.address.ip, s->config->members[i].host);
		strcpy(ev.u.address.rest_ip, s->config->members[i].host);
		step(s, &ev, false);
	}
}

/* Quiet until somebody has been primary: what a cluster is, is learnt from its first one. */
static void begin(struct sim *s)
{
	int64_t until_ms = s->world.now_ms + 30000;

	run(s, s->world.now_ms + 4000);
	world_calm(&s->world);
	while (!s->witness.failure[0] && !s->witness.crowned && s->world.now_ms < until_ms &&
	       !s->world.standby)
		run(s, s->world.now_ms + 500);
	if (!s->world.standby && !s->witness.crowned)
		witness_violated(&s->witness, "nobody was ever primary");
}

/* One sign of trouble and one switchover on a calm day: the next primary is found as soon as it is
 * asked. */
static void calm_day(struct sim *s)
{
	struct event sign = {.type = EV_SIGN};

	if (s->witness.failure[0] || world_chance(&s->world, 2))
		return;
	run(s, s->world.now_ms + 7000 + (int64_t)world_chance(&s->world, 1000));
	sign.now_ms = s->world.now_ms;
	step(s, &sign, false);
	run(s, s->world.now_ms + 4000);
	world_switch_over(&s->world);
	witness_expect_promptness(&s->witness, SWITCHOVER_MS);
	run(s, s->world.now_ms + 12000);
	witness_expect_promptness(&s->witness, 0);
}

static void live(struct sim *s, uint64_t seed)
{
	int64_t start_ms = s->world.now_ms;

	s->tick_ms = start_ms;
	s->config = cast_config(&s->world);
	s->monitor = monitor_new(s->config, seed, start_ms);
	witness_init(&s->witness, &s->world, s->config);
	s->worker.witness = &s->witness;
	give_addresses(s);
	begin(s);
	calm_day(s);
	s->stormy = true;
	storm(s);
	s->stormy = false;
	world_heal(&s->world);
	witness_expect_promptness(&s->witness, PROMPT_MS);
	if (!s->witness.failure[0])
		run(s, s->world.now_ms + SETTLE_MS);
	if (!s->witness.failure[0])
		witness_settled(&s->witness, s->view);
	if (!s->witness.failure[0])
		check_calm(s);
	if (!s->witness.failure[0] && seed % REPLAYED == 0)
		check_replay(s, seed, start_ms);
}

static bool world_holds(uint64_t seed, bool tracing, char *failure, size_t n)
{
	struct sim *s = xcalloc(1, sizeof(*s));
	bool ok;

	world_init(&s->world, seed, tracing);
	rng_seed(&s->orders, seed);
	if (world_chance(&s->world, 2))
		world_establish(&s->world);
	live(s, seed);
	ok = s->witness.failure[0] == '\0';
	snprintf(failure, n, "%s", s->witness.failure);
	worker_fini(&s->worker);
	view_unref(s->view);
	monitor_free(s->monitor);
	config_unref(s->config);
	for (size_t i = 0; i < s->n_next; i++)
		config_unref(s->next[i]);
	free(s->next);
	free(s->log);
	free(s->generations);
	free(s);
	return ok;
}

static uint64_t number_of(const char *name, uint64_t otherwise)
{
	const char *text = getenv(name);

	return text ? strtoull(text, NULL, 10) : otherwise;
}

static void test_every_world_holds_the_invariants(void **state)
{
	uint64_t one = number_of("SEED", 0), first = one ? one : 1;
	uint64_t n = one ? 1 : number_of("SEEDS", 1000);
	bool terse = getenv("FIRST") != NULL;
	unsigned n_failed = 0, enough = terse ? 1 : 5;
	char failure[256];

	(void)state;
	for (uint64_t seed = first; seed < first + n && n_failed < enough; seed++) {
		if (world_holds(seed, one != 0, failure, sizeof(failure)))
			continue;
		n_failed++;
		print_message("seed %llu: %s\n", (unsigned long long)seed, failure);
		if (!one && !terse && n_failed == 1)
			world_holds(seed, true, failure, sizeof(failure));
	}
	print_message("%llu worlds, %u failed; replay one with SEED=n\n", (unsigned long long)n,
		      n_failed);
	assert_int_equal(n_failed, 0);
}

int main(void)
{
	const struct CMUnitTest tests[] = {cmocka_unit_test(test_every_world_holds_the_invariants)};

	return cmocka_run_group_tests_name("monitor_sim", tests, NULL, NULL);
}
