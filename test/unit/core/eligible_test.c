/* Which member serves a listener, and what becomes of the sessions of one that may not. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "core/monitor_state.h"

static const struct cluster_config cluster_config = {
	.name = "main", .n_members = 1, .probe = {.lease_ms = 10000}};
static const struct member_config member_config = {.name = "n1", .port = 5432};

/* A member that is up, and the cluster it is the only member of. */
struct scene {
	struct cluster_state cluster;
	struct member_state member;
	struct listener_config listener;
	struct server_track track;
	enum server_state before;
};

static struct scene scene(unsigned serve)
{
	struct scene s = {.before = SERVER_OPEN};

	s.cluster.config = &cluster_config;
	s.cluster.leader.member = -1;
	s.member.config = &member_config;
	s.member.address_known = true;
	s.member.health.up = true;
	s.member.why = WHY_NOT_LEADER;
	listener_config_defaults(&s.listener);
	s.listener.serve = serve;
	return s;
}

static struct scene write_scene(void)
{
	struct scene s = scene(ROLE_BIT(ROLE_PRIMARY));

	s.cluster.leader.member = 0;
	s.member.proof.stands = s.member.proof.fresh = true;
	s.member.why = WHY_PROVEN;
	return s;
}

static struct scene read_scene(void)
{
	struct scene s = scene(ROLE_BIT(ROLE_REPLICA));

	s.member.roles = ROLE_BIT(ROLE_REPLICA) | ROLE_BIT(ROLE_ANY);
	return s;
}

static struct scene lost_scene(enum why lost, enum policy on_demotion, enum policy on_unreachable)
{
	struct scene s = scene(ROLE_BIT(ROLE_PRIMARY));

	s.member.lost = lost;
	s.listener.on_demotion = on_demotion;
	s.listener.on_unreachable = on_unreachable;
	return s;
}

static void expect(const struct scene *s, enum server_state state, enum why why,
		   enum close_reason cut)
{
	struct standing st =
		eligible_judge(&s->cluster, &s->member, &s->listener, &s->track, s->before);

	assert_int_equal(st.state, state);
	assert_int_equal(st.why, why);
	if (state == SERVER_CLOSED)
		assert_int_equal(st.cut, cut);
}

static void test_the_primary_serves_writes_and_a_replica_reads(void **state)
{
	struct scene w = write_scene(), r = read_scene();

	(void)state;
	expect(&w, SERVER_OPEN, WHY_PROVEN, 0);
	expect(&r, SERVER_OPEN, WHY_ROLE_HELD, 0);
	w.listener.serve = ROLE_BIT(ROLE_REPLICA);
	expect(&w, SERVER_CLOSED, WHY_ROLE_LOST, CLOSE_DEMOTED);
	r.listener.serve = ROLE_BIT(ROLE_PRIMARY);
	expect(&r, SERVER_CLOSED, WHY_NOT_LEADER, CLOSE_DEMOTED);
	r.listener.serve = ROLE_BIT(ROLE_SYNC);
	expect(&r, SERVER_CLOSED, WHY_ROLE_LOST, CLOSE_DEMOTED);
	r.listener.serve = ROLE_BIT(ROLE_ANY);
	expect(&r, SERVER_OPEN, WHY_ROLE_HELD, 0);
}

static void test_a_lock_holder_that_takes_no_writes_keeps_what_it_has(void **state)
{
	struct scene s = write_scene();

	(void)state;
	s.member.proof.unwritable = WHY_PG_NOT_RUNNING;
	expect(&s, SERVER_KEPT, WHY_PG_NOT_RUNNING, 0);
	s.member.proof.unwritable = WHY_PROMOTING;
	expect(&s, SERVER_KEPT, WHY_PROMOTING, 0);
}

static void test_after_our_own_pause_the_primary_stands_still(void **state)
{
	struct scene s = write_scene();

	(void)state;
	s.member.proof.voided = true;
	expect(&s, SERVER_PAUSED, WHY_OWN_PAUSE, 0);
	s.member.proof.unwritable = WHY_PG_NOT_RUNNING;
	expect(&s, SERVER_PAUSED, WHY_OWN_PAUSE, 0);
}

static void test_the_reasons_of_a_former_primary_and_their_policies(void **state)
{
	static const struct {
		enum why lost;
		enum server_state close, keep_demoted, keep_unreachable;
		enum close_reason cut;
	} rows[] = {
		{WHY_NOT_LEADER, SERVER_CLOSED, SERVER_KEPT, SERVER_CLOSED, CLOSE_DEMOTED},
		{WHY_PORT_SILENT, SERVER_CLOSED, SERVER_CLOSED, SERVER_KEPT, CLOSE_UNREACHABLE},
		{WHY_PORT_REFUSED, SERVER_CLOSED, SERVER_CLOSED, SERVER_KEPT, CLOSE_UNREACHABLE},
		{WHY_LEASE_ENDED, SERVER_CLOSED, SERVER_CLOSED, SERVER_CLOSED, CLOSE_LEASE},
		{WHY_HIGHER_TIMELINE, SERVER_CLOSED, SERVER_CLOSED, SERVER_CLOSED, CLOSE_FENCED},
		{WHY_LOWER_TIMELINE, SERVER_CLOSED, SERVER_CLOSED, SERVER_CLOSED, CLOSE_FENCED},
		{WHY_REPLACED, SERVER_CLOSED, SERVER_CLOSED, SERVER_CLOSED, CLOSE_FENCED},
		{WHY_AMBIGUOUS, SERVER_CLOSED, SERVER_CLOSED, SERVER_CLOSED, CLOSE_FENCED},
	};

	(void)state;
	for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
		struct scene s = lost_scene(rows[i].lost, POLICY_CLOSE, POLICY_CLOSE);

		expect(&s, rows[i].close, rows[i].lost, rows[i].cut);
		s = lost_scene(rows[i].lost, POLICY_KEEP, POLICY_CLOSE);
		expect(&s, rows[i].keep_demoted, rows[i].lost, rows[i].cut);
		s = lost_scene(rows[i].lost, POLICY_CLOSE, POLICY_KEEP);
		expect(&s, rows[i].keep_unreachable, rows[i].lost, rows[i].cut);
		s = lost_scene(rows[i].lost, POLICY_KEEP, POLICY_KEEP);
		s.before = SERVER_CLOSED; /* there is nothing to keep */
		expect(&s, SERVER_CLOSED, rows[i].lost, rows[i].cut);
	}
}

static void test_sessions_of_a_silent_primary_stand_still_when_we_slept(void **state)
{
	struct scene s = lost_scene(WHY_PORT_SILENT, POLICY_CLOSE, POLICY_KEEP);

	(void)state;
	s.member.proof.voided = true;
	expect(&s, SERVER_PAUSED, WHY_PORT_SILENT, 0);
	s.before = SERVER_CLOSED;
	expect(&s, SERVER_CLOSED, WHY_PORT_SILENT, CLOSE_UNREACHABLE);
}

static void test_a_demoted_primary_that_then_falls_silent_is_unreachable(void **state)
{
	struct scene s = lost_scene(WHY_NOT_LEADER, POLICY_KEEP, POLICY_CLOSE);

	(void)state;
	s.member.health.gone = true;
	s.member.health.port = PORT_SILENT;
	s.before = SERVER_KEPT;
	expect(&s, SERVER_CLOSED, WHY_PORT_SILENT, CLOSE_UNREACHABLE);
	s.listener.on_unreachable = POLICY_KEEP;
	expect(&s, SERVER_KEPT, WHY_PORT_SILENT, 0);
}

static void test_a_replica_that_is_silent_is_kept_while_its_port_answers(void **state)
{
	struct scene s = read_scene();

	(void)state;
	s.member.health.up = false;
	s.member.health.rest_silent = true;
	s.member.why = WHY_REST_SILENT;
	expect(&s, SERVER_KEPT, WHY_REST_SILENT, 0);
	s.before = SERVER_CLOSED;
	expect(&s, SERVER_CLOSED, WHY_REST_SILENT, CLOSE_UNREACHABLE);
}

static void test_a_replica_that_is_gone_follows_on_unreachable(void **state)
{
	struct scene s = read_scene();

	(void)state;
	s.member.health.gone = true;
	s.member.health.port = PORT_REFUSED;
	expect(&s, SERVER_CLOSED, WHY_PORT_REFUSED, CLOSE_UNREACHABLE);
	s.member.roles = 0; /* to be asked again */
	expect(&s, SERVER_CLOSED, WHY_PORT_REFUSED, CLOSE_UNREACHABLE);
	s.listener.on_unreachable = POLICY_KEEP;
	expect(&s, SERVER_KEPT, WHY_PORT_REFUSED, 0);
	s.member.roles = ROLE_BIT(ROLE_REPLICA);
	s.member.health.port = PORT_SILENT;
	expect(&s, SERVER_KEPT, WHY_PORT_SILENT, 0);
	s.before = SERVER_CLOSED;
	expect(&s, SERVER_CLOSED, WHY_PORT_SILENT, CLOSE_UNREACHABLE);
}

static void test_a_replica_that_lost_its_role_follows_on_demotion(void **state)
{
	struct scene s = read_scene();

	(void)state;
	s.member.roles = ROLE_BIT(ROLE_ANY);
	expect(&s, SERVER_CLOSED, WHY_ROLE_LOST, CLOSE_DEMOTED);
	s.listener.on_demotion = POLICY_KEEP;
	expect(&s, SERVER_KEPT, WHY_ROLE_LOST, 0);
}

static void test_a_proof_that_crowns_nobody_is_called_ambiguous(void **state)
{
	struct scene s = write_scene();

	(void)state;
	s.cluster.leader.member = -1;
	s.before = SERVER_CLOSED;
	expect(&s, SERVER_CLOSED, WHY_AMBIGUOUS, CLOSE_DEMOTED);
}

static void test_operators_have_the_last_word(void **state)
{
	struct scene w = write_scene(), r = read_scene();

	(void)state;
	w.track.admin = r.track.admin = ADMIN_DRAIN;
	expect(&w, SERVER_KEPT, WHY_DRAIN, 0);
	expect(&r, SERVER_KEPT, WHY_DRAIN, 0);
	r.member.health.gone = true; /* draining saves nobody */
	r.member.health.port = PORT_SILENT;
	expect(&r, SERVER_CLOSED, WHY_PORT_SILENT, CLOSE_UNREACHABLE);
	w.member.proof.voided = true;
	expect(&w, SERVER_PAUSED, WHY_OWN_PAUSE, 0);
	w.track.admin = r.track.admin = ADMIN_MAINT;
	expect(&w, SERVER_CLOSED, WHY_MAINT, CLOSE_MAINT);
	expect(&r, SERVER_CLOSED, WHY_MAINT, CLOSE_MAINT);
}

static void test_a_refused_member_serves_nothing_by_any_policy(void **state)
{
	struct scene s = read_scene();

	(void)state;
	s.listener.on_demotion = s.listener.on_unreachable = POLICY_KEEP;
	s.member.refused = WHY_WRONG_SYSTEM;
	expect(&s, SERVER_CLOSED, WHY_WRONG_SYSTEM, CLOSE_WRONG_CLUSTER);
}

static void test_a_member_without_an_address_serves_nothing(void **state)
{
	struct scene s = read_scene();

	(void)state;
	s.member.address_known = false;
	s.member.why = WHY_NO_ADDRESS;
	expect(&s, SERVER_CLOSED, WHY_NO_ADDRESS, CLOSE_UNREACHABLE);
}

static void test_a_listener_for_both_takes_the_primary_by_its_proof(void **state)
{
	struct scene s = write_scene();

	(void)state;
	s.listener.serve |= ROLE_BIT(ROLE_REPLICA);
	expect(&s, SERVER_OPEN, WHY_PROVEN, 0);
	s.cluster.leader.member = -1;
	s.member.lost = WHY_LEASE_ENDED;
	expect(&s, SERVER_CLOSED, WHY_LEASE_ENDED, CLOSE_LEASE);
	s.member.roles = ROLE_BIT(ROLE_REPLICA);
	expect(&s, SERVER_OPEN, WHY_ROLE_HELD, 0);
}

/* ---- reads, cause by cause ---- */

enum { LIMIT = 1000 };

static void is_demoted(struct scene *s)
{
	s->member.roles = ROLE_BIT(ROLE_ANY);
}

static void is_promoted(struct scene *s)
{
	s->member.roles = ROLE_BIT(ROLE_ANY);
	s->member.proof.stands = s->member.proof.fresh = true;
	s->member.why = WHY_PROVEN;
	s->cluster.leader.member = 0;
}

static void is_gone(struct scene *s)
{
	s->member.health = (struct health){.gone = true, .port = PORT_SILENT};
}

static void is_silent(struct scene *s)
{
	s->member.health = (struct health){.rest_silent = true, .port = PORT_ALIVE};
	s->member.why = WHY_REST_SILENT;
}

static void is_tagged(struct scene *s)
{
	s->member.last.flags = TAG_NOLOADBALANCE;
}

static void lags(struct scene *s)
{
	s->track.lags = true;
}

static void has_unknown_lag(struct scene *s)
{
	s->member.lag.measured = false;
}

static void is_drained(struct scene *s)
{
	s->track.admin = ADMIN_DRAIN;
}

static void is_in_maintenance(struct scene *s)
{
	s->track.admin = ADMIN_MAINT;
}

static void is_of_another_cluster(struct scene *s)
{
	s->member.refused = WHY_WRONG_SCOPE;
}

enum { ON_DEMOTION = 1, ON_UNREACHABLE = 2, ON_LAG = 4, N_POLICIES = 8 };

static const struct cause {
	void (*happens)(struct scene *s);
	enum why why;
	enum close_reason cut;
	unsigned kept_by; /* policies; 0: none keeps */
	bool always_kept;
	bool any_goes_on; /* nothing to a listener of any role */
} causes[] = {
	{is_demoted, WHY_ROLE_LOST, CLOSE_DEMOTED, ON_DEMOTION, false, true},
	{is_promoted, WHY_ROLE_LOST, CLOSE_DEMOTED, ON_DEMOTION, false, true},
	{is_gone, WHY_PORT_SILENT, CLOSE_UNREACHABLE, ON_UNREACHABLE, false, false},
	{is_silent, WHY_REST_SILENT, 0, 0, true, false},
	{lags, WHY_LAGGING, CLOSE_LAGGING, ON_LAG, false, false},
	{has_unknown_lag, WHY_LAG_UNKNOWN, 0, 0, true, false},
	{is_tagged, WHY_NOLOADBALANCE, 0, 0, true, false},
	{is_drained, WHY_DRAIN, 0, 0, true, false},
	{is_in_maintenance, WHY_MAINT, CLOSE_MAINT, 0, false, false},
	{is_of_another_cluster, WHY_WRONG_SCOPE, CLOSE_WRONG_CLUSTER, 0, false, false},
};

static struct scene reads(enum role role, unsigned kept)
{
	struct scene s = read_scene();

	s.member.roles |= ROLE_BIT(role);
	s.member.last.claim = CLAIM_REPLICA;
	s.member.lag.measured = true;
	s.listener.serve = ROLE_BIT(role);
	s.listener.has_max_lag = true;
	s.listener.max_lag_bytes = LIMIT;
	s.listener.on_demotion = kept & ON_DEMOTION ? POLICY_KEEP : POLICY_CLOSE;
	s.listener.on_unreachable = kept & ON_UNREACHABLE ? POLICY_KEEP : POLICY_CLOSE;
	s.listener.on_lag = kept & ON_LAG ? POLICY_KEEP : POLICY_CLOSE;
	return s;
}

static void expect_cause(const struct cause *c, enum role role, unsigned kept)
{
	struct scene s = reads(role, kept);

	expect(&s, SERVER_OPEN, WHY_ROLE_HELD, 0);
	c->happens(&s);
	if (c->any_goes_on && role == ROLE_ANY)
		expect(&s, SERVER_OPEN, WHY_ROLE_HELD, 0);
	else if (c->always_kept || (c->kept_by & kept))
		expect(&s, SERVER_KEPT, c->why, 0);
	else
		expect(&s, SERVER_CLOSED, c->why, c->cut);
}

/* Each cause asks its own policy and no other, whatever role is served. */
static void test_every_cause_in_every_role_does_what_its_policy_says(void **state)
{
	static const enum role roles[] = {ROLE_REPLICA, ROLE_SYNC,           ROLE_ASYNC,
					  ROLE_QUORUM,  ROLE_STANDBY_LEADER, ROLE_ANY};

	(void)state;
	for (size_t c = 0; c < sizeof(causes) / sizeof(causes[0]); c++)
		for (size_t r = 0; r < sizeof(roles) / sizeof(roles[0]); r++)
			for (unsigned kept = 0; kept < N_POLICIES; kept++)
				expect_cause(&causes[c], roles[r], kept);
}

static void test_what_serves_nobody_has_nothing_to_keep(void **state)
{
	(void)state;
	for (size_t c = 0; c < sizeof(causes) / sizeof(causes[0]); c++) {
		struct scene s = reads(ROLE_REPLICA, N_POLICIES - 1);

		if (causes[c].happens == is_drained)
			continue; /* it could serve, and says so at once when it is ready again */
		s.before = SERVER_CLOSED;
		causes[c].happens(&s);
		assert_int_equal(
			eligible_judge(&s.cluster, &s.member, &s.listener, &s.track, s.before)
				.state,
			SERVER_CLOSED);
	}
}

static void test_without_max_lag_no_distance_matters(void **state)
{
	struct scene s = reads(ROLE_REPLICA, 0);

	(void)state;
	s.listener.has_max_lag = false;
	s.member.lag = (struct lag){0};
	expect(&s, SERVER_OPEN, WHY_ROLE_HELD, 0);
	s.member.lag = (struct lag){.measured = true, .bytes = UINT64_MAX};
	assert_false(eligible_lags(&s.member, &s.listener, true));
}

static void test_over_the_limit_is_judged_by_what_was_measured_last(void **state)
{
	struct scene s = reads(ROLE_REPLICA, 0);

	(void)state;
	s.member.lag.bytes = LIMIT;
	assert_false(eligible_lags(&s.member, &s.listener, false));
	s.member.lag.bytes = LIMIT + 1;
	assert_true(eligible_lags(&s.member, &s.listener, false));
	s.member.lag.bytes = LIMIT / 2 + 1;
	assert_true(eligible_lags(&s.member, &s.listener, true));
	s.member.lag.bytes = LIMIT / 2;
	assert_false(eligible_lags(&s.member, &s.listener, true));
	s.member.lag.measured = false;
	assert_true(eligible_lags(&s.member, &s.listener, true));
	assert_false(eligible_lags(&s.member, &s.listener, false));
}

/* ---- the last resort ---- */

static struct scene resort_scene(void)
{
	struct scene s = write_scene();

	s.listener.serve = ROLE_BIT(ROLE_REPLICA);
	s.listener.fallback = FALLBACK_PRIMARY;
	return s;
}

static struct standing resort(const struct scene *s, bool others_open)
{
	struct standing st =
		eligible_judge(&s->cluster, &s->member, &s->listener, &s->track, s->before);

	return eligible_last_resort(st, &s->listener, &s->track, s->before, others_open);
}

static void test_the_last_resort_is_open_only_while_nobody_else_is(void **state)
{
	struct scene s = resort_scene();
	struct standing st;

	(void)state;
	st = resort(&s, false);
	assert_int_equal(st.state, SERVER_OPEN);
	assert_int_equal(st.why, WHY_LAST_RESORT);
	s.track.last_resort = true;
	st = resort(&s, true);
	assert_int_equal(st.state, SERVER_KEPT);
	assert_int_equal(st.why, WHY_LAST_RESORT);
	assert_true(st.drain_back);
	s.before = SERVER_CLOSED;
	st = resort(&s, true);
	assert_int_equal(st.state, SERVER_CLOSED);
	assert_int_equal(st.why, WHY_LAST_RESORT);
	assert_false(st.drain_back);
}

static void test_the_last_resort_keeps_the_primarys_own_rules(void **state)
{
	static const enum why fenced[] = {WHY_HIGHER_TIMELINE, WHY_LOWER_TIMELINE, WHY_REPLACED,
					  WHY_AMBIGUOUS};
	struct scene s = resort_scene();

	(void)state;
	s.track.last_resort = true;
	s.member.proof.voided = true;
	assert_int_equal(resort(&s, true).state, SERVER_PAUSED);
	s.member.proof.voided = false;
	s.member.proof.unwritable = WHY_PG_NOT_RUNNING;
	expect(&s, SERVER_KEPT, WHY_PG_NOT_RUNNING, 0);
	s.cluster.leader.member = -1;
	s.member.lost = WHY_LEASE_ENDED;
	expect(&s, SERVER_CLOSED, WHY_LEASE_ENDED, CLOSE_LEASE);
	for (size_t i = 0; i < sizeof(fenced) / sizeof(fenced[0]); i++) {
		s.member.lost = fenced[i];
		expect(&s, SERVER_CLOSED, fenced[i], CLOSE_FENCED);
	}
	s.member.lost = WHY_NOT_LEADER; /* and no replica either */
	expect(&s, SERVER_CLOSED, WHY_ROLE_LOST, CLOSE_DEMOTED);
	s.member.roles = ROLE_BIT(ROLE_REPLICA);
	expect(&s, SERVER_OPEN, WHY_ROLE_HELD, 0);
}

static void test_without_fallback_a_reader_never_gets_the_primary(void **state)
{
	struct scene s = resort_scene();

	(void)state;
	s.listener.fallback = FALLBACK_NONE;
	s.before = SERVER_CLOSED;
	assert_int_equal(resort(&s, false).state, SERVER_CLOSED);
}

static void test_who_may_turn_out_to_serve_in_a_moment(void **state)
{
	struct scene s = read_scene();

	(void)state;
	s.member.last.claim = CLAIM_REPLICA;
	s.member.last.state = PG_RUNNING;
	assert_true(eligible_soon(&s.member)); /* not heard of */
	s.member.outcome = OUTCOME_ANSWERED;
	assert_false(eligible_soon(&s.member));
	s.member.roles_due = true;
	assert_true(eligible_soon(&s.member));
	s.member.last.state = PG_STARTING;
	assert_false(eligible_soon(&s.member));
	s.member.health = (struct health){.answers = 1};
	assert_true(eligible_soon(&s.member));
	s.member.health.rest_silent = true;
	assert_false(eligible_soon(&s.member));
	s.member.health.rest_silent = false;
	s.member.refused = WHY_WRONG_NAME;
	assert_false(eligible_soon(&s.member));
	s.member.refused = WHY_NONE;
	s.member.address_known = false;
	assert_false(eligible_soon(&s.member));
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_the_primary_serves_writes_and_a_replica_reads),
		cmocka_unit_test(test_a_lock_holder_that_takes_no_writes_keeps_what_it_has),
		cmocka_unit_test(test_after_our_own_pause_the_primary_stands_still),
		cmocka_unit_test(test_the_reasons_of_a_former_primary_and_their_policies),
		cmocka_unit_test(test_sessions_of_a_silent_primary_stand_still_when_we_slept),
		cmocka_unit_test(test_a_demoted_primary_that_then_falls_silent_is_unreachable),
		cmocka_unit_test(test_a_replica_that_is_silent_is_kept_while_its_port_answers),
		cmocka_unit_test(test_a_replica_that_is_gone_follows_on_unreachable),
		cmocka_unit_test(test_a_replica_that_lost_its_role_follows_on_demotion),
		cmocka_unit_test(test_a_proof_that_crowns_nobody_is_called_ambiguous),
		cmocka_unit_test(test_operators_have_the_last_word),
		cmocka_unit_test(test_a_refused_member_serves_nothing_by_any_policy),
		cmocka_unit_test(test_a_member_without_an_address_serves_nothing),
		cmocka_unit_test(test_a_listener_for_both_takes_the_primary_by_its_proof),
		cmocka_unit_test(test_every_cause_in_every_role_does_what_its_policy_says),
		cmocka_unit_test(test_what_serves_nobody_has_nothing_to_keep),
		cmocka_unit_test(test_without_max_lag_no_distance_matters),
		cmocka_unit_test(test_over_the_limit_is_judged_by_what_was_measured_last),
		cmocka_unit_test(test_the_last_resort_is_open_only_while_nobody_else_is),
		cmocka_unit_test(test_the_last_resort_keeps_the_primarys_own_rules),
		cmocka_unit_test(test_without_fallback_a_reader_never_gets_the_primary),
		cmocka_unit_test(test_who_may_turn_out_to_serve_in_a_moment),
	};

	return cmocka_run_group_tests_name("eligible", tests, NULL, NULL);
}
