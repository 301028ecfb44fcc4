/* The growing buffer: always terminated, any byte, any length. */
#include "base/buf.h"
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

static void text_is_appended_and_stays_terminated(void **state)
{
	struct buf b = {0};

	(void)state;
	buf_puts(&b, "role");
	buf_putc(&b, '=');
	buf_printf(&b, "%s,%d", "primary", 7);
	assert_string_equal(b.data, "role=primary,7");
	assert_int_equal(b.len, 14);
	buf_clear(&b);
	assert_int_equal(b.len, 0);
	assert_string_equal(b.data, "");
	buf_fini(&b);
	assert_null(b.data);
}

static void it_grows_over_every_boundary(void **state)
{
	struct buf b = {0};

	(void)state;
	for (unsigned i = 0; i < 5000; i++) {
		buf_putc(&b, (char)('a' + i % 26));
		assert_int_equal(b.data[b.len], '\0');
		assert_true(b.len < b.cap);
	}
	for (unsigned i = 0; i < 5000; i++)
		assert_int_equal(b.data[i], 'a' + (int)(i % 26));
	buf_fini(&b);
}

static void a_long_format_is_not_cut(void **state)
{
	struct buf b = {0};
	char word[1000];

	(void)state;
	memset(word, 'w', sizeof(word) - 1);
	word[sizeof(word) - 1] = '\0';
	buf_puts(&b, "x");
	buf_printf(&b, "%s%s", word, word);
	assert_int_equal(b.len, 1 + 2 * 999);
	assert_int_equal(b.data[b.len - 1], 'w');
	buf_fini(&b);
}

/* What fits exactly, with its NUL, and what does not by one byte. */
static void a_format_meets_every_end_of_the_room(void **state)
{
	(void)state;
	for (unsigned filled = 200; filled < 300; filled++) {
		struct buf b = {0};

		for (unsigned i = 0; i < filled; i++)
			buf_putc(&b, '.');
		buf_printf(&b, "%s %d", "word", 42);
		assert_int_equal(b.len, filled + 7);
		assert_string_equal(b.data + filled, "word 42");
		assert_true(b.len < b.cap);
		buf_fini(&b);
	}
}

static void numbers_need_no_format(void **state)
{
	struct buf b = {0};

	(void)state;
	buf_uint(&b, 0);
	buf_putc(&b, ' ');
	buf_uint(&b, UINT64_MAX);
	buf_putc(&b, ' ');
	buf_int(&b, INT64_MIN);
	buf_putc(&b, ' ');
	buf_int(&b, INT64_MAX);
	assert_string_equal(b.data, "0 18446744073709551615 -9223372036854775808 "
				    "9223372036854775807");
	buf_fini(&b);
}

static void any_byte_goes_in(void **state)
{
	struct buf b = {0};

	(void)state;
	buf_append(&b, "a\0b", 3);
	buf_append(&b, NULL, 0);
	assert_int_equal(b.len, 3);
	assert_memory_equal(b.data, "a\0b\0", 4);
	buf_fini(&b);
}

static void consumed_bytes_leave_from_the_front(void **state)
{
	struct buf b = {0};

	(void)state;
	buf_puts(&b, "first\nsecond");
	buf_consume(&b, 0);
	buf_consume(&b, 6);
	assert_string_equal(b.data, "second");
	buf_consume(&b, 6);
	assert_string_equal(b.data, "");
	assert_int_equal(b.len, 0);
	buf_fini(&b);
}

static void a_taken_string_is_the_callers(void **state)
{
	struct buf b = {0};
	char *s;

	(void)state;
	buf_puts(&b, "mine");
	s = buf_take(&b);
	assert_string_equal(s, "mine");
	assert_null(b.data);
	assert_int_equal(b.len, 0);
	free(s);
	s = buf_take(&b); /* of an empty buffer: an empty string, not NULL */
	assert_string_equal(s, "");
	free(s);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(text_is_appended_and_stays_terminated),
		cmocka_unit_test(it_grows_over_every_boundary),
		cmocka_unit_test(a_long_format_is_not_cut),
		cmocka_unit_test(a_format_meets_every_end_of_the_room),
		cmocka_unit_test(numbers_need_no_format),
		cmocka_unit_test(any_byte_goes_in),
		cmocka_unit_test(consumed_bytes_leave_from_the_front),
		cmocka_unit_test(a_taken_string_is_the_callers),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
