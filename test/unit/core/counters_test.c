/* The scoreboard: rows of their own, sums over workers, limits that hold under contention. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "config_copy.h"
#include "core/counters.h"
#include "view_fixture.h"
#include <pthread.h>

static void test_rows_are_listeners_then_servers(void **state)
{
	struct config *c = fixture_config((unsigned[]){100, 100, 100}, 3);

	(void)state;
	assert_int_equal(counters_rows(c), 2 + 3 + 3);
	assert_int_equal(counters_server_row(c, 0, 0), 2);
	assert_int_equal(counters_server_row(c, 0, 2), 4);
	assert_int_equal(counters_server_row(c, 1, 0), 5);
	assert_int_equal(counters_server_row(c, 1, 2), 7);
	config_unref(c);
}

static void test_rows_follow_each_listeners_cluster(void **state)
{
	struct config *c = fixture_config((unsigned[]){100, 100, 100}, 3);

	(void)state;
	c->clusters = xrealloc(c->clusters, 2 * sizeof(*c->clusters));
	c->clusters[1] = (struct cluster_config){.name = xstrdup("other")};
	c->n_clusters = 2;
	c->members[2].cluster = 1;
	c->listeners[0].cluster = 1;
	config_finish(c);
	assert_int_equal(counters_rows(c), 2 + 1 + 2);
	assert_int_equal(counters_server_row(c, 0, 0), 2);
	assert_int_equal(counters_server_row(c, 1, 0), 3);
	config_unref(c);
}

static void test_sum_is_over_all_workers_of_one_row(void **state)
{
	struct config *c = fixture_config((unsigned[]){100, 100}, 2);
	struct scoreboard *s = scoreboard_new(c, 3);
	struct counters_sum sum;

	(void)state;
	for (unsigned w = 0; w < 3; w++) {
		struct counters *row = scoreboard_row(s, w, 4);

		COUNT(row, sessions, w + 1);
		COUNT(row, bytes_in, 1000u);
		COUNT(row, closes[CLOSE_FENCED], 2u);
		COUNT(scoreboard_row(s, w, 5), sessions, 100u);
	}
	scoreboard_sum(s, 4, &sum);
	assert_int_equal(sum.sessions, 6);
	assert_int_equal(sum.bytes_in, 3000);
	assert_int_equal(sum.closes[CLOSE_FENCED], 6);
	assert_int_equal(sum.closes[CLOSE_CLIENT], 0);
	assert_int_equal(sum.connected, 0);
	scoreboard_free(s);
	config_unref(c);
}

/* What its listeners moved is summed, what their servers did is the same bytes again. */
static void test_a_workers_numbers_are_its_own(void **state)
{
	struct config *c = fixture_config((unsigned[]){100, 100}, 2);
	struct scoreboard *s = scoreboard_new(c, 2);
	struct worker_numbers n;

	(void)state;
	assert_int_equal((uintptr_t)&s->workers[1] % alignof(struct worker_stats), 0);
	for (unsigned row = 0; row < s->n_rows; row++) {
		COUNT(scoreboard_row(s, 1, row), coalesced, 10u);
		COUNT(scoreboard_row(s, 1, row), spliced, 100u);
	}
	COUNT(&s->workers[1], turns, 3);
	NOTE(&s->workers[1], longest_turn_us, 1234);
	NOTE(&s->workers[1], generation, 7);
	for (unsigned reading = 0; reading < 2; reading++) {
		scoreboard_worker(s, 1, 2, &n);
		assert_int_equal(n.turns, 3);
		assert_int_equal(n.longest_turn_us, 1234);
		assert_int_equal(n.generation, 7);
		assert_int_equal(n.coalesced, 20);
		assert_int_equal(n.spliced, 200);
	}
	scoreboard_worker(s, 0, 2, &n);
	assert_int_equal(n.turns + n.longest_turn_us + n.generation + n.coalesced + n.spliced, 0);
	scoreboard_free(s);
	config_unref(c);
}

static void test_no_two_rows_share_a_cache_line(void **state)
{
	struct config *c = fixture_config((unsigned[]){100}, 1);
	struct scoreboard *s = scoreboard_new(c, 2);

	(void)state;
	for (unsigned w = 0; w < 2; w++)
		for (unsigned r = 0; r < s->n_rows; r++)
			assert_int_equal((uintptr_t)scoreboard_row(s, w, r) % 64, 0);
	for (unsigned r = 0; r < s->n_rows; r++)
		assert_int_equal((uintptr_t)&s->gauges[r] % 64, 0);
	scoreboard_free(s);
	scoreboard_free(NULL);
	config_unref(c);
}

static void test_gauge_stops_at_its_limit_and_keeps_the_maximum(void **state)
{
	struct gauge g = {.limit = 2};

	(void)state;
	assert_true(gauge_enter(&g));
	assert_true(gauge_enter(&g));
	assert_false(gauge_enter(&g));
	gauge_leave(&g);
	assert_true(gauge_enter(&g));
	gauge_leave(&g);
	gauge_leave(&g);
	assert_int_equal(atomic_load(&g.now), 0);
	assert_int_equal(atomic_load(&g.max), 2);
}

static void test_a_limit_can_be_changed_while_it_counts(void **state)
{
	struct gauge g = {.limit = GAUGE_UNLIMITED};

	(void)state;
	for (unsigned i = 0; i < 3; i++)
		assert_true(gauge_enter(&g));
	atomic_store(&g.limit, 2); /* nobody is thrown out, and nobody comes in */
	assert_false(gauge_enter(&g));
	gauge_leave(&g);
	assert_false(gauge_enter(&g));
	gauge_leave(&g);
	assert_true(gauge_enter(&g));
	atomic_store(&g.limit, 0);
	assert_false(gauge_enter(&g));
	gauge_enter_anyway(&g);
	assert_int_equal(atomic_load(&g.now), 3);
}

static void test_maxima_begin_again_from_what_is_now(void **state)
{
	struct gauge g = {.limit = 9, .held_ms_max = 4, .connect_ms_max = 5, .session_ms_max = 6};

	(void)state;
	assert_true(gauge_enter(&g));
	assert_true(gauge_enter(&g));
	gauge_leave(&g);
	gauge_forget_maxima(&g);
	assert_int_equal(atomic_load(&g.max), 1);
	assert_int_equal(g.held_ms_max + g.connect_ms_max + g.session_ms_max, 0);
	assert_true(gauge_enter(&g));
	assert_int_equal(atomic_load(&g.max), 2);
}

static void test_a_scoreboard_begins_with_the_configured_limits(void **state)
{
	struct config *c = fixture_config((unsigned[]){100, 100}, 2);
	struct scoreboard *s;
	unsigned row = counters_server_row(c, 0, 0);

	(void)state;
	c->maxconn = 77;
	c->listeners[0].maxconn = 50;
	c->listeners[0].hold_max = 5;
	c->listeners[0].server_maxconn = 20;
	s = scoreboard_new(c, 1);
	assert_int_equal(s->maxconn, 77);
	assert_int_equal(s->gauges[0].limit, 50);
	assert_int_equal(s->holds[0].limit, 5);
	assert_int_equal(s->gauges[row].limit, 20);
	assert_int_equal(s->gauges[counters_server_row(c, 1, 0)].limit, GAUGE_UNLIMITED);
	assert_int_equal(s->frontends[0], FRONTEND_OPEN);
	assert_int_equal(s->rate.per_second[RATE_SESSIONS], 0);
	scoreboard_free(s);
	config_unref(c);
}

enum { THREADS = 4, ROUNDS = 20000, LIMIT = 2 };

struct crowd {
	struct gauge gauge;
	_Atomic unsigned entered;
};

static void *enter_and_leave(void *arg)
{
	struct crowd *c = arg;

	for (unsigned i = 0; i < ROUNDS; i++)
		if (gauge_enter(&c->gauge)) {
			atomic_fetch_add(&c->entered, 1);
			gauge_leave(&c->gauge);
		}
	return NULL;
}

static void test_gauge_holds_its_limit_among_threads(void **state)
{
	struct crowd c = {.gauge.limit = LIMIT};
	pthread_t threads[THREADS];

	(void)state;
	for (unsigned i = 0; i < THREADS; i++)
		assert_int_equal(pthread_create(&threads[i], NULL, enter_and_leave, &c), 0);
	for (unsigned i = 0; i < THREADS; i++)
		pthread_join(threads[i], NULL);
	assert_int_equal(atomic_load(&c.gauge.now), 0);
	assert_in_range(atomic_load(&c.gauge.max), 1, LIMIT);
	assert_true(atomic_load(&c.entered) > 0);
}

static void test_a_member_is_heard_at_any_listener_by_any_worker(void **state)
{
	struct config *c = fixture_config((unsigned[]){100, 100}, 2);
	struct scoreboard *s = scoreboard_new(c, 2);

	(void)state;
	assert_int_equal(scoreboard_heard_ms(s, c, 1), 0);
	atomic_store(&scoreboard_row(s, 0, counters_server_row(c, 0, 1))->heard_ms, 70);
	atomic_store(&scoreboard_row(s, 1, counters_server_row(c, 1, 1))->heard_ms, 90);
	atomic_store(&scoreboard_row(s, 1, counters_server_row(c, 1, 0))->heard_ms, 100);
	assert_int_equal(scoreboard_heard_ms(s, c, 1), 90);
	assert_int_equal(scoreboard_heard_ms(s, c, 0), 100);
	scoreboard_free(s);
	config_unref(c);
}

static void reload_with(struct scoreboard *s, struct config **now, unsigned maxconn)
{
	struct config *next = config_copy(*now);

	next->maxconn = next->listeners[0].maxconn = maxconn;
	config_finish(next);
	scoreboard_take_config(s, *now, next);
	config_unref(*now);
	*now = next;
}

static void test_an_operators_limits_outlive_a_reload_where_there_is_room(void **state)
{
	struct config *c = fixture_config((unsigned[]){100, 100}, 2);
	struct scoreboard *s = scoreboard_new(c, 1);

	(void)state;
	reload_with(s, &c, 1000);
	assert_int_equal(s->maxconn, 1000);
	assert_int_equal(s->gauges[0].limit, 1000);
	NOTE(s, maxconn, 800);
	NOTE(&s->gauges[0], limit, 800);
	reload_with(s, &c, 900);
	assert_int_equal(s->maxconn, 800);
	assert_int_equal(s->gauges[0].limit, 800);
	reload_with(s, &c, 500); /* sessions have memory and descriptors for so many */
	assert_int_equal(s->maxconn, 500);
	assert_int_equal(s->gauges[0].limit, 800);
	scoreboard_free(s);
	config_unref(c);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_rows_are_listeners_then_servers),
		cmocka_unit_test(test_rows_follow_each_listeners_cluster),
		cmocka_unit_test(test_sum_is_over_all_workers_of_one_row),
		cmocka_unit_test(test_a_workers_numbers_are_its_own),
		cmocka_unit_test(test_no_two_rows_share_a_cache_line),
		cmocka_unit_test(test_gauge_stops_at_its_limit_and_keeps_the_maximum),
		cmocka_unit_test(test_a_limit_can_be_changed_while_it_counts),
		cmocka_unit_test(test_maxima_begin_again_from_what_is_now),
		cmocka_unit_test(test_a_scoreboard_begins_with_the_configured_limits),
		cmocka_unit_test(test_gauge_holds_its_limit_among_threads),
		cmocka_unit_test(test_an_operators_limits_outlive_a_reload_where_there_is_room),
		cmocka_unit_test(test_a_member_is_heard_at_any_listener_by_any_worker),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
