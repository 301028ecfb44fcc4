/* `show stat` against what HAProxy 2.6.12 printed for the same situation. */
#include "admin/stat_row.h"
#include "unit/admin/world.h"
#include <ctype.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>

#include <cmocka.h>

enum {
	STATIC_COLUMNS = 103,
	SEPARATOR = 103,
	CELLS = 107
}; /* 103, "-", two of ours, the empty last one */

static const char haproxy_header[] = "# "
				     "pxname,svname,qcur,qmax,scur,smax,slim,stot,bin,bout,dreq,"
				     "dresp,ereq,econ,eresp,wretr,wredis,status,"
				     "weight,act,bck,chkfail,chkdown,lastchg,downtime,qlimit,pid,"
				     "iid,sid,throttle,lbtot,tracked,type,rate,"
				     "rate_lim,rate_max,check_status,check_code,check_duration,"
				     "hrsp_1xx,hrsp_2xx,hrsp_3xx,hrsp_4xx,hrsp_5xx,"
				     "hrsp_other,hanafail,req_rate,req_rate_max,req_tot,cli_abrt,"
				     "srv_abrt,comp_in,comp_out,comp_byp,comp_rsp,"
				     "lastsess,last_chk,last_agt,qtime,ctime,rtime,ttime,agent_"
				     "status,agent_code,agent_duration,check_desc,"
				     "agent_desc,check_rise,check_fall,check_health,agent_rise,"
				     "agent_fall,agent_health,addr,cookie,mode,algo,"
				     "conn_rate,conn_rate_max,conn_tot,intercepted,dcon,dses,wrew,"
				     "connect,reuse,cache_lookups,cache_hits,"
				     "srv_icur,src_ilim,qtime_max,ctime_max,rtime_max,ttime_max,"
				     "eint,idle_conn_cur,safe_conn_cur,"
				     "used_conn_cur,need_conn_est,uweight,agg_server_status,agg_"
				     "server_check_status,agg_check_status,-,";

/* The first 104 cells, as captured. */
static const char haproxy_frontend[] =
	"primary,FRONTEND,,,0,0,200,0,0,0,0,0,0,,,,,OPEN,,,,,,,,,1,2,0,,,,0,0,0,0,,,,,,,,,,,0"
	",0,0,,,0,0,0,0,,,,,,,,,,,,,,,,,,,,,tcp,,0,0,0,,0,0,0,,,,,,,,,,,0,,,,,,,,,-";
static const char haproxy_up[] =
	"primary,n1,0,0,0,0,100,0,0,0,,0,,0,0,0,0,UP,1,1,0,0,0,4,0,,1,2,1,,0,,2,0,,0,L7OK,200"
	",0,,,,,,,,,,,0,0,,,,,-1,,,0,0,0,0,,,,Layer7 check passed,,2,3,4,,,,10.0.0.1:5432,,tc"
	"p,,,,,,,,0,0,0,,,0,,0,0,0,0,0,0,0,0,1,1,,,,-";
static const char haproxy_wrong_role[] =
	"primary,n2,0,0,0,0,100,0,0,0,,0,,0,0,0,0,DOWN,1,1,0,1,1,4,4,,1,2,2,,0,,2,0,,0,L7STS,"
	"503,0,,,,,,,,,,,0,0,,,,,-1,Service Unavailable,,0,0,0,0,,,,Layer7 wrong status,,2,3,"
	"0,,,,10.0.0.2:5432,,tcp,,,,,,,,0,0,0,,,0,,0,0,0,0,0,0,0,0,1,1,,,,-";
static const char haproxy_refused[] =
	"primary,n3,0,0,0,0,100,0,0,0,,0,,0,0,0,0,DOWN,1,1,0,1,1,4,4,,1,2,3,,0,,2,0,,0,L4CON,"
	",0,,,,,,,,,,,0,0,,,,,-1,Connection refused,,0,0,0,0,,,,Layer4 connection problem,,2,"
	"3,0,,,,10.0.0.3:5432,,tcp,,,,,,,,0,0,0,,,0,,0,0,0,0,0,0,0,0,1,1,,,,-";
static const char haproxy_maint[] =
	"primary,n1,0,0,0,0,100,0,0,0,,0,,0,0,0,0,MAINT,1,1,0,0,1,4,4,,1,2,1,,0,,2,0,,0,,,,,,"
	",,,,,,,,0,0,,,,,-1,,,0,0,0,0,,,,,,,,,,,,10.0.0.1:5432,,tcp,,,,,,,,0,0,0,,,0,,0,0,0,0"
	",0,0,0,0,1,1,,,,-";
static const char haproxy_backend[] =
	"primary,BACKEND,0,0,0,0,20,0,0,0,0,0,,0,0,0,0,UP,1,1,0,,0,4,0,,1,2,0,,0,,1,0,,0,,,,,"
	",,,,,,,,,0,0,0,0,0,0,-1,,,0,0,0,0,,,,,,,,,,,,,,tcp,roundrobin,,,,,,,0,0,0,,,,,0,0,0,"
	"0,0,,,,,1,0,0,0,-";

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

/* Line `n` of `show stat`, a copy to be freed. */
static char *stat_line(struct world *w, const char *command, size_t n)
{
	const char *text = world_run(w, command);

	while (n-- > 0) {
		text = strchr(text, '\n');
		assert_non_null(text);
		text++;
	}
	return xstrndup(text, strcspn(text, "\n"));
}

static size_t count_lines(const char *text)
{
	size_t n = 0;

	for (; *text; text++)
		n += *text == '\n';
	return n;
}

static bool is_integer(const char *s)
{
	s += *s == '-';
	if (!*s)
		return false;
	for (; *s; s++) {
		if (!isdigit((unsigned char)*s))
			return false;
	}
	return true;
}

static void expect_row(struct world *w, size_t line, const char *haproxy)
{
	char *ours = stat_line(w, "show stat", line), *theirs = xstrdup(haproxy);
	char *a[WORLD_MAX_CELLS], *b[WORLD_MAX_CELLS];

	assert_int_equal(world_cells(ours, a), CELLS);
	assert_int_equal(world_cells(theirs, b), STATIC_COLUMNS + 1);
	for (size_t i = 0; i <= SEPARATOR; i++) {
		if (strcmp(a[i], b[i]) != 0)
			fail_msg("column %zu is '%s', HAProxy has '%s'", i, a[i], b[i]);
	}
	free(ours);
	free(theirs);
}

static void test_header_is_haproxys_up_to_the_separator(void **state)
{
	const char *text = world_run(*state, "show stat");

	assert_memory_equal(text, haproxy_header, strlen(haproxy_header));
	assert_memory_equal(text + strlen(haproxy_header), "isari_timeline,isari_lag_bytes,\n", 32);
}

static void test_rows_of_an_idle_proxy_equal_haproxys(void **state)
{
	struct world *w = *state;

	for (unsigned i = 0; i < WORLD_MEMBERS; i++) {
		struct server_report *s = world_server(w, 0, i);

		s->check_failures = s->downs = i > 0;
		s->down_ms = i > 0 ? 4000 : 0;
	}
	expect_row(w, 1, haproxy_frontend);
	expect_row(w, 2, haproxy_up);
	expect_row(w, 3, haproxy_wrong_role);
	expect_row(w, 4, haproxy_refused);
	expect_row(w, 5, haproxy_backend);
}

static void test_maintenance_blanks_the_check_columns(void **state)
{
	struct world *w = *state;
	struct server_report *s = world_server(w, 0, 0);

	s->admin = ADMIN_MAINT;
	s->state = SERVER_CLOSED;
	s->downs = 1;
	s->down_ms = 4000;
	expect_row(w, 2, haproxy_maint);
}

static void test_every_row_has_as_many_cells_as_the_header(void **state)
{
	struct world *w = *state;
	char *cells[WORLD_MAX_CELLS];

	assert_int_equal(count_lines(world_run(w, "show stat")), 1 + 2 * 5);
	for (size_t i = 0; i < 11; i++) {
		char *line = stat_line(w, "show stat", i);
		assert_int_equal(world_cells(line, cells), CELLS);
		assert_string_equal(cells[CELLS - 1], "");
		free(line);
	}
}

/* hatop ends when one of these is neither blank nor an integer. */
static void test_columns_up_to_50_are_integers_but_for_the_known_texts(void **state)
{
	static const bool is_text[51] = {
		[0] = true, [1] = true, [17] = true, [31] = true, [36] = true};
	char *cells[WORLD_MAX_CELLS];

	for (size_t i = 1; i < 11; i++) {
		char *line = stat_line(*state, "show stat", i);
		world_cells(line, cells);
		for (size_t n = 0; n <= 50; n++) {
			if (!is_text[n] && *cells[n] && !is_integer(cells[n]))
				fail_msg("column %zu: %s", n, cells[n]);
		}
		assert_true(*cells[17]); /* every row needs a status */
		free(line);
	}
}

static void test_rows_come_as_frontend_servers_backend(void **state)
{
	static const char *const order[] = {"FRONTEND", "n1", "n2", "n3", "BACKEND"};
	char *cells[WORLD_MAX_CELLS], iid[4];

	for (size_t i = 0; i < 10; i++) {
		char *line = stat_line(*state, "show stat", 1 + i);
		world_cells(line, cells);
		assert_string_equal(cells[0], i < 5 ? "primary" : "replica");
		assert_string_equal(cells[1], order[i % 5]);
		snprintf(iid, sizeof(iid), "%d", i < 5 ? 2 : 3);
		assert_string_equal(cells[27], iid);
		free(line);
	}
}

static void expect_lines(struct world *w, const char *command, size_t lines)
{
	size_t n = count_lines(world_run(w, command));

	if (n != lines)
		fail_msg("%s: %zu lines", command, n);
}

static void test_filter_counts_only_when_it_is_complete(void **state)
{
	expect_lines(*state, "show stat", 11);
	expect_lines(*state, "show stat nope", 11);
	expect_lines(*state, "show stat 2 4", 11);
	expect_lines(*state, "show stat -1 -1 -1", 11);
	expect_lines(*state, "show stat 3 -1 -1", 6);
	expect_lines(*state, "show stat replica -1 -1", 6);
	expect_lines(*state, "show stat primary 4 -1", 4);
	expect_lines(*state, "show stat primary 4 2", 2);
	expect_lines(*state, "show stat primary 3 -1", 3);
	expect_lines(*state, "show stat primary 4 9", 1);
	expect_lines(*state, "show stat 99 -1 -1", 1);
	expect_lines(*state, "show stat 1 -1 -1", 1);
	assert_string_equal(world_run(*state, "show stat nope 4 1"), "No such proxy.\n");
}

static void expect_cell(struct world *w, const char *filter, size_t column, const char *value)
{
	char *cells[WORLD_MAX_CELLS], *line = stat_line(w, filter, 1);

	world_cells(line, cells);
	if (strcmp(cells[column], value) != 0)
		fail_msg("%s: column %zu is '%s', not '%s'", filter, column, cells[column], value);
	free(line);
}

enum {
	QCUR = 2,
	QMAX = 3,
	SCUR = 4,
	STOT = 7,
	BIN = 8,
	EREQ = 12,
	ECON = 13,
	WRETR = 15,
	STATUS = 17,
	WEIGHT = 18,
	ACT = 19,
	BCK = 20,
	CHECK_STATUS = 36,
	CHECK_CODE = 37,
	CHECK_DURATION = 38,
	LASTSESS = 55,
	QTIME = 58,
	CTIME = 59,
	HEALTH = 69,
	ADDR = 73,
	CONNECT = 84,
	QTIME_MAX = 90,
	TIMELINE = 104,
	LAG = 105
};

#define SERVER_1 "show stat primary 4 1"
#define SERVER_2 "show stat primary 4 2"
#define BACKEND  "show stat primary 2 -1"
#define FRONTEND "show stat primary 1 -1"

static void test_a_server_is_down_and_initializing_before_its_first_answer(void **state)
{
	world_set(*state, 0, 0, SERVER_CLOSED, OUTCOME_NONE, 0);
	expect_cell(*state, SERVER_1, STATUS, "DOWN");
	expect_cell(*state, SERVER_1, CHECK_STATUS, "INI");
	expect_cell(*state, SERVER_1, CHECK_DURATION, "");
	expect_cell(*state, BACKEND, STATUS, "DOWN");
	expect_cell(*state, BACKEND, ACT, "0");
}

static void test_a_drained_server_is_neither_up_nor_down(void **state)
{
	struct server_report *s = world_server(*state, 0, 0);

	s->admin = ADMIN_DRAIN;
	s->state = SERVER_KEPT;
	s->why = WHY_DRAIN;
	expect_cell(*state, SERVER_1, STATUS, "DRAIN");
	expect_cell(*state, SERVER_1, CHECK_STATUS, "L7OK");
	expect_cell(*state, SERVER_1, HEALTH, "4");
	expect_cell(*state, BACKEND, STATUS, "DOWN");
}

static void test_a_drained_server_without_the_role_is_down(void **state)
{
	struct server_report *s = world_server(*state, 0, 1);

	s->admin = ADMIN_DRAIN;
	expect_cell(*state, SERVER_2, STATUS, "DOWN");
	expect_cell(*state, SERVER_2, CHECK_STATUS, "L7STS");
}

static void test_a_server_that_only_keeps_old_sessions_is_down(void **state)
{
	world_set(*state, 0, 0, SERVER_KEPT, OUTCOME_TIMEOUT, 0);
	expect_cell(*state, SERVER_1, STATUS, "DOWN");
	expect_cell(*state, SERVER_1, CHECK_STATUS, "L7TOUT");
	expect_cell(*state, SERVER_1, CHECK_CODE, "");
}

static void test_the_last_resort_is_haproxys_backup(void **state)
{
	struct world *w = *state;
	struct server_report *s = world_server(w, 1, 0);

	expect_cell(w, "show stat replica 4 1", BCK, "0");
	w->config->listeners[1].fallback = FALLBACK_PRIMARY;
	world_set(w, 1, 0, SERVER_CLOSED, OUTCOME_ANSWERED, 200);
	s->why = WHY_LAST_RESORT;
	expect_cell(w, "show stat replica 4 1", STATUS, "UP");
	expect_cell(w, "show stat replica 4 1", ACT, "0");
	expect_cell(w, "show stat replica 4 1", BCK, "1");
	expect_cell(w, "show stat replica 4 2", ACT, "1");
	expect_cell(w, "show stat replica 4 2", BCK, "0");
	expect_cell(w, "show stat replica 2 -1", ACT, "1");
	expect_cell(w, "show stat replica 2 -1", BCK, "1");
	expect_cell(w, "show stat replica 2 -1", WEIGHT, "1");
	world_set(w, 1, 1, SERVER_KEPT, OUTCOME_ANSWERED, 503); /* now it is needed */
	world_set(w, 1, 0, SERVER_OPEN, OUTCOME_ANSWERED, 200);
	expect_cell(w, "show stat replica 2 -1", STATUS, "UP");
	expect_cell(w, "show stat replica 2 -1", ACT, "0");
	expect_cell(w, "show stat replica 2 -1", BCK, "1");
	expect_cell(w, "show stat replica 2 -1", WEIGHT, "1");
	s->state = SERVER_KEPT; /* and now it cannot be used */
	s->why = WHY_PROMOTING;
	expect_cell(w, "show stat replica 2 -1", STATUS, "DOWN");
	expect_cell(w, "show stat replica 2 -1", BCK, "0");
}

static void test_a_doubted_server_is_up_with_a_failed_check(void **state)
{
	world_set(*state, 0, 0, SERVER_OPEN, OUTCOME_TIMEOUT, 0);
	expect_cell(*state, SERVER_1, STATUS, "UP");
	expect_cell(*state, SERVER_1, CHECK_STATUS, "L7TOUT");
}

static void test_every_outcome_has_haproxys_check_word(void **state)
{
	static const char *const words[N_OUTCOMES] = {[OUTCOME_NONE] = "INI",
						      [OUTCOME_ANSWERED] = "L7STS",
						      [OUTCOME_REFUSED] = "L4CON",
						      [OUTCOME_UNREACHABLE] = "L4CON",
						      [OUTCOME_CONNECT_TIMEOUT] = "L4TOUT",
						      [OUTCOME_TIMEOUT] = "L7TOUT",
						      [OUTCOME_RESET] = "L7RSP",
						      [OUTCOME_BAD_HTTP] = "L7RSP",
						      [OUTCOME_BAD_JSON] = "L7RSP",
						      [OUTCOME_TOO_BIG] = "L7RSP",
						      [OUTCOME_TLS] = "L6RSP",
						      [OUTCOME_NO_ADDRESS] = "SOCKERR",
						      [OUTCOME_OWN_FAULT] = "SOCKERR"};

	for (unsigned i = 0; i < N_OUTCOMES; i++) {
		world_set(*state, 0, 0, SERVER_CLOSED, (enum outcome)i, 503);
		expect_cell(*state, SERVER_1, CHECK_STATUS, words[i]);
		expect_cell(*state, SERVER_1, CHECK_CODE, i == OUTCOME_ANSWERED ? "503" : "");
	}
}

static void test_a_frontend_that_drains_listens_no_more(void **state)
{
	struct world *w = *state;

	expect_cell(w, FRONTEND, STATUS, "OPEN");
	w->process.stopping = true;
	expect_cell(w, FRONTEND, STATUS, "STOP");
}

static void test_counters_reach_their_columns(void **state)
{
	struct world *w = *state;
	struct row_facts *listener = &w->rows[0], *n1 = &w->rows[2], *n2 = &w->rows[3];

	listener->sum.sessions = 10;
	listener->sum.bytes_in = 12345678901;
	listener->sum.request_errors = 3;
	listener->sum.connect_errors = 2;
	listener->sum.connect_retries = 3;
	listener->connect_ms_avg = 8;
	listener->sessions_now = 4;
	listener->last_session_ms_ago = 2500;
	n1->sum.sessions = 9;
	n1->sum.connected = 6;
	n1->sum.connect_errors = 3;
	n2->sum.sessions = 2;
	n2->sum.connected = 2;
	expect_cell(w, FRONTEND, SCUR, "4");
	expect_cell(w, FRONTEND, STOT, "10");
	expect_cell(w, FRONTEND, BIN, "12345678901");
	expect_cell(w, FRONTEND, EREQ, "3");
	expect_cell(w, BACKEND, STOT, "10");
	expect_cell(w, BACKEND, ECON, "2"); /* sessions; a server's are attempts */
	expect_cell(w, BACKEND, WRETR, "3");
	expect_cell(w, BACKEND, CONNECT, "11");
	expect_cell(w, BACKEND, CTIME, "8");
	expect_cell(w, BACKEND, LASTSESS, "2");
	expect_cell(w, SERVER_1, ECON, "3");
	expect_cell(w, SERVER_1, CONNECT, "9");
}

/* As HAProxy's queue of a backend, from which any of its servers takes. */
static void test_who_waits_is_queued_at_the_backend(void **state)
{
	struct world *w = *state;
	struct row_facts *listener = &w->rows[0];

	listener->waiting_now = 37;
	listener->waiting_max = 412;
	listener->held_ms_avg = 9;
	listener->held_ms_max = 2345;
	expect_cell(w, BACKEND, QCUR, "37");
	expect_cell(w, BACKEND, QMAX, "412");
	expect_cell(w, BACKEND, QTIME, "9");
	expect_cell(w, BACKEND, QTIME_MAX, "2345");
	expect_cell(w, SERVER_1, QCUR, "0");
	expect_cell(w, SERVER_1, QMAX, "0");
	expect_cell(w, SERVER_1, QTIME, "0");
	expect_cell(w, SERVER_1, QTIME_MAX, "0");
	expect_cell(w, FRONTEND, QCUR, "");
	expect_cell(w, FRONTEND, QTIME, "");
	expect_cell(w, "show stat replica 2 -1", QCUR, "0");
}

static void test_our_own_columns_are_numbers_after_the_separator(void **state)
{
	struct world *w = *state;

	expect_cell(w, FRONTEND, TIMELINE, "5");
	expect_cell(w, FRONTEND, LAG, "");
	expect_cell(w, SERVER_2, TIMELINE, "5");
	expect_cell(w, SERVER_2, LAG, "4096");
	expect_cell(w, "show stat primary 4 3", TIMELINE, "");
}

/* As in the table of nodes, the JSON, the page and the metrics: no lag but a known one. */
static void test_what_a_silent_member_said_once_is_not_known_any_more(void **state)
{
	struct world *w = *state;

	w->members[1].outcome = OUTCOME_TIMEOUT;
	expect_cell(w, SERVER_2, TIMELINE, "");
	expect_cell(w, SERVER_2, LAG, "");
	w->members[0].lag_known = true; /* a new primary's, of the time before */
	expect_cell(w, SERVER_1, TIMELINE, "5");
	expect_cell(w, SERVER_1, LAG, "");
}

/* The primary is a reader's backup; a server without weight is none. */
static void test_servers_that_are_up_are_counted(void **state)
{
	struct listener_config listeners[] = {{.fallback = FALLBACK_PRIMARY}};
	struct config config = {.listeners = listeners, .n_listeners = 1};
	struct cluster_report cluster = {.primary = 0};
	struct server_report servers[] = {
		{.member = 0, .state = SERVER_CLOSED, .why = WHY_LAST_RESORT, .weight = 1},
		{.member = 1, .state = SERVER_OPEN, .weight = 1},
		{.member = 2, .state = SERVER_OPEN, .weight = 0},
		{.member = 3, .state = SERVER_CLOSED, .why = WHY_LAGGING, .weight = 1},
		{.listener = 1, .member = 4, .state = SERVER_OPEN, .weight = 1},
	};
	struct report r = {.clusters = &cluster, .servers = servers, .n_servers = 5};
	struct stat_servers up;

	(void)state;
	up = stat_servers_of(&config, &r, 0);
	assert_int_equal(up.active, 1);
	assert_int_equal(up.backups, 1);
	assert_int_equal(up.usable_weight, 1);
	assert_int_equal(up.running, 3);
}

static void test_address_is_the_resolved_one_when_there_is_one(void **state)
{
	struct world *w = *state;

	expect_cell(w, SERVER_1, ADDR, "10.0.0.1:5432");
	strcpy(w->view->listeners[0].servers[0].ip, "fd00::1");
	expect_cell(w, SERVER_1, ADDR, "[fd00::1]:5432");
	w->config->members[0].socket_path = xstrdup("/run/pg/.s.PGSQL.5432");
	expect_cell(w, SERVER_1, ADDR, "/run/pg/.s.PGSQL.5432");
	free(w->config->members[0].socket_path);
	w->config->members[0].socket_path = NULL;
	w->facts.view = NULL;
	expect_cell(w, SERVER_1, ADDR, "10.0.0.1:5432");
}

int main(void)
{
	const struct CMUnitTest tests[] = {
#define TEST(f) cmocka_unit_test_setup_teardown(f, setup, teardown)
		TEST(test_header_is_haproxys_up_to_the_separator),
		TEST(test_who_waits_is_queued_at_the_backend),
		TEST(test_rows_of_an_idle_proxy_equal_haproxys),
		TEST(test_maintenance_blanks_the_check_columns),
		TEST(test_every_row_has_as_many_cells_as_the_header),
		TEST(test_columns_up_to_50_are_integers_but_for_the_known_texts),
		TEST(test_rows_come_as_frontend_servers_backend),
		TEST(test_a_frontend_that_drains_listens_no_more),
		TEST(test_filter_counts_only_when_it_is_complete),
		TEST(test_a_server_is_down_and_initializing_before_its_first_answer),
		TEST(test_a_drained_server_is_neither_up_nor_down),
		TEST(test_a_drained_server_without_the_role_is_down),
		TEST(test_a_server_that_only_keeps_old_sessions_is_down),
		TEST(test_the_last_resort_is_haproxys_backup),
		TEST(test_a_doubted_server_is_up_with_a_failed_check),
		TEST(test_every_outcome_has_haproxys_check_word),
		TEST(test_counters_reach_their_columns),
		TEST(test_our_own_columns_are_numbers_after_the_separator),
		TEST(test_what_a_silent_member_said_once_is_not_known_any_more),
		cmocka_unit_test(test_servers_that_are_up_are_counted),
		TEST(test_address_is_the_resolved_one_when_there_is_one),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
