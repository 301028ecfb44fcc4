/* Memory of this process, as the kernel and the allocator say. */
#include "io/memory.h"
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

enum { PIECES = 64, PIECE_BYTES = 64 * 1024 }; /* small enough to come from a heap */

static void test_what_is_taken_and_written_to_is_seen(void **state)
{
	struct memory_use before, after, later;
	char *pieces[PIECES];

	(void)state;
	memory_read(&before);
	for (int i = 0; i < PIECES; i++) {
		pieces[i] = malloc(PIECE_BYTES);
		assert_non_null(pieces[i]);
		memset(pieces[i], i, PIECE_BYTES);
	}
	memory_read(&after);
	for (int i = 0; i < PIECES; i++)
		free(pieces[i]);
	memory_read(&later);
	assert_true(after.resident > 0 && after.resident_max >= after.resident / 2);
	assert_true(before.resident_max <= after.resident_max);
	assert_true(after.heap_held >= after.heap_used);
	if (before.heap_used == 0)
		return; /* a sanitizer's allocator: it does not say */
	assert_true(after.heap_used >= before.heap_used + PIECES * PIECE_BYTES);
	assert_true(later.heap_used < after.heap_used);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_what_is_taken_and_written_to_is_seen),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
