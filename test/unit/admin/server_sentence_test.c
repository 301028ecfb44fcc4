/* HAProxy 2.6's sentences about servers, as it sent them to syslog. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "admin/server_sentence.h"
#include <string.h>

static char be_read[] = "be_read", write_name[] = "write";

static const struct listener_config reads = {
	.frontend_name = be_read, .backend_name = be_read, .frontend_iid = 3, .backend_iid = 4};
static const struct listener_config writes = {.frontend_name = write_name,
					      .backend_name = write_name,
					      .frontend_iid = 2,
					      .backend_iid = 2};

static const struct server_report wrong_role = {.why = WHY_ROLE_LOST,
						.check_outcome = OUTCOME_ANSWERED,
						.check_status = 503,
						.check_ms = 1,
						.weight = 1};

static const char *sentence(const char *before, const char *now, const struct server_report *r)
{
	static char text[SERVER_SENTENCE_BYTES];
	struct server_change c = {.listener = &reads,
				  .server = "n1",
				  .before = before,
				  .now = now,
				  .report = r,
				  .active = 2,
				  .backups = 1,
				  .sessions = 7,
				  .waiting = 3};

	return server_sentence(&c, text, sizeof(text));
}

static void test_down_by_a_clear_answer(void **state)
{
	(void)state;
	assert_string_equal(
		sentence("UP", "DOWN", &wrong_role),
		"Server be_read/n1 is DOWN, reason: Layer7 wrong status, code: 503, info: "
		"\"Service Unavailable\", check duration: 1ms. 2 active and 1 backup servers left. "
		"7 sessions active, 0 requeued, 3 remaining in queue.");
}

/* At the start HAProxy takes all for up, and says the same. */
static void test_down_from_the_start(void **state)
{
	(void)state;
	assert_string_equal(sentence(NULL, "DOWN", &wrong_role),
			    sentence("UP", "DOWN", &wrong_role));
}

static void test_down_by_silence(void **state)
{
	struct server_report r = {
		.why = WHY_REST_SILENT, .check_outcome = OUTCOME_TIMEOUT, .check_ms = 1001};

	(void)state;
	assert_string_equal(sentence("UP", "DOWN", &r),
			    "Server be_read/n1 is DOWN, reason: Layer7 timeout, check duration: "
			    "1001ms. 2 active and 1 backup servers left. 7 sessions active, 0 "
			    "requeued, 3 remaining in queue.");
	r.check_outcome = OUTCOME_REFUSED;
	r.check_ms = 0;
	assert_non_null(strstr(sentence("UP", "DOWN", &r),
			       "is DOWN, reason: Layer4 connection problem, info: \"Connection "
			       "refused\", check duration: 0ms. "));
}

static void test_what_only_isari_knows_is_its_info(void **state)
{
	struct server_report r = wrong_role;

	(void)state;
	r.why = WHY_LAGGING;
	assert_non_null(strstr(sentence("UP", "DOWN", &r),
			       "code: 503, info: \"lags too far behind the primary\", check "));
}

static void test_up(void **state)
{
	struct server_report r = {
		.why = WHY_PROVEN, .check_outcome = OUTCOME_ANSWERED, .check_status = 200};

	(void)state;
	assert_string_equal(sentence("DOWN", "UP", &r),
			    "Server be_read/n1 is UP, reason: Layer7 check passed, code: 200, "
			    "check duration: 0ms. 2 active and 1 backup servers online. 0 sessions "
			    "requeued, 3 total in queue.");
}

static void test_what_operators_do(void **state)
{
	static const struct {
		const char *before, *now, *want;
	} rows[] = {
		{"UP", "MAINT",
		 "is going DOWN for maintenance. 2 active and 1 backup servers left. 7 sessions "
		 "active, 0 requeued, 3 remaining in queue."},
		{"DOWN", "MAINT", "was DOWN and now enters maintenance."},
		{"MAINT", "UP", "is UP/READY (leaving forced maintenance)."},
		{"MAINT", "DOWN", "is DOWN/READY (leaving forced maintenance)."},
		{"MAINT", "DRAIN", "is UP/DRAIN (leaving forced maintenance)."},
		{"UP", "DRAIN",
		 "enters drain state. 2 active and 1 backup servers online. 0 sessions requeued, 3 "
		 "total in queue."},
		{"DRAIN", "UP", "is UP (leaving forced drain)."},
	};

	(void)state;
	for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
		const char *got = sentence(rows[i].before, rows[i].now, &wrong_role);

		assert_memory_equal(got, "Server be_read/n1 ", 18);
		assert_string_equal(got + 18, rows[i].want);
	}
}

static void test_nobody_is_left(void **state)
{
	char text[SERVER_SENTENCE_BYTES];

	(void)state;
	assert_string_equal(server_sentence_none(&reads, text, sizeof(text)),
			    "backend be_read has no server available!");
	assert_string_equal(server_sentence_none(&writes, text, sizeof(text)),
			    "proxy write has no server available!");
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_down_by_a_clear_answer),
		cmocka_unit_test(test_down_from_the_start),
		cmocka_unit_test(test_down_by_silence),
		cmocka_unit_test(test_what_only_isari_knows_is_its_info),
		cmocka_unit_test(test_up),
		cmocka_unit_test(test_what_operators_do),
		cmocka_unit_test(test_nobody_is_left),
	};

	return cmocka_run_group_tests_name("server_sentence", tests, NULL, NULL);
}
