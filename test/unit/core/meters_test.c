/* What control measures: which question belongs where, which failovers count as what. */
#include "base/mem.h"
#include "core/meters.h"
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>

#include <cmocka.h>

static struct config *two_members(void)
{
	struct config *c = config_new();

	c->n_clusters = 1;
	c->clusters = xcalloc(1, sizeof(*c->clusters));
	c->clusters[0].name = xstrdup("main");
	c->n_members = 2;
	c->members = xcalloc(2, sizeof(*c->members));
	config_finish(c);
	return c;
}

static int setup(void **state)
{
	struct config *c = two_members();

	*state = meters_new(c);
	config_unref(c);
	return 0;
}

static int teardown(void **state)
{
	meters_free(*state);
	return 0;
}

static void answer(struct meters *m, unsigned member, enum question q, enum outcome outcome,
		   int64_t took_ms)
{
	meters_asked(m, member, q);
	meters_answered(m, &(struct observation){.member = member,
						 .question = q,
						 .outcome = outcome,
						 .asked_ms = 1000,
						 .answered_ms = 1000 + took_ms});
}

static void questions_to_the_port_are_counted_apart(void **state)
{
	struct meters *m = *state;

	answer(m, 1, ASK_PRIMARY, OUTCOME_ANSWERED, 7);
	answer(m, 1, ASK_CONFIG, OUTCOME_ANSWERED, 8);
	answer(m, 1, ASK_PORT, OUTCOME_ANSWERED, 1);
	assert_int_equal(m->members[1].via[VIA_REST].asked, 2);
	assert_int_equal(m->members[1].via[VIA_REST].outcomes[OUTCOME_ANSWERED], 2);
	assert_int_equal(m->members[1].via[VIA_REST].answer_ms.sum, 15);
	assert_int_equal(m->members[1].via[VIA_PORT].asked, 1);
	assert_int_equal(m->members[0].via[VIA_REST].asked, 0);
}

static void only_answers_have_a_latency(void **state)
{
	struct meters *m = *state;

	answer(m, 0, ASK_PRIMARY, OUTCOME_TIMEOUT, 3000);
	answer(m, 0, ASK_PRIMARY, OUTCOME_REFUSED, 0);
	answer(m, 0, ASK_PRIMARY, OUTCOME_ANSWERED, 4);
	assert_int_equal(m->members[0].via[VIA_REST].answer_ms.n, 1);
	assert_int_equal(m->members[0].via[VIA_REST].outcomes[OUTCOME_TIMEOUT], 1);
	assert_int_equal(m->members[0].via[VIA_REST].outcomes[OUTCOME_REFUSED], 1);
}

static void a_start_is_no_failover_and_a_return_is_another_thing(void **state)
{
	struct meters *m = *state;

	meters_failover(m, &(struct failover){.from = -1, .to = 0});
	meters_failover(m, &(struct failover){.from = 0, .to = 1});
	meters_failover(m, &(struct failover){.from = 1, .to = 1});
	meters_failover(m, &(struct failover){.from = 1, .to = 1, .interruption = true});
	assert_int_equal(m->clusters[0].failovers, 1);
	assert_int_equal(m->clusters[0].returns, 1);
	assert_int_equal(m->clusters[0].interruptions, 1);
}

static void a_timer_is_never_early(void **state)
{
	struct meters *m = *state;

	meters_late(m, -300);
	meters_late(m, 4000000);
	assert_int_equal(m->late_us.counts[0], 1);
	assert_int_equal(m->late_us.counts[m->late_us.n_bounds], 1);
	assert_int_equal(m->late_us.sum, 4000000);
}

static void a_page_says_its_size_and_cost(void **state)
{
	struct meters *m = *state;

	meters_page(m, 700, 90000);
	meters_page(m, 900, 91000);
	assert_int_equal(m->page_us.n, 2);
	assert_int_equal(m->page_us.sum, 1600);
	assert_int_equal(m->page_bytes, 91000);
}

#define TEST(name) cmocka_unit_test_setup_teardown(name, setup, teardown)

int main(void)
{
	const struct CMUnitTest tests[] = {
		TEST(questions_to_the_port_are_counted_apart),
		TEST(only_answers_have_a_latency),
		TEST(a_start_is_no_failover_and_a_return_is_another_thing),
		TEST(a_timer_is_never_early),
		TEST(a_page_says_its_size_and_cost),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
