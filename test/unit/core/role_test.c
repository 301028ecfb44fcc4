/* What an answer says about the role that was asked for. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "core/role.h"

static void test_each_role_question_asks_for_its_role(void **state)
{
	(void)state;
	assert_int_equal(role_asked(ASK_REPLICA), ROLE_REPLICA);
	assert_int_equal(role_asked(ASK_SYNC), ROLE_SYNC);
	assert_int_equal(role_asked(ASK_ASYNC), ROLE_ASYNC);
	assert_int_equal(role_asked(ASK_QUORUM), ROLE_QUORUM);
	assert_int_equal(role_asked(ASK_STANDBY_LEADER), ROLE_STANDBY_LEADER);
}

static void test_the_status_says_it_and_the_tag_alone_takes_nothing_away(void **state)
{
	static const unsigned tag = TAG_NOLOADBALANCE;
	static const struct {
		enum question question;
		int status;
		enum claim claim;
		enum pg_state state;
		unsigned flags;
		bool held;
	} rows[] = {
		{ASK_REPLICA, 200, CLAIM_REPLICA, PG_RUNNING, 0, true},
		{ASK_REPLICA, 200, CLAIM_REPLICA, PG_UNKNOWN, 0, true},
		{ASK_REPLICA, 200, CLAIM_REPLICA, PG_STARTING, 0, false},
		{ASK_REPLICA, 503, CLAIM_REPLICA, PG_RUNNING, 0, false},
		{ASK_REPLICA, 503, CLAIM_REPLICA, PG_RUNNING, tag, true},
		{ASK_REPLICA, 503, CLAIM_REPLICA, PG_STOPPED, tag, false},
		{ASK_REPLICA, 503, CLAIM_REPLICA, PG_UNKNOWN, tag, false},
		{ASK_REPLICA, 503, CLAIM_PRIMARY, PG_RUNNING, tag, false},
		{ASK_SYNC, 503, CLAIM_REPLICA, PG_RUNNING, tag | FLAG_SYNC, true},
		{ASK_SYNC, 503, CLAIM_REPLICA, PG_RUNNING, tag, false},
		{ASK_QUORUM, 503, CLAIM_REPLICA, PG_RUNNING, tag | FLAG_QUORUM, true},
		{ASK_QUORUM, 503, CLAIM_REPLICA, PG_RUNNING, tag | FLAG_SYNC, false},
		{ASK_ASYNC, 503, CLAIM_REPLICA, PG_RUNNING, tag, true},
		{ASK_ASYNC, 503, CLAIM_REPLICA, PG_RUNNING, tag | FLAG_SYNC, false},
		{ASK_ASYNC, 503, CLAIM_REPLICA, PG_RUNNING, tag | FLAG_QUORUM, false},
		{ASK_STANDBY_LEADER, 503, CLAIM_REPLICA, PG_RUNNING, tag, false},
		{ASK_STANDBY_LEADER, 200, CLAIM_STANDBY_LEADER, PG_RUNNING, tag, true},
	};

	(void)state;
	for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
		struct observation o = {.question = rows[i].question,
					.outcome = OUTCOME_ANSWERED,
					.http_status = rows[i].status,
					.claim = rows[i].claim,
					.state = rows[i].state,
					.flags = rows[i].flags};

		if (role_held(&o) != rows[i].held)
			fail_msg("row %zu", i);
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_each_role_question_asks_for_its_role),
		cmocka_unit_test(test_the_status_says_it_and_the_tag_alone_takes_nothing_away),
	};

	return cmocka_run_group_tests_name("role", tests, NULL, NULL);
}
