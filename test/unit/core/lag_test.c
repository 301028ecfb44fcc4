/* How far a replica is behind, and when that is too far. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "core/lag.h"

enum { MB = 1 << 20 };

static struct lag_position at(uint64_t lsn, int64_t asked_ms, int64_t answered_ms)
{
	return (struct lag_position){lsn, 5, asked_ms, answered_ms};
}

static struct lag measure(struct lag_position primary, struct lag_position replica)
{
	struct lag l = {0};

	lag_measure(&l, &primary, &replica);
	return l;
}

static void test_positions_of_one_sweep_tell_the_distance(void **state)
{
	struct lag l = measure(at(100 * MB, 1000, 1003), at(90 * MB, 1000, 1008));

	(void)state;
	assert_true(l.measured);
	assert_int_equal(l.bytes, 10 * MB);
	assert_int_equal(l.measured_ms, 1008);
}

static void test_a_replica_that_was_asked_later_may_be_ahead_and_does_not_lag(void **state)
{
	struct lag l = measure(at(100 * MB, 1000, 1003), at(101 * MB, 1004, 1009));

	(void)state;
	assert_true(l.measured);
	assert_int_equal(l.bytes, 0);
}

static void test_positions_of_different_moments_tell_nothing(void **state)
{
	(void)state;
	assert_true(measure(at(9, 1000, 1003), at(8, 1003 + LAG_SWEEP_MS, 1060)).measured);
	assert_false(measure(at(9, 1000, 1003), at(8, 1004 + LAG_SWEEP_MS, 1060)).measured);
	assert_true(measure(at(9, 1003 + LAG_SWEEP_MS, 1060), at(8, 1000, 1003)).measured);
	assert_false(measure(at(9, 1004 + LAG_SWEEP_MS, 1060), at(8, 1000, 1003)).measured);
}

static void test_a_slow_answer_is_of_any_moment_while_it_was_on_its_way(void **state)
{
	(void)state;
	assert_true(measure(at(9, 1000, 3000), at(8, 2800, 2803)).measured);
	assert_true(measure(at(9, 2800, 2803), at(8, 1000, 3000)).measured);
}

static void test_what_is_not_told_is_not_measured(void **state)
{
	(void)state;
	assert_false(measure(at(0, 1000, 1003), at(8, 1000, 1003)).measured);
	assert_false(measure(at(9, 1000, 1003), at(0, 1000, 1003)).measured);
}

static void test_what_was_measured_stands_until_it_is_measured_again(void **state)
{
	struct lag l = {.measured = true, .bytes = 7, .measured_ms = 500};
	struct lag_position primary = at(9, 1000, 1003), none = at(0, 1000, 1003),
			    replica = at(8, 1000, 1003);

	(void)state;
	lag_measure(&l, &primary, &none);
	assert_int_equal(l.bytes, 7);
	assert_int_equal(l.measured_ms, 500);
	lag_measure(&l, &primary, &replica);
	assert_int_equal(l.bytes, 1);
}

static void test_wal_that_the_primary_never_had_is_no_distance(void **state)
{
	struct lag_position primary = at(100 * MB, 1000, 1003), replica = at(101 * MB, 1000, 1003);

	(void)state;
	replica.timeline = 4; /* died with the old primary's last bytes */
	assert_false(measure(primary, replica).measured);
	replica.lsn = 100 * MB; /* has merely not followed yet */
	assert_true(measure(primary, replica).measured);
	replica.lsn = 101 * MB;
	replica.timeline = 0; /* does not say */
	assert_true(measure(primary, replica).measured);
}

static void test_once_over_the_limit_half_of_it_is_the_way_back(void **state)
{
	static const struct {
		uint64_t bytes, limit;
		bool before, exceeds;
	} rows[] = {
		{16, 16, false, false}, {17, 16, false, true}, {16, 16, true, true},
		{9, 16, true, true},    {8, 16, true, false},  {0, 1, true, false},
		{1, 1, false, false},   {1, 1, true, true},    {UINT64_MAX, 1ull << 50, true, true},
	};

	(void)state;
	for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++)
		assert_int_equal(lag_exceeds(rows[i].bytes, rows[i].limit, rows[i].before),
				 rows[i].exceeds);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_positions_of_one_sweep_tell_the_distance),
		cmocka_unit_test(test_a_replica_that_was_asked_later_may_be_ahead_and_does_not_lag),
		cmocka_unit_test(test_positions_of_different_moments_tell_nothing),
		cmocka_unit_test(test_a_slow_answer_is_of_any_moment_while_it_was_on_its_way),
		cmocka_unit_test(test_what_is_not_told_is_not_measured),
		cmocka_unit_test(test_what_was_measured_stands_until_it_is_measured_again),
		cmocka_unit_test(test_wal_that_the_primary_never_had_is_no_distance),
		cmocka_unit_test(test_once_over_the_limit_half_of_it_is_the_way_back),
	};

	return cmocka_run_group_tests_name("lag", tests, NULL, NULL);
}
