/* Every enum value has its word, and words find their way back. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "core/names.h"
#include "core/observation.h"
#include <ctype.h>
#include <string.h>

static void test_words_are_those_of_the_product(void **state)
{
	(void)state;
	assert_string_equal(role_name(ROLE_PRIMARY), "primary");
	assert_string_equal(role_name(ROLE_STANDBY_LEADER), "standby_leader");
	assert_string_equal(claim_name(CLAIM_PRIMARY), "primary");
	assert_string_equal(pg_state_name(PG_RUNNING), "running");
	assert_string_equal(outcome_name(OUTCOME_REFUSED), "connection refused");
	assert_string_equal(why_text(WHY_NONE), "");
	assert_string_equal(why_text(WHY_REST_SILENT), "does not answer on its Patroni port");
	assert_string_equal(close_reason_name(CLOSE_FENCED), "server fenced");
	assert_string_equal(server_state_name(SERVER_CLOSED), "closed");
	assert_string_equal(admin_state_name(ADMIN_MAINT), "maint");
	assert_string_equal(question_path(ASK_PRIMARY), "/primary");
	assert_string_equal(question_path(ASK_STANDBY_LEADER), "/standby-leader");
	assert_string_equal(question_path(ASK_CONFIG), "/config");
}

static void test_admin_states_parse_back(void **state)
{
	(void)state;
	for (int a = 0; a < N_ADMIN_STATES; a++)
		assert_int_equal(admin_state_parse(admin_state_name((enum admin_state)a)), a);
	assert_int_equal(admin_state_parse("READY"), -1);
	assert_int_equal(admin_state_parse("read"), -1);
}

static void test_close_keys_are_the_names_without_blanks(void **state)
{
	(void)state;
	for (int r = 0; r < N_CLOSE_REASONS; r++) {
		const char *name = close_reason_name((enum close_reason)r);
		const char *key = close_reason_key((enum close_reason)r);

		assert_int_equal(strlen(key), strlen(name));
		for (size_t i = 0; name[i]; i++)
			assert_int_equal(key[i], name[i] == ' ' ? '_' : tolower(name[i]));
	}
}

static void test_close_names_are_distinct(void **state)
{
	(void)state;
	for (int a = 0; a < N_CLOSE_REASONS; a++)
		for (int b = a + 1; b < N_CLOSE_REASONS; b++)
			assert_string_not_equal(close_reason_name((enum close_reason)a),
						close_reason_name((enum close_reason)b));
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_words_are_those_of_the_product),
		cmocka_unit_test(test_admin_states_parse_back),
		cmocka_unit_test(test_close_keys_are_the_names_without_blanks),
		cmocka_unit_test(test_close_names_are_distinct),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
