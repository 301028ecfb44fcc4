/* Stories of those who were let go from the hold: who takes a place on the way, who comes back, and
 * what makes a server one to be approached with care. */
#include "unit/proxy/holding.h"
#include <sys/resource.h>

enum { WINDOW = 32, HOLD_MS = 1500, LONG_HOLD_MS = 3000 };

static int setup(void **state)
{
	*state = world_holding(LONG_MS, 0);
	return 0;
}

static int teardown(void **state)
{
	world_free(*state);
	return 0;
}

static int call_of(const struct world *w, unsigned server)
{
	int called = tcp_accept(w->server[server]);

	expect(called, startup_packet, STARTUP_BYTES);
	return called;
}

static void say_starting_up(int called)
{
	write_all(called, starting_up, STARTING_UP_BYTES);
	close(called);
}

/* ---- on the way ---- */

static void test_clients_that_say_no_more_keep_nobody_waiting(void **state)
{
	struct world *w = *state;
	int silent[WINDOW], declined[WINDOW];
	struct wire s;

	for (unsigned i = 0; i < WINDOW; i++) {
		silent[i] = client_of(w, WRITE);
		write_all(silent[i], ssl_request, 8);
		AWAIT(w, waiting(w, WRITE) == i + 1);
	}
	s.client = wait_for_server(w, WRITE);
	set_state(w, WRITE, 0, SERVER_OPEN);
	for (unsigned i = 0; i < WINDOW; i++) {
		declined[i] = tcp_accept(w->server[0]);
		expect(declined[i], ssl_request, 8);
		write_all(declined[i], "N", 1);
		expect(silent[i], "N", 1);
	}
	be_let_go(w, &s, 0);
	assert_carries(&s);
	assert_int_equal(listener_sum(w, WRITE).released, 1); /* the others have no server yet */
	say_startup(silent[0]);
	expect(declined[0], startup_packet, STARTUP_BYTES);
	write_all(declined[0], auth_ok, AUTH_OK_BYTES);
	expect(silent[0], auth_ok, AUTH_OK_BYTES);
	assert_int_equal(listener_sum(w, WRITE).released, 2);
	for (unsigned i = 0; i < WINDOW; i++) {
		close(silent[i]);
		close(declined[i]);
	}
	hang_up(&s);
}

/* ---- back again ---- */

static void test_who_was_let_go_and_comes_back_is_not_crowded_out(void **state)
{
	struct world *w = world_holding(LONG_MS, 1);
	struct wire first = {wait_for_server(w, WRITE), -1}, second = {-1, -1};
	int called;

	(void)state;
	set_state(w, WRITE, 0, SERVER_OPEN);
	called = call_of(w, 0);
	second.client = client_of(w, WRITE);
	say_startup(second.client);
	say_starting_up(call_of(w, 0)); /* so the second waits, and the first is taken back */
	assert_int_equal(read_once(called), 0);
	close(called);
	be_let_go(w, &second, 0);
	be_let_go(w, &first, 0);
	assert_int_equal(listener_sum(w, WRITE).denied, 0);
	hang_up(&first);
	hang_up(&second);
	world_free(w);
}

static void test_the_hold_is_empty_when_the_last_one_is_served(void **state)
{
	struct world *w = *state;
	struct wire first = {wait_for_server(w, WRITE), -1};
	struct wire second = {wait_for_server(w, WRITE), -1};
	int called;

	set_state(w, WRITE, 0, SERVER_OPEN);
	first.server = call_of(w, 0);
	called = call_of(w, 0);
	take_on(&first);
	say_starting_up(called);
	second.server = call_of(w, 0); /* it was in the hold meanwhile */
	AWAIT(w, w->heard[MSG_SIGN] == 1);
	assert_int_equal(w->heard[MSG_HOLD_EMPTIED], 0);
	take_on(&second);
	AWAIT(w, w->heard[MSG_HOLD_EMPTIED] == 1);
	hang_up(&first);
	hang_up(&second);
}

static void test_hang_ups_count_in_a_row_only(void **state)
{
	struct world *w = *state;
	struct wire s;

	set_state(w, WRITE, 0, SERVER_OPEN);
	s.client = client_of(w, WRITE);
	say_startup(s.client);
	for (int i = 0; i < 2; i++) {
		close(call_of(w, 0));
		close(call_of(w, 0));
		say_starting_up(call_of(w, 0));
	}
	be_let_go(w, &s, 0);
	assert_carries(&s);
	hang_up(&s);
}

/* No descriptor for the servers: those who wait are not refused in crowds, nor is a server blamed.
 */
static void test_a_fault_of_our_own_ends_no_waiting(void **state)
{
	struct world *w = *state;
	struct wire s[3];
	struct rlimit before, none;

	for (int i = 0; i < 3; i++)
		s[i].client = wait_for_server(w, WRITE);
	assert_int_equal(getrlimit(RLIMIT_NOFILE, &before), 0);
	none = (struct rlimit){.rlim_cur = 3, .rlim_max = before.rlim_max};
	assert_int_equal(setrlimit(RLIMIT_NOFILE, &none), 0);
	set_state(w, WRITE, 0, SERVER_OPEN);
	AWAIT(w, server_sum(w, WRITE, 0).selected >= 4); /* each has tried, one after the other */
	assert_int_equal(setrlimit(RLIMIT_NOFILE, &before), 0);
	assert_int_equal(server_sum(w, WRITE, 0).connect_errors, 0);
	assert_int_equal(listener_sum(w, WRITE).internal_errors, 0);
	for (int i = 0; i < 3; i++) {
		s[i].server = call_of(w, 0);
		write_all(s[i].server, auth_ok, AUTH_OK_BYTES);
	}
	for (int i = 0; i < 3; i++)
		expect(s[i].client, auth_ok, AUTH_OK_BYTES);
	for (int i = 0; i < 3; i++)
		hang_up(&s[i]);
}

/* ---- with care ---- */

static void test_news_of_other_servers_do_not_hurry_one_that_has_failed(void **state)
{
	struct world *w = *state;
	struct wire s[3];

	for (int i = 0; i < 3; i++)
		s[i].client = wait_for_server(w, WRITE);
	set_state(w, WRITE, 0, SERVER_OPEN);
	for (int i = 0; i < 3; i++)
		say_starting_up(call_of(w, 0));
	s[0].server = call_of(w, 0); /* one, to see whether it is ready now */
	set_state(w, READ, 1, SERVER_OPEN);
	set_state(w, READ, 0, SERVER_OPEN);
	assert_int_equal(waiting(w, WRITE), 2);
	for (int i = 0; i < 3; i++) {
		if (i > 0)
			s[i].server = call_of(w, 0);
		write_all(s[i].server, auth_ok, AUTH_OK_BYTES);
	}
	for (int i = 0; i < 3; i++)
		expect(s[i].client, auth_ok, AUTH_OK_BYTES);
	for (int i = 0; i < 3; i++)
		hang_up(&s[i]);
}

static void expect_full(const struct world *w)
{
	int client = client_of(w, WRITE);

	say_startup(client);
	expect_error(client, "53300", "server_maxconn");
	close(client);
}

static void test_a_suspicion_that_is_over_is_not_revived_by_full_servers(void **state)
{
	struct world *w = world_new(&(struct options){.hold_ms = LONG_MS, .server_maxconn = 1});
	struct wire old, s;
	uint64_t held;

	(void)state;
	set_state(w, WRITE, 0, SERVER_OPEN);
	old = carry(w, WRITE, 0);
	grow_up(w);
	close(old.server);
	AWAIT(w, w->heard[MSG_SIGN] == 1);
	close(old.client);
	AWAIT(w, all_sessions(w) == 0);
	s.client = client_of(w, WRITE); /* waits a moment, unless that has passed already */
	say_startup(s.client);
	be_let_go(w, &s, 0);
	held = listener_sum(w, WRITE).held;
	expect_full(w);
	expect_full(w);
	assert_int_equal(listener_sum(w, WRITE).held, held);
	assert_carries(&s);
	hang_up(&s);
	world_free(w);
}

/* One login may take long for its own sake: its database is being created or dropped. */
static void test_one_that_takes_long_keeps_nobody_waiting(void **state)
{
	struct world *w = *state;
	int client[2], called[2];

	for (int i = 0; i < 2; i++)
		client[i] = wait_for_server(w, WRITE);
	set_state(w, WRITE, 0, SERVER_OPEN);
	for (int i = 0; i < 2; i++)
		say_starting_up(call_of(w, 0));
	for (int i = 0; i < 2; i++)
		called[i] = call_of(w, 0);
	for (int i = 0; i < 2; i++)
		write_all(called[i], auth_ok, AUTH_OK_BYTES);
	for (int i = 0; i < 2; i++)
		expect(client[i], auth_ok, AUTH_OK_BYTES);
	assert_int_equal(listener_sum(w, WRITE).released, 2);
	for (int i = 0; i < 2; i++) {
		close(client[i]);
		close(called[i]);
	}
}

/* ---- the end of patience ---- */

static void test_who_waited_for_a_place_in_vain_is_told_of_the_limit(void **state)
{
	struct world *w = world_new(&(struct options){.hold_ms = HOLD_MS, .server_maxconn = 1});
	struct wire s = {wait_for_server(w, WRITE), -1};
	int second = wait_for_server(w, WRITE);

	(void)state;
	set_state(w, WRITE, 0, SERVER_OPEN);
	be_let_go(w, &s, 0);
	expect_error(second, "53300", "server_maxconn");
	close(second);
	hang_up(&s);
	world_free(w);
}

static void test_who_waited_behind_others_in_vain_is_told_of_no_missing_primary(void **state)
{
	struct world *w = world_holding(LONG_HOLD_MS, 0);
	int client[WINDOW + 1];

	(void)state;
	for (int i = 0; i <= WINDOW; i++)
		client[i] = wait_for_server(w, WRITE);
	set_state(w, WRITE, 0, SERVER_OPEN); /* and it says nothing to anybody */
	expect_error(client[WINDOW], "57P03", "has answered in time");
	for (int i = 0; i <= WINDOW; i++)
		close(client[i]);
	world_free(w);
}

int main(void)
{
#define STORY(f) cmocka_unit_test_setup_teardown(f, setup, teardown)
	const struct CMUnitTest tests[] = {
		STORY(test_clients_that_say_no_more_keep_nobody_waiting),
		cmocka_unit_test(test_who_was_let_go_and_comes_back_is_not_crowded_out),
		STORY(test_the_hold_is_empty_when_the_last_one_is_served),
		STORY(test_hang_ups_count_in_a_row_only),
		STORY(test_a_fault_of_our_own_ends_no_waiting),
		STORY(test_news_of_other_servers_do_not_hurry_one_that_has_failed),
		STORY(test_one_that_takes_long_keeps_nobody_waiting),
		cmocka_unit_test(test_a_suspicion_that_is_over_is_not_revived_by_full_servers),
		cmocka_unit_test(test_who_waited_for_a_place_in_vain_is_told_of_the_limit),
		cmocka_unit_test(
			test_who_waited_behind_others_in_vain_is_told_of_no_missing_primary),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
