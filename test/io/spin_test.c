/* Stories of spinning: dense traffic is polled for, sparse traffic and silence never, and what does
 * not pay is given up. */
#include "io/spin.h"
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>

#include <cmocka.h>

enum { MOST_US = 20, FAR_US = 1000000 };

struct rider {
	struct spin spin;
	int64_t now_us;
};

static struct rider rider_new(int64_t most_us)
{
	struct rider r = {.now_us = 5000000};

	spin_init(&r.spin, most_us);
	return r;
}

static int64_t wants(struct rider *r)
{
	return spin_wants(&r->spin, r->now_us, r->now_us + FAR_US);
}

static void batches(struct rider *r, unsigned n, int64_t gap_us)
{
	while (n-- > 0) {
		r->now_us += gap_us;
		spin_batch(&r->spin, r->now_us);
	}
}

static void test_it_is_off_unless_asked_for(void **state)
{
	struct rider r = rider_new(0);

	(void)state;
	batches(&r, 1000, 1);
	assert_int_equal(wants(&r), 0);
	assert_int_equal(wants(&(struct rider){.now_us = 1}), 0);
}

static void test_dense_traffic_is_polled_for(void **state)
{
	struct rider r = rider_new(MOST_US);

	(void)state;
	assert_int_equal(wants(&r), 0); /* nothing is known yet */
	batches(&r, 100, 10);
	assert_int_equal(wants(&r), MOST_US);
	batches(&r, 100, 2 * MOST_US - 1);
	assert_int_equal(wants(&r), MOST_US);
}

static void test_sparse_traffic_is_slept_for(void **state)
{
	struct rider r = rider_new(MOST_US);

	(void)state;
	batches(&r, 100, 2 * MOST_US + 1);
	assert_int_equal(wants(&r), 0);
	batches(&r, 1000, 1000);
	assert_int_equal(wants(&r), 0);
}

static void test_one_pause_ends_it_until_traffic_is_dense_again(void **state)
{
	struct rider r = rider_new(MOST_US);
	unsigned n = 0;

	(void)state;
	batches(&r, 100, 10);
	batches(&r, 1, 3600 * (int64_t)1000000);
	assert_int_equal(wants(&r), 0);
	for (; wants(&r) == 0; n++)
		batches(&r, 1, 10);
	assert_in_range(n, 2, 12);
}

/* The batches were dense, and then no other one came: no poll, however often somebody asks. */
static void test_silence_is_never_polled_for(void **state)
{
	struct rider r = rider_new(MOST_US);

	(void)state;
	batches(&r, 100, 10);
	for (unsigned i = 0; i < 1000; i++) {
		r.now_us += 2 * MOST_US;
		assert_int_equal(wants(&r), 0);
	}
	assert_int_equal(r.spin.spins, 0);
	assert_int_equal(r.spin.spun_us, 0);
}

/* Of a round trip one half may be quick and the other one slow: what pays every other time pays. */
static void test_a_miss_halves_and_a_hit_restores(void **state)
{
	struct rider r = rider_new(MOST_US);

	(void)state;
	batches(&r, 100, 10);
	for (unsigned i = 0; i < 50; i++) {
		spin_miss(&r.spin, MOST_US);
		assert_int_equal(wants(&r), MOST_US);
		spin_hit(&r.spin, 3);
	}
	assert_int_equal(r.spin.spins, 100);
	assert_int_equal(r.spin.spun_us, 50 * (MOST_US + 3));
	for (unsigned i = 0; i < 5; i++) {
		assert_int_equal(wants(&r), MOST_US);
		spin_miss(&r.spin, MOST_US);
	}
	assert_int_equal(wants(&r), 0);
}

/* Dense, and yet always just too late for us: what is spent on it stays small. */
static void test_polls_in_vain_become_rare(void **state)
{
	struct rider r = rider_new(MOST_US);
	unsigned n = 0;

	(void)state;
	batches(&r, 100, 30);
	for (unsigned i = 0; i < 6500; i++) {
		int64_t us = wants(&r);

		if (us > 0) {
			spin_miss(&r.spin, us);
			n++;
		}
		batches(&r, 1, 30);
	}
	assert_in_range(n, 50, 110);
	while (wants(&r) == 0) /* the next try ... */
		batches(&r, 1, 10);
	spin_hit(&r.spin, 5); /* ... finds that it pays again */
	assert_int_equal(wants(&r), MOST_US);
}

/* What is due sooner than the poll would last is better slept for. */
static void test_a_near_deadline_is_slept_for(void **state)
{
	struct rider r = rider_new(MOST_US);

	(void)state;
	batches(&r, 100, 10);
	assert_int_equal(spin_wants(&r.spin, r.now_us, r.now_us + MOST_US), 0);
	assert_int_equal(spin_wants(&r.spin, r.now_us, 0), 0);
	assert_int_equal(spin_wants(&r.spin, r.now_us, r.now_us + MOST_US + 1), MOST_US);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_it_is_off_unless_asked_for),
		cmocka_unit_test(test_dense_traffic_is_polled_for),
		cmocka_unit_test(test_sparse_traffic_is_slept_for),
		cmocka_unit_test(test_one_pause_ends_it_until_traffic_is_dense_again),
		cmocka_unit_test(test_silence_is_never_polled_for),
		cmocka_unit_test(test_a_miss_halves_and_a_hit_restores),
		cmocka_unit_test(test_polls_in_vain_become_rare),
		cmocka_unit_test(test_a_near_deadline_is_slept_for),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
