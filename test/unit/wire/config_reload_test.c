/* What a reload sees in two files: every key's change in the words of the file, what no running
 * process can do, and that where something stands means nothing. */
#include "base/mem.h"
#include "core/config_diff.h"
#include "wire/config_yaml.h"
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

static struct config *parse(const char *text)
{
	struct buf faults = {0};
	struct config *c = config_yaml_parse(text, strlen(text), "isari.yaml", &faults);

	if (c == NULL)
		fail_msg("%s in\n%s", faults.data, text);
	buf_fini(&faults);
	return c;
}

static struct config_diff compare(const char *now_text, const char *next_text)
{
	struct config *now = parse(now_text), *next = parse(next_text);
	struct config_diff d;

	config_align(next, now);
	config_diff(now, next, &d);
	config_unref(now);
	config_unref(next);
	return d;
}

/* A file whose parts a case may replace. */
struct file {
	const char *top, *cluster, *member, *listener;
};

static char *text_of(const struct file *f)
{
	return xasprintf("clusters:\n"
			 "  main:\n"
			 "    members:\n"
			 "      - {name: n1, host: 10.0.0.1%s}\n"
			 "      - {name: n2, host: 10.0.0.2}\n"
			 "%s"
			 "listeners:\n"
			 "  write: {bind: '127.0.0.1:5000'%s}\n"
			 "  read: {bind: '127.0.0.1:5001', serve: replica}\n"
			 "%s",
			 f->member ? f->member : "", f->cluster ? f->cluster : "",
			 f->listener ? f->listener : "", f->top ? f->top : "");
}

static struct config_diff change(const struct file *f)
{
	char *now = text_of(&(struct file){0}), *next = text_of(f);
	struct config_diff d = compare(now, next);

	free(now);
	free(next);
	return d;
}

static void test_the_same_file_changes_nothing(void **state)
{
	struct config_diff d = change(&(struct file){0});

	(void)state;
	assert_int_equal(d.n_changes, 0);
	assert_int_equal(d.n_restarts, 0);
	assert_string_equal(d.changes.data, "");
	config_diff_fini(&d);
}

struct key_case {
	struct file file;
	const char *line;
};

static const struct key_case in_place[] = {
	{{.top = "spin: 50us\n"}, "spin: 0 -> 50us\n"},
	{{.top = "maxconn: 500\n"}, "maxconn: 20000 -> 500\n"},
	{{.top = "stats: {http_admin: true}\n"}, "stats.http_admin: false -> true\n"},
	{{.top = "log: {level: debug}\n"}, "log.level: info -> debug\n"},
	{{.top = "log: {format: json}\n"}, "log.format: text -> json\n"},
	{{.top = "log: {format: haproxy-tcp}\n"}, "log.format: text -> haproxy-tcp\n"},
	{{.top = "log: {tag: isari}\n"}, "log.tag: haproxy -> isari\n"},
	{{.top = "log: {sessions: false}\n"}, "log.sessions: true -> false\n"},
	{{.top = "drain_timeout: 5m\n"}, "drain_timeout: 30s -> 5m\n"},
	{{.cluster = "    scope: c1\n"}, "clusters.main.scope: null -> c1\n"},
	{{.cluster = "    probe: {interval: 2s}\n"}, "clusters.main.probe.interval: 1s -> 2s\n"},
	{{.cluster = "    probe: {fast_interval: 50ms}\n"},
	 "clusters.main.probe.fast_interval: 100ms -> 50ms\n"},
	{{.cluster = "    probe: {timeout: 1s}\n"}, "clusters.main.probe.timeout: 3s -> 1s\n"},
	{{.cluster = "    probe: {fall: 2}\n"}, "clusters.main.probe.fall: 3 -> 2\n"},
	{{.cluster = "    probe: {rise: 2}\n"}, "clusters.main.probe.rise: 1 -> 2\n"},
	{{.cluster = "    probe: {lease: 5s}\n"}, "clusters.main.probe.lease: 10s -> 5s\n"},
	{{.cluster = "    probe: {ping_timeout: 500ms}\n"},
	 "clusters.main.probe.ping_timeout: 1s -> 500ms\n"},
	{{.cluster = "    probe: {sql: {user: m}}\n"},
	 "clusters.main.probe.sql: null -> {user: m, dbname: postgres, passfile: null, sslmode: "
	 "null}\n"},
	{{.member = ", port: 6432"}, "clusters.main.members.n1.port: 5432 -> 6432\n"},
	{{.member = ", rest: 'https://10.0.0.1:8009'"},
	 "clusters.main.members.n1.rest: http://10.0.0.1:8008 -> https://10.0.0.1:8009\n"},
	{{.member = ", socket: /var/run/postgresql"},
	 "clusters.main.members.n1.socket: null -> /var/run/postgresql/.s.PGSQL.5432\n"},
	{{.member = ", weight: 50"}, "clusters.main.members.n1.weight: 100 -> 50\n"},
	{{.listener = ", serve: [primary, replica]"},
	 "listeners.write.serve: primary -> primary, replica\n"},
	{{.listener = ", balance: leastconn"},
	 "listeners.write.balance: roundrobin -> leastconn\n"},
	{{.listener = ", max_lag: 16MB"}, "listeners.write.max_lag: null -> 16777216\n"},
	{{.listener = ", hold: 0"}, "listeners.write.hold: 30s -> 0\n"},
	{{.listener = ", hold_max: 5"}, "listeners.write.hold_max: 10000 -> 5\n"},
	{{.listener = ", maxconn: 7"}, "listeners.write.maxconn: 10000 -> 7\n"},
	{{.listener = ", server_maxconn: 9"}, "listeners.write.server_maxconn: null -> 9\n"},
	{{.listener = ", on_demotion: keep"}, "listeners.write.on_demotion: close -> keep\n"},
	{{.listener = ", on_unreachable: keep"}, "listeners.write.on_unreachable: close -> keep\n"},
	{{.listener = ", on_lag: close"}, "listeners.write.on_lag: keep -> close\n"},
	{{.listener = ", protocol: tcp"}, "listeners.write.protocol: postgresql -> tcp\n"},
	{{.listener = ", coalesce: 100us"}, "listeners.write.coalesce: 250us -> 100us\n"},
	{{.listener = ", timeouts: {connect: 2s}"}, "listeners.write.timeouts.connect: 1s -> 2s\n"},
	{{.listener = ", timeouts: {startup: 90s}"},
	 "listeners.write.timeouts.startup: 1m -> 90s\n"},
	{{.listener = ", timeouts: {client_idle: 1h}"},
	 "listeners.write.timeouts.client_idle: 0 -> 60m\n"},
	{{.listener = ", timeouts: {server_idle: 1h}"},
	 "listeners.write.timeouts.server_idle: 0 -> 60m\n"},
	{{.listener = ", keepalive: {idle: 9s}"}, "listeners.write.keepalive.idle: 30s -> 9s\n"},
	{{.listener = ", keepalive: {interval: 9s}"},
	 "listeners.write.keepalive.interval: 10s -> 9s\n"},
	{{.listener = ", keepalive: {count: 9}"}, "listeners.write.keepalive.count: 3 -> 9\n"},
	{{.listener = ", keepalive: {user_timeout: 9s}"},
	 "listeners.write.keepalive.user_timeout: 30s -> 9s\n"},
	{{.listener = ", stats_name: {frontend: fe}"},
	 "listeners.write.stats_name.frontend: write -> fe\n"},
	{{.listener = ", stats_name: {backend: be}"},
	 "listeners.write.stats_name.backend: write -> be\n"},
};

static void test_every_key_that_can_change_in_place_is_one_line(void **state)
{
	(void)state;
	for (size_t i = 0; i < sizeof(in_place) / sizeof(in_place[0]); i++) {
		struct config_diff d = change(&in_place[i].file);

		assert_string_equal(d.changes.data, in_place[i].line);
		assert_string_equal(d.restarts.data, "");
		assert_int_equal(d.n_changes, 1);
		config_diff_fini(&d);
	}
}

static const struct key_case restarts[] = {
	{{.top = "threads: 2\n"}, "threads: needs a restart: auto -> 2\n"},
	{{.top = "stats: {http: '127.0.0.1:7000'}\n"},
	 "stats.http: needs a restart: null -> 127.0.0.1:7000\n"},
	{{.top = "stats: {socket: /tmp/s}\n"},
	 "stats.socket /run/isari/isari.sock: needs a restart: it is not in the file any more\n"
	 "stats.socket /tmp/s: needs a restart: it is new\n"},
	{{.top = "stats: {socket: [{path: /run/isari/isari.sock, mode: '0600', level: admin}]}\n"},
	 "stats.socket /run/isari/isari.sock.mode: needs a restart: 0660 -> 0600\n"},
	{{.cluster = "      - 10.0.0.3\n"},
	 "clusters.main.members.10.0.0.3: needs a restart: it is new\n"},
	{{.listener = "}\n  more: {bind: '127.0.0.1:5002'"},
	 "listeners.more: needs a restart: it is new\n"},
};

static void test_what_needs_a_restart_says_so(void **state)
{
	(void)state;
	for (size_t i = 0; i < sizeof(restarts) / sizeof(restarts[0]); i++) {
		struct config_diff d = change(&restarts[i].file);

		assert_string_equal(d.restarts.data, restarts[i].line);
		assert_int_not_equal(d.n_restarts, 0);
		config_diff_fini(&d);
	}
}

static void test_what_is_gone_or_bound_elsewhere_needs_a_restart_as_well(void **state)
{
	struct config_diff d =
		compare("clusters: {main: {members: [a, b]}, old: {members: [c]}}\n"
			"listeners:\n"
			"  w: {bind: ['127.0.0.1:5000', '/tmp/.s.PGSQL.1'], cluster: main}\n"
			"  o: {bind: '127.0.0.1:5001', cluster: old}\n",
			"clusters: {main: {members: [a]}, new: {members: [c]}}\n"
			"listeners: {w: {bind: '127.0.0.1:5000', cluster: new, hold: 5s}}\n");

	(void)state;
	assert_string_equal(
		d.restarts.data,
		"clusters.main.members.b: needs a restart: it is not in the file any more\n"
		"clusters.old: needs a restart: it is not in the file any more\n"
		"clusters.new: needs a restart: it is new\n"
		"listeners.w.cluster: needs a restart: main -> new\n"
		"listeners.w.bind: needs a restart: 127.0.0.1:5000, /tmp/.s.PGSQL.1 -> "
		"127.0.0.1:5000\n"
		"listeners.o: needs a restart: it is not in the file any more\n");
	assert_string_equal(d.changes.data, "listeners.w.hold: 30s -> 5s\n");
	assert_int_equal(d.n_restarts, 6);
	config_diff_fini(&d);
}

static void test_a_level_of_a_stats_socket_changes_in_place(void **state)
{
	struct config_diff d = change(&(struct file){
		.top = "stats: {socket: [{path: /run/isari/isari.sock, level: user}]}\n"});

	(void)state;
	assert_string_equal(d.changes.data,
			    "stats.socket /run/isari/isari.sock.level: admin -> user\n");
	assert_int_equal(d.n_restarts, 0);
	config_diff_fini(&d);
}

static const char before_shuffle[] =
	"clusters:\n"
	"  a: {members: [{name: a1, host: 10.0.0.1}, {name: a2, host: 10.0.0.2, weight: 7}]}\n"
	"  b: {members: [{name: b1, host: 10.0.1.1}, {name: b2, host: 10.0.1.2}]}\n"
	"listeners:\n"
	"  wa: {bind: '127.0.0.1:5000', cluster: a}\n"
	"  wb: {bind: '127.0.0.1:5001', cluster: b}\n"
	"stats: {socket: [/tmp/one, /tmp/two]}\n";

static const char after_shuffle[] =
	"stats: {socket: [/tmp/two, /tmp/one]}\n"
	"listeners:\n"
	"  wb: {bind: '127.0.0.1:5001', cluster: b}\n"
	"  wa: {bind: '127.0.0.1:5000', cluster: a}\n"
	"clusters:\n"
	"  b: {members: [{name: b2, host: 10.0.1.2}, {name: b1, host: 10.0.1.1}]}\n"
	"  a: {members: [{name: a2, host: 10.0.0.2, weight: 7}, {name: a1, host: 10.0.0.1}]}\n";

static void test_the_order_of_things_means_nothing(void **state)
{
	struct config *now = parse(before_shuffle), *next = parse(after_shuffle);
	struct config_diff d;

	(void)state;
	config_align(next, now);
	config_diff(now, next, &d);
	assert_string_equal(d.changes.data, "");
	assert_string_equal(d.restarts.data, "");
	for (unsigned i = 0; i < 4; i++) {
		assert_string_equal(next->members[i].name, now->members[i].name);
		assert_string_equal(next->members[i].host, now->members[i].host);
		assert_int_equal(next->members[i].id, i);
		assert_int_equal(next->members[i].cluster, now->members[i].cluster);
		assert_int_equal(next->members[i].weight, now->members[i].weight);
	}
	for (unsigned i = 0; i < 2; i++) {
		assert_int_equal(next->clusters[i].first_member, 2 * i);
		assert_string_equal(next->listeners[i].name, now->listeners[i].name);
		assert_int_equal(next->listeners[i].cluster, i);
		assert_int_equal(next->listeners[i].frontend_iid, now->listeners[i].frontend_iid);
	}
	config_diff_fini(&d);
	config_unref(now);
	config_unref(next);
}

/* Fewer, more, others: nothing is lost or read twice. */
static void test_alignment_survives_any_difference(void **state)
{
	static const char *const files[] = {
		"clusters: {a: {members: [x, y, z]}}\nlisteners: {w: {bind: '127.0.0.1:1'}}\n",
		"clusters: {b: {members: [z]}, a: {members: [z, q, x]}}\n"
		"listeners: {r: {bind: '127.0.0.1:2', cluster: a}, w: {bind: '127.0.0.1:1', "
		"cluster: b}}\n",
		"clusters: {c: {members: [x]}, b: {members: [y, z]}}\n"
		"listeners: {n: {bind: '127.0.0.1:3', cluster: c}}\nstats: {socket: []}\n",
	};
	enum { N = sizeof(files) / sizeof(files[0]) };

	(void)state;
	for (unsigned i = 0; i < N; i++)
		for (unsigned k = 0; k < N; k++) {
			struct config_diff d = compare(files[i], files[k]);

			assert_int_equal(d.n_restarts == 0, i == k);
			config_diff_fini(&d);
		}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_the_same_file_changes_nothing),
		cmocka_unit_test(test_every_key_that_can_change_in_place_is_one_line),
		cmocka_unit_test(test_what_needs_a_restart_says_so),
		cmocka_unit_test(test_what_is_gone_or_bound_elsewhere_needs_a_restart_as_well),
		cmocka_unit_test(test_a_level_of_a_stats_socket_changes_in_place),
		cmocka_unit_test(test_the_order_of_things_means_nothing),
		cmocka_unit_test(test_alignment_survives_any_difference),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
