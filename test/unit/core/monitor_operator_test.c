/* What operators say of servers, and what remains of it when roles change. */
#include "monitor_story.h"

static struct event word(unsigned listener, unsigned server, enum operator_word w)
{
	struct event ev = {.type = EV_OPERATOR};

	ev.u.operator.listener = listener;
	ev.u.operator.server = server;
	ev.u.operator.word = w;
	return ev;
}

static void weigh(struct story *s, unsigned listener, unsigned server, unsigned weight)
{
	struct event ev = word(listener, server, OPERATOR_WEIGHT);

	ev.u.operator.weight = weight;
	story_step(s, ev);
}

static void order_health(struct story *s, unsigned listener, unsigned server, enum health_order h)
{
	struct event ev = word(listener, server, OPERATOR_HEALTH);

	ev.u.operator.health = h;
	story_step(s, ev);
}

static void order_state(struct story *s, unsigned listener, unsigned server, enum admin_state state)
{
	struct event ev = word(listener, server, OPERATOR_STATE);

	ev.u.operator.state = state;
	story_step(s, ev);
}

static unsigned turns_of(const struct story *s, unsigned listener, unsigned server)
{
	const struct view_listener *l = &s->view->listeners[listener];
	unsigned n = 0;

	for (unsigned i = 0; i < l->n_turns; i++)
		n += l->turns[i] == server;
	return n;
}

static struct story *begun(unsigned rise)
{
	struct story *s = story_new(3);

	s->config->clusters[0].probe.rise = rise;
	story_begin(s);
	return s;
}

/* ---- weight ---- */

static void test_a_weight_takes_effect_at_once_and_at_its_listener_alone(void **state)
{
	struct story *s = begun(1);

	(void)state;
	assert_int_equal(turns_of(s, READ, 1), turns_of(s, READ, 2));
	weigh(s, READ, 1, 200);
	assert_int_equal(turns_of(s, READ, 1), 2 * turns_of(s, READ, 2));
	assert_int_equal(story_server(s, READ, 1).weight, 200);
	assert_int_equal(story_server(s, WRITE, 1).weight, 100);
	story_end(s);
}

static void test_without_weight_a_server_is_up_and_takes_nobody(void **state)
{
	struct story *s = begun(1);
	unsigned generation = story_generation(s, READ, 1);

	(void)state;
	weigh(s, READ, 1, 0);
	assert_int_equal(story_state(s, READ, 1), SERVER_OPEN);
	assert_int_equal(turns_of(s, READ, 1), 0);
	assert_int_equal(s->view->listeners[READ].n_open, 1);
	assert_int_equal(story_generation(s, READ, 1), generation); /* nobody is cut */
	weigh(s, READ, 2, 0);
	assert_int_equal(s->view->listeners[READ].n_open, 0);
	story_run(s, 5000);
	assert_int_equal(turns_of(s, READ, 1), 0);
	story_end(s);
}

static void test_a_weight_survives_a_switchover(void **state)
{
	struct story *s = begun(1);

	(void)state;
	weigh(s, WRITE, 0, 7);
	weigh(s, READ, 0, 50);
	s->acts[0] = story_replica(6);
	s->acts[1] = story_primary(6);
	story_run(s, 15000);
	assert_int_equal(story_leader(s), 1);
	assert_int_equal(turns_of(s, READ, 2), 2 * turns_of(s, READ, 0));
	s->acts[0] = story_primary(7);
	s->acts[1] = story_replica(7);
	story_run(s, 15000);
	assert_int_equal(story_server(s, WRITE, 0).weight, 7);
	story_end(s);
}

static void test_the_same_weight_again_makes_no_view(void **state)
{
	struct story *s = begun(1);
	uint64_t generation = s->view->generation;

	(void)state;
	weigh(s, READ, 1, 100);
	assert_int_equal(s->view->generation, generation);
	story_end(s);
}

/* ---- health ---- */

static void test_health_down_cuts_and_lasts_until_the_next_good_answer(void **state)
{
	struct story *s = begun(1);
	unsigned generation = story_generation(s, READ, 1);

	(void)state;
	order_health(s, READ, 1, HEALTH_DOWN);
	assert_int_equal(story_state(s, READ, 1), SERVER_CLOSED);
	assert_int_equal(story_why(s, READ, 1), WHY_HEALTH_DOWN);
	assert_int_equal(story_cut(s, READ, 1), CLOSE_OPERATOR);
	assert_int_equal(story_generation(s, READ, 1), generation + 1);
	assert_int_equal(story_state(s, READ, 2), SERVER_OPEN);
	assert_int_equal(story_server(s, READ, 1).check_status, 200); /* no check has failed */
	assert_int_equal(story_server(s, READ, 1).check_failures, 0);
	assert_int_equal(story_server(s, READ, 1).downs, 1);
	assert_in_range(story_time_until(s, READ, 1, SERVER_OPEN, 5000), 1, 1100);
	assert_int_equal(story_generation(s, READ, 1), generation + 1);
	story_end(s);
}

static void test_as_many_good_answers_as_for_any_rise(void **state)
{
	struct story *s = begun(3);

	(void)state;
	order_health(s, READ, 1, HEALTH_DOWN);
	assert_in_range(story_time_until(s, READ, 1, SERVER_OPEN, 9000), 2001, 3200);
	story_end(s);
}

static void test_an_answer_to_an_older_question_is_none_of_them(void **state)
{
	struct story *s = begun(1);

	(void)state;
	s->acts[1].rest_ms = 400;
	while (!s->rest[1].open) /* it is asked ... */
		story_run(s, 1);
	story_run(s, 100);
	order_health(s, READ, 1, HEALTH_DOWN);
	story_run(s, 350); /* ... and has answered */
	assert_int_equal(story_state(s, READ, 1), SERVER_CLOSED);
	assert_true(story_time_until(s, READ, 1, SERVER_OPEN, 5000) > 0);
	story_end(s);
}

static void test_a_late_answer_starts_the_count_again(void **state)
{
	struct story *s = begun(4);

	(void)state;
	order_health(s, READ, 1, HEALTH_DOWN);
	story_run(s, 2500); /* two of four */
	s->acts[1].rest = OUTCOME_TIMEOUT;
	story_run(s, 4200); /* one question is lost, which is not enough to be down */
	s->acts[1].rest = OUTCOME_ANSWERED;
	story_forget(s);
	assert_true(story_time_until(s, READ, 1, SERVER_OPEN, 20000) > 0);
	assert_in_range(s->n_asked[1][ASK_PRIMARY], 3, 4); /* the first was under way */
	story_end(s);
}

static void test_stopping_keeps_sessions_and_takes_no_new_ones(void **state)
{
	struct story *s = begun(1);
	unsigned generation = story_generation(s, READ, 1);

	(void)state;
	order_health(s, READ, 1, HEALTH_STOPPING);
	assert_int_equal(story_state(s, READ, 1), SERVER_KEPT);
	assert_int_equal(story_why(s, READ, 1), WHY_HEALTH_STOPPING);
	assert_int_equal(turns_of(s, READ, 1), 0);
	assert_in_range(story_time_until(s, READ, 1, SERVER_OPEN, 5000), 1, 1100);
	assert_int_equal(story_generation(s, READ, 1), generation);
	assert_int_equal(story_server(s, READ, 1).downs, 0);
	story_end(s);
}

static void test_the_primary_can_be_set_down_and_comes_back_by_its_own_proof(void **state)
{
	struct story *s = begun(1);

	(void)state;
	order_health(s, WRITE, 0, HEALTH_DOWN);
	assert_int_equal(story_state(s, WRITE, 0), SERVER_CLOSED);
	assert_int_equal(story_leader(s), 0); /* it is the primary all the same */
	assert_int_equal(s->view->listeners[WRITE].none_why, WHY_HEALTH_DOWN);
	assert_int_equal(s->view->listeners[WRITE].none_member, 0);
	assert_in_range(story_time_until(s, WRITE, 0, SERVER_OPEN, 5000), 1, 1100);
	story_end(s);
}

/* The end of an order gives back no more than the answers do. */
static void test_no_order_opens_what_answers_close(void **state)
{
	struct story *s = begun(1);

	(void)state;
	order_health(s, WRITE, 1, HEALTH_DOWN);
	order_health(s, WRITE, 2, HEALTH_STOPPING);
	weigh(s, WRITE, 1, 256);
	story_run(s, 10000);
	order_health(s, WRITE, 1, HEALTH_AS_ANSWERED);
	story_step(s, word(WRITE, 1, OPERATOR_STATE)); /* ready */
	assert_int_equal(story_state(s, WRITE, 1), SERVER_CLOSED);
	assert_int_equal(story_state(s, WRITE, 2), SERVER_CLOSED);
	assert_int_equal(story_why(s, WRITE, 1), WHY_NOT_LEADER);
	assert_int_equal(story_state(s, WRITE, 0), SERVER_OPEN);
	story_end(s);
}

static void test_maintenance_outranks_health(void **state)
{
	struct story *s = begun(1);

	(void)state;
	order_state(s, READ, 1, ADMIN_MAINT);
	order_health(s, READ, 1, HEALTH_STOPPING);
	story_run(s, 5000);
	assert_int_equal(story_why(s, READ, 1), WHY_MAINT);
	story_end(s);
}

/* ---- counters ---- */

static void test_failed_checks_and_downs_count_from_nothing_again(void **state)
{
	struct story *s = begun(1);

	(void)state;
	s->acts[1].flags = TAG_NOLOADBALANCE;
	story_run(s, 3000);
	assert_int_equal(story_server(s, READ, 1).check_failures, 1);
	assert_int_equal(story_server(s, READ, 1).downs, 1);
	story_step(s, word(READ, 1, OPERATOR_CLEAR));
	assert_int_equal(story_server(s, READ, 1).check_failures, 0);
	assert_int_equal(story_server(s, READ, 1).downs, 0);
	assert_true(story_server(s, READ, 1).down_ms > 0); /* it has not come back by that */
	assert_int_equal(story_state(s, READ, 1), SERVER_KEPT);
	story_end(s);
}

/* ---- a last resort ---- */

static struct story *fallback_begun(void)
{
	struct story *s = story_new(2);

	s->config->listeners[READ].fallback = FALLBACK_PRIMARY;
	s->config->listeners[READ].on_demotion = POLICY_KEEP;
	story_begin(s);
	return s;
}

static void test_a_drained_last_resort_that_served_nobody_has_lost_no_role(void **state)
{
	struct story *s = fallback_begun();

	(void)state;
	assert_int_equal(story_why(s, READ, 0), WHY_LAST_RESORT);
	order_state(s, READ, 0, ADMIN_DRAIN);
	assert_int_equal(story_why(s, READ, 0), WHY_DRAIN);
	order_state(s, READ, 0, ADMIN_READY);
	assert_int_equal(story_state(s, READ, 0), SERVER_CLOSED);
	assert_int_equal(story_why(s, READ, 0), WHY_LAST_RESORT);
	order_health(s, READ, 0, HEALTH_STOPPING);
	assert_int_equal(story_why(s, READ, 0), WHY_HEALTH_STOPPING);
	story_run(s, 3000);
	assert_int_equal(story_state(s, READ, 0), SERVER_CLOSED);
	assert_int_equal(story_why(s, READ, 0), WHY_LAST_RESORT);
	story_end(s);
}

static void test_a_drained_last_resort_keeps_those_it_serves(void **state)
{
	struct story *s = fallback_begun();
	unsigned generation;

	(void)state;
	order_state(s, READ, 1, ADMIN_DRAIN);
	assert_int_equal(story_state(s, READ, 0), SERVER_OPEN);
	generation = story_generation(s, READ, 0);
	order_state(s, READ, 0, ADMIN_DRAIN);
	assert_int_equal(story_state(s, READ, 0), SERVER_KEPT);
	order_state(s, READ, 1, ADMIN_READY);
	order_state(s, READ, 0, ADMIN_READY);
	assert_int_equal(story_state(s, READ, 0), SERVER_KEPT);
	assert_int_equal(story_why(s, READ, 0), WHY_LAST_RESORT);
	assert_int_equal(story_generation(s, READ, 0), generation);
	story_end(s);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_a_weight_takes_effect_at_once_and_at_its_listener_alone),
		cmocka_unit_test(test_without_weight_a_server_is_up_and_takes_nobody),
		cmocka_unit_test(test_a_weight_survives_a_switchover),
		cmocka_unit_test(test_the_same_weight_again_makes_no_view),
		cmocka_unit_test(test_health_down_cuts_and_lasts_until_the_next_good_answer),
		cmocka_unit_test(test_as_many_good_answers_as_for_any_rise),
		cmocka_unit_test(test_an_answer_to_an_older_question_is_none_of_them),
		cmocka_unit_test(test_a_late_answer_starts_the_count_again),
		cmocka_unit_test(test_stopping_keeps_sessions_and_takes_no_new_ones),
		cmocka_unit_test(test_the_primary_can_be_set_down_and_comes_back_by_its_own_proof),
		cmocka_unit_test(test_no_order_opens_what_answers_close),
		cmocka_unit_test(test_maintenance_outranks_health),
		cmocka_unit_test(test_a_drained_last_resort_that_served_nobody_has_lost_no_role),
		cmocka_unit_test(test_a_drained_last_resort_keeps_those_it_serves),
		cmocka_unit_test(test_failed_checks_and_downs_count_from_nothing_again),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
