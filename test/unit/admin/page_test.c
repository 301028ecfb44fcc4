/* The status page: what it says, of what there is and of what there isn't; and that names stay
 * names, whoever made them up. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "admin/command.h"
#include "admin/status_page.h"
#include "unit/admin/world.h"
#include <stdio.h>

#define NOW_WALL_MS INT64_C(1795266111000) /* 2026-11-21 13:01:51 UTC */
enum { NOW_MS = 93784000 };

static int setup(void **state)
{
	struct world *w = world_new();

	w->process.wall_ms = NOW_WALL_MS;
	w->report.now_ms = NOW_MS;
	w->view->listeners[0].n_open = w->view->listeners[1].n_open = 1;
	*state = w;
	return 0;
}

static int teardown(void **state)
{
	world_free(*state);
	return 0;
}

/* The document for a target; of `w` until the next one. */
static const char *page(struct world *w, const char *target)
{
	struct web_request q = {.method = WEB_GET, .target = target};

	buf_clear(&w->out);
	status_page(&w->facts, &q, &w->out);
	return w->out.data;
}

static void has(const char *html, const char *what)
{
	if (!strstr(html, what))
		fail_msg("not there: %s", what);
}

static void has_not(const char *html, const char *what)
{
	if (strstr(html, what))
		fail_msg("should not be there: %s", what);
}

static size_t count(const char *html, const char *what)
{
	size_t n = 0;

	for (; (html = strstr(html, what)) != NULL; html++)
		n++;
	return n;
}

/* The elements nest: each end belongs to the last that began. */
static void is_well_formed(const char *html)
{
	static const char *const voids = " !DOCTYPE meta link br input ";
	char open[64][16];
	size_t depth = 0;

	for (const char *at = html; (at = strchr(at, '<')) != NULL; at++) {
		bool is_end = at[1] == '/';
		size_t len = strcspn(at + 1 + is_end, " >");
		char name[18];

		assert_true(len > 0 && len < 15);
		snprintf(name, sizeof(name), " %.*s ", (int)len, at + 1 + is_end);
		if (strstr(voids, name))
			continue;
		if (!is_end) {
			assert_true(depth < 64);
			snprintf(open[depth++], 16, "%.*s", (int)len, at + 1);
			continue;
		}
		assert_true(depth > 0);
		assert_memory_equal(open[--depth], at + 2, len);
		assert_int_equal(open[depth][len], '\0');
	}
	assert_int_equal(depth, 0);
}

static void is_one_line_of_ascii(const char *html)
{
	for (; *html; html++)
		assert_true((*html >= ' ' && *html < 0x7F) || (*html == '\n' && !html[1]));
}

static struct failover *add_failover(struct world *w, int from, int to)
{
	static const int64_t at[N_PHASES] = {0, 130, 130, 505, 512, 512, 513, 511, 560};
	struct failover *f = &w->journal.entries[w->journal.n++];

	*f = (struct failover){.from = from,
			       .to = to,
			       .why = from < 0 ? WHY_NONE : WHY_NOT_LEADER,
			       .from_timeline = from < 0 ? 0 : 4,
			       .to_timeline = to < 0 ? 0 : 5,
			       .closed = true,
			       .wall_offset_ms = NOW_WALL_MS - NOW_MS,
			       .counted = {.cut = 8, .held = 40, .released = 37, .refused = 3}};
	for (unsigned i = 0; i < N_PHASES; i++)
		f->at_ms[i] = NOW_MS - 192000 + at[i];
	return f;
}

/* ---- what it says -------------------------------------------------------------------------- */

static void test_the_top_says_who_is_primary_since_when_and_why(void **state)
{
	struct world *w = *state;
	const char *html = page(w, "/");

	has(html, "<title>main: n1 is primary - isari on db1</title>");
	has(html, "<h2 id=\"cluster-0\" aria-live=\"polite\" aria-atomic=\"true\">"
		  "<span class=\"badge\">OK</span> <span class=\"whose\">main</span>: "
		  "<strong>n1 is primary</strong></h2>");
	has(html, "<dt>Since</dt><dd><b>3m12s</b>, "
		  "<time datetime=\"2026-11-21T12:58:39.000Z\">2026-11-21 12:58:39 UTC</time>, "
		  "timeline 5</dd>");
	has(html, "<dt>Why</dt><dd class=\"why\">n1 proves that it is the writable primary</dd>");
	has(html, "<dt>Cut</dt><dd>nobody since the start</dd>");
	has(html, "<dt>Waiting</dt><dd>nobody</dd>");
	assert_true(strstr(html, "class=\"verdict\"") < strstr(html, "class=\"nodes\""));
}

static void test_the_top_says_who_was_cut_and_what_waits(void **state)
{
	struct world *w = *state;
	const char *html;

	add_failover(w, 1, 0);
	w->rows[0].sum.cuts = 9;
	w->rows[0].waiting_now = 12;
	w->rows[0].waiting_ms = 3210;
	html = page(w, "/");
	has(html, "<dt>Before</dt><dd><b>n2</b> answers that it does not hold the leader lock; "
		  "no primary for 382ms</dd>");
	has(html, "<dt>Cut</dt><dd><b>8 sessions</b> of n2, 3m12s ago; 9 since the start</dd>");
	has(html, "<dt>Waiting</dt><dd class=\"pressing\"><b>12 clients</b>, longest 3.2s</dd>");
	has(html, "primary: 12 clients wait for a server, the longest for 3.2s; refused after "
		  "30.0s.");
}

static void test_a_node_says_what_it_claims_and_how_long_ago(void **state)
{
	struct world *w = *state;
	const char *html;

	strcpy(w->members[0].patroni_version, "3.0.2");
	w->members[0].server_version = 150014;
	w->members[0].proof_left_ms = 8700;
	w->members[1].flags = FLAG_SYNC;
	w->rows[2].sessions_now = 42; /* n1's of the listener "primary" */
	html = page(w, "/");
	has(html, "<li class=\"node primary\" data-tone=\"fine\" id=\"node-0\"><h3>"
		  "<span class=\"name\">n1</span> <span class=\"role\">primary</span></h3>"
		  "<p class=\"address\">10.0.0.1:5432</p>");
	has(html, "<dt>Last answer</dt><dd>300ms ago, HTTP 200</dd>");
	has(html, "<dt>Proven for</dt><dd>8.7s more</dd>");
	has(html, "<dt>Sessions</dt><dd>42</dd>");
	has(html, "<dt>Patroni</dt><dd>3.0.2</dd>");
	has(html, "<dt>PostgreSQL</dt><dd>15.14</dd>");
	has(html, "<dt>Lag</dt><dd>4096 B</dd>");
	has(html, "<span class=\"tag\">sync</span>");
	has(html, "<p class=\"why\">proves that it is the writable primary</p>");
}

static void test_a_silent_node_stands_out_by_words(void **state)
{
	struct world *w = *state;
	const char *html;

	w->members[2].last_answer_age_ms = 42000;
	html = page(w, "/");
	has(html, "<span class=\"badge\">Warning</span> n3 is silent and its PostgreSQL port "
		  "refuses (connection refused). Last answer 42.0s ago.");
	has(html, "<span class=\"name\">n3</span> <span class=\"role\">down</span>");
	has(html, "<dd class=\"bad\">42.0s ago, now connection refused</dd>");
}

static void test_servers_have_haproxys_ids_and_words(void **state)
{
	struct world *w = *state;
	const char *html;

	free(w->config->listeners[0].backend_name);
	w->config->listeners[0].backend_name = xstrdup("pg_write");
	world_server(w, 0, 0)->why = WHY_PROVEN;
	w->rows[2].sessions_now = 5;
	html = page(w, "/");
	has(html, "<tr id=\"pg_write/n1\" data-tone=\"fine\"><th class=\"name\" scope=\"row\">n1"
		  "</th><td class=\"status\"><b>UP</b> open</td><td class=\"number\">5</td>");
	has(html, "<tr id=\"pg_write/n2\" data-tone=\"note\">");
	has(html, "<td class=\"check\">L7STS/503 in 0 ms</td>");
	has(html, "<caption>Servers of primary</caption>");
	has(html, "1 of 3 servers take new sessions");
	has_not(html, "<form");
	has_not(html, "<button");
}

/* ---- when it is bad ------------------------------------------------------------------------ */

static void lose_primary(struct world *w)
{
	w->clusters[0].primary = -1;
	w->clusters[0].why = WHY_PORT_SILENT;
	w->clusters[0].since_ms_ago = 3400;
	w->clusters[0].in_doubt = true;
	w->view->listeners[0].n_open = 0;
	w->view->listeners[0].none_why = WHY_PORT_SILENT;
	w->view->listeners[0].none_member = 0;
}

static void test_no_primary_is_an_alarm_with_the_reason(void **state)
{
	struct world *w = *state;
	const char *html;

	lose_primary(w);
	html = page(w, "/");
	has(html, "<title>main: no primary - isari on db1</title>");
	has(html, "<div class=\"verdict\" data-tone=\"alarm\">");
	has(html, "<span class=\"badge\">Alarm</span>");
	has(html, "<strong>no primary</strong>");
	has(html, "timeline 5, asked fast</dd>");
	has(html,
	    "<dd class=\"why\">n1 is silent on both its Patroni and its PostgreSQL port</dd>");
	has_not(html, "class=\"node primary\"");
}

static void test_ambiguity_says_so(void **state)
{
	struct world *w = *state;
	const char *html;

	lose_primary(w);
	w->clusters[0].ambiguous = true;
	w->clusters[0].why = w->view->listeners[0].none_why = WHY_AMBIGUOUS;
	html = page(w, "/");
	has(html, "<strong>no primary (ambiguous)</strong>");
	has(html, "n1 and another member prove the same timeline");
}

static void test_a_primary_in_doubt_is_not_called_fine(void **state)
{
	struct world *w = *state;
	const char *html;

	w->members[0].why = WHY_PG_NOT_RUNNING;
	w->members[0].state = PG_STOPPING;
	w->view->listeners[0].n_open = 0;
	w->view->listeners[0].none_why = WHY_PG_NOT_RUNNING;
	w->view->listeners[0].none_member = 0;
	html = page(w, "/");
	has(html, "<div class=\"verdict\" data-tone=\"warning\">");
	has(html, "<strong>n1 is primary, in doubt</strong>");
	has(html, "<dd class=\"why\">n1 holds the lock but its PostgreSQL is not running</dd>");
	has(html, "primary takes no new sessions: cluster");
	has(html, "<li class=\"node primary\" data-tone=\"warning\"");
}

static void test_a_closed_door_is_seen(void **state)
{
	struct world *w = *state;

	w->listeners[0].frontend = FRONTEND_STOP;
	has(page(w, "/"), "primary takes no new clients: it was set to STOP by an operator.");
	has(w->out.data, "<span class=\"name\">primary</span> <span class=\"role\">STOP</span>");
}

static void test_where_no_primary_is_served_none_is_missed(void **state)
{
	struct world *w = *state;
	const char *html;

	lose_primary(w);
	w->config->listeners[0].serve = ROLE_BIT(ROLE_STANDBY_LEADER);
	config_finish(w->config);
	html = page(w, "/");
	has(html, "<div class=\"verdict\" data-tone=\"note\">");
}

static void test_the_worst_comes_first(void **state)
{
	struct world *w = *state;
	const char *html;

	w->view->listeners[1].n_open = 0;
	w->view->listeners[1].none_why = WHY_DRAIN;
	w->view->listeners[1].none_member = 1;
	world_server(w, 1, 1)->admin = ADMIN_DRAIN;
	w->members[1].flags = FLAG_PAUSED;
	html = page(w, "/");
	assert_true(strstr(html, "replica takes no new sessions: cluster") <
		    strstr(html, "Patroni is paused"));
	assert_true(strstr(html, "Patroni is paused") <
		    strstr(html, "n2 is drained at replica, by an operator."));
}

static void test_the_process_warns_of_itself(void **state)
{
	struct world *w = *state;

	w->process.stopping = true;
	w->process.dropped_logs = 7;
	w->process.sessions_now = w->process.maxconn;
	w->process.reload_failures = 1;
	has(page(w, "/"), "isari is stopping");
	has(w->out.data, "The last reload was refused");
	has(w->out.data, "7 log lines were dropped");
	has(w->out.data, "isari carries 20000 of at most 20000 sessions.");
	has(w->out.data, "<span class=\"role\">STOP</span>");
}

/* ---- failovers ----------------------------------------------------------------------------- */

static void test_a_failover_has_phases_as_numbers_and_bars(void **state)
{
	struct world *w = *state;
	const char *html;

	add_failover(w, 1, 0);
	html = page(w, "/");
	has(html, "<span class=\"whose\">main</span>: n2 &#8594; n1</span> "
		  "<span class=\"role\">failover</span></h3>");
	has(html, "12:58:39 UTC</time>, 3m12s ago: n2 answers that it does not hold the leader "
		  "lock</p>");
	has(html, "<dt>No primary for</dt><dd>382ms</dd>");
	has(html, "<dt>Timeline</dt><dd>4 &#8594; 5</dd>");
	has(html, "<dt>Sessions cut</dt><dd>8</dd>");
	has(html, "<dt>Clients held</dt><dd>40</dd>");
	has(html, "<dt>Released</dt><dd>37</dd>");
	has(html, "<dt>Refused</dt><dd class=\"bad\">3</dd>");
	has(html, "<th scope=\"row\">new primary writable</th><td class=\"number\">512 ms</td>"
		  "<td class=\"number\">+382 ms</td><td class=\"bar\">");
	has(html, "<rect class=\"step\" x=\"23.2%\" width=\"68.2%\" height=\"100%\"></rect>");
	has(html, "<th scope=\"row\">first session on new primary</th><td class=\"number\">511 ms"
		  "</td><td class=\"number\">-2 ms</td>");
	assert_int_equal(count(html, "aria-hidden=\"true\" focusable=\"false\""), N_PHASES);
}

static void test_a_question_from_before_the_beginning_stays_in_its_bar(void **state)
{
	struct world *w = *state;
	struct failover *f = add_failover(w, 1, 0);

	f->at_ms[PHASE_ASKED] = NOW_MS - 193000;
	has(page(w, "/"), "<td class=\"number\">-1000 ms</td>");
	has(w->out.data, "<rect class=\"moment\" x=\"0.0%\"");
	has_not(w->out.data, " x=\"-");
	has_not(w->out.data, "width=\"-");
}

static void test_a_failover_that_goes_on_says_so(void **state)
{
	struct world *w = *state;
	struct failover *f = add_failover(w, 0, -1);

	for (int i = PHASE_ASKED; i < N_PHASES; i++)
		f->at_ms[i] = -1;
	f->closed = false;
	f->waiting = 12;
	has(page(w, "/"), "n1 &#8594; (nobody yet)</span>");
	has(w->out.data, "<span class=\"role\">so far</span>");
	has(w->out.data, "<dd>still none</dd>");
	has(w->out.data, "<dt>Waiting</dt><dd class=\"pressing\">12</dd>");
	has(w->out.data, "<th scope=\"row\">new primary writable</th><td class=\"number\">-</td>");
}

static void test_an_empty_journal_is_a_sentence(void **state)
{
	has(page(*state, "/"), "No cluster has had a primary since isari started.");
	has_not(((struct world *)*state)->out.data, "<article");
}

static void test_a_full_journal_shows_the_newest_whole_and_the_rest_as_rows(void **state)
{
	struct world *w = *state;
	const char *html;

	for (unsigned i = 0; i < JOURNAL_ENTRIES; i++)
		add_failover(w, (int)(i % 2), (int)((i + 1) % 2));
	html = page(w, "/");
	assert_int_equal(count(html, "<article"), 5);
	assert_int_equal(count(html, "class=\"how\""), 5);
	assert_int_equal(count(html, " open>"), 1);
	has(html, "<summary>Before that: 59</summary>");
	assert_true(w->out.len < 128 * 1024);
}

/* ---- orders -------------------------------------------------------------------------------- */

static void test_buttons_ask_first(void **state)
{
	struct world *w = *state;
	const char *html;

	w->config->http.admin = true;
	world_server(w, 1, 1)->admin = ADMIN_DRAIN;
	html = page(w, "/");
	has(html, "<form action=\"./\"><input type=\"hidden\" name=\"s\" value=\"n1\">"
		  "<input type=\"hidden\" name=\"b\" value=\"primary\">"
		  "<button name=\"action\" value=\"drain\" id=\"do-0-0-1\" "
		  "aria-label=\"Drain n1 at primary\">Drain</button>");
	has(html, "aria-label=\"Ready n2 at replica\"");
	has_not(html, "aria-label=\"Drain n2 at replica\"");
	has_not(html, "method=\"post\"");
	assert_int_equal(count(html, "<button"), 12);
}

static void test_the_question_says_what_will_happen(void **state)
{
	struct world *w = *state;
	const char *html;

	w->config->http.admin = true;
	w->rows[2].sessions_now = 42;
	html = page(w, "/?s=n1&b=primary&action=maint");
	has(html, "Put into maintenance: n1 at primary?</h2>");
	has(html, "Now it carries 42 sessions, which will be cut.");
	has(html, "No other server takes sessions at primary: clients will wait.");
	has(html, "<form method=\"post\" action=\"./\"><input type=\"hidden\" name=\"s\" "
		  "value=\"n1\"><input type=\"hidden\" name=\"b\" value=\"primary\">"
		  "<input type=\"hidden\" name=\"action\" value=\"maint\">"
		  "<button class=\"sure\">Put into maintenance: n1</button>");
	has_not(html, "http-equiv");
	has(page(w, "/?s=n2&b=replica&action=drain"), "0 sessions, which go on.");
	has(page(w, "/?s=n2&b=%23"
		    "3&action=ready"),
	    "Make ready: n2 at replica?");
}

static void test_nonsense_is_not_asked_about(void **state)
{
	static const char *const targets[] = {
		"/?s=n9&b=primary&action=maint",   "/?s=n1&b=nothing&action=maint",
		"/?s=n1&b=primary&action=explode", "/?action=drain",
		"/?action=%00%ff<script>",
	};
	struct world *w = *state;

	w->config->http.admin = true;
	for (size_t i = 0; i < sizeof(targets) / sizeof(targets[0]); i++) {
		has(page(w, targets[i]), "Action not processed because of invalid parameters");
		has_not(w->out.data, "method=\"post\"");
		has_not(w->out.data, "<script>");
	}
	w->config->http.admin = false;
	has(page(w, "/?s=n1&b=primary&action=maint"), "Action denied.");
	has_not(w->out.data, "method=\"post\"");
}

static void test_what_became_of_an_order_is_said(void **state)
{
	has(page(*state, "/;st=DONE"), "<p role=\"status\">Action processed successfully. ");
	has(page(*state, "/;st=DENY"), "Action denied.");
	has(page(*state, "/;st=<script>"), "Unexpected result.");
	has_not(((struct world *)*state)->out.data, "<script>");
}

/* ---- the document -------------------------------------------------------------------------- */

static void test_scrapers_of_haproxys_page_find_what_they_look_for(void **state)
{
	const char *html = page(*state, "/;norefresh");

	has(html, "HAProxy version " ADMIN_VERSION ", released 20");
	has(html, "Statistics Report for pid 4711 on db1");
	has(html, "<b>uptime = </b> 1d 2h03m04s<br>");
	has(html, "<b>maxconn = </b> 20000");
	has(html, "current conns = 0;");
	assert_ptr_equal(strstr(html, "HAProxy version"), strstr(html, "HAProxy"));
}

static void test_it_reloads_without_javascript_unless_told_not_to(void **state)
{
	static const char refresh[] =
		"<noscript><meta http-equiv=\"refresh\" content=\"5\"></noscript></head>";

	has(page(*state, "/"), refresh);
	has(page(*state, "/stats?x"), refresh);
	has_not(page(*state, "/;norefresh"), "http-equiv");
	has_not(page(*state, "/haproxy?stats;norefresh"), "http-equiv");
}

static void test_it_needs_nothing_inline_and_nothing_from_elsewhere(void **state)
{
	struct world *w = *state;
	const char *html;

	w->config->http.admin = true;
	add_failover(w, 1, 0);
	html = page(w, "/");
	has_not(html, "style=");
	has_not(html, "<style");
	has_not(html, " onclick");
	has_not(html, " onsubmit");
	has_not(html, "//");
	has_not(html, "href=\"/");
	assert_int_equal(count(html, "<script"), 1);
	has(html, "<script src=\"isari.js\" defer></script>");
	has(status_js, "new EventSource(\"isari.live\")");
	has_not(status_css, "url(");
	has_not(status_css, "@import");
}

static void test_the_fragment_is_what_the_page_holds(void **state)
{
	struct world *w = *state;
	struct buf fragment = {0};

	add_failover(w, 1, 0);
	status_fragment(&w->facts, &fragment);
	has(page(w, "/"), fragment.data);
	is_one_line_of_ascii(fragment.data);
	is_well_formed(fragment.data);
	assert_memory_equal(fragment.data, "<main id=\"main\"", 15);
	buf_fini(&fragment);
}

/* ---- many of everything --------------------------------------------------------------------- */

enum { CLUSTERS = 3, EACH = 40 };

/* Clusters of EACH members with one listener each; the second has no primary. */
static void grow(struct config *c)
{
	c->n_clusters = c->n_listeners = CLUSTERS;
	c->n_members = (size_t)CLUSTERS * EACH;
	c->clusters = xcalloc(CLUSTERS, sizeof(*c->clusters));
	c->members = xcalloc(c->n_members, sizeof(*c->members));
	c->listeners = xcalloc(CLUSTERS, sizeof(*c->listeners));
	for (unsigned i = 0; i < CLUSTERS; i++) {
		c->clusters[i].name = xasprintf("c%u", i);
		listener_config_defaults(&c->listeners[i]);
		c->listeners[i].name = xasprintf("l%u", i);
		c->listeners[i].cluster = i;
	}
	for (unsigned i = 0; i < c->n_members; i++) {
		c->members[i].name = xasprintf("m%u", i);
		c->members[i].host = xasprintf("10.0.0.%u", i);
		c->members[i].cluster = i / EACH;
		c->members[i].weight = 1;
	}
	config_finish(c);
}

static void report_all(const struct config *c, struct report *r)
{
	*r = (struct report){.clusters = xcalloc(CLUSTERS, sizeof(*r->clusters)),
			     .members = xcalloc(c->n_members, sizeof(*r->members)),
			     .servers = xcalloc(c->n_members, sizeof(*r->servers)),
			     .n_clusters = CLUSTERS,
			     .n_members = c->n_members,
			     .n_servers = c->n_members};
	for (unsigned i = 0; i < CLUSTERS; i++)
		r->clusters[i] = (struct cluster_report){
			.cluster = i, .primary = i == 1 ? -1 : (int)(i * EACH), .why = WHY_PROVEN};
	for (unsigned i = 0; i < c->n_members; i++) {
		r->members[i] = (struct member_report){
			.member = i, .up = true, .why = WHY_PROVEN, .outcome = OUTCOME_ANSWERED};
		r->servers[i] = (struct server_report){
			.listener = i / EACH, .server = i % EACH, .member = i, .row = CLUSTERS + i};
	}
}

static void test_many_members_of_many_clusters_are_all_there(void **state)
{
	struct world *w = *state;
	struct config *c = config_new();
	struct report r;
	const char *html;

	grow(c);
	report_all(c, &r);
	w->facts.config = c;
	w->facts.report = &r;
	w->facts.view = NULL;
	w->facts.rows = xcalloc(counters_rows(c), sizeof(*w->facts.rows));
	w->facts.listeners = xcalloc(CLUSTERS, sizeof(*w->facts.listeners));
	html = page(w, "/");
	has(html, "<title>c1: no primary - isari on db1</title>");
	has(html, "<nav class=\"overview\" aria-label=\"Clusters\"><ul><li data-tone=\"fine\">"
		  "<span class=\"badge\">OK</span> <a href=\"#cluster-0\">c0: m0 is primary</a>");
	has(html, "<span class=\"badge\">Alarm</span> <a href=\"#cluster-1\">c1: no primary</a>");
	assert_int_equal(count(html, "<li class=\"node"), CLUSTERS * EACH);
	assert_int_equal(count(html, "<tr id=\"l"), CLUSTERS * EACH);
	has(html, "<tr id=\"l2/m119\"");
	is_well_formed(html);
	free((void *)w->facts.rows);
	free((void *)w->facts.listeners);
	report_fini(&r);
	config_unref(c);
}

/* ---- strangers ----------------------------------------------------------------------------- */

static void test_hostile_names_stay_names(void **state)
{
	static const char evil[] = "<script>alert(1)</script>\"'&\n\xFF\xC3\xA9";
	struct world *w = *state;
	struct config *c = w->config;

	for (unsigned i = 0; i < WORLD_MEMBERS; i++) {
		free(c->members[i].name);
		free(c->members[i].host);
		c->members[i].name = xstrdup(evil);
		c->members[i].host = xstrdup(evil);
		strcpy(w->members[i].patroni_version, "\"><script>");
	}
	for (unsigned i = 0; i < WORLD_LISTENERS; i++) {
		free(c->listeners[i].name);
		free(c->listeners[i].backend_name);
		c->listeners[i].name = xstrdup(evil);
		c->listeners[i].backend_name = xstrdup(evil);
	}
	free(c->clusters[0].name);
	c->clusters[0].name = xstrdup(evil);
	strcpy(w->clusters[0].scope, evil);
	strcpy(w->process.node, evil);
	c->http.admin = true;
	world_server(w, 0, 1)->admin = ADMIN_MAINT;
	w->view->listeners[1].n_open = 0;
	add_failover(w, 1, 0);
	page(w, "/?action=drain&b=%3Cscript%3Ealert(1)%3C/script%3E%22'%26%0A%FF%C3%A9&"
		"s=%3Cscript%3Ealert(1)%3C/script%3E%22'%26%0A%FF%C3%A9");
	assert_int_equal(count(w->out.data, "<script"), 1); /* the page's own */
	has_not(w->out.data, "alert(1)<");
	has(w->out.data, "method=\"post\"");
	is_well_formed(w->out.data);
	is_one_line_of_ascii(w->out.data);
}

static void test_before_the_first_view_there_is_a_page(void **state)
{
	struct world *w = *state;

	w->facts.view = NULL;
	lose_primary(w);
	w->clusters[0].why = WHY_NO_PROOF;
	for (unsigned i = 0; i < WORLD_MEMBERS; i++)
		w->members[i] = (struct member_report){.member = i, .last_answer_age_ms = -1};
	has(page(w, "/"), "<dd class=\"why\">no member has proven to be primary</dd>");
	assert_int_equal(count(w->out.data, "<span class=\"role\">not asked yet</span>"), 3);
	is_well_formed(w->out.data);
}

int main(void)
{
#define TEST(name) cmocka_unit_test_setup_teardown(name, setup, teardown)
	const struct CMUnitTest tests[] = {
		TEST(test_the_top_says_who_is_primary_since_when_and_why),
		TEST(test_the_top_says_who_was_cut_and_what_waits),
		TEST(test_a_node_says_what_it_claims_and_how_long_ago),
		TEST(test_a_silent_node_stands_out_by_words),
		TEST(test_servers_have_haproxys_ids_and_words),
		TEST(test_no_primary_is_an_alarm_with_the_reason),
		TEST(test_ambiguity_says_so),
		TEST(test_a_primary_in_doubt_is_not_called_fine),
		TEST(test_a_closed_door_is_seen),
		TEST(test_where_no_primary_is_served_none_is_missed),
		TEST(test_the_worst_comes_first),
		TEST(test_the_process_warns_of_itself),
		TEST(test_a_failover_has_phases_as_numbers_and_bars),
		TEST(test_a_question_from_before_the_beginning_stays_in_its_bar),
		TEST(test_a_failover_that_goes_on_says_so),
		TEST(test_an_empty_journal_is_a_sentence),
		TEST(test_a_full_journal_shows_the_newest_whole_and_the_rest_as_rows),
		TEST(test_buttons_ask_first),
		TEST(test_the_question_says_what_will_happen),
		TEST(test_nonsense_is_not_asked_about),
		TEST(test_what_became_of_an_order_is_said),
		TEST(test_scrapers_of_haproxys_page_find_what_they_look_for),
		TEST(test_it_reloads_without_javascript_unless_told_not_to),
		TEST(test_it_needs_nothing_inline_and_nothing_from_elsewhere),
		TEST(test_the_fragment_is_what_the_page_holds),
		TEST(test_many_members_of_many_clusters_are_all_there),
		TEST(test_hostile_names_stay_names),
		TEST(test_before_the_first_view_there_is_a_page),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
