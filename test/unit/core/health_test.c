/* Is a member there: rise, fall, and the data port as second witness. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "core/health.h"

static struct health well(void)
{
	struct health h = {0};

	health_answer(&h, 1);
	return h;
}

static void test_rise_answers_in_a_row_make_a_member_up(void **state)
{
	struct health h = {0};

	(void)state;
	health_answer(&h, 3);
	health_answer(&h, 3);
	assert_false(h.up);
	assert_true(health_in_doubt(&h, 3)); /* worth asking fast */
	health_silence(&h, 3, 10);
	health_answer(&h, 3);
	health_answer(&h, 3);
	assert_false(h.up);
	health_answer(&h, 3);
	assert_true(h.up);
	assert_false(health_in_doubt(&h, 3));
}

static void test_fall_silent_answers_in_a_row_make_it_down(void **state)
{
	struct health h = well();

	(void)state;
	health_silence(&h, 3, 10);
	health_silence(&h, 3, 20);
	assert_true(h.up);
	assert_true(health_in_doubt(&h, 3));
	health_answer(&h, 1);
	health_silence(&h, 3, 30);
	health_silence(&h, 3, 40);
	assert_true(h.up);
	health_silence(&h, 3, 50);
	assert_false(h.up);
	assert_false(h.gone); /* the data port was not heard of */
	assert_false(health_in_doubt(&h, 3));
	assert_int_equal(h.silent_since_ms, 30);
}

static void test_a_late_answer_is_doubt_and_counts_for_nothing(void **state)
{
	struct health h = well();

	(void)state;
	for (int i = 0; i < 10; i++)
		health_late(&h, 100 + i);
	assert_true(h.up);
	assert_true(h.rest_silent);
	assert_int_equal(h.silent, 0);
	assert_int_equal(h.silent_since_ms, 100);
	assert_true(health_in_doubt(&h, 3));
	health_answer(&h, 1);
	assert_false(h.rest_silent);
	assert_false(health_in_doubt(&h, 3));
}

static void test_the_port_is_only_heard_while_rest_is_silent(void **state)
{
	struct health h = well();

	(void)state;
	health_port(&h, PORT_REFUSED);
	assert_true(h.up);
	assert_false(h.gone);
	assert_int_equal(h.port, PORT_UNKNOWN);
}

static void test_a_living_port_keeps_it_and_a_dead_one_ends_it_at_once(void **state)
{
	static const enum port dead[] = {PORT_SILENT, PORT_REFUSED};

	(void)state;
	for (int i = 0; i < 2; i++) {
		struct health h = well();

		health_late(&h, 10);
		health_port(&h, PORT_ALIVE);
		assert_true(h.up);
		assert_false(h.gone);
		health_port(&h, dead[i]);
		assert_false(h.up);
		assert_true(h.gone);
		assert_int_equal(h.port, dead[i]);
		assert_false(health_in_doubt(&h, 3)); /* settled */
	}
}

static void test_the_gone_come_back_by_rest_only(void **state)
{
	struct health h = well();

	(void)state;
	health_silence(&h, 3, 10);
	health_port(&h, PORT_SILENT);
	health_port(&h, PORT_ALIVE);
	assert_true(h.gone);
	health_answer(&h, 2);
	assert_false(h.gone);
	assert_false(h.up); /* rise counts from new */
	health_answer(&h, 2);
	assert_true(h.up);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_rise_answers_in_a_row_make_a_member_up),
		cmocka_unit_test(test_fall_silent_answers_in_a_row_make_it_down),
		cmocka_unit_test(test_a_late_answer_is_doubt_and_counts_for_nothing),
		cmocka_unit_test(test_the_port_is_only_heard_while_rest_is_silent),
		cmocka_unit_test(test_a_living_port_keeps_it_and_a_dead_one_ends_it_at_once),
		cmocka_unit_test(test_the_gone_come_back_by_rest_only),
	};

	return cmocka_run_group_tests_name("health", tests, NULL, NULL);
}
