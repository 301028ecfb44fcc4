/* ErrorResponses as libpq reads them, in any room. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "wire/pg_error.h"
#include <string.h>

static const struct pg_error cannot_connect = {
	.sqlstate = SQLSTATE_CANNOT_CONNECT_NOW, .message = "no primary", .hint = NULL};

static size_t length_word(const unsigned char *p)
{
	return (size_t)p[1] << 24 | (size_t)p[2] << 16 | (size_t)p[3] << 8 | p[4];
}

/* The text of one field; NULL when it is not there. Requires that the packet is whole. */
static const char *field(const unsigned char *packet, size_t len, char type)
{
	const char *found = NULL;
	size_t at = 5;

	assert_int_equal(packet[0], 'E');
	assert_int_equal(length_word(packet), len - 1);
	while (packet[at]) {
		const char *text = (const char *)packet + at + 1;

		assert_true(at + 1 < len);
		if (packet[at] == (unsigned char)type)
			found = text;
		at += 2 + strlen(text);
		assert_true(at < len);
	}
	assert_int_equal(at, len - 1);
	return found;
}

static void test_error_bytes_are_exact(void **state)
{
	static const char expected[] = "E\0\0\0\x26SFATAL\0VFATAL\0C57P03\0Mno primary\0\0";
	unsigned char out[PG_ERROR_ENOUGH_BYTES];
	size_t n = pg_error_write(&cannot_connect, out, sizeof(out));

	(void)state;
	assert_int_equal(n, sizeof(expected) - 1);
	assert_memory_equal(out, expected, n);
}

static void test_error_with_a_hint(void **state)
{
	struct pg_error e = {SQLSTATE_TOO_MANY_CONNECTIONS, "too many", "raise maxconn"};
	unsigned char out[PG_ERROR_ENOUGH_BYTES];
	size_t n = pg_error_write(&e, out, sizeof(out));

	(void)state;
	assert_string_equal(field(out, n, 'S'), "FATAL");
	assert_string_equal(field(out, n, 'V'), "FATAL");
	assert_string_equal(field(out, n, 'C'), "53300");
	assert_string_equal(field(out, n, 'M'), "too many");
	assert_string_equal(field(out, n, 'H'), "raise maxconn");
}

static void test_error_is_whole_in_any_room(void **state)
{
	struct pg_error e = {"57P03", "a sentence that may not fit", "nor this"};
	unsigned char out[128];

	(void)state;
	for (size_t room = 0; room <= sizeof(out); room++) {
		size_t n;

		memset(out, 0xee, sizeof(out));
		n = pg_error_write(&e, out, room);
		assert_true(n <= room);
		for (size_t i = room; i < sizeof(out); i++)
			assert_int_equal(out[i], 0xee);
		if (room >= 48)
			assert_true(n > 0);
		if (n == 0)
			continue;
		assert_string_equal(field(out, n, 'C'), "57P03");
		assert_memory_equal(field(out, n, 'M'), e.message, strlen(field(out, n, 'M')));
	}
}

static void test_a_cut_text_splits_no_character(void **state)
{
	struct pg_error e = {"57P03", "\xe1\x83\x98\xe1\x83\xa1\xe1\x83\x90", NULL};
	unsigned char out[64];

	(void)state;
	for (size_t room = 29; room <= sizeof(out); room++) {
		size_t n = pg_error_write(&e, out, room);

		assert_true(n > 0);
		assert_int_equal(strlen(field(out, n, 'M')) % 3, 0);
	}
	assert_string_equal(field(out, 38, 'M'), e.message);
}

static void test_tls_alert_is_a_whole_fatal_record(void **state)
{
	static const unsigned char expected[] = {0x15, 0x03, 0x03, 0x00, 0x02, 0x02, 0x50};

	(void)state;
	assert_int_equal(sizeof(tls_alert_internal_error), sizeof(expected));
	assert_memory_equal(tls_alert_internal_error, expected, sizeof(expected));
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_error_bytes_are_exact),
		cmocka_unit_test(test_error_with_a_hint),
		cmocka_unit_test(test_error_is_whole_in_any_room),
		cmocka_unit_test(test_a_cut_text_splits_no_character),
		cmocka_unit_test(test_tls_alert_is_a_whole_fatal_record),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
