/* `show info`, `show clusters`, `show sess` and `show workers`. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>

#include <cmocka.h>

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

/* HAProxy 2.6.12, in its order. */
static const char *const info_names[] = {
	"Name",
	"Version",
	"Release_date",
	"Nbthread",
	"Nbproc",
	"Process_num",
	"Pid",
	"Uptime",
	"Uptime_sec",
	"Memmax_MB",
	"PoolAlloc_MB",
	"PoolUsed_MB",
	"PoolFailed",
	"Ulimit-n",
	"Maxsock",
	"Maxconn",
	"Hard_maxconn",
	"CurrConns",
	"CumConns",
	"CumReq",
	"MaxSslConns",
	"CurrSslConns",
	"CumSslConns",
	"Maxpipes",
	"PipesUsed",
	"PipesFree",
	"ConnRate",
	"ConnRateLimit",
	"MaxConnRate",
	"SessRate",
	"SessRateLimit",
	"MaxSessRate",
	"SslRate",
	"SslRateLimit",
	"MaxSslRate",
	"SslFrontendKeyRate",
	"SslFrontendMaxKeyRate",
	"SslFrontendSessionReuse_pct",
	"SslBackendKeyRate",
	"SslBackendMaxKeyRate",
	"SslCacheLookups",
	"SslCacheMisses",
	"CompressBpsIn",
	"CompressBpsOut",
	"CompressBpsRateLim",
	"Tasks",
	"Run_queue",
	"Idle_pct",
	"node",
	"Stopping",
	"Jobs",
	"Unstoppable Jobs",
	"Listeners",
	"ActivePeers",
	"ConnectedPeers",
	"DroppedLogs",
	"BusyPolling",
	"FailedResolutions",
	"TotalBytesOut",
	"TotalSplicdedBytesOut",
	"BytesOutRate",
	"DebugCommandsIssued",
	"CumRecvLogs",
	"Build info",
	"Memmax_bytes",
	"PoolAlloc_bytes",
	"PoolUsed_bytes",
	"Start_time_sec",
	"Tainted",
};

static void test_info_has_haproxys_lines_in_its_order(void **state)
{
	char *copy = xstrdup(world_run(*state, "show info")), *rest = copy, *line;

	for (size_t i = 0; i < sizeof(info_names) / sizeof(info_names[0]); i++) {
		line = strsep(&rest, "\n");
		char *colon = strchr(line, ':');
		assert_non_null(colon);
		*colon = '\0';
		assert_string_equal(line, info_names[i]);
		assert_int_equal(colon[1], ' ');
		assert_true(colon[2] != '\0');
		assert_null(strchr(colon + 2, ':')); /* Datadog and others split at every colon */
	}
	assert_string_equal(rest, "");
	free(copy);
}

static void expect_info(struct world *w, const char *line)
{
	const char *text = world_run(w, "show info");
	const char *at = strstr(text, line);

	if (!at || (at != text && at[-1] != '\n') || at[strlen(line)] != '\n')
		fail_msg("no line '%s' in\n%s", line, text);
}

static void test_info_tells_what_the_process_is_and_does(void **state)
{
	struct world *w = *state;

	w->process.sessions_now = 7;
	w->process.stopping = true;
	w->rows[0].sum.sessions = 40;
	w->rows[1].sum.sessions = 2;
	w->rows[2].sum.sessions = 99; /* a server's: not ours to add */
	w->rows[0].sum.bytes_out = 1000;
	expect_info(w, "Name: HAProxy");
	expect_info(w, "Pid: 4711");
	expect_info(w, "Uptime: 1d 2h03m04s");
	expect_info(w, "Uptime_sec: 93784");
	expect_info(w, "Nbthread: 4");
	expect_info(w, "Maxconn: 20000");
	expect_info(w, "CurrConns: 7");
	expect_info(w, "CumConns: 42");
	expect_info(w, "TotalBytesOut: 1000");
	expect_info(w, "Idle_pct: 99");
	expect_info(w, "Stopping: 1");
	expect_info(w, "node: db1");
}

static void test_node_is_never_empty_and_has_no_colon(void **state)
{
	struct world *w = *state;

	w->process.node[0] = '\0';
	expect_info(w, "node: isari");
	strcpy(w->process.node, "a: b");
	expect_info(w, "node: a--b");
}

static void test_release_date_is_a_date(void **state)
{
	const char *at = strstr(world_run(*state, "show info"), "Release_date: ") + 14;

	assert_int_equal(strspn(at, "0123456789/"), 10);
	assert_int_equal(at[4], '/');
	assert_int_equal(at[7], '/');
	assert_true(strncmp(at + 5, "01", 2) >= 0 && strncmp(at + 5, "12", 2) <= 0);
}

static void test_clusters_are_a_line_and_a_table(void **state)
{
	static const char *const lines[] = {
		"main: primary n1 since 3m12s, timeline 5: n1 proves that it is the writable "
		"primary\n",
		"  node  role     state    timeline  lag    last answer                         "
		"why\n",
		"  n1    primary  running  5         -      200, 300ms ago                      ",
		"proves that it is the writable primary\n",
		"  n2    replica  running  5         4096B  503, 300ms ago                      ",
		"answers that it does not hold the leader lock\n",
		"  n3    -        -        -         -      connection refused, never answered  ",
		"is silent and its PostgreSQL port refuses\n",
	};
	struct buf expected = {0};

	for (size_t i = 0; i < sizeof(lines) / sizeof(lines[0]); i++)
		buf_puts(&expected, lines[i]);
	assert_string_equal(world_run(*state, "show clusters"), expected.data);
	buf_fini(&expected);
}

static void test_a_cluster_without_primary_names_whom_it_blames(void **state)
{
	struct world *w = *state;
	struct view_listener *l = &w->view->listeners[0];

	w->clusters[0] = (struct cluster_report){
		.primary = -1, .why = WHY_LEASE_ENDED, .since_ms_ago = 3200, .in_doubt = true};
	l->none_member = 0;
	l->none_why = WHY_LEASE_ENDED;
	const char *text = world_run(w, "show clusters");
	static const char first[] =
		"main: no primary since 3.2s, asked fast: n1 gave no new proof before its "
		"lease ended\n";
	assert_memory_equal(text, first, strlen(first));

	w->clusters[0].why = WHY_NO_PROOF;
	w->clusters[0].in_doubt = false;
	text = world_run(w, "show clusters");
	static const char second[] =
		"main: no primary since 3.2s: no member has proven to be primary\n";
	assert_memory_equal(text, second, strlen(second));
}

/* 3 am: the page, the CLI and the metrics must not tell different stories. */
static void test_a_primary_in_doubt_is_told_with_the_doubt_everywhere(void **state)
{
	static const char *const commands[] = {"show clusters", "show clusters json"};
	struct world *w = *state;
	char doubt[128];

	w->members[0].outcome = OUTCOME_TIMEOUT;
	w->members[0].why = WHY_REST_SILENT;
	w->clusters[0].in_doubt = true;
	snprintf(doubt, sizeof(doubt), "n1 %s", why_text(WHY_REST_SILENT));
	for (size_t i = 0; i < 2; i++)
		assert_non_null(strstr(world_run(w, commands[i]), doubt));
}

static void test_who_waits_is_a_line_of_its_listener(void **state)
{
	struct world *w = *state;
	struct row_facts *primary = &w->rows[0];

	primary->sum.held = 412;
	primary->sum.released = 371;
	primary->waiting_now = 37;
	primary->waiting_ms = 1234;
	w->rows[2].sum.held = 9; /* a server's: nobody waits there */
	const char *text = world_run(w, "show clusters");
	assert_non_null(strstr(text, "\n  primary: 37 waiting, longest 1.2s; "
				     "since the start 412 held, 371 released\n"));
	assert_null(strstr(text, "  replica:"));
	primary->waiting_now = 0;
	primary->waiting_ms = -1;
	assert_non_null(strstr(world_run(w, "show clusters"),
			       "\n  primary: 0 waiting; since the start 412 held, "));
}

static void test_a_silent_member_shows_no_role_of_the_past(void **state)
{
	struct world *w = *state;

	w->members[1].claim = CLAIM_PRIMARY; /* died as one; n1 is the primary now */
	w->members[1].outcome = OUTCOME_REFUSED;
	assert_non_null(
		strstr(world_run(w, "show clusters"),
		       "  n2    -        -        -         -    connection refused, answered "));
	w->members[0].outcome = OUTCOME_TIMEOUT; /* in doubt, but still the primary */
	assert_non_null(strstr(world_run(w, "show clusters"), "  n1    primary  running  5 "));
}

static void test_large_lag_is_readable(void **state)
{
	struct world *w = *state;

	w->members[1].lag_bytes = 3ull << 30;
	assert_non_null(strstr(world_run(w, "show clusters"), " 3072MB "));
	w->members[1].lag_bytes = UINT64_MAX;
	assert_non_null(strstr(world_run(w, "show clusters"), " 16383PB "));
}

static void test_sess_asks_for_the_list_first(void **state)
{
	struct world *w = *state;

	assert_string_equal(world_run(w, "show sess"), "");
	assert_int_equal(w->order.type, ORDER_NEED_SESSIONS);
	w->facts.have_sessions = true;
	assert_string_equal(world_run(w, "show sess"), "");
	assert_int_equal(w->order.type, ORDER_NONE);
}

static void test_sess_is_one_line_per_session_in_haproxys_shape(void **state)
{
	struct world *w = *state;
	const struct session_info list[] = {
		{.id = 0x1000000000002a,
		 .server = 0,
		 .state = "relaying",
		 .client = "127.0.0.1:41508",
		 .server_local = "10.0.0.9:53448",
		 .age_ms = 3723000,
		 .idle_ms = 59999,
		 .bytes_in = 6,
		 .bytes_out = 7,
		 .client_fd = 13,
		 .server_fd = 14},
		{.id = 1,
		 .listener = 1,
		 .server = -1,
		 .state = "greeting",
		 .client = "[::1]:5",
		 .client_fd = 9,
		 .server_fd = -1},
		{.id = 2,
		 .listener = 1,
		 .server = -1,
		 .state = "greeting",
		 .client = "unix:1",
		 .client_fd = 9,
		 .server_fd = -1},
		{.id = 3, .listener = 77},
	};

	w->facts.have_sessions = true;
	w->facts.sessions = list;
	w->facts.n_sessions = 4;
	assert_string_equal(
		world_run(w, "show sess"),
		"0x1000000000002a: proto=tcpv4 src=127.0.0.1:41508 fe=primary be=primary srv=n1 "
		"ts=00 age=1h2m "
		"idle=59s state=relaying in=6 out=7 local=10.0.0.9:53448 scf=[fd=13] scb=[fd=14]\n"
		"0x1: proto=tcpv6 src=[::1]:5 fe=replica be=replica srv=<none> ts=00 age=0s "
		"idle=0s "
		"state=greeting in=0 out=0 local=<none> scf=[fd=9] scb=[fd=-1]\n"
		"0x2: proto=unix_stream src=unix:1 fe=replica be=replica srv=<none> ts=00 age=0s "
		"idle=0s "
		"state=greeting in=0 out=0 local=<none> scf=[fd=9] scb=[fd=-1]\n");
}

static void test_workers_are_a_table_of_threads(void **state)
{
	struct world *w = *state;
	const struct worker_numbers workers[] = {
		{.sessions = 12,
		 .turns = 3456,
		 .sleeps = 3400,
		 .longest_turn_us = 1789,
		 .late = 5,
		 .spins = 20,
		 .spun_us = 250,
		 .generation = 42,
		 .coalesced = UINT64_MAX,
		 .spliced = 1048576},
		{.turns = 1, .long_turns = 1, .longest_turn_us = 2001, .generation = 41},
	};

	w->facts.workers = workers;
	w->facts.n_workers = 2;
	assert_string_equal(world_run(w, "show workers"),
			    "worker  sessions  turns  sleeps  longest_us  over_2ms  late  spins  "
			    "spun_us  view  "
			    "coalesced             spliced\n"
			    "0       12        3456   3400    1789        0         5     20     "
			    "250      42    "
			    "18446744073709551615  1048576\n"
			    "1       0         1      0       2001        1         0     0      0 "
			    "       41    "
			    "0                     0\n");
}

int main(void)
{
	const struct CMUnitTest tests[] = {
#define TEST(f) cmocka_unit_test_setup_teardown(f, setup, teardown)
		TEST(test_info_has_haproxys_lines_in_its_order),
		TEST(test_info_tells_what_the_process_is_and_does),
		TEST(test_node_is_never_empty_and_has_no_colon),
		TEST(test_release_date_is_a_date),
		TEST(test_clusters_are_a_line_and_a_table),
		TEST(test_who_waits_is_a_line_of_its_listener),
		TEST(test_a_silent_member_shows_no_role_of_the_past),
		TEST(test_a_cluster_without_primary_names_whom_it_blames),
		TEST(test_a_primary_in_doubt_is_told_with_the_doubt_everywhere),
		TEST(test_large_lag_is_readable),
		TEST(test_sess_asks_for_the_list_first),
		TEST(test_sess_is_one_line_per_session_in_haproxys_shape),
		TEST(test_workers_are_a_table_of_threads),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
