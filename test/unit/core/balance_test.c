/* Picking a server: fair turns, least load, weighted chance, and who is passed over. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "core/balance.h"
#include "view_fixture.h"

enum { READ = 1, MAX_SERVERS = 8 };

struct world {
	struct view *view;
	unsigned sessions[MAX_SERVERS];
	struct rng rng;
	struct balance_input in;
};

static void world_init(struct world *w, enum balance method, const unsigned *weights, unsigned n)
{
	memset(w, 0, sizeof(*w));
	w->view = fixture_view(weights, n);
	fixture_open_all(w->view);
	rng_seed(&w->rng, 7);
	w->in = (struct balance_input){.listener = &w->view->listeners[READ],
				       .method = method,
				       .sessions = w->sessions,
				       .rng = &w->rng};
}

static void world_fini(struct world *w)
{
	view_unref(w->view);
}

static int pick(struct world *w)
{
	bool full = true;
	int i = balance_pick(&w->in, &full);

	assert_false(full);
	return i;
}

static void test_roundrobin_alternates(void **state)
{
	struct world w;

	(void)state;
	world_init(&w, BALANCE_ROUNDROBIN, (unsigned[]){100, 100}, 2);
	for (w.in.turn = 0; w.in.turn < 10; w.in.turn++)
		assert_int_equal(pick(&w), w.in.turn % 2);
	world_fini(&w);
}

static void test_roundrobin_counts_through_the_end_of_its_counter(void **state)
{
	struct world w;

	(void)state;
	world_init(&w, BALANCE_ROUNDROBIN, (unsigned[]){100, 100, 100}, 3);
	w.in.turn = UINT64_MAX; /* a multiple of 3 */
	assert_int_equal(pick(&w), 0);
	w.in.turn = UINT64_MAX - 1;
	assert_int_equal(pick(&w), 2);
	world_fini(&w);
}

static void test_roundrobin_follows_the_weights(void **state)
{
	unsigned chosen[3] = {0};
	struct world w;

	(void)state;
	world_init(&w, BALANCE_ROUNDROBIN, (unsigned[]){50, 100, 0}, 3);
	for (w.in.turn = 0; w.in.turn < 300; w.in.turn++)
		chosen[pick(&w)]++;
	assert_int_equal(chosen[0], 100);
	assert_int_equal(chosen[1], 200);
	assert_int_equal(chosen[2], 0);
	world_fini(&w);
}

static void test_every_method_skips_tried_and_full_servers(void **state)
{
	(void)state;
	for (int method = BALANCE_ROUNDROBIN; method <= BALANCE_RANDOM; method++) {
		struct world w;

		world_init(&w, (enum balance)method, (unsigned[]){100, 100, 100}, 3);
		w.in.tried = 1u << 0;
		w.in.limits = (unsigned[]){9, 5, 9};
		w.sessions[1] = 5;
		for (w.in.turn = 0; w.in.turn < 20; w.in.turn++)
			assert_int_equal(pick(&w), 2);
		world_fini(&w);
	}
}

static void test_every_method_tells_full_from_tried_and_from_none(void **state)
{
	(void)state;
	for (int method = BALANCE_ROUNDROBIN; method <= BALANCE_RANDOM; method++) {
		struct world w;
		bool full;

		world_init(&w, (enum balance)method, (unsigned[]){100, 100}, 2);
		w.in.limits = (unsigned[]){1, 1};
		w.sessions[0] = w.sessions[1] = 1;
		assert_int_equal(balance_pick(&w.in, &full), -1);
		assert_true(full);
		w.in.tried = 1; /* the other one is still full */
		assert_int_equal(balance_pick(&w.in, &full), -1);
		assert_true(full);
		w.in.tried = 3;
		assert_int_equal(balance_pick(&w.in, &full), -1);
		assert_false(full);
		w.in.tried = 0;
		w.view->listeners[READ].servers[0].state = SERVER_CLOSED;
		w.view->listeners[READ].servers[1].state = SERVER_KEPT;
		view_finish(w.view);
		assert_int_equal(balance_pick(&w.in, &full), -1);
		assert_false(full);
		world_fini(&w);
	}
}

static void test_leastconn_takes_the_emptiest_by_weight(void **state)
{
	struct world w;

	(void)state;
	world_init(&w, BALANCE_LEASTCONN, (unsigned[]){100, 50}, 2);
	w.sessions[0] = 10;
	w.sessions[1] = 6; /* 10/100 < 6/50 */
	assert_int_equal(pick(&w), 0);
	w.sessions[1] = 4; /* 10/100 > 4/50 */
	assert_int_equal(pick(&w), 1);
	world_fini(&w);
}

static void test_leastconn_shares_idle_servers_by_turn(void **state)
{
	struct world w;

	(void)state;
	world_init(&w, BALANCE_LEASTCONN, (unsigned[]){100, 100, 100}, 3);
	for (w.in.turn = 0; w.in.turn < 9; w.in.turn++)
		assert_int_equal(pick(&w), w.in.turn % 3);
	world_fini(&w);
}

static void test_leastconn_does_not_overflow(void **state)
{
	struct world w;

	(void)state;
	world_init(&w, BALANCE_LEASTCONN, (unsigned[]){256, 255}, 2);
	w.sessions[0] = UINT32_MAX;
	w.sessions[1] = UINT32_MAX - 1;
	assert_int_equal(pick(&w), 0);
	world_fini(&w);
}

/* Two draws that tie keep the first: with equal loads per weight the chance is the weight's. */
static void test_random_follows_the_weights_when_loads_are_equal(void **state)
{
	unsigned chosen[3] = {0};
	struct world w;

	(void)state;
	world_init(&w, BALANCE_RANDOM, (unsigned[]){200, 100, 0}, 3);
	for (unsigned i = 0; i < 3000; i++)
		chosen[pick(&w)]++;
	assert_in_range(chosen[0], 1850, 2150);
	assert_in_range(chosen[1], 850, 1150);
	assert_int_equal(chosen[2], 0);
	world_fini(&w);
}

static void test_random_prefers_the_less_loaded_of_two_draws(void **state)
{
	unsigned chosen[2] = {0};
	struct world w;

	(void)state;
	world_init(&w, BALANCE_RANDOM, (unsigned[]){100, 100}, 2);
	w.sessions[0] = 50;
	for (unsigned i = 0; i < 4000; i++)
		chosen[pick(&w)]++;
	assert_in_range(chosen[0], 850, 1150); /* a quarter: both draws were its */
	world_fini(&w);
}

static void test_same_seed_same_picks(void **state)
{
	struct world a, b;

	(void)state;
	world_init(&a, BALANCE_RANDOM, (unsigned[]){100, 70, 30}, 3);
	world_init(&b, BALANCE_RANDOM, (unsigned[]){100, 70, 30}, 3);
	for (unsigned i = 0; i < 100; i++)
		assert_int_equal(pick(&a), pick(&b));
	world_fini(&a);
	world_fini(&b);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_roundrobin_alternates),
		cmocka_unit_test(test_roundrobin_counts_through_the_end_of_its_counter),
		cmocka_unit_test(test_roundrobin_follows_the_weights),
		cmocka_unit_test(test_every_method_skips_tried_and_full_servers),
		cmocka_unit_test(test_every_method_tells_full_from_tried_and_from_none),
		cmocka_unit_test(test_leastconn_takes_the_emptiest_by_weight),
		cmocka_unit_test(test_leastconn_shares_idle_servers_by_turn),
		cmocka_unit_test(test_leastconn_does_not_overflow),
		cmocka_unit_test(test_random_follows_the_weights_when_loads_are_equal),
		cmocka_unit_test(test_random_prefers_the_less_loaded_of_two_draws),
		cmocka_unit_test(test_same_seed_same_picks),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
