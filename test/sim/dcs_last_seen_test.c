/* Would a lease be sharper if it looked at `dcs_last_seen`? Measured in the model; the answer is
 *no, and this says why, as long as it holds.
 *
 * The lease is min(lease, ttl - loop_wait - 5 s) from the moment a proof was asked for. It may
 *outlive the lock when Patroni goes on answering 200 without having renewed the lock for longer
 *than loop_wait + 5 s, and then freezes. The body says when Patroni last read from its DCS, the
 *header says what time it was: both by the node's own clock, in whole seconds. The candidate is
 *	min(the lease, ttl - (Date - dcs_last_seen) - 2 s)
 * unless the body says pause or failsafe mode. It would have to close the hole and cut nobody whose
 * lock is good. It does neither:
 *	- a read is not a renewal. With etcd v3 Patroni reads from a cache that a watch keeps fresh,
 *	  so that the first read after the DCS is gone succeeds, and the age begins anew while the
 *	  lock goes on ageing (ZooKeeper and Kubernetes have such a cache, too); and anybody's GET
 *	  /cluster reads
 *	- a wall clock that is set forwards makes a healthy primary look long forgotten
 *
 *	SEEDS=2000 worlds by default. */
#include "world.h"
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>

#include <cmocka.h>

enum { LEASE_MS = 10000, LEASE_MARGIN_MS = 5000, SEEN_MARGIN_MS = 2000, ASKED_EVERY_MS = 1000 };

enum trouble {
	TROUBLE_NONE,
	TROUBLE_CUT,      /* the leader loses the DCS */
	TROUBLE_SLOW,     /* renewing takes up to retry_timeout */
	TROUBLE_OUTSIDER, /* the loop hangs, and somebody asks for /cluster */
	TROUBLE_CLOCK,    /* the leader's clock is set, by up to 30 s */
	TROUBLE_FAILSAFE, /* the DCS is down, and failsafe mode is on */
	TROUBLE_PAUSE,    /* the DCS is down, in maintenance mode */
	N_TROUBLES
};

struct tally {
	unsigned n_proofs;
	unsigned n_outlives, n_outlives_sharp; /* proofs whose lease outlives the lock */
	int64_t worst_ms, worst_sharp_ms;      /* by so much */
	unsigned n_false;    /* the lock is good for longer, and the candidate cuts before the
				next answer but one */
	int64_t shortest_ms; /* candidate, where the lock is good for a whole lease */
};

static int64_t less(int64_t a, int64_t b)
{
	return a < b ? a : b;
}

static int64_t lease_ms(const struct world *w)
{
	return less(LEASE_MS, w->ttl_ms - w->loop_wait_ms - LEASE_MARGIN_MS);
}

/* What the header and the body would tell. */
static int64_t age_ms(const struct world *w, const struct node *n)
{
	return (world_wall_ms(w, n) / 1000 - n->dcs_seen_ms / 1000) * 1000;
}

static int64_t sharp_ms(const struct world *w, const struct node *n, const struct observation *o)
{
	int64_t age = age_ms(w, n);

	if ((o->flags & (FLAG_PAUSED | FLAG_FAILSAFE)) || age < 0)
		return lease_ms(w);
	return less(lease_ms(w), w->ttl_ms - age - SEEN_MARGIN_MS);
}

static void make_trouble(struct world *w, enum trouble what, unsigned leader)
{
	switch (what) {
	case TROUBLE_CUT: w->nodes[leader].dcs_link = false; break;
	case TROUBLE_SLOW: w->dcs_slow = true; break;
	case TROUBLE_OUTSIDER: w->nodes[leader].loop_hangs = true; break;
	case TROUBLE_CLOCK:
		world_set_clock(w, leader, (int64_t)world_chance(w, 60000) - 30000);
		break;
	case TROUBLE_FAILSAFE:
	case TROUBLE_PAUSE: w->dcs_up = false; break;
	default: break;
	}
}

static void note_proof(struct tally *t, const struct world *w, unsigned i,
		       const struct observation *o)
{
	int64_t lease = lease_ms(w), sharp = sharp_ms(w, &w->nodes[i], o);
	int64_t left = w->paused ? INT64_MAX : world_lock_left_ms(w, i);

	t->n_proofs++;
	t->n_outlives += lease > left;
	t->n_outlives_sharp += sharp > left;
	if (lease - left > t->worst_ms)
		t->worst_ms = lease - left;
	if (sharp - left > t->worst_sharp_ms)
		t->worst_sharp_ms = sharp - left;
	if (left < lease)
		return;
	t->n_false += sharp < 2 * ASKED_EVERY_MS;
	t->shortest_ms = less(t->shortest_ms, sharp);
}

static bool proves(const struct observation *o)
{
	return o->outcome == OUTCOME_ANSWERED && o->http_status == 200 &&
	       o->claim == CLAIM_PRIMARY && o->state == PG_RUNNING;
}

/* A minute with the leader, whatever happens after the first seconds. */
static void live(uint64_t seed, enum trouble what, bool cached_reads, struct tally *t)
{
	struct world w;
	struct observation asked = {.question = ASK_PRIMARY}, o;
	int64_t begins_ms, ends_ms;

	world_init(&w, seed, false);
	w.standby = w.steals = false;
	w.cached_reads = cached_reads;
	w.failsafe_mode = what == TROUBLE_FAILSAFE;
	w.paused = what == TROUBLE_PAUSE;
	world_establish(&w);
	world_calm(&w);
	asked.member = (unsigned)w.lock_holder;
	world_advance(&w, w.now_ms + 20000 + (int64_t)world_chance(&w, 10000));
	begins_ms = w.now_ms;
	ends_ms = begins_ms + 60000;
	make_trouble(&w, what, asked.member);
	while (w.now_ms < ends_ms) {
		if (what == TROUBLE_OUTSIDER)
			w.nodes[asked.member].dcs_seen_ms =
				world_wall_ms(&w, &w.nodes[asked.member]);
		world_answer(&w, &asked, 3000, &o);
		if (proves(&o))
			note_proof(t, &w, asked.member, &o);
		world_advance(&w, w.now_ms + ASKED_EVERY_MS);
	}
}

static struct tally measure(enum trouble what, bool cached_reads)
{
	static const char *const names[N_TROUBLES] = {
		"no trouble",     "DCS cut from the leader",
		"DCS slow",       "loop hangs, others ask /cluster",
		"clock set",      "DCS down, failsafe mode",
		"DCS down, pause"};
	const char *many = getenv("SEEDS");
	uint64_t n = many ? strtoull(many, NULL, 10) : 2000;
	struct tally t = {.shortest_ms = INT64_MAX};

	for (uint64_t seed = 1; seed <= n / (2 * N_TROUBLES) + 1; seed++)
		live(seed, what, cached_reads, &t);
	print_message("%-32s %-6s  %6u proofs; outlive the lock: %5u (worst %5.1f s) today, "
		      "%5u (%5.1f s) sharper; good locks cut: %4u, shortest %5.1f s\n",
		      names[what], cached_reads ? "cached" : "direct", t.n_proofs, t.n_outlives,
		      (double)t.worst_ms / 1000, t.n_outlives_sharp,
		      (double)t.worst_sharp_ms / 1000, t.n_false, (double)t.shortest_ms / 1000);
	return t;
}

static void test_a_read_from_a_cache_leaves_the_hole_open(void **state)
{
	struct tally direct = measure(TROUBLE_CUT, false), cached = measure(TROUBLE_CUT, true);

	(void)state;
	assert_true(direct.n_outlives > 0 && cached.n_outlives > 0); /* there is a hole */
	assert_int_equal(direct.n_outlives_sharp, 0); /* a read that is one closes it */
	assert_int_equal(cached.n_outlives_sharp, cached.n_outlives);
}

static void test_somebody_elses_read_leaves_the_hole_open(void **state)
{
	struct tally t = measure(TROUBLE_OUTSIDER, false);

	(void)state;
	assert_true(t.n_outlives > 0);
	assert_int_equal(t.n_outlives_sharp, t.n_outlives);
}

static void test_a_clock_set_forwards_cuts_a_good_primary(void **state)
{
	struct tally direct = measure(TROUBLE_CLOCK, false), cached = measure(TROUBLE_CLOCK, true);

	(void)state;
	assert_true(direct.n_false > 0 && cached.n_false > 0);
}

/* Where the candidate does no harm. */
static void test_flags_spare_failsafe_mode_and_pause(void **state)
{
	static const enum trouble harmless[] = {TROUBLE_NONE, TROUBLE_SLOW, TROUBLE_FAILSAFE,
						TROUBLE_PAUSE};

	(void)state;
	for (size_t i = 0; i < sizeof(harmless) / sizeof(harmless[0]); i++)
		for (int cached = 0; cached < 2; cached++)
			assert_int_equal(measure(harmless[i], cached).n_false, 0);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_a_read_from_a_cache_leaves_the_hole_open),
		cmocka_unit_test(test_somebody_elses_read_leaves_the_hole_open),
		cmocka_unit_test(test_a_clock_set_forwards_cuts_a_good_primary),
		cmocka_unit_test(test_flags_spare_failsafe_mode_and_pause),
	};

	return cmocka_run_group_tests_name("dcs_last_seen", tests, NULL, NULL);
}
