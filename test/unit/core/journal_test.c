/* The failover journal: what the monitor, workers and control tell it becomes phases. */
#include "core/schedule.h"
#include "unit/core/monitor_story.h"

/* ---- a cluster in virtual time ---- */

static struct story *begin(struct journal *j)
{
	struct story *s = story_new(3);

	*j = (struct journal){0};
	story_open(s);
	s->journal = j;
	story_run(s, 10000);
	story_forget(s);
	return s;
}

static const struct failover *latest(const struct journal *j)
{
	assert_true(j->n > 0);
	return &j->entries[j->n - 1];
}

/* These phases are known, and come one after the other. */
static void assert_order(const struct failover *f, const enum phase *phases, size_t n)
{
	for (size_t i = 0; i < n; i++) {
		if (f->at_ms[phases[i]] < 0)
			fail_msg("not known: %s", phase_words(phases[i]));
		if (i > 0 && f->at_ms[phases[i]] < f->at_ms[phases[i - 1]])
			fail_msg("%s comes before %s", phase_words(phases[i]),
				 phase_words(phases[i - 1]));
	}
}

static void run_until_primary(struct story *s, int member)
{
	for (int i = 0; i < 60000 && story_leader(s) != member; i++)
		story_run(s, 1);
	assert_int_equal(story_leader(s), member);
}

static void promote(struct story *s, unsigned member, uint64_t timeline)
{
	s->acts[member] = story_primary(timeline);
}

static void test_a_start_is_an_entry_from_nobody(void **state)
{
	struct journal j;
	struct story *s = begin(&j);
	const struct failover *f = latest(&j);

	(void)state;
	assert_int_equal(j.n, 1);
	assert_int_equal(f->from, -1);
	assert_int_equal(f->to, 0);
	assert_int_equal(f->why, WHY_NONE);
	assert_int_equal(f->to_timeline, 5);
	assert_int_equal(f->at_ms[PHASE_LAST_ANSWER], -1);
	assert_int_equal(f->at_ms[PHASE_DOUBT], -1);
	assert_int_equal(f->at_ms[PHASE_GONE], -1);
	assert_order(f, (const enum phase[]){PHASE_ASKED, PHASE_WRITABLE, PHASE_PUBLISHED}, 3);
	assert_int_equal(failover_began_ms(f), f->at_ms[PHASE_ASKED]);
	assert_int_equal(failover_began_wall_ms(f), f->at_ms[PHASE_ASKED] + STORY_WALL_OFFSET_MS);
	story_end(s);
}

static void test_a_switchover_is_told_by_clear_answers(void **state)
{
	struct journal j;
	struct story *s = begin(&j);
	int64_t last_ms = s->last_asked_ms[0], step_down_ms = s->now_ms;
	const struct failover *f;

	(void)state;
	s->acts[0] = story_replica(5);
	run_until_primary(s, -1);
	f = latest(&j);
	assert_int_equal(f->from, 0);
	assert_int_equal(f->to, -1);
	assert_int_equal(f->why, WHY_NOT_LEADER);
	assert_int_equal(f->from_timeline, 5);
	assert_true(f->at_ms[PHASE_LAST_ANSWER] <= step_down_ms);
	assert_in_range(f->at_ms[PHASE_LAST_ANSWER], last_ms, s->now_ms);
	assert_int_equal(f->at_ms[PHASE_DOUBT], s->now_ms); /* the clear no was the first sign */
	assert_int_equal(f->at_ms[PHASE_GONE], s->now_ms);
	assert_int_equal(f->at_ms[PHASE_WRITABLE], -1);
	promote(s, 1, 6);
	run_until_primary(s, 1);
	assert_int_equal(j.n, 2);
	assert_int_equal(f->to, 1);
	assert_int_equal(f->to_timeline, 6);
	assert_int_equal(f->at_ms[PHASE_ASKED], s->last_asked_ms[1]);
	assert_int_equal(f->at_ms[PHASE_WRITABLE], s->now_ms);
	assert_int_equal(f->at_ms[PHASE_PUBLISHED], s->now_ms);
	assert_int_equal(f->generation, s->view->generation);
	story_end(s);
}

static void test_a_frozen_node_is_doubted_long_before_it_is_gone(void **state)
{
	static const enum phase order[] = {PHASE_LAST_ANSWER, PHASE_DOUBT, PHASE_GONE,
					   PHASE_WRITABLE, PHASE_PUBLISHED};
	struct journal j;
	struct story *s = begin(&j);
	int64_t frozen_ms = s->now_ms;
	const struct failover *f;

	(void)state;
	story_silence(s, 0);
	run_until_primary(s, -1);
	promote(s, 2, 6);
	run_until_primary(s, 2);
	f = latest(&j);
	assert_order(f, order, 5);
	assert_int_equal(f->why, WHY_PORT_SILENT);
	assert_true(f->at_ms[PHASE_LAST_ANSWER] <= frozen_ms);
	/* Doubt is the late answer, not the timeout of it. */
	assert_in_range(f->at_ms[PHASE_DOUBT] - frozen_ms, 1, 1000 + SCHEDULE_LATE_MS);
	assert_true(f->at_ms[PHASE_GONE] - f->at_ms[PHASE_DOUBT] >= 500);
	story_end(s);
}

static void test_a_sign_of_a_worker_is_the_first_doubt(void **state)
{
	struct journal j;
	struct story *s = begin(&j);
	struct event sign = {.type = EV_SIGN};
	int64_t sign_ms;

	(void)state;
	story_run(s, 300);
	s->acts[0].rest_ms = 250; /* slow, so that the sign comes before its next answer */
	sign_ms = s->now_ms;
	story_step(s, sign);
	s->acts[0] = story_replica(5);
	s->acts[0].rest_ms = 250;
	run_until_primary(s, -1);
	assert_int_equal(latest(&j)->at_ms[PHASE_DOUBT], sign_ms);
	assert_true(s->now_ms > sign_ms);
	story_end(s);
}

static void test_a_doubt_that_a_later_proof_dispelled_is_forgotten(void **state)
{
	struct journal j;
	struct story *s = begin(&j);
	int64_t calm_ms;

	(void)state;
	story_step(s, (struct event){.type = EV_HINT});
	assert_int_equal(monitor_doubted_ms(s->monitor, 0), s->now_ms);
	story_run(s, 5000);
	assert_int_equal(monitor_doubted_ms(s->monitor, 0), -1);
	calm_ms = s->now_ms;
	s->acts[0] = story_replica(5);
	run_until_primary(s, -1);
	assert_true(latest(&j)->at_ms[PHASE_DOUBT] >= calm_ms);
	assert_int_equal(monitor_doubted_ms(s->monitor, 0), latest(&j)->at_ms[PHASE_DOUBT]);
	story_end(s);
}

static void test_lost_and_regained_by_the_same_member_is_one_entry(void **state)
{
	static const enum phase order[] = {PHASE_LAST_ANSWER, PHASE_DOUBT, PHASE_GONE,
					   PHASE_WRITABLE, PHASE_PUBLISHED};
	struct journal j;
	struct story *s = begin(&j);

	(void)state;
	story_silence(s, 0);
	run_until_primary(s, -1);
	story_run(s, 300);
	promote(s, 0, 5);
	run_until_primary(s, 0);
	assert_int_equal(j.n, 2);
	assert_int_equal(latest(&j)->from, 0);
	assert_int_equal(latest(&j)->to, 0);
	assert_order(latest(&j), order, 5);
	assert_true(failover_is_return(latest(&j)));
	assert_in_range(failover_gap_ms(latest(&j)), 300, 5000);
	story_end(s);
}

static void test_a_silent_primary_may_be_replaced_without_a_moment_in_between(void **state)
{
	struct journal j;
	struct story *s = begin(&j);
	const struct failover *f;

	(void)state;
	s->acts[0].rest = OUTCOME_TIMEOUT; /* its data port still answers: only in doubt */
	story_run(s, 1500);
	assert_int_equal(story_leader(s), 0);
	promote(s, 1, 6);
	run_until_primary(s, 1);
	f = latest(&j);
	assert_int_equal(j.n, 2);
	assert_int_equal(f->from, 0);
	assert_int_equal(f->why, WHY_HIGHER_TIMELINE);
	assert_int_equal(f->from_timeline, 5);
	assert_int_equal(f->to_timeline, 6);
	assert_int_equal(f->at_ms[PHASE_GONE], f->at_ms[PHASE_WRITABLE]);
	assert_true(f->at_ms[PHASE_DOUBT] < f->at_ms[PHASE_ASKED]);
	story_end(s);
}

static void test_after_a_tie_the_proof_that_counts_is_a_recent_one(void **state)
{
	struct journal j;
	struct story *s = begin(&j);
	int64_t tie_ms;

	(void)state;
	promote(s, 1, 5);
	s->acts[0].rest = OUTCOME_TIMEOUT; /* the incumbent does not prove it now */
	run_until_primary(s, -1);
	assert_int_equal(latest(&j)->why, WHY_AMBIGUOUS);
	tie_ms = s->now_ms;
	s->acts[0].rest = OUTCOME_ANSWERED;
	s->acts[1] = story_replica(5);
	run_until_primary(s, 0);
	assert_int_equal(j.n, 2);
	assert_true(latest(&j)->at_ms[PHASE_WRITABLE] > tie_ms);
	assert_true(latest(&j)->at_ms[PHASE_WRITABLE] <= s->now_ms);
	story_end(s);
}

/* ---- by hand ---- */

static struct change change(unsigned cluster, int from, int to, int64_t now_ms)
{
	struct change c = {.type = CHANGE_LEADERSHIP,
			   .cluster = cluster,
			   .from = from,
			   .to = to,
			   .lost = from < 0 ? WHY_NONE : WHY_NOT_LEADER,
			   .timeline = 2,
			   .from_timeline = 1,
			   .times = {-1, -1, -1, -1}};

	if (from >= 0)
		c.times.last_proof_ms = c.times.doubt_ms = now_ms - 5;
	if (to >= 0)
		c.times.asked_ms = c.times.answered_ms = now_ms;
	return c;
}

static void tell(struct journal *j, unsigned cluster, int from, int to, int64_t now_ms)
{
	struct change c = change(cluster, from, to, now_ms);

	journal_change(j, &c,
		       &(struct tally){.cut = 100, .held = 50, .released = 45, .refused = 10},
		       now_ms, now_ms);
}

static void count(struct journal *j, unsigned cluster, struct tally now, unsigned waiting)
{
	journal_count(j, cluster, &now, waiting);
}

/* As journal_view does it. */
static void publish(struct journal *j, uint64_t generation, int64_t now_ms)
{
	struct failover *f = &j->entries[j->n - 1];

	f->generation = generation;
	f->at_ms[PHASE_PUBLISHED] = now_ms;
}

static void test_in_force_waits_for_the_generation_or_a_later_one(void **state)
{
	struct journal j = {0};
	const int64_t *at = j.entries[0].at_ms;

	(void)state;
	tell(&j, 0, 0, 1, 1000);
	journal_in_force(&j, 99, 1001);
	assert_int_equal(at[PHASE_IN_FORCE], -1); /* nothing was published yet */
	publish(&j, 7, 1002);
	journal_in_force(&j, 6, 1003);
	assert_int_equal(at[PHASE_IN_FORCE], -1);
	journal_in_force(&j, 8, 1004);
	journal_in_force(&j, 9, 1005);
	assert_int_equal(at[PHASE_IN_FORCE], 1004);
}

static void test_the_first_session_is_one_on_the_new_primary_by_its_view(void **state)
{
	struct journal j = {0};
	const int64_t *at = j.entries[0].at_ms;

	(void)state;
	tell(&j, 0, 0, 1, 1000);
	journal_session(&j, 0, 1, 7, 1001); /* not published yet */
	publish(&j, 7, 1002);
	journal_session(&j, 0, 0, 7, 1003); /* the old primary */
	journal_session(&j, 0, 1, 6, 1004); /* an old view */
	journal_session(&j, 1, 1, 7, 1005); /* another cluster */
	assert_int_equal(at[PHASE_SESSION], -1);
	journal_session(&j, 0, 1, 8, 1007);
	journal_session(&j, 0, 1, 7, 1006); /* another worker was earlier, and heard later */
	journal_session(&j, 0, 1, 9, 1008);
	assert_int_equal(at[PHASE_SESSION], 1006);
}

static void test_a_late_first_session_is_still_written_down(void **state)
{
	struct journal j = {0};

	(void)state;
	tell(&j, 0, 0, 1, 1000);
	publish(&j, 7, 1000);
	journal_close_due(&j, 1000 + JOURNAL_PATIENCE_MS);
	assert_true(j.entries[0].closed);
	journal_session(&j, 0, 1, 7, 99000);
	assert_int_equal(j.entries[0].at_ms[PHASE_SESSION], 99000);
}

static void test_what_clients_felt_is_counted_from_the_doubt_to_the_close(void **state)
{
	struct journal j = {0};

	(void)state;
	tell(&j, 0, 0, -1, 1000); /* 100 cut, 50 held, 45 released and 10 refused before */
	count(&j, 0, (struct tally){108, 57, 45, 13}, 7);
	assert_int_equal(j.entries[0].counted.cut, 8);
	assert_int_equal(j.entries[0].counted.held, 7);
	assert_int_equal(j.entries[0].counted.released, 0);
	assert_int_equal(j.entries[0].counted.refused, 3);
	count(&j, 1, (struct tally){999, 999, 999, 999}, 9); /* another cluster's */
	tell(&j, 0, -1, 1, 2000);
	count(&j, 0, (struct tally){110, 60, 54, 20}, 0);
	journal_close_due(&j, 2000 + JOURNAL_PATIENCE_MS);
	assert_null(journal_open(&j, 0));
	count(&j, 0, (struct tally){999, 999, 999, 999}, 9);
	assert_int_equal(j.entries[0].counted.cut, 10);
	assert_int_equal(j.entries[0].counted.held, 10);
	assert_int_equal(j.entries[0].counted.released, 9);
	assert_int_equal(j.entries[0].counted.refused, 10);
}

static void test_the_last_release_is_that_of_the_slowest_worker(void **state)
{
	struct journal j = {0};
	const int64_t *at = j.entries[0].at_ms;

	(void)state;
	tell(&j, 0, 0, -1, 1000);
	journal_released(&j, 0, 1001); /* nobody to go to: they gave up */
	tell(&j, 0, -1, 1, 2000);
	journal_released(&j, 0, 2001); /* nor before it was published */
	assert_int_equal(at[PHASE_RELEASED], -1);
	publish(&j, 7, 2002);
	journal_released(&j, 0, 1999); /* said before that, and heard now */
	journal_released(&j, 1, 2003); /* another cluster */
	assert_int_equal(at[PHASE_RELEASED], -1);
	journal_released(&j, 0, 2040);
	journal_released(&j, 0, 2030);
	assert_int_equal(at[PHASE_RELEASED], 2040);
	journal_close_due(&j, 2000 + JOURNAL_PATIENCE_MS);
	journal_released(&j, 0, 99000); /* another wait */
	assert_int_equal(at[PHASE_RELEASED], 2040);
}

static void test_an_entry_stays_open_while_clients_wait(void **state)
{
	struct journal j = {0};

	(void)state;
	tell(&j, 0, 0, 1, 1000);
	publish(&j, 7, 1000);
	journal_in_force(&j, 7, 1001);
	journal_session(&j, 0, 1, 7, 1002);
	count(&j, 0, (struct tally){100, 60, 45, 10}, 10);
	journal_close_due(&j, 1000 + JOURNAL_PATIENCE_MS);
	assert_non_null(journal_open(&j, 0));
	journal_released(&j, 0, 12000);
	count(&j, 0, (struct tally){100, 60, 55, 10}, 0);
	journal_close_due(&j, 12000);
	assert_null(journal_open(&j, 0)); /* patience for a session was over long ago */
	assert_int_equal(j.entries[0].counted.released, 10);
}

static void test_an_entry_is_closed_a_while_after_the_last_release(void **state)
{
	struct journal j = {0};

	(void)state;
	tell(&j, 0, 0, 1, 1000);
	publish(&j, 7, 1000);
	journal_in_force(&j, 7, 1001);
	journal_session(&j, 0, 1, 7, 1002);
	journal_released(&j, 0, 1500);
	journal_close_due(&j, 1500 + JOURNAL_SETTLE_MS - 1);
	assert_non_null(journal_open(&j, 0));
	journal_close_due(&j, 1500 + JOURNAL_SETTLE_MS);
	assert_null(journal_open(&j, 0));
}

static void test_patience_with_clients_that_wait_has_an_end(void **state)
{
	struct journal j = {0};

	(void)state;
	tell(&j, 0, 0, 1, 1000);
	count(&j, 0, (struct tally){100, 60, 45, 10}, 10);
	journal_close_due(&j, 1000 + JOURNAL_HOLD_PATIENCE_MS - 1);
	assert_non_null(journal_open(&j, 0));
	journal_close_due(&j, 1000 + JOURNAL_HOLD_PATIENCE_MS);
	assert_null(journal_open(&j, 0));
}

static void test_a_gap_is_from_the_loss_to_the_proof(void **state)
{
	struct journal j = {0};

	(void)state;
	tell(&j, 0, -1, 0, 500);
	assert_int_equal(failover_gap_ms(&j.entries[0]), -1); /* a start */
	assert_false(failover_is_return(&j.entries[0]));
	tell(&j, 0, 0, -1, 1000);
	assert_int_equal(failover_gap_ms(&j.entries[1]), -1); /* nobody yet */
	assert_false(failover_is_return(&j.entries[1]));
	tell(&j, 0, -1, 0, 3300);
	assert_int_equal(failover_gap_ms(&j.entries[1]), 2300);
	assert_true(failover_is_return(&j.entries[1]));
	tell(&j, 0, 0, 1, 9000);
	assert_int_equal(failover_gap_ms(&j.entries[2]), 0); /* replaced at once */
	assert_false(failover_is_return(&j.entries[2]));
}

static void test_an_entry_is_closed_a_while_after_its_first_session(void **state)
{
	struct journal j = {0};

	(void)state;
	tell(&j, 0, 0, 1, 1000);
	publish(&j, 7, 1000);
	journal_session(&j, 0, 1, 7, 1010);
	journal_close_due(&j, 1010 + JOURNAL_SETTLE_MS);
	assert_ptr_equal(journal_open(&j, 0), &j.entries[0]); /* not in force everywhere */
	journal_in_force(&j, 7, 1020);
	journal_close_due(&j, 1010 + JOURNAL_SETTLE_MS - 1);
	assert_ptr_equal(journal_open(&j, 0), &j.entries[0]);
	journal_close_due(&j, 1010 + JOURNAL_SETTLE_MS);
	assert_null(journal_open(&j, 0));
}

static struct interruption crash(int64_t doubt_ms)
{
	return (struct interruption){.member = 1,
				     .why = WHY_PG_NOT_RUNNING,
				     .from_timeline = 5,
				     .to_timeline = 6,
				     .doubt_ms = doubt_ms,
				     .gone_ms = doubt_ms + 100,
				     .proven_ms = doubt_ms + 900,
				     .released_ms = -1};
}

static void interrupt(struct journal *j, const struct interruption *i)
{
	journal_interruption(j, i, &(struct tally){.cut = 100, .held = 50}, 77);
}

static void test_an_interruption_is_an_entry_without_a_loss(void **state)
{
	struct journal j = {0};
	struct interruption i = crash(1000);
	const struct failover *f = &j.entries[0];

	(void)state;
	interrupt(&j, &i);
	assert_int_equal(j.n, 1);
	assert_true(f->interruption);
	assert_true(failover_is_return(f));
	assert_int_equal(f->to, 1);
	assert_int_equal(f->why, WHY_PG_NOT_RUNNING);
	assert_int_equal(f->from_timeline, 5);
	assert_int_equal(f->to_timeline, 6);
	assert_int_equal(failover_gap_ms(f), 900);
	assert_int_equal(failover_began_wall_ms(f), 1077);
	count(&j, 0, (struct tally){100, 54, 0, 0}, 4);
	assert_int_equal(f->counted.held, 4);
	publish(&j, 7, 1901); /* and from here on like any other */
	journal_in_force(&j, 7, 1902);
	journal_session(&j, 0, 1, 7, 1903);
	journal_released(&j, 0, 1950);
	count(&j, 0, (struct tally){100, 54, 4, 0}, 0);
	journal_close_due(&j, 1950 + JOURNAL_SETTLE_MS - 1);
	assert_non_null(journal_open(&j, 0));
	journal_close_due(&j, 1950 + JOURNAL_SETTLE_MS);
	assert_ptr_equal(journal_next_closed(&j), f);
}

/* The port refused, and the proofs said all the while that all is well. */
static void test_an_interruption_that_no_view_saw_waits_for_no_session(void **state)
{
	struct journal j = {0};
	struct story *s = begin(&j);
	struct interruption i = crash(s->now_ms);

	(void)state;
	journal_close_due(&j, s->now_ms + JOURNAL_PATIENCE_MS);
	i.member = 0;
	i.gone_ms = -1;
	i.released_ms = i.doubt_ms + 800;
	interrupt(&j, &i);
	journal_view(&j, s->view);
	assert_int_equal(latest(&j)->at_ms[PHASE_PUBLISHED], -1);
	journal_released(&j, 0, i.doubt_ms - 1);
	assert_int_equal(latest(&j)->at_ms[PHASE_RELEASED], i.doubt_ms + 800);
	journal_released(&j, 0, i.doubt_ms + 950);
	journal_close_due(&j, i.doubt_ms + 950 + JOURNAL_SETTLE_MS - 1);
	assert_non_null(journal_open(&j, 0));
	journal_close_due(&j, i.doubt_ms + 950 + JOURNAL_SETTLE_MS);
	assert_null(journal_open(&j, 0));
	story_end(s);
}

static void test_what_goes_on_takes_an_interruption_in(void **state)
{
	struct journal j = {0};
	struct interruption i = crash(1500);

	(void)state;
	tell(&j, 0, 0, 1, 1000);
	interrupt(&j, &i); /* the new primary stumbles at once */
	assert_int_equal(j.n, 1);
	i.cluster = 1;
	interrupt(&j, &i); /* another cluster's */
	assert_int_equal(j.n, 2);
	interrupt(&j, &i);
	assert_int_equal(j.n, 2);
}

static void test_a_start_is_over_with_its_first_session(void **state)
{
	struct journal j = {0};
	struct interruption i = crash(1500);

	(void)state;
	tell(&j, 0, -1, 1, 1000);
	publish(&j, 7, 1000);
	interrupt(&j, &i);
	assert_int_equal(j.n, 1);
	journal_session(&j, 0, 1, 7, 2500);
	i = crash(2600);
	interrupt(&j, &i);
	assert_int_equal(j.n, 2);
	assert_true(j.entries[0].closed);
	assert_ptr_equal(journal_open(&j, 0), &j.entries[1]);
}

static void test_nobody_yet_stays_open_however_long(void **state)
{
	struct journal j = {0};

	(void)state;
	tell(&j, 0, 0, -1, 1000);
	journal_close_due(&j, 1000000000);
	assert_ptr_equal(journal_open(&j, 0), &j.entries[0]);
	assert_null(journal_next_closed(&j));
}

static void test_each_closed_entry_is_handed_out_once(void **state)
{
	struct journal j = {0};

	(void)state;
	tell(&j, 0, 0, 1, 1000);
	tell(&j, 1, 3, 4, 1001);
	assert_null(journal_next_closed(&j));
	tell(&j, 0, 1, -1, 1500); /* lost again: the one before is over */
	assert_ptr_equal(journal_next_closed(&j), &j.entries[0]);
	assert_null(journal_next_closed(&j));
	journal_close_due(&j, 1001 + JOURNAL_PATIENCE_MS);
	assert_ptr_equal(journal_next_closed(&j), &j.entries[1]);
	assert_null(journal_next_closed(&j));
}

static void test_the_ring_forgets_the_oldest_but_not_who_waits(void **state)
{
	struct journal j = {0};

	(void)state;
	tell(&j, 1, 5, -1, 500); /* a cluster that stays without a primary */
	for (int i = 0; i < 3 * JOURNAL_ENTRIES; i++)
		tell(&j, 0, i % 2, (i + 1) % 2, 1000 + i);
	assert_int_equal(j.n, JOURNAL_ENTRIES);
	assert_int_equal(j.entries[0].cluster, 1);
	for (unsigned i = 2; i < j.n; i++)
		assert_int_equal(j.entries[i].at_ms[PHASE_GONE],
				 j.entries[i - 1].at_ms[PHASE_GONE] + 1);
	assert_int_equal(j.entries[j.n - 1].at_ms[PHASE_GONE], 1000 + 3 * JOURNAL_ENTRIES - 1);
	tell(&j, 1, -1, 6, 9000);
	assert_int_equal(j.entries[0].from, 5);
	assert_int_equal(j.entries[0].to, 6);
}

static void test_other_changes_are_no_failovers(void **state)
{
	struct journal j = {0};
	struct change c = {.type = CHANGE_MEMBER, .from = 0, .to = 1};

	(void)state;
	journal_change(&j, &c, &(struct tally){0}, 1, 1);
	assert_int_equal(j.n, 0);
}

static void test_every_phase_has_a_key_and_words_of_its_own(void **state)
{
	(void)state;
	for (enum phase p = 0; p < N_PHASES; p++) {
		assert_non_null(strstr(phase_key(p), "_ms"));
		for (enum phase q = 0; q < p; q++) {
			assert_string_not_equal(phase_key(p), phase_key(q));
			assert_string_not_equal(phase_words(p), phase_words(q));
		}
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_a_start_is_an_entry_from_nobody),
		cmocka_unit_test(test_a_switchover_is_told_by_clear_answers),
		cmocka_unit_test(test_a_frozen_node_is_doubted_long_before_it_is_gone),
		cmocka_unit_test(test_a_sign_of_a_worker_is_the_first_doubt),
		cmocka_unit_test(test_a_doubt_that_a_later_proof_dispelled_is_forgotten),
		cmocka_unit_test(test_lost_and_regained_by_the_same_member_is_one_entry),
		cmocka_unit_test(test_a_silent_primary_may_be_replaced_without_a_moment_in_between),
		cmocka_unit_test(test_after_a_tie_the_proof_that_counts_is_a_recent_one),
		cmocka_unit_test(test_in_force_waits_for_the_generation_or_a_later_one),
		cmocka_unit_test(test_the_first_session_is_one_on_the_new_primary_by_its_view),
		cmocka_unit_test(test_a_late_first_session_is_still_written_down),
		cmocka_unit_test(test_what_clients_felt_is_counted_from_the_doubt_to_the_close),
		cmocka_unit_test(test_the_last_release_is_that_of_the_slowest_worker),
		cmocka_unit_test(test_an_entry_is_closed_a_while_after_its_first_session),
		cmocka_unit_test(test_an_entry_stays_open_while_clients_wait),
		cmocka_unit_test(test_an_entry_is_closed_a_while_after_the_last_release),
		cmocka_unit_test(test_patience_with_clients_that_wait_has_an_end),
		cmocka_unit_test(test_a_gap_is_from_the_loss_to_the_proof),
		cmocka_unit_test(test_an_interruption_is_an_entry_without_a_loss),
		cmocka_unit_test(test_an_interruption_that_no_view_saw_waits_for_no_session),
		cmocka_unit_test(test_what_goes_on_takes_an_interruption_in),
		cmocka_unit_test(test_a_start_is_over_with_its_first_session),
		cmocka_unit_test(test_nobody_yet_stays_open_however_long),
		cmocka_unit_test(test_each_closed_entry_is_handed_out_once),
		cmocka_unit_test(test_the_ring_forgets_the_oldest_but_not_who_waits),
		cmocka_unit_test(test_other_changes_are_no_failovers),
		cmocka_unit_test(test_every_phase_has_a_key_and_words_of_its_own),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
