/* CSV cells: bare where they can be, quoted where they must. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "wire/csv.h"

static void expect(const char *cell, const char *expected)
{
	struct buf b = {0};

	buf_puts(&b, "x,");
	csv_append_cell(&b, cell);
	assert_string_equal(b.data + 2, expected);
	assert_memory_equal(b.data, "x,", 2);
	buf_fini(&b);
}

static void test_plain_cells_stay_bare(void **state)
{
	(void)state;
	expect("", "");
	expect("BACKEND", "BACKEND");
	expect("10.0.0.1:5432", "10.0.0.1:5432");
	expect("no check; 'quoted'", "no check; 'quoted'");
}

static void test_separators_and_line_ends_are_quoted(void **state)
{
	(void)state;
	expect("a,b", "\"a,b\"");
	expect(",", "\",\"");
	expect("a\nb", "\"a\nb\"");
	expect("a\rb", "\"a\rb\"");
}

static void test_quotes_are_doubled(void **state)
{
	(void)state;
	expect("say \"no\"", "\"say \"\"no\"\"\"");
	expect("\"", "\"\"\"\"");
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_plain_cells_stay_bare),
		cmocka_unit_test(test_separators_and_line_ends_are_quoted),
		cmocka_unit_test(test_quotes_are_doubled),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
