/* Latest wins: whoever reads always ends at the last value, and every value that nobody read comes
 * back. */
#include "io/loop.h"
#include "io/slot.h"
#include "peer.h"

enum { N_PUTS = 100000 };

struct reader {
	uv_loop_t loop;
	struct slot slot;
	int n_taken, last, closed;
	bool went_back;
};

static void on_value(void *arg)
{
	struct reader *r = arg;
	int *v = slot_take(&r->slot);

	if (v == NULL)
		return; /* a wake-up that came late for a value already taken */
	if (*v <= r->last)
		r->went_back = true;
	r->last = *v;
	r->n_taken++;
	free(v);
}

static void on_closed(void *arg)
{
	((struct reader *)arg)->closed++;
}

static int *number(int n)
{
	int *v = malloc(sizeof(*v));

	*v = n;
	return v;
}

static void *put_many(void *arg)
{
	struct reader *r = arg;

	for (int i = 1; i <= N_PUTS; i++)
		free(slot_put(&r->slot, number(i)));
	return NULL;
}

static void open_reader(struct reader *r)
{
	memset(r, 0, sizeof(*r));
	assert_int_equal(loop_open(&r->loop), 0);
	assert_int_equal(slot_open(&r->slot, &r->loop, on_value, r), 0);
}

static void close_reader(struct reader *r)
{
	slot_close(&r->slot, on_closed);
	assert_int_equal(r->closed, 0); /* later, never from inside */
	loop_close(&r->loop, "slot test");
	assert_int_equal(r->closed, 1);
}

static void test_the_last_of_many_puts_is_always_seen(void **state)
{
	struct reader r;
	pthread_t publisher;

	(void)state;
	open_reader(&r);
	pthread_create(&publisher, NULL, put_many, &r);
	assert_true(wait_until(&r.loop, &r.last, N_PUTS));
	pthread_join(publisher, NULL);
	assert_false(r.went_back);
	assert_in_range(r.n_taken, 1, N_PUTS);
	close_reader(&r);
}

static void test_five_puts_before_the_reader_wakes_are_one_value(void **state)
{
	struct reader r;

	(void)state;
	open_reader(&r);
	assert_null(slot_put(&r.slot, number(1)));
	for (int i = 2; i <= 5; i++) {
		int *old = slot_put(&r.slot, number(i));

		assert_int_equal(*old, i - 1);
		free(old);
	}
	assert_true(wait_until(&r.loop, &r.last, 5));
	assert_int_equal(r.n_taken, 1);
	close_reader(&r);
}

static void test_a_value_nobody_took_survives_the_close(void **state)
{
	struct reader r;
	int *v;

	(void)state;
	open_reader(&r);
	slot_put(&r.slot, number(7));
	close_reader(&r);
	assert_int_equal(r.n_taken, 0);
	v = slot_take(&r.slot);
	assert_int_equal(*v, 7);
	free(v);
	assert_null(slot_take(&r.slot));
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_the_last_of_many_puts_is_always_seen),
		cmocka_unit_test(test_five_puts_before_the_reader_wakes_are_one_value),
		cmocka_unit_test(test_a_value_nobody_took_survives_the_close),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
