/* Conversations at the stats socket: real sockets, a real loop, an owner made of this file. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "base/buf.h"
#include "base/mem.h"
#include "control/operators_state.h"
#include "core/monitor.h"
#include "io/clock.h"
#include "io/loop.h"
#include <errno.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/un.h>
#include <unistd.h>

enum { GIVE_UP_MS = 10000 };

struct bench {
	uv_loop_t loop;
	char directory[32], admin[64], user[64];
	struct config *config;
	struct scoreboard *board;
	struct monitor *monitor;
	struct operators *ops;
	/* what the owner was told */
	unsigned n_words, n_told, n_asked, n_workers, n_hints;
	unsigned listener, server, hinted, weight;
	enum operator_word word;
	enum health_order health;
	struct message told;
	struct journal journal;
	enum admin_state state;
	uint64_t request;
	bool closed;
};

/* ---- the owner ---- */

static void hook_report(void *arg, struct report *r)
{
	struct bench *b = arg;

	monitor_report(b->monitor, clock_ms(), r);
}

static void note_word(struct bench *b, const struct event *ev)
{
	b->n_words++;
	b->word = ev->u.operator.word;
	b->listener = ev->u.operator.listener;
	b->server = ev->u.operator.server;
	b->state = ev->u.operator.state;
	b->weight = ev->u.operator.weight;
	b->health = ev->u.operator.health;
}

static void hook_judge(void *arg, struct event *ev)
{
	struct bench *b = arg;

	if (ev->type == EV_OPERATOR) {
		note_word(b, ev);
	} else {
		assert_int_equal(ev->type, EV_HINT);
		b->n_hints++;
		b->hinted = ev->u.hint.cluster;
	}
}

static const struct journal *hook_journal(void *arg)
{
	return &((struct bench *)arg)->journal;
}

static void hook_tell(void *arg, const struct message *like)
{
	struct bench *b = arg;

	b->n_told++;
	b->told = *like;
}

static unsigned hook_ask_sessions(void *arg, uint64_t request)
{
	struct bench *b = arg;

	b->n_asked++;
	b->request = request;
	return b->n_workers;
}

static struct config *bench_config(const struct bench *b)
{
	struct config *c = config_new();

	c->n_clusters = c->n_listeners = 1;
	c->clusters = xcalloc(1, sizeof(*c->clusters));
	c->clusters[0].name = xstrdup("main");
	probe_config_defaults(&c->clusters[0].probe);
	c->n_members = 2;
	c->members = xcalloc(2, sizeof(*c->members));
	for (unsigned i = 0; i < 2; i++) {
		c->members[i].name = xasprintf("n%u", i + 1);
		c->members[i].host = xasprintf("127.0.0.%u", i + 1);
		c->members[i].rest_host = xstrdup(c->members[i].host);
		c->members[i].port = 5432;
		c->members[i].weight = 1;
	}
	c->listeners = xcalloc(1, sizeof(*c->listeners));
	listener_config_defaults(&c->listeners[0]);
	c->listeners[0].name = xstrdup("write");
	c->n_stats_sockets = 2;
	c->stats_sockets = xcalloc(2, sizeof(*c->stats_sockets));
	c->stats_sockets[0] = (struct stats_socket_config){
		.addr.kind = ADDR_UNIX, .mode = 0600, .level = LEVEL_ADMIN};
	c->stats_sockets[1] = (struct stats_socket_config){
		.addr.kind = ADDR_UNIX, .mode = 0600, .level = LEVEL_USER};
	strcpy(c->stats_sockets[0].addr.host, b->admin);
	strcpy(c->stats_sockets[1].addr.host, b->user);
	config_finish(c);
	return c;
}

static struct operators_setup bench_setup(struct bench *b)
{
	return (struct operators_setup){
		.loop = &b->loop,
		.config = b->config,
		.scoreboard = b->board,
		.threads = 2,
		.nofile = 1024,
		.hooks = {.arg = b,
			  .report = hook_report,
			  .journal = hook_journal,
			  .judge = hook_judge,
			  .tell = hook_tell,
			  .ask_sessions = hook_ask_sessions},
	};
}

static int setup(void **state)
{
	struct bench *b = xcalloc(1, sizeof(*b));
	struct err e;

	strcpy(b->directory, "/tmp/isari-ops-XXXXXX");
	assert_non_null(mkdtemp(b->directory));
	snprintf(b->admin, sizeof(b->admin), "%s/admin", b->directory);
	snprintf(b->user, sizeof(b->user), "%s/user", b->directory);
	b->n_workers = 2;
	b->config = bench_config(b);
	b->board = scoreboard_new(b->config, 2);
	b->monitor = monitor_new(b->config, 1, clock_ms());
	assert_int_equal(loop_open(&b->loop), 0);
	struct operators_setup s = bench_setup(b);
	if (operators_open(&s, &b->ops, &e) < 0)
		fail_msg("%s", e.text);
	*state = b;
	return 0;
}

static void on_closed(void *arg)
{
	((struct bench *)arg)->closed = true;
}

static int teardown(void **state)
{
	struct bench *b = *state;

	operators_close(b->ops, on_closed, b);
	loop_close(&b->loop, "operators_test");
	assert_true(b->closed);
	assert_int_equal(access(b->admin, F_OK), -1); /* unlinked */
	rmdir(b->directory);
	monitor_free(b->monitor);
	scoreboard_free(b->board);
	config_unref(b->config);
	free(b);
	return 0;
}

/* ---- a client ---- */

static int dial(const char *path)
{
	struct sockaddr_un sa = {.sun_family = AF_UNIX};
	int fd = socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0);

	strcpy(sa.sun_path, path);
	assert_int_equal(connect(fd, (struct sockaddr *)&sa, sizeof(sa)), 0);
	return fd;
}

static void say(int fd, const char *text)
{
	assert_int_equal(send(fd, text, strlen(text), MSG_NOSIGNAL), (ssize_t)strlen(text));
}

/* Read into `out` until it ends with `end` (NULL: until the server closes), the loop running
 * meanwhile. */
static void listen_until(struct bench *b, int fd, const char *end, struct buf *out)
{
	int64_t give_up_ms = clock_ms() + GIVE_UP_MS;
	char chunk[4096];

	buf_puts(out, "");
	while (clock_ms() < give_up_ms) {
		ssize_t n = recv(fd, chunk, sizeof(chunk), MSG_DONTWAIT);
		if (n == 0 && !end)
			return;
		if (n > 0) {
			buf_append(out, chunk, (size_t)n);
			if (end && out->len >= strlen(end) &&
			    strcmp(out->data + out->len - strlen(end), end) == 0)
				return;
			continue;
		}
		assert_true(n < 0 && errno == EAGAIN);
		uv_run(&b->loop, UV_RUN_NOWAIT);
	}
	fail_msg("gave up; heard '%s'", out->data);
}

/* A whole conversation in one go, as `echo ... | socat` has it. */
static char *ask(struct bench *b, const char *path, const char *text)
{
	struct buf out = {0};
	int fd = dial(path);

	say(fd, text);
	shutdown(fd, SHUT_WR);
	listen_until(b, fd, NULL, &out);
	close(fd);
	return buf_take(&out);
}

static void expect_reply(struct bench *b, const char *path, const char *text, const char *expected)
{
	char *reply = ask(b, path, text);

	assert_string_equal(reply, expected);
	free(reply);
}

static void run_until(struct bench *b, const unsigned *counter, unsigned value)
{
	int64_t give_up_ms = clock_ms() + GIVE_UP_MS;

	while (*counter < value && clock_ms() < give_up_ms)
		uv_run(&b->loop, UV_RUN_NOWAIT);
	assert_int_equal(*counter, value);
}

/* ---- stories ---- */

#define VERSION "2.6.0-isari-" ISARI_VERSION "\n\n"

static void test_one_command_is_answered_and_closed(void **state)
{
	struct bench *b = *state;

	expect_reply(b, b->admin, "show version\n", VERSION);
	expect_reply(b, b->user, "show version\r\n", VERSION);
	expect_reply(b, b->user, "show stat nope 1 1\n", "No such proxy.\n\n");
}

static void test_semicolons_and_lines_are_all_answered(void **state)
{
	struct bench *b = *state;

	expect_reply(b, b->admin, "show version;show version\n", VERSION VERSION);
	expect_reply(b, b->admin, "show version\nset timeout cli 60\nshow version\n",
		     VERSION "\n" VERSION);
}

static void test_quit_ends_without_a_word(void **state)
{
	struct bench *b = *state;

	expect_reply(b, b->admin, "quit\n", "");
	expect_reply(b, b->admin, "show version;quit;show version\nshow version\n", VERSION);
	expect_reply(b, b->admin, "prompt\nquit\nshow version\n", "\n> ");
}

static void test_prompt_mode_stays_open_until_quit(void **state)
{
	struct bench *b = *state;
	struct buf out = {0};
	int fd = dial(b->admin);

	say(fd, "prompt\n");
	listen_until(b, fd, "\n> ", &out);
	assert_string_equal(out.data, "\n> ");
	buf_clear(&out);
	say(fd, "show version;set timeout cli 60\n");
	listen_until(b, fd, "> \n> ", &out);
	assert_string_equal(out.data, VERSION "> \n> ");
	buf_clear(&out);
	say(fd, "prompt\n"); /* off again: the last reply, then the end */
	listen_until(b, fd, NULL, &out);
	assert_string_equal(out.data, "\n");
	buf_fini(&out);
	close(fd);
}

static void test_the_socket_decides_the_level(void **state)
{
	struct bench *b = *state;

	expect_reply(b, b->user, "set server write/n1 state maint\n", "Permission denied\n\n");
	expect_reply(b, b->user, "show sess\n", "Permission denied\n\n");
	assert_int_equal(b->n_words + b->n_asked, 0);
}

static void test_orders_reach_the_owner(void **state)
{
	struct bench *b = *state;

	expect_reply(b, b->admin, "set server write/n2 state drain\n", "\n");
	assert_int_equal(b->n_words, 1);
	assert_int_equal(b->word, OPERATOR_STATE);
	assert_int_equal(b->listener, 0);
	assert_int_equal(b->server, 1);
	assert_int_equal(b->state, ADMIN_DRAIN);
	expect_reply(b, b->admin, "shutdown sessions server write/n1\n", "\n");
	assert_int_equal(b->n_told, 1);
	assert_int_equal(b->told.type, MSG_SHUTDOWN_SERVER);
	assert_int_equal(b->told.u.shutdown_server.server, 0);
	expect_reply(b, b->admin, "set server write/n3 state drain\n", "No such server.\n\n");
	assert_int_equal(b->n_words, 1);
}

static void test_weight_and_health_are_words_to_the_monitor(void **state)
{
	struct bench *b = *state;

	expect_reply(b, b->admin, "set weight write/n2 0\n", "\n");
	assert_int_equal(b->word, OPERATOR_WEIGHT);
	assert_int_equal(b->server, 1);
	assert_int_equal(b->weight, 0);
	expect_reply(b, b->admin, "set server write/n1 health down\n", "\n");
	assert_int_equal(b->word, OPERATOR_HEALTH);
	assert_int_equal(b->server, 0);
	assert_int_equal(b->health, HEALTH_DOWN);
	assert_int_equal(b->n_words, 2);
}

static void test_limits_are_set_where_all_workers_read_them(void **state)
{
	struct bench *b = *state;
	unsigned row = counters_server_row(b->config, 0, 1);

	expect_reply(b, b->admin,
		     "set maxconn frontend write 0;set maxconn server write/n2 5;"
		     "set maxconn global 100;set rate-limit sessions global 10\n",
		     "\n\n\n\n");
	assert_int_equal(b->board->gauges[0].limit, 0);
	assert_int_equal(b->board->gauges[row].limit, 5);
	assert_int_equal(b->board->maxconn, 100);
	assert_int_equal(b->board->rate.per_second[RATE_SESSIONS], 10);
	expect_reply(b, b->admin, "set maxconn server write/n2 0;set maxconn global 0\n", "\n\n");
	assert_int_equal(b->board->gauges[row].limit, GAUGE_UNLIMITED);
	assert_int_equal(b->board->maxconn, b->config->maxconn);
	assert_int_equal(b->n_words + b->n_told, 0);
}

static void test_a_frontend_is_disabled_enabled_and_shut_down(void **state)
{
	struct bench *b = *state;

	expect_reply(b, b->admin, "enable frontend write\n",
		     "All sockets are already enabled.\n\n");
	assert_int_equal(b->n_told, 0);
	expect_reply(b, b->admin, "disable frontend write;disable frontend write\n",
		     "\nAll sockets are already disabled.\n\n");
	assert_int_equal(b->n_told, 1);
	assert_int_equal(b->told.type, MSG_FRONTEND);
	assert_int_equal(b->told.u.frontend.listener, 0);
	assert_int_equal(b->board->frontends[0], FRONTEND_PAUSED);
	expect_reply(b, b->admin, "shutdown frontend write;enable frontend write\n",
		     "\nFrontend was previously shut down, cannot enable.\n\n");
	assert_int_equal(b->n_told, 2);
	assert_int_equal(b->board->frontends[0], FRONTEND_STOP);
}

static uint64_t connections_shown(struct bench *b)
{
	struct row_facts row;

	history_row(&b->ops->history, 0, clock_ms(), &row);
	return row.sum.sessions;
}

static void test_counters_are_cleared_for_those_who_look(void **state)
{
	struct bench *b = *state;
	struct counters *row = scoreboard_row(b->board, 1, 0);

	COUNT(row, sessions, 3);
	gauge_enter_anyway(&b->board->gauges[0]);
	gauge_leave(&b->board->gauges[0]);
	expect_reply(b, b->admin, "clear counters\n", "\n");
	assert_int_equal(b->board->gauges[0].max, 0);
	assert_int_equal(connections_shown(b), 3);
	expect_reply(b, b->admin, "operator;clear counters all\n", "\nPermission denied\n\n");
	expect_reply(b, b->admin, "clear counters all\n", "\n");
	assert_int_equal(connections_shown(b), 0);
	assert_int_equal(b->n_words, 2); /* each server's downs */
	assert_int_equal(b->word, OPERATOR_CLEAR);
	COUNT(row, sessions, 2);
	assert_int_equal(connections_shown(b), 2);
	assert_int_equal(row->sessions, 5); /* others go on counting by it */
}

static void test_a_level_is_lowered_for_this_connection_only(void **state)
{
	struct bench *b = *state;

	expect_reply(b, b->admin, "operator;set weight write/n1 1;user;show sess;operator\n",
		     "\nPermission denied\n\n\nPermission denied\n\nPermission denied\n\n");
	expect_reply(b, b->admin, "set weight write/n1 1\n", "\n");
}

static void test_severity_is_said_when_asked_for(void **state)
{
	struct bench *b = *state;

	expect_reply(b, b->admin,
		     "set severity-output number;set server write/n9 state ready;"
		     "set server write/n1 state ready;enable frontend write\n",
		     "\n[3]: No such server.\n\n\n[5]: All sockets are already enabled.\n\n");
	expect_reply(b, b->admin,
		     "set severity-output string;show version;user;set weight write/n1 1\n",
		     "\n[info]: " VERSION "\n[err]: Permission denied\n\n");
	expect_reply(b, b->admin, "set server write/n9 state ready\n", "No such server.\n\n");
}

static void test_a_payload_is_no_command(void **state)
{
	struct bench *b = *state;
	struct buf out = {0};
	int fd;

	expect_reply(b, b->admin, "show version <<\nset weight write/n1 0\nquit\n\nshow version\n",
		     VERSION VERSION);
	assert_int_equal(b->n_words, 0);
	fd = dial(b->admin); /* it comes slowly: nobody closes meanwhile */
	say(fd, "prompt\nset weight write/n1 7 <<\n");
	listen_until(b, fd, "+ ", &out);
	say(fd, "some text\n");
	listen_until(b, fd, "+ + ", &out);
	assert_int_equal(b->n_words, 0);
	say(fd, "\nquit\n");
	listen_until(b, fd, NULL, &out);
	assert_string_equal(out.data, "\n> + + \n> ");
	assert_int_equal(b->weight, 7);
	buf_fini(&out);
	close(fd);
}

static void test_probe_is_a_hint_for_one_cluster_or_all(void **state)
{
	struct bench *b = *state;

	b->hinted = 9;
	expect_reply(b, b->admin, "probe\n", "\n");
	assert_int_equal(b->n_hints, 1);
	assert_int_equal(b->hinted, 0);
	expect_reply(b, b->admin, "probe main\n", "\n");
	assert_int_equal(b->n_hints, 2);
	expect_reply(b, b->admin, "probe other\n", "No such cluster.\n\n");
	expect_reply(b, b->user, "probe main\n", "Permission denied\n\n");
	assert_int_equal(b->n_hints, 2);
}

static void test_events_come_from_the_owners_journal(void **state)
{
	struct bench *b = *state;
	struct change c = {.type = CHANGE_LEADERSHIP, .from = -1, .to = 1, .timeline = 3};

	journal_change(&b->journal, &c, &(struct tally){0}, 1000, 2000);
	char *reply = ask(b, b->admin, "show events\n");
	assert_non_null(strstr(reply, " main: (start) -> n2, timeline - -> 3\n"));
	free(reply);
}

static void answer(struct bench *b, unsigned worker, uint64_t request)
{
	struct session_info *list = xcalloc(1, sizeof(*list));

	list[0].id = worker + 1;
	strcpy(list[0].client, "127.0.0.1:1");
	strcpy(list[0].state, "relaying");
	operators_sessions(b->ops, request, list, 1);
}

static void test_sess_waits_for_every_worker(void **state)
{
	struct bench *b = *state;
	struct buf out = {0};
	int fd = dial(b->admin);

	say(fd, "show version;show sess;show version\n");
	run_until(b, &b->n_asked, 1);
	answer(b, 0, b->request);
	answer(b, 0, b->request + 7); /* not what we asked */
	answer(b, 1, b->request);
	answer(b, 1, b->request); /* too late */
	listen_until(b, fd, NULL, &out);
	assert_memory_equal(out.data, VERSION "0x1: ", strlen(VERSION "0x1: "));
	assert_non_null(
		strstr(out.data, "\n0x2: proto=tcpv4 src=127.0.0.1:1 fe=write be=write srv=n1 "));
	assert_non_null(strstr(out.data, "scb=[fd=0]\n\n" VERSION));
	buf_fini(&out);
	close(fd);
}

static void test_one_session_is_shut_down_by_its_id(void **state)
{
	struct bench *b = *state;
	struct buf out = {0};
	int fd = dial(b->admin);

	say(fd, "shutdown session 0x2;shutdown session 0x9\n");
	run_until(b, &b->n_asked, 1);
	answer(b, 0, b->request);
	answer(b, 1, b->request);
	run_until(b, &b->n_asked, 2);
	assert_int_equal(b->told.type, MSG_SHUTDOWN_SESSION);
	assert_int_equal(b->told.u.shutdown_session.id, 2);
	answer(b, 0, b->request);
	answer(b, 1, b->request);
	listen_until(b, fd, NULL, &out);
	assert_string_equal(out.data, "\nNo such session (use 'show sess').\n\n");
	assert_int_equal(b->n_told, 1);
	buf_fini(&out);
	close(fd);
}

static void test_two_clients_share_one_question(void **state)
{
	struct bench *b = *state;
	struct buf out = {0};
	int one = dial(b->admin), two = dial(b->admin);

	say(one, "show sess\n");
	run_until(b, &b->n_asked, 1);
	say(two, "show version;show sess\n");
	expect_reply(b, b->user, "show version\n", VERSION); /* by now both were read */
	answer(b, 0, b->request);
	answer(b, 1, b->request);
	listen_until(b, one, NULL, &out);
	assert_memory_equal(out.data, "0x1: ", 5);
	buf_clear(&out);
	listen_until(b, two, NULL, &out);
	assert_non_null(strstr(out.data, "\n\n0x1: "));
	assert_int_equal(b->n_asked, 1);
	buf_fini(&out);
	close(one);
	close(two);
}

static void test_a_silent_worker_is_left_out(void **state)
{
	struct bench *b = *state;
	struct buf out = {0};
	int fd = dial(b->admin);

	say(fd, "show sess\n");
	run_until(b, &b->n_asked, 1);
	answer(b, 1, b->request);
	listen_until(b, fd, NULL, &out); /* the deadline ends it */
	assert_memory_equal(out.data, "0x2: ", 5);
	buf_fini(&out);
	close(fd);
}

static void test_no_worker_at_all_is_an_empty_list(void **state)
{
	struct bench *b = *state;

	b->n_workers = 0;
	expect_reply(b, b->admin, "show sess;show sess\n", "\n\n");
	assert_int_equal(b->n_asked, 2);
}

static void test_a_client_may_leave_while_it_waits(void **state)
{
	struct bench *b = *state;
	int fd = dial(b->admin);
	struct linger reset = {.l_onoff = 1};

	say(fd, "show sess\n");
	run_until(b, &b->n_asked, 1);
	setsockopt(fd, SOL_SOCKET, SO_LINGER, &reset, sizeof(reset));
	close(fd);
	expect_reply(b, b->user, "show version\n", VERSION);
	answer(b, 0, b->request);
	answer(b, 1, b->request);
	expect_reply(b, b->user, "show version\n", VERSION);
}

/* Teardown closes the operators with the question open. */
static void test_closing_while_a_client_waits(void **state)
{
	struct bench *b = *state;
	int fd = dial(b->admin);

	say(fd, "show sess\n");
	run_until(b, &b->n_asked, 1);
	answer(b, 0, b->request);
	close(fd);
}

static void test_facts_come_from_view_scoreboard_and_process(void **state)
{
	struct bench *b = *state;
	struct view *v = view_new(b->config);

	v->listeners[0].servers[0].state = SERVER_OPEN;
	strcpy(v->listeners[0].servers[0].ip, "127.0.0.77");
	view_finish(v);
	operators_view(b->ops, v, clock_ms());
	view_unref(v);
	operators_stopping(b->ops);
	COUNT(scoreboard_row(b->board, 1, 0), sessions, 5);
	char *stat = ask(b, b->admin, "show stat;show info\n");
	assert_non_null(strstr(stat, "127.0.0.77:5432"));
	assert_non_null(strstr(stat, "\nwrite,FRONTEND,,,0,0,10000,5,"));
	assert_non_null(strstr(stat, "\nStopping: 1\n"));
	assert_non_null(strstr(stat, "\nCumConns: 5\nCumReq: 0\n"));
	assert_non_null(strstr(stat, "\nConnRate: 5\n"));
	free(stat);
}

static void test_a_socket_in_use_is_one_sentence(void **state)
{
	struct bench *b = *state;
	struct operators_setup s = bench_setup(b);
	struct operators *second = NULL;
	struct err e = {""};

	assert_true(operators_open(&s, &second, &e) < 0);
	assert_null(second);
	assert_non_null(strstr(e.text, b->admin));
	expect_reply(b, b->admin, "show version\n", VERSION); /* the first one is still there */
}

int main(void)
{
	const struct CMUnitTest tests[] = {
#define TEST(f) cmocka_unit_test_setup_teardown(f, setup, teardown)
		TEST(test_one_command_is_answered_and_closed),
		TEST(test_semicolons_and_lines_are_all_answered),
		TEST(test_quit_ends_without_a_word),
		TEST(test_prompt_mode_stays_open_until_quit),
		TEST(test_the_socket_decides_the_level),
		TEST(test_orders_reach_the_owner),
		TEST(test_weight_and_health_are_words_to_the_monitor),
		TEST(test_limits_are_set_where_all_workers_read_them),
		TEST(test_a_frontend_is_disabled_enabled_and_shut_down),
		TEST(test_counters_are_cleared_for_those_who_look),
		TEST(test_a_level_is_lowered_for_this_connection_only),
		TEST(test_severity_is_said_when_asked_for),
		TEST(test_a_payload_is_no_command),
		TEST(test_probe_is_a_hint_for_one_cluster_or_all),
		TEST(test_events_come_from_the_owners_journal),
		TEST(test_sess_waits_for_every_worker),
		TEST(test_one_session_is_shut_down_by_its_id),
		TEST(test_two_clients_share_one_question),
		TEST(test_a_silent_worker_is_left_out),
		TEST(test_no_worker_at_all_is_an_empty_list),
		TEST(test_a_client_may_leave_while_it_waits),
		TEST(test_closing_while_a_client_waits),
		TEST(test_facts_come_from_view_scoreboard_and_process),
		TEST(test_a_socket_in_use_is_one_sentence),
	};
	signal(SIGPIPE, SIG_IGN); /* as the process does */
	return cmocka_run_group_tests(tests, NULL, NULL);
}
