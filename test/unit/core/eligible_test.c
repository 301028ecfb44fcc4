/* Which member serves a listener, and what becomes of the sessions of one that may not. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "core/monitor_state.h"

static const struct cluster_config cluster_config = {.name = "main", .n_members = 1};
static const struct member_config member_config = {.name = "n1", .port = 5432};

/* A member that is up, and the cluster it is the only member of. */
struct scene {
	struct cluster_state cluster;
	struct member_state member;
	struct listener_config listener;
	enum admin_state admin;
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
		eligible_judge(&s->cluster, &s->member, &s->listener, s->admin, s->before);

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
	w.admin = r.admin = ADMIN_DRAIN;
	expect(&w, SERVER_KEPT, WHY_DRAIN, 0);
	expect(&r, SERVER_KEPT, WHY_DRAIN, 0);
	r.member.health.gone = true; /* draining saves nobody */
	r.member.health.port = PORT_SILENT;
	expect(&r, SERVER_CLOSED, WHY_PORT_SILENT, CLOSE_UNREACHABLE);
	w.member.proof.voided = true;
	expect(&w, SERVER_PAUSED, WHY_OWN_PAUSE, 0);
	w.admin = r.admin = ADMIN_MAINT;
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
	};

	return cmocka_run_group_tests_name("eligible", tests, NULL, NULL);
}
