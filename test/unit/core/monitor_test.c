/* Who is primary: the rules of truth, told as stories. Silence, leases and pauses:
 * monitor_doubt_test.c; what is asked and what is told: monitor_asking_test.c. */
#include "core/schedule.h"
#include "monitor_story.h"

/* ---- nobody before the first proof ---- */

static void test_nobody_is_primary_before_the_first_proof(void **state)
{
	struct story *s = story_new(3);

	(void)state;
	for (unsigned i = 0; i < 3; i++)
		s->acts[i].rest_ms = 50;
	story_open(s);
	assert_int_equal(story_leader(s), -1);
	story_run(s, 49);
	for (unsigned i = 0; i < 3; i++)
		assert_int_equal(story_state(s, WRITE, i), SERVER_CLOSED);
	story_run(s, 1);
	assert_int_equal(story_leader(s), 0);
	assert_int_equal(story_state(s, WRITE, 0), SERVER_OPEN);
	assert_int_equal(story_state(s, WRITE, 1), SERVER_CLOSED);
	assert_int_equal(story_change(s, CHANGE_LEADERSHIP)->to, 0);
	assert_int_equal(story_change(s, CHANGE_LEADERSHIP)->timeline, 5);
	story_end(s);
}

static void test_a_cluster_without_a_proof_has_no_primary_however_long_it_is_asked(void **state)
{
	struct story *s = story_new(3);

	(void)state;
	s->acts[0] = story_replica(5);
	story_begin(s);
	story_run(s, 120000);
	assert_int_equal(story_leader(s), -1);
	assert_int_equal(s->view->listeners[WRITE].n_open, 0);
	assert_int_equal(s->view->listeners[READ].n_open, 3);
	story_end(s);
}

static void test_the_primary_serves_writes_the_replicas_reads_and_nobody_both(void **state)
{
	struct story *s = story_new(3);

	(void)state;
	story_begin(s);
	assert_int_equal(story_state(s, WRITE, 0), SERVER_OPEN);
	assert_int_equal(story_state(s, READ, 0), SERVER_CLOSED);
	for (unsigned i = 1; i < 3; i++) {
		assert_int_equal(story_state(s, WRITE, i), SERVER_CLOSED);
		assert_int_equal(story_state(s, READ, i), SERVER_OPEN);
	}
	story_end(s);
}

/* ---- what is no proof ---- */

static void test_a_200_that_is_still_a_replica_is_no_proof(void **state)
{
	struct story *s = story_new(2);

	(void)state;
	s->acts[0].claim = CLAIM_REPLICA;
	story_begin(s);
	assert_int_equal(story_leader(s), -1);
	assert_int_equal(story_state(s, WRITE, 0), SERVER_CLOSED);
	assert_int_equal(story_why(s, WRITE, 0), WHY_PROMOTING);
	s->acts[0].claim = CLAIM_PRIMARY;
	story_run(s, 200);
	assert_int_equal(story_leader(s), 0);
	story_end(s);
}

static void test_a_primary_found_in_recovery_takes_no_sessions_until_promoted_again(void **state)
{
	struct story *s = story_new(2);
	unsigned generation;

	(void)state;
	story_begin(s);
	generation = story_generation(s, WRITE, 0);
	s->acts[0].claim = CLAIM_REPLICA; /* crashed and started again between two questions */
	story_run(s, 1100);
	assert_int_equal(story_state(s, WRITE, 0), SERVER_KEPT);
	assert_int_equal(story_why(s, WRITE, 0), WHY_PROMOTING);
	s->acts[0].claim = CLAIM_PRIMARY;
	story_run(s, 200);
	assert_int_equal(story_state(s, WRITE, 0), SERVER_OPEN);
	assert_int_equal(story_generation(s, WRITE, 0), generation);
	story_end(s);
}

static void test_a_200_with_state_unknown_changes_nothing_and_asks_fast(void **state)
{
	struct story *s = story_new(2);
	uint64_t generation;

	(void)state;
	story_begin(s);
	generation = s->view->generation;
	s->acts[0].state = PG_UNKNOWN;
	s->acts[0].timeline = 0;
	story_run(s, 1100);
	story_forget(s);
	story_run(s, 2000);
	assert_int_equal(s->view->generation, generation);
	assert_int_equal(story_state(s, WRITE, 0), SERVER_OPEN);
	assert_in_range(s->n_asked[0][ASK_PRIMARY], 18, 21);
	story_end(s);
}

static void test_a_lock_holder_that_starts_keeps_its_sessions_and_takes_none(void **state)
{
	struct story *s = story_new(2);

	(void)state;
	story_begin(s);
	s->acts[0].state = PG_STARTING;
	story_run(s, 1100);
	assert_int_equal(story_leader(s), 0);
	assert_int_equal(story_state(s, WRITE, 0), SERVER_KEPT);
	assert_int_equal(story_why(s, WRITE, 0), WHY_PG_NOT_RUNNING);
	s->acts[0].state = PG_UNKNOWN; /* says nothing: still no new ones */
	story_run(s, 200);
	assert_int_equal(story_state(s, WRITE, 0), SERVER_KEPT);
	story_run(s, 10000); /* and no proof for a lease */
	assert_int_equal(story_state(s, WRITE, 0), SERVER_CLOSED);
	assert_int_equal(story_cut(s, WRITE, 0), CLOSE_LEASE);
	story_end(s);
}

/* ---- a clear answer acts at once ---- */

static void test_a_503_cuts_at_once_even_if_the_body_says_master(void **state)
{
	struct story *s = story_new(2);

	(void)state;
	story_begin(s);
	s->acts[0].primary_status = 503;
	assert_in_range(story_time_until(s, WRITE, 0, SERVER_CLOSED, 2000), 0, 1002);
	assert_int_equal(story_why(s, WRITE, 0), WHY_NOT_LEADER);
	assert_int_equal(story_cut(s, WRITE, 0), CLOSE_DEMOTED);
	assert_int_equal(story_generation(s, WRITE, 0), 1);
	assert_int_equal(story_leader(s), -1);
	assert_int_equal(story_cluster(s, 0).why, WHY_NOT_LEADER);
	story_end(s);
}

static void test_a_switchover_moves_the_writes(void **state)
{
	struct story *s = story_new(3);

	(void)state;
	story_begin(s);
	s->acts[0] = story_replica(5);
	s->acts[0].state = PG_STOPPING;
	story_run(s, 1100);
	assert_int_equal(story_leader(s), -1);
	s->acts[1] = story_primary(6);
	assert_in_range(story_time_until(s, WRITE, 1, SERVER_OPEN, 1000), 0, 110);
	assert_int_equal(story_state(s, READ, 1), SERVER_CLOSED);
	s->acts[0] = story_replica(6);
	story_run(s, 300);
	assert_int_equal(story_state(s, READ, 0), SERVER_OPEN);
	assert_int_equal(story_state(s, WRITE, 0), SERVER_CLOSED);
	story_end(s);
}

static void test_a_higher_timeline_elsewhere_fences_a_silent_primary(void **state)
{
	struct story *s = story_new(3);

	(void)state;
	story_begin(s);
	s->acts[0].rest = OUTCOME_TIMEOUT; /* Patroni hangs, PostgreSQL goes on */
	story_run(s, 1500);
	assert_int_equal(story_state(s, WRITE, 0), SERVER_OPEN);
	s->acts[1] = story_primary(6);
	assert_in_range(story_time_until(s, WRITE, 0, SERVER_CLOSED, 2000), 0, 1002);
	assert_int_equal(story_why(s, WRITE, 0), WHY_HIGHER_TIMELINE);
	assert_int_equal(story_cut(s, WRITE, 0), CLOSE_FENCED);
	assert_int_equal(story_state(s, WRITE, 1), SERVER_OPEN);
	story_end(s);
}

/* The new primary's word is taken, and taken back, all within the old one's lease. */
static void test_a_fenced_primary_does_not_return_when_its_successor_falls(void **state)
{
	struct story *s = story_new(3);

	(void)state;
	story_begin(s);
	s->acts[0].rest = OUTCOME_TIMEOUT;
	s->acts[1] = story_primary(6);
	story_run(s, 1100);
	assert_int_equal(story_leader(s), 1);
	s->acts[1] = story_replica(6);
	story_run(s, 1100);
	assert_int_equal(story_leader(s), -1);
	assert_int_equal(story_state(s, WRITE, 0), SERVER_CLOSED);
	story_end(s);
}

static void test_a_fenced_primary_does_not_return_on_its_last_answer_either(void **state)
{
	struct story *s = story_new(3);

	(void)state;
	story_begin(s);
	s->acts[0].rest_ms = 250; /* it proves, and by the time it is asked again ... */
	s->acts[1] = story_primary(6);
	story_time_until(s, WRITE, 1, SERVER_OPEN, 2000);
	s->acts[0].rest = OUTCOME_TIMEOUT;
	s->acts[1] = story_replica(6);
	story_time_until(s, WRITE, 1, SERVER_CLOSED, 2000);
	assert_int_equal(story_leader(s), -1);
	assert_int_equal(story_state(s, WRITE, 0), SERVER_CLOSED);
	story_end(s);
}

/* ---- two prove it ---- */

static void test_two_proofs_on_one_timeline_keep_the_incumbent(void **state)
{
	struct story *s = story_new(3);
	unsigned generation;

	(void)state;
	story_begin(s);
	generation = story_generation(s, WRITE, 0);
	s->acts[1] = story_primary(5);
	story_run(s, 3000);
	assert_int_equal(story_leader(s), 0);
	assert_true(story_cluster(s, 0).ambiguous);
	assert_int_equal(story_generation(s, WRITE, 0), generation);
	assert_int_equal(story_state(s, WRITE, 1), SERVER_CLOSED);
	assert_int_equal(story_why(s, WRITE, 1), WHY_AMBIGUOUS);
	assert_int_equal(story_count(s, CHANGE_AMBIGUOUS), 1); /* said once, with both names */
	assert_int_equal(story_change(s, CHANGE_AMBIGUOUS)->member, 0);
	assert_int_equal(story_change(s, CHANGE_AMBIGUOUS)->to, 1);
	s->acts[1] = story_replica(5);
	story_run(s, 1100);
	assert_false(story_cluster(s, 0).ambiguous);
	story_end(s);
}

static void test_two_proofs_on_one_timeline_without_incumbent_make_nobody_primary(void **state)
{
	struct story *s = story_new(3);

	(void)state;
	story_begin(s);
	s->acts[1] = s->acts[2] = story_primary(5);
	story_run(s, 2000);
	s->acts[0] = story_replica(5); /* the incumbent steps down */
	story_run(s, 60000);
	assert_true(story_cluster(s, 0).ambiguous);
	assert_int_equal(story_leader(s), -1);
	assert_int_equal(s->view->listeners[WRITE].n_open, 0);
	assert_int_equal(s->view->listeners[WRITE].none_why, WHY_AMBIGUOUS);
	assert_int_equal(s->view->listeners[WRITE].none_member, 1);
	for (unsigned i = 1; i < 3; i++)
		assert_int_equal(story_why(s, WRITE, i), WHY_AMBIGUOUS);
	s->acts[1] = story_replica(5);
	story_run(s, 1100);
	assert_int_equal(story_leader(s), 2);
	assert_false(story_cluster(s, 0).ambiguous);
	story_end(s);
}

static void test_two_proofs_at_the_start_make_nobody_primary_whoever_answers_first(void **state)
{
	struct story *s = story_new(3);

	(void)state;
	s->acts[0] = s->acts[1] = story_primary(5);
	s->acts[1].rest_ms = 150;
	story_begin(s);
	assert_int_equal(story_leader(s), -1);
	assert_true(story_cluster(s, 0).ambiguous);
	assert_int_equal(s->view->listeners[WRITE].n_open, 0);
	assert_int_equal(story_generation(s, WRITE, 0), 0); /* it never was open */
	s->acts[1] = story_replica(5);
	story_run(s, 1100);
	assert_int_equal(story_leader(s), 0);
	story_end(s);
}

static void test_a_silent_member_does_not_keep_a_start_waiting(void **state)
{
	struct story *s = story_new(3);

	(void)state;
	s->acts[2].rest = s->acts[2].port = OUTCOME_TIMEOUT;
	story_open(s);
	story_run(s, SCHEDULE_LATE_MS + 200);
	assert_int_equal(story_leader(s), 0);
	story_end(s);
}

static void test_a_member_of_another_cluster_is_news_at_the_start(void **state)
{
	struct story *s = story_new(1);
	const struct change *c;

	(void)state;
	s->config->clusters[0].scope = xstrdup("ours");
	s->acts[0].scope = "theirs";
	story_open(s);
	story_run(s, 5000);
	assert_int_equal(story_count(s, CHANGE_MEMBER), 1);
	c = story_change(s, CHANGE_MEMBER);
	assert_false(c->up);
	assert_int_equal(c->why, WHY_WRONG_SCOPE);
	story_end(s);
}

static void test_a_tie_whose_incumbent_falls_silent_makes_nobody_primary(void **state)
{
	struct story *s = story_new(3);

	(void)state;
	story_begin(s);
	s->acts[1] = story_primary(5);
	story_run(s, 2000);
	s->acts[0].rest =
		OUTCOME_REFUSED; /* its data port answers: it stays claimant, but proves nothing */
	story_run(s, 1100);
	assert_int_equal(story_leader(s), -1);
	assert_int_equal(story_state(s, WRITE, 0), SERVER_CLOSED);
	assert_int_equal(story_cut(s, WRITE, 0), CLOSE_FENCED);
	assert_int_equal(story_cluster(s, 0).why, WHY_AMBIGUOUS);
	assert_int_equal(s->view->listeners[WRITE].none_why, WHY_AMBIGUOUS);
	story_run(s, 10000); /* until its lease has ended: then one is left */
	assert_int_equal(story_leader(s), 1);
	story_end(s);
}

static void test_nobody_is_elected_by_silence(void **state)
{
	struct story *s = story_new(3);

	(void)state;
	story_begin(s);
	s->acts[1] = story_primary(5);
	story_run(s, 2000); /* a tie; n1 is the incumbent */
	s->acts[0].rest = s->acts[1].rest = OUTCOME_TIMEOUT;
	story_run(s, 3500);
	assert_int_equal(story_leader(s), -1);
	s->acts[0] = story_replica(5); /* n2's proof stands alone now, and it is silent */
	story_run(s, 3100);
	assert_int_equal(story_leader(s), -1);
	assert_false(story_cluster(s, 0).ambiguous);
	assert_int_equal(story_cluster(s, 0).why, WHY_NO_PROOF);
	assert_int_equal(s->view->listeners[WRITE].none_why, WHY_NO_PROOF);
	story_end(s);
}

/* ---- the timeline goes down ---- */

static void test_a_lower_timeline_is_followed_only_after_rise_confirmations(void **state)
{
	struct story *s = story_new(3);

	(void)state;
	s->config->clusters[0].probe.rise = 3;
	story_begin(s);
	s->acts[1] = story_primary(4);
	story_run(s, 5000);
	s->acts[0] = story_replica(5);
	story_time_until(s, WRITE, 0, SERVER_CLOSED, 2000);
	story_forget(s);
	story_time_until(s, WRITE, 1, SERVER_OPEN, 2000);
	/* the claim and three confirmations; the claim may have been asked before */
	assert_in_range(s->n_asked[1][ASK_PRIMARY], 3, 4);
	assert_int_equal(story_count(s, CHANGE_TIMELINE_DOWN), 1); /* and shouted about */
	assert_int_equal(story_change(s, CHANGE_TIMELINE_DOWN)->member, 1);
	assert_int_equal(story_change(s, CHANGE_TIMELINE_DOWN)->timeline, 4);
	assert_int_equal(story_cluster(s, 0).timeline, 4);
	story_run(s, 20000); /* it is a primary like any other now */
	assert_int_equal(story_leader(s), 1);
	assert_int_equal(story_count(s, CHANGE_TIMELINE_DOWN), 1);
	story_end(s);
}

static void test_a_lower_timeline_is_not_followed_while_another_proof_stands(void **state)
{
	struct story *s = story_new(3);

	(void)state;
	story_begin(s);
	s->acts[1] = story_primary(4);
	story_run(s, 30000);
	assert_int_equal(story_leader(s), 0);
	assert_int_equal(story_why(s, WRITE, 1), WHY_LOWER_TIMELINE);
	s->acts[0].rest = OUTCOME_TIMEOUT; /* its proof still stands for a lease */
	story_run(s, 8000);
	assert_int_equal(story_leader(s), 0);
	assert_int_equal(story_count(s, CHANGE_TIMELINE_DOWN), 0);
	story_run(s, 3500);
	assert_int_equal(story_leader(s), 1);
	story_end(s);
}

/* Silence elects nobody: the one that fell silent may hold the lock until its lease has ended. */
static void test_a_lower_timeline_is_not_followed_because_the_higher_one_fell_silent(void **state)
{
	struct story *s = story_new(3);
	int64_t proven_ms;

	(void)state;
	story_begin(s);
	proven_ms = s->last_asked_ms[0];
	story_silence(s, 0);
	s->acts[1] = story_primary(4);
	assert_in_range(story_time_until(s, WRITE, 0, SERVER_CLOSED, 20000), 1, 3000);
	assert_int_equal(story_leader(s), -1);
	story_time_until(s, WRITE, 1, SERVER_OPEN, 20000);
	assert_true(s->now_ms - proven_ms >= 10000);
	assert_int_equal(story_count(s, CHANGE_TIMELINE_DOWN), 1);
	story_end(s);
}

static void test_a_lower_timeline_is_a_clear_no_to_what_a_policy_kept(void **state)
{
	struct story *s = story_new(3);

	(void)state;
	s->config->listeners[WRITE].on_unreachable = POLICY_KEEP;
	s->config->clusters[0].probe.rise = 5;
	story_begin(s);
	story_silence(s, 0);
	story_time_until(s, WRITE, 0, SERVER_KEPT, 3000);
	s->acts[0] = story_primary(4);
	story_time_until(s, WRITE, 0, SERVER_CLOSED,
			 3500); /* the question under way, and the next */
	assert_int_equal(story_why(s, WRITE, 0), WHY_LOWER_TIMELINE);
	assert_int_equal(story_cut(s, WRITE, 0), CLOSE_FENCED);
	story_end(s);
}

static void test_confirmations_from_before_the_last_proof_fell_do_not_count(void **state)
{
	struct story *s = story_new(3);

	(void)state;
	s->config->clusters[0].probe.rise = 5;
	story_begin(s);
	s->acts[1] = story_primary(4);
	story_run(s, 30000); /* confirmed many times, beside a better proof */
	s->acts[0] = story_replica(5);
	story_time_until(s, WRITE, 0, SERVER_CLOSED, 2000);
	story_run(s, 400); /* four more: one too few */
	assert_int_equal(story_leader(s), -1);
	story_run(s, 300);
	assert_int_equal(story_leader(s), 1);
	story_end(s);
}

static void slept(struct story *s)
{
	struct event ev = {.type = EV_PAUSE};

	ev.u.pause.slept_ms = 1500;
	story_step(s, ev);
}

static void stammered(struct story *s)
{
	s->acts[1].rest = OUTCOME_RESET;
	story_run(s, 110);
	s->acts[1].rest = OUTCOME_ANSWERED;
}

static void test_confirmations_are_counted_in_a_row(void **state)
{
	static void (*const interruptions[])(struct story * s) = {slept, stammered};

	(void)state;
	for (int i = 0; i < 2; i++) {
		struct story *s = story_new(3);

		s->config->clusters[0].probe.rise = 5;
		story_begin(s);
		s->acts[1] = story_primary(4);
		story_run(s, 5000);
		s->acts[0] = story_replica(5);
		story_time_until(s, WRITE, 0, SERVER_CLOSED, 2000);
		story_run(s, 350);
		interruptions[i](s);
		story_run(s, 350);
		assert_int_equal(story_leader(s), -1);
		story_run(s, 500);
		assert_int_equal(story_leader(s), 1);
		story_end(s);
	}
}

static void test_the_higher_of_two_lower_timelines_is_followed_and_no_equal_one(void **state)
{
	(void)state;
	for (uint64_t other = 3; other <= 4; other++) {
		struct story *s = story_new(3);

		story_begin(s);
		s->acts[0] = story_replica(5);
		s->acts[1] = story_primary(4);
		s->acts[2] = story_primary(other);
		story_time_until(s, WRITE, 0, SERVER_CLOSED, 2000);
		for (int i = 0; i < 5000; i++) {
			story_run(s, 1);
			assert_int_equal(story_state(s, WRITE, 2), SERVER_CLOSED);
		}
		assert_int_equal(story_leader(s), other == 3 ? 1 : -1);
		story_end(s);
	}
}

static void test_of_two_lower_timelines_none_is_followed_for_the_others_silence(void **state)
{
	static const enum outcome silences[] = {OUTCOME_TIMEOUT, OUTCOME_REFUSED};

	(void)state;
	for (int i = 0; i < 2; i++) {
		struct story *s = story_new(3);
		int64_t told_ms;

		story_begin(s);
		s->acts[0] = story_replica(5);
		s->acts[1] = s->acts[2] = story_primary(4);
		story_run(s, 3000);
		assert_int_equal(story_leader(s), -1);
		told_ms = s->last_asked_ms[2];
		s->acts[2].rest = s->acts[2].port = silences[i];
		story_run(s, 9500);
		assert_int_equal(story_leader(s), -1);
		story_time_until(s, WRITE, 1, SERVER_OPEN, 5000);
		assert_in_range(s->now_ms - told_ms, 9900, 11500);
		story_end(s);
	}
}

static void test_the_primarys_own_timeline_going_down_cuts_its_sessions(void **state)
{
	struct story *s = story_new(2);

	(void)state;
	s->config->listeners[WRITE].on_demotion = POLICY_KEEP;
	story_begin(s);
	s->acts[0].timeline = 4;
	assert_in_range(story_time_until(s, WRITE, 0, SERVER_CLOSED, 2000), 0, 1002);
	assert_int_equal(story_cut(s, WRITE, 0), CLOSE_FENCED);
	story_run(s, 300);
	assert_int_equal(story_state(s, WRITE, 0), SERVER_OPEN);
	assert_int_equal(story_generation(s, WRITE, 0), 1);
	story_end(s);
}

static void test_an_answer_without_a_timeline_is_not_a_timeline_that_went_down(void **state)
{
	struct story *s = story_new(2);

	(void)state;
	story_begin(s);
	s->acts[0].timeline = 0;
	story_run(s, 5000);
	assert_int_equal(story_state(s, WRITE, 0), SERVER_OPEN);
	assert_int_equal(story_count(s, CHANGE_TIMELINE_DOWN), 0);
	assert_int_equal(story_member(s, 0).why, WHY_NO_TIMELINE);
	story_run(s, 6000);
	assert_int_equal(story_state(s, WRITE, 0), SERVER_CLOSED);
	story_end(s);
}

/* ---- the wrong cluster ---- */

static void expect_refused(struct story *s, unsigned member, enum why why)
{
	story_run(s, 1100);
	assert_int_equal(story_member(s, member).why, why);
	assert_false(story_member(s, member).up);
	for (unsigned l = 0; l < 2; l++) {
		assert_int_equal(story_state(s, l, member), SERVER_CLOSED);
		assert_int_equal(story_why(s, l, member), why);
		assert_int_equal(story_cut(s, l, member), CLOSE_WRONG_CLUSTER);
	}
}

static void test_a_wrong_scope_is_refused_with_the_reason(void **state)
{
	struct story *s = story_new(3);

	(void)state;
	s->config->clusters[0].scope = xstrdup("batman");
	story_begin(s);
	s->acts[1].scope = "robin";
	expect_refused(s, 1, WHY_WRONG_SCOPE);
	s->acts[0].scope = "robin";
	expect_refused(s, 0, WHY_WRONG_SCOPE);
	assert_int_equal(story_leader(s), -1);
	s->acts[0].scope = s->acts[1].scope = "batman";
	story_run(s, 500);
	assert_int_equal(story_leader(s), 0);
	assert_int_equal(story_state(s, READ, 1), SERVER_OPEN);
	story_end(s);
}

static void test_the_first_primary_says_which_cluster_it_is(void **state)
{
	struct story *s = story_new(3);

	(void)state;
	s->acts[2].scope = "robin";
	story_begin(s); /* no scope is configured */
	assert_string_equal(story_cluster(s, 0).scope, "batman");
	assert_int_equal(story_member(s, 2).why, WHY_WRONG_SCOPE);
	story_end(s);
}

/* A member by mistake, of a cluster that has seen more failovers. */
static void test_primaries_of_two_clusters_at_the_start_are_nobodys(void **state)
{
	struct story *s = story_new(3);

	(void)state;
	s->acts[2] = story_primary(9);
	s->acts[2].system_id = 666;
	story_open(s);
	story_run(s, 5000);
	assert_int_equal(story_leader(s), -1);
	assert_int_equal(s->view->listeners[WRITE].n_open, 0);
	assert_int_equal(story_generation(s, WRITE, 2), 0); /* it never was open */
	assert_int_equal(s->view->listeners[WRITE].none_why, WHY_TWO_CLUSTERS);
	assert_int_equal(story_count(s, CHANGE_AMBIGUOUS), 1);
	assert_int_equal(story_change(s, CHANGE_AMBIGUOUS)->member, 0);
	assert_int_equal(story_change(s, CHANGE_AMBIGUOUS)->to, 2);
	assert_int_equal(story_change(s, CHANGE_AMBIGUOUS)->why, WHY_TWO_CLUSTERS);
	s->acts[2].rest = s->acts[2].port = OUTCOME_REFUSED; /* it is taken away */
	story_run(s, 12000); /* its timeline is believed for a lease */
	assert_int_equal(story_leader(s), 0);
	s->acts[2].rest = s->acts[2].port = OUTCOME_ANSWERED;
	expect_refused(s, 2, WHY_WRONG_SYSTEM);
	assert_int_equal(story_leader(s), 0);
	story_end(s);
}

static void test_of_two_clusters_none_is_elected_by_the_others_silence(void **state)
{
	struct story *s = story_new(3);
	int64_t told_ms;

	(void)state;
	s->acts[2] = story_primary(3); /* below the other's: no proof of its own stands */
	s->acts[2].system_id = 666;
	story_open(s);
	story_run(s, 2000);
	told_ms = s->last_asked_ms[2];
	s->acts[2].rest = s->acts[2].port = OUTCOME_TIMEOUT;
	story_run(s, 9000);
	assert_int_equal(story_leader(s), -1);
	assert_in_range(story_time_until(s, WRITE, 0, SERVER_OPEN, 5000), 0, 5000);
	assert_in_range(s->now_ms - told_ms, 9900, 11500); /* asked once more, in vain */
	story_end(s);
}

static void test_a_wrong_system_id_is_refused_with_the_reason(void **state)
{
	struct story *s = story_new(3);

	(void)state;
	story_begin(s);
	assert_int_equal(story_cluster(s, 0).system_id, STORY_SYSTEM_ID);
	s->acts[1] = story_primary(9);
	s->acts[1].system_id = 666;
	expect_refused(s, 1, WHY_WRONG_SYSTEM);
	assert_int_equal(story_leader(s), 0);
	story_end(s);
}

static void test_a_system_id_is_learned_as_soon_as_the_primary_says_it(void **state)
{
	struct story *s = story_new(2);

	(void)state;
	s->acts[0].system_id = s->acts[1].system_id = 0;
	story_begin(s);
	assert_int_equal(story_cluster(s, 0).system_id, 0);
	s->acts[0].system_id = STORY_SYSTEM_ID;
	story_run(s, 1100);
	s->acts[1].system_id = 666;
	expect_refused(s, 1, WHY_WRONG_SYSTEM);
	story_end(s);
}

static void test_another_members_name_is_refused_with_the_reason(void **state)
{
	struct story *s = story_new(3);

	(void)state;
	s->acts[0].name = "n1";
	s->acts[1].name = "somebody"; /* members need not be called as Patroni calls them */
	story_begin(s);
	assert_int_equal(story_state(s, READ, 1), SERVER_OPEN);
	s->acts[1].name = "n1";
	expect_refused(s, 1, WHY_WRONG_NAME);
	story_end(s);
}

static void test_a_refused_member_stays_so_until_it_says_who_it_is(void **state)
{
	struct story *s = story_new(3);

	(void)state;
	story_begin(s);
	s->acts[1].scope = "robin";
	expect_refused(s, 1, WHY_WRONG_SCOPE);
	s->acts[1].scope = "";
	s->acts[1].system_id = 0;
	expect_refused(s, 1, WHY_WRONG_SCOPE);
	s->acts[1] = story_primary(7);
	s->acts[1].scope = "";
	s->acts[1].system_id = 0;
	expect_refused(s, 1, WHY_WRONG_SCOPE);
	assert_int_equal(story_leader(s), 0);
	s->acts[1] = story_replica(5);
	story_run(s, 1100);
	assert_int_equal(story_state(s, READ, 1), SERVER_OPEN);
	story_end(s);
}

static void test_the_settings_of_a_wrong_cluster_are_not_ours(void **state)
{
	struct story *s = story_new(1);

	(void)state;
	s->acts[0].scope = "robin";
	s->config->clusters[0].scope = xstrdup("batman");
	story_begin(s);
	story_run(s, 120000);
	assert_int_equal(s->n_asked[0][ASK_CONFIG], 0);
	assert_int_equal(s->n_asked[0][ASK_REPLICA], 0);
	story_end(s);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_nobody_is_primary_before_the_first_proof),
		cmocka_unit_test(
			test_a_cluster_without_a_proof_has_no_primary_however_long_it_is_asked),
		cmocka_unit_test(test_the_primary_serves_writes_the_replicas_reads_and_nobody_both),
		cmocka_unit_test(test_a_200_that_is_still_a_replica_is_no_proof),
		cmocka_unit_test(
			test_a_primary_found_in_recovery_takes_no_sessions_until_promoted_again),
		cmocka_unit_test(test_a_200_with_state_unknown_changes_nothing_and_asks_fast),
		cmocka_unit_test(test_a_lock_holder_that_starts_keeps_its_sessions_and_takes_none),
		cmocka_unit_test(test_a_503_cuts_at_once_even_if_the_body_says_master),
		cmocka_unit_test(test_a_switchover_moves_the_writes),
		cmocka_unit_test(test_a_higher_timeline_elsewhere_fences_a_silent_primary),
		cmocka_unit_test(test_a_fenced_primary_does_not_return_when_its_successor_falls),
		cmocka_unit_test(test_a_fenced_primary_does_not_return_on_its_last_answer_either),
		cmocka_unit_test(test_two_proofs_on_one_timeline_keep_the_incumbent),
		cmocka_unit_test(
			test_two_proofs_on_one_timeline_without_incumbent_make_nobody_primary),
		cmocka_unit_test(
			test_two_proofs_at_the_start_make_nobody_primary_whoever_answers_first),
		cmocka_unit_test(test_a_silent_member_does_not_keep_a_start_waiting),
		cmocka_unit_test(test_a_member_of_another_cluster_is_news_at_the_start),
		cmocka_unit_test(test_a_tie_whose_incumbent_falls_silent_makes_nobody_primary),
		cmocka_unit_test(test_nobody_is_elected_by_silence),
		cmocka_unit_test(test_a_lower_timeline_is_followed_only_after_rise_confirmations),
		cmocka_unit_test(test_a_lower_timeline_is_not_followed_while_another_proof_stands),
		cmocka_unit_test(
			test_a_lower_timeline_is_not_followed_because_the_higher_one_fell_silent),
		cmocka_unit_test(test_a_lower_timeline_is_a_clear_no_to_what_a_policy_kept),
		cmocka_unit_test(test_confirmations_from_before_the_last_proof_fell_do_not_count),
		cmocka_unit_test(test_confirmations_are_counted_in_a_row),
		cmocka_unit_test(
			test_the_higher_of_two_lower_timelines_is_followed_and_no_equal_one),
		cmocka_unit_test(
			test_of_two_lower_timelines_none_is_followed_for_the_others_silence),
		cmocka_unit_test(test_the_primarys_own_timeline_going_down_cuts_its_sessions),
		cmocka_unit_test(
			test_an_answer_without_a_timeline_is_not_a_timeline_that_went_down),
		cmocka_unit_test(test_a_wrong_scope_is_refused_with_the_reason),
		cmocka_unit_test(test_the_first_primary_says_which_cluster_it_is),
		cmocka_unit_test(test_primaries_of_two_clusters_at_the_start_are_nobodys),
		cmocka_unit_test(test_of_two_clusters_none_is_elected_by_the_others_silence),
		cmocka_unit_test(test_a_wrong_system_id_is_refused_with_the_reason),
		cmocka_unit_test(test_a_system_id_is_learned_as_soon_as_the_primary_says_it),
		cmocka_unit_test(test_another_members_name_is_refused_with_the_reason),
		cmocka_unit_test(test_a_refused_member_stays_so_until_it_says_who_it_is),
		cmocka_unit_test(test_the_settings_of_a_wrong_cluster_are_not_ours),
	};

	return cmocka_run_group_tests_name("monitor", tests, NULL, NULL);
}
