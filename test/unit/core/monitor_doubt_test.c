/* Silence, leases, policies and pauses of our own, told as stories. */
#include "monitor_story.h"

/* Right after an answer, so that the next question is as far away as it can be. */
static void wait_for_an_answer(struct story *s, unsigned member)
{
	while (!s->rest[member].open)
		story_run(s, 1);
	while (s->rest[member].open)
		story_run(s, 1);
}

/* ---- the lease ---- */

struct timing {
	int64_t ttl_ms, loop_wait_ms, lease_ms;
};

static int64_t frozen_patroni_is_cut_after_ms(const struct timing *t, enum outcome how)
{
	struct story *s = story_new(3);
	int64_t proven_ms, cut_ms;

	for (unsigned i = 0; i < 3; i++) {
		s->acts[i].ttl_ms = t->ttl_ms;
		s->acts[i].loop_wait_ms = t->loop_wait_ms;
	}
	story_begin(s);
	wait_for_an_answer(s, 0);
	proven_ms = s->last_asked_ms[0];
	s->acts[0].rest = how;
	assert_true(story_time_until(s, WRITE, 0, SERVER_CLOSED, 30000) > 0);
	cut_ms = s->now_ms - proven_ms;
	assert_int_equal(story_why(s, WRITE, 0), WHY_LEASE_ENDED);
	assert_int_equal(story_cut(s, WRITE, 0), CLOSE_LEASE);
	story_end(s);
	return cut_ms;
}

static void test_a_frozen_patroni_loses_its_sessions_before_ttl_minus_loop_wait(void **state)
{
	static const struct timing rows[] = {
		{20000, 5000, 10000}, {20000, 10000, 5000}, {30000, 10000, 10000},
		{30000, 20000, 5000}, {20000, 13000, 2000}, {600000, 10000, 10000},
		{0, 0, 10000},        /* written nowhere: Patroni's defaults, 30 and 10 */
		{20000, 0, 5000},     /* only ttl is written: loop_wait is 10 */
		{0, 22000, 3000},     /* only loop_wait is written: ttl is 30 */
		{15000, 14000, 1000}, /* no Patroni accepts this; the least that lets anybody in */
	};

	(void)state;
	for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++)
		assert_int_equal(frozen_patroni_is_cut_after_ms(&rows[i], OUTCOME_TIMEOUT),
				 rows[i].lease_ms);
}

static void test_every_kind_of_silence_ends_with_the_lease(void **state)
{
	static const enum outcome kinds[] = {OUTCOME_REFUSED,  OUTCOME_UNREACHABLE, OUTCOME_RESET,
					     OUTCOME_BAD_HTTP, OUTCOME_BAD_JSON,    OUTCOME_TOO_BIG,
					     OUTCOME_TLS,      OUTCOME_OWN_FAULT};
	static const struct timing usual = {30000, 10000, 10000};

	(void)state;
	for (size_t i = 0; i < sizeof(kinds) / sizeof(kinds[0]); i++)
		assert_int_equal(frozen_patroni_is_cut_after_ms(&usual, kinds[i]), usual.lease_ms);
}

static void test_the_lease_runs_from_the_question_not_from_the_answer(void **state)
{
	struct story *s = story_new(2);
	int64_t left_ms;

	(void)state;
	s->acts[0].rest_ms = 2500;
	story_begin(s);
	do {
		left_ms = story_member(s, 0).proof_left_ms;
		story_run(s, 1);
	} while (story_member(s, 0).proof_left_ms < left_ms);
	assert_int_equal(story_member(s, 0).proof_left_ms, 10000 - 2500);
	story_end(s);
}

static void test_a_lease_shorter_than_the_interval_is_renewed_in_time(void **state)
{
	struct story *s = story_new(2);

	(void)state;
	s->config->clusters[0].probe.interval_ms = 5000;
	for (unsigned i = 0; i < 2; i++) {
		s->acts[i].ttl_ms = 20000;
		s->acts[i].loop_wait_ms = 12000; /* leaves 3 s */
	}
	story_begin(s);
	story_run(s, 120000);
	assert_int_equal(story_state(s, WRITE, 0), SERVER_OPEN);
	assert_int_equal(story_count(s, CHANGE_LEADERSHIP), 0);
	story_end(s);
}

static void test_a_shorter_ttl_shortens_the_lease_that_runs(void **state)
{
	struct story *s = story_new(1);

	(void)state;
	story_begin(s);
	s->acts[0].ttl_ms = 20000;
	story_run(s, 70000); /* until /config was asked again */
	assert_in_range(story_member(s, 0).proof_left_ms, 3900, 5000);
	story_end(s);
}

static void test_a_config_that_does_not_answer_leaves_the_lease_as_it_was(void **state)
{
	struct story *s = story_new(1);

	(void)state;
	s->acts[0].ttl_ms = 20000;
	story_begin(s);
	s->acts[0].config_status = 502;
	s->acts[0].ttl_ms = 60000;
	story_run(s, 130000);
	assert_in_range(story_member(s, 0).proof_left_ms, 3900, 5000);
	story_end(s);
}

/* ---- silence is doubt ---- */

static void test_a_rest_that_stalls_8_seconds_cuts_nobody(void **state)
{
	(void)state;
	for (int64_t phase_ms = 0; phase_ms < 1000; phase_ms += 90) {
		struct story *s = story_new(3);
		unsigned generation;

		story_begin(s);
		story_run(s, phase_ms);
		generation = story_generation(s, WRITE, 0);
		s->acts[0].rest = OUTCOME_TIMEOUT;
		for (int i = 0; i < 80; i++) {
			story_run(s, 100);
			assert_int_equal(story_state(s, WRITE, 0), SERVER_OPEN);
		}
		assert_true(s->n_asked[0][ASK_PORT] > 10);
		s->acts[0].rest = OUTCOME_ANSWERED;
		story_run(s, 30000);
		assert_int_equal(story_state(s, WRITE, 0), SERVER_OPEN);
		assert_int_equal(story_generation(s, WRITE, 0), generation);
		story_end(s);
	}
}

static int64_t silent_on_both_ports_is_cut_after_ms(unsigned listener, unsigned member,
						    int64_t phase_ms, uint64_t calm_ms)
{
	struct story *s = story_new(3);
	int64_t cut_ms;

	story_begin(s);
	story_run(s, (int64_t)calm_ms); /* other jitter */
	wait_for_an_answer(s, member);
	story_run(s, phase_ms);
	story_silence(s, member);
	cut_ms = story_time_until(s, listener, member, SERVER_CLOSED, 20000);
	assert_int_equal(story_why(s, listener, member), WHY_PORT_SILENT);
	assert_int_equal(story_cut(s, listener, member), CLOSE_UNREACHABLE);
	story_end(s);
	return cut_ms;
}

/* Calm interval 1 s, late after 0.3 s, ping timeout 1 s: 2.3 s and what one turn takes. */
static void test_a_node_silent_on_both_ports_is_cut_within_3_seconds(void **state)
{
	int64_t worst_ms = 0;

	(void)state;
	for (uint64_t calm_ms = 0; calm_ms < 70000; calm_ms += 1370)
		for (int64_t phase_ms = 0; phase_ms < 1000; phase_ms += 199)
			for (unsigned member = 0; member < 2; member++) {
				int64_t ms = silent_on_both_ports_is_cut_after_ms(
					member ? READ : WRITE, member, phase_ms, calm_ms);

				assert_in_range(ms, 1, 3000);
				worst_ms = ms > worst_ms ? ms : worst_ms;
			}
	assert_in_range(worst_ms, 2000, 2400);
}

/* The rare question must not hide a node that freezes while it is asked. */
static void test_a_node_that_freezes_while_asked_for_its_config_is_cut_as_soon(void **state)
{
	struct story *s = story_new(2);

	(void)state;
	story_begin(s);
	while (!s->rest[0].open || s->rest[0].question != ASK_CONFIG)
		story_run(s, 1);
	story_silence(s, 0);
	assert_in_range(story_time_until(s, WRITE, 0, SERVER_CLOSED, 20000), 1, 3000);
	story_end(s);
}

static void test_a_refusing_port_cuts_at_once(void **state)
{
	static const enum outcome kinds[] = {OUTCOME_REFUSED, OUTCOME_RESET, OUTCOME_BAD_HTTP};

	(void)state;
	for (size_t i = 0; i < sizeof(kinds) / sizeof(kinds[0]); i++) {
		struct story *s = story_new(2);

		story_begin(s);
		wait_for_an_answer(s, 0);
		s->acts[0].rest = OUTCOME_REFUSED;
		s->acts[0].port = kinds[i];
		assert_in_range(story_time_until(s, WRITE, 0, SERVER_CLOSED, 20000), 1, 1006);
		assert_int_equal(story_why(s, WRITE, 0), WHY_PORT_REFUSED);
		assert_int_equal(story_cluster(s, 0).why, WHY_PORT_REFUSED);
		story_end(s);
	}
}

static void test_the_port_is_asked_only_while_rest_is_silent(void **state)
{
	struct story *s = story_new(2);

	(void)state;
	story_begin(s);
	s->acts[0].port = s->acts[1].port = OUTCOME_REFUSED; /* nobody asks, nobody knows */
	story_run(s, 60000);
	assert_int_equal(s->n_asked[0][ASK_PORT] + s->n_asked[1][ASK_PORT], 0);
	assert_int_equal(story_state(s, WRITE, 0), SERVER_OPEN);
	story_end(s);
}

/* A lost packet of the first silence must not be held against the second one. */
static void test_a_ping_from_before_the_last_answer_says_nothing(void **state)
{
	struct story *s = story_new(2);

	(void)state;
	story_begin(s);
	wait_for_an_answer(s, 0);
	s->acts[0].rest_ms = 350; /* late, so the port is asked ... */
	s->acts[0].port = OUTCOME_TIMEOUT;
	while (!s->port[0].open)
		story_run(s, 1);
	s->acts[0].rest_ms = 1500; /* ... and then REST answers, slowly, again and again */
	story_answer(s, 0, &s->rest[0]);
	for (int i = 0; i < 1200; i++) {
		story_run(s, 1);
		assert_int_equal(story_state(s, WRITE, 0), SERVER_OPEN);
	}
	assert_true(s->n_asked[0][ASK_PORT] > 1);
	story_end(s);
}

static void test_own_faults_count_for_nobodys_silence(void **state)
{
	struct story *s = story_new(3);

	(void)state;
	story_begin(s);
	for (unsigned i = 0; i < 3; i++)
		s->acts[i].rest = s->acts[i].port = OUTCOME_OWN_FAULT; /* EMFILE */
	story_run(s, 8900);
	assert_int_equal(story_state(s, WRITE, 0), SERVER_OPEN);
	for (unsigned i = 1; i < 3; i++)
		assert_int_equal(story_state(s, READ, i), SERVER_OPEN);
	assert_int_equal(story_count(s, CHANGE_MEMBER), 0);
	story_run(s, 60000); /* a lease ends all the same; readers have none */
	assert_int_equal(story_state(s, WRITE, 0), SERVER_CLOSED);
	assert_int_equal(story_state(s, READ, 1), SERVER_OPEN);
	story_end(s);
}

static void test_own_faults_at_the_port_say_nothing_of_it(void **state)
{
	struct story *s = story_new(2);

	(void)state;
	story_begin(s);
	s->acts[0].rest = OUTCOME_TIMEOUT;
	s->acts[0].port = OUTCOME_OWN_FAULT;
	story_run(s, 8900);
	assert_int_equal(story_state(s, WRITE, 0), SERVER_OPEN);
	story_end(s);
}

/* ---- replicas ---- */

static void test_a_silent_replica_is_kept_after_fall_answers_while_its_port_lives(void **state)
{
	struct story *s = story_new(3);

	(void)state;
	story_begin(s);
	s->acts[1].rest = OUTCOME_REFUSED;
	while (s->n_asked[1][ASK_PORT] == 0)
		story_run(s, 1);
	assert_int_equal(story_state(s, READ, 1), SERVER_OPEN); /* one silent answer of three */
	story_run(s, 1000);
	assert_int_equal(story_state(s, READ, 1), SERVER_KEPT);
	assert_int_equal(story_why(s, READ, 1), WHY_REST_SILENT);
	story_run(s, 120000);
	assert_int_equal(story_state(s, READ, 1), SERVER_KEPT);
	assert_int_equal(story_generation(s, READ, 1), 0);
	s->acts[1].port = OUTCOME_TIMEOUT;
	assert_in_range(story_time_until(s, READ, 1, SERVER_CLOSED, 5000), 1, 1600);
	assert_int_equal(story_why(s, READ, 1), WHY_PORT_SILENT);
	story_end(s);
}

static void test_patroni_restarting_on_a_replica_closes_nothing(void **state)
{
	struct story *s = story_new(3);

	(void)state;
	story_begin(s);
	s->acts[1].rest = OUTCOME_REFUSED;
	story_run(s, 5000);
	s->acts[1].rest = OUTCOME_ANSWERED;
	story_run(s, 1200);
	assert_int_equal(story_state(s, READ, 1), SERVER_OPEN);
	assert_int_equal(story_generation(s, READ, 1), 0);
	assert_int_equal(story_count(s, CHANGE_LEADERSHIP), 0);
	story_end(s);
}

static void test_a_replica_that_returns_serves_only_when_its_role_is_confirmed(void **state)
{
	static const enum pg_state states[] = {PG_STARTING, PG_RUNNING /* but it lags */};

	(void)state;
	for (int k = 0; k < 2; k++) {
		struct story *s = story_new(3);

		story_begin(s);
		story_silence(s, 1);
		story_time_until(s, READ, 1, SERVER_CLOSED, 5000);
		s->acts[1] = story_replica(5);
		s->acts[1].state = states[k];
		s->acts[1].roles = 0;
		for (int i = 0; i < 3000; i++) {
			story_run(s, 1);
			assert_int_equal(story_state(s, READ, 1), SERVER_CLOSED);
		}
		s->acts[1] = story_replica(5);
		story_run(s, 1100);
		assert_int_equal(story_state(s, READ, 1), SERVER_OPEN);
		story_end(s);
	}
}

static void test_a_replica_whose_postgresql_stops_is_closed_by_that_answer(void **state)
{
	struct story *s = story_new(2);

	(void)state;
	story_add_listener(s, "any", 0, ROLE_BIT(ROLE_ANY));
	story_begin(s);
	assert_int_equal(story_state(s, 2, 1), SERVER_OPEN);
	s->acts[1].state = PG_STOPPED;
	while (s->rest[1].question != ASK_REPLICA || !s->rest[1].open)
		story_run(s, 1); /* /primary's answer said it; /replica is not asked yet */
	assert_int_equal(story_state(s, READ, 1), SERVER_CLOSED);
	assert_int_equal(story_state(s, 2, 1), SERVER_CLOSED);
	story_end(s);
}

static void test_rise_answers_let_a_replica_in(void **state)
{
	struct story *s = story_new(2);

	(void)state;
	s->config->clusters[0].probe.rise = 4;
	s->acts[1].rest_ms = 10;
	story_open(s);
	story_run(s, 35); /* /primary and /replica of one round are two whole answers */
	assert_int_equal(story_state(s, READ, 1), SERVER_CLOSED);
	story_run(s, 300);
	assert_int_equal(story_state(s, READ, 1), SERVER_OPEN);
	story_end(s);
}

static void test_a_promoted_replica_stops_reading_at_its_first_proof(void **state)
{
	struct story *s = story_new(2);

	(void)state;
	story_begin(s);
	s->acts[0] = story_replica(5);
	s->acts[1] = story_primary(6);
	s->acts[1].claim = CLAIM_REPLICA; /* the lock first, promotion later */
	story_run(s, 3000);
	assert_int_equal(story_state(s, READ, 1), SERVER_OPEN);
	assert_int_equal(story_state(s, WRITE, 1), SERVER_CLOSED);
	s->acts[1].claim = CLAIM_PRIMARY;
	story_run(s, 200);
	assert_int_equal(story_state(s, READ, 1), SERVER_CLOSED);
	assert_int_equal(story_state(s, WRITE, 1), SERVER_OPEN);
	story_end(s);
}

/* ---- policies ---- */

static void test_on_demotion_keep_keeps_and_close_closes(void **state)
{
	(void)state;
	for (int policy = POLICY_CLOSE; policy <= POLICY_KEEP; policy++) {
		struct story *s = story_new(3);
		enum server_state then = policy == POLICY_KEEP ? SERVER_KEPT : SERVER_CLOSED;

		s->config->listeners[WRITE].on_demotion = (enum policy)policy;
		s->config->listeners[READ].on_demotion = (enum policy)policy;
		story_begin(s);
		s->acts[0] = story_replica(5);
		s->acts[1].roles = 0;
		story_run(s, 30000);
		assert_int_equal(story_state(s, WRITE, 0), then);
		assert_int_equal(story_why(s, WRITE, 0), WHY_NOT_LEADER);
		assert_int_equal(story_state(s, READ, 1), then);
		assert_int_equal(story_why(s, READ, 1), WHY_ROLE_LOST);
		story_end(s);
	}
}

static void test_on_unreachable_keep_keeps_a_primary_until_its_lease_ends(void **state)
{
	struct story *s = story_new(3);
	int64_t proven_ms;

	(void)state;
	s->config->listeners[WRITE].on_unreachable = POLICY_KEEP;
	story_begin(s);
	wait_for_an_answer(s, 0);
	proven_ms = s->last_asked_ms[0];
	story_silence(s, 0);
	assert_in_range(story_time_until(s, WRITE, 0, SERVER_KEPT, 20000), 1, 3000);
	assert_int_equal(story_why(s, WRITE, 0), WHY_PORT_SILENT);
	story_time_until(s, WRITE, 0, SERVER_CLOSED, 20000);
	assert_int_equal(s->now_ms - proven_ms, 10000); /* no policy outlives a lease */
	assert_int_equal(story_cut(s, WRITE, 0), CLOSE_LEASE);
	story_end(s);
}

static void test_on_unreachable_keep_ends_when_another_is_primary(void **state)
{
	static const uint64_t timelines[] = {6, 5};

	(void)state;
	for (int i = 0; i < 2; i++) {
		struct story *s = story_new(3);

		s->config->listeners[WRITE].on_unreachable = POLICY_KEEP;
		s->config->listeners[WRITE].on_demotion = POLICY_KEEP;
		story_begin(s);
		story_silence(s, 0);
		story_time_until(s, WRITE, 0, SERVER_KEPT, 3000);
		s->acts[1] = story_primary(timelines[i]);
		story_time_until(s, WRITE, 1, SERVER_OPEN, 3000);
		assert_int_equal(story_state(s, WRITE, 0), SERVER_CLOSED);
		assert_int_equal(story_why(s, WRITE, 0), WHY_REPLACED);
		assert_int_equal(story_cut(s, WRITE, 0), CLOSE_FENCED);
		story_end(s);
	}
}

/* Whoever fell silent may be the primary still until its lease ends: a lower timeline waits. */
static void test_on_unreachable_keep_lasts_a_lease_when_a_lower_timeline_comes(void **state)
{
	struct story *s = story_new(3);
	int64_t proven_ms;

	(void)state;
	s->config->listeners[WRITE].on_unreachable = POLICY_KEEP;
	story_begin(s);
	wait_for_an_answer(s, 0);
	proven_ms = s->last_asked_ms[0];
	story_silence(s, 0);
	story_time_until(s, WRITE, 0, SERVER_KEPT, 3000);
	s->acts[1] = story_primary(4);
	story_time_until(s, WRITE, 0, SERVER_CLOSED, 20000);
	assert_int_equal(s->now_ms - proven_ms, 10000);
	assert_int_equal(story_why(s, WRITE, 0), WHY_LEASE_ENDED);
	assert_int_equal(story_state(s, WRITE, 1), SERVER_CLOSED);
	assert_in_range(story_time_until(s, WRITE, 1, SERVER_OPEN, 3000), 0, 1500);
	story_end(s);
}

static void test_on_unreachable_keep_keeps_a_replica_for_good(void **state)
{
	struct story *s = story_new(3);

	(void)state;
	s->config->listeners[READ].on_unreachable = POLICY_KEEP;
	story_begin(s);
	story_silence(s, 1);
	story_run(s, 60000);
	assert_int_equal(story_state(s, READ, 1), SERVER_KEPT);
	assert_int_equal(story_generation(s, READ, 1), 0);
	story_end(s);
}

static void test_a_primary_that_returns_within_its_lease_keeps_what_a_policy_kept(void **state)
{
	struct story *s = story_new(3);

	(void)state;
	s->config->listeners[WRITE].on_unreachable = POLICY_KEEP;
	story_begin(s);
	story_silence(s, 0);
	story_time_until(s, WRITE, 0, SERVER_KEPT, 3000);
	s->acts[0] = story_primary(5);
	story_run(s, 3100);
	assert_int_equal(story_state(s, WRITE, 0), SERVER_OPEN);
	assert_int_equal(story_generation(s, WRITE, 0), 0);
	story_end(s);
}

/* ---- our own pauses ---- */

static void pause_told_by_a_worker(struct story *s, int64_t slept_ms)
{
	struct event ev = {.type = EV_PAUSE};

	ev.u.pause.slept_ms = slept_ms;
	story_step(s, ev);
}

static void test_own_pause_voids_proofs_and_pauses_writes_until_proven_again(void **state)
{
	struct story *s = story_new(3);
	uint64_t generation;

	(void)state;
	story_begin(s);
	wait_for_an_answer(s, 0);
	generation = s->view->generation;
	story_forget(s);
	story_sleep(s, 2500);
	story_run(s, 0);
	assert_true(s->view->generation > generation);
	assert_int_equal(s->view->made_ms, s->now_ms); /* workers wait for a view of now */
	assert_int_equal(story_state(s, WRITE, 0), SERVER_PAUSED);
	assert_int_equal(story_why(s, WRITE, 0), WHY_OWN_PAUSE);
	assert_int_equal(story_state(s, READ, 1), SERVER_OPEN); /* readers live on no proof */
	assert_in_range(story_change(s, CHANGE_OWN_PAUSE)->after_ms, 1501, 2500);
	story_run(s, 10); /* asked at once */
	assert_int_equal(story_state(s, WRITE, 0), SERVER_OPEN);
	assert_int_equal(story_generation(s, WRITE, 0), 0);
	assert_int_equal(story_count(s, CHANGE_LEADERSHIP), 0);
	story_end(s);
}

static void test_a_short_own_pause_is_none(void **state)
{
	struct story *s = story_new(2);

	(void)state;
	story_begin(s);
	s->now_ms = s->tick_ms + 1000;
	story_run(s, 0);
	assert_int_equal(story_count(s, CHANGE_OWN_PAUSE), 0);
	s->now_ms = s->tick_ms + 1001;
	story_run(s, 0);
	assert_int_equal(story_count(s, CHANGE_OWN_PAUSE), 1);
	story_end(s);
}

static void test_answers_asked_before_the_pause_prove_nothing(void **state)
{
	struct story *s = story_new(2);

	(void)state;
	s->acts[0].rest_ms = 100;
	story_begin(s);
	while (!s->rest[0].open)
		story_run(s, 1);
	story_run(s, 1);
	pause_told_by_a_worker(s, 1500);
	assert_int_equal(story_state(s, WRITE, 0), SERVER_PAUSED);
	story_run(s, 100); /* the answer has come, and a new question is out */
	assert_int_equal(story_state(s, WRITE, 0), SERVER_PAUSED);
	story_run(s, 100);
	assert_int_equal(story_state(s, WRITE, 0), SERVER_OPEN);
	story_end(s);
}

static void test_a_clear_no_counts_even_if_asked_before_the_pause(void **state)
{
	struct story *s = story_new(2);

	(void)state;
	s->acts[0].rest_ms = 100;
	story_begin(s);
	while (!s->rest[0].open)
		story_run(s, 1);
	story_run(s, 1);
	pause_told_by_a_worker(s, 1500);
	s->acts[0].primary_status = 503;
	story_run(s, 99);
	assert_int_equal(story_state(s, WRITE, 0), SERVER_CLOSED);
	story_end(s);
}

static void test_silence_from_before_the_pause_is_nobodys_fault(void **state)
{
	struct story *s = story_new(2);

	(void)state;
	s->config->clusters[0].probe.fall = 1;
	story_begin(s);
	while (!s->rest[1].open)
		story_run(s, 1);
	story_sleep(s, 60000); /* every timer of ours has passed meanwhile */
	pause_told_by_a_worker(s, 60000);
	s->acts[1].rest = OUTCOME_TIMEOUT;
	story_answer(s, 1, &s->rest[1]);
	assert_int_equal(story_state(s, READ, 1), SERVER_OPEN);
	story_end(s);
}

static void test_a_ping_from_before_the_pause_is_nobodys_fault(void **state)
{
	static const enum outcome kinds[] = {OUTCOME_TIMEOUT, OUTCOME_RESET};

	(void)state;
	for (int k = 0; k < 2; k++) {
		struct story *s = story_new(2);

		story_begin(s);
		s->acts[0].rest = s->acts[0].port = OUTCOME_TIMEOUT;
		while (!s->port[0].open)
			story_run(s, 1);
		story_sleep(s, 3000);
		pause_told_by_a_worker(s, 3000);
		s->acts[0].port = kinds[k];
		story_answer(s, 0, &s->port[0]);
		assert_int_equal(story_state(s, WRITE, 0), SERVER_PAUSED);
		story_end(s);
	}
}

static void test_workers_get_a_new_view_after_every_pause_even_if_it_is_the_same(void **state)
{
	struct story *s = story_new(2);
	uint64_t generation;

	(void)state;
	s->acts[0] = story_replica(5); /* nothing to void */
	story_begin(s);
	generation = s->view->generation;
	pause_told_by_a_worker(s, 1500);
	assert_int_equal(s->view->generation, generation + 1);
	assert_int_equal(s->view->made_ms, s->now_ms);
	story_sleep(s, 2500);
	story_run(s, 0);
	assert_true(s->view->generation > generation + 1);
	assert_int_equal(s->view->made_ms, s->now_ms);
	story_end(s);
}

static void test_a_pause_longer_than_the_lease_cuts(void **state)
{
	struct story *s = story_new(2);

	(void)state;
	story_begin(s);
	story_sleep(s, 11000);
	story_run(s, 0);
	assert_int_equal(story_state(s, WRITE, 0), SERVER_CLOSED);
	assert_int_equal(story_cut(s, WRITE, 0), CLOSE_LEASE);
	story_run(s, 200);
	assert_int_equal(story_state(s, WRITE, 0), SERVER_OPEN); /* for new sessions */
	story_end(s);
}

static void test_paused_sessions_end_with_the_lease_if_nothing_is_proven(void **state)
{
	struct story *s = story_new(2);
	int64_t proven_ms;

	(void)state;
	story_begin(s);
	wait_for_an_answer(s, 0);
	proven_ms = s->last_asked_ms[0];
	s->acts[0].rest = OUTCOME_TIMEOUT;
	story_sleep(s, 3000);
	story_run(s, 0);
	assert_int_equal(story_state(s, WRITE, 0), SERVER_PAUSED);
	story_time_until(s, WRITE, 0, SERVER_CLOSED, 20000);
	assert_int_equal(s->now_ms - proven_ms, 10000);
	story_end(s);
}

static void test_what_a_policy_kept_stands_still_after_a_pause(void **state)
{
	struct story *s = story_new(2);

	(void)state;
	s->config->listeners[WRITE].on_unreachable = POLICY_KEEP;
	story_begin(s);
	story_silence(s, 0);
	story_time_until(s, WRITE, 0, SERVER_KEPT, 3000);
	pause_told_by_a_worker(s, 1500);
	assert_int_equal(story_state(s, WRITE, 0), SERVER_PAUSED);
	story_run(s, 100);
	assert_int_equal(story_state(s, WRITE, 0), SERVER_PAUSED);
	story_run(s, 10000);
	assert_int_equal(story_state(s, WRITE, 0), SERVER_CLOSED);
	story_end(s);
}

static void test_a_pause_elects_nobody(void **state)
{
	struct story *s = story_new(3);

	(void)state;
	story_begin(s);
	s->acts[1] = story_primary(5);
	story_run(s, 2000);
	s->acts[1].rest = s->acts[0].rest = OUTCOME_TIMEOUT;
	pause_told_by_a_worker(s, 1500); /* two void proofs of one timeline */
	assert_int_equal(story_leader(s), -1);
	assert_int_equal(story_state(s, WRITE, 1), SERVER_CLOSED);
	story_run(s, 5000);
	assert_int_equal(story_leader(s), -1);
	story_end(s);
}

/* ---- a Patroni that is restarted while its PostgreSQL goes on ---- */

static void restart_patroni(struct story *s, unsigned member, int64_t ms)
{
	s->acts[member].rest = OUTCOME_REFUSED;
	story_run(s, ms);
	s->acts[member].rest = OUTCOME_ANSWERED;
	s->acts[member].primary_status = 503; /* until its first look at the DCS */
}

static void test_a_restarted_patroni_that_does_not_know_yet_cuts_nobody(void **state)
{
	struct story *s = story_new(3);
	unsigned generation;

	(void)state;
	story_begin(s);
	generation = story_generation(s, WRITE, 0);
	restart_patroni(s, 0, 2000);
	story_time_until(s, WRITE, 0, SERVER_KEPT, 300);
	assert_int_equal(story_why(s, WRITE, 0), WHY_RESTARTED);
	story_run(s, 200);
	s->acts[0].primary_status = 200;
	story_time_until(s, WRITE, 0, SERVER_OPEN, 300);
	assert_int_equal(story_generation(s, WRITE, 0), generation);
	story_end(s);
}

static void test_a_restarted_patroni_that_stays_at_no_is_believed_after_a_second(void **state)
{
	struct story *s = story_new(3);

	(void)state;
	story_begin(s);
	restart_patroni(s, 0, 2000);
	assert_in_range(story_time_until(s, WRITE, 0, SERVER_CLOSED, 3000), 1000, 1300);
	assert_int_equal(story_cut(s, WRITE, 0), CLOSE_DEMOTED);
	story_end(s);
}

static void test_a_restart_lengthens_no_lease(void **state)
{
	struct story *s = story_new(3);
	int64_t proven_ms;

	(void)state;
	story_begin(s);
	proven_ms = s->last_asked_ms[0];
	restart_patroni(s, 0, 9500 - (s->now_ms - proven_ms));
	story_time_until(s, WRITE, 0, SERVER_CLOSED, 3000);
	assert_true(s->now_ms - proven_ms <= 10000 + 1000); /* asked once more before it refused */
	assert_int_equal(story_cut(s, WRITE, 0), CLOSE_LEASE);
	story_end(s);
}

static void test_only_a_primary_that_runs_on_its_timeline_is_given_that_second(void **state)
{
	static const struct {
		int status;
		enum claim claim;
		enum pg_state pg;
		uint64_t timeline;
		bool restarted;
	} rows[] = {{503, CLAIM_REPLICA, PG_RUNNING, 5, true},
		    {503, CLAIM_PRIMARY, PG_UNKNOWN, 5, true},
		    {503, CLAIM_PRIMARY, PG_RUNNING, 4, true},
		    {404, CLAIM_PRIMARY, PG_RUNNING, 5, true},
		    {503, CLAIM_PRIMARY, PG_RUNNING, 5, false}};

	(void)state;
	for (size_t i = 0; i < sizeof(rows) / sizeof(*rows); i++) {
		struct story *s = story_new(3);

		story_begin(s);
		if (rows[i].restarted)
			restart_patroni(s, 0, 2000);
		s->acts[0].primary_status = rows[i].status;
		s->acts[0].claim = rows[i].claim;
		s->acts[0].state = rows[i].pg;
		s->acts[0].timeline = rows[i].timeline;
		story_time_until(s, WRITE, 0, SERVER_CLOSED, 1100);
		assert_int_equal(story_cut(s, WRITE, 0), CLOSE_DEMOTED);
		story_end(s);
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(
			test_a_frozen_patroni_loses_its_sessions_before_ttl_minus_loop_wait),
		cmocka_unit_test(test_every_kind_of_silence_ends_with_the_lease),
		cmocka_unit_test(test_the_lease_runs_from_the_question_not_from_the_answer),
		cmocka_unit_test(test_a_lease_shorter_than_the_interval_is_renewed_in_time),
		cmocka_unit_test(test_a_shorter_ttl_shortens_the_lease_that_runs),
		cmocka_unit_test(test_a_config_that_does_not_answer_leaves_the_lease_as_it_was),
		cmocka_unit_test(test_a_rest_that_stalls_8_seconds_cuts_nobody),
		cmocka_unit_test(test_a_node_silent_on_both_ports_is_cut_within_3_seconds),
		cmocka_unit_test(
			test_a_node_that_freezes_while_asked_for_its_config_is_cut_as_soon),
		cmocka_unit_test(test_a_refusing_port_cuts_at_once),
		cmocka_unit_test(test_the_port_is_asked_only_while_rest_is_silent),
		cmocka_unit_test(test_a_ping_from_before_the_last_answer_says_nothing),
		cmocka_unit_test(test_own_faults_count_for_nobodys_silence),
		cmocka_unit_test(test_own_faults_at_the_port_say_nothing_of_it),
		cmocka_unit_test(
			test_a_silent_replica_is_kept_after_fall_answers_while_its_port_lives),
		cmocka_unit_test(test_patroni_restarting_on_a_replica_closes_nothing),
		cmocka_unit_test(
			test_a_replica_that_returns_serves_only_when_its_role_is_confirmed),
		cmocka_unit_test(test_a_replica_whose_postgresql_stops_is_closed_by_that_answer),
		cmocka_unit_test(test_rise_answers_let_a_replica_in),
		cmocka_unit_test(test_a_promoted_replica_stops_reading_at_its_first_proof),
		cmocka_unit_test(test_on_demotion_keep_keeps_and_close_closes),
		cmocka_unit_test(test_on_unreachable_keep_keeps_a_primary_until_its_lease_ends),
		cmocka_unit_test(test_on_unreachable_keep_ends_when_another_is_primary),
		cmocka_unit_test(
			test_on_unreachable_keep_lasts_a_lease_when_a_lower_timeline_comes),
		cmocka_unit_test(test_on_unreachable_keep_keeps_a_replica_for_good),
		cmocka_unit_test(
			test_a_primary_that_returns_within_its_lease_keeps_what_a_policy_kept),
		cmocka_unit_test(test_own_pause_voids_proofs_and_pauses_writes_until_proven_again),
		cmocka_unit_test(test_a_short_own_pause_is_none),
		cmocka_unit_test(test_answers_asked_before_the_pause_prove_nothing),
		cmocka_unit_test(test_a_clear_no_counts_even_if_asked_before_the_pause),
		cmocka_unit_test(test_silence_from_before_the_pause_is_nobodys_fault),
		cmocka_unit_test(test_a_ping_from_before_the_pause_is_nobodys_fault),
		cmocka_unit_test(
			test_workers_get_a_new_view_after_every_pause_even_if_it_is_the_same),
		cmocka_unit_test(test_a_pause_longer_than_the_lease_cuts),
		cmocka_unit_test(test_paused_sessions_end_with_the_lease_if_nothing_is_proven),
		cmocka_unit_test(test_what_a_policy_kept_stands_still_after_a_pause),
		cmocka_unit_test(test_a_pause_elects_nobody),
		cmocka_unit_test(test_a_restarted_patroni_that_does_not_know_yet_cuts_nobody),
		cmocka_unit_test(
			test_a_restarted_patroni_that_stays_at_no_is_believed_after_a_second),
		cmocka_unit_test(test_a_restart_lengthens_no_lease),
		cmocka_unit_test(
			test_only_a_primary_that_runs_on_its_timeline_is_given_that_second),
	};

	return cmocka_run_group_tests_name("monitor_doubt", tests, NULL, NULL);
}
