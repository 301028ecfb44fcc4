/* The command table: finding commands, levels, help, framing, arguments, error replies. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "admin/replies.h"
#include "unit/admin/world.h"

static int setup(void **state)
{
	*state = world_new();
	return 0;
}

static int teardown(void **state)
{
	world_free(*state);
	return 0;
}

static bool starts_with(const char *text, const char *start)
{
	return strncmp(text, start, strlen(start)) == 0;
}

static const char always[] =
	"  help [<command>]                        : list matching or all commands\n"
	"  prompt                                  : toggle interactive mode with prompt\n"
	"  quit                                    : disconnect\n";

static void expect_unknown(struct world *w, const char *command)
{
	const char *reply = world_run(w, command);

	assert_true(starts_with(
		reply, "Unknown command. Please enter one of the following commands only:\n"));
	assert_non_null(strstr(reply, "  show stat"));
	assert_non_null(strstr(reply, "  set server"));
	assert_true(reply_has_error(reply));
}

static void test_an_unknown_command_is_answered_with_the_list(void **state)
{
	expect_unknown(*state, "xyzzy");
	expect_unknown(*state, "");
	expect_unknown(*state, "foo bar");
}

static void expect_near(struct world *w, const char *command, const char *listed)
{
	const char *reply = world_run(w, command), *line = strstr(reply, ":\n");

	assert_true(starts_with(reply, "Unknown command, but maybe one of the following ones is a "
				       "better match:\n"));
	assert_true(reply_has_error(reply));
	assert_non_null(line);
	assert_true(starts_with(line + 2, listed));
	assert_string_equal(strstr(reply, "  help ["), always);
}

static void test_an_unknown_command_is_answered_with_those_that_come_near(void **state)
{
	expect_near(*state, "shutdown sessions", "  shutdown sessions server <bk>/<srv>     : ");
	expect_near(*state, "set maxconn foo", "  set maxconn frontend <frontend> <value> : ");
	expect_near(*state, "show statt", "  show stat");
	expect_near(*state, "SHOW STAT", "  show ");
	expect_near(*state, "shutdwn session", "  shutdown frontend");
	expect_near(*state, "set", "  set maxconn");
	assert_null(strstr(world_run(*state, "show statt"), "  show info"));
	assert_null(strstr(world_run(*state, "set"), "  show stat"));
}

static void test_extra_words_are_ignored(void **state)
{
	assert_true(starts_with(world_run(*state, "show version extra words"), "2.6.0-isari-"));
	assert_true(starts_with(world_run(*state, "show info extra"), "Name: HAProxy\n"));
}

static void test_help_lists_all_and_ends_with_the_three(void **state)
{
	const char *reply = world_run(*state, "help");
	const char *tail = strstr(reply, "  help [<command>]");

	assert_true(starts_with(reply, "The following commands are valid at this level:\n"));
	assert_non_null(strstr(reply, "  set server <bk>/<srv> [opts]            : "));
	assert_non_null(tail);
	assert_string_equal(tail, always);
	assert_false(reply_has_error(reply));
}

static void test_help_with_words_lists_what_matches(void **state)
{
	const char *reply = world_run(*state, "help show");

	assert_non_null(strstr(reply, "  show clusters"));
	assert_non_null(strstr(reply, "  quit"));
	assert_null(strstr(reply, "  set server"));
	reply = world_run(*state, "help show stat");
	assert_non_null(strstr(reply, "  show stat"));
	assert_null(strstr(reply, "  show info"));
	reply = world_run(*state, "help nonsense");
	assert_non_null(strstr(reply, "  show stat"));
	assert_non_null(strstr(reply, "  set server"));
}

/* No reply may hold an empty line: it would end there. */
static void test_no_reply_holds_an_empty_line(void **state)
{
	static const char *const all[] = {"",           "help",          "show stat",
					  "show info",  "show clusters", "show version",
					  "show events"};

	for (size_t i = 0; i < sizeof(all) / sizeof(all[0]); i++) {
		const char *reply = world_run(*state, all[i]);
		size_t len = strlen(reply);
		assert_null(strstr(reply, "\n\n"));
		assert_true(len > 1 && reply[0] != '\n' && reply[len - 1] == '\n');
	}
}

static void expect_denied(struct world *w, enum access_level level, const char *command,
			  bool denied)
{
	w->facts.level = level;
	const char *reply = world_run(w, command);

	if (denied)
		assert_string_equal(reply, "Permission denied\n");
	else
		assert_string_not_equal(reply, "Permission denied\n");
	if (denied)
		assert_int_equal(w->order.type, ORDER_NONE);
}

static void test_levels_are_checked_before_arguments(void **state)
{
	static const char *const changes[] = {"set server x/y state ready", "set server",
					      "set server primary/n1 state maint",
					      "shutdown sessions server nope"};
	static const char *const everyones[] = {
		"show stat", "show info", "show clusters", "show version",
		"help",      "prompt",    "quit",          "set timeout cli 60"};

	for (size_t i = 0; i < sizeof(changes) / sizeof(changes[0]); i++) {
		expect_denied(*state, LEVEL_USER, changes[i], true);
		expect_denied(*state, LEVEL_OPERATOR, changes[i], true);
		expect_denied(*state, LEVEL_ADMIN, changes[i], false);
	}
	expect_denied(*state, LEVEL_USER, "show sess", true);
	expect_denied(*state, LEVEL_OPERATOR, "show sess", false);
	expect_denied(*state, LEVEL_USER, "show events", true);
	expect_denied(*state, LEVEL_OPERATOR, "show events", false);
	expect_denied(*state, LEVEL_USER, "probe", true);
	expect_denied(*state, LEVEL_OPERATOR, "probe", false);
	for (size_t i = 0; i < sizeof(everyones) / sizeof(everyones[0]); i++)
		expect_denied(*state, LEVEL_USER, everyones[i], false);
	expect_near(*state, "shutdown sessions",
		    "  shutdown sessions server"); /* unknown comes before denied */
}

static void test_each_reply_ends_with_one_empty_line(void **state)
{
	struct buf b = {0};

	(void)state;
	buf_puts(&b, "text\n");
	commands_end_reply(&b, false);
	assert_string_equal(b.data, "text\n\n");
	buf_clear(&b);
	commands_end_reply(&b, true); /* what `prompt` and a silent success answer */
	assert_string_equal(b.data, "\n> ");
	buf_fini(&b);
}

static void expect_order(struct world *w, const char *command, struct admin_order expected)
{
	assert_string_equal(world_run(w, command), "");
	assert_int_equal(w->order.type, expected.type);
	assert_int_equal(w->order.listener, expected.listener);
	assert_int_equal(w->order.server, expected.server);
	assert_int_equal(w->order.state, expected.state);
	assert_int_equal(w->order.timeout_ms, expected.timeout_ms);
}

static void test_set_server_orders_a_state(void **state)
{
	expect_order(*state, "set server primary/n1 state ready",
		     (struct admin_order){.type = ORDER_SET_SERVER, .state = ADMIN_READY});
	expect_order(*state, "set server replica/n3 state drain",
		     (struct admin_order){.type = ORDER_SET_SERVER,
					  .listener = 1,
					  .server = 2,
					  .state = ADMIN_DRAIN});
	expect_order(*state, "set server replica/n2 state maint",
		     (struct admin_order){.type = ORDER_SET_SERVER,
					  .listener = 1,
					  .server = 1,
					  .state = ADMIN_MAINT});
	expect_order(*state, "set server #3/#2 state maint",
		     (struct admin_order){.type = ORDER_SET_SERVER,
					  .listener = 1,
					  .server = 1,
					  .state = ADMIN_MAINT});
	expect_order(*state, "shutdown sessions server primary/n2",
		     (struct admin_order){.type = ORDER_SHUTDOWN_SERVER, .server = 1});
}

static void expect_error(struct world *w, const char *command, const char *text)
{
	assert_string_equal(world_run(w, command), text);
	assert_int_equal(w->order.type, ORDER_NONE);
	assert_true(reply_has_error(w->out.data));
}

static void test_wrong_arguments_get_haproxys_words(void **state)
{
	expect_error(*state, "set server", "Require 'backend/server'.\n");
	expect_error(*state, "set server primary", "Require 'backend/server'.\n");
	expect_error(*state, "set server nope/n1 state ready", "No such backend.\n");
	expect_error(*state, "set server primary/nope state ready", "No such server.\n");
	expect_error(*state, "set server primary/ state ready", "Require 'backend/server'.\n");
	expect_error(*state, "set server /n1 state ready", "Require 'backend/server'.\n");
	expect_error(*state, "set server #1/#1 state ready", "No such backend.\n");
	expect_error(*state, "set server #2/#0 state ready", "No such server.\n");
	expect_error(*state, "set server #2/#4 state ready", "No such server.\n");
	expect_error(*state, "set server #2/#99999999999999999999999999 state ready",
		     "No such server.\n");
	expect_error(*state, "set server primary/n1",
		     "usage: set server <backend>/<server> addr | agent | agent-addr | agent-port "
		     "| agent-send | check-addr | check-port | fqdn | health | ssl | state | "
		     "weight\n");
	expect_error(*state, "set server primary/n1 state",
		     "'set server <srv> state' expects 'ready', 'drain' and 'maint'.\n");
	expect_error(*state, "set server primary/n1 state READY",
		     "'set server <srv> state' expects 'ready', 'drain' and 'maint'.\n");
	expect_error(*state, "shutdown sessions server", "Require 'backend/server'.\n");
	expect_error(*state, "shutdown sessions server primary/nope", "No such server.\n");
	expect_error(*state, "set timeout", "'set timeout' only supports 'cli'.\n");
	expect_error(*state, "set timeout cli", "Expects an integer value.\n");
	expect_error(*state, "set timeout cli foo", "Invalid timeout value.\n");
	expect_error(*state, "set timeout cli 0", "Invalid timeout value.\n");
	expect_error(*state, "set timeout cli -1", "Invalid timeout value.\n");
	expect_error(*state, "set timeout cli 99999999999", "Invalid timeout value.\n");
	expect_error(*state, "show stat nope 1 1", "No such proxy.\n");
}

static void test_a_timeout_without_a_unit_is_in_seconds(void **state)
{
	expect_order(*state, "set timeout cli 60",
		     (struct admin_order){.type = ORDER_TIMEOUT, .timeout_ms = 60000});
	expect_order(*state, "set timeout cli 60ms",
		     (struct admin_order){.type = ORDER_TIMEOUT, .timeout_ms = 60});
	expect_order(*state, "set timeout cli 5m",
		     (struct admin_order){.type = ORDER_TIMEOUT, .timeout_ms = 300000});
}

static void test_prompt_and_quit_are_orders(void **state)
{
	expect_order(*state, "prompt", (struct admin_order){.type = ORDER_PROMPT});
	expect_order(*state, "quit", (struct admin_order){.type = ORDER_QUIT});
}

static void test_an_error_is_seen_in_any_reply_but_only_at_its_start(void **state)
{
	(void)state;
	assert_true(reply_has_error("No such server.\n\n"));
	assert_true(reply_has_error("\nNo such server.\n\n"));
	assert_true(reply_has_error("2.6.0\n\nPermission denied\n\n"));
	assert_false(reply_has_error(""));
	assert_false(reply_has_error("\n"));
	assert_false(reply_has_error("2.6.0\nPermission denied\n\n"));
	assert_false(reply_has_error("No such server. Really\n\n"));
}

int main(void)
{
	const struct CMUnitTest tests[] = {
#define TEST(f) cmocka_unit_test_setup_teardown(f, setup, teardown)
		TEST(test_an_unknown_command_is_answered_with_the_list),
		TEST(test_an_unknown_command_is_answered_with_those_that_come_near),
		TEST(test_extra_words_are_ignored),
		TEST(test_help_lists_all_and_ends_with_the_three),
		TEST(test_help_with_words_lists_what_matches),
		TEST(test_no_reply_holds_an_empty_line),
		TEST(test_levels_are_checked_before_arguments),
		TEST(test_each_reply_ends_with_one_empty_line),
		TEST(test_set_server_orders_a_state),
		TEST(test_wrong_arguments_get_haproxys_words),
		TEST(test_a_timeout_without_a_unit_is_in_seconds),
		TEST(test_prompt_and_quit_are_orders),
		TEST(test_an_error_is_seen_in_any_reply_but_only_at_its_start),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
