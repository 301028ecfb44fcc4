/* So many a second: counted together, given back, and anew each second. */
#include <setjmp.h>
#include <stdarg.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "core/rate_limit.h"
#include <pthread.h>

static void test_without_a_limit_all_may_come(void **state)
{
	struct rate_limit r = {0};

	(void)state;
	assert_int_equal(rate_limit_take(&r, 1000, 5000), 1000);
	rate_limit_give_back(&r, 400, 5000);
	assert_int_equal(rate_limit_take(&r, 1000, 5000), 1000);
}

static void test_a_second_has_its_share_and_no_more(void **state)
{
	struct rate_limit r = {.per_second = {10, 0}};

	(void)state;
	assert_int_equal(rate_limit_take(&r, 4, 5000), 4);
	assert_int_equal(rate_limit_take(&r, 4, 5500), 4);
	assert_int_equal(rate_limit_take(&r, 4, 5900), 2);
	assert_int_equal(rate_limit_take(&r, 4, 5999), 0);
	assert_int_equal(rate_limit_next_ms(5999), 6000);
	assert_int_equal(rate_limit_take(&r, 40, 6000), 10);
	assert_int_equal(rate_limit_take(&r, 40, 99000), 10);
}

static void test_who_did_not_come_leaves_the_place(void **state)
{
	struct rate_limit r = {.per_second = {10, 0}};

	(void)state;
	assert_int_equal(rate_limit_take(&r, 10, 5000), 10);
	rate_limit_give_back(&r, 7, 5001);
	assert_int_equal(rate_limit_take(&r, 10, 5002), 7);
	rate_limit_give_back(&r, 7, 6001); /* late: that second is over */
	assert_int_equal(rate_limit_take(&r, 20, 6002), 10);
}

static void test_the_stricter_of_two_counts_and_both_can_be_changed(void **state)
{
	struct rate_limit r = {.per_second = {[RATE_CONNECTIONS] = 10, [RATE_SESSIONS] = 4}};

	(void)state;
	assert_int_equal(rate_limit_take(&r, 20, 5000), 4);
	atomic_store(&r.per_second[RATE_SESSIONS], 0);
	assert_true(rate_limit_is_set(&r));
	assert_int_equal(rate_limit_take(&r, 20, 5000), 6);
	atomic_store(&r.per_second[RATE_CONNECTIONS], 3); /* less than it has had */
	assert_int_equal(rate_limit_take(&r, 20, 5000), 0);
	atomic_store(&r.per_second[RATE_CONNECTIONS], 0);
	assert_false(rate_limit_is_set(&r));
	assert_int_equal(rate_limit_take(&r, 20, 5000), 20);
}

static void test_a_clock_that_was_read_earlier_begins_no_second_anew(void **state)
{
	struct rate_limit r = {.per_second = {10, 0}};

	(void)state;
	assert_int_equal(rate_limit_take(&r, 10, 6000), 10);
	assert_int_equal(rate_limit_take(&r, 10, 5999), 0);
	rate_limit_give_back(&r, 3, 5999); /* of the second before: its places are gone */
	assert_int_equal(rate_limit_take(&r, 10, 6001), 0);
	assert_int_equal(rate_limit_take(&r, 10, 7000), 10);
}

enum { THREADS = 4, LIMIT = 50000 };

struct door {
	struct rate_limit rate;
	_Atomic unsigned n_in;
};

static void *come_in_twos(void *arg)
{
	struct door *d = arg;
	unsigned n;

	while ((n = rate_limit_take(&d->rate, 2, 7000)) > 0) {
		rate_limit_give_back(&d->rate, n - 1, 7000);
		atomic_fetch_add(&d->n_in, 1);
	}
	return NULL;
}

static void test_threads_share_one_second(void **state)
{
	struct door d = {.rate.per_second = {LIMIT, 0}};
	pthread_t threads[THREADS];

	(void)state;
	for (unsigned i = 0; i < THREADS; i++)
		assert_int_equal(pthread_create(&threads[i], NULL, come_in_twos, &d), 0);
	for (unsigned i = 0; i < THREADS; i++)
		pthread_join(threads[i], NULL);
	/* Each thread leaves at the first no, which may be because of what another one gives back
	 * a moment later. */
	assert_in_range(d.n_in, LIMIT - THREADS, LIMIT);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_without_a_limit_all_may_come),
		cmocka_unit_test(test_a_second_has_its_share_and_no_more),
		cmocka_unit_test(test_who_did_not_come_leaves_the_place),
		cmocka_unit_test(test_the_stricter_of_two_counts_and_both_can_be_changed),
		cmocka_unit_test(test_a_clock_that_was_read_earlier_begins_no_second_anew),
		cmocka_unit_test(test_threads_share_one_second),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
