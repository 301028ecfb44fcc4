/* What one answer proves: every ingredient of a proof, one by one. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "core/proof.h"
#include <string.h>

static struct observation primary(void)
{
	return (struct observation){.question = ASK_PRIMARY,
				    .outcome = OUTCOME_ANSWERED,
				    .http_status = 200,
				    .claim = CLAIM_PRIMARY,
				    .state = PG_RUNNING,
				    .timeline = 5,
				    .system_id = 7001,
				    .scope = "batman"};
}

static const struct expectation ours = {
	.scope = "batman", .system_id = 7001, .highest_timeline = 5};

static void expect(const struct observation *o, const struct expectation *e, enum verdict verdict,
		   enum why why)
{
	struct judgement j = proof_judge(o, e);

	assert_int_equal(j.verdict, verdict);
	assert_int_equal(j.why, why);
}

static void test_status_role_state_cluster_and_timeline_make_a_proof(void **state)
{
	struct observation o = primary();
	struct expectation anybody = {0};

	(void)state;
	expect(&o, &ours, VERDICT_PROOF, WHY_PROVEN);
	expect(&o, &anybody, VERDICT_PROOF, WHY_PROVEN);
	o.timeline = 6;
	expect(&o, &ours, VERDICT_PROOF, WHY_PROVEN);
}

static void test_any_other_status_is_a_refusal_whatever_the_body_says(void **state)
{
	static const int statuses[] = {503, 500, 404, 401, 403, 302, 204, 201, 100};
	struct observation o = primary();

	(void)state;
	for (size_t i = 0; i < sizeof(statuses) / sizeof(statuses[0]); i++) {
		o.http_status = statuses[i];
		expect(&o, &ours, VERDICT_REFUSAL, WHY_NOT_LEADER);
	}
}

static void test_the_lock_without_a_promoted_postgresql_is_no_proof(void **state)
{
	static const enum claim claims[] = {CLAIM_REPLICA, CLAIM_STANDBY_LEADER, CLAIM_DEMOTED,
					    CLAIM_PROMOTED, CLAIM_UNINITIALIZED};
	struct observation o = primary();

	(void)state;
	for (size_t i = 0; i < sizeof(claims) / sizeof(claims[0]); i++) {
		o.claim = claims[i];
		expect(&o, &ours, VERDICT_NOT_WRITABLE, WHY_PROMOTING);
	}
	o.claim = CLAIM_UNKNOWN;
	expect(&o, &ours, VERDICT_NOTHING, WHY_STATE_UNKNOWN);
}

static void test_the_lock_without_a_running_postgresql_is_no_proof(void **state)
{
	static const enum pg_state states[] = {PG_STARTING, PG_STOPPING, PG_STOPPED, PG_CRASHED,
					       PG_OTHER};
	struct observation o = primary();

	(void)state;
	for (size_t i = 0; i < sizeof(states) / sizeof(states[0]); i++) {
		o.state = states[i];
		expect(&o, &ours, VERDICT_NOT_WRITABLE, WHY_PG_NOT_RUNNING);
	}
}

static void test_a_state_that_patroni_does_not_know_says_nothing(void **state)
{
	struct observation o = primary();

	(void)state;
	o.state = PG_UNKNOWN;
	expect(&o, &ours, VERDICT_NOTHING, WHY_STATE_UNKNOWN);
	o.claim = CLAIM_REPLICA;
	expect(&o, &ours, VERDICT_NOTHING, WHY_STATE_UNKNOWN);
}

static void test_a_timeline_below_the_highest_is_told_apart(void **state)
{
	struct observation o = primary();

	(void)state;
	o.timeline = 4;
	expect(&o, &ours, VERDICT_LOWER_TIMELINE, WHY_LOWER_TIMELINE);
}

static void test_a_body_without_a_timeline_is_no_step_down(void **state)
{
	struct observation o = primary();
	struct expectation nothing_known = {0};

	(void)state;
	o.timeline = 0;
	expect(&o, &ours, VERDICT_NOTHING, WHY_NO_TIMELINE);
	expect(&o, &nothing_known, VERDICT_PROOF, WHY_PROVEN);
}

static void test_another_cluster_is_refused_with_the_reason_even_if_it_says_no(void **state)
{
	struct expectation named = ours;
	struct observation o = primary();

	(void)state;
	for (o.http_status = 200; o.http_status; o.http_status = o.http_status == 200 ? 503 : 0) {
		strcpy(o.scope, "robin");
		expect(&o, &ours, VERDICT_WRONG_CLUSTER, WHY_WRONG_SCOPE);
		strcpy(o.scope, "batman");
		o.system_id = 7002;
		expect(&o, &ours, VERDICT_WRONG_CLUSTER, WHY_WRONG_SYSTEM);
		o.system_id = 7001;
		named.another_members_name = true;
		expect(&o, &named, VERDICT_WRONG_CLUSTER, WHY_WRONG_NAME);
	}
}

static void test_a_role_answer_of_another_cluster_is_refused_too(void **state)
{
	struct observation o = primary();

	(void)state;
	o.question = ASK_REPLICA;
	strcpy(o.scope, "robin");
	expect(&o, &ours, VERDICT_WRONG_CLUSTER, WHY_WRONG_SCOPE);
}

static void test_a_body_that_does_not_say_its_cluster_passes(void **state)
{
	struct observation o = primary();

	(void)state;
	o.scope[0] = '\0';
	o.system_id = 0;
	expect(&o, &ours, VERDICT_PROOF, WHY_PROVEN);
}

static void test_a_configured_scope_must_be_said_to_prove_anything(void **state)
{
	struct expectation e = ours;
	struct observation o = primary();

	(void)state;
	e.scope_is_configured = true;
	expect(&o, &e, VERDICT_PROOF, WHY_PROVEN);
	o.scope[0] = '\0';
	expect(&o, &e, VERDICT_NOTHING, WHY_NO_SCOPE);
}

static void test_a_scope_longer_than_what_is_observed_of_it_still_matches(void **state)
{
	struct observation o = primary();
	char scope[100];
	struct expectation e = {.scope = scope};

	(void)state;
	memset(scope, 'x', sizeof(scope) - 1);
	scope[sizeof(scope) - 1] = '\0';
	memcpy(o.scope, scope, sizeof(o.scope) - 1);
	expect(&o, &e, VERDICT_PROOF, WHY_PROVEN);
	o.scope[10] = 'y';
	expect(&o, &e, VERDICT_WRONG_CLUSTER, WHY_WRONG_SCOPE);
	strcpy(o.scope, "xxx");
	expect(&o, &e, VERDICT_WRONG_CLUSTER, WHY_WRONG_SCOPE);
}

static void test_only_the_primary_question_proves(void **state)
{
	struct observation o = primary();

	(void)state;
	for (o.question = ASK_REPLICA; o.question <= ASK_STANDBY_LEADER; o.question++) {
		expect(&o, &ours, VERDICT_NOTHING, WHY_NONE);
	}
}

static void test_every_missing_answer_is_silence_except_our_own_fault(void **state)
{
	struct observation o = primary();

	(void)state;
	for (o.outcome = OUTCOME_REFUSED; o.outcome < OUTCOME_OWN_FAULT; o.outcome++)
		expect(&o, &ours, VERDICT_SILENCE, WHY_REST_SILENT);
	o.outcome = OUTCOME_OWN_FAULT;
	expect(&o, &ours, VERDICT_OWN_FAULT, WHY_NONE);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_status_role_state_cluster_and_timeline_make_a_proof),
		cmocka_unit_test(test_any_other_status_is_a_refusal_whatever_the_body_says),
		cmocka_unit_test(test_the_lock_without_a_promoted_postgresql_is_no_proof),
		cmocka_unit_test(test_the_lock_without_a_running_postgresql_is_no_proof),
		cmocka_unit_test(test_a_state_that_patroni_does_not_know_says_nothing),
		cmocka_unit_test(test_a_timeline_below_the_highest_is_told_apart),
		cmocka_unit_test(test_a_body_without_a_timeline_is_no_step_down),
		cmocka_unit_test(
			test_another_cluster_is_refused_with_the_reason_even_if_it_says_no),
		cmocka_unit_test(test_a_role_answer_of_another_cluster_is_refused_too),
		cmocka_unit_test(test_a_body_that_does_not_say_its_cluster_passes),
		cmocka_unit_test(test_a_configured_scope_must_be_said_to_prove_anything),
		cmocka_unit_test(test_a_scope_longer_than_what_is_observed_of_it_still_matches),
		cmocka_unit_test(test_only_the_primary_question_proves),
		cmocka_unit_test(test_every_missing_answer_is_silence_except_our_own_fault),
	};

	return cmocka_run_group_tests_name("proof", tests, NULL, NULL);
}
