/* `show stat` typed, as JSON and with its filters, and with a frontend and a backend that have
 * names of their own, against what HAProxy 2.6.12 printed for the same situation. */
#include "admin/proxies.h"
#include "unit/admin/world.h"
#include <jansson.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <time.h>

#include <cmocka.h>

/* clang-format off */
static const char haproxy_frontend[] =
	"F.3.0.0.pxname.1:KNS:str:fe_ro\n"
	"F.3.0.1.svname.1:KNS:str:FRONTEND\n"
	"F.3.0.4.scur.1:MGP:u32:0\n"
	"F.3.0.5.smax.1:MMP:u32:0\n"
	"F.3.0.6.slim.1:CLP:u32:200\n"
	"F.3.0.7.stot.1:MCP:u64:0\n"
	"F.3.0.8.bin.1:MCP:u64:0\n"
	"F.3.0.9.bout.1:MCP:u64:0\n"
	"F.3.0.10.dreq.1:MCP:u64:0\n"
	"F.3.0.11.dresp.1:MCP:u64:0\n"
	"F.3.0.12.ereq.1:MCP:u64:0\n"
	"F.3.0.17.status.1:SGP:str:OPEN\n"
	"F.3.0.26.pid.1:KGP:u32:1\n"
	"F.3.0.27.iid.1:KGS:u32:3\n"
	"F.3.0.28.sid.1:KGS:u32:0\n"
	"F.3.0.32.type.1:CGS:u32:0\n"
	"F.3.0.33.rate.1:MRP:u32:0\n"
	"F.3.0.34.rate_lim.1:CLP:u32:0\n"
	"F.3.0.35.rate_max.1:MMP:u32:0\n"
	"F.3.0.46.req_rate.1:MRP:u32:0\n"
	"F.3.0.47.req_rate_max.1:MMP:u32:0\n"
	"F.3.0.48.req_tot.1:MCP:u64:0\n"
	"F.3.0.51.comp_in.1:MCP:u64:0\n"
	"F.3.0.52.comp_out.1:MCP:u64:0\n"
	"F.3.0.53.comp_byp.1:MCP:u64:0\n"
	"F.3.0.54.comp_rsp.1:MCP:u64:0\n"
	"F.3.0.75.mode.1:CGS:str:tcp\n"
	"F.3.0.77.conn_rate.1:MRP:u32:0\n"
	"F.3.0.78.conn_rate_max.1:MMP:u32:0\n"
	"F.3.0.79.conn_tot.1:MCP:u64:0\n"
	"F.3.0.81.dcon.1:MCP:u64:0\n"
	"F.3.0.82.dses.1:MCP:u64:0\n"
	"F.3.0.83.wrew.1:MCP:u64:0\n"
	"F.3.0.94.eint.1:MCP:u64:0\n";

static const char haproxy_server[] =
	"S.2.1.0.pxname.1:KNS:str:primary\n"
	"S.2.1.1.svname.1:KNS:str:n1\n"
	"S.2.1.2.qcur.1:MGP:u32:0\n"
	"S.2.1.3.qmax.1:MMP:u32:0\n"
	"S.2.1.4.scur.1:MGP:u32:0\n"
	"S.2.1.5.smax.1:MMP:u32:0\n"
	"S.2.1.6.slim.1:CLP:u32:100\n"
	"S.2.1.7.stot.1:MCP:u64:0\n"
	"S.2.1.8.bin.1:MCP:u64:0\n"
	"S.2.1.9.bout.1:MCP:u64:0\n"
	"S.2.1.11.dresp.1:MCP:u64:0\n"
	"S.2.1.13.econ.1:MCP:u64:0\n"
	"S.2.1.14.eresp.1:MCP:u64:0\n"
	"S.2.1.15.wretr.1:MCP:u64:0\n"
	"S.2.1.16.wredis.1:MCP:u64:0\n"
	"S.2.1.17.status.1:SGP:str:UP\n"
	"S.2.1.18.weight.1:MaP:u32:1\n"
	"S.2.1.19.act.1:SGP:u32:1\n"
	"S.2.1.20.bck.1:SGP:u32:0\n"
	"S.2.1.21.chkfail.1:MCP:u64:0\n"
	"S.2.1.22.chkdown.1:MCP:u64:0\n"
	"S.2.1.23.lastchg.1:MAP:u32:4\n"
	"S.2.1.24.downtime.1:MCP:u32:0\n"
	"S.2.1.26.pid.1:KGP:u32:1\n"
	"S.2.1.27.iid.1:KGS:u32:2\n"
	"S.2.1.28.sid.1:KGS:u32:1\n"
	"S.2.1.30.lbtot.1:MCP:u64:0\n"
	"S.2.1.32.type.1:CGS:u32:2\n"
	"S.2.1.33.rate.1:MRP:u32:0\n"
	"S.2.1.35.rate_max.1:MMP:u32:0\n"
	"S.2.1.36.check_status.1:MOP:str:L7OK\n"
	"S.2.1.37.check_code.1:MOP:u32:200\n"
	"S.2.1.38.check_duration.1:MDP:u64:0\n"
	"S.2.1.49.cli_abrt.1:MCP:u64:0\n"
	"S.2.1.50.srv_abrt.1:MCP:u64:0\n"
	"S.2.1.55.lastsess.1:MAP:s32:-1\n"
	"S.2.1.56.last_chk.1:MOP:str:\n"
	"S.2.1.58.qtime.1:MaP:u32:0\n"
	"S.2.1.59.ctime.1:MaP:u32:0\n"
	"S.2.1.60.rtime.1:MaP:u32:0\n"
	"S.2.1.61.ttime.1:MaP:u32:0\n"
	"S.2.1.65.check_desc.1:MOP:str:Layer7 check passed\n"
	"S.2.1.67.check_rise.1:CGS:u32:2\n"
	"S.2.1.68.check_fall.1:CGS:u32:3\n"
	"S.2.1.69.check_health.1:CGS:u32:4\n"
	"S.2.1.73.addr.1:CGS:str:10.0.0.1:5432\n"
	"S.2.1.75.mode.1:CGS:str:tcp\n"
	"S.2.1.83.wrew.1:MCP:u64:0\n"
	"S.2.1.84.connect.1:MCP:u64:0\n"
	"S.2.1.85.reuse.1:MCP:u64:0\n"
	"S.2.1.88.srv_icur.1:MGP:u32:0\n"
	"S.2.1.90.qtime_max.1:MMP:u32:0\n"
	"S.2.1.91.ctime_max.1:MMP:u32:0\n"
	"S.2.1.92.rtime_max.1:MMP:u32:0\n"
	"S.2.1.93.ttime_max.1:MMP:u32:0\n"
	"S.2.1.94.eint.1:MCP:u64:0\n"
	"S.2.1.95.idle_conn_cur.1:MGP:u32:0\n"
	"S.2.1.96.safe_conn_cur.1:MGP:u32:0\n"
	"S.2.1.97.used_conn_cur.1:MGP:u32:0\n"
	"S.2.1.98.need_conn_est.1:MGP:u32:1\n"
	"S.2.1.99.uweight.1:MaP:u32:1\n";

static const char haproxy_backend[] =
	"B.4.0.0.pxname.1:KNS:str:be_ro\n"
	"B.4.0.1.svname.1:KNS:str:BACKEND\n"
	"B.4.0.2.qcur.1:MGP:u32:0\n"
	"B.4.0.3.qmax.1:MMP:u32:0\n"
	"B.4.0.4.scur.1:MGP:u32:0\n"
	"B.4.0.5.smax.1:MMP:u32:0\n"
	"B.4.0.6.slim.1:CLP:u32:20\n"
	"B.4.0.7.stot.1:MCP:u64:0\n"
	"B.4.0.8.bin.1:MCP:u64:0\n"
	"B.4.0.9.bout.1:MCP:u64:0\n"
	"B.4.0.10.dreq.1:MCP:u64:0\n"
	"B.4.0.11.dresp.1:MCP:u64:0\n"
	"B.4.0.13.econ.1:MCP:u64:0\n"
	"B.4.0.14.eresp.1:MCP:u64:0\n"
	"B.4.0.15.wretr.1:MCP:u64:0\n"
	"B.4.0.16.wredis.1:MCP:u64:0\n"
	"B.4.0.17.status.1:SGP:str:UP\n"
	"B.4.0.18.weight.1:MaP:u32:1\n"
	"B.4.0.19.act.1:MGP:u32:1\n"
	"B.4.0.20.bck.1:MGP:u32:0\n"
	"B.4.0.22.chkdown.1:MCP:u64:0\n"
	"B.4.0.23.lastchg.1:MAP:u32:4\n"
	"B.4.0.24.downtime.1:MCP:u32:0\n"
	"B.4.0.26.pid.1:KGP:u32:1\n"
	"B.4.0.27.iid.1:KGS:u32:4\n"
	"B.4.0.28.sid.1:KGS:u32:0\n"
	"B.4.0.30.lbtot.1:MCP:u64:0\n"
	"B.4.0.32.type.1:CGS:u32:1\n"
	"B.4.0.33.rate.1:MGP:u32:0\n"
	"B.4.0.35.rate_max.1:MGP:u32:0\n"
	"B.4.0.49.cli_abrt.1:MCP:u64:0\n"
	"B.4.0.50.srv_abrt.1:MCP:u64:0\n"
	"B.4.0.51.comp_in.1:MCP:u64:0\n"
	"B.4.0.52.comp_out.1:MCP:u64:0\n"
	"B.4.0.53.comp_byp.1:MCP:u64:0\n"
	"B.4.0.54.comp_rsp.1:MCP:u64:0\n"
	"B.4.0.55.lastsess.1:MAP:s32:-1\n"
	"B.4.0.58.qtime.1:MaP:u32:0\n"
	"B.4.0.59.ctime.1:MaP:u32:0\n"
	"B.4.0.60.rtime.1:MaP:u32:0\n"
	"B.4.0.61.ttime.1:MaP:u32:0\n"
	"B.4.0.75.mode.1:CGS:str:tcp\n"
	"B.4.0.76.algo.1:CGS:str:roundrobin\n"
	"B.4.0.83.wrew.1:MCP:u64:0\n"
	"B.4.0.84.connect.1:MCP:u64:0\n"
	"B.4.0.85.reuse.1:MCP:u64:0\n"
	"B.4.0.90.qtime_max.1:MMP:u32:0\n"
	"B.4.0.91.ctime_max.1:MMP:u32:0\n"
	"B.4.0.92.rtime_max.1:MMP:u32:0\n"
	"B.4.0.93.ttime_max.1:MMP:u32:0\n"
	"B.4.0.94.eint.1:MCP:u64:0\n"
	"B.4.0.99.uweight.1:MaP:u32:1\n"
	"B.4.0.100.agg_server_status.1:MGP:u32:0\n"
	"B.4.0.101.agg_server_check_status.1:MGP:u32:0\n"
	"B.4.0.102.agg_check_status.1:MGP:u32:0\n";
/* clang-format on */

/* Listener "replica" as a frontend and a backend: iid 3 and 4. */
static void name_apart(struct world *w)
{
	struct listener_config *l = &w->config->listeners[1];

	free(l->frontend_name);
	free(l->backend_name);
	l->frontend_name = xstrdup("fe_ro");
	l->backend_name = xstrdup("be_ro");
	config_finish(w->config);
}

static int setup(void **state)
{
	struct world *w = world_new();

	name_apart(w);
	*state = w;
	return 0;
}

static int teardown(void **state)
{
	world_free(*state);
	return 0;
}

/* ---- which rows ---- */

/* "primary/FRONTEND primary/n1 ..." of the CSV that a command gives. */
static const char *rows_of(struct world *w, const char *command)
{
	static char found[1024];
	char *copy = xstrdup(world_run(w, command)), *rest = copy, *line;

	found[0] = '\0';
	strsep(&rest, "\n"); /* the header */
	while ((line = strsep(&rest, "\n")) != NULL && *line) {
		char *proxy = strsep(&line, ","), *name = strsep(&line, ",");
		size_t n = strlen(found);

		snprintf(found + n, sizeof(found) - n, "%s%s/%s", n ? " " : "", proxy, name);
	}
	free(copy);
	return found;
}

#define ALL_PRIMARY "primary/FRONTEND primary/n1 primary/n2 primary/n3 primary/BACKEND"
#define ALL_BE_RO   "be_ro/n1 be_ro/n2 be_ro/n3 be_ro/BACKEND"

static void test_a_frontend_and_a_backend_are_two_proxies(void **state)
{
	assert_string_equal(rows_of(*state, "show stat"), ALL_PRIMARY " fe_ro/FRONTEND " ALL_BE_RO);
	assert_string_equal(rows_of(*state, "show stat fe_ro -1 -1"), "fe_ro/FRONTEND");
	assert_string_equal(rows_of(*state, "show stat 3 7 -1"), "fe_ro/FRONTEND");
	assert_string_equal(rows_of(*state, "show stat be_ro -1 -1"), ALL_BE_RO);
	assert_string_equal(rows_of(*state, "show stat #4 -1 -1"), ALL_BE_RO);
	assert_string_equal(rows_of(*state, "show stat 4 4 2"), "be_ro/n2");
	assert_string_equal(rows_of(*state, "show stat 2 -1 -1"), ALL_PRIMARY);
	assert_string_equal(rows_of(*state, "show stat fe_ro 4 -1"), "");
	assert_string_equal(world_run(*state, "show stat replica -1 -1"), "No such proxy.\n");
}

static void test_up_hides_who_is_down_or_in_maintenance(void **state)
{
	struct world *w = *state;

	assert_string_equal(rows_of(w, "show stat -1 4 -1 up"), "primary/n1 be_ro/n2");
	world_server(w, 0, 0)->admin = ADMIN_MAINT;
	assert_string_equal(rows_of(w, "show stat -1 4 -1 up"), "be_ro/n2");
	assert_string_equal(rows_of(w, "show stat 2 4 -1 no-maint"), "primary/n2 primary/n3");
	assert_string_equal(rows_of(w, "show stat 2 4 -1"), "primary/n1 primary/n2 primary/n3");
	world_server(w, 1, 1)->admin = ADMIN_DRAIN;
	world_server(w, 1, 1)->state = SERVER_KEPT;
	world_server(w, 1, 1)->why = WHY_DRAIN;
	assert_string_equal(rows_of(w, "show stat 4 4 -1 up"), "be_ro/n2");
}

/* Of how many servers a row speaks is said when some may be missing; one that is drained counts. */
static void test_a_backend_says_how_many_of_its_servers_run(void **state)
{
	struct world *w = *state;

	assert_non_null(strstr(world_run(w, "show stat 2 2 -1"), ",UP,1,1,0,"));
	assert_non_null(strstr(world_run(w, "show stat 2 2 -1 up"), ",UP (1/3),1,1,0,"));
	world_server(w, 1, 1)->state = SERVER_KEPT;
	world_server(w, 1, 1)->why = WHY_DRAIN;
	assert_non_null(strstr(world_run(w, "show stat 4 2 -1 no-maint"), ",DOWN (1/3),0,0,0,"));
}

static void test_weights_in_force_are_shown(void **state)
{
	struct world *w = *state;

	w->config->members[1].weight = 100;
	world_server(w, 1, 1)->weight = 50;
	assert_string_equal(world_run(w, "get weight be_ro/n2"), "50 (initial 100)\n");
	assert_string_equal(world_run(w, "get weight #4/#2"), "50 (initial 100)\n");
	assert_non_null(strstr(world_run(w, "show stat 4 4 2"), ",UP,50,1,0,"));
	assert_non_null(strstr(world_run(w, "show stat 4 2 -1"), ",UP,50,1,0,"));
	assert_string_equal(world_run(w, "get weight fe_ro/n1"), "No such backend.\n");
	assert_string_equal(world_run(w, "get weight be_ro/n9"), "No such server.\n");
	assert_string_equal(world_run(w, "get weight be_ro"), "Require 'backend/server'.\n");
}

/* ---- typed ---- */

/* The lines of HAProxy's fields, without ours. */
static void expect_typed(struct world *w, const char *command, const char *haproxy)
{
	const char *text = world_run(w, command), *ours = strstr(text, ".isari_timeline.");

	assert_non_null(ours);
	while (ours > text && ours[-1] != '\n')
		ours--;
	if ((size_t)(ours - text) != strlen(haproxy) || memcmp(text, haproxy, strlen(haproxy)) != 0)
		fail_msg("%s\n%.*s\nHAProxy has\n%s", command, (int)(ours - text), text, haproxy);
}

static void test_typed_fields_equal_haproxys(void **state)
{
	expect_typed(*state, "show stat fe_ro -1 -1 typed", haproxy_frontend);
	expect_typed(*state, "show stat primary 4 1 typed", haproxy_server);
	expect_typed(*state, "show stat be_ro 2 -1 typed", haproxy_backend);
}

static void test_our_own_fields_are_numbered_as_our_columns(void **state)
{
	const char *text = world_run(*state, "show stat primary 4 2 typed");

	assert_non_null(strstr(text, "\nS.2.2.104.isari_timeline.1:MGC:u64:5\n"));
	assert_non_null(strstr(text, "\nS.2.2.105.isari_lag_bytes.1:MGC:u64:4096\n"));
	assert_null(strstr(text, ".103."));
}

static void test_desc_says_what_each_field_is(void **state)
{
	const char *text = world_run(*state, "show stat primary 4 1 typed desc");
	size_t lines = 0;

	assert_memory_equal(text, "S.2.1.0.pxname.1:KNS:str:primary:\"Proxy name\"\n", 46);
	for (const char *p = text; (p = strchr(p, '\n')) != NULL; p++, lines++) {
		assert_int_equal(p[-1], '"');
		assert_true(p[-2] != '"'); /* something is said */
	}
	assert_true(lines > 60);
	assert_int_equal(text[strlen(text) - 2], '"');
	/* nothing in CSV */
	assert_null(strchr(world_run(*state, "show stat desc"), '"'));
}

static void test_who_may_only_look_sees_neither_addresses_nor_algorithms(void **state)
{
	struct world *w = *state;

	w->facts.level = LEVEL_USER;
	assert_null(strstr(world_run(w, "show stat"), "10.0.0."));
	assert_null(strstr(world_run(w, "show stat typed"), ".addr."));
	assert_null(strstr(world_run(w, "show stat typed"), ".algo."));
	w->facts.level = LEVEL_OPERATOR;
	assert_non_null(strstr(world_run(w, "show stat typed"), ".addr.1:CGS:str:10.0.0.1:5432"));
}

/* ---- JSON ---- */

static json_t *read_json(struct world *w, const char *command)
{
	const char *text = world_run(w, command);
	json_error_t e;
	json_t *j = json_loads(text, 0, &e);

	if (!j)
		fail_msg("%s: %s at %d of %s", command, e.text, e.position, text);
	assert_int_equal(strcspn(text, "\n"), strlen(text) - 1); /* one line */
	return j;
}

static void test_json_says_what_typed_says(void **state)
{
	json_t *j = read_json(*state, "show stat json"), *server, *field;
	size_t i;
	char line[256], *typed = xstrdup(world_run(*state, "show stat primary 4 1 typed"));

	assert_int_equal(json_array_size(j), 10);
	server = json_array_get(j, 1);
	json_array_foreach(server, i, field)
	{
		const char *object, *name, *origin, *nature, *scope, *kind;
		int iid, sid, pos, process;
		json_t *value;

		assert_int_equal(
			json_unpack(field,
				    "{s:s,s:i,s:i,s:{s:i,s:s},s:i,s:{s:s,s:s,s:s},s:{s:s,s:o}}",
				    "objType", &object, "proxyId", &iid, "id", &sid, "field", "pos",
				    &pos, "name", &name, "processNum", &process, "tags", "origin",
				    &origin, "nature", &nature, "scope", &scope, "value", "type",
				    &kind, "value", &value),
			0);
		assert_string_equal(object, "Server");
		assert_int_equal(process, 1);
		assert_true(json_is_string(value) == (strcmp(kind, "str") == 0));
		snprintf(line, sizeof(line), "S.%d.%d.%d.%s.1:", iid, sid, pos, name);
		assert_non_null(strstr(typed, line));
	}
	free(typed);
	json_decref(j);
}

static void test_json_without_rows_is_an_empty_list(void **state)
{
	assert_string_equal(world_run(*state, "show stat 99 -1 -1 json"), "[]\n");
	assert_string_equal(world_run(*state, "show stat 99 -1 -1 typed"), "");
}

static void test_the_last_word_on_the_form_counts(void **state)
{
	assert_int_equal(*world_run(*state, "show stat typed json"), '[');
	assert_int_equal(*world_run(*state, "show stat json typed"), 'F');
	/* three words are a proxy, a type and an id, whatever they are */
	assert_string_equal(world_run(*state, "show stat typed desc up"), "No such proxy.\n");
}

/* ---- names ---- */

static void test_names_are_found_in_one_place(void **state)
{
	const struct config *c = ((struct world *)*state)->config;
	unsigned listener = 99, server = 99;

	assert_int_equal(proxies_frontend(c, "fe_ro"), 1);
	assert_int_equal(proxies_frontend(c, "be_ro"), -1);
	assert_int_equal(proxies_frontend(c, "replica"), -1); /* the listener's own name is ours */
	assert_int_equal(proxies_backend(c, "be_ro"), 1);
	assert_int_equal(proxies_backend(c, "primary"), 0);
	assert_int_equal(proxies_backend(c, "#4"), 1);
	assert_int_equal(proxies_frontend(c, "#4"), -1);
	assert_int_equal(proxies_iid(c, "primary"), 2);
	assert_int_equal(proxies_iid(c, "fe_ro"), 3);
	assert_int_equal(proxies_iid(c, "be_ro"), 4);
	assert_int_equal(proxies_iid(c, ""), 0);
	assert_int_equal(proxies_server(c, 1, "n3"), 2);
	assert_int_equal(proxies_server(c, 1, "#3"), 2);
	assert_int_equal(proxies_server(c, 1, "#0"), -1);
	assert_int_equal(proxies_server(c, 1, "#4"), -1);
	assert_int_equal(proxies_server(c, 1, "#99999999999999999999"), -1);
	assert_int_equal(proxies_backend_server(c, "be_ro/#2", &listener, &server), PROXIES_FOUND);
	assert_int_equal(listener, 1);
	assert_int_equal(server, 1);
	assert_int_equal(proxies_backend_server(c, "be_ro/n", &listener, &server),
			 PROXIES_NO_SERVER);
	assert_int_equal(proxies_backend_server(c, "be_r/n1", &listener, &server),
			 PROXIES_NO_BACKEND);
	assert_int_equal(proxies_backend_server(c, "be_ro/", &listener, &server), PROXIES_NO_SLASH);
	assert_true(proxies_is_listen(&c->listeners[0]));
	assert_false(proxies_is_listen(&c->listeners[1]));
}

/* ---- cost ---- */

enum { MANY_SERVERS = 20, MANY_LISTENERS = 4, RUNS = 50 };

static struct config *big_config(void)
{
	struct config *c = config_new();

	c->n_clusters = 1;
	c->clusters = xcalloc(1, sizeof(*c->clusters));
	c->clusters[0].name = xstrdup("main");
	probe_config_defaults(&c->clusters[0].probe);
	c->n_members = MANY_SERVERS;
	c->members = xcalloc(c->n_members, sizeof(*c->members));
	for (unsigned i = 0; i < c->n_members; i++) {
		member_config_defaults(&c->members[i]);
		c->members[i].name = xasprintf("node%u", i);
		c->members[i].host = xasprintf("10.0.0.%u", i + 1);
		c->members[i].rest_host = xstrdup(c->members[i].host);
	}
	c->n_listeners = MANY_LISTENERS;
	c->listeners = xcalloc(c->n_listeners, sizeof(*c->listeners));
	for (unsigned i = 0; i < c->n_listeners; i++) {
		listener_config_defaults(&c->listeners[i]);
		c->listeners[i].name = xasprintf("listener%u", i);
	}
	config_finish(c);
	return c;
}

static void fill_big(struct server_report *servers)
{
	for (unsigned i = 0; i < MANY_SERVERS * MANY_LISTENERS; i++)
		servers[i] = (struct server_report){.listener = i / MANY_SERVERS,
						    .server = i % MANY_SERVERS,
						    .member = i % MANY_SERVERS,
						    .row = MANY_LISTENERS + i,
						    .state = i % 3 ? SERVER_CLOSED : SERVER_OPEN,
						    .check_outcome = OUTCOME_ANSWERED,
						    .check_status = i % 3 ? 503 : 200,
						    .weight = 100};
}

static void print_cost(struct world *w, const char *command)
{
	struct timespec a, b;

	clock_gettime(CLOCK_MONOTONIC, &a);
	for (unsigned i = 0; i < RUNS; i++)
		world_run(w, command);
	clock_gettime(CLOCK_MONOTONIC, &b);
	print_message("%s: %zu bytes in %ld us\n", command, w->out.len,
		      ((b.tv_sec - a.tv_sec) * 1000000 + (b.tv_nsec - a.tv_nsec) / 1000) / RUNS);
}

/* Every server of every listener has its own row; what that costs is only printed. */
static void test_many_servers_are_all_there(void **state)
{
	struct world w = {.config = big_config()};
	static struct server_report servers[MANY_SERVERS * MANY_LISTENERS];
	static struct row_facts rows[MANY_LISTENERS * (MANY_SERVERS + 1)];
	static struct member_report members[MANY_SERVERS];
	struct listener_facts listeners[MANY_LISTENERS] = {0};
	struct cluster_report cluster = {.primary = 0};
	static const char *const commands[] = {"show stat", "show stat typed", "show stat json",
					       "show servers state", "show clusters json"};

	(void)state;
	fill_big(servers);
	w.report = (struct report){.clusters = &cluster,
				   .members = members,
				   .servers = servers,
				   .n_clusters = 1,
				   .n_members = MANY_SERVERS,
				   .n_servers = MANY_SERVERS * MANY_LISTENERS};
	w.facts = (struct admin_facts){.config = w.config,
				       .report = &w.report,
				       .rows = rows,
				       .listeners = listeners,
				       .process = &w.process,
				       .level = LEVEL_ADMIN};
	for (unsigned l = 0; l < MANY_LISTENERS; l++)
		for (unsigned s = 0; s < MANY_SERVERS; s++)
			assert_ptr_equal(facts_server(&w.facts, l, s),
					 &servers[l * MANY_SERVERS + s]);
	assert_null(facts_server(&w.facts, MANY_LISTENERS - 1, MANY_SERVERS));
	for (size_t i = 0; i < sizeof(commands) / sizeof(commands[0]); i++)
		print_cost(&w, commands[i]);
	buf_fini(&w.out);
	config_unref(w.config);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
#define TEST(f) cmocka_unit_test_setup_teardown(f, setup, teardown)
		TEST(test_a_frontend_and_a_backend_are_two_proxies),
		TEST(test_up_hides_who_is_down_or_in_maintenance),
		TEST(test_a_backend_says_how_many_of_its_servers_run),
		TEST(test_weights_in_force_are_shown),
		TEST(test_typed_fields_equal_haproxys),
		TEST(test_our_own_fields_are_numbered_as_our_columns),
		TEST(test_desc_says_what_each_field_is),
		TEST(test_who_may_only_look_sees_neither_addresses_nor_algorithms),
		TEST(test_json_says_what_typed_says),
		TEST(test_json_without_rows_is_an_empty_list),
		TEST(test_the_last_word_on_the_form_counts),
		TEST(test_names_are_found_in_one_place),
		TEST(test_many_servers_are_all_there),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
