/* A night of failovers in a millisecond: the monitor against a seeded world, in virtual time.
 *
 *	SEEDS=1000 worlds by default; SEED=n replays one and prints its trace.
 *
 * Invariants, checked after every step (witness.c):
 *	1. never two primaries in one view
 *	2. never a write session living past its lease: an unclosed write server has a proof asked
 *	   less than a lease ago
 *	3. never a primary without a proof
 *	4. never a stale primary: an open write server that takes writes is not one whose lock
 *	   somebody else holds. Promised while Patroni renews its lock every loop_wait or demotes
 *	   itself (what the lease is computed from); a Patroni that loses the DCS, goes on answering
 *	   200 and then freezes before it demotes is beyond it, and so is one that steals the lock
 *	5. one REST question and one ping in flight per member
 *	6. a clear no closes the write server at once; one that cannot write takes no new sessions
 *	7. a node that is silent on both ports serves nobody after 3 s
 *	8. after a pause of our own no byte moves without a proof asked since
 *	9. a proof on a higher timeline ends every other write server
 *	10. three silent answers in a row stop new read sessions
 *	11. silence by itself cuts nobody before its lease (but in a tie), and elects nobody; nobody
 *	   is elected beside another proof
 * and at the end of a world:
 *	12. after the last fault the view names the true primary and the true replicas
 *	13. an unchanged world makes no new generation
 *	14. replaying the events gives the same views */
#include "base/mem.h"
#include "core/monitor.h"
#include "witness.h"
#include "world.h"
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

enum { STORM_MS = 180000, SETTLE_MS = 90000, CALM_MS = 60000, MAX_PENDING = 64 };

struct pending { /* an answer on its way */
	int64_t at_ms;
	bool on_time; /* the member had renewed its lock within loop_wait when it was asked */
	struct observation o;
};

struct sim {
	struct world world;
	struct witness witness;
	struct config *config;
	struct monitor *monitor;
	struct view *view; /* newest; NULL before the first */
	int64_t tick_ms;
	struct pending pending[MAX_PENDING];
	unsigned n_pending;
	struct event *log; /* every event, for the replay */
	size_t n_log, cap_log;
	uint64_t *generations; /* per event: the view's generation after it */
};

/* ---- one listener for writes, one for reads ---- */

static struct config *make_config(unsigned n_nodes)
{
	struct config *c = config_new();

	c->n_clusters = 1;
	c->clusters = xcalloc(1, sizeof(*c->clusters));
	c->clusters[0].name = xstrdup("sim");
	c->clusters[0].scope = xstrdup("world");
	c->clusters[0].n_members = n_nodes;
	probe_config_defaults(&c->clusters[0].probe);
	c->n_members = n_nodes;
	c->members = xcalloc(n_nodes, sizeof(*c->members));
	for (unsigned i = 0; i < n_nodes; i++) {
		c->members[i].name = xasprintf("n%u", i);
		c->members[i].host = xasprintf("127.0.0.%u", i + 1);
		c->members[i].rest_host = xstrdup(c->members[i].host);
		c->members[i].port = 5432;
		c->members[i].rest_port = 8008;
		c->members[i].weight = 100;
	}
	c->n_listeners = 2;
	c->listeners = xcalloc(2, sizeof(*c->listeners));
	for (unsigned i = 0; i < 2; i++) {
		listener_config_defaults(&c->listeners[i]);
		c->listeners[i].name = xstrdup(i ? "read" : "write");
		c->listeners[i].serve = ROLE_BIT(i ? ROLE_REPLICA : ROLE_PRIMARY);
	}
	config_finish(c);
	return c;
}

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
	p->on_time =
		s->world.now_ms - s->world.nodes[order->member].renewed_ms <= s->world.loop_wait_ms;
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
	witness_after(&s->witness, ev, before, s->view);
	if (up.view)
		view_unref(before);
	s->generations[s->n_log - 1] = s->view ? s->view->generation : 0;
	s->tick_ms = up.next_tick_ms;
	for (size_t i = 0; i < up.n_probes; i++)
		ask(s, &up.probes[i]);
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

static void storm(struct sim *s)
{
	int64_t end = s->world.now_ms + STORM_MS;

	while (s->world.now_ms < end && !s->witness.failure[0]) {
		run(s, s->world.now_ms + (int64_t)rng_below(&s->world.rng, 20000));
		witness_note_audible(&s->witness);
		if (rng_below(&s->world.rng, 8) == 0)
			own_pause(s);
		else
			world_fault(&s->world);
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

static void live(struct sim *s, uint64_t seed)
{
	int64_t start_ms = s->world.now_ms;

	witness_init(&s->witness, &s->world);
	s->tick_ms = start_ms;
	s->config = make_config(s->world.n_nodes);
	s->monitor = monitor_new(s->config, seed, start_ms);
	give_addresses(s);
	run(s, start_ms + 10000);
	storm(s);
	world_heal(&s->world);
	if (!s->witness.failure[0])
		run(s, s->world.now_ms + SETTLE_MS);
	if (!s->witness.failure[0])
		witness_settled(&s->witness, s->view);
	if (!s->witness.failure[0])
		check_calm(s);
	if (!s->witness.failure[0])
		check_replay(s, seed, start_ms);
}

static bool world_holds(uint64_t seed, bool tracing, char *failure, size_t n)
{
	struct sim *s = xcalloc(1, sizeof(*s));
	bool ok;

	world_init(&s->world, seed, tracing);
	live(s, seed);
	ok = s->witness.failure[0] == '\0';
	snprintf(failure, n, "%s", s->witness.failure);
	view_unref(s->view);
	monitor_free(s->monitor);
	config_unref(s->config);
	free(s->log);
	free(s->generations);
	free(s);
	return ok;
}

static void test_every_world_holds_the_invariants(void **state)
{
	const char *one = getenv("SEED"), *many = getenv("SEEDS");
	uint64_t first = one ? strtoull(one, NULL, 10) : 1;
	uint64_t n = one ? 1 : many ? strtoull(many, NULL, 10) : 1000;
	char failure[256];
	unsigned n_failed = 0;

	(void)state;
	for (uint64_t seed = first; seed < first + n && n_failed < 5; seed++) {
		if (world_holds(seed, one != NULL, failure, sizeof(failure)))
			continue;
		n_failed++;
		print_message("seed %llu: %s\n", (unsigned long long)seed, failure);
		if (!one && n_failed == 1)
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
