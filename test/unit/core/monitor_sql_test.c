/* What PostgreSQL says over SQL (probe.sql), told as stories: it never makes a primary, it may
 * unmake one, and where it tells nothing of its role it is a sign of life, no less. */
#include "monitor_story.h"

static struct story *sql_story(void)
{
	struct story *s = story_new(3);

	s->config->clusters[0].probe.sql.wanted = true;
	s->acts[0].port_claim = CLAIM_PRIMARY;
	s->acts[1].port_claim = s->acts[2].port_claim = CLAIM_REPLICA;
	return s;
}

/* The ways in which a Patroni can leave us in doubt. */
static void fall_silent(struct act *a)
{
	a->rest = OUTCOME_TIMEOUT;
}

static void be_unsure(struct act *a)
{
	a->state = PG_UNKNOWN;
}

/* ---- a primary that says so ------------------------------------------------------------------ */

static void test_not_in_recovery_keeps_the_sessions_until_the_lease_and_no_longer(void **state)
{
	void (*const doubts[])(struct act *) = {fall_silent, be_unsure};

	(void)state;
	for (size_t i = 0; i < 2; i++) {
		struct story *s = sql_story();
		int64_t proven_ms;

		story_begin(s);
		while (s->rest[0].open)
			story_run(s, 1);
		proven_ms = s->last_asked_ms[0];
		doubts[i](&s->acts[0]);
		while (s->now_ms < proven_ms + 9999) {
			story_run(s, 1);
			assert_int_equal(story_state(s, WRITE, 0), SERVER_OPEN);
		}
		assert_true(s->n_asked[0][ASK_PORT] > 10);
		story_run(s, 1);
		assert_int_equal(story_state(s, WRITE, 0), SERVER_CLOSED);
		assert_int_equal(story_why(s, WRITE, 0), WHY_LEASE_ENDED);
		story_run(s, 60000);
		assert_int_equal(story_leader(s), -1); /* it still says so: that is no proof */
		story_end(s);
	}
}

static void test_a_replica_that_says_it_is_not_in_recovery_becomes_nothing(void **state)
{
	struct story *s = sql_story();

	(void)state;
	story_begin(s);
	fall_silent(&s->acts[1]);
	s->acts[1].port_claim = CLAIM_PRIMARY;
	story_run(s, 60000);
	assert_int_equal(story_leader(s), 0);
	assert_int_equal(story_state(s, WRITE, 1), SERVER_CLOSED);
	assert_int_equal(story_state(s, READ, 1), SERVER_KEPT); /* silent, as without SQL */
	story_end(s);
}

/* ---- a primary that says it is none ---------------------------------------------------------- */

static void test_in_recovery_withdraws_at_once(void **state)
{
	void (*const doubts[])(struct act *) = {fall_silent, be_unsure};

	(void)state;
	for (size_t i = 0; i < 2; i++) {
		struct story *s = sql_story();

		story_begin(s);
		doubts[i](&s->acts[0]);
		s->acts[0].port_claim = CLAIM_REPLICA;
		assert_in_range(story_time_until(s, WRITE, 0, SERVER_CLOSED, 9000), 1, 2000);
		assert_int_equal(story_why(s, WRITE, 0), WHY_IN_RECOVERY);
		assert_int_equal(story_cut(s, WRITE, 0), CLOSE_DEMOTED);
		assert_int_equal(story_change(s, CHANGE_LEADERSHIP)->why, WHY_IN_RECOVERY);
		story_run(s, 30000);
		assert_int_equal(story_leader(s), -1);
		story_end(s);
	}
}

static void test_a_new_proof_outweighs_an_older_answer(void **state)
{
	struct story *s = sql_story();
	struct event ev = {.type = EV_OBSERVATION};

	(void)state;
	story_begin(s);
	fall_silent(&s->acts[0]);
	s->acts[0].port = OUTCOME_TIMEOUT; /* the question hangs ... */
	while (!s->port[0].open)
		story_run(s, 1);
	s->acts[0].rest = OUTCOME_ANSWERED; /* ... while Patroni proves it again ... */
	while (s->rest[0].open)
		story_run(s, 1);
	ev.u.observation = (struct observation){.question = ASK_PORT,
						.asked_ms = s->port[0].asked_ms,
						.answered_ms = s->now_ms,
						.outcome = OUTCOME_ANSWERED,
						.claim = CLAIM_REPLICA};
	s->port[0].open = false;
	story_step(s, ev); /* ... and comes back with what was before */
	assert_int_equal(story_leader(s), 0);
	assert_int_equal(story_state(s, WRITE, 0), SERVER_OPEN);
	story_end(s);
}

static void test_it_is_primary_again_by_its_next_proof_only(void **state)
{
	struct story *s = sql_story();

	(void)state;
	story_begin(s);
	fall_silent(&s->acts[0]);
	s->acts[0].port_claim = CLAIM_REPLICA;
	assert_true(story_time_until(s, WRITE, 0, SERVER_CLOSED, 9000) > 0);
	s->acts[0].port_claim = CLAIM_PRIMARY;
	story_run(s, 10000);
	assert_int_equal(story_leader(s), -1);
	s->acts[0].rest = OUTCOME_ANSWERED;
	assert_in_range(story_time_until(s, WRITE, 0, SERVER_OPEN, 9000), 1, 5000);
	story_end(s);
}

static void test_a_replica_in_recovery_is_alive(void **state)
{
	struct story *s = sql_story();

	(void)state;
	story_begin(s);
	fall_silent(&s->acts[1]);
	story_run(s, 60000);
	assert_int_equal(story_state(s, READ, 1), SERVER_KEPT);
	assert_int_equal(story_leader(s), 0);
	story_end(s);
}

/* ---- no answer to the question --------------------------------------------------------------- */

static void test_who_answers_without_a_role_is_alive(void **state)
{
	struct story *s = sql_story();

	(void)state;
	s->acts[0].port_claim = CLAIM_UNKNOWN; /* "password authentication failed" */
	story_begin(s);
	fall_silent(&s->acts[0]);
	story_run(s, 8000);
	assert_int_equal(story_state(s, WRITE, 0), SERVER_OPEN);
	story_end(s);
}

static void test_silent_on_both_is_gone(void **state)
{
	static const struct {
		enum outcome port;
		enum why why;
	} rows[] = {{OUTCOME_TIMEOUT, WHY_PORT_SILENT}, /* frozen */
		    {OUTCOME_UNREACHABLE, WHY_PORT_SILENT},
		    {OUTCOME_REFUSED, WHY_PORT_REFUSED}, /* or starting up, or shutting down */
		    {OUTCOME_RESET, WHY_PORT_REFUSED}};

	(void)state;
	for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
		struct story *s = sql_story();

		story_begin(s);
		fall_silent(&s->acts[0]);
		s->acts[0].port = rows[i].port;
		assert_in_range(story_time_until(s, WRITE, 0, SERVER_CLOSED, 9000), 1, 3000);
		assert_int_equal(story_why(s, WRITE, 0), rows[i].why);
		story_end(s);
	}
}

/* Patroni answers, so the node is not gone and nobody else took the lock: who is there stays. */
static void test_unsure_and_no_session_to_be_had_stops_new_ones_only(void **state)
{
	static const enum outcome outcomes[] = {OUTCOME_TIMEOUT, OUTCOME_REFUSED};

	(void)state;
	for (size_t i = 0; i < 2; i++) {
		struct story *s = sql_story();

		story_begin(s);
		be_unsure(&s->acts[0]);
		s->acts[0].port = outcomes[i];
		assert_in_range(story_time_until(s, WRITE, 0, SERVER_KEPT, 9000), 1, 3000);
		assert_int_equal(story_why(s, WRITE, 0), WHY_STATE_UNKNOWN);
		s->acts[0].port = OUTCOME_ANSWERED;
		assert_in_range(story_time_until(s, WRITE, 0, SERVER_OPEN, 9000), 1, 2000);
		s->acts[0].port = outcomes[i];
		assert_in_range(story_time_until(s, WRITE, 0, SERVER_KEPT, 9000), 1, 3000);
		s->acts[0].state = PG_RUNNING;
		assert_in_range(story_time_until(s, WRITE, 0, SERVER_OPEN, 9000), 1, 2000);
		assert_int_equal(story_count(s, CHANGE_LEADERSHIP), 0);
		story_end(s);
	}
}

static void test_our_own_fault_says_nothing(void **state)
{
	struct story *s = sql_story();

	(void)state;
	story_begin(s);
	be_unsure(&s->acts[0]);
	s->acts[0].port = OUTCOME_OWN_FAULT;
	s->acts[0].port_claim = CLAIM_REPLICA;
	story_run(s, 8000);
	assert_int_equal(story_state(s, WRITE, 0), SERVER_OPEN);
	story_end(s);
}

/* ---- whom it asks ---------------------------------------------------------------------------- */

static void test_an_unsure_patroni_is_a_reason_to_ask_only_in_sql_and_only_a_primary(void **state)
{
	(void)state;
	for (int sql = 0; sql < 2; sql++) {
		struct story *s = sql_story();

		s->config->clusters[0].probe.sql.wanted = sql;
		story_begin(s);
		assert_int_equal(s->n_asked[0][ASK_PORT], 0);
		for (unsigned i = 0; i < 3; i++)
			be_unsure(&s->acts[i]);
		story_run(s, 5000);
		assert_int_equal(s->n_asked[0][ASK_PORT] > 5, sql);
		assert_int_equal(s->n_asked[1][ASK_PORT] + s->n_asked[2][ASK_PORT], 0);
		s->acts[0].state = PG_RUNNING;
		story_run(s, 1000);
		story_forget(s);
		story_run(s, 10000);
		assert_int_equal(s->n_asked[0][ASK_PORT], 0);
		story_end(s);
	}
}

/* Its answer could change nothing. */
static void test_who_never_proved_anything_is_not_asked(void **state)
{
	struct story *s = sql_story();

	(void)state;
	be_unsure(&s->acts[0]);
	story_open(s);
	story_run(s, 10000);
	assert_int_equal(s->n_asked[0][ASK_PORT], 0);
	assert_int_equal(story_leader(s), -1);
	story_end(s);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(
			test_not_in_recovery_keeps_the_sessions_until_the_lease_and_no_longer),
		cmocka_unit_test(test_a_replica_that_says_it_is_not_in_recovery_becomes_nothing),
		cmocka_unit_test(test_in_recovery_withdraws_at_once),
		cmocka_unit_test(test_a_new_proof_outweighs_an_older_answer),
		cmocka_unit_test(test_it_is_primary_again_by_its_next_proof_only),
		cmocka_unit_test(test_a_replica_in_recovery_is_alive),
		cmocka_unit_test(test_who_answers_without_a_role_is_alive),
		cmocka_unit_test(test_silent_on_both_is_gone),
		cmocka_unit_test(test_unsure_and_no_session_to_be_had_stops_new_ones_only),
		cmocka_unit_test(test_our_own_fault_says_nothing),
		cmocka_unit_test(
			test_an_unsure_patroni_is_a_reason_to_ask_only_in_sql_and_only_a_primary),
		cmocka_unit_test(test_who_never_proved_anything_is_not_asked),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
