/* Rates, averages and up times, in made-up time. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "base/mem.h"
#include "control/history.h"
#include <stdlib.h>

enum { START_MS = 1000000 };

struct bench {
	struct config *config;
	struct scoreboard *board;
	struct view *view;
	struct history history;
};

static int setup(void **state)
{
	struct bench *b = xcalloc(1, sizeof(*b));
	struct config *c = b->config = config_new();

	c->n_clusters = c->n_members = c->n_listeners = 1;
	c->clusters = xcalloc(1, sizeof(*c->clusters));
	c->members = xcalloc(1, sizeof(*c->members));
	c->members[0].weight = 1;
	c->listeners = xcalloc(1, sizeof(*c->listeners));
	c->listeners[0].name = xstrdup("write");
	config_finish(c);
	b->board = scoreboard_new(c, 2);
	b->view = view_new(c);
	history_init(&b->history, b->board, 1, START_MS);
	*state = b;
	return 0;
}

static int teardown(void **state)
{
	struct bench *b = *state;

	history_fini(&b->history);
	view_unref(b->view);
	scoreboard_free(b->board);
	config_unref(b->config);
	free(b);
	return 0;
}

static void sessions(struct bench *b, unsigned worker, unsigned n)
{
	COUNT(scoreboard_row(b->board, worker, 0), sessions, n);
}

static struct row_facts row_at(struct bench *b, int64_t ms)
{
	struct row_facts r;

	history_row(&b->history, 0, START_MS + ms, &r);
	return r;
}

static void test_sessions_count_at_once_and_fade_over_the_next_second(void **state)
{
	struct bench *b = *state;

	sessions(b, 0, 6);
	sessions(b, 1, 4);
	assert_int_equal(row_at(b, 10).rate, 10);
	history_second(&b->history, START_MS + 1000, 0, 1);
	assert_int_equal(row_at(b, 1000).rate, 10);
	assert_int_equal(row_at(b, 1500).rate, 5);
	history_second(&b->history, START_MS + 2000, 0, 1);
	assert_int_equal(row_at(b, 2000).rate, 0);
	assert_int_equal(row_at(b, 2000).rate_max, 10);
}

static void test_a_second_that_lasted_longer_is_still_per_second(void **state)
{
	struct bench *b = *state;
	struct process_facts p = {0};

	sessions(b, 0, 40);
	history_second(&b->history, START_MS + 4000, 0, 1);
	assert_int_equal(row_at(b, 4000).rate, 10);
	history_process(&b->history, START_MS + 4000, &p);
	assert_int_equal(p.rate, 10);
	assert_int_equal(p.rate_max, 10);
}

static void test_averages_follow_the_last_thousand(void **state)
{
	struct bench *b = *state;
	struct counters *c = scoreboard_row(b->board, 0, 0);

	assert_int_equal(row_at(b, 0).session_ms_avg, 0);
	COUNT(c, ended, 10);
	COUNT(c, session_ms, 1000);
	assert_int_equal(row_at(b, 0).session_ms_avg, 100);
	COUNT(c, ended, 10);
	COUNT(c, session_ms, 3000);
	assert_int_equal(row_at(b, 0).session_ms_avg, 200); /* a plain mean while there are few */
	COUNT(c, ended, 5000);
	COUNT(c, session_ms, 5000 * 7);
	history_second(&b->history, START_MS + 1000, 0, 1);
	assert_int_equal(row_at(b, 1000).session_ms_avg, 7); /* what was before is forgotten */
	COUNT(c, connected, 4);
	COUNT(c, connect_ms, 8);
	assert_int_equal(row_at(b, 1000).connect_ms_avg, 2);
}

static void test_who_waits_is_read_with_the_age_of_the_first(void **state)
{
	struct bench *b = *state;
	struct counters *c = scoreboard_row(b->board, 0, 0);
	struct row_facts server;

	assert_int_equal(row_at(b, 0).waiting_now, 0);
	assert_int_equal(row_at(b, 0).waiting_ms, -1);
	gauge_enter_anyway(&b->board->holds[0]);
	gauge_enter_anyway(&b->board->holds[0]);
	c->held_since_ms = START_MS + 100;
	scoreboard_row(b->board, 1, 0)->held_since_ms = START_MS + 50;
	assert_int_equal(row_at(b, 350).waiting_now, 2);
	assert_int_equal(row_at(b, 350).waiting_ms, 300);
	assert_int_equal(row_at(b, 20).waiting_ms, 0); /* stamped by another thread just now */
	history_row(&b->history, 1, START_MS + 350, &server);
	assert_int_equal(server.waiting_now, 0);
	assert_int_equal(server.waiting_ms, -1);
	gauge_leave(&b->board->holds[0]);
	gauge_leave(&b->board->holds[0]);
	c->held_since_ms = scoreboard_row(b->board, 1, 0)->held_since_ms = 0;
	assert_int_equal(row_at(b, 400).waiting_now, 0);
	assert_int_equal(row_at(b, 400).waiting_max, 2);
	assert_int_equal(row_at(b, 400).waiting_ms, -1);
}

/* Who came while there was a server waited for nothing: the mean is over all, as in HAProxy. */
static void test_the_time_of_waiting_is_a_mean_over_all_sessions(void **state)
{
	struct bench *b = *state;
	struct counters *c = scoreboard_row(b->board, 0, 0);

	COUNT(c, connected, 8);
	COUNT(c, released, 2);
	COUNT(c, held_ms, 800);
	b->board->gauges[0].held_ms_max = 500;
	assert_int_equal(row_at(b, 0).held_ms_avg, 100);
	assert_int_equal(row_at(b, 0).held_ms_max, 500);
}

static void test_gauges_and_the_last_session_are_read(void **state)
{
	struct bench *b = *state;

	assert_int_equal(row_at(b, 0).last_session_ms_ago, -1);
	gauge_enter_anyway(&b->board->gauges[0]);
	gauge_enter_anyway(&b->board->gauges[0]);
	gauge_leave(&b->board->gauges[0]);
	b->board->gauges[0].last_ms = START_MS + 100;
	assert_int_equal(row_at(b, 350).sessions_now, 1);
	assert_int_equal(row_at(b, 350).sessions_max, 2);
	assert_int_equal(row_at(b, 350).last_session_ms_ago, 250);
	assert_int_equal(row_at(b, 50).last_session_ms_ago,
			 0); /* stamped by another thread just now */
}

static void expect_listener(struct bench *b, int64_t ms, bool up, int64_t since, unsigned downs,
			    int64_t down)
{
	struct listener_facts f;

	history_listener(&b->history, 0, START_MS + ms, &f);
	assert_int_equal(b->history.listeners[0].up, up);
	assert_int_equal(f.since_ms_ago, since);
	assert_int_equal(f.downs, downs);
	assert_int_equal(f.down_ms, down);
}

static void view_at(struct bench *b, int64_t ms, enum server_state state)
{
	b->view->listeners[0].servers[0].state = state;
	view_finish(b->view);
	history_view(&b->history, b->view, START_MS + ms);
}

static void test_a_listener_is_down_until_a_server_opens(void **state)
{
	struct bench *b = *state;

	expect_listener(b, 300, false, 300, 0, 300);
	view_at(b, 500, SERVER_OPEN);
	expect_listener(b, 2500, true, 2000, 0, 500);
	view_at(b, 3000, SERVER_OPEN);
	expect_listener(b, 3500, true, 3000, 0, 500);
	view_at(b, 4500, SERVER_KEPT);
	expect_listener(b, 5000, false, 500, 1, 1000);
	view_at(b, 5500, SERVER_OPEN);
	expect_listener(b, 6000, true, 500, 1, 1500);
}

static void test_idle_is_what_the_threads_did_not_use(void **state)
{
	struct bench *b = *state;
	struct process_facts p = {0};

	history_process(&b->history, START_MS, &p);
	assert_int_equal(p.idle_pct, 100);
	history_second(&b->history, START_MS + 1000, 500, 5);
	history_process(&b->history, START_MS + 1000, &p);
	assert_int_equal(p.idle_pct, 90);
	history_second(&b->history, START_MS + 2000, 9500, 5);
	history_process(&b->history, START_MS + 2000, &p);
	assert_int_equal(p.idle_pct, 0);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
#define TEST(f) cmocka_unit_test_setup_teardown(f, setup, teardown)
		TEST(test_sessions_count_at_once_and_fade_over_the_next_second),
		TEST(test_a_second_that_lasted_longer_is_still_per_second),
		TEST(test_averages_follow_the_last_thousand),
		TEST(test_who_waits_is_read_with_the_age_of_the_first),
		TEST(test_the_time_of_waiting_is_a_mean_over_all_sessions),
		TEST(test_gauges_and_the_last_session_are_read),
		TEST(test_a_listener_is_down_until_a_server_opens),
		TEST(test_idle_is_what_the_threads_did_not_use),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
