/* Readers' servers, cause by cause: lag, the tag noloadbalance, the primary as a last resort. */
#include "monitor_story.h"

enum { LIMIT = 1000 };

static struct story *lag_story(enum policy on_lag)
{
	struct story *s = story_new(3);

	s->config->listeners[READ].has_max_lag = true;
	s->config->listeners[READ].max_lag_bytes = LIMIT;
	s->config->listeners[READ].on_lag = on_lag;
	story_begin(s);
	return s;
}

static struct story *fallback_story(unsigned n_members)
{
	struct story *s = story_new(n_members);

	s->config->listeners[READ].fallback = FALLBACK_PRIMARY;
	story_begin(s);
	return s;
}

static const struct view_server *server_of(const struct story *s, unsigned listener,
					   unsigned server)
{
	return &s->view->listeners[listener].servers[server];
}

/* ---- lag ---- */

static void test_a_replica_over_the_limit_leaves_and_comes_back_at_half_of_it(void **state)
{
	struct story *s = lag_story(POLICY_KEEP);
	unsigned generation = story_generation(s, READ, 1);

	(void)state;
	assert_int_equal(story_state(s, READ, 1), SERVER_OPEN);
	s->acts[1].lsn = 5000 - LIMIT;
	story_run(s, 1100);
	assert_int_equal(story_state(s, READ, 1), SERVER_OPEN);
	s->acts[1].lsn = 5000 - LIMIT - 1;
	story_run(s, 1100);
	assert_int_equal(story_state(s, READ, 1), SERVER_KEPT);
	assert_int_equal(story_why(s, READ, 1), WHY_LAGGING);
	assert_int_equal(story_state(s, READ, 2), SERVER_OPEN);
	s->acts[1].lsn = 5000 - LIMIT / 2 - 1;
	story_run(s, 5000);
	assert_int_equal(story_state(s, READ, 1), SERVER_KEPT);
	s->acts[1].lsn = 5000 - LIMIT / 2;
	story_run(s, 1100);
	assert_int_equal(story_state(s, READ, 1), SERVER_OPEN);
	assert_int_equal(story_generation(s, READ, 1), generation); /* nobody was cut */
	story_end(s);
}

static void test_on_lag_close_cuts_what_is_there(void **state)
{
	struct story *s = lag_story(POLICY_CLOSE);
	unsigned generation = story_generation(s, READ, 1);

	(void)state;
	s->acts[1].lsn = 1;
	story_run(s, 1100);
	assert_int_equal(story_state(s, READ, 1), SERVER_CLOSED);
	assert_int_equal(story_cut(s, READ, 1), CLOSE_LAGGING);
	assert_int_equal(story_generation(s, READ, 1), generation + 1);
	story_end(s);
}

/* The primary writes 100 MB/s, its replicas are with it. Rounds are a second apart. */
static void test_a_busy_primary_makes_nobody_look_late(void **state)
{
	struct story *s = lag_story(POLICY_CLOSE);
	const uint64_t per_ms = 100 << 10;

	(void)state;
	view_unref(s->view);
	monitor_free(s->monitor);
	s->view = NULL;
	s->config->listeners[READ].max_lag_bytes = 1 << 20; /* 10 ms of writing */
	s->acts[0].rest_ms = 7;
	s->acts[2].rest_ms = 14;
	memset(s->rest, 0, sizeof(s->rest));
	story_open(s);
	for (unsigned ms = 0; ms < 20000; ms++) {
		for (unsigned i = 0; i < 3; i++)
			s->acts[i].lsn += per_ms;
		story_run(s, 1);
		if (ms < 1000)
			continue;
		for (unsigned i = 1; i < 3; i++)
			assert_int_equal(story_state(s, READ, i), SERVER_OPEN);
	}
	s->acts[1].lsn -= 3 << 20; /* and one is really behind */
	for (unsigned ms = 0; ms < 2000; ms++) {
		for (unsigned i = 0; i < 3; i++)
			s->acts[i].lsn += per_ms;
		story_run(s, 1);
	}
	assert_int_equal(story_why(s, READ, 1), WHY_LAGGING);
	assert_int_equal(story_state(s, READ, 2), SERVER_OPEN);
	story_end(s);
}

static void test_all_members_are_asked_at_the_same_moment(void **state)
{
	struct story *s = story_new(3);

	(void)state;
	story_begin(s);
	story_run(s, 3000);
	for (unsigned round = 0; round < 20; round++) {
		assert_int_equal(s->last_asked_ms[0], s->last_asked_ms[1]);
		assert_int_equal(s->last_asked_ms[0], s->last_asked_ms[2]);
		story_run(s, s->tick_ms - s->now_ms + 10);
	}
	story_end(s);
}

static void test_a_slow_member_hurries_nobody_much(void **state)
{
	struct story *s = story_new(3);

	(void)state;
	s->acts[2].rest_ms = 290; /* twice in a round, and not yet late */
	story_begin(s);
	story_run(s, 60000);
	story_forget(s);
	story_run(s, 60000);
	assert_in_range(s->n_asked[0][ASK_PRIMARY], 60, 120);
	assert_in_range(s->n_asked[1][ASK_PRIMARY], 60, 120);
	assert_int_equal(story_state(s, READ, 2), SERVER_OPEN);
	story_end(s);
}

static void test_a_replica_that_never_says_its_position_is_not_eligible(void **state)
{
	struct story *s = story_new(2);

	(void)state;
	s->config->listeners[READ].has_max_lag = true;
	s->config->listeners[READ].max_lag_bytes = LIMIT;
	s->acts[1].lsn = 0;
	story_begin(s);
	assert_int_equal(story_state(s, READ, 1), SERVER_CLOSED);
	assert_int_equal(story_why(s, READ, 1), WHY_LAG_UNKNOWN);
	assert_int_equal(s->view->listeners[READ].none_why, WHY_LAG_UNKNOWN);
	s->acts[1].lsn = 5000;
	assert_in_range(story_time_until(s, READ, 1, SERVER_OPEN, 2000), 0, 1100);
	story_end(s);
}

static void test_a_position_that_is_not_told_any_more_is_missed_after_a_lease(void **state)
{
	struct story *s = lag_story(POLICY_CLOSE);
	unsigned generation = story_generation(s, READ, 1);

	(void)state;
	s->acts[1].lsn = 0;
	story_run(s, 9000);
	assert_int_equal(story_state(s, READ, 1), SERVER_OPEN);
	story_run(s, 3000);
	assert_int_equal(story_state(s, READ, 1), SERVER_KEPT); /* nothing is known to be too far */
	assert_int_equal(story_why(s, READ, 1), WHY_LAG_UNKNOWN);
	assert_int_equal(story_generation(s, READ, 1), generation);
	story_end(s);
}

static void test_while_there_is_no_primary_readers_keep_their_servers(void **state)
{
	struct story *s = lag_story(POLICY_KEEP);

	(void)state;
	s->acts[2].lsn = 1;
	story_run(s, 1100);
	story_silence(s, 0);
	story_run(s, 60000);
	assert_int_equal(story_leader(s), -1);
	assert_int_equal(story_state(s, READ, 1), SERVER_OPEN);
	assert_int_equal(story_why(s, READ, 2), WHY_LAGGING); /* the last verdict stands */
	assert_false(story_member(s, 2).lag_known);           /* and is not shown as news */
	story_end(s);
}

static void test_a_new_primary_finds_its_readers_where_they_were(void **state)
{
	struct story *s = lag_story(POLICY_KEEP);

	(void)state;
	s->acts[2].rest_ms = 40; /* the new one is heard first */
	story_silence(s, 0);
	story_run(s, 40000);
	s->acts[1] = story_primary(6);
	for (unsigned ms = 0; ms < 5000; ms++) {
		story_run(s, 1);
		assert_int_equal(story_state(s, READ, 2), SERVER_OPEN);
	}
	assert_int_equal(story_leader(s), 1);
	s->acts[1].lsn = 20000; /* it writes, and the other does not follow */
	story_run(s, 1100);
	assert_int_equal(story_why(s, READ, 2), WHY_LAGGING);
	story_end(s);
}

static void test_wal_beyond_the_new_primarys_is_unknown_after_a_lease(void **state)
{
	struct story *s = lag_story(POLICY_KEEP);

	(void)state;
	story_silence(s, 0);
	s->acts[1] = story_primary(6);
	s->acts[2].lsn = 5200; /* on timeline 5: received what the new primary never had */
	story_run(s, 5000);
	assert_int_equal(story_state(s, READ, 2), SERVER_OPEN);
	story_run(s, 10000);
	assert_int_equal(story_why(s, READ, 2), WHY_LAG_UNKNOWN);
	s->acts[2] = story_replica(6);
	story_run(s, 1100);
	assert_int_equal(story_state(s, READ, 2), SERVER_OPEN);
	story_end(s);
}

static void test_the_standby_leader_is_the_yardstick_of_a_standby_cluster(void **state)
{
	struct story *s = story_new(3);

	(void)state;
	s->config->listeners[READ].has_max_lag = true;
	s->config->listeners[READ].max_lag_bytes = LIMIT;
	s->acts[0].primary_status = 503;
	s->acts[0].claim = CLAIM_STANDBY_LEADER;
	s->acts[2].lsn = 1;
	story_begin(s);
	assert_int_equal(story_leader(s), -1);
	assert_int_equal(story_state(s, READ, 1), SERVER_OPEN);
	assert_int_equal(story_why(s, READ, 2), WHY_LAGGING);
	story_end(s);
}

static void test_a_primary_does_not_lag_where_any_is_served(void **state)
{
	struct story *s = story_new(2);

	(void)state;
	s->config->listeners[READ].serve = ROLE_BIT(ROLE_ANY);
	s->config->listeners[READ].has_max_lag = true;
	s->config->listeners[READ].max_lag_bytes = LIMIT;
	s->acts[1].lsn = 1;
	story_begin(s);
	assert_int_equal(story_state(s, READ, 0), SERVER_OPEN);
	assert_int_equal(story_why(s, READ, 1), WHY_LAGGING);
	story_end(s);
}

static void test_a_node_that_moved_is_measured_anew(void **state)
{
	struct story *s = lag_story(POLICY_KEEP);

	(void)state;
	s->acts[1].lsn = 0;
	story_address(s, 1, "10.0.0.77");
	story_run(s, 2000);
	assert_int_equal(story_why(s, READ, 1), WHY_LAG_UNKNOWN);
	story_end(s);
}

/* ---- noloadbalance ---- */

static void set_tag(struct story *s, unsigned member, bool tagged)
{
	s->acts[member].flags = tagged ? TAG_NOLOADBALANCE : 0;
	s->acts[member].roles =
		tagged ? 0 : ROLE_BIT(ROLE_REPLICA) | ROLE_BIT(ROLE_ASYNC); /* Patroni's 503 */
}

static void test_a_tagged_replica_keeps_its_sessions_and_takes_none(void **state)
{
	struct story *s = story_new(3);
	unsigned generation;

	(void)state;
	story_begin(s);
	generation = story_generation(s, READ, 1);
	set_tag(s, 1, true);
	story_run(s, 1100);
	assert_int_equal(story_state(s, READ, 1), SERVER_KEPT);
	assert_int_equal(story_why(s, READ, 1), WHY_NOLOADBALANCE);
	assert_int_equal(story_member(s, 1).why, WHY_NOLOADBALANCE);
	assert_int_equal(story_server(s, READ, 1).check_status, 503);
	set_tag(s, 1, false);
	story_run(s, 1100);
	assert_int_equal(story_state(s, READ, 1), SERVER_OPEN);
	assert_int_equal(story_generation(s, READ, 1), generation);
	story_end(s);
}

static void test_a_replica_that_is_tagged_from_the_start_serves_nobody(void **state)
{
	struct story *s = story_new(3);

	(void)state;
	set_tag(s, 1, true);
	story_begin(s);
	assert_int_equal(story_state(s, READ, 1), SERVER_CLOSED);
	assert_int_equal(story_why(s, READ, 1), WHY_NOLOADBALANCE);
	story_end(s);
}

static void test_a_tagged_replica_whose_postgres_stops_has_lost_its_role(void **state)
{
	struct story *s = story_new(3);

	(void)state;
	story_begin(s);
	set_tag(s, 1, true);
	story_run(s, 1100);
	s->acts[1].state = PG_STOPPED;
	story_run(s, 1100);
	assert_int_equal(story_state(s, READ, 1), SERVER_CLOSED);
	assert_int_equal(story_cut(s, READ, 1), CLOSE_DEMOTED);
	story_end(s);
}

static void test_the_tag_says_nothing_of_a_primary(void **state)
{
	struct story *s = story_new(2);

	(void)state;
	s->acts[0].flags = TAG_NOLOADBALANCE;
	story_add_listener(s, "any", 0, ROLE_BIT(ROLE_ANY));
	story_begin(s);
	assert_int_equal(story_state(s, WRITE, 0), SERVER_OPEN);
	assert_int_equal(story_state(s, 2, 0), SERVER_OPEN);
	story_end(s);
}

/* ---- the last resort ---- */

static void test_the_last_resort_serves_nobody_while_a_replica_does(void **state)
{
	struct story *s = fallback_story(3);

	(void)state;
	assert_int_equal(story_state(s, READ, 0), SERVER_CLOSED);
	assert_int_equal(story_why(s, READ, 0), WHY_LAST_RESORT);
	assert_int_equal(story_server(s, READ, 0).check_status, 200);
	assert_int_equal(story_server(s, READ, 0).downs, 0);
	story_silence(s, 1);
	story_run(s, 10000);
	assert_int_equal(story_state(s, READ, 0), SERVER_CLOSED);
	assert_int_equal(story_state(s, READ, 2), SERVER_OPEN);
	story_end(s);
}

static void test_without_a_replica_the_primary_serves_until_one_returns(void **state)
{
	struct story *s = fallback_story(2);

	(void)state;
	story_silence(s, 1);
	story_run(s, 10000);
	assert_int_equal(story_state(s, READ, 1), SERVER_CLOSED);
	assert_int_equal(story_state(s, READ, 0), SERVER_OPEN);
	assert_int_equal(story_why(s, READ, 0), WHY_LAST_RESORT);
	assert_false(server_of(s, READ, 0)->drain_back);
	assert_int_equal(s->view->listeners[READ].n_open, 1);
	s->acts[1] = story_replica(5);
	story_run(s, 2000);
	assert_int_equal(story_state(s, READ, 1), SERVER_OPEN);
	assert_int_equal(story_state(s, READ, 0), SERVER_KEPT);
	assert_int_equal(story_why(s, READ, 0), WHY_LAST_RESORT);
	assert_true(server_of(s, READ, 0)->drain_back);
	story_silence(s, 1);
	story_run(s, 10000);
	assert_int_equal(story_state(s, READ, 0), SERVER_OPEN);
	assert_false(server_of(s, READ, 0)->drain_back);
	assert_int_equal(story_server(s, READ, 0).downs, 0);
	story_end(s);
}

static void test_readers_stay_on_the_last_resort_until_a_replica_is_up(void **state)
{
	struct story *s = story_new(2);

	(void)state;
	s->config->listeners[READ].fallback = FALLBACK_PRIMARY;
	s->config->clusters[0].probe.rise = 3;
	story_begin(s);
	story_silence(s, 1);
	story_run(s, 10000);
	assert_int_equal(story_state(s, READ, 0), SERVER_OPEN);
	s->acts[1] = story_replica(5);
	while (story_state(s, READ, 1) != SERVER_OPEN) {
		assert_int_equal(story_state(s, READ, 0), SERVER_OPEN);
		story_run(s, 1);
	}
	assert_true(server_of(s, READ, 0)->drain_back);
	story_end(s);
}

static void test_every_cause_that_stops_new_sessions_calls_the_last_resort(void **state)
{
	struct story *s = story_new(2);

	(void)state;
	s->config->listeners[READ].fallback = FALLBACK_PRIMARY;
	s->config->listeners[READ].has_max_lag = true;
	s->config->listeners[READ].max_lag_bytes = LIMIT;
	story_begin(s);
	assert_int_equal(story_state(s, READ, 0), SERVER_CLOSED);
	s->acts[1].lsn = 1;
	story_run(s, 1100);
	assert_int_equal(story_state(s, READ, 0), SERVER_OPEN);
	s->acts[1].lsn = 5000;
	story_run(s, 1100);
	assert_int_equal(story_state(s, READ, 0), SERVER_KEPT);
	set_tag(s, 1, true);
	story_run(s, 1100);
	assert_int_equal(story_state(s, READ, 0), SERVER_OPEN);
	story_end(s);
}

static void test_a_replica_without_weight_is_no_reason_to_spare_the_primary(void **state)
{
	struct story *s = story_new(2);

	(void)state;
	s->config->members[1].weight = 0;
	s->config->listeners[READ].fallback = FALLBACK_PRIMARY;
	story_begin(s);
	assert_int_equal(story_state(s, READ, 1), SERVER_OPEN);
	assert_int_equal(story_state(s, READ, 0), SERVER_OPEN);
	story_end(s);
}

static void test_readers_on_the_primary_live_by_its_lease(void **state)
{
	struct story *s = fallback_story(2);

	(void)state;
	story_silence(s, 1);
	story_run(s, 10000);
	s->acts[0].rest = OUTCOME_TIMEOUT; /* a frozen Patroni */
	story_run(s, 9000);
	assert_int_equal(story_state(s, READ, 0), SERVER_OPEN);
	story_run(s, 2000);
	assert_int_equal(story_state(s, READ, 0), SERVER_CLOSED);
	assert_int_equal(story_cut(s, READ, 0), CLOSE_LEASE);
	assert_int_equal(s->view->listeners[READ].n_open, 0);
	story_end(s);
}

static void test_after_our_own_pause_readers_on_the_primary_stand_still(void **state)
{
	struct story *s = fallback_story(2);
	unsigned generation;

	(void)state;
	story_silence(s, 1);
	story_run(s, 10000);
	generation = story_generation(s, READ, 0);
	s->acts[0].rest_ms = 20;
	story_step(s, (struct event){.type = EV_PAUSE, .u.pause.slept_ms = 1500});
	assert_int_equal(story_state(s, READ, 0), SERVER_PAUSED);
	s->acts[1] = story_replica(5); /* it is back: they move on and are asked to leave */
	assert_true(story_time_until(s, READ, 0, SERVER_KEPT, 3000) >= 0);
	assert_true(server_of(s, READ, 0)->drain_back);
	assert_int_equal(story_generation(s, READ, 0), generation);
	story_end(s);
}

static void switch_over(struct story *s)
{
	s->acts[0].primary_status = 503;
	s->acts[0].claim = CLAIM_REPLICA;
	s->acts[0].timeline = 6;
	s->acts[0].roles = ROLE_BIT(ROLE_REPLICA);
	s->acts[1] = story_primary(6);
	story_run(s, 3000);
	assert_int_equal(story_leader(s), 1);
}

static void test_a_promoted_replicas_readers_follow_on_demotion(void **state)
{
	static const struct {
		enum policy policy;
		enum server_state state;
	} rows[] = {{POLICY_CLOSE, SERVER_CLOSED}, {POLICY_KEEP, SERVER_KEPT}};

	(void)state;
	for (unsigned i = 0; i < 2; i++) {
		struct story *s = story_new(3);
		unsigned generation;

		s->config->listeners[READ].fallback = FALLBACK_PRIMARY;
		s->config->listeners[READ].on_demotion = rows[i].policy;
		story_begin(s);
		generation = story_generation(s, READ, 1);
		switch_over(s);
		assert_int_equal(story_state(s, READ, 1), rows[i].state);
		assert_int_equal(story_generation(s, READ, 1) - generation,
				 rows[i].state == SERVER_CLOSED);
		assert_false(server_of(s, READ, 1)->drain_back); /* kept is kept */
		assert_int_equal(story_state(s, READ, 0), SERVER_OPEN);
		story_end(s);
	}
}

static void test_readers_of_the_only_replica_stay_on_it_when_it_is_promoted(void **state)
{
	struct story *s = fallback_story(2);
	unsigned generation = story_generation(s, READ, 1);

	(void)state;
	story_silence(s, 0);
	s->acts[1] = story_primary(6);
	story_run(s, 10000);
	assert_int_equal(story_state(s, READ, 1), SERVER_OPEN);
	assert_int_equal(story_why(s, READ, 1), WHY_LAST_RESORT);
	assert_int_equal(story_generation(s, READ, 1), generation);
	story_end(s);
}

static void test_a_last_resort_that_becomes_a_replica_is_one_of_the_right_ones(void **state)
{
	struct story *s = fallback_story(2);
	unsigned generation;

	(void)state;
	story_silence(s, 1);
	story_run(s, 10000);
	generation = story_generation(s, READ, 0);
	switch_over(s);
	assert_int_equal(story_state(s, READ, 0), SERVER_OPEN);
	assert_int_equal(story_why(s, READ, 0), WHY_ROLE_HELD);
	assert_true(story_generation(s, READ, 0) - generation <= 1);
	assert_int_not_equal(story_state(s, READ, 1), SERVER_OPEN);
	assert_int_equal(story_why(s, READ, 1), WHY_LAST_RESORT);
	story_end(s);
}

static void test_a_start_hears_the_replicas_before_it_takes_the_last_resort(void **state)
{
	struct story *s = story_new(3);

	(void)state;
	s->config->listeners[READ].fallback = FALLBACK_PRIMARY;
	s->config->clusters[0].probe.rise = 3;
	s->acts[1].rest_ms = s->acts[2].rest_ms = 40;
	story_open(s);
	for (unsigned ms = 0; ms < 3000; ms++) {
		story_run(s, 1);
		assert_int_equal(story_state(s, READ, 0), SERVER_CLOSED);
	}
	assert_int_equal(s->view->listeners[READ].n_open, 2);
	story_end(s);
}

static void test_a_start_does_not_wait_for_replicas_that_do_not_answer(void **state)
{
	struct story *s = story_new(3);

	(void)state;
	s->config->listeners[READ].fallback = FALLBACK_PRIMARY;
	story_silence(s, 1);
	s->acts[2].rest = s->acts[2].port = OUTCOME_REFUSED;
	story_open(s);
	assert_in_range(story_time_until(s, READ, 0, SERVER_OPEN, 2000), 0, 400);
	story_end(s);
}

static void test_operators_decide_over_the_last_resort_too(void **state)
{
	struct story *s = fallback_story(2);
	struct event ev = {.type = EV_OPERATOR};

	(void)state;
	ev.u.operator.listener = READ;
	ev.u.operator.state = ADMIN_DRAIN;
	story_step(s, ev);
	story_silence(s, 1);
	story_run(s, 10000);
	assert_int_equal(story_state(s, READ, 0), SERVER_CLOSED); /* nobody is there to be kept */
	assert_int_equal(story_why(s, READ, 0), WHY_DRAIN);
	assert_int_equal(s->view->listeners[READ].none_member, 1); /* not the primary's fault */
	ev.u.operator.state = ADMIN_READY;
	story_step(s, ev);
	assert_int_equal(story_state(s, READ, 0), SERVER_OPEN);
	story_end(s);
}

static void test_an_unchanged_world_makes_no_new_view(void **state)
{
	struct story *s = lag_story(POLICY_KEEP);
	uint64_t generation;

	(void)state;
	s->acts[1].lsn = 1;
	set_tag(s, 2, true);
	story_run(s, 3000);
	generation = s->view->generation;
	story_run(s, 60000);
	assert_int_equal(s->view->generation, generation);
	story_end(s);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_a_replica_over_the_limit_leaves_and_comes_back_at_half_of_it),
		cmocka_unit_test(test_on_lag_close_cuts_what_is_there),
		cmocka_unit_test(test_a_busy_primary_makes_nobody_look_late),
		cmocka_unit_test(test_all_members_are_asked_at_the_same_moment),
		cmocka_unit_test(test_a_slow_member_hurries_nobody_much),
		cmocka_unit_test(test_a_replica_that_never_says_its_position_is_not_eligible),
		cmocka_unit_test(test_a_position_that_is_not_told_any_more_is_missed_after_a_lease),
		cmocka_unit_test(test_while_there_is_no_primary_readers_keep_their_servers),
		cmocka_unit_test(test_a_new_primary_finds_its_readers_where_they_were),
		cmocka_unit_test(test_wal_beyond_the_new_primarys_is_unknown_after_a_lease),
		cmocka_unit_test(test_the_standby_leader_is_the_yardstick_of_a_standby_cluster),
		cmocka_unit_test(test_a_primary_does_not_lag_where_any_is_served),
		cmocka_unit_test(test_a_node_that_moved_is_measured_anew),
		cmocka_unit_test(test_a_tagged_replica_keeps_its_sessions_and_takes_none),
		cmocka_unit_test(test_a_replica_that_is_tagged_from_the_start_serves_nobody),
		cmocka_unit_test(test_a_tagged_replica_whose_postgres_stops_has_lost_its_role),
		cmocka_unit_test(test_the_tag_says_nothing_of_a_primary),
		cmocka_unit_test(test_the_last_resort_serves_nobody_while_a_replica_does),
		cmocka_unit_test(test_without_a_replica_the_primary_serves_until_one_returns),
		cmocka_unit_test(test_readers_stay_on_the_last_resort_until_a_replica_is_up),
		cmocka_unit_test(test_every_cause_that_stops_new_sessions_calls_the_last_resort),
		cmocka_unit_test(test_a_replica_without_weight_is_no_reason_to_spare_the_primary),
		cmocka_unit_test(test_readers_on_the_primary_live_by_its_lease),
		cmocka_unit_test(test_after_our_own_pause_readers_on_the_primary_stand_still),
		cmocka_unit_test(test_a_promoted_replicas_readers_follow_on_demotion),
		cmocka_unit_test(test_readers_of_the_only_replica_stay_on_it_when_it_is_promoted),
		cmocka_unit_test(
			test_a_last_resort_that_becomes_a_replica_is_one_of_the_right_ones),
		cmocka_unit_test(test_a_start_hears_the_replicas_before_it_takes_the_last_resort),
		cmocka_unit_test(test_a_start_does_not_wait_for_replicas_that_do_not_answer),
		cmocka_unit_test(test_operators_decide_over_the_last_resort_too),
		cmocka_unit_test(test_an_unchanged_world_makes_no_new_view),
	};

	return cmocka_run_group_tests_name("monitor_reads", tests, NULL, NULL);
}
