/* Commands that change something: what they accept, what they order, what they answer.
 * HAProxy 2.6's words are compared with a real one in test/system/test_api_orders.py. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "admin/replies.h"
#include "unit/admin/world.h"
#include <stdio.h>

static int setup(void **state)
{
	struct world *w = world_new();

	w->config->members[1].weight = 50;
	*state = w;
	return 0;
}

static int teardown(void **state)
{
	world_free(*state);
	return 0;
}

static const struct admin_order *order(struct world *w, const char *command)
{
	assert_string_equal(world_run(w, command), "");
	return &w->order;
}

static void expect_refusal(struct world *w, const char *command, const char *reply)
{
	char line[512];

	snprintf(line, sizeof(line), "%s\n", reply);
	assert_string_equal(world_run(w, command), line);
	assert_int_equal(w->order.type, ORDER_NONE);
	assert_true(reply_has_error(line));
}

/* ---- weights ---- */

static void expect_weight(struct world *w, const char *command, unsigned weight)
{
	const struct admin_order *o = order(w, command);

	assert_int_equal(o->type, ORDER_WEIGHT);
	assert_int_equal(o->listener, 1);
	assert_int_equal(o->server, 1);
	assert_int_equal(o->value, weight);
}

static void test_a_weight_is_a_number_or_a_share_of_the_configured_one(void **state)
{
	struct world *w = *state;

	expect_weight(w, "set weight replica/n2 0", 0);
	expect_weight(w, "set weight replica/n2 256", 256);
	expect_weight(w, "set server replica/n2 weight 10", 10);
	expect_weight(w, "set weight replica/n2 100%", 50);
	expect_weight(w, "set weight replica/n2 50%", 25);
	expect_weight(w, "set weight replica/n2 300%", 150);
	expect_weight(w, "set weight replica/n2 600%", 256);
	expect_weight(w, "set weight replica/n2 99999999999999999999%", 256);
	world_server(w, 1, 1)->weight = 7; /* in force; the configured one counts */
	expect_weight(w, "set server #3/#2 weight 100%", 50);
}

static void test_a_weight_that_is_none_is_refused_in_haproxys_words(void **state)
{
	struct world *w = *state;
	const char *range = "Absolute weight can only be between 0 and 256 inclusive.";

	expect_refusal(w, "set weight replica/n2", "Require <weight> or <weight%>.");
	expect_refusal(w, "set weight replica/n2 257", range);
	expect_refusal(w, "set weight replica/n2 -1", range);
	expect_refusal(w, "set weight replica/n2 99999999999999999999", range);
	expect_refusal(w, "set weight replica/n2 -5%", "Relative weight must be positive.");
	expect_refusal(w, "set weight replica/n2 10x", "Trailing garbage in weight string");
	expect_refusal(w, "set weight replica/n2 10%%", "Trailing garbage in weight string");
	expect_refusal(w, "set server replica/n2 weight abc",
		       "Empty weight string empty or preceded by garbage");
	expect_refusal(w, "set weight replica 10", "Require 'backend/server'.");
	expect_refusal(w, "set weight", "Require 'backend/server'.");
	expect_refusal(w, "set weight other/n2 10", "No such backend.");
	expect_refusal(w, "set weight replica/n9 10", "No such server.");
}

/* ---- servers ---- */

static void expect_state(struct world *w, const char *command, enum admin_state s)
{
	const struct admin_order *o = order(w, command);

	assert_int_equal(o->type, ORDER_SET_SERVER);
	assert_int_equal(o->listener, 0);
	assert_int_equal(o->server, 2);
	assert_int_equal(o->state, s);
}

static void test_states_by_new_and_old_words(void **state)
{
	struct world *w = *state;

	expect_state(w, "set server primary/n3 state drain", ADMIN_DRAIN);
	expect_state(w, "set server primary/n3 state ready", ADMIN_READY);
	expect_state(w, "set server #2/#3 state maint", ADMIN_MAINT);
	expect_state(w, "enable server primary/n3", ADMIN_READY);
	expect_state(w, "disable server primary/n3", ADMIN_MAINT);
	expect_refusal(w, "set server primary/n3 state",
		       "'set server <srv> state' expects 'ready', 'drain' and 'maint'.");
	expect_refusal(w, "enable server primary", "Require 'backend/server'.");
}

static void test_health_goes_down_by_order_and_never_up(void **state)
{
	struct world *w = *state;
	const struct admin_order *o = order(w, "set server primary/n1 health down");

	assert_int_equal(o->type, ORDER_HEALTH);
	assert_int_equal(o->health, HEALTH_DOWN);
	o = order(w, "set server primary/n1 health stopping");
	assert_int_equal(o->health, HEALTH_STOPPING);
	expect_refusal(w, "set server primary/n2 health up",
		       "isari: role checks cannot be overridden. A server is up when its own "
		       "answers prove that it is; 'probe' asks for them now.");
	expect_refusal(w, "disable health primary/n2",
		       "isari: role checks cannot be overridden. To take a server out, use 'set "
		       "server <b>/<s> state drain' or 'maint'.");
	expect_refusal(w, "set server primary/n2 health",
		       "'set server <srv> health' expects 'up', 'stopping', or 'down'.");
	assert_int_equal(order(w, "enable health primary/n2")->type, ORDER_NONE); /* they are on */
	expect_refusal(w, "enable health primary/n9", "No such server.");
}

static void test_addresses_are_the_configurations(void **state)
{
	struct world *w = *state;
	const char *fixed =
		"isari: addresses come from the configuration. Change the member there, then "
		"'reload'.";

	expect_refusal(w, "set server primary/n1 addr 10.0.0.9", fixed);
	expect_refusal(w, "set server primary/n1 addr 10.0.0.1 port 9", fixed);
	expect_refusal(w, "set server primary/n1 addr 10.0.0.1 port x", fixed);
	expect_refusal(w, "set server primary/n1 check-addr 10.0.0.1", fixed);
	expect_refusal(w, "set server primary/n1 check-port 8009", fixed);
	expect_refusal(w, "set server primary/n1 fqdn db1", fixed);
	assert_string_equal(world_run(w, "set server primary/n1 addr 10.0.0.1"),
			    "no need to change the addr by 'stats socket command'\n");
	assert_string_equal(world_run(w, "set server primary/n1 addr 10.0.0.1 port 5432"),
			    "no need to change the addr, no need to change the port by 'stats "
			    "socket command'\n");
}

static void test_there_are_no_agents(void **state)
{
	struct world *w = *state;
	const char *none = "agent checks are not enabled on this server.";

	expect_refusal(w, "set server primary/n1 agent up", none);
	expect_refusal(w, "set server primary/n1 agent-send x", none);
	expect_refusal(w, "set server primary/n1 agent-addr 10.0.0.1", none);
	expect_refusal(w, "set server primary/n1 agent-port",
		       "set server <b>/<s> agent-port requires a port.");
	expect_refusal(w, "enable agent primary/n1",
		       "Agent was not configured on this server, cannot enable.");
	assert_int_equal(order(w, "disable agent primary/n1")->type, ORDER_NONE);
}

/* ---- frontends ---- */

static void expect_frontend(struct world *w, const char *command, enum frontend_state s)
{
	const struct admin_order *o = order(w, command);

	assert_int_equal(o->type, ORDER_FRONTEND);
	assert_int_equal(o->listener, 1);
	assert_int_equal(o->frontend, s);
}

static void test_a_frontend_is_asked_for_its_state_before_it_changes(void **state)
{
	struct world *w = *state;

	expect_frontend(w, "disable frontend replica", FRONTEND_PAUSED);
	expect_refusal(w, "enable frontend #3", "All sockets are already enabled.");
	w->listeners[1].frontend = FRONTEND_PAUSED;
	expect_refusal(w, "disable frontend replica", "All sockets are already disabled.");
	expect_frontend(w, "enable frontend replica", FRONTEND_OPEN);
	expect_frontend(w, "shutdown frontend replica", FRONTEND_STOP);
	w->listeners[1].frontend = FRONTEND_STOP;
	expect_refusal(w, "disable frontend replica",
		       "Frontend was previously shut down, cannot disable.");
	expect_refusal(w, "enable frontend replica",
		       "Frontend was previously shut down, cannot enable.");
	expect_refusal(w, "shutdown frontend replica", "Frontend was already shut down.");
	expect_refusal(w, "shutdown frontend", "A frontend name is expected.");
	expect_refusal(w, "disable frontend other", "No such frontend.");
}

/* ---- limits ---- */

static void expect_limit(struct world *w, const char *command, enum admin_order_type type,
			 unsigned value)
{
	const struct admin_order *o = order(w, command);

	assert_int_equal(o->type, type);
	assert_int_equal(o->value, value);
}

static void test_maxconn_of_a_frontend_a_server_and_all(void **state)
{
	struct world *w = *state;

	w->config->maxconn = 1000;
	expect_limit(w, "set maxconn frontend replica 7", ORDER_MAXCONN_LISTENER, 7);
	assert_int_equal(w->order.listener, 1);
	expect_limit(w, "set maxconn frontend replica 0", ORDER_MAXCONN_LISTENER, 0);
	expect_limit(w, "set maxconn server replica/n3 7", ORDER_MAXCONN_SERVER, 7);
	assert_int_equal(w->order.server, 2);
	expect_limit(w, "set maxconn server replica/n3 0", ORDER_MAXCONN_SERVER, GAUGE_UNLIMITED);
	expect_limit(w, "set maxconn global 10", ORDER_MAXCONN, 10);
	expect_limit(w, "set maxconn global 0", ORDER_MAXCONN, 1000);
	expect_refusal(w, "set maxconn global 1001", "Value out of range.");
	expect_refusal(w, "set maxconn global", "Expects an integer value.");
	expect_refusal(w, "set maxconn global x", "Expects an integer value.");
	expect_refusal(w, "set maxconn frontend", "A frontend name is expected.");
	expect_refusal(w, "set maxconn frontend other 1", "No such frontend.");
	expect_refusal(w, "set maxconn frontend replica", "Integer value expected.");
	expect_refusal(w, "set maxconn frontend replica -1", "Value out of range.");
	expect_refusal(w, "set maxconn frontend replica 99999999999999999999",
		       "Value out of range.");
	expect_refusal(w, "set maxconn server replica/n3", "Require <maxconn>.");
	expect_refusal(w, "set maxconn server replica/n3 x",
		       "maxconn string empty or preceded by garbage");
	expect_refusal(w, "set maxconn server replica", "Require 'backend/server'.");
}

static void test_rates_are_of_connections_and_sessions(void **state)
{
	struct world *w = *state;

	expect_limit(w, "set rate-limit connections global 5", ORDER_RATE, 5);
	assert_int_equal(w->order.rate, RATE_CONNECTIONS);
	expect_limit(w, "set rate-limit sessions global 0", ORDER_RATE, 0);
	assert_int_equal(w->order.rate, RATE_SESSIONS);
	assert_int_equal(order(w, "set rate-limit ssl-sessions global 0")->type, ORDER_NONE);
	expect_refusal(w, "set rate-limit ssl-sessions global 5",
		       "isari: TLS is between clients and servers and HTTP is not carried; limit "
		       "'connections' or 'sessions'.");
	expect_refusal(w, "set rate-limit sessions global", "Expects an integer value.");
	expect_refusal(w, "set rate-limit sessions global -1", "Value out of range.");
	assert_true(reply_has_error(world_run(w, "set rate-limit sessions all 5")));
	assert_int_equal(w->order.type, ORDER_NONE);
}

static void test_counters_are_cleared_by_operators_and_all_of_them_by_admins(void **state)
{
	struct world *w = *state;

	assert_int_equal(order(w, "clear counters all")->type, ORDER_CLEAR_ALL);
	w->facts.level = LEVEL_OPERATOR;
	assert_int_equal(order(w, "clear counters")->type, ORDER_CLEAR_MAXIMA);
	assert_int_equal(order(w, "clear counters some")->type, ORDER_CLEAR_MAXIMA);
	expect_refusal(w, "clear counters all", "Permission denied");
	w->facts.level = LEVEL_USER;
	expect_refusal(w, "clear counters", "Permission denied");
}

/* ---- sessions ---- */

static void test_a_session_is_looked_for_among_all(void **state)
{
	struct world *w = *state;
	struct session_info sessions[] = {{.id = 0x12}, {.id = 0x1000000000003, .listener = 1}};

	assert_int_equal(order(w, "shutdown session 0x12")->type, ORDER_NEED_SESSIONS);
	w->facts.have_sessions = true;
	w->facts.sessions = sessions;
	w->facts.n_sessions = 2;
	assert_int_equal(order(w, "shutdown session 0x1000000000003")->type,
			 ORDER_SHUTDOWN_SESSION);
	assert_int_equal(w->order.session, 0x1000000000003);
	assert_int_equal(w->order.listener, 1);
	expect_refusal(w, "shutdown session 0x13", "No such session (use 'show sess').");
	expect_refusal(w, "shutdown session", "Session pointer expected (use 'show sess').");
	expect_refusal(w, "shutdown session foo", "Session pointer expected (use 'show sess').");
	expect_refusal(w, "shutdown session 0x12z", "Session pointer expected (use 'show sess').");
}

/* ---- levels and severity ---- */

static void test_every_change_needs_its_level_before_its_arguments_are_read(void **state)
{
	static const char *const admins[] = {"set server nobody/x state ready",
					     "set weight",
					     "set maxconn frontend nobody 1",
					     "set maxconn server nobody",
					     "set maxconn global",
					     "set rate-limit",
					     "enable server",
					     "disable server",
					     "enable health",
					     "disable health",
					     "enable agent",
					     "disable agent",
					     "enable frontend",
					     "disable frontend",
					     "shutdown frontend",
					     "shutdown session",
					     "shutdown sessions server"};
	struct world *w = *state;

	for (enum access_level l = LEVEL_USER; l < LEVEL_ADMIN; l++)
		for (size_t i = 0; i < sizeof(admins) / sizeof(admins[0]); i++) {
			w->facts.level = l;
			expect_refusal(w, admins[i], "Permission denied");
		}
}

static void test_a_level_is_only_lowered(void **state)
{
	struct world *w = *state;

	assert_int_equal(order(w, "operator")->level, LEVEL_OPERATOR);
	assert_int_equal(order(w, "user")->level, LEVEL_USER);
	assert_int_equal(w->order.type, ORDER_LEVEL);
	w->facts.level = LEVEL_USER;
	expect_refusal(w, "operator", "Permission denied");
	assert_int_equal(order(w, "user")->level, LEVEL_USER);
}

static void expect_marked(struct world *w, const char *command, const char *begin)
{
	assert_memory_equal(world_run(w, command), begin, strlen(begin));
}

static void test_messages_say_their_severity_and_tables_do_not(void **state)
{
	struct world *w = *state;

	assert_int_equal(order(w, "set severity-output number")->severity, SEVERITY_OUTPUT_NUMBER);
	expect_refusal(w, "set severity-output",
		       "one of 'none', 'number', 'string' is a required argument");
	w->facts.severity = SEVERITY_OUTPUT_NUMBER;
	expect_marked(w, "set server nobody/x state ready", "[3]: No such backend.\n");
	expect_marked(w, "enable frontend primary", "[5]: All sockets are already enabled.\n");
	expect_marked(w, "set server primary/n1 addr 10.0.0.1",
		      "[4]: no need to change the addr by");
	expect_marked(w, "show version", "[6]: 2.6.0-isari-");
	expect_marked(w, "show cli level", "[6]: admin\n");
	expect_marked(w, "help", "[6]: The following commands are valid at this level:\n");
	expect_marked(w, "make coffee", "[6]: Unknown command");
	expect_marked(w, "show stat", "# pxname,");
	assert_string_equal(world_run(w, "set server primary/n1 state ready"), "");
	w->facts.severity = SEVERITY_OUTPUT_STRING;
	expect_marked(w, "set server nobody/x state ready", "[err]: No such backend.\n");
	expect_marked(w, "show version", "[info]: 2.6.0-isari-");
	w->facts.level = LEVEL_USER;
	expect_marked(w, "clear counters", "[err]: Permission denied\n");
}

static void test_a_timeout_without_a_unit_is_in_seconds(void **state)
{
	struct world *w = *state;

	assert_int_equal(order(w, "set timeout cli 60")->timeout_ms, 60000);
	assert_int_equal(order(w, "set timeout cli 500ms")->timeout_ms, 500);
	assert_int_equal(w->order.type, ORDER_TIMEOUT);
	expect_refusal(w, "set timeout", "'set timeout' only supports 'cli'.");
	expect_refusal(w, "set timeout cli", "Expects an integer value.");
	expect_refusal(w, "set timeout cli 60x", "Invalid timeout value.");
	expect_refusal(w, "set timeout cli 0", "Invalid timeout value.");
}

#define TEST(f) cmocka_unit_test_setup_teardown(f, setup, teardown)

int main(void)
{
	const struct CMUnitTest tests[] = {
		TEST(test_a_weight_is_a_number_or_a_share_of_the_configured_one),
		TEST(test_a_weight_that_is_none_is_refused_in_haproxys_words),
		TEST(test_states_by_new_and_old_words),
		TEST(test_health_goes_down_by_order_and_never_up),
		TEST(test_addresses_are_the_configurations),
		TEST(test_there_are_no_agents),
		TEST(test_a_frontend_is_asked_for_its_state_before_it_changes),
		TEST(test_maxconn_of_a_frontend_a_server_and_all),
		TEST(test_rates_are_of_connections_and_sessions),
		TEST(test_counters_are_cleared_by_operators_and_all_of_them_by_admins),
		TEST(test_a_session_is_looked_for_among_all),
		TEST(test_every_change_needs_its_level_before_its_arguments_are_read),
		TEST(test_a_level_is_only_lowered),
		TEST(test_messages_say_their_severity_and_tables_do_not),
		TEST(test_a_timeout_without_a_unit_is_in_seconds),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
