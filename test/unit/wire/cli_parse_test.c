/* HAProxy command lines: the cases were put to HAProxy 2.6.12 and answered so. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "base/buf.h"
#include "wire/cli_parse.h"
#include <stdlib.h>
#include <string.h>

/* "[show] [stat] | [quit]": each command's words in brackets, commands apart by bars. */
static char *parse(const char *text)
{
	char *line = strdup(text), *rest = line;
	struct cli_command c;
	struct buf out = {0};

	assert_non_null(line);
	for (unsigned n = 0; cli_next_command(&rest, &c); n++) {
		buf_puts(&out, n ? "|" : "");
		assert_null(c.words[c.n_words]);
		for (unsigned i = 0; i < c.n_words; i++)
			buf_printf(&out, "[%s]", c.words[i]);
	}
	free(line);
	return buf_take(&out);
}

static void expect(const char *text, const char *expected)
{
	char *got = parse(text);

	assert_string_equal(got, expected);
	free(got);
}

static void test_words_are_separated_by_blanks(void **state)
{
	(void)state;
	expect("show stat", "[show][stat]");
	expect("  show \t stat  ", "[show][stat]");
	expect("show\tstat", "[show][stat]");
}

static void test_empty_lines_are_one_empty_command(void **state)
{
	(void)state;
	expect("", "");
	expect(" \t ", "");
}

static void test_semicolons_separate_commands(void **state)
{
	(void)state;
	expect("show info;show stat", "[show][info]|[show][stat]");
	expect(" show info ; show stat ", "[show][info]|[show][stat]");
}

static void test_every_semicolon_ends_a_command_even_an_empty_one(void **state)
{
	(void)state;
	expect("show info;", "[show][info]|");
	expect(";show info", "|[show][info]");
	expect(";;", "||");
}

static void test_escaped_semicolon_is_literal(void **state)
{
	(void)state;
	expect("echo a\\;b", "[echo][a;b]");
	expect("a \\; b;c", "[a][;][b]|[c]");
}

static void test_escaped_blank_joins_words(void **state)
{
	(void)state;
	expect("show\\ version", "[show version]");
	expect("a\\\tb", "[a\tb]");
}

static void test_backslash_vanishes_before_anything(void **state)
{
	(void)state;
	expect("get weight b/n\\1", "[get][weight][b/n1]");
	expect("a\\\\b", "[a\\b]");
	expect("a\\\\;b", "[a\\]|[b]");
	expect("a\\\\\\;b", "[a\\;b]");
}

static void test_backslash_at_the_end_vanishes(void **state)
{
	(void)state;
	expect("get b/n1\\", "[get][b/n1]");
	expect("\\", "[]");
	expect("a \\", "[a][]");
}

static void test_quotes_mean_nothing(void **state)
{
	(void)state;
	expect("show \"a b\"", "[show][\"a][b\"]");
	expect("show 'a;b'", "[show]['a]|[b']");
}

static void test_words_beyond_the_bound_are_not_looked_at(void **state)
{
	char line[3 * CLI_MAX_WORDS], *rest = line;
	struct cli_command c;

	(void)state;
	memset(line, 0, sizeof(line));
	for (unsigned i = 0; i < CLI_MAX_WORDS + 10; i++)
		memcpy(line + 2 * i, "w ", 2);
	memcpy(line + 2 * (CLI_MAX_WORDS + 10), ";next", 5);
	assert_true(cli_next_command(&rest, &c));
	assert_int_equal(c.n_words, CLI_MAX_WORDS);
	assert_null(c.words[CLI_MAX_WORDS]);
	assert_string_equal(c.words[CLI_MAX_WORDS - 1], "w");
	assert_true(cli_next_command(&rest, &c));
	assert_int_equal(c.n_words, 1);
	assert_string_equal(c.words[0], "next");
	assert_false(cli_next_command(&rest, &c));
}

static void expect_payload(const char *text, bool payload, const char *left)
{
	char line[64];

	strcpy(line, text);
	assert_int_equal(cli_take_payload(line), payload);
	assert_string_equal(line, left);
}

static void test_a_payload_is_announced_at_the_very_end(void **state)
{
	(void)state;
	expect_payload("set x <<", true, "set x ");
	expect_payload("a;set x<<", true, "a;set x");
	expect_payload("<<", true, "");
	expect_payload("set x << y", false, "set x << y");
	expect_payload("set x << ", false, "set x << ");
	expect_payload("<", false, "<");
	expect_payload("", false, "");
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_words_are_separated_by_blanks),
		cmocka_unit_test(test_empty_lines_are_one_empty_command),
		cmocka_unit_test(test_semicolons_separate_commands),
		cmocka_unit_test(test_every_semicolon_ends_a_command_even_an_empty_one),
		cmocka_unit_test(test_escaped_semicolon_is_literal),
		cmocka_unit_test(test_escaped_blank_joins_words),
		cmocka_unit_test(test_backslash_vanishes_before_anything),
		cmocka_unit_test(test_backslash_at_the_end_vanishes),
		cmocka_unit_test(test_quotes_mean_nothing),
		cmocka_unit_test(test_words_beyond_the_bound_are_not_looked_at),
		cmocka_unit_test(test_a_payload_is_announced_at_the_very_end),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
