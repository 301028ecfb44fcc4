/* Whom the monitor asks what and when, what operators and addresses change, and what it tells:
 * stories. */
#include "core/view.h"
#include "monitor_story.h"

static void event_about(struct story *s, enum event_type type, unsigned member)
{
	struct event ev = {.type = type};

	if (type == EV_SIGN) {
		ev.u.sign.member = member;
		ev.u.sign.sign = SIGN_RESET;
	}
	story_step(s, ev);
}

static void order(struct story *s, unsigned listener, unsigned server, enum admin_state state)
{
	struct event ev = {.type = EV_OPERATOR};

	ev.u.operator.listener = listener;
	ev.u.operator.server = server;
	ev.u.operator.state = state;
	story_step(s, ev);
}

/* ---- when ---- */

static void test_calm_rounds_are_a_jittered_interval_apart(void **state)
{
	struct story *s = story_new(3);
	int64_t least = INT64_MAX, most = 0;

	(void)state;
	story_begin(s);
	for (int i = 0; i < 300; i++) {
		int64_t before = s->last_asked_ms[0], gap;

		while (s->last_asked_ms[0] == before)
			story_run(s, 1);
		gap = s->last_asked_ms[0] - before;
		least = gap < least ? gap : least;
		most = gap > most ? gap : most;
	}
	assert_in_range(least, 800, 850);
	assert_in_range(most, 950, 1000);
	story_end(s);
}

static void test_a_calm_minute_costs_few_steps(void **state)
{
	struct story *s = story_new(3);

	(void)state;
	story_begin(s);
	story_run(s, 60000);
	assert_in_range(s->n_steps, 300, 700); /* three members, five questions a second at most */
	story_end(s);
}

static void test_an_unchanged_world_makes_no_new_generation(void **state)
{
	struct story *s = story_new(3);
	uint64_t generation;

	(void)state;
	story_begin(s);
	generation = s->view->generation;
	story_run(s, 600000);
	assert_int_equal(s->view->generation, generation);
	assert_int_equal(s->n_changes, 0);
	story_end(s);
}

static void test_signs_and_hints_hurry_all_of_the_cluster_for_a_while(void **state)
{
	static const enum event_type kinds[] = {EV_SIGN, EV_HINT};

	(void)state;
	for (int k = 0; k < 2; k++) {
		struct story *s = story_new(3);

		story_begin(s);
		event_about(s, kinds[k], 0);
		assert_true(story_cluster(s, 0).in_doubt);
		story_run(s, 2000);
		for (unsigned i = 0; i < 3; i++)
			assert_in_range(s->n_asked[i][ASK_PRIMARY], 19, 22);
		story_run(s, 2000);
		assert_false(story_cluster(s, 0).in_doubt);
		story_forget(s);
		story_run(s, 10000);
		assert_in_range(s->n_asked[0][ASK_PRIMARY], 9, 13);
		story_end(s);
	}
}

static void test_news_out_of_the_blue_are_asked_after_at_once(void **state)
{
	static const enum event_type kinds[] = {EV_SIGN, EV_HINT};

	(void)state;
	for (int k = 0; k < 2; k++) {
		struct story *s = story_new(3);

		story_begin(s);
		story_run(s, 10000);
		while (s->now_ms - s->last_asked_ms[0] != 50) /* of 1,000 to the next question */
			story_run(s, 1);
		event_about(s, kinds[k], 1);
		story_run(s, 1);
		for (unsigned i = 0; i < 3; i++)
			assert_true(s->now_ms - s->last_asked_ms[i] <= 1);
		story_end(s);
	}
}

static unsigned asked_in(struct story *s, int64_t ms)
{
	story_forget(s);
	story_run(s, ms);
	return s->n_asked[1][ASK_PRIMARY];
}

static void test_doubt_backs_off_after_30_seconds_until_a_surprise(void **state)
{
	struct story *s = story_new(3);

	(void)state;
	s->acts[0] = story_replica(5); /* nobody is primary */
	story_open(s);
	assert_in_range(asked_in(s, 28000), 270, 290);
	story_run(s, 3000);
	assert_in_range(asked_in(s, 5000), 20, 27);
	story_run(s, 7000);
	assert_in_range(asked_in(s, 5000), 10, 15);
	story_run(s, 60000);
	assert_in_range(asked_in(s, 10000), 9, 13);
	event_about(s, EV_SIGN, 2); /* who makes signs all the time does not keep us busy */
	assert_in_range(asked_in(s, 10000), 9, 13);
	event_about(s, EV_HINT, 2);
	assert_in_range(asked_in(s, 10000), 95, 105);
	story_end(s);
}

/* Who holds the lock will be writable any moment: those who wait for it wait no longer than that.
 */
static void test_a_member_that_is_being_promoted_is_asked_without_a_pause(void **state)
{
	struct story *s = story_new(3);

	(void)state;
	s->acts[0] = story_replica(5);
	s->acts[1] = story_primary(6);
	s->acts[1].claim = CLAIM_REPLICA;
	story_open(s);
	assert_in_range(asked_in(s, 1000), 25, 45);
	s->acts[1].claim = CLAIM_PRIMARY;
	assert_in_range(story_time_until(s, WRITE, 1, SERVER_OPEN, 1000), 0, 60);
	assert_in_range(asked_in(s, 1000), 9, 11);
	story_end(s);
}

static void test_a_member_that_is_always_slow_does_not_keep_the_others_busy(void **state)
{
	struct story *s = story_new(3);

	(void)state;
	story_begin(s);
	s->acts[2].rest_ms = 400;
	story_run(s, 10000);
	story_forget(s);
	story_run(s, 30000);
	assert_in_range(s->n_asked[0][ASK_PRIMARY], 30, 110); /* fast would be 300 */
	assert_int_equal(story_state(s, READ, 2), SERVER_OPEN);
	story_end(s);
}

static void test_late_is_doubt_before_any_timeout(void **state)
{
	struct story *s = story_new(3);

	(void)state;
	story_begin(s);
	story_run(s, 700);
	while (!s->rest[1].open)
		story_run(s, 1);
	s->acts[1].rest_ms = 3000;
	s->acts[1].rest = OUTCOME_TIMEOUT;
	story_run(s, 298);
	assert_false(story_cluster(s, 0).in_doubt);
	story_run(s, 4);
	assert_true(story_cluster(s, 0).in_doubt);
	assert_int_equal(s->n_asked[1][ASK_PORT], 1);
	story_end(s);
}

/* ---- what ---- */

static void test_only_endpoints_that_listeners_serve_are_asked(void **state)
{
	struct story *s = story_new(3);

	(void)state;
	s->config->listeners[READ].serve = ROLE_BIT(ROLE_SYNC) | ROLE_BIT(ROLE_ASYNC);
	story_open(s);
	story_run(s, 20000);
	for (unsigned i = 1; i < 3; i++) {
		assert_true(s->n_asked[i][ASK_PRIMARY] > 10);
		assert_int_equal(s->n_asked[i][ASK_SYNC], s->n_asked[i][ASK_PRIMARY]);
		assert_int_equal(s->n_asked[i][ASK_ASYNC], s->n_asked[i][ASK_PRIMARY]);
		assert_int_equal(s->n_asked[i][ASK_REPLICA], 0);
		assert_int_equal(s->n_asked[i][ASK_QUORUM], 0);
		assert_int_equal(s->n_asked[i][ASK_STANDBY_LEADER], 0);
		assert_int_equal(story_state(s, READ, i), SERVER_OPEN); /* async will do */
	}
	assert_int_equal(s->n_asked[0][ASK_SYNC], 0); /* the leader is not asked */
	story_end(s);
}

static void test_the_rest_of_a_round_is_not_asked_of_a_silent_member(void **state)
{
	struct story *s = story_new(2);
	unsigned asked;

	(void)state;
	s->config->listeners[READ].serve = ROLE_BIT(ROLE_SYNC) | ROLE_BIT(ROLE_ASYNC);
	story_begin(s);
	while (!s->rest[1].open || s->rest[1].question != ASK_SYNC)
		story_run(s, 1);
	asked = s->n_asked[1][ASK_ASYNC];
	s->acts[1].rest = OUTCOME_TIMEOUT;
	story_run(s, 10000);
	assert_int_equal(s->n_asked[1][ASK_ASYNC], asked);
	assert_true(s->n_asked[1][ASK_PRIMARY] >= 2);
	story_end(s);
}

static void test_each_role_opens_its_own_listener(void **state)
{
	static const enum role roles[] = {ROLE_REPLICA, ROLE_SYNC, ROLE_ASYNC, ROLE_QUORUM,
					  ROLE_STANDBY_LEADER};

	(void)state;
	for (size_t r = 0; r < sizeof(roles) / sizeof(roles[0]); r++) {
		struct story *s = story_new(3);

		s->config->listeners[READ].serve = ROLE_BIT(roles[r]);
		s->acts[1].roles = ROLE_BIT(roles[r]);
		s->acts[2].roles = ~ROLE_BIT(roles[r]);
		story_begin(s);
		assert_int_equal(story_state(s, READ, 1), SERVER_OPEN);
		assert_int_equal(story_state(s, READ, 2), SERVER_CLOSED);
		assert_int_equal(story_member(s, 1).roles, ROLE_BIT(roles[r]) | ROLE_BIT(ROLE_ANY));
		story_end(s);
	}
}

/* As when every endpoint's answer is taken by itself: open, closed, open, twice a round. */
static void test_a_200_of_a_postgresql_that_does_not_run_opens_nothing(void **state)
{
	struct story *s = story_new(3);

	(void)state;
	story_begin(s);
	s->acts[1].state = PG_STARTING;
	story_run(s, 1500);
	assert_int_equal(story_state(s, READ, 1), SERVER_CLOSED);
	for (int i = 0; i < 3000; i++) {
		story_run(s, 1);
		assert_int_equal(story_state(s, READ, 1), SERVER_CLOSED);
	}
	s->acts[1].state = PG_UNKNOWN; /* or a Patroni that does not say */
	story_run(s, 3000);
	assert_int_equal(story_state(s, READ, 1), SERVER_OPEN);
	story_end(s);
}

static void test_config_is_asked_rarely_and_of_the_primary(void **state)
{
	struct story *s = story_new(3);

	(void)state;
	story_begin(s);
	story_run(s, 600000);
	assert_in_range(s->n_asked[0][ASK_CONFIG], 9, 11);
	assert_int_equal(s->n_asked[1][ASK_CONFIG] + s->n_asked[2][ASK_CONFIG], 0);
	s->acts[0] = story_replica(5);
	s->acts[1] = story_primary(6);
	story_forget(s);
	story_run(s, 5000);
	assert_int_equal(s->n_asked[1][ASK_CONFIG], 1); /* each new one at once */
	story_end(s);
}

static void test_config_is_asked_again_soon_when_the_answer_was_no_good(void **state)
{
	struct story *s = story_new(1);

	(void)state;
	s->acts[0].config_status = 500;
	story_begin(s);
	story_run(s, 60000);
	assert_in_range(s->n_asked[0][ASK_CONFIG], 8, 11);
	story_end(s);
}

static void run_until_config_is_asked(struct story *s)
{
	story_forget(s);
	story_run(s, 61000);
	assert_true(s->n_asked[0][ASK_CONFIG] + s->n_asked[1][ASK_CONFIG] >= 1);
}

static void test_patronis_settings_are_told_when_they_are_news(void **state)
{
	struct story *s = story_new(2);

	(void)state;
	s->acts[0].ttl_ms = s->acts[1].ttl_ms = 20000;
	s->acts[0].loop_wait_ms = s->acts[1].loop_wait_ms = 0; /* written nowhere: the default */
	story_open(s);
	story_run(s, 10000);
	assert_int_equal(story_count(s, CHANGE_SETTINGS), 1);
	assert_int_equal(story_change(s, CHANGE_SETTINGS)->ttl_ms, 20000);
	assert_int_equal(story_change(s, CHANGE_SETTINGS)->loop_wait_ms, 10000);
	run_until_config_is_asked(s);
	assert_int_equal(story_count(s, CHANGE_SETTINGS), 0);
	s->acts[0] = story_replica(5);
	s->acts[1].primary_status = 200;
	s->acts[1].claim = CLAIM_PRIMARY;
	s->acts[1].timeline = 6;
	run_until_config_is_asked(s); /* the new primary says the same */
	assert_int_equal(story_count(s, CHANGE_SETTINGS), 0);
	s->acts[1].loop_wait_ms = 5000;
	run_until_config_is_asked(s);
	assert_int_equal(story_count(s, CHANGE_SETTINGS), 1);
	assert_int_equal(story_change(s, CHANGE_SETTINGS)->loop_wait_ms, 5000);
	story_end(s);
}

/* ---- addresses ---- */

static void test_an_unresolved_name_is_not_asked_and_says_so(void **state)
{
	struct story *s = story_new(2);

	(void)state;
	s->config->members[1].host[0] = '\0'; /* the story finds no address for it */
	story_begin(s);
	assert_int_equal(story_state(s, READ, 1), SERVER_CLOSED);
	assert_int_equal(story_why(s, READ, 1), WHY_NO_ADDRESS);
	assert_int_equal(s->view->listeners[READ].none_why, WHY_NO_ADDRESS);
	assert_int_equal(s->view->listeners[READ].none_member, 1);
	story_run(s, 5000);
	assert_int_equal(s->n_asked[1][ASK_PRIMARY], 0);
	story_address(s, 1, "10.0.0.2");
	story_run(s, 10);
	assert_string_equal(s->asked_ip[1], "10.0.0.2");
	assert_int_equal(story_state(s, READ, 1), SERVER_OPEN);
	assert_string_equal(s->view->listeners[READ].servers[1].ip, "10.0.0.2");
	story_end(s);
}

/* Its PostgreSQL is on this host; Patroni has to be found all the same. */
static void test_a_member_with_a_socket_needs_no_address_for_sessions(void **state)
{
	struct story *s = story_new(2);
	struct event ev = {.type = EV_ADDRESS, .u.address.member = 1};

	(void)state;
	s->config->members[1].socket_path = xstrdup("/run/pg/.s.PGSQL.5432");
	s->config->members[1].host[0] = '\0'; /* the story finds no address for it */
	story_begin(s);
	assert_int_equal(story_state(s, READ, 1), SERVER_CLOSED);
	assert_int_equal(story_why(s, READ, 1), WHY_NO_ADDRESS);
	str_copy(ev.u.address.rest_ip, sizeof(ev.u.address.rest_ip), "10.0.0.2");
	story_step(s, ev);
	story_run(s, 10);
	assert_string_equal(s->asked_ip[1], "10.0.0.2");
	assert_int_equal(story_state(s, READ, 1), SERVER_OPEN);
	assert_string_equal(s->view->listeners[READ].servers[1].ip, "");
	story_end(s);
}

static void test_an_address_once_known_is_kept_when_the_name_no_longer_resolves(void **state)
{
	struct story *s = story_new(2);
	uint64_t generation;

	(void)state;
	story_begin(s);
	generation = s->view->generation;
	story_address(s, 0, "");
	story_address(s, 1, "10.0.0.2"); /* the same again */
	story_run(s, 5000);
	assert_int_equal(s->view->generation, generation);
	assert_int_equal(story_state(s, WRITE, 0), SERVER_OPEN);
	story_end(s);
}

static void test_a_new_address_takes_no_new_sessions_before_it_has_answered(void **state)
{
	struct story *s = story_new(3);

	(void)state;
	story_begin(s);
	for (unsigned i = 0; i < 2; i++)
		s->acts[i].rest_ms = 50;
	story_address(s, 0, "10.9.9.9");
	story_address(s, 1, "10.9.9.8");
	assert_int_equal(story_state(s, WRITE, 0), SERVER_KEPT);
	assert_int_equal(story_state(s, READ, 1), SERVER_KEPT);
	assert_string_equal(s->asked_ip[0], "10.9.9.9"); /* at once */
	story_run(s, 200);
	assert_int_equal(story_state(s, WRITE, 0), SERVER_OPEN);
	assert_int_equal(story_state(s, READ, 1), SERVER_OPEN);
	assert_int_equal(story_generation(s, WRITE, 0) + story_generation(s, READ, 1), 0);
	story_end(s);
}

static void test_an_answer_from_the_old_address_says_nothing_of_the_new_one(void **state)
{
	struct story *s = story_new(2);

	(void)state;
	s->acts[0].rest_ms = 100;
	story_begin(s);
	while (!s->rest[0].open)
		story_run(s, 1);
	story_address(s, 0, "10.9.9.9");
	story_run(s, 110); /* the old one has proven itself */
	assert_int_equal(story_state(s, WRITE, 0), SERVER_KEPT);
	story_run(s, 110);
	assert_int_equal(story_state(s, WRITE, 0), SERVER_OPEN);
	story_end(s);
}

static void test_a_ping_of_the_old_address_says_nothing_of_the_new_one(void **state)
{
	struct story *s = story_new(2);

	(void)state;
	s->config->listeners[WRITE].on_unreachable = POLICY_CLOSE;
	story_begin(s);
	story_silence(s, 0);
	while (!s->port[0].open)
		story_run(s, 1);
	story_address(s, 0, "10.9.9.9");
	story_run(s, 999);
	assert_true(s->port[0].open);
	s->acts[0].port = OUTCOME_REFUSED;
	story_answer(s, 0, &s->port[0]);
	assert_int_equal(story_state(s, WRITE, 0), SERVER_KEPT);
	story_end(s);
}

/* ---- operators ---- */

static void test_drain_keeps_sessions_maint_cuts_them_and_ready_lets_in(void **state)
{
	struct story *s = story_new(3);

	(void)state;
	story_begin(s);
	order(s, READ, 1, ADMIN_DRAIN);
	assert_int_equal(story_state(s, READ, 1), SERVER_KEPT);
	assert_int_equal(story_why(s, READ, 1), WHY_DRAIN);
	assert_int_equal(story_server(s, READ, 1).admin, ADMIN_DRAIN);
	assert_int_equal(story_server(s, READ, 1).downs, 0); /* drained is not down */
	order(s, READ, 1, ADMIN_MAINT);
	assert_int_equal(story_state(s, READ, 1), SERVER_CLOSED);
	assert_int_equal(story_cut(s, READ, 1), CLOSE_MAINT);
	assert_int_equal(story_generation(s, READ, 1), 1);
	assert_int_equal(story_state(s, WRITE, 1), SERVER_CLOSED);
	assert_int_equal(story_why(s, WRITE, 1), WHY_NOT_LEADER); /* of this listener only */
	order(s, READ, 1, ADMIN_READY);
	assert_int_equal(story_state(s, READ, 1), SERVER_OPEN);
	story_end(s);
}

static void test_the_primary_in_maintenance_stays_the_primary_and_serves_nothing(void **state)
{
	struct story *s = story_new(3);

	(void)state;
	story_begin(s);
	order(s, WRITE, 0, ADMIN_MAINT);
	assert_int_equal(story_leader(s), 0);
	assert_int_equal(s->view->listeners[WRITE].n_open, 0);
	assert_int_equal(s->view->listeners[WRITE].none_member, 0);
	assert_int_equal(s->view->listeners[WRITE].none_why, WHY_MAINT);
	story_end(s);
}

/* ---- several clusters ---- */

static void test_several_clusters_do_not_disturb_each_other(void **state)
{
	struct story *s = story_new(3);
	unsigned asked;

	(void)state;
	story_add_cluster(s, "other", 2);
	story_add_listener(s, "other-write", 1, ROLE_BIT(ROLE_PRIMARY));
	story_add_listener(s, "other-read", 1, ROLE_BIT(ROLE_REPLICA));
	s->acts[3].timeline = s->acts[4].timeline = 9;
	s->acts[3].system_id = s->acts[4].system_id = 42;
	s->acts[3].scope = s->acts[4].scope = "joker";
	s->acts[3].ttl_ms = s->acts[4].ttl_ms = 20000;
	s->acts[3].name = "n1"; /* a name of the first cluster */
	story_begin(s);
	assert_int_equal(story_cluster(s, 0).primary, 0);
	assert_int_equal(story_cluster(s, 1).primary, 3);
	assert_int_equal(story_state(s, 2, 0), SERVER_OPEN);
	assert_int_equal(story_state(s, 3, 1), SERVER_OPEN);
	assert_in_range(story_member(s, 0).proof_left_ms, 8500, 10000);
	assert_in_range(story_member(s, 3).proof_left_ms, 3500, 5000);
	story_silence(s, 3);
	story_run(s, 20000);
	assert_int_equal(story_state(s, 2, 0), SERVER_CLOSED);
	assert_int_equal(story_cluster(s, 0).primary, 0);
	assert_false(story_cluster(s, 0).in_doubt);
	assert_int_equal(story_generation(s, WRITE, 0) + story_generation(s, READ, 1), 0);
	asked = s->n_asked[0][ASK_PRIMARY];
	assert_in_range(asked, 19, 26);
	assert_true(s->n_asked[4][ASK_PRIMARY] > 150);
	story_end(s);
}

/* ---- why there is no server ---- */

static const char *sentence(const struct story *s, unsigned listener)
{
	static char text[512];

	view_none_sentence(s->view, listener, s->now_ms, text, sizeof(text));
	return text;
}

static void test_the_sentence_before_the_first_proof_blames_nobody(void **state)
{
	struct story *s = story_new(2);

	(void)state;
	s->acts[0] = story_replica(5);
	story_begin(s);
	assert_string_equal(
		sentence(s, WRITE),
		"cluster \"main\" has no primary since 10.0s: no member has proven to be primary");
	story_end(s);
}

static void test_the_sentence_names_the_primary_that_was_lost(void **state)
{
	struct story *s = story_new(3);

	(void)state;
	story_begin(s);
	s->acts[0] = story_replica(5);
	s->acts[2] = story_primary(6);
	story_run(s, 1100);
	s->acts[2].primary_status = 503;
	story_time_until(s, WRITE, 2, SERVER_CLOSED, 2000);
	story_run(s, 500);
	assert_string_equal(sentence(s, WRITE),
			    "cluster \"main\" has no primary since 500ms: n3 answers that it does "
			    "not hold the leader lock");
	story_end(s);
}

static void test_the_sentence_names_the_replica_that_was_the_last(void **state)
{
	struct story *s = story_new(4);
	uint64_t generation;

	(void)state;
	story_begin(s);
	for (unsigned last = 3; last >= 1; last--) {
		s->acts[last].roles = 0;
		story_run(s, 5000);
	}
	assert_int_equal(s->view->listeners[READ].none_member, 1);
	assert_string_equal(sentence(s, READ) +
				    strlen("cluster \"main\" has no replica since 4.1s"),
			    ": n2 does not have the role that is served here");
	s->acts[1].roles = s->acts[3].roles = ROLE_BIT(ROLE_REPLICA);
	story_run(s, 5000);
	order(s, READ, 1, ADMIN_DRAIN);
	generation = s->view->generation;
	order(s, READ, 3, ADMIN_DRAIN);
	assert_int_equal(s->view->listeners[READ].none_member, 3); /* in the first view already */
	assert_int_equal(s->view->listeners[READ].none_why, WHY_DRAIN);
	story_run(s, 60000);
	assert_int_equal(s->view->generation, generation + 1);
	story_end(s);
}

static void test_the_sentence_follows_what_becomes_of_that_member(void **state)
{
	struct story *s = story_new(2);

	(void)state;
	story_begin(s);
	s->acts[1].roles = 0;
	story_run(s, 2000);
	assert_int_equal(s->view->listeners[READ].none_why, WHY_ROLE_LOST);
	s->acts[1].rest = s->acts[1].port = OUTCOME_REFUSED;
	story_run(s, 2000);
	assert_int_equal(s->view->listeners[READ].none_member, 1);
	assert_int_equal(s->view->listeners[READ].none_why, WHY_PORT_REFUSED);
	story_end(s);
}

static void test_the_primary_is_not_why_there_is_no_replica(void **state)
{
	struct story *s = story_new(3);

	(void)state;
	story_silence(s, 1);
	story_silence(s, 2);
	story_begin(s);
	assert_int_equal(s->view->listeners[READ].none_member, 1);
	assert_int_equal(s->view->listeners[READ].none_why, WHY_PORT_SILENT);
	story_end(s);
}

static void test_a_kept_primary_is_why_there_is_none_for_new_sessions(void **state)
{
	struct story *s = story_new(2);

	(void)state;
	story_begin(s);
	s->acts[0].state = PG_STARTING;
	story_run(s, 1100);
	assert_int_equal(s->view->listeners[WRITE].none_member, 0);
	assert_int_equal(s->view->listeners[WRITE].none_why, WHY_PG_NOT_RUNNING);
	story_end(s);
}

/* ---- what is told ---- */

static void test_failed_checks_count_while_a_server_is_up(void **state)
{
	struct story *s = story_new(3);

	(void)state;
	story_begin(s);
	assert_int_equal(story_server(s, READ, 1).check_failures, 0);
	s->acts[1].rest = OUTCOME_RESET;
	story_run(s, 60000); /* three silent answers take it down; the rest fail while it is down */
	assert_int_equal(story_server(s, READ, 1).check_failures, 3);
	assert_int_equal(story_server(s, READ, 1).downs, 1);
	assert_int_equal(story_server(s, WRITE, 1).check_failures, 0); /* it never was up there */
	s->acts[1].rest = OUTCOME_ANSWERED;
	story_run(s, 5000);
	s->acts[1].roles = 0;
	story_run(s, 60000); /* one clear answer */
	assert_int_equal(story_server(s, READ, 1).check_failures, 4);
	assert_int_equal(story_server(s, READ, 1).downs, 2);
	assert_int_equal(story_server(s, READ, 2).check_failures, 0);
	s->acts[0].primary_status = 503;
	story_run(s, 5000);
	assert_int_equal(story_server(s, WRITE, 0).check_failures, 1);
	story_end(s);
}

static void test_what_we_or_an_operator_decide_is_no_failed_check(void **state)
{
	struct story *s = story_new(2);

	(void)state;
	story_begin(s);
	order(s, READ, 1, ADMIN_MAINT);
	order(s, READ, 1, ADMIN_READY);
	story_sleep(s, 12000);
	story_run(s, 5000);
	assert_int_equal(story_server(s, READ, 1).downs, 1);
	assert_int_equal(story_server(s, READ, 1).check_failures, 0);
	assert_int_equal(story_server(s, WRITE, 0).downs, 1);
	assert_int_equal(story_server(s, WRITE, 0).check_failures, 0);
	story_end(s);
}

static void test_down_time_is_summed(void **state)
{
	struct story *s = story_new(2);
	struct server_report r;

	(void)state;
	story_begin(s);
	assert_in_range(story_server(s, READ, 1).down_ms, 2, 10); /* until its first answer */
	order(s, READ, 1, ADMIN_MAINT);
	story_run(s, 3000);
	order(s, READ, 1, ADMIN_READY);
	story_run(s, 2000);
	order(s, READ, 1, ADMIN_MAINT);
	story_run(s, 500);
	r = story_server(s, READ, 1);
	assert_in_range(r.down_ms, 3502, 3510);
	assert_int_equal(r.last_change_ms_ago, 500);
	assert_int_equal(r.downs, 2);
	story_end(s);
}

static void test_each_change_is_told_once_with_its_reason(void **state)
{
	struct story *s = story_new(3);
	const struct change *c;

	(void)state;
	story_begin(s);
	story_silence(s, 0);
	story_run(s, 60000);
	assert_int_equal(story_count(s, CHANGE_LEADERSHIP), 1);
	c = story_change(s, CHANGE_LEADERSHIP);
	assert_int_equal(c->from, 0);
	assert_int_equal(c->to, -1);
	assert_int_equal(c->member, 0);
	assert_int_equal(c->why, WHY_PORT_SILENT);
	assert_in_range(c->after_ms, 10000, 13000);
	assert_int_equal(story_count(s, CHANGE_MEMBER), 1);
	assert_false(story_change(s, CHANGE_MEMBER)->up);
	assert_int_equal(story_change(s, CHANGE_MEMBER)->why, WHY_PORT_SILENT);
	assert_int_equal(story_count(s, CHANGE_SERVER), 1);
	c = story_change(s, CHANGE_SERVER);
	assert_int_equal(c->listener, WRITE);
	assert_int_equal(c->member, 0);
	assert_int_equal(c->state, SERVER_CLOSED);
	story_end(s);
}

static void test_a_report_says_what_each_member_is(void **state)
{
	struct story *s = story_new(2);
	struct member_report p, r;

	(void)state;
	s->acts[1].lsn = 4000;
	story_begin(s);
	p = story_member(s, 0);
	r = story_member(s, 1);
	assert_int_equal(p.roles, ROLE_BIT(ROLE_PRIMARY) | ROLE_BIT(ROLE_ANY));
	assert_int_equal(r.roles, ROLE_BIT(ROLE_REPLICA) | ROLE_BIT(ROLE_ANY));
	assert_int_equal(p.why, WHY_PROVEN);
	assert_int_equal(p.claim, CLAIM_PRIMARY);
	assert_true(p.up && r.up && p.asked && r.asked);
	assert_true(r.lag_known);
	assert_int_equal(r.lag_bytes, 1000);
	assert_int_equal(p.lag_bytes, 0);
	assert_in_range(p.proof_left_ms, 9000, 10000);
	assert_int_equal(r.proof_left_ms, -1);
	assert_in_range(p.last_answer_age_ms, 0, 1000);
	story_silence(s, 1);
	story_run(s, 5000);
	r = story_member(s, 1);
	assert_false(r.up);
	assert_int_equal(r.roles, 0);
	assert_int_equal(r.outcome, OUTCOME_TIMEOUT);
	story_end(s);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_calm_rounds_are_a_jittered_interval_apart),
		cmocka_unit_test(test_a_calm_minute_costs_few_steps),
		cmocka_unit_test(test_an_unchanged_world_makes_no_new_generation),
		cmocka_unit_test(test_signs_and_hints_hurry_all_of_the_cluster_for_a_while),
		cmocka_unit_test(test_news_out_of_the_blue_are_asked_after_at_once),
		cmocka_unit_test(test_doubt_backs_off_after_30_seconds_until_a_surprise),
		cmocka_unit_test(test_a_member_that_is_being_promoted_is_asked_without_a_pause),
		cmocka_unit_test(test_a_member_that_is_always_slow_does_not_keep_the_others_busy),
		cmocka_unit_test(test_late_is_doubt_before_any_timeout),
		cmocka_unit_test(test_only_endpoints_that_listeners_serve_are_asked),
		cmocka_unit_test(test_the_rest_of_a_round_is_not_asked_of_a_silent_member),
		cmocka_unit_test(test_each_role_opens_its_own_listener),
		cmocka_unit_test(test_a_200_of_a_postgresql_that_does_not_run_opens_nothing),
		cmocka_unit_test(test_config_is_asked_rarely_and_of_the_primary),
		cmocka_unit_test(test_config_is_asked_again_soon_when_the_answer_was_no_good),
		cmocka_unit_test(test_patronis_settings_are_told_when_they_are_news),
		cmocka_unit_test(test_an_unresolved_name_is_not_asked_and_says_so),
		cmocka_unit_test(test_a_member_with_a_socket_needs_no_address_for_sessions),
		cmocka_unit_test(
			test_an_address_once_known_is_kept_when_the_name_no_longer_resolves),
		cmocka_unit_test(test_a_new_address_takes_no_new_sessions_before_it_has_answered),
		cmocka_unit_test(test_an_answer_from_the_old_address_says_nothing_of_the_new_one),
		cmocka_unit_test(test_a_ping_of_the_old_address_says_nothing_of_the_new_one),
		cmocka_unit_test(test_drain_keeps_sessions_maint_cuts_them_and_ready_lets_in),
		cmocka_unit_test(
			test_the_primary_in_maintenance_stays_the_primary_and_serves_nothing),
		cmocka_unit_test(test_several_clusters_do_not_disturb_each_other),
		cmocka_unit_test(test_the_sentence_before_the_first_proof_blames_nobody),
		cmocka_unit_test(test_the_sentence_names_the_primary_that_was_lost),
		cmocka_unit_test(test_the_sentence_names_the_replica_that_was_the_last),
		cmocka_unit_test(test_the_sentence_follows_what_becomes_of_that_member),
		cmocka_unit_test(test_the_primary_is_not_why_there_is_no_replica),
		cmocka_unit_test(test_a_kept_primary_is_why_there_is_none_for_new_sessions),
		cmocka_unit_test(test_failed_checks_count_while_a_server_is_up),
		cmocka_unit_test(test_what_we_or_an_operator_decide_is_no_failed_check),
		cmocka_unit_test(test_down_time_is_summed),
		cmocka_unit_test(test_each_change_is_told_once_with_its_reason),
		cmocka_unit_test(test_a_report_says_what_each_member_is),
	};

	return cmocka_run_group_tests_name("monitor_asking", tests, NULL, NULL);
}
