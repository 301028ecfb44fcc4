/* Who is primary among those who prove it. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "core/arbiter.h"

enum { NOBODY = -1 };

static struct claimant proves(unsigned member, uint64_t timeline)
{
	return (struct claimant){
		.member = member, .stands = true, .fresh = true, .timeline = timeline};
}

static struct claimant stale(unsigned member, uint64_t timeline)
{
	struct claimant c = proves(member, timeline);

	c.fresh = false;
	return c;
}

static struct claimant silent(unsigned member, uint64_t timeline)
{
	struct claimant c = stale(member, timeline);

	c.stands = false;
	return c;
}

static void expect_primary(struct ruling r, int member)
{
	assert_int_equal(r.member, member);
	assert_int_equal(r.why, member < 0 ? WHY_NO_PROOF : WHY_PROVEN);
	assert_false(r.ambiguous);
}

static void test_nobody_proves_nobody_is(void **state)
{
	struct claimant c[] = {silent(4, 9), silent(5, 9)};

	(void)state;
	expect_primary(arbiter_rule(c, 2, NOBODY), NOBODY);
	expect_primary(arbiter_rule(c, 2, 4), NOBODY);
	expect_primary(arbiter_rule(NULL, 0, NOBODY), NOBODY);
}

static void test_the_only_proof_wins(void **state)
{
	struct claimant c[] = {silent(4, 9), proves(5, 3)};

	(void)state;
	expect_primary(arbiter_rule(c, 2, NOBODY), 5);
	expect_primary(arbiter_rule(c, 2, 4), 5);
	c[1].timeline = 0; /* an old Patroni that does not say */
	expect_primary(arbiter_rule(c, 2, NOBODY), 5);
}

static void test_a_proof_that_is_not_fresh_keeps_an_incumbent_and_elects_nobody(void **state)
{
	struct claimant c[] = {stale(4, 9), silent(5, 9)};

	(void)state;
	expect_primary(arbiter_rule(c, 2, 4), 4);
	expect_primary(arbiter_rule(c, 2, 5), NOBODY);
	expect_primary(arbiter_rule(c, 2, NOBODY), NOBODY);
}

static void test_the_higher_timeline_wins_over_any_incumbent(void **state)
{
	struct claimant c[] = {proves(4, 9), proves(5, 10), proves(6, 8)};

	(void)state;
	expect_primary(arbiter_rule(c, 3, 4), 5);
	expect_primary(arbiter_rule(c, 3, NOBODY), 5);
	c[0].timeline = 11;
	expect_primary(arbiter_rule(c, 3, 5), 4);
}

static void test_a_tie_keeps_the_incumbent_that_still_proves_it(void **state)
{
	struct claimant c[] = {proves(4, 9), proves(5, 9)};
	struct ruling r = arbiter_rule(c, 2, 5);

	(void)state;
	assert_int_equal(r.member, 5);
	assert_int_equal(r.why, WHY_PROVEN);
	assert_true(r.ambiguous);
	assert_int_equal(r.first, 4);
	assert_int_equal(r.other, 5);
}

static void expect_nobody(struct ruling r, int first, int other)
{
	assert_int_equal(r.member, NOBODY);
	assert_int_equal(r.why, WHY_AMBIGUOUS);
	assert_true(r.ambiguous);
	assert_int_equal(r.first, first);
	assert_int_equal(r.other, other);
}

static void test_a_tie_without_such_an_incumbent_makes_nobody(void **state)
{
	struct claimant c[] = {proves(4, 9), proves(5, 9), proves(6, 9)};

	(void)state;
	expect_nobody(arbiter_rule(c, 3, NOBODY), 4, 5);
	expect_nobody(arbiter_rule(c, 3, 7), 4, 5);
	c[1].fresh = false;
	expect_nobody(arbiter_rule(c, 3, 5), 4, 5);
	c[1].timeline = 8; /* the incumbent is below the tie */
	c[1].fresh = true;
	expect_nobody(arbiter_rule(c, 3, 5), 4, 6);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_nobody_proves_nobody_is),
		cmocka_unit_test(test_the_only_proof_wins),
		cmocka_unit_test(
			test_a_proof_that_is_not_fresh_keeps_an_incumbent_and_elects_nobody),
		cmocka_unit_test(test_the_higher_timeline_wins_over_any_incumbent),
		cmocka_unit_test(test_a_tie_keeps_the_incumbent_that_still_proves_it),
		cmocka_unit_test(test_a_tie_without_such_an_incumbent_makes_nobody),
	};

	return cmocka_run_group_tests_name("arbiter", tests, NULL, NULL);
}
