/* Units that operators write, near misses, and copies that never overrun. */
#include "base/str.h"
#include <errno.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include <cmocka.h>

static void durations_have_one_unit_and_zero_needs_none(void **state)
{
	static const struct {
		const char *text;
		int64_t ms;
	} good[] = {{"100ms", 100},   {"3s", 3000}, {"5m", 300000}, {"2h", 7200000},
		    {"1d", 86400000}, {"0", 0},     {"0s", 0},      {"7S", 7000}};
	int64_t ms;

	(void)state;
	for (size_t i = 0; i < sizeof(good) / sizeof(*good); i++) {
		assert_int_equal(str_to_duration_ms(good[i].text, &ms), 0);
		assert_int_equal(ms, good[i].ms);
	}
}

static void short_durations_know_microseconds(void **state)
{
	int64_t us = -1;

	(void)state;
	assert_int_equal(str_to_duration_us("250us", &us), 0);
	assert_int_equal(us, 250);
	assert_int_equal(str_to_duration_us("2ms", &us), 0);
	assert_int_equal(us, 2000);
	assert_int_equal(str_to_duration_us("1d", &us), 0);
	assert_int_equal(us, 86400000000);
	assert_int_equal(str_to_duration_us("0", &us), 0);
	assert_int_equal(us, 0);
	assert_true(str_to_duration_us("250", &us) < 0);
	assert_true(str_to_duration_us("9223372036854775807s", &us) < 0);
}

static void durations_that_are_none_leave_the_value_alone(void **state)
{
	static const char *const bad[] = {
		"",    "5",    "-1s", "1.5s", "s",  "1 s",  " 1s",
		"1s ", "1sec", "1w",  "0x10", "0q", "1s1s", "99999999999999999999s"};
	int64_t ms = 42;

	(void)state;
	for (size_t i = 0; i < sizeof(bad) / sizeof(*bad); i++)
		assert_true(str_to_duration_ms(bad[i], &ms) < 0);
	assert_int_equal(str_to_duration_ms("9223372036854775807d", &ms), -ERANGE);
	assert_int_equal(ms, 42);
}

static void numbers_are_whole_and_in_range(void **state)
{
	uint64_t n;

	(void)state;
	assert_int_equal(str_to_uint("65535", 1, 65535, &n), 0);
	assert_int_equal(n, 65535);
	assert_int_equal(str_to_uint("0", 0, 1, &n), 0);
	assert_int_equal(n, 0);
	assert_int_equal(str_to_uint("007", 0, 9, &n), 0);
	assert_int_equal(n, 7);
	assert_int_equal(str_to_uint("65536", 1, 65535, &n), -ERANGE);
	assert_int_equal(str_to_uint("0", 1, 65535, &n), -ERANGE);
	assert_int_equal(str_to_uint("", 0, 9, &n), -EINVAL);
	assert_int_equal(str_to_uint("+1", 0, 9, &n), -EINVAL);
	assert_int_equal(str_to_uint("-0", 0, 9, &n), -EINVAL);
	assert_int_equal(str_to_uint("1k", 0, 9999, &n), -EINVAL);
	assert_int_equal(str_to_uint("18446744073709551616", 0, UINT64_MAX, &n), -ERANGE);
}

static void sizes_count_in_1024(void **state)
{
	uint64_t n;

	(void)state;
	assert_int_equal(str_to_size_bytes("64kB", &n), 0);
	assert_int_equal(n, 65536);
	assert_int_equal(str_to_size_bytes("16MB", &n), 0);
	assert_int_equal(n, 16u << 20);
	assert_int_equal(str_to_size_bytes("1GB", &n), 0);
	assert_int_equal(n, 1u << 30);
	assert_int_equal(str_to_size_bytes("512", &n), 0);
	assert_int_equal(n, 512);
	assert_int_equal(str_to_size_bytes("1k", &n), -EINVAL);
	assert_int_equal(str_to_size_bytes("99999999TB", &n), -ERANGE);
}

static void moments_are_told_as_the_log_does(void **state)
{
	static const struct {
		int64_t ms;
		const char *text;
	} rows[] = {{0, "1970-01-01T00:00:00.000Z"},
		    {INT64_C(951782399999), "2000-02-28T23:59:59.999Z"},
		    {INT64_C(951782400000), "2000-02-29T00:00:00.000Z"},
		    {INT64_C(951868800001), "2000-03-01T00:00:00.001Z"},
		    {INT64_C(1735689599000), "2024-12-31T23:59:59.000Z"},
		    {INT64_C(1795172327123), "2026-11-20T10:58:47.123Z"},
		    {INT64_C(4107542400000), "2100-03-01T00:00:00.000Z"},
		    {-1, "1970-01-01T00:00:00.000Z"}};
	char out[STR_UTC_BYTES];

	(void)state;
	for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++)
		assert_string_equal(str_utc(rows[i].ms, out, sizeof(out)), rows[i].text);
}

static void durations_are_told_shortly(void **state)
{
	static const struct {
		int64_t ms;
		const char *text;
	} rows[] = {{0, "0ms"},        {-5, "0ms"},        {850, "850ms"},
		    {3200, "3.2s"},    {59999, "59.9s"},   {60000, "1m00s"},
		    {245000, "4m05s"}, {7380000, "2h03m"}, {446400000, "5d04h"}};
	char out[32];

	(void)state;
	for (size_t i = 0; i < sizeof(rows) / sizeof(*rows); i++)
		assert_string_equal(str_duration(rows[i].ms, out, sizeof(out)), rows[i].text);
	assert_string_equal(str_duration(245000, out, 4), "4m0"); /* cut, and terminated */
}

static void a_misspelt_word_finds_its_neighbour(void **state)
{
	static const char *const keys[] = {"bind",           "balance", "maxconn",
					   "server_maxconn", "serve",   NULL};
	static const char *const levels[] = {"debug", "info", "warning", "error", NULL};

	(void)state;
	assert_string_equal(str_nearest("blance", keys), "balance");
	assert_string_equal(str_nearest("BALANCE", keys), "balance");
	assert_string_equal(str_nearest("max_conn", keys), "maxconn");
	assert_string_equal(str_nearest("sevre", keys), "serve");
	assert_string_equal(str_nearest("server-maxconn", keys), "server_maxconn");
	assert_string_equal(str_nearest("warn", levels), "warning");
}

static void a_far_word_finds_nothing(void **state)
{
	static const char *const keys[] = {"bind", "balance", "maxconn", NULL};
	static const char *const none[] = {NULL};
	char giant[5000];

	(void)state;
	memset(giant, 'b', sizeof(giant) - 1);
	giant[sizeof(giant) - 1] = '\0';
	assert_null(str_nearest("fallback", keys));
	assert_null(str_nearest("", keys));
	assert_null(str_nearest("zzz", keys));
	assert_null(str_nearest(giant, keys));
	assert_null(str_nearest("bind", none));
}

static void strangers_names_become_printable(void **state)
{
	char out[8];

	(void)state;
	str_copy_printable(out, sizeof(out), "a\n\x1b\xc3\xa9z", 6);
	assert_string_equal(out, "a????z");
	str_copy_printable(out, sizeof(out), "0123456789", 10);
	assert_string_equal(out, "0123456");
	str_copy_printable(out, sizeof(out), "ab\0cd", 5);
	assert_string_equal(out, "ab");
	str_copy_printable(out, 1, "ab", 2);
	assert_string_equal(out, "");
}

static void a_copy_says_whether_it_fitted(void **state)
{
	char out[4];

	(void)state;
	assert_true(str_copy(out, sizeof(out), "abc"));
	assert_string_equal(out, "abc");
	assert_false(str_copy(out, sizeof(out), "abcd"));
	assert_string_equal(out, "abc");
}

static void bytes_are_said_in_few_digits(void **state)
{
	static const struct {
		uint64_t bytes;
		const char *text;
	} cases[] = {{0, "0 B"},
		     {10239, "10239 B"},
		     {10240, "10 kB"},
		     {3ull << 30, "3072 MB"},
		     {1ull << 50, "1024 TB"},
		     {UINT64_MAX, "16383 PB"}};
	char out[32];

	(void)state;
	for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++)
		assert_string_equal(str_bytes(cases[i].bytes, " ", out, sizeof(out)),
				    cases[i].text);
	assert_string_equal(str_bytes(4096, "", out, sizeof(out)), "4096B");
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(bytes_are_said_in_few_digits),
		cmocka_unit_test(durations_have_one_unit_and_zero_needs_none),
		cmocka_unit_test(short_durations_know_microseconds),
		cmocka_unit_test(durations_that_are_none_leave_the_value_alone),
		cmocka_unit_test(numbers_are_whole_and_in_range),
		cmocka_unit_test(sizes_count_in_1024),
		cmocka_unit_test(durations_are_told_shortly),
		cmocka_unit_test(moments_are_told_as_the_log_does),
		cmocka_unit_test(a_misspelt_word_finds_its_neighbour),
		cmocka_unit_test(a_far_word_finds_nothing),
		cmocka_unit_test(strangers_names_become_printable),
		cmocka_unit_test(a_copy_says_whether_it_fitted),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
