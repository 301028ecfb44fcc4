/* The read-only commands of HAProxy's runtime API but for `show stat`, against what HAProxy 2.6.12
 * printed for the same situation. */
#include "admin/command.h"
#include "unit/admin/world.h"
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>

#include <cmocka.h>

/* clang-format off */
static const char *const typed_fields[] = {
	"0.Name.1:POS:str",
	"1.Version.1:POS:str",
	"2.Release_date.1:POS:str",
	"3.Nbthread.1:CGS:u32",
	"4.Nbproc.1:CGS:u32",
	"5.Process_num.1:KGP:u32",
	"6.Pid.1:SGP:u32",
	"7.Uptime.1:MDP:str",
	"8.Uptime_sec.1:MDP:u32",
	"9.Memmax_MB.1:CLP:u32",
	"10.PoolAlloc_MB.1:MGP:u32",
	"11.PoolUsed_MB.1:MGP:u32",
	"12.PoolFailed.1:MCP:u32",
	"13.Ulimit-n.1:CLP:u32",
	"14.Maxsock.1:CLP:u32",
	"15.Maxconn.1:CLP:u32",
	"16.Hard_maxconn.1:CLP:u32",
	"17.CurrConns.1:MGP:u32",
	"18.CumConns.1:MCP:u32",
	"19.CumReq.1:MCP:u32",
	"20.MaxSslConns.1:MMP:u32",
	"21.CurrSslConns.1:MGP:u32",
	"22.CumSslConns.1:MCP:u32",
	"23.Maxpipes.1:CLP:u32",
	"24.PipesUsed.1:MGP:u32",
	"25.PipesFree.1:MGP:u32",
	"26.ConnRate.1:MRP:u32",
	"27.ConnRateLimit.1:CLP:u32",
	"28.MaxConnRate.1:MMP:u32",
	"29.SessRate.1:MRP:u32",
	"30.SessRateLimit.1:CLP:u32",
	"31.MaxSessRate.1:MRP:u32",
	"32.SslRate.1:MRP:u32",
	"33.SslRateLimit.1:CLP:u32",
	"34.MaxSslRate.1:MMP:u32",
	"35.SslFrontendKeyRate.1:MGP:u32",
	"36.SslFrontendMaxKeyRate.1:MMP:u32",
	"37.SslFrontendSessionReuse_pct.1:MGP:u32",
	"38.SslBackendKeyRate.1:MRP:u32",
	"39.SslBackendMaxKeyRate.1:MMP:u32",
	"40.SslCacheLookups.1:MCP:u32",
	"41.SslCacheMisses.1:MCP:u32",
	"42.CompressBpsIn.1:MRP:u32",
	"43.CompressBpsOut.1:MRP:u32",
	"44.CompressBpsRateLim.1:CLP:u32",
	"47.Tasks.1:MGP:u32",
	"48.Run_queue.1:MGP:u32",
	"49.Idle_pct.1:MaP:u32",
	"50.node.1:COS:str",
	"52.Stopping.1:MGP:u32",
	"53.Jobs.1:MGP:u32",
	"54.Unstoppable Jobs.1:MGP:u32",
	"55.Listeners.1:MGP:u32",
	"56.ActivePeers.1:MGP:u32",
	"57.ConnectedPeers.1:MGP:u32",
	"58.DroppedLogs.1:MGP:u32",
	"59.BusyPolling.1:MGP:u32",
	"60.FailedResolutions.1:MGP:u32",
	"61.TotalBytesOut.1:MGP:u64",
	"62.TotalSplicdedBytesOut.1:MGP:u64",
	"63.BytesOutRate.1:MRP:u64",
	"64.DebugCommandsIssued.1:MGP:u32",
	"65.CumRecvLogs.1:MCP:u32",
	"66.Build info.1:POS:str",
	"67.Memmax_bytes.1:CLP:u32",
	"68.PoolAlloc_bytes.1:MGP:u64",
	"69.PoolUsed_bytes.1:MGP:u64",
	"70.Start_time_sec.1:MDP:u32",
	"71.Tainted.1:SGP:str",
};

/* With `float`, these instead. */
static const char *const float_fields[] = {
	"8.Uptime_sec.1:MDP:flt",
	"26.ConnRate.1:MRP:flt",
	"29.SessRate.1:MRP:flt",
	"32.SslRate.1:MRP:flt",
	"35.SslFrontendKeyRate.1:MRP:flt",
	"37.SslFrontendSessionReuse_pct.1:MRP:flt",
	"38.SslBackendKeyRate.1:MRP:flt",
	"42.CompressBpsIn.1:MRP:flt",
	"43.CompressBpsOut.1:MRP:flt",
	"70.Start_time_sec.1:MDP:flt",
};
/* clang-format on */

enum { N_FIELDS = sizeof(typed_fields) / sizeof(typed_fields[0]) };
enum { N_FLOATS = sizeof(float_fields) / sizeof(float_fields[0]) };

static int setup(void **state)
{
	struct world *w = world_new();
	struct listener_config *l = &w->config->listeners[1];

	free(l->frontend_name);
	free(l->backend_name);
	l->frontend_name = xstrdup("fe_ro");
	l->backend_name = xstrdup("be_ro");
	config_finish(w->config);
	for (unsigned i = 0; i < WORLD_MEMBERS; i++)
		w->config->members[i].weight = 1;
	w->process.threads = 2;
	*state = w;
	return 0;
}

static int teardown(void **state)
{
	world_free(*state);
	return 0;
}

/* ---- show info ---- */

static const char *as_float(const char *field)
{
	for (size_t i = 0; i < N_FLOATS; i++)
		if (strcspn(field, ":") == strcspn(float_fields[i], ":") &&
		    strncmp(field, float_fields[i], strcspn(field, ":")) == 0)
			return float_fields[i];
	return field;
}

static void expect_fields(struct world *w, const char *command, bool real)
{
	char *copy = xstrdup(world_run(w, command)), *rest = copy;

	for (size_t i = 0; i < N_FIELDS; i++) {
		const char *want = real ? as_float(typed_fields[i]) : typed_fields[i];
		const char *line = strsep(&rest, "\n");

		if (strncmp(line, want, strlen(want)) != 0 || line[strlen(want)] != ':')
			fail_msg("%s: '%s', HAProxy has '%s'", command, line, want);
	}
	assert_string_equal(rest, "");
	free(copy);
}

static void test_typed_info_has_haproxys_numbers_tags_and_types(void **state)
{
	expect_fields(*state, "show info typed", false);
	expect_fields(*state, "show info typed desc", false);
	expect_fields(*state, "show info typed float", true);
}

static void expect_line(struct world *w, const char *command, const char *line)
{
	const char *text = world_run(w, command), *at = strstr(text, line);

	if (!at || (at != text && at[-1] != '\n') || at[strlen(line)] != '\n')
		fail_msg("%s: no line '%s' in\n%s", command, line, text);
}

static void test_fractions_are_shown_where_they_are_asked_for(void **state)
{
	struct world *w = *state;

	w->process.uptime_ms = 99692;
	w->process.rate = 7;
	expect_line(w, "show info", "Uptime_sec: 99");
	expect_line(w, "show info float", "Uptime_sec: 99.692");
	expect_line(w, "show info typed float", "8.Uptime_sec.1:MDP:flt:99.692");
	expect_line(w, "show info typed float", "26.ConnRate.1:MRP:flt:7");
	expect_line(w, "show info desc", "Name: HAProxy:\"Product name\"");
	expect_line(w, "show info typed desc", "0.Name.1:POS:str:HAProxy:\"Product name\"");
	static const char json[] =
		"[{\"field\":{\"pos\":0,\"name\":\"Name\"},\"processNum\":1,\"tags\":{\"origin\":"
		"\"Product\",\"nature\":\"Output\",\"scope\":\"Service\"},\"value\":{\"type\":"
		"\"str\",\"value\":\"HAProxy\"}},{";
	assert_memory_equal(world_run(w, "show info json"), json, strlen(json));
}

static void test_info_has_real_numbers_where_there_are_any(void **state)
{
	struct world *w = *state;
	struct meters *meters = meters_new(w->config);
	const struct worker_numbers workers[] = {
		{.pool_bytes = 3 << 20, .pool_used_bytes = 1 << 20, .pipes = 5, .pipes_used = 2},
		{.pool_bytes = 1 << 20, .pipes = 1, .spliced = 4096},
	};

	meters->lookups = 9;
	meters->failed_lookups = 4;
	w->facts.meters = meters;
	w->facts.workers = workers;
	w->facts.n_workers = 2;
	w->process.pipes_max = 32;
	w->process.maxconn = 500;
	w->process.rate_limit[RATE_CONNECTIONS] = 77;
	w->config->spin_us = 50;
	expect_line(w, "show info", "PoolAlloc_MB: 4");
	expect_line(w, "show info", "PoolUsed_bytes: 1048576");
	expect_line(w, "show info", "Maxpipes: 32");
	expect_line(w, "show info", "PipesUsed: 2");
	expect_line(w, "show info", "PipesFree: 4");
	expect_line(w, "show info", "TotalSplicdedBytesOut: 4096");
	expect_line(w, "show info", "Maxconn: 500");
	expect_line(w, "show info", "Hard_maxconn: 20000");
	expect_line(w, "show info", "ConnRateLimit: 77");
	expect_line(w, "show info", "SessRateLimit: 0");
	expect_line(w, "show info", "BusyPolling: 1");
	expect_line(w, "show info", "FailedResolutions: 4");
	expect_line(w, "show resolvers", "  sent:        9");
	expect_line(w, "show resolvers", "  valid:       5");
	expect_line(w, "show resolvers", "  any_err:     4");
	expect_line(w, "show resolvers", "  truncated:   0");
	assert_string_equal(world_run(w, "show resolvers nope"),
			    "Can't find that resolvers section\n");
	meters_free(meters);
}

/* ---- servers ---- */

#define STATE_HEADER                                                                            \
	"1\n# be_id be_name srv_id srv_name srv_addr srv_op_state srv_admin_state srv_uweight " \
	"srv_iweight srv_time_since_last_change srv_check_status srv_check_result "             \
	"srv_check_health srv_check_state srv_agent_state bk_f_forced_id srv_f_forced_id "      \
	"srv_fqdn srv_port srvrecord srv_use_ssl srv_check_port srv_check_addr srv_agent_addr " \
	"srv_agent_port\n"

static void test_servers_state_is_haproxys_row_by_row(void **state)
{
	assert_string_equal(
		world_run(*state, "show servers state"), STATE_HEADER
		"2 primary 1 n1 10.0.0.1 2 0 1 1 4 15 3 4 6 0 0 0 - 5432 - 0 8008 - - 8008\n"
		"2 primary 2 n2 10.0.0.2 0 0 1 1 4 17 2 0 6 0 0 0 - 5432 - 0 8008 - - 8008\n"
		"2 primary 3 n3 10.0.0.3 0 0 1 1 4 8 2 0 6 0 0 0 - 5432 - 0 8008 - - 8008\n"
		"4 be_ro 1 n1 10.0.0.1 0 0 1 1 4 17 2 0 6 0 0 0 - 5432 - 0 8008 - - 8008\n"
		"4 be_ro 2 n2 10.0.0.2 2 0 1 1 4 15 3 4 6 0 0 0 - 5432 - 0 8008 - - 8008\n"
		"4 be_ro 3 n3 10.0.0.3 0 0 1 1 4 8 2 0 6 0 0 0 - 5432 - 0 8008 - - 8008\n");
}

static void test_servers_state_tells_of_an_operators_orders(void **state)
{
	struct world *w = *state;
	struct server_report *n1 = world_server(w, 0, 0), *n2 = world_server(w, 1, 1);

	n1->admin = ADMIN_MAINT;
	n1->state = SERVER_CLOSED;
	n1->check_status = 503; /* it is closed; its Patroni says that it is the primary */
	w->members[0].roles = ROLE_BIT(ROLE_PRIMARY);
	n2->admin = ADMIN_DRAIN;
	n2->state = SERVER_KEPT;
	n2->why = WHY_DRAIN;
	n2->weight = 50;
	expect_line(w, "show servers state primary",
		    "2 primary 1 n1 10.0.0.1 0 1 1 1 4 15 3 0 14 0 0 0 - 5432 - 0 8008 - - 8008");
	expect_line(w, "show servers state be_ro",
		    "4 be_ro 2 n2 10.0.0.2 2 8 50 1 4 15 3 4 6 0 0 0 - 5432 - 0 8008 - - 8008");
	n2->why = WHY_HEALTH_STOPPING;
	expect_line(w, "show servers state #4",
		    "4 be_ro 2 n2 10.0.0.2 3 8 50 1 4 15 3 4 6 0 0 0 - 5432 - 0 8008 - - 8008");
	assert_string_equal(world_run(w, "show servers state nope"), "Can't find backend.\n");
	assert_string_equal(world_run(w, "show servers state fe_ro"), "Can't find backend.\n");
}

static void test_servers_state_has_names_and_addresses_where_they_are(void **state)
{
	struct world *w = *state;
	struct member_config *n1 = &w->config->members[0];

	free(n1->host);
	n1->host = xstrdup("pg1.example.com"); /* and Patroni is asked at 10.0.0.1 */
	expect_line(w, "show servers state primary",
		    "2 primary 1 n1 - 2 0 1 1 4 15 3 4 6 0 0 0 pg1.example.com 5432 - 0 8008 "
		    "10.0.0.1 - 8008");
	strcpy(w->view->listeners[0].servers[0].ip, "10.9.9.9");
	expect_line(
		w, "show servers state primary",
		"2 primary 1 n1 10.9.9.9 2 0 1 1 4 15 3 4 6 0 0 0 pg1.example.com 5432 - 0 8008 "
		"10.0.0.1 - 8008");
	n1->socket_path = xstrdup("/run/pg/.s.PGSQL.5432");
	expect_line(w, "show servers state primary",
		    "2 primary 1 n1 - 2 0 1 1 4 15 3 4 6 0 0 0 - 5432 - 0 8008 10.0.0.1 - 8008");
}

static void test_a_server_that_was_not_asked_yet_is_initializing(void **state)
{
	world_set(*state, 0, 0, SERVER_CLOSED, OUTCOME_NONE, 0);
	expect_line(*state, "show servers state primary",
		    "2 primary 1 n1 10.0.0.1 0 0 1 1 4 1 0 0 6 0 0 0 - 5432 - 0 8008 - - 8008");
}

static void test_servers_conn_has_a_zero_per_thread(void **state)
{
	assert_string_equal(
		world_run(*state, "show servers conn be_ro"),
		"# bkname/svname bkid/svid addr port - purge_delay used_cur used_max need_est "
		"unsafe_nb safe_nb idle_lim idle_cur idle_per_thr[2]\n"
		"be_ro/n1 4/1 10.0.0.1 5432 - 5000 0 1 1 0 0 -1 0 0 0\n"
		"be_ro/n2 4/2 10.0.0.2 5432 - 5000 0 1 1 0 0 -1 0 0 0\n"
		"be_ro/n3 4/3 10.0.0.3 5432 - 5000 0 1 1 0 0 -1 0 0 0\n");
	assert_string_equal(world_run(*state, "show servers conn nope"), "Can't find backend.\n");
}

static void test_backends_are_listed_without_frontends(void **state)
{
	assert_string_equal(world_run(*state, "show backend"), "# name\nprimary\nbe_ro\n");
}

/* ---- sessions ---- */

static const struct session_info sessions[] = {
	{.id = 0x1000000000002a,
	 .listener = 1,
	 .server = 1,
	 .state = "relaying",
	 .client = "127.0.0.1:41508",
	 .server_local = "10.0.0.9:53448",
	 .age_ms = 2500,
	 .idle_ms = 1000,
	 .bytes_in = 6,
	 .bytes_out = 7,
	 .client_fd = 13,
	 .server_fd = 14},
	{.id = 1,
	 .server = -1,
	 .state = "held",
	 .client = "[::1]:5",
	 .client_fd = 9,
	 .server_fd = -1},
};

#define DETAILS_OF_42                                                                   \
	"0x1000000000002a: [20/Nov/2026:07:20:35.887] id=4503599627370538 proto=tcpv4 " \
	"source=127.0.0.1:41508\n"                                                      \
	"  state=relaying age=2s idle=1s in=6 out=7\n"                                  \
	"  frontend=fe_ro (id=3 mode=tcp), listener=? (id=1) addr=127.0.0.1:5001\n"     \
	"  backend=be_ro (id=4 mode=tcp) addr=10.0.0.9:53448\n"                         \
	"  server=n2 (id=2) addr=10.0.0.2:5432\n"                                       \
	"  scf=[fd=13] scb=[fd=14]\n"

static void give_sessions(struct world *w)
{
	struct listener_config *l = &w->config->listeners[1];

	w->facts.have_sessions = true;
	w->facts.sessions = sessions;
	w->facts.n_sessions = 2;
	w->process.wall_ms = 1795159238387;
	l->binds = xcalloc(1, sizeof(*l->binds));
	l->n_binds = 1;
	l->binds[0] = (struct addr){.kind = ADDR_TCP, .port = 5001, .host = "127.0.0.1"};
}

static void test_a_session_is_shown_whole_by_its_id(void **state)
{
	struct world *w = *state;

	give_sessions(w);
	assert_string_equal(world_run(w, "show sess 0x1000000000002a"), DETAILS_OF_42);
	assert_string_equal(world_run(w, "show sess 0x1"),
			    "0x1: [20/Nov/2026:07:20:38.387] id=1 proto=tcpv6 source=[::1]:5\n"
			    "  state=held age=0s idle=0s in=0 out=0\n"
			    "  frontend=primary (id=2 mode=tcp), listener=? (id=1) addr=\n"
			    "  backend=primary (id=2 mode=tcp) addr=<none>\n"
			    "  server=<NONE> (id=-1)\n"
			    "  scf=[fd=9] scb=[fd=-1]\n");
	assert_memory_equal(world_run(w, "show sess all"), DETAILS_OF_42, strlen(DETAILS_OF_42));
	assert_non_null(strstr(w->out.data, "\n0x1: ["));
	assert_string_equal(world_run(w, "show sess 0x1234"), "Session not found.\n");
}

static void test_a_word_that_is_no_id_shows_all_sessions(void **state)
{
	struct world *w = *state;

	give_sessions(w);
	char *all = xstrdup(world_run(w, "show sess"));
	assert_string_equal(world_run(w, "show sess nope"), all);
	assert_string_equal(world_run(w, "show sess 0x0"), all);
	assert_non_null(strstr(all, " fe=fe_ro be=be_ro srv=n2 ts=00 "));
	free(all);
}

static void test_descriptors_are_those_of_sessions(void **state)
{
	struct world *w = *state;

	assert_string_equal(world_run(w, "show fd"), "");
	assert_int_equal(w->order.type, ORDER_NEED_SESSIONS);
	give_sessions(w);
	assert_string_equal(
		world_run(w, "show fd"),
		"     13 : side=client fe=fe_ro be=be_ro sess=0x1000000000002a state=relaying\n"
		"     14 : side=server fe=fe_ro be=be_ro sess=0x1000000000002a state=relaying\n"
		"      9 : side=client fe=primary be=primary sess=0x1 state=held\n");
	assert_string_equal(
		world_run(w, "show fd 14"),
		"     14 : side=server fe=fe_ro be=be_ro sess=0x1000000000002a state=relaying\n");
}

/* ---- what there is little or nothing to say of ---- */

/* As in its log, and as HAProxy does. */
static void test_dates_are_local_time(void **state)
{
	struct world *w = *state;

	w->process.wall_ms = 1795159238387;
	w->process.utc_offset_s = 14 * 3600;
	assert_string_equal(world_run(w, "show errors"),
			    "Total events captured on [20/Nov/2026:21:20:38.387] : 0\n");
	w->process.utc_offset_s = -(9 * 3600 + 30 * 60);
	assert_string_equal(world_run(w, "show errors"),
			    "Total events captured on [19/Nov/2026:21:50:38.387] : 0\n");
}

static void test_what_isari_does_not_have_is_empty_as_in_haproxy(void **state)
{
	struct world *w = *state;

	w->process.wall_ms = 1795159238387;
	assert_string_equal(world_run(w, "show table"), "");
	assert_string_equal(world_run(w, "show table primary"), "No such table\n");
	assert_string_equal(world_run(w, "show startup-logs"), "");
	assert_string_equal(world_run(w, "show errors"),
			    "Total events captured on [20/Nov/2026:07:20:38.387] : 0\n");
	assert_string_equal(world_run(w, "show errors be_ro"), w->out.data);
	assert_string_equal(world_run(w, "show errors nope"), "No such proxy.\n");
	assert_int_equal(strncmp(world_run(w, "show schema json"), "{\"$schema\":", 11), 0);
}

static void give_sockets(struct config *c)
{
	c->n_stats_sockets = 3;
	c->stats_sockets = xcalloc(3, sizeof(*c->stats_sockets));
	c->stats_sockets[0] = (struct stats_socket_config){
		.addr = {.kind = ADDR_UNIX, .host = "/run/isari/isari.sock"}, .level = LEVEL_ADMIN};
	c->stats_sockets[1] = (struct stats_socket_config){
		.addr = {.kind = ADDR_TCP, .host = "127.0.0.1", .port = 9999},
		.level = LEVEL_OPERATOR};
	c->stats_sockets[2] = (struct stats_socket_config){
		.addr = {.kind = ADDR_TCP, .host = "::1", .port = 9999}, .level = LEVEL_USER};
}

static void test_sockets_and_levels_are_told(void **state)
{
	struct world *w = *state;

	give_sockets(w->config);
	assert_string_equal(world_run(w, "show cli sockets"),
			    "# socket lvl processes\n"
			    "unix@/run/isari/isari.sock admin all\n"
			    "ipv4@127.0.0.1:9999 operator all\n"
			    "ipv6@[::1]:9999 user all\n");
	assert_string_equal(world_run(w, "show cli level"), "admin\n");
	w->facts.level = LEVEL_USER;
	assert_string_equal(world_run(w, "show cli level"), "user\n");
}

/* Whoever may look at counters does not see the environment: there may be passwords in it. */
static void test_env_is_ours_alone(void **state)
{
	struct world *w = *state;

	setenv("PGPASSWORD", "secret", 1);
	give_sockets(w->config);
	assert_string_equal(world_run(w, "show env"),
			    "HAPROXY_STARTUP_VERSION=" ADMIN_VERSION "\n"
			    "HAPROXY_LOCALPEER=db1\n"
			    "HAPROXY_CLI=unix@/run/isari/isari.sock;ipv4@127.0.0.1:9999;"
			    "ipv6@[::1]:9999\n");
	assert_string_equal(world_run(w, "show env HAPROXY_LOCALPEER"), "HAPROXY_LOCALPEER=db1\n");
	assert_string_equal(world_run(w, "show env PGPASSWORD"), "Variable not found\n");
}

static void test_threads_and_pools_are_the_workers(void **state)
{
	struct world *w = *state;
	const struct worker_numbers workers[] = {
		{.turns = 209,
		 .sleeps = 116,
		 .pool_bytes = 57344,
		 .pool_used_bytes = 448,
		 .session_bytes = 224,
		 .sessions = 2,
		 .generation = 7},
		{.turns = 212, .sleeps = 118, .session_bytes = 224, .generation = 7},
	};

	w->process.wall_ms = 1795200042389;
	w->facts.workers = workers;
	w->facts.n_workers = 2;
	expect_line(w, "show activity", "thread_id: 0 (1..2)");
	expect_line(w, "show activity", "date_now: 1795200042.389000");
	expect_line(w, "show activity", "loops: 421 [ 209 212 ]");
	expect_line(w, "show activity", "poll_io: 234 [ 116 118 ]");
	expect_line(w, "show threads", "  Thread 1 : sessions=2 view=7");
	assert_string_equal(
		world_run(w, "show pools"),
		"Dumping pools usage.\n"
		"  - Pool session (224 bytes) : 256 allocated (57344 bytes), 2 used (~0 by thread "
		"caches), needed_avg 2, 0 failures, 2 users\n"
		"Total: 1 pools, 57344 bytes allocated, 448 used (~0 by thread caches).\n");
	w->facts.n_workers = 1;
	expect_line(w, "show activity", "loops: 209");
}

static void test_no_reply_has_an_empty_line_or_lacks_its_last_newline(void **state)
{
	static const char *const commands[] = {
		"show stat",          "show stat typed",    "show stat json",
		"show info",          "show info typed",    "show info json",
		"show servers state", "show servers conn",  "show backend",
		"show sess",          "show sess all",      "show fd",
		"show errors",        "show cli sockets",   "show cli level",
		"show resolvers",     "show pools",         "show env",
		"show activity",      "show threads",       "show schema json",
		"show clusters",      "show clusters json", "show members",
		"show members json",  "show events",        "show events json",
		"show workers",       "show workers json",  "get weight be_ro/n1"};
	const struct worker_numbers workers[] = {{.turns = 1}};
	struct world *w = *state;

	give_sessions(w);
	w->facts.workers = workers;
	w->facts.n_workers = 1;
	for (size_t i = 0; i < sizeof(commands) / sizeof(commands[0]); i++) {
		const char *text = world_run(w, commands[i]);

		if (w->order.type != ORDER_NONE || !*text || text[strlen(text) - 1] != '\n' ||
		    *text == '\n' || strstr(text, "\n\n"))
			fail_msg("%s: '%s'", commands[i], text);
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
#define TEST(f) cmocka_unit_test_setup_teardown(f, setup, teardown)
		TEST(test_typed_info_has_haproxys_numbers_tags_and_types),
		TEST(test_fractions_are_shown_where_they_are_asked_for),
		TEST(test_info_has_real_numbers_where_there_are_any),
		TEST(test_servers_state_is_haproxys_row_by_row),
		TEST(test_servers_state_tells_of_an_operators_orders),
		TEST(test_servers_state_has_names_and_addresses_where_they_are),
		TEST(test_a_server_that_was_not_asked_yet_is_initializing),
		TEST(test_servers_conn_has_a_zero_per_thread),
		TEST(test_backends_are_listed_without_frontends),
		TEST(test_a_session_is_shown_whole_by_its_id),
		TEST(test_a_word_that_is_no_id_shows_all_sessions),
		TEST(test_descriptors_are_those_of_sessions),
		TEST(test_dates_are_local_time),
		TEST(test_what_isari_does_not_have_is_empty_as_in_haproxy),
		TEST(test_sockets_and_levels_are_told),
		TEST(test_env_is_ours_alone),
		TEST(test_threads_and_pools_are_the_workers),
		TEST(test_no_reply_has_an_empty_line_or_lacks_its_last_newline),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
