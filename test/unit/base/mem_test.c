/* Pools that say no, and strings that are copied. */
#include "base/mem.h"
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

static void a_pool_says_no_when_it_is_full(void **state)
{
	struct pool *p = pool_new(24, 3);
	void *o[3];

	(void)state;
	for (size_t i = 0; i < 3; i++) {
		o[i] = pool_get(p);
		assert_non_null(o[i]);
	}
	assert_int_equal(pool_in_use(p), 3);
	assert_null(pool_get(p));
	pool_put(p, o[1]);
	assert_ptr_equal(pool_get(p), o[1]); /* reused, not grown */
	for (size_t i = 0; i < 3; i++)
		pool_put(p, o[i]);
	assert_int_equal(pool_in_use(p), 0);
	pool_free(p);
}

static void objects_are_zeroed_aligned_and_apart(void **state)
{
	enum { N = 1000, BYTES = 41 };
	struct pool *p = pool_new(BYTES, N);
	unsigned char **o = xcalloc(N, sizeof(*o));

	(void)state;
	for (size_t i = 0; i < N; i++) {
		o[i] = pool_get(p);
		assert_int_equal((uintptr_t)o[i] % _Alignof(void *), 0);
		for (size_t k = 0; k < BYTES; k++)
			assert_int_equal(o[i][k], 0);
		memset(o[i], (int)(i & 0xff), BYTES);
	}
	for (size_t i = 0; i < N; i++) {
		for (size_t k = 0; k < BYTES; k++)
			assert_int_equal(o[i][k], i & 0xff);
		pool_put(p, o[i]);
	}
	assert_int_equal(*(unsigned char *)(o[0] = pool_get(p)),
			 0); /* a used one comes back clean */
	pool_put(p, o[0]);
	free(o);
	pool_free(p);
}

static void memory_is_kept_for_the_next_peak(void **state)
{
	struct pool *p = pool_new(100, 10000);
	void *o[600];
	size_t peak;

	(void)state;
	assert_int_equal(pool_bytes(p), 0);
	for (int round = 0; round < 2; round++) {
		for (size_t i = 0; i < 600; i++)
			o[i] = pool_get(p);
		peak = pool_bytes(p);
		assert_true(peak >= 600 * 100);
		for (size_t i = 0; i < 600; i++)
			pool_put(p, o[i]);
		assert_int_equal(pool_bytes(p), peak);
	}
	pool_free(p);
}

/* As one looks who does so in several goes. */
static void every_object_can_be_looked_at_and_a_free_one_is_empty(void **state)
{
	enum { N = 700, NUMBER = 2 };
	struct pool *p = pool_new(NUMBER * sizeof(uint64_t), N);
	uint64_t *o[N];
	size_t sum = 0, seen = 0;

	(void)state;
	assert_int_equal(pool_objects(p), 0);
	for (size_t i = 0; i < N; i++) {
		o[i] = pool_get(p);
		o[i][0] = o[i][1] = i + 1;
	}
	for (size_t i = 0; i < N; i += 2)
		pool_put(p, o[i]);
	for (size_t i = 0; i < pool_objects(p); i++) {
		const uint64_t *at = pool_at(p, i);

		sum += at[1];
		seen += at[1] != 0;
	}
	assert_int_equal(seen, pool_in_use(p));
	assert_int_equal(sum, N / 2 * (N / 2 + 1)); /* 2 + 4 + ... + 700 */
	for (size_t i = 1; i < N; i += 2)
		pool_put(p, o[i]);
	pool_free(p);
}

static void strings_are_copied_whole_or_to_their_limit(void **state)
{
	char *a = xstrdup("main"), *b = xstrndup("main", 2), *c = xstrndup("ma", 9);
	char *d = xasprintf("%s:%u", a, 5432u);

	(void)state;
	assert_string_equal(a, "main");
	assert_string_equal(b, "ma");
	assert_string_equal(c, "ma");
	assert_string_equal(d, "main:5432");
	free(a);
	free(b);
	free(c);
	free(d);
}

static void asking_for_nothing_gives_something(void **state)
{
	void *a = xmalloc(0), *b = xcalloc(0, 8), *c = xrealloc(NULL, 0);

	(void)state;
	assert_non_null(a);
	assert_non_null(b);
	assert_non_null(c);
	free(a);
	free(b);
	free(c);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(a_pool_says_no_when_it_is_full),
		cmocka_unit_test(objects_are_zeroed_aligned_and_apart),
		cmocka_unit_test(memory_is_kept_for_the_next_peak),
		cmocka_unit_test(every_object_can_be_looked_at_and_a_free_one_is_empty),
		cmocka_unit_test(strings_are_copied_whole_or_to_their_limit),
		cmocka_unit_test(asking_for_nothing_gives_something),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
