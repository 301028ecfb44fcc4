/* A session's end as HAProxy 2.6 wrote it for the same story: the expected lines are its own. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "wire/haproxy_log.h"
#include <string.h>

static const struct haproxy_session served = {
	.client = "127.0.0.1:59604",
	.accepted = "20/Nov/2026:18:38:52.486",
	.frontend = "fe_read",
	.backend = "be_read",
	.server = "n1",
	.total_ms = 300,
	.bytes_out = 204,
	.reason = CLOSE_CLIENT,
	.stage = STAGE_DATA,
	.actconn = 2,
	.feconn = 2,
	.beconn = 1,
	.srvconn = 1,
};

static void assert_line(const struct haproxy_session *s, const char *want)
{
	char text[HAPROXY_SESSION_BYTES];

	assert_string_equal(haproxy_session_text(s, text, sizeof(text)), want);
}

static void test_a_session_that_was_served(void **state)
{
	(void)state;
	assert_line(&served,
		    "127.0.0.1:59604 [20/Nov/2026:18:38:52.486] fe_read be_read/n1 0/0/300 204 -- "
		    "2/2/1/1/0 0/0");
}

static void test_nobody_to_serve_it(void **state)
{
	struct haproxy_session s = served;

	(void)state;
	s.server = NULL;
	s.wait_ms = s.connect_ms = -1;
	s.total_ms = 0;
	s.bytes_out = 0;
	s.srvconn = 0;
	s.reason = CLOSE_NO_SERVER;
	s.stage = STAGE_CONNECT;
	assert_line(
		&s,
		"127.0.0.1:59604 [20/Nov/2026:18:38:52.486] fe_read be_read/<NOSRV> -1/-1/0 0 SC "
		"2/2/1/0/0 0/0");
}

static void test_it_waited_in_vain(void **state)
{
	struct haproxy_session s = served;

	(void)state;
	s.server = NULL;
	s.wait_ms = 402;
	s.connect_ms = -1;
	s.total_ms = 402;
	s.bytes_out = 0;
	s.srvconn = 0;
	s.reason = CLOSE_NO_SERVER;
	s.stage = STAGE_QUEUE;
	s.backend_queue = 1;
	assert_line(
		&s,
		"127.0.0.1:59604 [20/Nov/2026:18:38:52.486] fe_read be_read/<NOSRV> 402/-1/402 0 "
		"sQ 2/2/1/0/0 0/1");
}

static void test_it_was_refused_and_another_server_took_it(void **state)
{
	struct haproxy_session s = served;

	(void)state;
	s.retries = 2;
	s.redispatched = true;
	assert_line(&s,
		    "127.0.0.1:59604 [20/Nov/2026:18:38:52.486] fe_read be_read/n1 0/0/300 204 -- "
		    "2/2/1/1/+2 0/0");
}

static void test_a_line_is_cut_where_the_room_ends(void **state)
{
	char text[20];

	(void)state;
	haproxy_session_text(&served, text, sizeof(text));
	assert_int_equal(strlen(text), sizeof(text) - 1);
}

static void test_every_end_has_its_two_letters(void **state)
{
	static const struct {
		enum close_reason reason;
		enum haproxy_stage stage;
		const char *want;
	} rows[] = {
		{CLOSE_CLIENT, STAGE_DATA, "--"},
		{CLOSE_CLIENT, STAGE_QUEUE, "CQ"},
		{CLOSE_CLIENT, STAGE_CONNECT, "CC"},
		{CLOSE_CLIENT, STAGE_REQUEST, "CR"},
		{CLOSE_SERVER, STAGE_DATA, "--"},
		{CLOSE_CLIENT_RESET, STAGE_DATA, "CD"},
		{CLOSE_CLIENT_RESET, STAGE_QUEUE, "CQ"},
		{CLOSE_SERVER_RESET, STAGE_DATA, "SD"},
		{CLOSE_CLIENT_LOST, STAGE_DATA, "CD"},
		{CLOSE_SERVER_LOST, STAGE_DATA, "SD"},
		{CLOSE_DEMOTED, STAGE_DATA, "D-"},
		{CLOSE_UNREACHABLE, STAGE_DATA, "D-"},
		{CLOSE_LAGGING, STAGE_DATA, "D-"},
		{CLOSE_FENCED, STAGE_DATA, "D-"},
		{CLOSE_LEASE, STAGE_DATA, "D-"},
		{CLOSE_WRONG_CLUSTER, STAGE_DATA, "D-"},
		{CLOSE_MAINT, STAGE_DATA, "D-"},
		{CLOSE_OPERATOR, STAGE_DATA, "K-"},
		{CLOSE_STOPPING, STAGE_DATA, "K-"},
		{CLOSE_SENT_BACK, STAGE_DATA, "U-"},
		{CLOSE_NO_SERVER, STAGE_CONNECT, "SC"},
		{CLOSE_NO_SERVER, STAGE_QUEUE, "sQ"},
		{CLOSE_CONNECT_FAILED, STAGE_CONNECT, "SC"},
		{CLOSE_LIMIT, STAGE_REQUEST, "PR"},
		{CLOSE_LIMIT, STAGE_CONNECT, "PC"},
		{CLOSE_LIMIT, STAGE_QUEUE, "sQ"},
		{CLOSE_BAD_STARTUP, STAGE_REQUEST, "PR"},
		{CLOSE_STARTUP_TIMEOUT, STAGE_REQUEST, "cR"},
		{CLOSE_CLIENT_IDLE, STAGE_DATA, "cD"},
		{CLOSE_SERVER_IDLE, STAGE_DATA, "sD"},
		{CLOSE_INTERNAL, STAGE_CONNECT, "RC"},
	};
	bool seen[N_CLOSE_REASONS] = {false};
	char got[3];

	(void)state;
	for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
		struct haproxy_session s = {.reason = rows[i].reason, .stage = rows[i].stage};

		haproxy_termination(&s, got);
		assert_string_equal(got, rows[i].want);
		seen[rows[i].reason] = true;
	}
	for (unsigned r = 0; r < N_CLOSE_REASONS; r++)
		assert_true(seen[r]);
}

static void test_a_server_that_did_not_answer_in_time(void **state)
{
	struct haproxy_session s = {
		.reason = CLOSE_CONNECT_FAILED, .stage = STAGE_CONNECT, .timed_out = true};
	char got[3];

	(void)state;
	haproxy_termination(&s, got);
	assert_string_equal(got, "sC");
}

static void test_a_cancel_request_is_our_own_business(void **state)
{
	struct haproxy_session s = {
		.reason = CLOSE_SERVER, .stage = STAGE_REQUEST, .intercepted = true};
	char got[3];

	(void)state;
	haproxy_termination(&s, got);
	assert_string_equal(got, "LR");
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_a_session_that_was_served),
		cmocka_unit_test(test_nobody_to_serve_it),
		cmocka_unit_test(test_it_waited_in_vain),
		cmocka_unit_test(test_it_was_refused_and_another_server_took_it),
		cmocka_unit_test(test_a_line_is_cut_where_the_room_ends),
		cmocka_unit_test(test_every_end_has_its_two_letters),
		cmocka_unit_test(test_a_server_that_did_not_answer_in_time),
		cmocka_unit_test(test_a_cancel_request_is_our_own_business),
	};

	return cmocka_run_group_tests_name("haproxy_log", tests, NULL, NULL);
}
