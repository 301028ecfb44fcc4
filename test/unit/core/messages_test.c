/* Messages and reports: what they carry goes with them (the sanitizers count). */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "base/mem.h"
#include "core/messages.h"
#include "core/report.h"
#include <stdlib.h>

static void test_message_is_born_empty_and_unlinked(void **state)
{
	struct message *m = message_new(MSG_SIGN);

	(void)state;
	assert_int_equal(m->type, MSG_SIGN);
	assert_true(list_empty(&m->node));
	assert_int_equal(m->worker, 0);
	assert_int_equal(m->u.sign.member, 0);
	message_free(m);
	message_free(NULL);
}

static void test_message_frees_the_list_that_it_carries(void **state)
{
	struct message *m = message_new(MSG_SESSIONS);

	(void)state;
	m->u.sessions.n = 3;
	m->u.sessions.list = xcalloc(3, sizeof(struct session_info));
	m->u.sessions.list[2].id = 9;
	assert_int_equal(m->u.sessions.list[2].id, 9);
	message_free(m);
}

static void test_message_whose_list_was_taken_frees_only_itself(void **state)
{
	struct message *m = message_new(MSG_SESSIONS);
	struct session_info *list = xcalloc(1, sizeof(*list));

	(void)state;
	m->u.sessions.list = list;
	m->u.sessions.list = NULL; /* the receiver keeps it */
	message_free(m);
	list->id = 1;
	assert_int_equal(list->id, 1);
	free(list);
}

static void test_report_is_empty_after_fini(void **state)
{
	struct report r = {.n_clusters = 1, .n_members = 2, .n_servers = 4};

	(void)state;
	r.clusters = xcalloc(1, sizeof(*r.clusters));
	r.members = xcalloc(2, sizeof(*r.members));
	r.servers = xcalloc(4, sizeof(*r.servers));
	report_fini(&r);
	assert_null(r.clusters);
	assert_null(r.members);
	assert_null(r.servers);
	assert_int_equal(r.n_servers, 0);
	report_fini(&r); /* twice is harmless */
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_message_is_born_empty_and_unlinked),
		cmocka_unit_test(test_message_frees_the_list_that_it_carries),
		cmocka_unit_test(test_message_whose_list_was_taken_frees_only_itself),
		cmocka_unit_test(test_report_is_empty_after_fini),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
