/* The page of metrics: every line of it well-formed, HAProxy's numbers the same as in `show stat`,
 * and ours as the facts say. What HAProxy itself prints: test/system/test_prometheus.py. */
#include "admin/metrics_page.h"
#include "unit/admin/world.h"
#include <errno.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>

#include <cmocka.h>

struct page {
	struct world *w;
	struct meters *meters;
	struct worker_numbers workers[2];
	struct buf out;
};

static int setup(void **state)
{
	struct page *p = xcalloc(1, sizeof(*p));

	p->w = world_new();
	p->meters = meters_new(p->w->config);
	p->w->facts.meters = p->meters;
	p->w->facts.workers = p->workers;
	p->w->facts.n_workers = 2;
	for (unsigned i = 0; i < WORLD_LISTENERS * WORLD_MEMBERS; i++)
		p->w->servers[i].weight = 1;
	*state = p;
	return 0;
}

static int teardown(void **state)
{
	struct page *p = *state;

	buf_fini(&p->out);
	meters_free(p->meters);
	world_free(p->w);
	free(p);
	return 0;
}

static const char *page(struct page *p, const char *query)
{
	buf_clear(&p->out);
	assert_int_equal(metrics_page(&p->w->facts, query, &p->out), 0);
	return p->out.len ? p->out.data : "";
}

/* The value of a sample: what follows "<sample> " at the beginning of a line; NULL: there is none.
 * Valid until the next page. */
static const char *value(struct page *p, const char *sample)
{
	static char text[64];
	size_t n = strlen(sample);

	for (const char *line = p->out.data; *line; line += strcspn(line, "\n") + 1) {
		if (strncmp(line, sample, n) != 0 || line[n] != ' ')
			continue;
		snprintf(text, sizeof(text), "%.*s", (int)strcspn(line + n + 1, "\n"),
			 line + n + 1);
		return text;
	}
	return NULL;
}

#define assert_value(p, sample, expected)                 \
	do {                                              \
		const char *found_ = value(p, sample);    \
                                                          \
		if (!found_)                              \
			fail_msg("no sample %s", sample); \
		assert_string_equal(found_, expected);    \
	} while (0)
#define assert_no_value(p, sample) assert_null(value(p, sample))

/* ---- the format ---- */

static bool begins(const char *text, const char *with)
{
	return strncmp(text, with, strlen(with)) == 0;
}

static size_t name_length(const char *text)
{
	return strspn(text, "abcdefghijklmnopqrstuvwxyz0123456789_");
}

static bool belongs_to(const char *line, const char *family)
{
	static const char *const suffixes[] = {"", "_bucket", "_sum", "_count"};
	size_t n = name_length(line);

	for (size_t i = 0; i < sizeof(suffixes) / sizeof(suffixes[0]); i++)
		if (n == strlen(family) + strlen(suffixes[i]) && begins(line, family) &&
		    begins(line + strlen(family), suffixes[i]))
			return true;
	return false;
}

static bool is_number(const char *text)
{
	char *end;

	strtod(text, &end);
	return end > text && *end == '\0';
}

static void check_sample(const char *line, const char *family)
{
	const char *after = line + name_length(line);

	if (!belongs_to(line, family))
		fail_msg("'%s' stands under %s", line, family);
	if (*after == '{')
		after = strrchr(after, '}') + 1;
	if (*after != ' ' || !is_number(after + 1))
		fail_msg("no sample: '%s'", line);
}

static int by_text(const void *a, const void *b)
{
	return strcmp(*(char *const *)a, *(char *const *)b);
}

/* No two samples, and no two families, may be the same. */
static void check_unique(char **lines, size_t n)
{
	qsort(lines, n, sizeof(*lines), by_text);
	for (size_t i = 0; i < n; i++) {
		char *end = strrchr(lines[i], ' ');

		if (lines[i][0] != '#')
			*end = '\0';
		if (i > 0 && strcmp(lines[i - 1], lines[i]) == 0)
			fail_msg("twice: '%s'", lines[i]);
	}
}

static size_t check_page(const char *text)
{
	char *copy = xstrdup(text), *rest = copy, *line, **lines = xcalloc(20000, sizeof(*lines));
	char family[128] = "", help[128] = "";
	size_t n = 0;

	while ((line = strsep(&rest, "\n")) != NULL && rest) {
		if (begins(line, "# HELP "))
			snprintf(help, sizeof(help), "%.*s", (int)name_length(line + 7), line + 7);
		else if (begins(line, "# TYPE "))
			snprintf(family, sizeof(family), "%.*s", (int)name_length(line + 7),
				 line + 7);
		else
			check_sample(line, family);
		if (begins(line, "# TYPE "))
			assert_string_equal(family, help);
		lines[n++] = line;
	}
	assert_string_equal(line, ""); /* the last line has an end, too */
	check_unique(lines, n);
	free(lines);
	free(copy);
	return n;
}

static void every_line_is_well_formed_and_there_once(void **state)
{
	struct page *p = *state;

	assert_true(check_page(page(p, "")) > 500);
}

static void names_that_would_break_the_page_do_not(void **state)
{
	struct page *p = *state;

	free(p->w->config->members[1].name);
	p->w->config->members[1].name = xstrdup("n\"2\\\n\xff");
	check_page(page(p, ""));
	assert_value(p, "isari_member_up{cluster=\"main\",member=\"n\\\"2\\\\\\n?\"}", "1");
}

/* ---- what is asked for ---- */

static bool has(const struct page *p, const char *text)
{
	return p->out.data && strstr(p->out.data, text) != NULL;
}

static void a_scope_leaves_out_the_rest(void **state)
{
	struct page *p = *state;

	page(p, "scope=server");
	assert_true(has(p, "haproxy_server_status{"));
	assert_false(has(p, "haproxy_backend_status{"));
	assert_false(has(p, "haproxy_process_nbthread"));
	assert_false(has(p, "isari_"));
	page(p, "scope=global&scope=isari&x=y");
	assert_true(has(p, "haproxy_process_nbthread"));
	assert_true(has(p, "isari_cluster_members"));
	assert_false(has(p, "haproxy_frontend"));
	page(p, "scope=%66rontend&scope=backend");
	assert_true(has(p, "haproxy_frontend_status"));
	assert_true(has(p, "haproxy_backend_status"));
	assert_false(has(p, "haproxy_server"));
}

static void scopes_that_haproxy_has_and_we_have_not_are_empty(void **state)
{
	struct page *p = *state;

	assert_string_equal(page(p, "scope=listener"), "");
	assert_string_equal(page(p, "scope=sticktable"), "");
	assert_string_equal(page(p, "scope=server&scope="), "");
	page(p, "scope=&scope=*");
	assert_true(has(p, "haproxy_process_nbthread") && has(p, "isari_cluster_members"));
}

static void a_wrong_scope_is_refused_and_nothing_is_written(void **state)
{
	static const char *const wrong[] = {
		"scope=foo",       "scope",     "scope=server%20",      "scope=%zz",
		"scope=%0",        "scope=%00", "scope=global&scope=x", "a&scope=ser",
		"scope=server%00x"};
	struct page *p = *state;

	for (size_t i = 0; i < sizeof(wrong) / sizeof(wrong[0]); i++) {
		if (metrics_page(&p->w->facts, wrong[i], &p->out) != -EINVAL)
			fail_msg("%s", wrong[i]);
		assert_int_equal(p->out.len, 0);
	}
}

static void what_is_none_of_our_business_is_ignored(void **state)
{
	struct page *p = *state;
	size_t whole = strlen(page(p, ""));

	assert_int_equal(strlen(page(p, "&&")), whole);
	assert_int_equal(strlen(page(p, "Scope=x&name[]=y&scopes=1&=&%=%")), whole);
}

static void no_maint_leaves_out_servers_in_maintenance(void **state)
{
	struct page *p = *state;

	world_server(p->w, 0, 1)->admin = ADMIN_MAINT;
	page(p, "scope=server");
	assert_value(p, "haproxy_server_status{proxy=\"primary\",server=\"n2\",state=\"MAINT\"}",
		     "1");
	page(p, "no-maint&scope=server");
	assert_false(has(p, "{proxy=\"primary\",server=\"n2\""));
	assert_true(has(p, "{proxy=\"replica\",server=\"n2\""));
}

/* ---- HAProxy's ---- */

static void proxies_have_the_names_that_dashboards_know(void **state)
{
	struct page *p = *state;
	struct listener_config *l = &p->w->config->listeners[0];

	free(l->frontend_name);
	free(l->backend_name);
	l->frontend_name = xstrdup("pg-test-primary");
	l->backend_name = xstrdup("be");
	check_page(page(p, ""));
	assert_value(p, "haproxy_frontend_status{proxy=\"pg-test-primary\",state=\"UP\"}", "1");
	assert_value(p, "haproxy_backend_status{proxy=\"be\",state=\"UP\"}", "1");
	assert_value(p, "haproxy_server_status{proxy=\"be\",server=\"n1\",state=\"UP\"}", "1");
	assert_value(p,
		     "isari_listener_info{cluster=\"main\",listener=\"primary\","
		     "frontend=\"pg-test-primary\",backend=\"be\"}",
		     "1");
}

static void numbers_are_those_of_show_stat(void **state)
{
	struct page *p = *state;
	struct row_facts *row = &p->w->rows[0];

	row->sessions_now = 7;
	row->sum.sessions = 1000;
	row->sum.bytes_in = 1ull << 53;
	row->held_ms_avg = 1500;
	row->connect_ms_max = 3;
	row->last_session_ms_ago = 2999;
	page(p, "");
	assert_value(p, "haproxy_frontend_current_sessions{proxy=\"primary\"}", "7");
	assert_value(p, "haproxy_frontend_connections_total{proxy=\"primary\"}", "1000");
	assert_value(p, "haproxy_backend_bytes_in_total{proxy=\"primary\"}", "9007199254740992");
	assert_value(p, "haproxy_backend_queue_time_average_seconds{proxy=\"primary\"}",
		     "1.500000");
	assert_value(p, "haproxy_backend_max_connect_time_seconds{proxy=\"primary\"}", "0.003000");
	assert_value(p, "haproxy_backend_response_time_average_seconds{proxy=\"primary\"}",
		     "0.000000");
	assert_value(p, "haproxy_backend_last_session_seconds{proxy=\"primary\"}", "2");
	assert_value(p, "haproxy_backend_last_session_seconds{proxy=\"replica\"}", "-1");
	assert_value(p, "haproxy_server_need_connections_current{proxy=\"primary\",server=\"n1\"}",
		     "1");
}

static void what_is_blank_in_show_stat_is_nan(void **state)
{
	struct page *p = *state;

	page(p, "");
	assert_value(p, "haproxy_server_queue_limit{proxy=\"primary\",server=\"n1\"}", "NaN");
	assert_value(p, "haproxy_server_current_throttle{proxy=\"primary\",server=\"n1\"}", "NaN");
	assert_value(p, "haproxy_server_idle_connections_limit{proxy=\"primary\",server=\"n1\"}",
		     "NaN");
}

static void states_of_servers_and_their_sums(void **state)
{
	struct page *p = *state;

	page(p, "");
	assert_value(p, "haproxy_server_status{proxy=\"primary\",server=\"n2\",state=\"DOWN\"}",
		     "1");
	assert_value(p, "haproxy_server_status{proxy=\"primary\",server=\"n2\",state=\"UP\"}", "0");
	assert_value(p, "haproxy_backend_agg_server_status{proxy=\"primary\",state=\"UP\"}", "1");
	assert_value(p, "haproxy_backend_agg_server_check_status{proxy=\"primary\",state=\"DOWN\"}",
		     "2");
	assert_value(p, "haproxy_backend_agg_check_status{proxy=\"primary\",state=\"L7STS\"}", "1");
	assert_value(p,
		     "haproxy_server_check_status{proxy=\"primary\",server=\"n3\",state=\"L4CON\"}",
		     "1");
	assert_value(p, "haproxy_server_check_code{proxy=\"primary\",server=\"n2\"}", "503");
	assert_value(p, "haproxy_server_check_code{proxy=\"primary\",server=\"n3\"}", "0");
}

static void who_is_in_maintenance_has_no_check(void **state)
{
	struct page *p = *state;

	world_server(p->w, 0, 0)->admin = ADMIN_MAINT;
	page(p, "");
	assert_no_value(p, "haproxy_server_check_code{proxy=\"primary\",server=\"n1\"}");
	assert_no_value(
		p, "haproxy_server_check_status{proxy=\"primary\",server=\"n1\",state=\"L7OK\"}");
	assert_value(p, "haproxy_backend_agg_check_status{proxy=\"primary\",state=\"L7OK\"}", "0");
	assert_value(p, "haproxy_backend_agg_server_status{proxy=\"primary\",state=\"MAINT\"}",
		     "1");
}

static void the_process_is_that_of_show_info(void **state)
{
	struct page *p = *state;

	page(p, "");
	assert_value(p, "haproxy_process_nbthread", "4");
	assert_value(p, "haproxy_process_uptime_seconds", "93784");
	assert_value(p, "haproxy_process_idle_time_percent", "99");
	assert_value(p, "haproxy_process_max_fds", "1024");
	assert_true(has(p, "haproxy_process_build_info{version=\"2.6.0-isari-"));
}

/* ---- ours: who is primary ---- */

static void one_look_says_who_is_primary_and_since_when(void **state)
{
	struct page *p = *state;

	page(p, "");
	assert_value(p, "isari_cluster_writable_primary{cluster=\"main\"}", "1");
	assert_value(p, "isari_cluster_primary_info{cluster=\"main\",member=\"n1\"}", "1");
	assert_value(p, "isari_cluster_primary_age_seconds{cluster=\"main\"}", "192.000");
	assert_value(p, "isari_cluster_timeline{cluster=\"main\"}", "5");
	assert_value(p, "isari_cluster_members{cluster=\"main\"}", "3");
}

static void nobody_is_primary(void **state)
{
	struct page *p = *state;

	p->w->clusters[0].primary = -1;
	p->w->clusters[0].ambiguous = true;
	p->w->clusters[0].timeline = 0;
	page(p, "");
	assert_value(p, "isari_cluster_writable_primary{cluster=\"main\"}", "0");
	assert_value(p, "isari_cluster_ambiguous{cluster=\"main\"}", "1");
	assert_false(has(p, "isari_cluster_primary_info{"));
	assert_no_value(p, "isari_cluster_timeline{cluster=\"main\"}");
}

static void members_say_their_role_lag_and_why(void **state)
{
	struct page *p = *state;

	p->w->members[0].roles = ROLE_BIT(ROLE_PRIMARY) | ROLE_BIT(ROLE_ANY);
	p->w->members[1].roles = ROLE_BIT(ROLE_REPLICA) | ROLE_BIT(ROLE_ANY);
	p->w->members[1].server_version = 150018;
	p->w->members[1].flags = TAG_NOLOADBALANCE;
	page(p, "");
	assert_value(p, "isari_member_role{cluster=\"main\",member=\"n1\",role=\"primary\"}", "1");
	assert_value(p, "isari_member_role{cluster=\"main\",member=\"n2\",role=\"primary\"}", "0");
	assert_value(p, "isari_member_state{cluster=\"main\",member=\"n1\",state=\"running\"}",
		     "1");
	assert_value(p, "isari_member_lag_bytes{cluster=\"main\",member=\"n2\"}", "4096");
	assert_value(p, "isari_member_last_answer_age_seconds{cluster=\"main\",member=\"n2\"}",
		     "0.300");
	assert_value(p, "isari_member_tag{cluster=\"main\",member=\"n2\",tag=\"noloadbalance\"}",
		     "1");
	assert_true(has(p, "server_version=\"15.18\""));
}

static void who_never_answered_has_no_age_and_no_lag(void **state)
{
	struct page *p = *state;

	page(p, "");
	assert_value(p, "isari_member_up{cluster=\"main\",member=\"n3\"}", "0");
	assert_value(p, "isari_member_state{cluster=\"main\",member=\"n3\",state=\"unknown\"}",
		     "1");
	assert_no_value(p, "isari_member_last_answer_age_seconds{cluster=\"main\",member=\"n3\"}");
	assert_no_value(p, "isari_member_lag_bytes{cluster=\"main\",member=\"n3\"}");
	assert_no_value(p, "isari_member_timeline{cluster=\"main\",member=\"n3\"}");
}

static void questions_and_what_became_of_them(void **state)
{
	struct page *p = *state;

	meters_asked(p->meters, 0, ASK_PRIMARY);
	meters_answered(p->meters, &(struct observation){.question = ASK_PRIMARY,
							 .outcome = OUTCOME_ANSWERED,
							 .asked_ms = 10,
							 .answered_ms = 14});
	meters_asked(p->meters, 2, ASK_PORT);
	meters_answered(p->meters, &(struct observation){.member = 2,
							 .question = ASK_PORT,
							 .outcome = OUTCOME_REFUSED});
	page(p, "");
	assert_value(p, "isari_probes_total{cluster=\"main\",member=\"n1\",via=\"rest\"}", "1");
	assert_value(p,
		     "isari_probe_outcomes_total{cluster=\"main\",member=\"n1\",via=\"rest\","
		     "outcome=\"answered\"}",
		     "1");
	assert_value(p,
		     "isari_probe_outcomes_total{cluster=\"main\",member=\"n3\",via=\"port\","
		     "outcome=\"connection refused\"}",
		     "1");
	assert_value(p,
		     "isari_probe_seconds_bucket{cluster=\"main\",member=\"n1\",via=\"rest\",le="
		     "\"0.005\"}",
		     "1");
	assert_value(p, "isari_probe_seconds_sum{cluster=\"main\",member=\"n1\",via=\"rest\"}",
		     "0.004");
}

/* ---- ours: failovers ---- */

static void add_failover(struct page *p, int from, int to)
{
	struct failover *f = &p->w->journal.entries[p->w->journal.n++];

	*f = (struct failover){.from = from,
			       .to = to,
			       .why = WHY_LEASE_ENDED,
			       .wall_offset_ms = 1700000000000,
			       .counted = {.cut = 3, .held = 5, .released = 4, .refused = 1}};
	for (unsigned i = 0; i < N_PHASES; i++)
		f->at_ms[i] = -1;
	f->at_ms[PHASE_DOUBT] = 1000;
	f->at_ms[PHASE_GONE] = 1250;
	f->at_ms[PHASE_WRITABLE] = 4250;
}

static void the_last_failover_has_its_phases(void **state)
{
	struct page *p = *state;

	add_failover(p, 1, 0);
	add_failover(p, 0, 1);
	meters_failover(p->meters, &p->w->journal.entries[0]);
	meters_failover(p->meters, &p->w->journal.entries[1]);
	page(p, "");
	assert_value(p, "isari_failovers_total{cluster=\"main\"}", "2");
	assert_value(p, "isari_failover_phase_seconds{cluster=\"main\",phase=\"first_doubt\"}",
		     "0.000");
	assert_value(p, "isari_failover_phase_seconds{cluster=\"main\",phase=\"writable\"}",
		     "3.250");
	assert_no_value(p,
			"isari_failover_phase_seconds{cluster=\"main\",phase=\"last_released\"}");
	assert_value(p, "isari_failover_gap_seconds{cluster=\"main\"}", "3.000");
	assert_value(p, "isari_failover_began_timestamp_seconds{cluster=\"main\"}",
		     "1700000001.000");
	assert_value(p, "isari_failover_clients{cluster=\"main\",fate=\"released\"}", "4");
	assert_value(p,
		     "isari_failover_info{cluster=\"main\",kind=\"failover\",from=\"n1\",to=\"n2\","
		     "why=\"gave no new proof before its lease ended\"}",
		     "1");
}

static void a_start_is_no_failover(void **state)
{
	struct page *p = *state;

	add_failover(p, -1, 0);
	page(p, "");
	assert_false(has(p, "isari_failover_info{"));
	assert_false(has(p, "isari_failover_phase_seconds{"));
}

static void a_failover_to_nobody_yet_is_shown(void **state)
{
	struct page *p = *state;

	add_failover(p, 0, -1);
	p->w->journal.entries[0].at_ms[PHASE_WRITABLE] = -1;
	check_page(page(p, ""));
	assert_true(has(p, "from=\"n1\",to=\"\""));
	assert_no_value(p, "isari_failover_gap_seconds{cluster=\"main\"}");
}

/* ---- ours: listeners and threads ---- */

static void who_waits_is_there_from_the_start(void **state)
{
	struct page *p = *state;

	page(p, "");
	assert_value(p, "isari_listener_held{cluster=\"main\",listener=\"primary\"}", "0");
	assert_value(p, "isari_listener_held_oldest_seconds{cluster=\"main\",listener=\"primary\"}",
		     "0.000");
	p->w->rows[0].waiting_now = 2;
	p->w->rows[0].waiting_ms = 4200;
	p->w->rows[0].sum.held_ms = 90500;
	page(p, "");
	assert_value(p, "isari_listener_held{cluster=\"main\",listener=\"primary\"}", "2");
	assert_value(p, "isari_listener_held_oldest_seconds{cluster=\"main\",listener=\"primary\"}",
		     "4.200");
	assert_value(
		p,
		"isari_listener_released_wait_seconds_total{cluster=\"main\",listener=\"primary\"}",
		"90.500");
}

static void cuts_and_closes_have_the_words_of_the_log(void **state)
{
	struct page *p = *state;

	p->w->rows[0].sum.closes[CLOSE_FENCED] = 9;
	p->w->rows[0].sum.closes[CLOSE_CLIENT] = 100;
	page(p, "");
	assert_value(p,
		     "isari_listener_cuts_total{cluster=\"main\",listener=\"primary\","
		     "reason=\"server_fenced\"}",
		     "9");
	assert_value(p,
		     "isari_listener_closes_total{cluster=\"main\",listener=\"primary\","
		     "reason=\"client_closed\"}",
		     "100");
	assert_no_value(p, "isari_listener_cuts_total{cluster=\"main\",listener=\"primary\","
			   "reason=\"client_closed\"}");
}

static void servers_are_counted_by_state(void **state)
{
	struct page *p = *state;

	page(p, "");
	assert_value(p,
		     "isari_listener_servers{cluster=\"main\",listener=\"primary\",state=\"open\"}",
		     "1");
	assert_value(
		p, "isari_listener_servers{cluster=\"main\",listener=\"primary\",state=\"closed\"}",
		"2");
	assert_value(
		p, "isari_listener_serves{cluster=\"main\",listener=\"replica\",role=\"replica\"}",
		"1");
}

static void a_limit_that_is_not_set_has_no_sample(void **state)
{
	struct page *p = *state;

	page(p, "");
	assert_no_value(p, "isari_listener_lag_limit_bytes{cluster=\"main\",listener=\"replica\"}");
	p->w->config->listeners[1].has_max_lag = true;
	p->w->config->listeners[1].max_lag_bytes = 1048576;
	page(p, "");
	assert_value(p, "isari_listener_lag_limit_bytes{cluster=\"main\",listener=\"replica\"}",
		     "1048576");
	assert_value(p, "isari_listener_hold_limit_seconds{cluster=\"main\",listener=\"primary\"}",
		     "30.000");
}

static void threads_say_how_they_do(void **state)
{
	struct page *p = *state;

	p->workers[1].longest_turn_us = 2345;
	p->workers[1].generation = 17;
	p->w->report.generation = 18;
	meters_late(p->meters, 1500);
	meters_page(p->meters, 400, 12345);
	page(p, "");
	assert_value(p, "isari_worker_longest_turn_seconds{worker=\"1\"}", "0.002345");
	assert_value(p, "isari_worker_view_generation{worker=\"1\"}", "17");
	assert_value(p, "isari_view_generation", "18");
	assert_value(p, "isari_control_timer_late_seconds_bucket{le=\"0.002\"}", "1");
	assert_value(p, "isari_control_timer_late_seconds_bucket{le=\"0.001\"}", "0");
	assert_value(p, "isari_metrics_page_bytes", "12345");
	assert_true(has(p, "isari_build_info{version=\""));
}

static void a_refused_reload_is_seen(void **state)
{
	struct page *p = *state;

	p->w->process.reload_ok = true;
	p->w->process.reloads = 3;
	page(p, "");
	assert_value(p, "isari_config_last_reload_successful", "1");
	p->w->process.reload_ok = false;
	p->w->process.reload_failures = 1;
	page(p, "");
	assert_value(p, "isari_config_last_reload_successful", "0");
	assert_value(p, "isari_config_reload_failures_total", "1");
	assert_value(p, "isari_config_reloads_total", "3");
}

static void without_meters_the_rest_is_there(void **state)
{
	struct page *p = *state;

	p->w->facts.meters = NULL;
	p->w->facts.journal = NULL;
	check_page(page(p, ""));
	assert_value(p, "isari_failovers_total{cluster=\"main\"}", "0");
	assert_no_value(p, "isari_control_timer_late_seconds_count");
}

#define TEST(name) cmocka_unit_test_setup_teardown(name, setup, teardown)

int main(void)
{
	const struct CMUnitTest tests[] = {
		TEST(every_line_is_well_formed_and_there_once),
		TEST(names_that_would_break_the_page_do_not),
		TEST(a_scope_leaves_out_the_rest),
		TEST(scopes_that_haproxy_has_and_we_have_not_are_empty),
		TEST(a_wrong_scope_is_refused_and_nothing_is_written),
		TEST(what_is_none_of_our_business_is_ignored),
		TEST(no_maint_leaves_out_servers_in_maintenance),
		TEST(proxies_have_the_names_that_dashboards_know),
		TEST(numbers_are_those_of_show_stat),
		TEST(what_is_blank_in_show_stat_is_nan),
		TEST(states_of_servers_and_their_sums),
		TEST(who_is_in_maintenance_has_no_check),
		TEST(the_process_is_that_of_show_info),
		TEST(one_look_says_who_is_primary_and_since_when),
		TEST(nobody_is_primary),
		TEST(members_say_their_role_lag_and_why),
		TEST(who_never_answered_has_no_age_and_no_lag),
		TEST(questions_and_what_became_of_them),
		TEST(the_last_failover_has_its_phases),
		TEST(a_start_is_no_failover),
		TEST(a_failover_to_nobody_yet_is_shown),
		TEST(who_waits_is_there_from_the_start),
		TEST(cuts_and_closes_have_the_words_of_the_log),
		TEST(servers_are_counted_by_state),
		TEST(a_limit_that_is_not_set_has_no_sample),
		TEST(threads_say_how_they_do),
		TEST(a_refused_reload_is_seen),
		TEST(without_meters_the_rest_is_there),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
