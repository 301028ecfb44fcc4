/* Patroni's answers in every dialect, and everything that is none. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "wire/patroni_json.h"
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

/* Filled with rubbish first: every field of the body must be said anew. */
static int read_bytes(const char *body, size_t len, struct observation *o)
{
	char *copy = malloc(len ? len : 1);
	int rv;

	assert_non_null(copy);
	memcpy(copy, body, len);
	memset(o, 0x5a, sizeof(*o));
	o->outcome = OUTCOME_ANSWERED;
	rv = patroni_json_read(copy, len, o);
	free(copy);
	return rv;
}

static struct observation read_ok(const char *body)
{
	struct observation o;

	assert_int_equal(read_bytes(body, strlen(body), &o), 0);
	assert_int_equal(o.outcome, OUTCOME_ANSWERED);
	return o;
}

static void expect_nothing_said(const struct observation *o)
{
	assert_int_equal(o->claim, CLAIM_UNKNOWN);
	assert_int_equal(o->state, PG_UNKNOWN);
	assert_int_equal(o->timeline, 0);
	assert_int_equal(o->lsn, 0);
	assert_int_equal(o->system_id, 0);
	assert_int_equal(o->flags, 0);
	assert_int_equal(o->server_version, 0);
	assert_string_equal(o->scope, "");
	assert_string_equal(o->name, "");
	assert_string_equal(o->patroni_version, "");
}

static void expect_bad_bytes(const char *body, size_t len)
{
	struct observation o;

	assert_int_equal(read_bytes(body, len, &o), -EBADMSG);
	assert_int_equal(o.outcome, OUTCOME_BAD_JSON);
	expect_nothing_said(&o);
}

static void expect_bad(const char *body)
{
	expect_bad_bytes(body, strlen(body));
}

/* ---- dialects ---- */

static const char primary_2_1[] =
	"{\"state\": \"running\", \"postmaster_start_time\": \"2022-01-02 03:04:05.678901+00:00\","
	" \"role\": \"master\", \"server_version\": 130005, \"cluster_unlocked\": false,"
	" \"xlog\": {\"location\": 50331968}, \"timeline\": 1,"
	" \"database_system_identifier\": \"6929263429107453000\","
	" \"patroni\": {\"version\": \"2.1.0\", \"scope\": \"batman\"}}";

static void test_primary_of_patroni_2_1(void **state)
{
	struct observation o = read_ok(primary_2_1);

	(void)state;
	assert_int_equal(o.claim, CLAIM_PRIMARY);
	assert_int_equal(o.state, PG_RUNNING);
	assert_int_equal(o.timeline, 1);
	assert_int_equal(o.lsn, 50331968);
	assert_int_equal(o.system_id, 6929263429107453000u);
	assert_int_equal(o.server_version, 130005);
	assert_int_equal(o.flags, 0);
	assert_string_equal(o.scope, "batman");
	assert_string_equal(o.patroni_version, "2.1.0");
	assert_string_equal(o.name, "");
}

static void test_primary_of_patroni_3_0_2_with_its_replicas(void **state)
{
	struct observation o =
		read_ok("{\"state\": \"running\","
			" \"postmaster_start_time\": \"2026-11-20 09:00:00.123456+00:00\","
			" \"role\": \"master\", \"server_version\": 150018,"
			" \"xlog\": {\"location\": 67109184}, \"timeline\": 3, \"replication\":"
			" [{\"usename\": \"replicator\", \"application_name\": \"n2\","
			" \"client_addr\": \"127.0.0.12\", \"state\": \"streaming\","
			" \"sync_state\": \"async\", \"sync_priority\": 0}],"
			" \"dcs_last_seen\": 1795165200,"
			" \"database_system_identifier\": \"7574000000000000001\","
			" \"patroni\": {\"version\": \"3.0.2\", \"scope\": \"demo\"}}");

	(void)state;
	assert_int_equal(o.claim, CLAIM_PRIMARY);
	assert_int_equal(o.state, PG_RUNNING);
	assert_int_equal(o.timeline, 3);
	assert_int_equal(o.lsn, 67109184);
	assert_int_equal(o.server_version, 150018);
}

static void test_replica_of_patroni_3_0_2(void **state)
{
	struct observation o = read_ok(
		"{\"state\": \"running\", \"role\": \"replica\", \"server_version\": 150018,"
		" \"xlog\": {\"received_location\": 67109999,"
		" \"replayed_location\": 67109184, \"replayed_timestamp\": null,"
		" \"paused\": false}, \"sync_standby\": true, \"timeline\": null,"
		" \"tags\": {\"noloadbalance\": true},"
		" \"patroni\": {\"version\": \"3.0.2\", \"scope\": \"demo\"}}");

	(void)state;
	assert_int_equal(o.claim, CLAIM_REPLICA);
	assert_int_equal(o.lsn, 67109184);
	assert_int_equal(o.timeline, 0);
	assert_int_equal(o.flags, FLAG_SYNC | TAG_NOLOADBALANCE);
}

static void test_primary_of_patroni_4(void **state)
{
	struct observation o = read_ok(
		"{\"state\": \"running\", \"role\": \"primary\", \"server_version\": 170002,"
		" \"xlog\": {\"location\": 9223372036854775807}, \"timeline\": 4294967295,"
		" \"pause\": true, \"failsafe_mode_is_active\": true,"
		" \"database_system_identifier\": \"18446744073709551615\","
		" \"patroni\": {\"version\": \"4.1.4\", \"scope\": \"demo\","
		" \"name\": \"n1\"}}");

	(void)state;
	assert_int_equal(o.claim, CLAIM_PRIMARY);
	assert_int_equal(o.lsn, INT64_MAX);
	assert_int_equal(o.timeline, UINT32_MAX);
	assert_int_equal(o.system_id, UINT64_MAX);
	assert_int_equal(o.flags, FLAG_PAUSED | FLAG_FAILSAFE);
	assert_string_equal(o.name, "n1");
	assert_string_equal(o.patroni_version, "4.1.4");
}

static void test_replica_of_patroni_4(void **state)
{
	struct observation o =
		read_ok("{\"state\": \"running\", \"role\": \"replica\","
			" \"replication_state\": \"in archive recovery\","
			" \"quorum_standby\": true, \"cluster_unlocked\": true, \"timeline\": 2,"
			" \"tags\": {\"nofailover\": true}}");

	(void)state;
	assert_int_equal(o.claim, CLAIM_REPLICA);
	assert_int_equal(o.state, PG_RUNNING);
	assert_int_equal(o.flags, FLAG_QUORUM | FLAG_CLUSTER_UNLOCKED);
}

static void test_every_role_word(void **state)
{
	static const struct {
		const char *word;
		enum claim claim;
	} roles[] = {
		{"master", CLAIM_PRIMARY},
		{"primary", CLAIM_PRIMARY},
		{"replica", CLAIM_REPLICA},
		{"standby_leader", CLAIM_STANDBY_LEADER},
		{"demoted", CLAIM_DEMOTED},
		{"promoted", CLAIM_PROMOTED},
		{"uninitialized", CLAIM_UNINITIALIZED},
		{"leader", CLAIM_UNKNOWN},
		{"Master", CLAIM_UNKNOWN},
		{"primary ", CLAIM_UNKNOWN},
		{"", CLAIM_UNKNOWN},
	};
	char body[64];

	(void)state;
	for (size_t i = 0; i < sizeof(roles) / sizeof(roles[0]); i++) {
		snprintf(body, sizeof(body), "{\"role\": \"%s\"}", roles[i].word);
		assert_int_equal(read_ok(body).claim, roles[i].claim);
	}
}

static void test_every_state_word(void **state)
{
	static const struct {
		const char *word;
		enum pg_state state;
	} states[] = {
		{"running", PG_RUNNING},
		{"streaming", PG_RUNNING},
		{"in archive recovery", PG_RUNNING},
		{"starting", PG_STARTING},
		{"starting after custom bootstrap", PG_STARTING},
		{"stopping", PG_STOPPING},
		{"stopped", PG_STOPPED},
		{"crashed", PG_CRASHED},
		{"restarting", PG_OTHER},
		{"start failed", PG_OTHER},
		{"stop failed", PG_OTHER},
		{"creating replica", PG_OTHER},
		{"initializing new cluster", PG_OTHER},
		{"Running", PG_OTHER},
		{"unknown", PG_UNKNOWN},
		{"", PG_UNKNOWN},
	};
	char body[64];

	(void)state;
	for (size_t i = 0; i < sizeof(states) / sizeof(states[0]); i++) {
		snprintf(body, sizeof(body), "{\"state\": \"%s\"}", states[i].word);
		assert_int_equal(read_ok(body).state, states[i].state);
	}
}

static void test_tag_is_set_by_whatever_python_holds_for_true(void **state)
{
	static const char *const set[] = {"true", "1", "\"yes\"", "\"false\"", "0.5", "[0]"};
	static const char *const unset[] = {"false", "0", "\"\"", "null", "[]", "{}", "0.0"};
	char body[64];

	(void)state;
	for (size_t i = 0; i < sizeof(set) / sizeof(set[0]); i++) {
		snprintf(body, sizeof(body), "{\"tags\": {\"noloadbalance\": %s}}", set[i]);
		assert_int_equal(read_ok(body).flags, TAG_NOLOADBALANCE);
	}
	for (size_t i = 0; i < sizeof(unset) / sizeof(unset[0]); i++) {
		snprintf(body, sizeof(body), "{\"tags\": {\"noloadbalance\": %s}}", unset[i]);
		assert_int_equal(read_ok(body).flags, 0);
	}
}

static void test_system_identifier_as_text_or_number(void **state)
{
	(void)state;
	assert_int_equal(read_ok("{\"database_system_identifier\": \"7\"}").system_id, 7);
	assert_int_equal(read_ok("{\"database_system_identifier\": 7574000000000000001}").system_id,
			 7574000000000000001u);
	assert_int_equal(read_ok("{\"database_system_identifier\": \"7x\"}").system_id, 0);
	assert_int_equal(read_ok("{\"database_system_identifier\": \"-7\"}").system_id, 0);
	assert_int_equal(read_ok("{\"database_system_identifier\": \"\"}").system_id, 0);
	assert_int_equal(
		read_ok("{\"database_system_identifier\": \"18446744073709551616\"}").system_id, 0);
	assert_int_equal(read_ok("{\"database_system_identifier\": -7}").system_id, 0);
}

/* ---- content that is none (each a proof of nothing) ---- */

static void test_garbage_is_refused(void **state)
{
	(void)state;
	expect_bad("\x7f\x45\x4c\x46 garbage \x01\x02");
	expect_bad("<html><body>master running</body></html>");
}

static void test_not_json_is_refused(void **state)
{
	(void)state;
	expect_bad("role: master");
	expect_bad("{'role': 'master'}");
	expect_bad("{\"role\": \"master\"");
	expect_bad("{\"role\": \"master\"} trailing");
	expect_bad("{\"role\": \"master\"}{\"role\": \"master\"}");
}

static void test_only_an_object_is_an_answer(void **state)
{
	(void)state;
	expect_bad("[{\"role\": \"master\"}]");
	expect_bad("\"master\"");
	expect_bad("null");
	expect_bad("1");
}

static void test_empty_body_is_refused(void **state)
{
	(void)state;
	expect_bad("");
	expect_bad("  \r\n");
}

static void test_byte_order_mark_is_refused(void **state)
{
	(void)state;
	expect_bad("\xef\xbb\xbf{\"role\": \"master\"}");
}

static void test_bad_utf8_is_refused(void **state)
{
	(void)state;
	expect_bad("{\"role\": \"master\", \"x\": \"\xff\xfe\"}");
	expect_bad("{\"role\": \"master\", \"x\": \"\xc0\x80\"}");
	expect_bad("{\"role\": \"master\", \"x\": \"\\ud800\"}");
}

static void test_nul_in_a_role_is_not_the_role(void **state)
{
	static const char raw[] = "{\"role\": \"master\0x\"}";
	static const char after[] = "{\"role\": \"master\"}\0";

	(void)state;
	expect_bad("{\"role\": \"master\\u0000x\"}");
	expect_bad("{\"role\": \"master\\u0000\"}");
	expect_bad("{\"role\\u0000x\": \"master\"}");
	expect_bad_bytes(raw, sizeof(raw) - 1);
	expect_bad_bytes(after, sizeof(after) - 1);
}

static void test_duplicate_keys_are_refused(void **state)
{
	(void)state;
	expect_bad("{\"role\": \"replica\", \"role\": \"master\"}");
	expect_bad("{\"role\": \"master\", \"role\": \"master\"}");
	expect_bad("{\"role\": \"master\", \"r\\u006fle\": \"replica\"}");
	expect_bad("{\"patroni\": {\"scope\": \"a\", \"scope\": \"b\"}}");
}

/* `depth` brackets in all, the outer object's included. */
static char *nested(unsigned depth, char open, char close)
{
	char *body = calloc(1, 64 + 2 * (size_t)depth);
	size_t n;

	assert_non_null(body);
	n = (size_t)sprintf(body, "{\"role\": \"master\", \"x\": ");
	memset(body + n, open, depth - 1);
	memset(body + n + depth - 1, close, depth - 1);
	body[n + 2 * (depth - 1)] = '}';
	return body;
}

static void test_deep_json_is_refused_and_the_bound_is_exact(void **state)
{
	char *at_bound = nested(32, '[', ']'), *over = nested(33, '[', ']');
	char *hostile = nested(100000, '[', ']'), *unclosed = nested(100000, '[', ' ');

	(void)state;
	assert_int_equal(read_ok(at_bound).claim, CLAIM_PRIMARY);
	expect_bad(over);
	expect_bad(hostile);
	expect_bad(unclosed);
	free(at_bound);
	free(over);
	free(hostile);
	free(unclosed);
}

static void test_brackets_in_strings_are_no_depth(void **state)
{
	struct observation o =
		read_ok("{\"x\": \"[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[\\\"[[[[\\\\\","
			" \"role\": \"master\"}");

	(void)state;
	assert_int_equal(o.claim, CLAIM_PRIMARY);
}

static void test_no_role_says_nothing(void **state)
{
	struct observation o = read_ok("{}");

	(void)state;
	expect_nothing_said(&o);
	assert_int_equal(read_ok("{\"state\": \"running\"}").claim, CLAIM_UNKNOWN);
}

static void test_role_of_another_type_says_nothing(void **state)
{
	static const char *const values[] = {"1",    "null",
					     "true", "[\"master\"]",
					     "1.5",  "{\"role\": \"master\"}",
					     "[]",   "{\"master\": true}"};
	char body[96];

	(void)state;
	for (size_t i = 0; i < sizeof(values) / sizeof(values[0]); i++) {
		struct observation o;

		snprintf(body, sizeof(body), "{\"role\": %s, \"timeline\": 2}", values[i]);
		o = read_ok(body);
		assert_int_equal(o.claim, CLAIM_UNKNOWN);
		assert_int_equal(o.timeline, 2);
	}
}

static void test_a_garbled_timeline_makes_the_whole_answer_unbelievable(void **state)
{
	static const char *const values[] = {"\"3\"",
					     "-1",
					     "4294967296",
					     "9223372036854775807",
					     "9223372036854775808",
					     "-9223372036854775809",
					     "99999999999999999999999999999999",
					     "1e300",
					     "2.5",
					     "-0.5",
					     "[3]",
					     "{}"};
	char body[128];

	(void)state;
	for (size_t i = 0; i < sizeof(values) / sizeof(values[0]); i++) {
		snprintf(body, sizeof(body),
			 "{\"role\": \"master\", \"state\": \"running\", \"timeline\": %s}",
			 values[i]);
		expect_bad(body);
	}
}

static void test_a_timeline_that_is_zero_or_null_is_not_said(void **state)
{
	struct observation o = read_ok("{\"role\": \"master\", \"timeline\": null}");

	(void)state;
	assert_int_equal(o.timeline, 0);
	assert_int_equal(o.claim, CLAIM_PRIMARY);
	o = read_ok("{\"role\": \"replica\", \"timeline\": 0}");
	assert_int_equal(o.timeline, 0);
	assert_int_equal(o.claim, CLAIM_REPLICA);
}

static void test_a_number_beyond_every_range_is_refused(void **state)
{
	(void)state;
	expect_bad("{\"role\": \"master\", \"timeline\": 1e400}");
}

static void test_other_numbers_survive_a_huge_one(void **state)
{
	struct observation o = read_ok("{\"timeline\": 7, \"server_version\": 150018, \"xlog\":"
				       " {\"location\": 99999999999999999999999}}");

	(void)state;
	assert_int_equal(o.timeline, 7);
	assert_int_equal(o.server_version, 150018);
	assert_int_equal(o.lsn, 0);
}

static void test_wrong_scope_and_system_are_reported_for_judgement(void **state)
{
	struct observation o =
		read_ok("{\"role\": \"master\", \"database_system_identifier\": \"42\","
			" \"patroni\": {\"scope\": \"other\", \"name\": \"x\"}}");

	(void)state;
	assert_string_equal(o.scope, "other");
	assert_string_equal(o.name, "x");
	assert_int_equal(o.system_id, 42);
}

static void test_scope_is_cut_to_fit_and_printable(void **state)
{
	char body[400];
	struct observation o;

	(void)state;
	snprintf(body, sizeof(body), "{\"patroni\": {\"scope\": \"a\\n%0200d\", \"name\": 7}}", 0);
	o = read_ok(body);
	assert_int_equal(strlen(o.scope), sizeof(o.scope) - 1);
	assert_memory_equal(o.scope, "a?00", 4);
	assert_string_equal(o.name, "");
}

static void test_fields_are_read_from_their_own_level_only(void **state)
{
	struct observation o = read_ok(
		"{\"x\": {\"role\": \"master\", \"state\": \"running\", \"timeline\": 9},"
		" \"patroni\": {\"role\": \"master\", \"pause\": true, \"noloadbalance\": true},"
		" \"tags\": {\"sync_standby\": true, \"role\": \"master\"}, \"noloadbalance\": "
		"true,"
		" \"scope\": \"top\", \"name\": \"top\", \"version\": \"1\", \"location\": 5,"
		" \"replication\": [{\"role\": \"master\", \"state\": \"streaming\"}]}");

	(void)state;
	expect_nothing_said(&o);
}

static void test_containers_of_another_type_say_nothing(void **state)
{
	struct observation o = read_ok("{\"patroni\": \"demo\", \"tags\": [\"noloadbalance\"],"
				       " \"xlog\": 7, \"pause\": \"true\", \"sync_standby\": 1,"
				       " \"server_version\": \"150018\"}");

	(void)state;
	expect_nothing_said(&o);
}

static void test_every_truncation_of_a_real_answer_is_refused(void **state)
{
	(void)state;
	for (size_t len = 0; len < sizeof(primary_2_1) - 1; len++)
		expect_bad_bytes(primary_2_1, len);
}

static void test_only_the_bodys_fields_are_touched(void **state)
{
	struct observation o = {.member = 3,
				.question = ASK_REPLICA,
				.asked_ms = 10,
				.answered_ms = 12,
				.http_status = 503,
				.ttl_ms = 30000};

	(void)state;
	assert_int_equal(patroni_json_read("{}", 2, &o), 0);
	assert_int_equal(patroni_json_read("x", 1, &o), -EBADMSG);
	assert_int_equal(o.member, 3);
	assert_int_equal(o.question, ASK_REPLICA);
	assert_int_equal(o.asked_ms, 10);
	assert_int_equal(o.answered_ms, 12);
	assert_int_equal(o.http_status, 503);
	assert_int_equal(o.ttl_ms, 30000);
}

/* ---- /config ---- */

static void expect_config(const char *body, int64_t ttl_ms, int64_t loop_wait_ms)
{
	struct observation o = {.ttl_ms = 1, .loop_wait_ms = 1, .claim = CLAIM_REPLICA};

	assert_int_equal(patroni_json_read_config(body, strlen(body), &o), 0);
	assert_int_equal(o.ttl_ms, ttl_ms);
	assert_int_equal(o.loop_wait_ms, loop_wait_ms);
	assert_int_equal(o.claim, CLAIM_REPLICA);
}

static void test_config_gives_ttl_and_loop_wait(void **state)
{
	(void)state;
	expect_config("{\"ttl\": 30, \"loop_wait\": 10, \"retry_timeout\": 10,"
		      " \"maximum_lag_on_failover\": 1048576,"
		      " \"postgresql\": {\"use_pg_rewind\": true, \"parameters\": {\"ttl\": 9}}}",
		      30000, 10000);
	expect_config("{\"ttl\": \"20\", \"loop_wait\": 5}", 20000, 5000);
	expect_config("{\"loop_wait\": 2}", 0, 2000);
	expect_config("{}", 0, 0);
}

static void test_config_of_other_types_or_sizes_says_nothing(void **state)
{
	(void)state;
	expect_config("{\"ttl\": -30, \"loop_wait\": null}", 0, 0);
	expect_config("{\"ttl\": 9223372036854775807, \"loop_wait\": [10]}", 0, 0);
	expect_config("{\"ttl\": 99999999999999999999, \"loop_wait\": 10}", 0, 10000);
	expect_config("{\"ttl\": \"30s\", \"loop_wait\": \"\"}", 0, 0);
	expect_config("{\"postgresql\": {\"ttl\": 30}}", 0, 0);
}

static void test_config_that_is_no_object_is_refused(void **state)
{
	struct observation o = {.ttl_ms = 1, .loop_wait_ms = 1};

	(void)state;
	assert_int_equal(patroni_json_read_config("[30]", 4, &o), -EBADMSG);
	assert_int_equal(o.outcome, OUTCOME_BAD_JSON);
	assert_int_equal(o.ttl_ms, 0);
	assert_int_equal(o.loop_wait_ms, 0);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_primary_of_patroni_2_1),
		cmocka_unit_test(test_primary_of_patroni_3_0_2_with_its_replicas),
		cmocka_unit_test(test_replica_of_patroni_3_0_2),
		cmocka_unit_test(test_primary_of_patroni_4),
		cmocka_unit_test(test_replica_of_patroni_4),
		cmocka_unit_test(test_every_role_word),
		cmocka_unit_test(test_every_state_word),
		cmocka_unit_test(test_tag_is_set_by_whatever_python_holds_for_true),
		cmocka_unit_test(test_system_identifier_as_text_or_number),
		cmocka_unit_test(test_garbage_is_refused),
		cmocka_unit_test(test_not_json_is_refused),
		cmocka_unit_test(test_only_an_object_is_an_answer),
		cmocka_unit_test(test_empty_body_is_refused),
		cmocka_unit_test(test_byte_order_mark_is_refused),
		cmocka_unit_test(test_bad_utf8_is_refused),
		cmocka_unit_test(test_nul_in_a_role_is_not_the_role),
		cmocka_unit_test(test_duplicate_keys_are_refused),
		cmocka_unit_test(test_deep_json_is_refused_and_the_bound_is_exact),
		cmocka_unit_test(test_brackets_in_strings_are_no_depth),
		cmocka_unit_test(test_no_role_says_nothing),
		cmocka_unit_test(test_role_of_another_type_says_nothing),
		cmocka_unit_test(test_a_garbled_timeline_makes_the_whole_answer_unbelievable),
		cmocka_unit_test(test_a_timeline_that_is_zero_or_null_is_not_said),
		cmocka_unit_test(test_a_number_beyond_every_range_is_refused),
		cmocka_unit_test(test_other_numbers_survive_a_huge_one),
		cmocka_unit_test(test_wrong_scope_and_system_are_reported_for_judgement),
		cmocka_unit_test(test_scope_is_cut_to_fit_and_printable),
		cmocka_unit_test(test_fields_are_read_from_their_own_level_only),
		cmocka_unit_test(test_containers_of_another_type_say_nothing),
		cmocka_unit_test(test_every_truncation_of_a_real_answer_is_refused),
		cmocka_unit_test(test_only_the_bodys_fields_are_touched),
		cmocka_unit_test(test_config_gives_ttl_and_loop_wait),
		cmocka_unit_test(test_config_of_other_types_or_sizes_says_nothing),
		cmocka_unit_test(test_config_that_is_no_object_is_refused),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
