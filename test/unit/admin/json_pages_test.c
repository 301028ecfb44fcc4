/* What operators see, as JSON: read back, and beside what the same facts are as text. */
#include "admin/json_pages.h"
#include "unit/admin/world.h"
#include <jansson.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

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

/* One line of pure ASCII, and JSON; the caller releases it. */
static json_t *page(struct world *w, const char *command)
{
	const char *text = world_run(w, command);
	json_error_t e;
	json_t *j = json_loads(text, JSON_REJECT_DUPLICATES, &e);

	if (!j)
		fail_msg("%s: %s at %d of %s", command, e.text, e.position, text);
	assert_int_equal(strcspn(text, "\n"), strlen(text) - 1);
	for (; *text; text++)
		assert_true((unsigned char)*text < 0x80);
	return j;
}

static const json_t *item(const json_t *j, const char *list, size_t i)
{
	const json_t *found = json_array_get(json_object_get(j, list), i);

	assert_non_null(found);
	return found;
}

static const json_t *field(const json_t *j, const char *key)
{
	const json_t *found = json_object_get(j, key);

	if (!found)
		fail_msg("no %s", key);
	return found;
}

#define EXPECT_STR(j, key, value)  assert_string_equal(json_string_value(field(j, key)), value)
#define EXPECT_INT(j, key, value)  assert_int_equal(json_integer_value(field(j, key)), value)
#define EXPECT_NULL(j, key)        assert_true(json_is_null(field(j, key)))
#define EXPECT_BOOL(j, key, value) assert_true(json_is_##value(field(j, key)))

static void expect_keys(const json_t *j, const char *const *keys)
{
	size_t n = 0;

	for (; keys[n]; n++)
		field(j, keys[n]);
	assert_int_equal(json_object_size(j), n);
}

static void expect_texts(const json_t *list, const char *const *texts)
{
	size_t n = 0;

	for (; texts[n]; n++)
		assert_string_equal(json_string_value(json_array_get(list, n)), texts[n]);
	assert_int_equal(json_array_size(list), n);
}

/* Programs of others rely on exactly these. */
static void test_every_object_has_the_documented_keys(void **state)
{
	static const char *const cluster[] = {
		"name",     "scope",     "system_id", "primary",  "since_ms",
		"timeline", "why",       "ambiguous", "in_doubt", "primary_changes",
		"members",  "listeners", NULL};
	static const char *const member[] = {"name",
					     "host",
					     "port",
					     "role",
					     "state",
					     "up",
					     "timeline",
					     "lag_bytes",
					     "serves",
					     "tags",
					     "outcome",
					     "http_status",
					     "last_answer_ms",
					     "proof_left_ms",
					     "why",
					     "patroni_name",
					     "patroni_version",
					     "server_version",
					     "weight",
					     "sessions",
					     NULL};
	static const char *const listener[] = {
		"name",     "frontend", "backend", "serve",      "sessions", "sessions_total",
		"rate",     "bytes_in", "waiting", "waiting_ms", "held",     "bytes_out",
		"released", "cuts",     "status",  "servers",    NULL};
	static const char *const server[] = {"name",   "status",   "admin",          "state", "why",
					     "weight", "sessions", "sessions_total", NULL};
	json_t *j = page(*state, "show clusters json");
	const json_t *main = item(j, "clusters", 0), *l = item(main, "listeners", 0);

	assert_int_equal(json_object_size(j), 1);
	expect_keys(main, cluster);
	expect_keys(item(main, "members", 0), member);
	expect_keys(l, listener);
	expect_keys(item(l, "servers", 0), server);
	json_decref(j);
}

static void test_a_cluster_says_who_is_primary_and_why(void **state)
{
	struct world *w = *state;
	json_t *j;
	const json_t *c;

	w->clusters[0].system_id = 18446744073709551615ull;
	strcpy(w->clusters[0].scope, "pg \"prod\"");
	j = page(w, "show clusters json");
	c = item(j, "clusters", 0);
	EXPECT_STR(c, "name", "main");
	EXPECT_STR(c, "scope", "pg \"prod\"");
	EXPECT_STR(c, "system_id", "18446744073709551615");
	EXPECT_STR(c, "primary", "n1");
	EXPECT_INT(c, "since_ms", 192000);
	EXPECT_INT(c, "timeline", 5);
	EXPECT_STR(c, "why", "n1 proves that it is the writable primary");
	EXPECT_BOOL(c, "ambiguous", false);
	json_decref(j);
}

static void test_what_is_not_known_is_null(void **state)
{
	struct world *w = *state;
	json_t *j;
	const json_t *c, *n3;

	w->clusters[0] = (struct cluster_report){.primary = -1, .why = WHY_NO_PROOF};
	j = page(w, "show clusters json");
	c = item(j, "clusters", 0);
	n3 = item(c, "members", 2);
	EXPECT_NULL(c, "primary");
	EXPECT_NULL(c, "scope");
	EXPECT_NULL(c, "system_id");
	EXPECT_NULL(c, "timeline");
	EXPECT_STR(c, "why", "no member has proven to be primary");
	EXPECT_NULL(n3, "role");
	EXPECT_NULL(n3, "state");
	EXPECT_NULL(n3, "timeline");
	EXPECT_NULL(n3, "lag_bytes");
	EXPECT_NULL(n3, "last_answer_ms");
	EXPECT_NULL(n3, "patroni_name");
	EXPECT_NULL(n3, "server_version");
	EXPECT_STR(n3, "outcome", "connection refused");
	EXPECT_STR(n3, "why", "is silent and its PostgreSQL port refuses");
	EXPECT_NULL(item(c, "listeners", 0), "waiting_ms");
	json_decref(j);
}

static void test_a_member_says_what_it_is_and_serves(void **state)
{
	static const char *const serves[] = {"replica", "sync", "any", NULL};
	static const char *const tags[] = {"noloadbalance", "paused", "sync", NULL};
	struct world *w = *state;
	json_t *j;
	const json_t *n1, *n2;

	w->members[1].roles = ROLE_BIT(ROLE_REPLICA) | ROLE_BIT(ROLE_SYNC) | ROLE_BIT(ROLE_ANY);
	w->members[1].flags = TAG_NOLOADBALANCE | FLAG_PAUSED | FLAG_SYNC;
	w->members[1].server_version = 150018;
	w->members[1].proof_left_ms = -1;
	w->members[0].proof_left_ms = 9100;
	w->rows[WORLD_LISTENERS + 1].sessions_now = 3;                 /* of "primary" */
	w->rows[WORLD_LISTENERS + WORLD_MEMBERS + 1].sessions_now = 4; /* of "replica" */
	j = page(w, "show clusters json");
	n1 = item(item(j, "clusters", 0), "members", 0);
	n2 = item(item(j, "clusters", 0), "members", 1);
	EXPECT_STR(n2, "name", "n2");
	EXPECT_STR(n2, "host", "10.0.0.2");
	EXPECT_INT(n2, "port", 5432);
	EXPECT_STR(n2, "role", "replica");
	EXPECT_STR(n2, "state", "running");
	EXPECT_INT(n2, "lag_bytes", 4096);
	EXPECT_INT(n2, "http_status", 503);
	EXPECT_INT(n2, "last_answer_ms", 300);
	EXPECT_INT(n2, "server_version", 150018);
	EXPECT_INT(n2, "sessions", 7);
	EXPECT_NULL(n2, "proof_left_ms");
	expect_texts(field(n2, "serves"), serves);
	expect_texts(field(n2, "tags"), tags);
	EXPECT_INT(n1, "proof_left_ms", 9100);
	EXPECT_NULL(n1, "lag_bytes"); /* the primary is behind nobody */
	json_decref(j);
}

static void test_a_listener_says_who_waits_and_its_servers_how_they_are(void **state)
{
	static const char *const serve[] = {"primary", NULL};
	struct world *w = *state;
	json_t *j;
	const json_t *l, *n1;

	w->rows[0].sum.held = 412;
	w->rows[0].waiting_now = 37;
	w->rows[0].waiting_ms = 1234;
	w->rows[0].sum.cuts = 9;
	world_server(w, 0, 0)->admin = ADMIN_MAINT;
	world_server(w, 0, 0)->state = SERVER_CLOSED;
	world_server(w, 0, 0)->why = WHY_MAINT;
	world_server(w, 0, 0)->weight = 50;
	w->rows[WORLD_LISTENERS].sum.sessions = 70;
	w->listeners[0].frontend = FRONTEND_PAUSED;
	j = page(w, "show clusters json");
	l = item(item(j, "clusters", 0), "listeners", 0);
	n1 = item(l, "servers", 0);
	EXPECT_STR(l, "name", "primary");
	EXPECT_STR(l, "status", "PAUSED");
	EXPECT_INT(l, "waiting", 37);
	EXPECT_INT(l, "waiting_ms", 1234);
	EXPECT_INT(l, "held", 412);
	EXPECT_INT(l, "cuts", 9);
	expect_texts(field(l, "serve"), serve);
	EXPECT_STR(n1, "status", "MAINT");
	EXPECT_STR(n1, "admin", "maint");
	EXPECT_STR(n1, "state", "closed");
	EXPECT_STR(n1, "why", "is in maintenance by an operator");
	EXPECT_INT(n1, "weight", 50);
	EXPECT_INT(n1, "sessions_total", 70);
	json_decref(j);
}

static void test_members_of_all_clusters_are_one_list_and_one_table(void **state)
{
	json_t *j = page(*state, "show members json");

	assert_int_equal(json_array_size(json_object_get(j, "members")), 3);
	EXPECT_STR(item(j, "members", 1), "cluster", "main");
	EXPECT_STR(item(j, "members", 1), "name", "n2");
	EXPECT_STR(item(j, "members", 1), "role", "replica");
	json_decref(j);
	assert_string_equal(
		world_run(*state, "show members"),
		"cluster  node  role     state    timeline  lag    last answer                     "
		"    up    sessions  why\n"
		"main     n1    primary  running  5         -      200, 300ms ago                  "
		"    up    0         proves that it is the writable primary\n"
		"main     n2    replica  running  5         4096B  503, 300ms ago                  "
		"    up    0         answers that it does not hold the leader lock\n"
		"main     n3    -        -        -         -      connection refused, never answer"
		"ed  down  0         is silent and its PostgreSQL port refuses\n");
}

static struct failover *add_failover(struct world *w)
{
	struct failover *e = &w->journal.entries[w->journal.n++];

	*e = (struct failover){.from = -1, .to = 0, .to_timeline = 5, .closed = true};
	for (unsigned i = 0; i < N_PHASES; i++)
		e->at_ms[i] = -1;
	e->at_ms[PHASE_WRITABLE] = 1000;
	e->wall_offset_ms = 1795160493000;
	return e;
}

static void test_events_are_the_journal_newest_first(void **state)
{
	struct world *w = *state;
	struct failover *e;
	json_t *j;
	const json_t *newest, *phases;

	add_failover(w);
	e = add_failover(w);
	e->from = 0;
	e->to = 1;
	e->why = WHY_LEASE_ENDED;
	e->from_timeline = 5;
	e->to_timeline = 6;
	e->at_ms[PHASE_DOUBT] = 5000;
	e->at_ms[PHASE_GONE] = 6000;
	e->at_ms[PHASE_WRITABLE] = 7500;
	e->counted = (struct tally){.cut = 3, .held = 40, .released = 38, .refused = 2};
	e->waiting = 5;
	e->closed = false;
	j = page(w, "show events json");
	assert_int_equal(json_array_size(json_object_get(j, "events")), 2);
	newest = item(j, "events", 0);
	EXPECT_STR(newest, "cluster", "main");
	EXPECT_STR(newest, "from", "n1");
	EXPECT_STR(newest, "to", "n2");
	EXPECT_STR(newest, "kind", "failover");
	EXPECT_STR(newest, "why", "gave no new proof before its lease ended");
	EXPECT_INT(newest, "from_timeline", 5);
	EXPECT_INT(newest, "to_timeline", 6);
	EXPECT_INT(newest, "gap_ms", 1500);
	EXPECT_BOOL(newest, "closed", false);
	EXPECT_INT(newest, "cut", 3);
	EXPECT_INT(newest, "refused", 2);
	EXPECT_INT(newest, "waiting", 5);
	assert_int_equal(strlen(json_string_value(field(newest, "began"))), 24);
	phases = field(newest, "phases");
	assert_int_equal(json_array_size(phases), N_PHASES);
	EXPECT_STR(json_array_get(phases, PHASE_GONE), "key", phase_key(PHASE_GONE));
	EXPECT_STR(json_array_get(phases, PHASE_GONE), "words", "old primary gone");
	EXPECT_INT(json_array_get(phases, PHASE_GONE), "at_ms", 1000);
	EXPECT_NULL(json_array_get(phases, PHASE_SESSION), "at_ms");
	EXPECT_STR(item(j, "events", 1), "kind", "start");
	EXPECT_NULL(item(j, "events", 1), "from");
	EXPECT_NULL(item(j, "events", 1), "gap_ms");
	EXPECT_STR(item(j, "events", 1), "why", "");
	json_decref(j);
}

static void test_a_restart_is_a_return_and_a_doubt_an_interruption(void **state)
{
	struct world *w = *state;
	struct failover *e = add_failover(w);
	json_t *j;

	e->from = e->to = 0;
	j = page(w, "show events json");
	EXPECT_STR(item(j, "events", 0), "kind", "return");
	EXPECT_STR(json_array_get(field(item(j, "events", 0), "phases"), PHASE_WRITABLE), "words",
		   "writable again");
	json_decref(j);
	e->interruption = true;
	j = page(w, "show events json");
	EXPECT_STR(item(j, "events", 0), "kind", "interruption");
	json_decref(j);
}

static void test_sessions_are_listed_with_the_ids_that_commands_take(void **state)
{
	struct world *w = *state;
	const struct session_info list[] = {
		{.id = 0x1000000000002a,
		 .server = 1,
		 .state = "relaying",
		 .client = "127.0.0.1:41508",
		 .server_local = "10.0.0.9:53448",
		 .age_ms = 3723000,
		 .idle_ms = 12,
		 .bytes_in = 6,
		 .bytes_out = UINT64_MAX / 4},
		{.id = 1, .listener = 1, .server = -1, .state = "held", .client = "[::1]:5"},
		{.id = 3, .listener = 77}, /* of a listener that is no more */
	};
	json_t *j;

	assert_string_equal(world_run(w, "show sess json"), "");
	assert_int_equal(w->order.type, ORDER_NEED_SESSIONS);
	w->facts.have_sessions = true;
	w->facts.sessions = list;
	w->facts.n_sessions = 3;
	j = page(w, "show sess json");
	assert_int_equal(json_array_size(json_object_get(j, "sessions")), 2);
	EXPECT_STR(item(j, "sessions", 0), "id", "0x1000000000002a");
	EXPECT_STR(item(j, "sessions", 0), "listener", "primary");
	EXPECT_STR(item(j, "sessions", 0), "server", "n2");
	EXPECT_STR(item(j, "sessions", 0), "server_local", "10.0.0.9:53448");
	EXPECT_INT(item(j, "sessions", 0), "idle_ms", 12);
	EXPECT_INT(item(j, "sessions", 0), "bytes_out", UINT64_MAX / 4);
	EXPECT_NULL(item(j, "sessions", 1), "server");
	EXPECT_NULL(item(j, "sessions", 1), "server_local");
	EXPECT_STR(item(j, "sessions", 1), "state", "held");
	json_decref(j);
}

static void test_workers_have_every_number_of_theirs(void **state)
{
	struct world *w = *state;
	const struct worker_numbers workers[] = {{.sessions = 12, .spliced = 7}, {.late = 5}};
	json_t *j;

	w->facts.workers = workers;
	w->facts.n_workers = 2;
	j = page(w, "show workers json");
	EXPECT_INT(item(j, "workers", 0), "worker", 0);
	EXPECT_INT(item(j, "workers", 0), "sessions", 12);
	EXPECT_INT(item(j, "workers", 0), "spliced", 7);
	EXPECT_INT(item(j, "workers", 1), "late", 5);
#define HAS(name, help) field(item(j, "workers", 1), #name);
	WORKER_STATS_LIST(HAS)
#undef HAS
	json_decref(j);
}

static void test_memory_is_read_when_somebody_asks(void **state)
{
	struct world *w = *state;
	const struct worker_numbers workers[] = {
		{.pool_bytes = 57352,
		 .pool_used_bytes = 2240,
		 .session_bytes = 224,
		 .slow_bytes = 5,
		 .pipes = 2,
		 .generation = 41},
		{.pool_bytes = 57352, .session_bytes = 224, .slow_bytes = 6, .generation = 42},
	};
	const struct memory_facts memory = {.resident = 12 << 20, .heap_used = 900};
	json_t *j;
	const json_t *m;

	w->facts.workers = workers;
	w->facts.n_workers = 2;
	w->view->generation = 42;
	w->process.sessions_now = 10;
	assert_string_equal(world_run(w, "show memory json"), "");
	assert_int_equal(w->order.type, ORDER_NEED_MEMORY);
	w->facts.memory = &memory;
	j = page(w, "show memory json");
	m = field(j, "memory");
	EXPECT_INT(m, "resident_bytes", 12 << 20);
	EXPECT_NULL(m, "resident_max_bytes"); /* the kernel does not say */
	EXPECT_INT(m, "sessions", 10);
	EXPECT_INT(m, "bytes_per_session", 224);
	EXPECT_INT(m, "session_pool_bytes", 2 * 57352);
	EXPECT_INT(m, "session_pool_used_bytes", 2240);
	EXPECT_INT(m, "slow_reader_bytes", 11);
	EXPECT_INT(m, "pipes", 2);
	EXPECT_INT(m, "views", 2); /* one worker still goes by the one before */
	EXPECT_INT(m, "view_generation", 42);
	json_decref(j);
	assert_int_equal(w->order.type, ORDER_NONE);
	assert_non_null(strstr(world_run(w, "show memory"),
			       "\nheld for sessions                 114704    112.0 kB\n"));
	assert_non_null(strstr(world_run(w, "show memory"),
			       "\nresident, at most so far          -         -\n"));
}

static void test_names_of_strangers_are_escaped(void **state)
{
	struct world *w = *state;
	json_t *j;

	strcpy(w->members[0].patroni_name, "a\"b\\c\n\xff");
	j = page(w, "show members json");
	EXPECT_STR(item(j, "members", 0), "patroni_name", "a\"b\\c\n\xEF\xBF\xBD");
	json_decref(j);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
#define TEST(f) cmocka_unit_test_setup_teardown(f, setup, teardown)
		TEST(test_every_object_has_the_documented_keys),
		TEST(test_a_cluster_says_who_is_primary_and_why),
		TEST(test_what_is_not_known_is_null),
		TEST(test_a_member_says_what_it_is_and_serves),
		TEST(test_a_listener_says_who_waits_and_its_servers_how_they_are),
		TEST(test_members_of_all_clusters_are_one_list_and_one_table),
		TEST(test_events_are_the_journal_newest_first),
		TEST(test_a_restart_is_a_return_and_a_doubt_an_interruption),
		TEST(test_sessions_are_listed_with_the_ids_that_commands_take),
		TEST(test_workers_have_every_number_of_theirs),
		TEST(test_memory_is_read_when_somebody_asks),
		TEST(test_names_of_strangers_are_escaped),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
