/* What a client's first bytes mean, whole and cut at every byte. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "wire/pg_startup.h"
#include <stdbool.h>
#include <stdlib.h>
#include <string.h>

struct packet {
	unsigned char bytes[STARTUP_MAX_BYTES + 64];
	size_t len;
};

static void put_u32(unsigned char *p, uint32_t v)
{
	p[0] = (unsigned char)(v >> 24);
	p[1] = (unsigned char)(v >> 16);
	p[2] = (unsigned char)(v >> 8);
	p[3] = (unsigned char)v;
}

/* A packet of this code and body whose length is right. */
static struct packet packet_of(uint32_t code, const void *body, size_t body_len)
{
	struct packet p = {.len = STARTUP_MIN_BYTES + body_len};

	put_u32(p.bytes, (uint32_t)p.len);
	put_u32(p.bytes + 4, code);
	memcpy(p.bytes + STARTUP_MIN_BYTES, body, body_len);
	return p;
}

static struct packet packet_of_length(uint32_t length)
{
	struct packet p = {.len = sizeof(p.bytes)};

	put_u32(p.bytes, length);
	put_u32(p.bytes + 4, 3 << 16);
	return p;
}

/* From an exact heap copy, so that the address sanitizer sees one byte too many. */
static enum startup_kind parse_copy(const struct packet *p, size_t len, struct startup *s)
{
	unsigned char *copy = malloc(len ? len : 1);
	enum startup_kind kind;

	assert_non_null(copy);
	memcpy(copy, p->bytes, len);
	kind = pg_startup_parse(copy, len, s);
	free(copy);
	assert_int_equal(kind, s->kind);
	return kind;
}

/* Parses the whole, and requires of every prefix NEED_MORE or the same answer, and never a step
 * back. */
static struct startup parse_at_every_offset(const struct packet *p)
{
	struct startup whole, part;
	bool answered = false;

	parse_copy(p, p->len, &whole);
	for (size_t len = 0; len <= p->len; len++) {
		parse_copy(p, len, &part);
		if (part.kind == STARTUP_NEED_MORE) {
			assert_false(answered);
			assert_int_equal(part.consumed, 0);
			continue;
		}
		answered = true;
		assert_memory_equal(&part, &whole, sizeof(whole));
		assert_true(part.consumed <= len);
	}
	return whole;
}

#define BODY(text) text, sizeof(text) /* with its NUL: the terminator */

static void test_startup_is_read_whole_and_split_at_every_offset(void **state)
{
	struct packet p = packet_of(3 << 16, BODY("user\0app\0database\0shop\0"
						  "application_name\0psql\0"));
	struct startup s = parse_at_every_offset(&p);

	(void)state;
	assert_int_equal(s.kind, STARTUP_MESSAGE);
	assert_int_equal(s.consumed, p.len);
	assert_int_equal(s.protocol, 3 << 16);
	assert_string_equal(s.user, "app");
	assert_string_equal(s.database, "shop");
	assert_string_equal(s.application_name, "psql");
	assert_int_equal(s.replication, REPLICATION_NONE);
	assert_null(s.why);
}

static void test_startup_followed_by_queries_consumes_only_itself(void **state)
{
	struct packet p = packet_of(3 << 16, BODY("user\0app\0"));
	size_t packet = p.len;
	struct startup s;

	(void)state;
	memcpy(p.bytes + p.len, "Q\0\0\0\rselect 1", 14);
	p.len += 14;
	s = parse_at_every_offset(&p);
	assert_int_equal(s.kind, STARTUP_MESSAGE);
	assert_int_equal(s.consumed, packet);
	assert_string_equal(s.database, "app"); /* the user's name is the default */
}

static void expect_kind_and_consumed(uint32_t code, enum startup_kind kind)
{
	struct packet p = packet_of(code, "", 0);
	struct startup s = parse_at_every_offset(&p);

	assert_int_equal(s.kind, kind);
	assert_int_equal(s.consumed, 8);
}

static void test_ssl_and_gss_requests(void **state)
{
	(void)state;
	expect_kind_and_consumed(80877103, STARTUP_SSL);
	expect_kind_and_consumed(80877104, STARTUP_GSSENC);
}

static void test_ssl_request_twice_and_then_startup_is_three_questions(void **state)
{
	struct packet ssl = packet_of(80877103, "", 0);
	struct packet startup = packet_of(3 << 16, BODY("user\0app\0"));
	struct startup s;

	(void)state;
	memcpy(ssl.bytes + 8, ssl.bytes, 8);
	memcpy(ssl.bytes + 16, startup.bytes, startup.len);
	ssl.len = 16 + startup.len;
	for (unsigned i = 0; i < 2; i++) {
		assert_int_equal(pg_startup_parse(ssl.bytes + i * 8, ssl.len - i * 8, &s),
				 STARTUP_SSL);
		assert_int_equal(s.consumed, 8);
	}
	assert_int_equal(pg_startup_parse(ssl.bytes + 16, ssl.len - 16, &s), STARTUP_MESSAGE);
	assert_string_equal(s.user, "app");
}

static void expect_invalid(const struct packet *p)
{
	struct startup s = parse_at_every_offset(p);

	assert_int_equal(s.kind, STARTUP_INVALID);
	assert_int_equal(s.consumed, 0);
	assert_non_null(s.why);
}

static void test_special_requests_of_a_wrong_length_are_invalid(void **state)
{
	static const uint32_t codes[] = {80877103, 80877104};

	(void)state;
	for (size_t i = 0; i < 2; i++) {
		struct packet p = packet_of(codes[i], "\0\0\0\0", 4);
		struct startup s;

		expect_invalid(&p);
		assert_int_equal(parse_copy(&p, 8, &s), STARTUP_INVALID); /* at once */
	}
}

static void test_cancel_request_with_a_key_of_four_bytes(void **state)
{
	struct packet p = packet_of(80877102, "\x00\x01\xe2\x40\xde\xad\xbe\xef", 8);
	struct startup s = parse_at_every_offset(&p);

	(void)state;
	assert_int_equal(s.kind, STARTUP_CANCEL);
	assert_int_equal(s.consumed, 16);
	assert_int_equal(s.cancel_pid, 123456);
	assert_int_equal(s.cancel_key_len, 4);
	assert_memory_equal(s.cancel_key, "\xde\xad\xbe\xef", 4);
}

static void test_cancel_request_with_long_keys(void **state)
{
	unsigned char body[4 + 257];

	(void)state;
	memset(body, 0xa5, sizeof(body));
	for (size_t key = 0; key <= 257; key++) {
		struct packet p = packet_of(80877102, body, 4 + key);
		struct startup s;

		parse_copy(&p, p.len, &s);
		if (key == 0 || key > CANCEL_KEY_MAX_BYTES) {
			assert_int_equal(s.kind, STARTUP_INVALID);
			continue;
		}
		assert_int_equal(s.kind, STARTUP_CANCEL);
		assert_int_equal(s.cancel_key_len, key);
		assert_int_equal(s.cancel_key[key - 1], 0xa5);
		assert_int_equal(s.consumed, 12 + key);
	}
}

static void test_cancel_request_without_a_pid_is_invalid(void **state)
{
	struct packet p = packet_of(80877102, "", 0);

	(void)state;
	expect_invalid(&p);
}

static void test_direct_tls_is_known_by_its_first_byte(void **state)
{
	struct packet p = {.bytes = {0x16, 0x03, 0x01, 0x02, 0x00, 0x01}, .len = 6};
	struct startup s = parse_at_every_offset(&p);

	(void)state;
	assert_int_equal(s.kind, STARTUP_DIRECT_TLS);
	assert_int_equal(s.consumed, 0);
	assert_int_equal(parse_copy(&p, 1, &s), STARTUP_DIRECT_TLS);
}

static void test_bad_lengths_are_invalid_as_soon_as_they_are_read(void **state)
{
	static const uint32_t lengths[] = {0, 1, 4, 7, 10005, 1u << 31, 0x7fffffff, 0xffffffff};

	(void)state;
	for (size_t i = 0; i < sizeof(lengths) / sizeof(lengths[0]); i++) {
		struct packet p = packet_of_length(lengths[i]);
		struct startup s;

		assert_int_equal(parse_copy(&p, 3, &s), STARTUP_NEED_MORE);
		assert_int_equal(parse_copy(&p, 4, &s), STARTUP_INVALID);
		assert_non_null(s.why);
	}
}

static void test_length_bounds_are_inclusive(void **state)
{
	struct packet longest = packet_of_length(10004), shortest = packet_of_length(8);
	struct startup s;

	(void)state;
	assert_int_equal(parse_copy(&longest, 10003, &s), STARTUP_NEED_MORE);
	assert_int_equal(parse_copy(&longest, 10004, &s), STARTUP_MESSAGE);
	assert_int_equal(s.consumed, 10004);
	assert_int_equal(parse_copy(&shortest, 8, &s), STARTUP_MESSAGE);
	assert_int_equal(s.consumed, 8);
}

static void test_other_protocols_to_the_port_are_invalid(void **state)
{
	static const char *const texts[] = {"GET / HTTP/1.1\r\n\r\n", "PROXY TCP4 1.2.3.4 ",
					    "SSH-2.0-OpenSSH\r\n", "\r\n\r\n\0\r\nQUIT\n"};

	(void)state;
	for (size_t i = 0; i < sizeof(texts) / sizeof(texts[0]); i++) {
		struct packet p = {.len = strlen(texts[i])};

		memcpy(p.bytes, texts[i], p.len);
		expect_invalid(&p);
	}
}

static void test_every_protocol_version_is_the_servers_to_judge(void **state)
{
	static const uint32_t versions[] = {
		2u << 16, 3u << 16 | 2, 3u << 16 | 99,  9u << 16 | 9,
		0,        0xffffffff,   1234 << 16 | 1, 1234 << 16 | 5681};

	(void)state;
	for (size_t i = 0; i < sizeof(versions) / sizeof(versions[0]); i++) {
		struct packet p = packet_of(versions[i], BODY("user\0app\0"));
		struct startup s = parse_at_every_offset(&p);

		assert_int_equal(s.kind, STARTUP_MESSAGE);
		assert_int_equal(s.protocol, versions[i]);
		assert_string_equal(s.user, versions[i] >> 16 == 3 ? "app" : "");
	}
}

static struct startup parse_body(const void *body, size_t len)
{
	struct packet p = packet_of(3 << 16, body, len);
	struct startup s = parse_at_every_offset(&p);

	assert_int_equal(s.kind, STARTUP_MESSAGE);
	return s;
}

static void test_broken_parameters_are_still_a_startup(void **state)
{
	struct startup s;

	(void)state;
	s = parse_body("", 0);
	assert_string_equal(s.user, "");
	s = parse_body("user\0ap", 7); /* no terminator: not a value that we would show */
	assert_string_equal(s.user, "");
	s = parse_body("user", 4);
	assert_string_equal(s.user, "");
	s = parse_body("user\0a\0database", 15);
	assert_string_equal(s.user, "a");
	assert_string_equal(s.database, "a");
	s = parse_body("\0user\0a\0", 8); /* an empty name ends the list */
	assert_string_equal(s.user, "");
}

static void test_names_are_printable_and_cut(void **state)
{
	char body[256] = "user\0";
	struct startup s;

	(void)state;
	memset(body + 5, 'x', 200);
	memcpy(body + 5, "a\nb\x1b[31m\xff", 9);
	s = parse_body(body, 5 + 200 + 2);
	assert_int_equal(strlen(s.user), sizeof(s.user) - 1);
	assert_memory_equal(s.user, "a?b?[31m?xxx", 12);
}

static void test_the_last_of_two_equal_parameters_counts(void **state)
{
	struct startup s = parse_body(BODY("user\0first\0user\0second\0"));

	(void)state;
	assert_string_equal(s.user, "second");
}

static void test_replication_is_read_as_postgresql_reads_it(void **state)
{
	(void)state;
	assert_int_equal(parse_body(BODY("replication\0database\0")).replication,
			 REPLICATION_LOGICAL);
	assert_int_equal(parse_body(BODY("replication\0true\0")).replication, REPLICATION_PHYSICAL);
	assert_int_equal(parse_body(BODY("replication\0T\0")).replication, REPLICATION_PHYSICAL);
	assert_int_equal(parse_body(BODY("replication\0on\0")).replication, REPLICATION_PHYSICAL);
	assert_int_equal(parse_body(BODY("replication\0yes\0")).replication, REPLICATION_PHYSICAL);
	assert_int_equal(parse_body(BODY("replication\0001\0")).replication, REPLICATION_PHYSICAL);
	assert_int_equal(parse_body(BODY("replication\0false\0")).replication, REPLICATION_NONE);
	assert_int_equal(parse_body(BODY("replication\0truely\0")).replication, REPLICATION_NONE);
	assert_int_equal(parse_body(BODY("replication\0o\0")).replication, REPLICATION_NONE);
	assert_int_equal(parse_body(BODY("replication\0\0")).replication, REPLICATION_NONE);
}

static void test_nothing_needs_more(void **state)
{
	struct startup s;

	(void)state;
	assert_int_equal(pg_startup_parse(NULL, 0, &s), STARTUP_NEED_MORE);
	assert_int_equal(s.consumed, 0);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_startup_is_read_whole_and_split_at_every_offset),
		cmocka_unit_test(test_startup_followed_by_queries_consumes_only_itself),
		cmocka_unit_test(test_ssl_and_gss_requests),
		cmocka_unit_test(test_ssl_request_twice_and_then_startup_is_three_questions),
		cmocka_unit_test(test_special_requests_of_a_wrong_length_are_invalid),
		cmocka_unit_test(test_cancel_request_with_a_key_of_four_bytes),
		cmocka_unit_test(test_cancel_request_with_long_keys),
		cmocka_unit_test(test_cancel_request_without_a_pid_is_invalid),
		cmocka_unit_test(test_direct_tls_is_known_by_its_first_byte),
		cmocka_unit_test(test_bad_lengths_are_invalid_as_soon_as_they_are_read),
		cmocka_unit_test(test_length_bounds_are_inclusive),
		cmocka_unit_test(test_other_protocols_to_the_port_are_invalid),
		cmocka_unit_test(test_every_protocol_version_is_the_servers_to_judge),
		cmocka_unit_test(test_broken_parameters_are_still_a_startup),
		cmocka_unit_test(test_names_are_printable_and_cut),
		cmocka_unit_test(test_the_last_of_two_equal_parameters_counts),
		cmocka_unit_test(test_replication_is_read_as_postgresql_reads_it),
		cmocka_unit_test(test_nothing_needs_more),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
