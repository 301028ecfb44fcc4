/* isari's JSON read back for its own terminal view. */
#include "wire/top_json.h"
#include <errno.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include <cmocka.h>

static int clusters(struct top_model *m, const char *text)
{
	return top_json_clusters(m, text, strlen(text));
}

static int events(struct top_model *m, const char *text)
{
	return top_json_events(m, text, strlen(text));
}

static const char one_cluster[] =
	"{\"clusters\":[{\"name\":\"main\",\"scope\":\"s\",\"primary\":\"n1\",\"since_ms\":1500,"
	"\"timeline\":7,\"why\":\"n1 proves\",\"ambiguous\":false,\"in_doubt\":true,\"members\":["
	"{\"name\":\"n1\",\"role\":\"primary\",\"state\":\"running\",\"up\":true,\"timeline\":7,"
	"\"lag_bytes\":null,\"tags\":[],\"outcome\":\"answered\",\"last_answer_ms\":12,"
	"\"why\":\"proves\",\"sessions\":3},"
	"{\"name\":\"n2\",\"role\":null,\"state\":null,\"up\":false,\"timeline\":null,"
	"\"lag_bytes\":9007199254740993,\"tags\":[\"paused\",\"noloadbalance\"],"
	"\"outcome\":\"timeout\",\"last_answer_ms\":null,\"why\":\"is silent\",\"sessions\":0}],"
	"\"listeners\":[{\"name\":\"write\",\"frontend\":\"fe\",\"backend\":\"be\","
	"\"serve\":[\"primary\",\"sync\"],\"sessions\":3,\"sessions_total\":10,\"rate\":2,"
	"\"bytes_in\":100,\"bytes_out\":200,\"waiting\":4,\"waiting_ms\":950,\"held\":5,"
	"\"released\":1,\"cuts\":6,\"status\":\"OPEN\",\"servers\":["
	"{\"name\":\"n1\",\"status\":\"UP\",\"admin\":\"ready\",\"state\":\"open\",\"why\":\"\","
	"\"weight\":100,\"sessions\":3,\"sessions_total\":9}]}]}]}";

static void clusters_nodes_listeners_and_servers_are_read(void **state)
{
	struct top_model m = {0};

	(void)state;
	assert_int_equal(clusters(&m, one_cluster), 0);
	assert_int_equal(m.n_clusters, 1);
	assert_string_equal(m.clusters[0].primary, "n1");
	assert_int_equal(m.clusters[0].since_ms, 1500);
	assert_int_equal(m.clusters[0].timeline, 7);
	assert_true(m.clusters[0].in_doubt);
	assert_false(m.clusters[0].ambiguous);
	assert_int_equal(m.clusters[0].sessions, 3);
	assert_int_equal(m.clusters[0].waiting, 4);
	assert_int_equal(m.clusters[0].waiting_ms, 950);
	assert_int_equal(m.n_nodes, 2);
	assert_true(m.nodes[0].is_primary);
	assert_int_equal(m.nodes[0].lag_bytes, -1);
	assert_string_equal(m.nodes[1].cluster, "main");
	assert_string_equal(m.nodes[1].role, "");
	assert_string_equal(m.nodes[1].tags, "paused,noloadbalance");
	assert_int_equal(m.nodes[1].timeline, -1);
	assert_true(m.nodes[1].lag_bytes == 9007199254740993);
	assert_int_equal(m.n_listeners, 1);
	assert_string_equal(m.listeners[0].serve, "primary,sync");
	assert_true(m.listeners[0].rate > 1.9 && m.listeners[0].rate < 2.1);
	assert_true(m.listeners[0].in_per_second < 0);
	assert_int_equal(m.n_servers, 1);
	assert_string_equal(m.servers[0].listener, "write");
	assert_string_equal(m.servers[0].backend, "be");
	assert_int_equal(m.servers[0].weight, 100);
	top_model_fini(&m);
}

static void the_next_reading_takes_the_place_of_the_one_before(void **state)
{
	struct top_model m = {0};

	(void)state;
	assert_int_equal(clusters(&m, one_cluster), 0);
	assert_int_equal(clusters(&m, one_cluster), 0);
	assert_int_equal(m.n_nodes, 2);
	assert_int_equal(clusters(&m, "{\"clusters\":[]}"), 0);
	assert_int_equal(m.n_clusters + m.n_nodes + m.n_listeners + m.n_servers, 0);
	top_model_fini(&m);
}

static void failovers_are_read_with_their_phases(void **state)
{
	struct top_model m = {.events_denied = true};

	(void)state;
	assert_int_equal(
		events(&m, "{\"events\":[{\"cluster\":\"main\",\"from\":\"n1\",\"to\":null,"
			   "\"kind\":\"failover\",\"why\":\"w\",\"from_timeline\":3,"
			   "\"to_timeline\":null,\"began\":\"2026-11-20T10:58:47.123Z\","
			   "\"gap_ms\":null,\"closed\":false,\"phases\":["
			   "{\"key\":\"last_answer_ms\",\"at_ms\":-20},"
			   "{\"key\":\"first_doubt_ms\",\"at_ms\":0},"
			   "{\"key\":\"gone_ms\",\"at_ms\":null},{\"key\":\"later\",\"at_ms\":1}],"
			   "\"cut\":5,\"held\":6,\"released\":7,\"refused\":8,\"waiting\":1}]}"),
		0);
	assert_int_equal(m.n_events, 1);
	assert_false(m.events_denied);
	assert_string_equal(m.events[0].to, "");
	assert_int_equal(m.events[0].gap_ms, -1);
	assert_int_equal(m.events[0].at_ms[PHASE_DOUBT], 0);
	assert_true(m.events[0].at_ms[PHASE_GONE] == TOP_PHASE_UNKNOWN);
	assert_true(m.events[0].at_ms[PHASE_SESSION] == TOP_PHASE_UNKNOWN);
	assert_int_equal(m.events[0].refused, 8);
	top_model_fini(&m);
}

static void what_is_no_such_json_is_refused_and_changes_nothing(void **state)
{
	static const char *const bad[] = {
		"",
		"Permission denied\n",
		"Unknown command. Please enter one of the following commands only:",
		"{\"clusters\":",
		"{\"clusters\":{}}",
		"{\"events\":7}",
		"[]",
		"7",
		"\"clusters\"",
	};
	struct top_model m = {0};

	(void)state;
	assert_int_equal(clusters(&m, one_cluster), 0);
	for (size_t i = 0; i < sizeof(bad) / sizeof(bad[0]); i++) {
		assert_int_equal(clusters(&m, bad[i]), -EBADMSG);
		assert_int_equal(events(&m, bad[i]), -EBADMSG);
	}
	assert_int_equal(m.n_nodes, 2);
	top_model_fini(&m);
}

static void strange_types_are_not_said(void **state)
{
	struct top_model m = {0};

	(void)state;
	assert_int_equal(clusters(&m, "{\"clusters\":[7,{\"name\":[],\"since_ms\":\"x\","
				      "\"timeline\":1e300,\"in_doubt\":1,\"members\":"
				      "[null,{\"lag_bytes\":-0.5,\"tags\":[1,\"a\",null]}],"
				      "\"listeners\":{\"a\":1}}]}"),
			 0);
	assert_int_equal(m.n_clusters, 2);
	assert_string_equal(m.clusters[1].name, "");
	assert_int_equal(m.clusters[1].since_ms, -1);
	assert_int_equal(m.clusters[1].timeline, -1);
	assert_false(m.clusters[1].in_doubt);
	assert_int_equal(m.n_nodes, 2);
	assert_int_equal(m.nodes[1].lag_bytes, -1);
	assert_false(m.nodes[0].is_primary); /* nobody is called "" */
	assert_int_equal(m.n_listeners, 0);
	top_model_fini(&m);
}

static void names_become_printable_and_fit(void **state)
{
	struct top_model m = {0};
	char text[2048] = "{\"clusters\":[{\"name\":\"\\u001b[2Jx\\u0000y\\u009b\\n\","
			  "\"members\":[{\"tags\":[";

	(void)state;
	for (int i = 0; i < 60; i++)
		strcat(text, "\"tag\",");
	strcat(text, "\"last\"],\"name\":\"");
	memset(text + strlen(text), 'n', 200);
	strcat(text, "\"}]}]}");
	assert_int_equal(clusters(&m, text), -EBADMSG); /* no name holds a NUL */
	memcpy(strstr(text, "\\u0000"), "\\u0001", 6);
	assert_int_equal(clusters(&m, text), 0);
	assert_string_equal(m.clusters[0].name, "?[2Jx?y???");
	assert_int_equal(strlen(m.nodes[0].name), TOP_NAME_BYTES - 1);
	assert_true(strlen(m.nodes[0].tags) < TOP_TEXT_BYTES);
	assert_memory_equal(m.nodes[0].tags, "tag,tag,tag,", 12);
	top_model_fini(&m);
}

static void show_info_names_the_process(void **state)
{
	static const char text[] = "Name: HAProxy\nVersion: 2.6.0-isari-0.1.0\nPid: 42\n"
				   "Uptime: 0d 0h00m07s\nUptime_sec: 7\nCurrConns: 12\n"
				   "SessRate: x\nnode: db-\x1b[1m\nStopping: 1\nno colon\n";
	struct top_model m = {0};

	(void)state;
	top_json_info(&m, text, sizeof(text) - 1);
	assert_string_equal(m.process.version, "0.1.0");
	assert_string_equal(m.process.node, "db-?[1m");
	assert_int_equal(m.process.pid, 42);
	assert_int_equal(m.process.uptime_s, 7);
	assert_int_equal(m.process.sessions, 12);
	assert_int_equal(m.process.rate, -1);
	assert_int_equal(m.process.stopping, 1);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(clusters_nodes_listeners_and_servers_are_read),
		cmocka_unit_test(the_next_reading_takes_the_place_of_the_one_before),
		cmocka_unit_test(failovers_are_read_with_their_phases),
		cmocka_unit_test(what_is_no_such_json_is_refused_and_changes_nothing),
		cmocka_unit_test(strange_types_are_not_said),
		cmocka_unit_test(names_become_printable_and_fit),
		cmocka_unit_test(show_info_names_the_process),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
