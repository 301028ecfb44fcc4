/* Which bucket a value belongs to, and what is summed. */
#include "base/hist.h"
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

static const int64_t bounds[] = {1, 5, 10};

static void a_value_belongs_to_the_first_bound_that_is_not_below_it(void **state)
{
	struct hist h;

	(void)state;
	hist_init(&h, bounds, 3);
	hist_add(&h, 0);
	hist_add(&h, 1);
	hist_add(&h, 2);
	hist_add(&h, 5);
	hist_add(&h, 10);
	hist_add(&h, 11);
	hist_add(&h, INT32_MAX);
	assert_int_equal(h.counts[0], 2);
	assert_int_equal(h.counts[1], 2);
	assert_int_equal(h.counts[2], 1);
	assert_int_equal(h.counts[3], 2);
	assert_int_equal(h.n, 7);
	assert_int_equal(h.sum, (int64_t)29 + INT32_MAX);
}

static void without_bounds_it_still_counts(void **state)
{
	struct hist h;

	(void)state;
	hist_init(&h, bounds, 0);
	hist_add(&h, 7);
	assert_int_equal(h.counts[0], 1);
	assert_int_equal(h.sum, 7);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(a_value_belongs_to_the_first_bound_that_is_not_below_it),
		cmocka_unit_test(without_bounds_it_still_counts),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
