/* Another configuration while everything goes on: stories about what stays known (rule 10), and
 * when the changed keys begin to count. */
#include "config_copy.h"
#include "monitor_story.h"

/* The next configuration, to be changed; then it is in force. */
static struct config *next_of(const struct story *s)
{
	return config_copy(s->config);
}

static void reload(struct story *s, struct config *next)
{
	config_finish(next);
	story_step(s, (struct event){.type = EV_CONFIG, .u.config = next});
	assert_ptr_equal(s->view->config, next);
	config_unref(s->config);
	s->config = next;
}

static void reload_the_same(struct story *s)
{
	reload(s, next_of(s));
}

static const struct view_server *server(const struct story *s, unsigned listener, unsigned i)
{
	return &s->view->listeners[listener].servers[i];
}

static void order(struct story *s, unsigned listener, unsigned i, struct event ev)
{
	ev.type = EV_OPERATOR;
	ev.u.operator.listener = listener;
	ev.u.operator.server = i;
	story_step(s, ev);
}

/* ---- what stays known ---- */

static void test_the_same_file_again_changes_no_verdict(void **state)
{
	struct story *s = story_new(3);
	uint64_t generation;

	(void)state;
	story_begin(s);
	generation = s->view->generation;
	for (int i = 0; i < 50; i++) {
		reload_the_same(s);
		assert_int_equal(s->view->generation, ++generation);
		assert_int_equal(story_state(s, WRITE, 0), SERVER_OPEN);
		assert_int_equal(server(s, WRITE, 0)->why, WHY_PROVEN);
		assert_int_equal(story_state(s, READ, 1), SERVER_OPEN);
		assert_int_equal(story_state(s, READ, 2), SERVER_OPEN);
		story_run(s, 37);
	}
	assert_int_equal(s->n_changes, 0);
	assert_int_equal(story_cluster(s, 0).primary, 0);
	assert_int_equal(story_cluster(s, 0).primary_changes, 1);
	assert_false(story_cluster(s, 0).in_doubt);
	story_end(s);
}

static void test_a_lease_goes_on_through_reloads(void **state)
{
	struct story *s = story_new(3);
	int64_t silent_ms;

	(void)state;
	story_begin(s);
	s->acts[0].rest = OUTCOME_TIMEOUT; /* its port answers: sessions stay until the lease */
	silent_ms = s->now_ms;
	while (story_state(s, WRITE, 0) != SERVER_CLOSED && s->now_ms < silent_ms + 20000) {
		reload_the_same(s);
		story_run(s, 100);
	}
	assert_in_range(s->now_ms - silent_ms, 8900, 10200);
	assert_int_equal(server(s, WRITE, 0)->cut, CLOSE_LEASE);
	story_end(s);
}

static void test_a_demotion_stays_one_and_the_duty_to_cut_as_well(void **state)
{
	struct story *s = story_new(3);
	unsigned generation;

	(void)state;
	story_begin(s);
	generation = server(s, WRITE, 0)->generation;
	s->acts[0] = story_replica(5);
	story_run(s, 1100);
	assert_int_equal(story_state(s, WRITE, 0), SERVER_CLOSED);
	assert_int_equal(server(s, WRITE, 0)->generation, generation + 1);
	reload_the_same(s);
	assert_int_equal(story_state(s, WRITE, 0), SERVER_CLOSED);
	assert_int_equal(server(s, WRITE, 0)->cut, CLOSE_DEMOTED);
	assert_int_equal(server(s, WRITE, 0)->generation, generation + 1);
	assert_int_equal(story_cluster(s, 0).primary, -1);
	story_end(s);
}

static void test_what_was_asked_before_is_answered_after(void **state)
{
	struct story *s = story_new(3);

	(void)state;
	story_begin(s);
	for (unsigned i = 0; i < 3; i++)
		s->acts[i].rest_ms = 300;
	story_run(s, 1100);
	for (int i = 0; i < 100; i++) {
		reload_the_same(s); /* with a question on its way or not: never a second one */
		story_run(s, 23);
	}
	assert_int_equal(story_state(s, WRITE, 0), SERVER_OPEN);
	story_end(s);
}

static void test_a_pause_of_our_own_is_not_healed_by_a_reload(void **state)
{
	struct story *s = story_new(3);

	(void)state;
	story_begin(s);
	s->acts[0].rest = OUTCOME_TIMEOUT;
	story_step(s, (struct event){.type = EV_PAUSE, .u.pause.slept_ms = 2000});
	assert_int_equal(story_state(s, WRITE, 0), SERVER_PAUSED);
	reload_the_same(s);
	assert_int_equal(story_state(s, WRITE, 0), SERVER_PAUSED);
	story_end(s);
}

static void test_a_higher_timeline_is_remembered(void **state)
{
	struct story *s = story_new(3);

	(void)state;
	story_begin(s);
	s->acts[0].rest = s->acts[0].port = OUTCOME_TIMEOUT;
	s->acts[1] = story_primary(6);
	story_run(s, 5000);
	assert_int_equal(story_state(s, WRITE, 1), SERVER_OPEN);
	reload_the_same(s);
	s->acts[0] = story_primary(5); /* thawed, and still believes to be the primary */
	story_run(s, 5000);
	assert_int_equal(story_state(s, WRITE, 1), SERVER_OPEN);
	assert_int_equal(story_state(s, WRITE, 0), SERVER_CLOSED);
	story_end(s);
}

static void test_what_operators_ordered_stays(void **state)
{
	struct story *s = story_new(3);
	struct config *next;

	(void)state;
	story_begin(s);
	order(s, READ, 1, (struct event){.u.operator.state = ADMIN_DRAIN});
	order(s, WRITE, 0, (struct event){.u.operator.state = ADMIN_MAINT});
	order(s, READ, 2,
	      (struct event){.u.operator.word = OPERATOR_WEIGHT, .u.operator.weight = 7});
	next = next_of(s);
	next->members[1].weight = next->members[2].weight = 30;
	reload(s, next);
	assert_int_equal(server(s, READ, 1)->why, WHY_DRAIN);
	assert_int_equal(server(s, WRITE, 0)->why, WHY_MAINT);
	assert_int_equal(server(s, READ, 2)->weight, 7);
	assert_int_equal(server(s, READ, 1)->weight, 30);
	assert_int_equal(server(s, WRITE, 2)->weight, 30); /* another row, without an order */
	order(s, READ, 1, (struct event){.u.operator.state = ADMIN_READY});
	assert_int_equal(story_state(s, READ, 1), SERVER_OPEN);
	story_end(s);
}

/* ---- what changes ---- */

static void test_a_shorter_lease_ends_at_once_what_has_lasted_longer(void **state)
{
	struct story *s = story_new(3);
	struct config *next;

	(void)state;
	story_begin(s);
	s->acts[0].rest = OUTCOME_TIMEOUT;
	story_run(s, 7000);
	assert_int_not_equal(story_state(s, WRITE, 0), SERVER_CLOSED);
	next = next_of(s);
	next->clusters[0].probe.lease_ms = 5000;
	reload(s, next);
	assert_int_equal(story_state(s, WRITE, 0), SERVER_CLOSED);
	assert_int_equal(server(s, WRITE, 0)->cut, CLOSE_LEASE);
	story_end(s);
}

static void test_a_longer_lease_revives_nobody(void **state)
{
	struct story *s = story_new(3);
	struct config *next;

	(void)state;
	story_begin(s);
	s->acts[0].rest = OUTCOME_TIMEOUT;
	story_run(s, 10500);
	assert_int_equal(story_state(s, WRITE, 0), SERVER_CLOSED);
	next = next_of(s);
	next->clusters[0].probe.lease_ms = 15000;
	reload(s, next);
	assert_int_equal(story_state(s, WRITE, 0), SERVER_CLOSED);
	assert_int_equal(story_cluster(s, 0).primary, -1);
	story_run(s, 1000);
	assert_int_equal(story_state(s, WRITE, 0), SERVER_CLOSED);
	story_end(s);
}

static void test_no_lease_outlives_patronis_lock_whatever_the_file_says(void **state)
{
	struct story *s = story_new(3);
	struct config *next;
	int64_t silent_ms;

	(void)state;
	story_begin(s);
	story_run(s, 2000); /* ttl 30 s and loop_wait 10 s are known */
	next = next_of(s);
	next->clusters[0].probe.lease_ms = 3600000;
	reload(s, next);
	s->acts[0].rest = OUTCOME_TIMEOUT;
	silent_ms = s->now_ms;
	while (story_state(s, WRITE, 0) != SERVER_CLOSED)
		story_run(s, 50);
	assert_in_range(s->now_ms - silent_ms, 13000, 15100);
	story_end(s);
}

static void test_a_shorter_interval_counts_from_now(void **state)
{
	struct story *s = story_new(3);
	struct config *next;

	(void)state;
	s->config->clusters[0].probe.interval_ms = 3000;
	story_begin(s);
	story_run(s, 6000);
	next = next_of(s);
	next->clusters[0].probe.interval_ms = 200;
	reload(s, next);
	story_forget(s);
	story_run(s, 2000);
	assert_in_range(s->n_asked[0][ASK_PRIMARY], 9, 14);
	story_end(s);
}

static void test_everybody_is_asked_at_once_what_the_new_file_wants_to_know(void **state)
{
	struct story *s = story_new(3);
	struct config *next;

	(void)state;
	story_begin(s);
	story_run(s, 10000);
	while (s->now_ms - s->last_asked_ms[0] != 50)
		story_run(s, 1);
	next = next_of(s);
	next->clusters[0].scope = xstrdup("another");
	reload(s, next);
	story_run(s, 5);
	for (unsigned i = 0; i < 3; i++)
		assert_int_equal(server(s, WRITE, i)->why, WHY_WRONG_SCOPE);
	story_end(s);
}

static void test_a_policy_that_keeps_no_more_lets_go_of_what_it_kept(void **state)
{
	struct story *s = story_new(3);
	struct config *next;

	(void)state;
	s->config->listeners[WRITE].on_demotion = POLICY_KEEP;
	story_begin(s);
	s->acts[0] = story_replica(5);
	story_run(s, 1100);
	assert_int_equal(story_state(s, WRITE, 0), SERVER_KEPT);
	reload_the_same(s);
	assert_int_equal(story_state(s, WRITE, 0), SERVER_KEPT);
	next = next_of(s);
	next->listeners[WRITE].on_demotion = POLICY_CLOSE;
	reload(s, next);
	assert_int_equal(story_state(s, WRITE, 0), SERVER_CLOSED);
	story_end(s);
}

static void lag_by(struct story *s, uint64_t bytes)
{
	s->acts[0].lsn = 1000000;
	s->acts[1].lsn = 1000000 - bytes;
	s->acts[2].lsn = 1000000;
	story_run(s, 2200);
}

static void limit_lag(struct story *s, uint64_t bytes)
{
	struct config *next = next_of(s);

	next->listeners[READ].has_max_lag = bytes > 0;
	next->listeners[READ].max_lag_bytes = bytes;
	reload(s, next);
}

static void test_max_lag_counts_at_once_and_without_the_memory_of_another_limit(void **state)
{
	struct story *s = story_new(3);

	(void)state;
	story_begin(s);
	lag_by(s, 800);
	limit_lag(s, 500);
	assert_int_equal(story_state(s, READ, 1), SERVER_KEPT);
	assert_int_equal(server(s, READ, 1)->why, WHY_LAGGING);
	assert_int_equal(story_state(s, READ, 2), SERVER_OPEN);
	reload_the_same(s);
	assert_int_equal(story_state(s, READ, 1), SERVER_KEPT);
	limit_lag(s, 1000); /* half of it would be the way back for who had exceeded it */
	assert_int_equal(story_state(s, READ, 1), SERVER_OPEN);
	limit_lag(s, 500);
	limit_lag(s, 0);
	assert_int_equal(story_state(s, READ, 1), SERVER_OPEN);
	story_end(s);
}

static void serve(struct story *s, unsigned listener, unsigned roles)
{
	struct config *next = next_of(s);

	next->listeners[listener].serve = roles;
	reload(s, next);
}

/* Nobody has asked for /async so far: its sessions are not cut for that. */
static void test_another_role_is_asked_for_before_anybody_is_cut(void **state)
{
	struct story *s = story_new(3);
	unsigned before[2];

	(void)state;
	story_begin(s);
	s->acts[2].roles = ROLE_BIT(ROLE_REPLICA) | ROLE_BIT(ROLE_SYNC);
	before[0] = server(s, READ, 1)->generation;
	before[1] = server(s, READ, 2)->generation;
	serve(s, READ, ROLE_BIT(ROLE_ASYNC));
	assert_int_equal(story_state(s, READ, 1), SERVER_KEPT);
	assert_int_equal(story_state(s, READ, 2), SERVER_KEPT);
	story_run(s, 50);
	assert_int_equal(story_state(s, READ, 1), SERVER_OPEN);
	assert_int_equal(server(s, READ, 1)->generation, before[0]);
	assert_int_equal(story_state(s, READ, 2), SERVER_CLOSED);
	assert_int_equal(server(s, READ, 2)->generation, before[1] + 1);
	story_end(s);
}

static void test_a_role_once_asked_for_is_asked_for_again(void **state)
{
	struct story *s = story_new(3);

	(void)state;
	story_begin(s);
	serve(s, READ, ROLE_BIT(ROLE_ASYNC));
	story_run(s, 50);
	s->acts[1].roles = ROLE_BIT(ROLE_ASYNC);
	story_run(s, 2000);
	serve(s, READ, ROLE_BIT(ROLE_REPLICA));
	assert_int_equal(story_state(s, READ, 1), SERVER_KEPT);
	story_run(s, 150); /* the cluster is in doubt: asked every 100 ms */
	assert_int_equal(story_state(s, READ, 1), SERVER_CLOSED);
	assert_int_equal(story_state(s, READ, 2), SERVER_OPEN);
	story_end(s);
}

static void test_the_primary_does_not_wait_to_be_asked_whether_it_is_a_replica(void **state)
{
	struct story *s = story_new(3);

	(void)state;
	story_begin(s);
	serve(s, WRITE, ROLE_BIT(ROLE_SYNC));
	story_run(s, 1100);
	assert_int_equal(story_state(s, WRITE, 0), SERVER_CLOSED);
	serve(s, WRITE, ROLE_BIT(ROLE_PRIMARY));
	assert_int_equal(story_state(s, WRITE, 0), SERVER_OPEN);
	story_end(s);
}

static void test_a_last_resort_comes_and_goes(void **state)
{
	struct story *s = story_new(3);
	struct config *next;

	(void)state;
	story_begin(s);
	s->acts[1].rest = s->acts[2].rest = s->acts[1].port = s->acts[2].port = OUTCOME_REFUSED;
	story_run(s, 5000);
	assert_int_equal(story_state(s, READ, 0), SERVER_CLOSED);
	next = next_of(s);
	next->listeners[READ].fallback = FALLBACK_PRIMARY;
	reload(s, next);
	assert_int_equal(story_state(s, READ, 0), SERVER_OPEN);
	assert_int_equal(server(s, READ, 0)->why, WHY_LAST_RESORT);
	next = next_of(s);
	next->listeners[READ].fallback = FALLBACK_NONE;
	reload(s, next);
	assert_int_equal(story_state(s, READ, 0), SERVER_CLOSED);
	story_end(s);
}

/* ---- members that live elsewhere from now on ---- */

static void move(struct story *s, unsigned member, const char *host)
{
	struct config *next = next_of(s);

	free(next->members[member].host);
	free(next->members[member].rest_host);
	next->members[member].host = xstrdup(host);
	next->members[member].rest_host = xstrdup(host);
	reload(s, next);
}

/* The old server may take writes for ever after: nobody would notice. */
static void test_a_primary_that_moves_loses_its_sessions_at_once_and_is_proven_anew(void **state)
{
	struct story *s = story_new(3);
	unsigned before;

	(void)state;
	story_begin(s);
	before = server(s, WRITE, 0)->generation;
	move(s, 0, "10.9.9.9");
	assert_int_equal(story_state(s, WRITE, 0), SERVER_CLOSED);
	assert_int_equal(server(s, WRITE, 0)->generation, before + 1);
	assert_int_equal(story_cluster(s, 0).primary, -1);
	story_run(s, 3000); /* nobody is asked at an address that is not known yet */
	assert_int_equal(story_state(s, WRITE, 0), SERVER_CLOSED);
	story_address(s, 0, "10.9.9.9");
	story_run(s, 200);
	assert_int_equal(story_state(s, WRITE, 0), SERVER_OPEN);
	assert_string_equal(server(s, WRITE, 0)->ip, "10.9.9.9");
	assert_string_equal(s->asked_ip[0], "10.9.9.9");
	assert_int_equal(server(s, WRITE, 0)->generation, before + 1);
	story_end(s);
}

static void test_what_the_old_address_answers_late_counts_for_nothing(void **state)
{
	struct story *s = story_new(3);

	(void)state;
	story_begin(s);
	s->acts[0].rest_ms = 400;
	while (!s->rest[0].open)
		story_run(s, 1);
	move(s, 0, "10.9.9.9");
	story_address(s, 0, "10.9.9.9");
	while (s->rest[0].open && s->rest[0].asked_ms < s->now_ms - 1)
		story_run(s, 1);
	assert_int_equal(story_state(s, WRITE, 0), SERVER_CLOSED); /* a proof, of somebody else */
	s->acts[0] = story_replica(5);
	story_run(s, 2000);
	assert_int_equal(story_state(s, WRITE, 0), SERVER_CLOSED);
	assert_int_equal(story_cluster(s, 0).primary, -1);
	story_end(s);
}

static void test_a_replica_that_moves_disturbs_nobody_else(void **state)
{
	struct story *s = story_new(3);

	(void)state;
	story_begin(s);
	move(s, 1, "10.9.9.9");
	assert_int_equal(story_state(s, READ, 1), SERVER_CLOSED);
	assert_int_equal(story_state(s, READ, 2), SERVER_OPEN);
	assert_int_equal(story_state(s, WRITE, 0), SERVER_OPEN);
	assert_int_equal(story_cluster(s, 0).primary_changes, 1);
	story_address(s, 1, "10.9.9.9");
	story_run(s, 200);
	assert_int_equal(story_state(s, READ, 1), SERVER_OPEN);
	story_end(s);
}

/* The same host by another port: who resolves it says the same address again. */
static void test_another_port_is_another_server(void **state)
{
	struct story *s = story_new(3);
	struct config *next;

	(void)state;
	story_begin(s);
	next = next_of(s);
	next->members[0].port = 6432;
	reload(s, next);
	assert_int_equal(story_state(s, WRITE, 0), SERVER_CLOSED);
	story_address(s, 0, next->members[0].host);
	story_run(s, 200);
	assert_int_equal(story_state(s, WRITE, 0), SERVER_OPEN);
	assert_int_equal(server(s, WRITE, 0)->port, 6432);
	story_end(s);
}

static void test_another_port_of_its_patroni_cuts_nobody_and_proves_nothing(void **state)
{
	struct story *s = story_new(3);
	struct config *next;
	unsigned before;

	(void)state;
	story_begin(s);
	before = server(s, WRITE, 0)->generation;
	next = next_of(s);
	next->members[0].rest_port = 8009;
	reload(s, next);
	assert_int_not_equal(story_state(s, WRITE, 0), SERVER_CLOSED);
	s->acts[0].rest = OUTCOME_TIMEOUT; /* the new one never answers: the lease ends */
	story_run(s, 11000);
	assert_int_equal(story_state(s, WRITE, 0), SERVER_CLOSED);
	assert_int_equal(server(s, WRITE, 0)->generation, before + 1);
	story_end(s);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_the_same_file_again_changes_no_verdict),
		cmocka_unit_test(test_a_lease_goes_on_through_reloads),
		cmocka_unit_test(test_a_demotion_stays_one_and_the_duty_to_cut_as_well),
		cmocka_unit_test(test_what_was_asked_before_is_answered_after),
		cmocka_unit_test(test_a_pause_of_our_own_is_not_healed_by_a_reload),
		cmocka_unit_test(test_a_higher_timeline_is_remembered),
		cmocka_unit_test(test_what_operators_ordered_stays),
		cmocka_unit_test(test_a_shorter_lease_ends_at_once_what_has_lasted_longer),
		cmocka_unit_test(test_a_longer_lease_revives_nobody),
		cmocka_unit_test(test_no_lease_outlives_patronis_lock_whatever_the_file_says),
		cmocka_unit_test(test_a_shorter_interval_counts_from_now),
		cmocka_unit_test(test_everybody_is_asked_at_once_what_the_new_file_wants_to_know),
		cmocka_unit_test(test_a_policy_that_keeps_no_more_lets_go_of_what_it_kept),
		cmocka_unit_test(
			test_max_lag_counts_at_once_and_without_the_memory_of_another_limit),
		cmocka_unit_test(test_another_role_is_asked_for_before_anybody_is_cut),
		cmocka_unit_test(test_a_role_once_asked_for_is_asked_for_again),
		cmocka_unit_test(
			test_the_primary_does_not_wait_to_be_asked_whether_it_is_a_replica),
		cmocka_unit_test(test_a_last_resort_comes_and_goes),
		cmocka_unit_test(
			test_a_primary_that_moves_loses_its_sessions_at_once_and_is_proven_anew),
		cmocka_unit_test(test_what_the_old_address_answers_late_counts_for_nothing),
		cmocka_unit_test(test_a_replica_that_moves_disturbs_nobody_else),
		cmocka_unit_test(test_another_port_is_another_server),
		cmocka_unit_test(test_another_port_of_its_patroni_cuts_nobody_and_proves_nothing),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
