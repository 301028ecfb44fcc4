/* HTTP's paths and answers: which target is what, what programs read, and who may order anything.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "admin/status_page.h"
#include "admin/web.h"
#include "admin/web_parts.h"
#include "world.h"
#include <stdio.h>

struct desk {
	struct world *w;
	struct web_request q;
	struct web_answer a;
};

static int setup(void **state)
{
	struct desk *d = xcalloc(1, sizeof(*d));

	d->w = world_new();
	d->w->view->listeners[0].servers[0].state = SERVER_OPEN;
	d->w->view->listeners[0].n_open = 1;
	d->w->members[0].roles = ROLE_BIT(ROLE_PRIMARY);
	d->w->members[1].roles = ROLE_BIT(ROLE_REPLICA);
	*state = d;
	return 0;
}

static int teardown(void **state)
{
	struct desk *d = *state;

	web_answer_fini(&d->a);
	world_free(d->w);
	free(d);
	return 0;
}

static const char *send_request(struct desk *d, enum web_method method, const char *target)
{
	web_answer_fini(&d->a);
	d->q.method = method;
	d->q.target = target;
	web_answer(&d->w->facts, &d->q, &d->a);
	return d->a.body.data ? d->a.body.data : "";
}

static const char *get(struct desk *d, const char *target)
{
	return send_request(d, WEB_GET, target);
}

/* The body that `form` makes of a POST to the page; what the page is told of it. */
static const char *post_form(struct desk *d, const char *form)
{
	d->q.body = form;
	d->q.body_len = strlen(form);
	send_request(d, WEB_POST, "/");
	assert_int_equal(d->a.status, 303);
	return d->a.location;
}

static void assert_begins(const char *text, const char *beginning)
{
	if (strncmp(text, beginning, strlen(beginning)) != 0)
		fail_msg("'%.100s' does not begin with '%s'", text, beginning);
}

/* ---- which target is what ---- */

static void test_the_page_goes_by_many_names(void **state)
{
	static const char *const pages[] = {"/",
					    "//",
					    "/stats",
					    "/stats/",
					    "/haproxy?stats",
					    "/haproxy",
					    "/admin?stats",
					    "/haproxy_stats",
					    "/;norefresh",
					    "/?scope=x",
					    "/anything;st=DONE",
					    "/stats;up",
					    "/x;no-maint",
					    "http://lb1:7000/",
					    "http://lb1:7000",
					    "/?",
					    "/?x=1"};
	struct desk *d = *state;

	for (size_t i = 0; i < sizeof(pages) / sizeof(pages[0]); i++) {
		assert_begins(get(d, pages[i]), "<!DOCTYPE html>");
		assert_int_equal(d->a.status, 200);
		assert_string_equal(d->a.type, WEB_HTML);
	}
}

static void test_every_tools_way_to_ask_for_csv(void **state)
{
	static const char *const targets[] = {"/;csv",
					      "//;csv;norefresh",
					      "/stats;csv",
					      "/stats/;csv",
					      "/stats;csv;norefresh",
					      "/haproxy?stats;csv",
					      "/haproxy?stats/;csv",
					      "/haproxy?stats;csv;norefresh",
					      "/stats?x;csv",
					      "/admin?stats;csv;norefresh",
					      "/metrics;csv",
					      "/lb/status;csv"};
	struct desk *d = *state;

	for (size_t i = 0; i < sizeof(targets) / sizeof(targets[0]); i++) {
		assert_begins(get(d, targets[i]), "# pxname,svname,");
		assert_begins(d->a.type, "text/plain");
	}
}

static void test_csv_is_show_stat_without_its_last_empty_line(void **state)
{
	struct desk *d = *state;
	const char *over_http = get(d, "/;csv");

	assert_string_equal(over_http, world_run(d->w, "show stat"));
	assert_string_equal(get(d, "/;typed"), world_run(d->w, "show stat typed"));
	assert_string_equal(get(d, "/;json"), world_run(d->w, "show stat json"));
	assert_string_equal(d->a.type, WEB_JSON);
	assert_string_equal(get(d, "/;json-schema"), world_run(d->w, "show schema json"));
}

static unsigned count_lines(const char *text)
{
	unsigned n = 0;

	for (; *text; text++)
		n += *text == '\n';
	return n;
}

static void test_csv_can_be_limited_as_in_haproxy(void **state)
{
	struct desk *d = *state;

	assert_int_equal(count_lines(get(d, "/;csv")), 1 + 5 + 5);
	assert_int_equal(count_lines(get(d, "/;csv?scope=prim")), 1 + 5);
	assert_int_equal(count_lines(get(d, "/?scope=rep;csv")), 1 + 5);
	assert_int_equal(count_lines(get(d, "/;csv?scope=n1")), 1); /* no proxy's name */
	assert_int_equal(count_lines(get(d, "/;csv?scope=")), 1 + 5 + 5);
	assert_true(count_lines(get(d, "/;csv;up")) < 1 + 5 + 5);
	assert_null(strstr(d->a.body.data, ",DOWN,"));
}

static void test_unknown_paths_are_404(void **state)
{
	static const char *const targets[] = {"/nothing", "/stats2",    "/metricsx",  "/api",
					      "/api/",    "/api/nodes", "/primary/",  "*",
					      "isari.js", "/xisari.js", "/isari.js/", "/../etc"};
	struct desk *d = *state;

	for (size_t i = 0; i < sizeof(targets) / sizeof(targets[0]); i++) {
		get(d, targets[i]);
		assert_int_equal(d->a.status, 404);
		assert_begins(d->a.type, "text/plain");
	}
}

static void test_each_path_takes_its_methods_only(void **state)
{
	struct desk *d = *state;

	send_request(d, WEB_POST, "/metrics");
	assert_int_equal(d->a.status, 405);
	assert_string_equal(d->a.allow, "GET, HEAD");
	get(d, "/hint");
	assert_int_equal(d->a.status, 405);
	assert_string_equal(d->a.allow, "POST");
	send_request(d, WEB_OTHER, "/");
	assert_int_equal(d->a.status, 405);
	assert_string_equal(d->a.allow, "GET, HEAD, POST");
	send_request(d, WEB_HEAD, "/healthz");
	assert_int_equal(d->a.status, 200);
}

static void test_assets_lie_beside_the_page_wherever_that_is(void **state)
{
	struct desk *d = *state;

	assert_string_equal(get(d, "/isari.css"), status_css);
	assert_begins(d->a.type, "text/css");
	assert_true(d->a.may_be_kept);
	assert_string_equal(get(d, "/stats/isari.js"), status_js);
	assert_string_equal(get(d, "/a/b/isari.svg?v=1"), status_icon);
	get(d, "/favicon.ico");
	assert_int_equal(d->a.status, 204);
	get(d, "/stats/isari.live");
	assert_true(d->a.live);
	assert_string_equal(d->a.type, "text/event-stream");
}

static void test_an_event_is_one_line_of_data(void **state)
{
	struct desk *d = *state;
	struct buf out = {0};

	web_live(&d->w->facts, &out);
	assert_begins(out.data, "data: <");
	assert_string_equal(strchr(out.data, '\n'), "\n\n");
	buf_fini(&out);
}

static void test_metrics_with_a_scope_that_there_is_not(void **state)
{
	struct desk *d = *state;

	assert_non_null(strstr(get(d, "/metrics"), "haproxy_"));
	assert_begins(d->a.type, "text/plain; version=0.0.4");
	get(d, "/metrics?scope=nonsense");
	assert_int_equal(d->a.status, 400);
}

/* ---- for programs ---- */

static void test_primary_and_replicas_as_applications_connect_to_them(void **state)
{
	struct desk *d = *state;

	assert_string_equal(
		get(d, "/primary"),
		"{\"host\":\"10.0.0.1\",\"port\":5432,\"name\":\"n1\",\"timeline\":5}\n");
	assert_string_equal(d->a.type, WEB_JSON);
	assert_string_equal(
		get(d, "/replicas?cluster=main"),
		"[{\"host\":\"10.0.0.2\",\"port\":5432,\"name\":\"n2\",\"timeline\":5}]\n");
	assert_string_equal(
		get(d, "/primary?x=y&cluster=m%61in"),
		"{\"host\":\"10.0.0.1\",\"port\":5432,\"name\":\"n1\",\"timeline\":5}\n");
}

static void test_nobody_is_503_and_says_so(void **state)
{
	struct desk *d = *state;

	d->w->clusters[0].primary = -1;
	d->w->members[1].up = false;
	d->w->clusters[0].why = WHY_NO_PROOF;
	assert_string_equal(get(d, "/primary"), "{\"error\":\"cluster main has no primary: "
						"no member has proven to be primary\"}\n");
	assert_int_equal(d->a.status, 503);
	d->w->clusters[0].ambiguous = true;
	assert_begins(get(d, "/primary"), "{\"error\":\"cluster main has no primary (ambiguous): ");
	assert_int_equal(d->a.status, 503);
	assert_string_equal(d->a.type, WEB_JSON);
	assert_begins(get(d, "/replicas"), "{\"error\":\"cluster main has no replica");
	assert_int_equal(d->a.status, 503);
}

/* Then nobody's /replica is asked. */
static void test_replicas_are_known_when_no_listener_serves_them(void **state)
{
	struct desk *d = *state;
	struct member_report *m = d->w->members;

	d->w->config->clusters[0].roles_served = ROLE_BIT(ROLE_PRIMARY);
	for (int i = 0; i < 3; i++) {
		m[i].up = true;
		m[i].roles = i == 0 ? ROLE_BIT(ROLE_PRIMARY) : 0;
		m[i].claim = i == 0 ? CLAIM_PRIMARY : CLAIM_REPLICA;
		m[i].state = PG_RUNNING;
		m[i].flags = i == 2 ? TAG_NOLOADBALANCE : 0;
	}
	assert_string_equal(
		get(d, "/replicas"),
		"[{\"host\":\"10.0.0.2\",\"port\":5432,\"name\":\"n2\",\"timeline\":5}]\n");
	m[1].state = PG_STARTING;
	get(d, "/replicas");
	assert_int_equal(d->a.status, 503);
}

static void test_memory_is_asked_for_first(void **state)
{
	const struct memory_facts memory = {.resident = 4096};
	struct desk *d = *state;

	d->w->facts.memory = NULL;
	get(d, "/api/memory");
	assert_int_equal(d->a.needs, WEB_NEEDS_MEMORY);
	d->w->facts.memory = &memory;
	assert_begins(get(d, "/api/memory"), "{\"memory\":{\"resident_bytes\":4096,");
	assert_int_equal(d->a.needs, WEB_NEEDS_NOTHING);
	assert_string_equal(d->a.type, WEB_JSON);
	d->w->facts.memory = NULL;
}

static void test_which_cluster_must_be_clear(void **state)
{
	struct desk *d = *state;

	get(d, "/primary?cluster=other");
	assert_int_equal(d->a.status, 404);
	d->w->config->n_clusters = 2; /* the same one twice: only its name is looked at */
	d->w->config->clusters =
		xrealloc(d->w->config->clusters, 2 * sizeof(struct cluster_config));
	d->w->config->clusters[1] = d->w->config->clusters[0];
	d->w->config->clusters[1].name = "second";
	assert_non_null(strstr(get(d, "/primary"), "main, second"));
	assert_int_equal(d->a.status, 400);
	get(d, "/primary?cluster=main");
	assert_int_equal(d->a.status, 200);
	d->w->config->n_clusters = 1;
}

static void test_ready_while_every_write_listener_has_its_primary(void **state)
{
	struct desk *d = *state;

	assert_string_equal(get(d, "/healthz"), "alive\n");
	assert_string_equal(get(d, "/readyz"), "ready\n");
	d->w->view->listeners[0].servers[0].state = SERVER_CLOSED;
	d->w->view->listeners[0].n_open = 0;
	d->w->view->listeners[0].none_why = WHY_NO_PROOF;
	d->w->view->listeners[0].none_member = d->w->view->listeners[0].none_last = -1;
	d->w->report.now_ms = d->w->view->listeners[0].none_since_ms + 3200;
	assert_string_equal(get(d, "/readyz"),
			    "primary: cluster \"main\" has no primary since 3.2s: "
			    "no member has proven to be primary\n");
	assert_int_equal(d->a.status, 503);
	get(d, "/healthz");
	assert_int_equal(d->a.status, 200);
}

static void test_not_ready_before_the_first_view_and_while_stopping(void **state)
{
	struct desk *d = *state;

	d->w->process.stopping = true;
	get(d, "/readyz");
	assert_int_equal(d->a.status, 503);
	d->w->process.stopping = false;
	d->w->facts.view = NULL;
	get(d, "/readyz");
	assert_int_equal(d->a.status, 503);
	d->w->facts.view = d->w->view;
}

static void test_sessions_are_asked_for_first(void **state)
{
	struct desk *d = *state;

	get(d, "/api/sessions");
	assert_int_equal(d->a.needs, WEB_NEEDS_SESSIONS);
	d->w->facts.have_sessions = true;
	assert_string_equal(get(d, "/api/sessions"), "{\"sessions\":[]}\n");
	assert_int_equal(d->a.needs, WEB_NEEDS_NOTHING);
	assert_begins(get(d, "/api/clusters"), "{\"clusters\":[{\"name\":\"main\"");
	assert_begins(get(d, "/api/members"), "{\"members\":[{");
	assert_begins(get(d, "/api/events"), "{\"events\":[");
	assert_begins(get(d, "/api/workers"), "{\"workers\":[");
}

/* ---- orders ---- */

static void test_the_form_orders_what_haproxys_does(void **state)
{
	struct desk *d = *state;

	d->w->config->http.admin = true;
	assert_string_equal(post_form(d, "s=n2&action=drain&b=replica"), "./;st=DONE");
	assert_int_equal(d->a.n_orders, 1);
	assert_int_equal(d->a.orders[0].type, ORDER_SET_SERVER);
	assert_int_equal(d->a.orders[0].state, ADMIN_DRAIN);
	assert_int_equal(d->a.orders[0].listener, 1);
	assert_int_equal(d->a.orders[0].server, 1);
	assert_string_equal(post_form(d, "b=%232&s=n1&s=n3&action=maint"), "./;st=DONE");
	assert_int_equal(d->a.n_orders, 2);
	assert_int_equal(d->a.orders[1].server, 2);
	assert_int_equal(d->a.orders[1].listener, 0);
	assert_string_equal(post_form(d, "action=shutdown&b=primary&s=n1"), "./;st=ERRP");
	assert_int_equal(d->a.n_orders, 0); /* sessions are cut over the socket */
}

static void test_a_form_that_cannot_be_done_says_why(void **state)
{
	static const struct {
		const char *form, *location;
		size_t n_orders;
	} cases[] = {
		{"", "./;st=ERRP", 0},
		{"action=drain&b=replica", "./;st=NONE", 0},
		{"s=n2&action=dance&b=replica", "./;st=ERRP", 0},
		{"s=n2&action=hrunn&b=replica", "./;st=ERRP", 0},
		{"s=n2&action=drain&b=nobody", "./;st=ERRP", 0},
		{"s=n9&action=drain&b=replica", "./;st=ERRP", 0},
		{"s=n9&s=n2&action=drain&b=replica", "./;st=PART", 1},
		{"s=%00n2&action=drain&b=replica", "./;st=ERRP", 0},
		{"s&action&b", "./;st=ERRP", 0},
		{"&&&=&%&%4", "./;st=ERRP", 0},
	};
	struct desk *d = *state;

	d->w->config->http.admin = true;
	for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
		assert_string_equal(post_form(d, cases[i].form), cases[i].location);
		assert_int_equal(d->a.n_orders, cases[i].n_orders);
	}
}

static void test_without_http_admin_the_form_is_denied(void **state)
{
	struct desk *d = *state;

	assert_string_equal(post_form(d, "s=n2&action=drain&b=replica"), "./;st=DENY");
	assert_int_equal(d->a.n_orders, 0);
}

static void test_anybody_may_hint(void **state)
{
	struct desk *d = *state;

	send_request(d, WEB_POST, "/hint?cluster=main");
	assert_int_equal(d->a.status, 200);
	assert_int_equal(d->a.orders[0].type, ORDER_HINT);
	assert_int_equal(d->a.orders[0].cluster, 0);
	send_request(d, WEB_POST, "/hint");
	assert_int_equal(d->a.orders[0].cluster, -1);
	send_request(d, WEB_POST, "/hint?cluster=other");
	assert_int_equal(d->a.status, 404);
	assert_int_equal(d->a.n_orders, 0);
}

/* ---- the guard ---- */

static bool allows(struct web_request q)
{
	const char *why;
	bool allowed = web_guard_allows(&q, "lb1.example.com", &why);

	assert_true(allowed == (why == NULL));
	return allowed;
}

#define ALLOWED(...) assert_true(allows((struct web_request){__VA_ARGS__}))
#define REFUSED(...) assert_false(allows((struct web_request){__VA_ARGS__}))

static void test_curl_and_scripts_are_welcome(void **state)
{
	(void)state;
	ALLOWED(.host = "127.0.0.1:7000");
	ALLOWED(.host = "pg-lb.corp.example:7000"); /* no browser: no page behind it */
	ALLOWED(.host = "x", .content_type = "application/x-www-form-urlencoded");
	ALLOWED(.host = "x", .content_type = "Application/X-WWW-Form-Urlencoded; charset=utf-8");
	ALLOWED(.host = NULL);
}

static void test_our_own_page_may_order(void **state)
{
	static const char *const hosts[] = {"127.0.0.1:7000",       "[::1]:7000",
					    "localhost:7000",       "lb1",
					    "LB1.example.com:7000", "10.1.2.3"};

	(void)state;
	for (size_t i = 0; i < sizeof(hosts) / sizeof(hosts[0]); i++) {
		char origin[64];

		snprintf(origin, sizeof(origin), "http://%s", hosts[i]);
		ALLOWED(.host = hosts[i], .origin = origin);
		ALLOWED(.host = hosts[i], .origin = origin, .fetch_site = "same-origin");
		ALLOWED(.host = hosts[i], .fetch_site = "none");
	}
}

static void test_pages_of_others_may_not(void **state)
{
	const char *host = "127.0.0.1:7000";

	(void)state;
	REFUSED(.host = host, .origin = "http://evil.example");
	REFUSED(.host = host, .origin = "null"); /* a sandboxed frame, a file */
	REFUSED(.host = host, .origin = "");
	REFUSED(.host = host, .origin = "http://127.0.0.1:7001"); /* another port is another site */
	REFUSED(.host = host, .origin = "http://127.0.0.1");
	REFUSED(.host = host, .origin = "127.0.0.1:7000");
	REFUSED(.host = host, .fetch_site = "cross-site");
	REFUSED(.host = host, .fetch_site = "same-site");
	REFUSED(.host = host, .fetch_site = "", .origin = "http://127.0.0.1:7000");
	REFUSED(.host = host, .content_type = "text/plain");
	REFUSED(.host = host, .content_type = "application/json");
	REFUSED(.host = host, .content_type = "application/x-www-form-urlencodedx");
	REFUSED(.host = host, .content_type = "");
}

/* His name, our address: to the browser, his page is of the same site as we are. */
static void test_dns_rebinding_does_not_help(void **state)
{
	(void)state;
	REFUSED(.host = "evil.example:7000", .origin = "http://evil.example:7000");
	REFUSED(.host = "evil.example:7000", .fetch_site = "same-origin");
	REFUSED(.host = "127.0.0.1.evil.example", .origin = "http://127.0.0.1.evil.example");
	REFUSED(.host = "lb1.example.com.evil.example",
		.origin = "http://lb1.example.com.evil.example");
	REFUSED(.host = "[::1].evil.example", .fetch_site = "same-origin");
	REFUSED(.host = "", .origin = "http://");
	REFUSED(.host = NULL, .origin = "http://127.0.0.1:7000");
}

static void test_a_refused_order_is_not_done(void **state)
{
	struct desk *d = *state;

	d->w->config->http.admin = true;
	d->q.host = "127.0.0.1";
	d->q.origin = "http://evil.example";
	send_request(d, WEB_POST, "/hint");
	assert_int_equal(d->a.status, 403);
	assert_int_equal(d->a.n_orders, 0);
	d->q.body = "s=n2&action=drain&b=replica";
	d->q.body_len = strlen(d->q.body);
	send_request(d, WEB_POST, "/");
	assert_int_equal(d->a.status, 403);
	assert_int_equal(d->a.n_orders, 0);
	get(d, "/healthz"); /* reading is free */
	assert_int_equal(d->a.status, 200);
}

int main(void)
{
#define TEST(f) cmocka_unit_test_setup_teardown(f, setup, teardown)
	const struct CMUnitTest tests[] = {
		TEST(test_the_page_goes_by_many_names),
		TEST(test_every_tools_way_to_ask_for_csv),
		TEST(test_csv_is_show_stat_without_its_last_empty_line),
		TEST(test_csv_can_be_limited_as_in_haproxy),
		TEST(test_unknown_paths_are_404),
		TEST(test_each_path_takes_its_methods_only),
		TEST(test_assets_lie_beside_the_page_wherever_that_is),
		TEST(test_an_event_is_one_line_of_data),
		TEST(test_metrics_with_a_scope_that_there_is_not),
		TEST(test_primary_and_replicas_as_applications_connect_to_them),
		TEST(test_nobody_is_503_and_says_so),
		TEST(test_replicas_are_known_when_no_listener_serves_them),
		TEST(test_memory_is_asked_for_first),
		TEST(test_which_cluster_must_be_clear),
		TEST(test_ready_while_every_write_listener_has_its_primary),
		TEST(test_not_ready_before_the_first_view_and_while_stopping),
		TEST(test_sessions_are_asked_for_first),
		TEST(test_the_form_orders_what_haproxys_does),
		TEST(test_a_form_that_cannot_be_done_says_why),
		TEST(test_without_http_admin_the_form_is_denied),
		TEST(test_anybody_may_hint),
		cmocka_unit_test(test_curl_and_scripts_are_welcome),
		cmocka_unit_test(test_our_own_page_may_order),
		cmocka_unit_test(test_pages_of_others_may_not),
		cmocka_unit_test(test_dns_rebinding_does_not_help),
		TEST(test_a_refused_order_is_not_done),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
