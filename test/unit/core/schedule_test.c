/* When to ask: calm with jitter, fast in doubt, less and less often when the doubt stays. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "core/names.h"
#include "core/schedule.h"

static struct probe_config probing(void)
{
	struct probe_config p;

	probe_config_defaults(&p);
	return p;
}

static void test_jitter_is_up_to_a_fifth_and_never_slower_than_asked_for(void **state)
{
	struct probe_config p = probing();
	struct asking a = {0};
	int64_t least = INT64_MAX, most = 0;
	struct rng rng;

	(void)state;
	rng_seed(&rng, 1);
	for (int i = 0; i < 10000; i++) {
		schedule_begin_round(&a, &p, &rng, i);
		assert_int_equal(a.round_ms, i);
		assert_int_equal(a.pending, 1u << ASK_PRIMARY);
		least = a.calm_gap_ms < least ? a.calm_gap_ms : least;
		most = a.calm_gap_ms > most ? a.calm_gap_ms : most;
	}
	assert_int_equal(least, 800);
	assert_int_equal(most, 1000);
}

static void test_calm_uses_the_rounds_gap_and_doubt_the_fast_one(void **state)
{
	struct probe_config p = probing();
	struct asking a = {.calm_gap_ms = 870};
	struct doubt d = {0};

	(void)state;
	assert_int_equal(schedule_gap_ms(&p, &d, &a, 5000), 870);
	doubt_update(&d, true, 5000);
	assert_int_equal(schedule_gap_ms(&p, &d, &a, 5000), 100);
	doubt_update(&d, false, 5001);
	assert_int_equal(schedule_gap_ms(&p, &d, &a, 5001), 870);
}

static void test_doubt_that_stays_backs_off_by_doubling_up_to_the_interval(void **state)
{
	static const struct {
		int64_t after_ms, gap_ms;
	} steps[] = {{0, 100},     {29999, 100},  {30000, 200},   {39999, 200},    {40000, 400},
		     {50000, 800}, {60000, 1000}, {600000, 1000}, {86400000, 1000}};
	struct probe_config p = probing();
	struct asking a = {0};
	struct doubt d = {0};

	(void)state;
	doubt_update(&d, true, 7000);
	for (size_t i = 0; i < sizeof(steps) / sizeof(steps[0]); i++) {
		int64_t now_ms = 7000 + steps[i].after_ms;

		doubt_update(&d, true, now_ms);
		assert_int_equal(schedule_gap_ms(&p, &d, &a, now_ms), steps[i].gap_ms);
	}
}

static void test_a_surprise_forgets_the_back_off(void **state)
{
	struct probe_config p = probing();
	struct asking a = {0};
	struct doubt d = {0};

	(void)state;
	doubt_update(&d, true, 0);
	assert_int_equal(schedule_gap_ms(&p, &d, &a, 90000), 1000);
	doubt_surprise(&d, 90000);
	assert_int_equal(schedule_gap_ms(&p, &d, &a, 90000), 100);
}

static void test_a_sign_hurries_but_leaves_the_back_off_alone(void **state)
{
	struct probe_config p = probing();
	struct asking a = {0};
	struct doubt d = {0};

	(void)state;
	for (int64_t now_ms = 0; now_ms <= 90000; now_ms += 1000)
		doubt_sign(&d, now_ms);
	assert_int_equal(schedule_gap_ms(&p, &d, &a, 1000), 100);
	assert_int_equal(schedule_gap_ms(&p, &d, &a, 90000), 1000);
	doubt_update(&d, false, 90000 + SCHEDULE_BURST_MS);
	assert_false(d.in_doubt);
}

static void test_a_surprise_hurries_for_a_while_even_if_all_is_settled(void **state)
{
	struct doubt d = {0};

	(void)state;
	doubt_surprise(&d, 1000);
	doubt_update(&d, false, 1000 + SCHEDULE_BURST_MS - 1);
	assert_true(d.in_doubt);
	doubt_update(&d, false, 1000 + SCHEDULE_BURST_MS);
	assert_false(d.in_doubt);
}

static void test_a_question_is_late_after_its_time(void **state)
{
	struct asking a = {.in_flight = true, .asked_ms = 1000};

	(void)state;
	assert_false(schedule_late(&a, 1000 + SCHEDULE_LATE_MS - 1));
	assert_true(schedule_late(&a, 1000 + SCHEDULE_LATE_MS));
	a.in_flight = false;
	assert_false(schedule_late(&a, 9000));
}

static void test_next_is_the_round_the_lateness_or_the_ping(void **state)
{
	struct probe_config p = probing();
	struct asking a = {.round_ms = 1000, .calm_gap_ms = 900, .port_asked_ms = 1100};
	struct doubt d = {0};

	(void)state;
	assert_int_equal(schedule_next_ms(&p, &d, &a, false, 1200), 1900);
	assert_int_equal(schedule_next_ms(&p, &d, &a, true, 1200), 1600);
	assert_int_equal(schedule_next_ms(&p, &d, &a, false, 2500), 2500); /* never the past */
	a.pending = 1u << ASK_REPLICA;
	assert_int_equal(schedule_next_ms(&p, &d, &a, false, 1200), 1200);
	a.in_flight = true;
	a.asked_ms = 1150;
	assert_int_equal(schedule_next_ms(&p, &d, &a, false, 1200), 1450);
	assert_int_equal(schedule_next_ms(&p, &d, &a, false, 1450), INT64_MAX); /* its answer */
	a.port_in_flight = true;
	assert_int_equal(schedule_next_ms(&p, &d, &a, true, 1450), INT64_MAX);
}

static void test_only_endpoints_that_listeners_serve_are_asked(void **state)
{
	(void)state;
	assert_int_equal(schedule_role_questions(0), 0);
	assert_int_equal(schedule_role_questions(ROLE_BIT(ROLE_PRIMARY)), 0);
	assert_int_equal(schedule_role_questions(ROLE_BIT(ROLE_ANY)),
			 0); /* /primary's body says it */
	assert_int_equal(schedule_role_questions(ROLE_BIT(ROLE_REPLICA)), 1u << ASK_REPLICA);
	assert_int_equal(
		schedule_role_questions(ROLE_BIT(ROLE_SYNC) | ROLE_BIT(ROLE_ASYNC) |
					ROLE_BIT(ROLE_QUORUM) | ROLE_BIT(ROLE_STANDBY_LEADER)),
		1u << ASK_SYNC | 1u << ASK_ASYNC | 1u << ASK_QUORUM | 1u << ASK_STANDBY_LEADER);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_jitter_is_up_to_a_fifth_and_never_slower_than_asked_for),
		cmocka_unit_test(test_calm_uses_the_rounds_gap_and_doubt_the_fast_one),
		cmocka_unit_test(test_doubt_that_stays_backs_off_by_doubling_up_to_the_interval),
		cmocka_unit_test(test_a_surprise_forgets_the_back_off),
		cmocka_unit_test(test_a_sign_hurries_but_leaves_the_back_off_alone),
		cmocka_unit_test(test_a_surprise_hurries_for_a_while_even_if_all_is_settled),
		cmocka_unit_test(test_a_question_is_late_after_its_time),
		cmocka_unit_test(test_next_is_the_round_the_lateness_or_the_ping),
		cmocka_unit_test(test_only_endpoints_that_listeners_serve_are_asked),
	};

	return cmocka_run_group_tests_name("schedule", tests, NULL, NULL);
}
