/* Addresses as operators write them. */
#include "base/addr.h"
#include <errno.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include <cmocka.h>

static void every_spelling_is_understood(void **state)
{
	static const struct {
		const char *text;
		uint16_t default_port;
		enum addr_kind kind;
		const char *host;
		uint16_t port;
	} rows[] = {
		{"127.0.0.1:5000", 0, ADDR_TCP, "127.0.0.1", 5000},
		{"*:5000", 0, ADDR_TCP, "*", 5000},
		{"[::1]:5432", 0, ADDR_TCP, "::1", 5432},
		{"[fe80::1%eth0]:1", 0, ADDR_TCP, "fe80::1%eth0", 1},
		{"pg-1.example.org:65535", 0, ADDR_TCP, "pg-1.example.org", 65535},
		{"10.0.0.1", 5432, ADDR_TCP, "10.0.0.1", 5432},
		{"::1", 5432, ADDR_TCP, "::1", 5432},
		{"[::1]", 5432, ADDR_TCP, "::1", 5432},
		{"pg1", 5432, ADDR_TCP, "pg1", 5432},
		{"/run/isari/isari.sock", 0, ADDR_UNIX, "/run/isari/isari.sock", 0},
	};
	struct addr a, again;
	char text[280];

	(void)state;
	for (size_t i = 0; i < sizeof(rows) / sizeof(*rows); i++) {
		assert_int_equal(addr_parse(&a, rows[i].text, rows[i].default_port, NULL), 0);
		assert_int_equal(a.kind, rows[i].kind);
		assert_string_equal(a.host, rows[i].host);
		assert_int_equal(a.port, rows[i].port);
		assert_int_equal(addr_parse(&again, addr_format(&a, text, sizeof(text)), 0, NULL),
				 0);
		assert_true(addr_equal(&a, &again));
	}
}

static void what_is_no_address_is_refused_with_the_reason(void **state)
{
	static const struct {
		const char *text, *reason;
		uint16_t default_port;
	} rows[] = {
		{"", "no host name", 0},
		{"", "no host name", 5432},
		{":5000", "no host name", 0},
		{"host", "port is missing", 0},
		{"host:", "port must be 1..65535", 0},
		{"host:0", "port must be 1..65535", 0},
		{"host:65536", "port must be 1..65535", 0},
		{"host:12a", "port must be 1..65535", 0},
		{"ho st:1", "no host name", 0},
		{"a/b:1", "no host name", 0},
		{"::1:5432", "[address]:port", 0},
		{"[::1:5432", "']'", 0},
		{"[::1]5432", "after ']'", 0},
		{"[host]:1", "brackets", 0},
		{"[*]:1", "brackets", 0},
		{"[::g]:1", "no IPv6 address", 0},
		{"[::1%]:1", "no IPv6 address", 0},
		{"1:2:3", "no IPv6 address", 5432},
		{"10.0.0.256:1", "no IPv4 address", 0},
		{"10.0.1:1", "no IPv4 address", 0},
		{"10.0.0.1.1:1", "no IPv4 address", 0},
	};
	struct addr a;
	struct err e;

	(void)state;
	for (size_t i = 0; i < sizeof(rows) / sizeof(*rows); i++) {
		e.text[0] = '\0';
		assert_int_equal(addr_parse(&a, rows[i].text, rows[i].default_port, &e), -EINVAL);
		assert_non_null(strstr(e.text, rows[i].reason));
	}
}

static void lengths_are_bounded(void **state)
{
	char path[300], host[300];
	struct addr a;

	(void)state;
	memset(path, 'p', sizeof(path));
	path[0] = '/';
	path[107] = '\0';
	assert_int_equal(addr_parse(&a, path, 0, NULL), 0);
	path[107] = 'p';
	path[108] = '\0';
	assert_int_equal(addr_parse(&a, path, 0, NULL), -EINVAL);
	memset(host, 'h', sizeof(host));
	host[255] = '\0';
	assert_int_equal(addr_parse(&a, host, 1, NULL), 0);
	host[255] = 'h';
	host[256] = '\0';
	assert_int_equal(addr_parse(&a, host, 1, NULL), -EINVAL);
}

static void equal_means_the_same_place(void **state)
{
	static const struct {
		const char *a, *b;
		bool equal;
	} rows[] = {
		{"[::1]:1", "[0:0:0:0:0:0:0:1]:1", true},
		{"[FD00::A]:1", "[fd00::a]:1", true},
		{"PG1:1", "pg1:1", true},
		{"[fe80::1%a]:1", "[fe80::1%b]:1", false},
		{"10.0.0.1:1", "10.0.0.1:2", false},
		{"10.0.0.1:1", "10.0.0.2:1", false},
		{"/A", "/a", false},
	};
	struct addr a, b;

	(void)state;
	for (size_t i = 0; i < sizeof(rows) / sizeof(*rows); i++) {
		assert_int_equal(addr_parse(&a, rows[i].a, 0, NULL), 0);
		assert_int_equal(addr_parse(&b, rows[i].b, 0, NULL), 0);
		assert_int_equal(addr_equal(&a, &b), rows[i].equal);
	}
}

static void a_wildcard_overlaps_its_family(void **state)
{
	static const struct {
		const char *a, *b;
		bool overlap;
	} rows[] = {
		{"*:1", "*:1", true},
		{"*:1", "10.0.0.1:1", true},
		{"*:1", "[::1]:1", true},
		{"*:1", "0.0.0.0:1", true},
		{"*:1", "[::]:1", true},
		{"0.0.0.0:1", "10.0.0.1:1", true},
		{"[::]:1", "[::1]:1", true},
		{"[0::0]:1", "[::1]:1", true},
		{"0.0.0.0:1", "[::1]:1", false},
		{"0.0.0.0:1", "[::]:1", false},
		{"[::]:1", "10.0.0.1:1", false},
		{"10.0.0.1:1", "10.0.0.2:1", false},
		{"*:1", "*:2", false},
		{"/a", "/a", true},
		{"/a", "/b", false},
		{"*:1", "/a", false},
	};
	struct addr a, b;

	(void)state;
	for (size_t i = 0; i < sizeof(rows) / sizeof(*rows); i++) {
		assert_int_equal(addr_parse(&a, rows[i].a, 0, NULL), 0);
		assert_int_equal(addr_parse(&b, rows[i].b, 0, NULL), 0);
		assert_int_equal(addr_overlaps(&a, &b), rows[i].overlap);
		assert_int_equal(addr_overlaps(&b, &a), rows[i].overlap);
	}
}

static void numbers_are_told_from_names(void **state)
{
	(void)state;
	assert_true(addr_is_numeric("10.0.0.1"));
	assert_true(addr_is_numeric("::"));
	assert_true(addr_is_numeric("::ffff:10.0.0.1"));
	assert_true(addr_is_numeric("fe80::1%eth0"));
	assert_false(addr_is_numeric("*"));
	assert_false(addr_is_numeric(""));
	assert_false(addr_is_numeric("localhost"));
	assert_false(addr_is_numeric("256.0.0.1"));
	assert_false(addr_is_numeric("1.2.3"));
	assert_false(addr_is_numeric("1:2:3"));
	assert_false(addr_is_numeric("fe80::1%"));
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(every_spelling_is_understood),
		cmocka_unit_test(what_is_no_address_is_refused_with_the_reason),
		cmocka_unit_test(lengths_are_bounded),
		cmocka_unit_test(equal_means_the_same_place),
		cmocka_unit_test(a_wildcard_overlaps_its_family),
		cmocka_unit_test(numbers_are_told_from_names),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
