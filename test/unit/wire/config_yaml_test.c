/* isari.yaml: what is accepted means what the documentation says, and every fault has its place. */
#include "base/mem.h"
#include "wire/config_yaml.h"
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#define MEMBERS  "clusters: {main: {members: [10.0.0.1, 10.0.0.2]}}\n"
#define LISTENER "listeners: {write: {bind: \"127.0.0.1:5000\"}}\n"

static struct config *accepted(const char *text)
{
	struct buf faults = {0};
	struct config *c = config_yaml_parse(text, strlen(text), "f", &faults);

	if (c == NULL)
		fail_msg("refused:\n%s", faults.data);
	assert_null(faults.data);
	return c;
}

/* Refused with exactly these lines. */
static void refused(const char *text, const char *expected)
{
	struct buf faults = {0};

	assert_null(config_yaml_parse(text, strlen(text), "f", &faults));
	assert_string_equal(faults.data, expected);
	buf_fini(&faults);
}

/* A text made of a template with one %s, refused with this as a part of its only line. */
static void __attribute__((format(printf, 1, 0)))
refused_with(const char *template, const char *value, const char *part)
{
	struct buf text = {0}, faults = {0};

#pragma GCC diagnostic push
#pragma GCC diagnostic ignored "-Wformat-nonliteral"
	buf_printf(&text, template, value);
#pragma GCC diagnostic pop
	if (config_yaml_parse(text.data, text.len, "f", &faults))
		fail_msg("accepted: %s", text.data);
	if (strstr(faults.data, part) == NULL)
		fail_msg("'%s' is not in:\n%s(%s)", part, faults.data, text.data);
	assert_ptr_equal(strchr(faults.data, '\n'), faults.data + faults.len - 1);
	buf_fini(&text);
	buf_fini(&faults);
}

static char *whole_file(const char *path)
{
	FILE *in = fopen(path, "r");
	char *text = xcalloc(1, 65536);

	assert_non_null(in);
	assert_true(fread(text, 1, 65535, in) > 0);
	assert_true(feof(in));
	fclose(in);
	return text;
}

/* ---- what is accepted ---- */

static void the_smallest_file_is_enough(void **state)
{
	struct config *c = accepted("clusters:\n"
				    "  main:\n"
				    "    members: [10.0.0.1, 10.0.0.2, 10.0.0.3]   # a comment\n"
				    "listeners:\n"
				    "  write: {bind: \"127.0.0.1:5000\", serve: primary}\n"
				    "  read:  {bind: \"127.0.0.1:5001\", serve: replica}\n");

	(void)state;
	assert_int_equal(c->n_clusters, 1);
	assert_string_equal(c->clusters[0].name, "main");
	assert_null(c->clusters[0].scope);
	assert_int_equal(c->n_members, 3);
	assert_string_equal(c->members[2].name, "10.0.0.3");
	assert_string_equal(c->members[2].host, "10.0.0.3");
	assert_string_equal(c->members[2].rest_host, "10.0.0.3");
	assert_int_equal(c->members[2].port, 5432);
	assert_int_equal(c->members[2].rest_port, 8008);
	assert_int_equal(c->members[2].id, 2);
	assert_int_equal(c->n_listeners, 2);
	assert_string_equal(c->listeners[1].name, "read");
	assert_int_equal(c->listeners[1].serve, ROLE_BIT(ROLE_REPLICA));
	assert_int_equal(c->listeners[1].binds[0].port, 5001);
	assert_int_equal(c->clusters[0].roles_served,
			 ROLE_BIT(ROLE_PRIMARY) | ROLE_BIT(ROLE_REPLICA));
	assert_int_equal(c->n_stats_sockets, 1);
	assert_string_equal(c->stats_sockets[0].addr.host, "/run/isari/isari.sock");
	assert_int_equal(c->stats_sockets[0].mode, 0660);
	assert_int_equal(c->stats_sockets[0].level, LEVEL_ADMIN);
	config_unref(c);
}

static void assert_same_listener(const struct listener_config *a, const struct listener_config *b)
{
	assert_string_equal(a->name, b->name);
	assert_int_equal(a->n_binds, b->n_binds);
	assert_true(addr_equal(&a->binds[0], &b->binds[0]));
	assert_int_equal(a->serve, b->serve);
	assert_int_equal(a->balance, b->balance);
	assert_int_equal(a->maxconn, b->maxconn);
	assert_int_equal(a->server_maxconn, b->server_maxconn);
	assert_int_equal(a->on_demotion, b->on_demotion);
	assert_int_equal(a->on_unreachable, b->on_unreachable);
	assert_int_equal(a->protocol, b->protocol);
	assert_memory_equal(&a->timeouts, &b->timeouts, sizeof(a->timeouts));
	assert_int_equal(a->keepalive.idle_ms, b->keepalive.idle_ms);
	assert_int_equal(a->keepalive.interval_ms, b->keepalive.interval_ms);
	assert_int_equal(a->keepalive.count, b->keepalive.count);
	assert_int_equal(a->keepalive.user_timeout_ms, b->keepalive.user_timeout_ms);
}

static void assert_same_member(const struct member_config *a, const struct member_config *b)
{
	assert_string_equal(a->host, b->host);
	assert_int_equal(a->port, b->port);
	assert_true(a->socket_path == NULL && b->socket_path == NULL);
	assert_int_equal(a->rest_tls, b->rest_tls);
	assert_string_equal(a->rest_host, b->rest_host);
	assert_int_equal(a->rest_port, b->rest_port);
	assert_int_equal(a->weight, b->weight);
}

static void assert_same_process(const struct config *a, const struct config *b)
{
	assert_int_equal(a->threads, b->threads);
	assert_int_equal(a->maxconn, b->maxconn);
	assert_int_equal(a->log.level, b->log.level);
	assert_int_equal(a->log.format, b->log.format);
	assert_int_equal(a->log.sessions, b->log.sessions);
	assert_int_equal(a->drain_timeout_ms, b->drain_timeout_ms);
	assert_int_equal(a->n_stats_sockets, b->n_stats_sockets);
	assert_true(addr_equal(&a->stats_sockets[0].addr, &b->stats_sockets[0].addr));
	assert_int_equal(a->stats_sockets[0].mode, b->stats_sockets[0].mode);
	assert_int_equal(a->stats_sockets[0].level, b->stats_sockets[0].level);
}

/* etc/isari.yaml writes every default out: leaving them out must mean the same. */
static void the_full_example_shows_the_defaults(void **state)
{
	char *text = whole_file("etc/isari.yaml");
	struct config *full = accepted(text);
	struct config *least =
		accepted("clusters: {main: {members: [10.0.0.1, 10.0.0.2, 10.0.0.3]}}\n"
			 "listeners:\n"
			 "  write: {bind: \"127.0.0.1:5000\"}\n"
			 "  read: {bind: \"127.0.0.1:5001\", serve: replica}\n");

	(void)state;
	assert_int_equal(full->n_clusters, least->n_clusters);
	assert_null(full->clusters[0].scope);
	assert_int_equal(full->clusters[0].probe.interval_ms, least->clusters[0].probe.interval_ms);
	assert_int_equal(full->clusters[0].probe.fast_interval_ms,
			 least->clusters[0].probe.fast_interval_ms);
	assert_int_equal(full->clusters[0].probe.timeout_ms, least->clusters[0].probe.timeout_ms);
	assert_int_equal(full->clusters[0].probe.fall, least->clusters[0].probe.fall);
	assert_int_equal(full->clusters[0].probe.rise, least->clusters[0].probe.rise);
	assert_int_equal(full->clusters[0].probe.lease_ms, least->clusters[0].probe.lease_ms);
	assert_int_equal(full->clusters[0].probe.ping_timeout_ms,
			 least->clusters[0].probe.ping_timeout_ms);
	assert_int_equal(full->n_members, least->n_members);
	for (size_t i = 0; i < full->n_members; i++)
		assert_same_member(&full->members[i], &least->members[i]);
	assert_int_equal(full->n_listeners, least->n_listeners);
	for (size_t i = 0; i < full->n_listeners; i++)
		assert_same_listener(&full->listeners[i], &least->listeners[i]);
	assert_same_process(full, least);
	config_unref(full);
	config_unref(least);
	free(text);
}

static void the_demo_is_valid(void **state)
{
	char *text = whole_file("etc/demo.yaml");
	struct config *c = accepted(text);

	(void)state;
	assert_string_equal(c->clusters[0].name, "demo");
	assert_string_equal(c->members[0].name, "n1");
	assert_string_equal(c->members[2].host, "127.0.20.3");
	assert_string_equal(c->stats_sockets[0].addr.host, "/tmp/isari-demo/isari.sock");
	config_unref(c);
	free(text);
}

static void members_have_two_spellings(void **state)
{
	struct config *c =
		accepted("clusters:\n"
			 "  main:\n"
			 "    members:\n"
			 "      - pg1\n"
			 "      - \"pg2:6432\"\n"
			 "      - \"[fd00::3]:5433\"\n"
			 "      - fd00::4\n"
			 "      - {name: n5, host: pg5, port: 6432, rest: \"https://rest5:8009\", "
			 "weight: 0}\n"
			 "      - {host: \"fd00::6\", rest: \"http://[fd00::66]\"}\n"
			 "      - {host: \"10.0.0.7\", rest: \"HTTP://pg7/\"}\n" LISTENER);
	static const struct {
		const char *name, *host, *rest_host;
		unsigned port, rest_port, weight;
		bool tls;
	} rows[] = {
		{"pg1", "pg1", "pg1", 5432, 8008, 100, false},
		{"pg2", "pg2", "pg2", 6432, 8008, 100, false},
		{"fd00::3", "fd00::3", "fd00::3", 5433, 8008, 100, false},
		{"fd00::4", "fd00::4", "fd00::4", 5432, 8008, 100, false},
		{"n5", "pg5", "rest5", 6432, 8009, 0, true},
		{"fd00::6", "fd00::6", "fd00::66", 5432, 8008, 100, false},
		{"10.0.0.7", "10.0.0.7", "pg7", 5432, 8008, 100, false},
	};

	(void)state;
	assert_int_equal(c->n_members, sizeof(rows) / sizeof(*rows));
	for (size_t i = 0; i < c->n_members; i++) {
		assert_string_equal(c->members[i].name, rows[i].name);
		assert_string_equal(c->members[i].host, rows[i].host);
		assert_string_equal(c->members[i].rest_host, rows[i].rest_host);
		assert_int_equal(c->members[i].port, rows[i].port);
		assert_int_equal(c->members[i].rest_port, rows[i].rest_port);
		assert_int_equal(c->members[i].weight, rows[i].weight);
		assert_int_equal(c->members[i].rest_tls, rows[i].tls);
	}
	config_unref(c);
}

/* As libpq writes it, a directory and a port, or as the file is named. */
static void a_member_of_this_host_may_be_reached_by_its_socket(void **state)
{
	static const struct {
		const char *member, *path;
		unsigned port;
	} rows[] = {
		{"{host: pg1, socket: /var/run/postgresql}", "/var/run/postgresql/.s.PGSQL.5432",
		 5432},
		{"{host: pg1, socket: /run/pg//, port: 6432}", "/run/pg/.s.PGSQL.6432", 6432},
		{"{port: 6432, socket: /run/pg/.s.PGSQL.6432, host: pg1}", "/run/pg/.s.PGSQL.6432",
		 6432},
		{"{host: pg1, socket: /run/pg/.s.PGSQL.5433}", "/run/pg/.s.PGSQL.5433", 5433},
		{"{host: pg1, socket: /}", "/.s.PGSQL.5432", 5432},
		{"{host: pg1, socket: null}", NULL, 5432},
		{"pg1", NULL, 5432},
	};

	(void)state;
	for (size_t i = 0; i < sizeof(rows) / sizeof(*rows); i++) {
		char text[256];
		struct config *c;

		snprintf(text, sizeof(text), "clusters: {main: {members: [%s]}}\n" LISTENER,
			 rows[i].member);
		c = accepted(text);
		assert_string_equal(c->members[0].host, "pg1");
		assert_string_equal(c->members[0].rest_host, "pg1");
		assert_int_equal(c->members[0].port, rows[i].port);
		assert_int_equal(c->members[0].socket_path == NULL, rows[i].path == NULL);
		if (rows[i].path)
			assert_string_equal(c->members[0].socket_path, rows[i].path);
		config_unref(c);
	}
}

/* Two nodes for trials on one host: the same port and address, told apart by their sockets. */
static void sockets_tell_members_of_one_host_apart(void **state)
{
	struct config *c = accepted(
		"clusters: {main: {members: ["
		"{name: a, host: pg1, socket: /run/a}, "
		"{name: b, host: pg1, socket: /run/b, rest: \"http://pg1:8009\"}]}}\n" LISTENER);

	(void)state;
	assert_int_equal(c->n_members, 2);
	config_unref(c);
}

#define SIXTY "/sixty56789/sixty56789/sixty56789/sixty56789/sixty56789/1234"

static void several_clusters_keep_their_members_apart(void **state)
{
	struct config *c =
		accepted("listeners:\n" /* before the clusters: the order is free */
			 "  a: {bind: \"*:5000\", cluster: one}\n"
			 "  b: {bind: \"*:5001\", cluster: two, serve: any}\n"
			 "clusters:\n"
			 "  one: {scope: s1, members: [pg1, pg2]}\n"
			 "  two: {members: [pg1, pg3, pg4]}\n"); /* pg1 again: another cluster */

	(void)state;
	assert_int_equal(c->n_members, 5);
	assert_string_equal(c->clusters[0].scope, "s1");
	assert_int_equal(c->clusters[1].first_member, 2);
	assert_int_equal(c->clusters[1].n_members, 3);
	assert_int_equal(c->members[2].cluster, 1);
	assert_int_equal(c->listeners[0].cluster, 0);
	assert_int_equal(c->listeners[1].cluster, 1);
	assert_int_equal(c->clusters[1].roles_served, ROLE_BIT(ROLE_ANY));
	config_unref(c);
}

static void every_listener_key_arrives(void **state)
{
	struct config *c = accepted(
		MEMBERS
		"listeners:\n"
		"  l:\n"
		"    bind: [\"127.0.0.1:5000\", \"[::1]:5000\", /run/pg/.s.PGSQL.5432]\n"
		"    cluster: main\n"
		"    serve: [sync, async, quorum, standby_leader]\n"
		"    balance: leastconn\n"
		"    fallback: primary\n"
		"    max_lag: 16MB\n"
		"    hold: 0\n"
		"    hold_max: 11\n"
		"    coalesce: 1ms\n"
		"    maxconn: 7\n"
		"    server_maxconn: 3\n"
		"    on_demotion: keep\n"
		"    on_unreachable: keep\n"
		"    on_lag: close\n"
		"    protocol: tcp\n"
		"    timeouts: {connect: 2s, startup: 3s, client_idle: 4h, server_idle: 5h}\n"
		"    keepalive: {idle: 6s, interval: 7s, count: 8, user_timeout: 9s}\n");
	const struct listener_config *l = &c->listeners[0];

	(void)state;
	assert_int_equal(l->n_binds, 3);
	assert_string_equal(l->binds[1].host, "::1");
	assert_int_equal(l->binds[2].kind, ADDR_UNIX);
	assert_int_equal(l->serve, ROLE_BIT(ROLE_SYNC) | ROLE_BIT(ROLE_ASYNC) |
					   ROLE_BIT(ROLE_QUORUM) | ROLE_BIT(ROLE_STANDBY_LEADER));
	assert_int_equal(l->balance, BALANCE_LEASTCONN);
	assert_int_equal(l->fallback, FALLBACK_PRIMARY);
	assert_true(l->has_max_lag);
	assert_int_equal(l->max_lag_bytes, 16 << 20);
	assert_int_equal(l->hold_ms, 0);
	assert_int_equal(l->hold_max, 11);
	assert_int_equal(l->coalesce_us, 1000);
	assert_int_equal(l->on_lag, POLICY_CLOSE);
	assert_int_equal(l->maxconn, 7);
	assert_int_equal(l->server_maxconn, 3);
	assert_int_equal(l->on_demotion, POLICY_KEEP);
	assert_int_equal(l->on_unreachable, POLICY_KEEP);
	assert_int_equal(l->protocol, PROTOCOL_TCP);
	assert_int_equal(l->timeouts.connect_ms, 2000);
	assert_int_equal(l->timeouts.startup_ms, 3000);
	assert_int_equal(l->timeouts.client_idle_ms, 4 * 3600000);
	assert_int_equal(l->timeouts.server_idle_ms, 5 * 3600000);
	assert_int_equal(l->keepalive.idle_ms, 6000);
	assert_int_equal(l->keepalive.interval_ms, 7000);
	assert_int_equal(l->keepalive.count, 8);
	assert_int_equal(l->keepalive.user_timeout_ms, 9000);
	config_unref(c);
}

static void every_probe_and_process_key_arrives(void **state)
{
	struct config *c = accepted(
		"clusters:\n"
		"  main:\n"
		"    members: [pg1]\n"
		"    probe: {interval: 2s, fast_interval: 50ms, timeout: 4s, fall: 5, rise: 6,\n"
		"            lease: 20s, ping_timeout: 500ms,\n"
		"            sql: {user: monitor, passfile: /etc/p, sslmode: require}}\n" LISTENER
		"threads: 8\nmaxconn: 9\ndrain_timeout: 0\n"
		"log: {level: debug, format: json, sessions: false, tag: pg-1}\n");
	const struct probe_config *p = &c->clusters[0].probe;

	(void)state;
	assert_int_equal(p->interval_ms, 2000);
	assert_int_equal(p->fast_interval_ms, 50);
	assert_int_equal(p->timeout_ms, 4000);
	assert_int_equal(p->fall, 5);
	assert_int_equal(p->rise, 6);
	assert_int_equal(p->lease_ms, 20000);
	assert_int_equal(p->ping_timeout_ms, 500);
	assert_true(p->sql.wanted);
	assert_string_equal(p->sql.user, "monitor");
	assert_string_equal(p->sql.dbname, "postgres");
	assert_string_equal(p->sql.passfile, "/etc/p");
	assert_string_equal(p->sql.sslmode, "require");
	assert_int_equal(c->threads, 8);
	assert_int_equal(c->maxconn, 9);
	assert_int_equal(c->drain_timeout_ms, 0);
	assert_int_equal(c->log.level, LOG_LEVEL_DEBUG);
	assert_int_equal(c->log.format, LOG_FORMAT_JSON);
	assert_false(c->log.sessions);
	assert_string_equal(c->log.tag, "pg-1");
	config_unref(c);
}

static void stats_sockets_have_rights(void **state)
{
	struct config *c =
		accepted(MEMBERS LISTENER
			 "stats:\n"
			 "  socket:\n"
			 "    - {path: /run/a, mode: \"0600\", user: u, group: g, level: admin}\n"
			 "    - {path: /run/b, mode: 0666, user: null}\n"
			 "    - {path: \"127.0.0.1:9999\", level: user}\n"
			 "    - /run/c\n"
			 "    - \"127.0.0.1:9998\"\n");
	static const struct {
		unsigned mode;
		enum access_level level;
	} rows[] = {{0600, LEVEL_ADMIN},
		    {0666, LEVEL_OPERATOR},
		    {0660, LEVEL_USER},
		    {0660, LEVEL_ADMIN},     /* a bare path: its mode guards it */
		    {0660, LEVEL_OPERATOR}}; /* a bare port: nothing does */

	(void)state;
	assert_int_equal(c->n_stats_sockets, 5);
	for (size_t i = 0; i < 5; i++) {
		assert_int_equal(c->stats_sockets[i].mode, rows[i].mode);
		assert_int_equal(c->stats_sockets[i].level, rows[i].level);
	}
	assert_string_equal(c->stats_sockets[0].user, "u");
	assert_string_equal(c->stats_sockets[0].group, "g");
	assert_null(c->stats_sockets[1].user);
	assert_int_equal(c->stats_sockets[2].addr.port, 9999);
	config_unref(c);
}

static void an_empty_list_means_no_stats_socket(void **state)
{
	struct config *c = accepted(MEMBERS LISTENER "stats: {socket: []}\n");

	(void)state;
	assert_int_equal(c->n_stats_sockets, 0);
	config_unref(c);
}

/* ---- what is refused ---- */

static void all_faults_come_in_one_go_in_the_files_order(void **state)
{
	(void)state;
	refused("clusters:\n"
		"  main:\n"
		"    scop: x\n"
		"    members: [pg1, pg1]\n"
		"    probe: {fall: 0, fal: 1}\n"
		"listeners:\n"
		"  write: {bind: 5000, serve: primry}\n"
		"threads: many\n",
		"f:3:5: clusters.main.scop: is not a known key; did you mean scope?\n"
		"f:4:20: clusters.main.members[1]: is the server pg1:5432, which is member 'pg1' "
		"already\n"
		"f:5:19: clusters.main.probe.fall: must be a number 1..100, not 0\n"
		"f:5:22: clusters.main.probe.fal: is not a known key; did you mean fall?\n"
		"f:7:17: listeners.write.bind: the port is missing (host:port)\n"
		"f:7:30: listeners.write.serve: must be one of primary, replica, sync, async, "
		"quorum, "
		"standby_leader, any; not primry; did you mean primary?\n"
		"f:8:10: threads: must be auto or a number 1..64, not many\n");
}

static void nothing_to_do_is_a_fault(void **state)
{
	(void)state;
	refused("", "f:1:1: clusters: is missing: a name, and the members below it\n"
		    "f:1:1: listeners: is missing: a name, and bind and serve below it\n");
	refused("- x\n",
		"f:1:1: configuration: must be a map of keys: clusters and listeners at least\n");
	refused("clusters: {}\nlisteners: {}\n",
		"f:1:11: clusters: must have 1..256 clusters, not 0\n"
		"f:2:12: listeners: must have 1..512 listeners, not 0\n");
	refused("clusters: {main: {members: []}, b: {}}\n" LISTENER,
		"f:1:28: clusters.main.members: must have 1..64 members, not 0\n"
		"f:1:36: clusters.b.members: is missing: the cluster's servers, such as [10.0.0.1, "
		"10.0.0.2]\n"
		"f:2:13: listeners.write.cluster: is missing: there are 2 clusters, say which "
		"one\n");
	refused(MEMBERS "listeners: {write: {}}\n",
		"f:2:20: listeners.write.bind: is missing: where to listen, such as "
		"\"127.0.0.1:5000\"\n");
}

static void http_is_off_unless_it_has_an_address(void **state)
{
	(void)state;
	struct config *c = accepted(MEMBERS LISTENER);

	assert_false(c->http.wanted);
	assert_false(c->http.admin);
	config_unref(c);
	c = accepted(MEMBERS LISTENER "stats: {http: \"127.0.0.1:7000\", http_admin: true}\n");
	assert_true(c->http.wanted);
	assert_true(c->http.admin);
	assert_int_equal(c->http.addr.port, 7000);
	config_unref(c);
	refused_with(MEMBERS LISTENER "stats: {http: %s}\n", "/run/http",
		     "must be host:port, such as 127.0.0.1:7000");
	refused_with(MEMBERS LISTENER "stats: {http: %s, socket: \"127.0.0.1:9\"}\n",
		     "\"127.0.0.1:9\"", "already");
}

#define NAMED(first, second)                                                                     \
	MEMBERS "listeners:\n  w: {bind: \"*:1\", stats_name: " first "}\n  r: {bind: \"*:2\", " \
		"stats_name: " second "}\n"

static void a_listener_may_be_shown_by_the_names_it_had_in_haproxy(void **state)
{
	(void)state;
	struct config *c = accepted(NAMED("{frontend: fe, backend: be}", "null"));

	assert_string_equal(c->listeners[0].frontend_name, "fe");
	assert_string_equal(c->listeners[0].backend_name, "be");
	assert_int_equal(c->listeners[0].frontend_iid, 2);
	assert_int_equal(c->listeners[0].backend_iid, 3);
	assert_string_equal(c->listeners[1].frontend_name, "r");
	assert_string_equal(c->listeners[1].backend_name, "r");
	assert_int_equal(c->listeners[1].frontend_iid, 4);
	assert_int_equal(c->listeners[1].backend_iid, 4);
	config_unref(c);
	refused_with(NAMED("{frontend: r%s}", "null"), "",
		     "f:4:32: listeners.r.stats_name: listener w is shown as 'r' already");
	refused_with(NAMED("{backend: x%s}", "{frontend: x}"), "", "is shown as 'x' already");
	refused_with(NAMED("{backend: \"%s\"}", "null"), "a b", "listeners.w.stats_name.backend: ");
}

static void keys_of_the_documentation_that_do_not_exist_yet_are_unknown(void **state)
{
	static const char *const listener[] = {"zone", "allow", "deny", "send_proxy",
					       "accept_proxy"};
	static const char *const cluster[] = {"discover", "on_primary_change", "zone", "sql"};
	static const char *const probe[] = {"ca", "cert", "key", "verify", "user"};
	static const char *const top[] = {"user", "group"};

	(void)state;
	for (size_t i = 0; i < sizeof(listener) / sizeof(*listener); i++)
		refused_with(MEMBERS "listeners: {w: {bind: \"*:1\", %s: null}}\n", listener[i],
			     "is not a known key");
	for (size_t i = 0; i < sizeof(cluster) / sizeof(*cluster); i++)
		refused_with("clusters: {m: {members: [pg1], %s: null}}\n" LISTENER, cluster[i],
			     "is not a known key");
	for (size_t i = 0; i < sizeof(probe) / sizeof(*probe); i++)
		refused_with("clusters: {m: {members: [pg1], probe: {%s: null}}}\n" LISTENER,
			     probe[i], "is not a known key");
	for (size_t i = 0; i < sizeof(top) / sizeof(*top); i++)
		refused_with(MEMBERS LISTENER "%s: null\n", top[i], "is not a known key");
}

struct bad_value {
	const char *value, *part;
};

static void each_value(const char *template, const struct bad_value *rows)
{
	for (; rows->value; rows++)
		refused_with(template, rows->value, rows->part);
}

static void wrong_values_of_a_listener_say_what_is_right(void **state)
{
	static const struct bad_value rows[] = {
		{"maxconn: 0", "1:76: listeners.w.maxconn: must be a number 1..1000000, not 0"},
		{"maxconn: 1000001", "must be a number 1..1000000, not 1000001"},
		{"maxconn: 99999999999999999999", "must be a number 1..1000000"},
		{"maxconn: \"10\"", "must be a number 1..1000000, not \"10\""},
		{"maxconn: null", "must be a number 1..1000000, not null"},
		{"maxconn: [1]", "must be a number 1..1000000, not a list"},
		{"server_maxconn: 0", "must be a number 1..1000000 or null, not 0"},
		{"balance: roundrobbin", "not roundrobbin; did you mean roundrobin?"},
		{"balance: {}", "must be one of roundrobin, leastconn, random; not a map"},
		{"on_demotion: kill", "must be one of close, keep; not kill"},
		{"on_unreachable: null", "must be one of close, keep; not null"},
		{"on_lag: null", "must be one of close, keep; not null"},
		{"fallback: replica", "must be one of primary; not replica"},
		{"max_lag: -1", "must be a size 1..1024TB (bytes, or with kB, MB, GB, TB) or null"},
		{"max_lag: 0", "must be a size 1..1024TB (bytes, or with kB, MB, GB, TB) or null"},
		{"fallback: primary",
		 "1:77: listeners.w.fallback: must be left out: the primary is among those that "
		 "serve names"},
		{"serve: [replica, primary], fallback: primary", "fallback: must be left out"},
		{"serve: any, fallback: primary", "fallback: must be left out"},
		{"max_lag: 1k", "or null, not 1k"},
		{"hold: 30", "must be a duration 0 (none) or 10ms..1h"},
		{"hold: null", "must be a duration 0 (none) or 10ms..1h"},
		{"hold_max: 0", "must be a number 1..1000000, not 0"},
		{"coalesce: 1s",
		 "must be a duration 0 (none) or 20us..10ms (units us, ms, s, m, h, d), not 1s"},
		{"coalesce: 5us",
		 "must be a duration 0 (none) or 20us..10ms (units us, ms, s, m, h, d), not 5us"},
		{"protocol: http", "must be one of postgresql, tcp; not http"},
		{"serve: []", "must name at least one role"},
		{"serve: [any, any]", "any is named twice"},
		{"serve: master", "must be one of primary, replica"},
		{"cluster: mian", "there is no cluster 'mian'; did you mean main?"},
		{"cluster: null", "must be the name of a cluster, not null"},
		{"timeouts: {connect: 5}",
		 "must be a duration 10ms..1h (units ms, s, m, h, d), not 5"},
		{"timeouts: {connect: 0}", "must be a duration 10ms..1h"},
		{"timeouts: {client_idle: 9ms}", "must be a duration 0 (none) or 10ms..365d"},
		{"timeouts: null", "must be a map of keys: leave the key out to have the defaults"},
		{"timeouts: {idle: 1s}", "timeouts.idle: is not a known key"},
		{"keepalive: {idle: 1500ms}", "1s..32767s in whole seconds"},
		{"keepalive: {count: 128}", "must be a number 1..127, not 128"},
		{"keepalive: {user_timeout: 999ms}", "must be a duration 0 (none) or 1s..1d"},
		{0},
	};

	(void)state;
	each_value("{clusters: {main: {members: [pg1]}}, listeners: {w: {bind: \"*:1\", %s}}}\n",
		   rows);
}

static void wrong_binds_say_what_is_right(void **state)
{
	static const struct bad_value rows[] = {
		{"5000", "the port is missing"},
		{"\"127.0.0.1:0\"", "the port must be 1..65535"},
		{"\"localhost:5000\"",
		 "'localhost' is a name: write the address to listen on, or *"},
		{"\"::1:5000\"", "write an IPv6 address as [address]:port"},
		{"\"127.0.0.300:5000\"", "'127.0.0.300' is no IPv4 address"},
		{"[]", "must have 1..16 addresses, not 0"},
		{"[[]]", "bind[0]: must be host:port, *:port, [v6]:port or /path, not a list"},
		{"null", "must be host:port, *:port, [v6]:port or /path, not null"},
		{"/run/isari/", "is no path of a socket"},
		{"\"/run/a b\"", "is no path of a socket"},
		{0},
	};

	(void)state;
	each_value(MEMBERS "listeners: {w: {bind: %s}}\n", rows);
}

static void wrong_members_say_what_is_right(void **state)
{
	static const struct bad_value rows[] = {
		{"\"*\"", "a server is a host name or an address, not '*'"},
		{"/run/postgresql", "its UNIX socket is a key of its own, socket: /run/postgresql"},
		{"{host: /run/postgresql}",
		 "host: a server is a host name or an address; its UNIX socket is a key of its "
		 "own, socket: /run/postgresql"},
		{"10.0.0.256", "'10.0.0.256' is no IPv4 address"},
		{"\"pg1:x\"", "the port must be 1..65535, not 'x'"},
		{"null", "must be host, host:port or a map with the key host, not null"},
		{"{}", "host: is missing: a member's host name or address"},
		{"{host: \"pg1:6432\"}", "write the port as a key of its own, port: 6432"},
		{"{host: \"[::1]:6432\"}", "write the port as a key of its own, port: 6432"},
		{"{host: pg1, port: 0}", "must be a number 1..65535, not 0"},
		{"{host: pg1, port: 65536}", "must be a number 1..65535, not 65536"},
		{"{host: pg1, weight: 257}", "must be a number 0..256, not 257"},
		{"{host: pg1, name: \"a,b\"}",
		 "a name has only letters, digits and ._-:%, not 'a,b'"},
		{"{host: pg1, name: \"a b\"}", "a name has only letters"},
		{"{host: pg1, name: a/b}", "a name has only letters"},
		{"{host: pg1, name: \"a\\nb\"}",
		 "a name has only letters, digits and ._-:%, not 'a?b'"},
		{"{host: pg1, name: \"\"}", "must be a name, not \"\""},
		{"{host: pg1, name: BACKEND}", "the statistics have a row named BACKEND already"},
		{"{host: pg1, rest: pg1}", "must begin with http:// or https://, not 'pg1'"},
		{"{host: pg1, rest: \"ftp://pg1\"}", "must begin with http:// or https://"},
		{"{host: pg1, rest: \"http://pg1:8008/primary\"}", "without '/primary'"},
		{"{host: pg1, rest: \"http://u:p@pg1:8008\"}", "without '@pg1:8008'"},
		{"{host: pg1, rest: \"http://::1:8008\"}",
		 "write an IPv6 address as http://[address]:port"},
		{"{host: pg1, rest: \"http://\"}", "is no host name and no address"},
		{"{host: pg1, zone: a}", "zone: is not a known key"},
		{"{host: pg1, sockt: /run}", "is not a known key; did you mean socket?"},
		{"{host: pg1, socket: run/postgresql}", "socket: must be an absolute path"},
		{"{host: pg1, socket: \"@pg\"}", "socket: must be an absolute path"},
		{"{host: pg1, socket: [/run]}", "socket: must be a text or null, not a list"},
		{"{host: pg1, socket: \"/run/a b\"}", "letters, digits and signs, without spaces"},
		{"{host: pg1, socket: /run/.s.PGSQL.x}",
		 "socket: PostgreSQL's socket is named .s.PGSQL.<port>, not '.s.PGSQL.x'"},
		{"{host: pg1, socket: /run/.s.PGSQL.}", "is named .s.PGSQL.<port>"},
		{"{host: pg1, socket: /run/.s.PGSQL.5432.lock}", "is named .s.PGSQL.<port>"},
		{"{host: pg1, port: 6432, socket: /run/.s.PGSQL.5433}",
		 "socket: is the socket of port 5433, and port is 6432: leave one of them out"},
		{"{host: pg1, socket: " SIXTY SIXTY "}", "must be at most 107 letters"},
		{"{host: pg1, socket: " SIXTY "/5678901234567890123456789012345678901}",
		 "socket: a socket's path has at most 107 bytes, and /sixty"},
		{0},
	};

	(void)state;
	each_value("clusters: {main: {members: [pg0, %s]}}\n" LISTENER, rows);
}

static void members_must_differ(void **state)
{
	static const struct bad_value rows[] = {
		{"pg0, pg0", "is the server pg0:5432, which is member 'pg0' already"},
		{"pg0, PG0", "is the server PG0:5432, which is member 'pg0' already"},
		{"\"[::1]:5432\", \"0::1\"",
		 "is the server 0::1:5432, which is member '::1' already"},
		{"pg0, {name: other, host: pg0}",
		 "is the server pg0:5432, which is member 'pg0' already"},
		{"{name: a, host: pg0}, {name: a, host: pg1}", "another member is named 'a'"},
		{"{name: a, host: pg0, socket: /run}, {name: b, host: pg1, socket: /run/}",
		 "is the server /run/.s.PGSQL.5432, which is member 'a' already"},
		{"{name: a, host: pg0, socket: /run}, {name: b, host: pg0}",
		 "is the server pg0:5432, which is member 'a' already"},
		{"{name: a, host: pg0}, {name: b, host: pg0, port: 5433}",
		 "has the same Patroni REST (pg0:8008) as member 'a'"},
		{0},
	};

	(void)state;
	each_value("clusters: {main: {members: [%s]}}\n" LISTENER, rows);
}

static void probing_must_make_sense(void **state)
{
	static const struct bad_value rows[] = {
		{"interval: 500ms, fast_interval: 1s",
		 "f:1:75: clusters.main.probe.fast_interval: 1s must be no longer than interval "
		 "(interval "
		 "is 500ms)"},
		{"interval: 50ms", "f:1:53: clusters.main.probe.fast_interval: 100ms must be no "
				   "longer than interval "},
		{"lease: 1s", "lease: 1s must be at least twice interval"},
		{"interval: 6s", "probe.lease: 10s must be at least twice interval, or"},
		{"interval: 9ms", "must be a duration 10ms..1m"},
		{"interval: 2m", "must be a duration 10ms..1m"},
		{"lease: 2h", "must be a duration 1s..1h"},
		{"fall: 1.5", "must be a number 1..100, not 1.5"},
		{"rise: -1", "must be a number 1..100, not -1"},
		{0},
	};

	(void)state;
	each_value("clusters: {main: {members: [pg1], probe: {%s}}}\n" LISTENER, rows);
}

static void two_listeners_cannot_have_one_address(void **state)
{
	static const struct bad_value taken[] = {
		{"\"127.0.0.1:1\", \"127.0.0.1:1\"", "listener a binds 127.0.0.1:1 already"},
		{"\"127.0.0.1:1\", \"*:1\"", "listener a binds 127.0.0.1:1 already"},
		{"\"*:1\", \"[::1]:1\"", "listener a binds *:1 already"},
		{"\"0.0.0.0:1\", \"127.0.0.1:1\"", "listener a binds 0.0.0.0:1 already"},
		{"\"[::]:1\", \"[::1]:1\"", "listener a binds [::]:1 already"},
		{"\"[::1]:1\", \"[0::1]:1\"", "listener a binds [::1]:1 already"},
		{"/run/a, /run/a", "listener a binds /run/a already"},
		{0},
	};
	struct config *c =
		accepted(MEMBERS "listeners:\n"
				 "  a: {bind: [\"127.0.0.1:1\", \"127.0.0.1:2\", \"[::]:1\"]}\n"
				 "  b: {bind: [\"127.0.0.2:1\", \"*:3\", /a, /b]}\n");

	(void)state;
	config_unref(c);
	each_value(MEMBERS "listeners: {a: {bind: [%s]}}\n", taken);
	refused_with(MEMBERS "listeners: {a: {bind: \"*:1\"}, b: {bind: \"%s\"}}\n", "10.0.0.1:1",
		     "listeners.b.bind: listener a binds *:1 already");
}

#define LOCAL_MEMBER "clusters: {main: {members: [{host: pg1, socket: /run/pg}]}}\n"

/* Its clients would be led back to it. */
static void a_listener_cannot_have_the_socket_of_a_member(void **state)
{
	static const struct bad_value taken[] = {
		{"/run/pg/.s.PGSQL.5432",
		 "listeners.w.bind: is the socket of member 'pg1': choose another directory or "
		 "port"},
		{"[\"127.0.0.1:1\", /run/pg/.s.PGSQL.5432]",
		 "bind[1]: is the socket of member 'pg1'"},
		{0},
	};
	struct config *c = accepted(LOCAL_MEMBER "listeners: {w: {bind: /run/pg/.s.PGSQL.5000}}\n");

	(void)state;
	config_unref(c);
	each_value(LOCAL_MEMBER "listeners: {w: {bind: %s}}\n", taken);
}

static void a_listener_that_nobody_can_serve_is_a_fault(void **state)
{
	(void)state;
	refused("clusters: {main: {members: [{host: a, weight: 0}, {host: b, weight: "
		"0}]}}\n" LISTENER,
		"f:2:13: listeners.write: no member can ever serve it: all weights in cluster main "
		"are 0\n");
}

static void wrong_stats_sockets_say_what_is_right(void **state)
{
	static const struct bad_value rows[] = {
		{"[/a, /a]", "another stats socket has this address already"},
		{"[{path: /a}, {path: /a}]",
		 "stats.socket[1].path: another stats socket has this address"},
		{"\"127.0.0.1:5000\"", "listener write binds this address already"},
		{"\"*:5000\"", "listener write binds this address already"},
		{"null", "must be host:port, *:port, [v6]:port or /path, not null"},
		{"[{mode: \"0600\"}]", "path: is missing: where to listen"},
		{"[{path: /a, mode: \"0888\"}]",
		 "must be octal digits \"0000\"..\"0777\", not '0888'"},
		{"[{path: /a, mode: \"7777\"}]", "must be octal digits"},
		{"[{path: /a, mode: 66}]", "must be octal digits"},
		{"[{path: /a, level: root}]", "must be one of user, operator, admin; not root"},
		{"[{path: /a, user: \"a b\"}]", "must be at most 32 letters, digits and signs"},
		{"[{path: \"127.0.0.1:9\", mode: \"0600\"}]",
		 "a TCP address has no owner and no mode"},
		{"[{path: isari.sock}]", "the port is missing"},
		{0},
	};

	(void)state;
	each_value(MEMBERS LISTENER "stats: {socket: %s}\n", rows);
}

static void wrong_process_keys_say_what_is_right(void **state)
{
	static const struct bad_value rows[] = {
		{"threads: 0", "threads: must be auto or a number 1..64, not 0"},
		{"threads: 65", "threads: must be auto or a number 1..64, not 65"},
		{"threads: \"4\"", "threads: must be auto or a number 1..64, not \"4\""},
		{"maxconn: -1", "maxconn: must be a number 1..1000000, not -1"},
		{"drain_timeout: 2d", "must be a duration 0 (none) or 100ms..1d"},
		{"log: {sessions: yes}", "log.sessions: must be true or false, not yes"},
		{"log: {level: warn}", "not warn; did you mean warning?"},
		{"log: {format: logfmt}", "must be one of text, json, haproxy-tcp; not logfmt"},
		{"log: {tag: \"a b\"}", "a tag has 1..32 letters, digits and ._-, not 'a b'"},
		{"log: {tag: \"\"}", "log.tag: must be a word, as haproxy, not \"\""},
		{"log: {tag: abcdefghabcdefghabcdefghabcdefghi}", "a tag has 1..32 letters"},
		{"log: info", "must be a map of keys"},
		{"liseners: {}", "liseners: is not a known key; did you mean listeners?"},
		{"maxconn: &a 1", "anchors (&name) are not supported"},
		{"maxconn: !!int 1", "tags (!name) are not supported"},
		{"maxconn: *a", "aliases (*name) are not supported"},
		{"maxconn: 1\nmaxconn: 2",
		 "f:4:1: maxconn: is given twice; the first is in line 3"},
		{"? [maxconn]\n: 1", "a key must be a word"},
		{0},
	};

	(void)state;
	each_value(MEMBERS LISTENER "%s\n", rows);
}

static void names_fit_the_statistics(void **state)
{
	static const struct bad_value rows[] = {
		{"\"a,b\"", "a name has only letters, digits and ._-, not 'a,b'"},
		{"\"a\\\"b\"", "a name has only letters"},
		{"\"a/b\"", "a name has only letters"},
		{"\"fd00::1\"", "a name has only letters"},
		{"\"\"", "a name has 1..64 characters"},
		{"abcdefghijklmnopqrstuvwxyzabcdefghijklmnopqrstuvwxyzabcdefghijklm",
		 "a name has 1..64 characters"},
		{0},
	};

	(void)state;
	each_value(MEMBERS "listeners: {%s: {bind: \"*:1\"}}\n", rows);
	each_value("clusters: {%s: {members: [pg1]}}\n" LISTENER, rows);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(the_smallest_file_is_enough),
		cmocka_unit_test(the_full_example_shows_the_defaults),
		cmocka_unit_test(the_demo_is_valid),
		cmocka_unit_test(members_have_two_spellings),
		cmocka_unit_test(a_member_of_this_host_may_be_reached_by_its_socket),
		cmocka_unit_test(sockets_tell_members_of_one_host_apart),
		cmocka_unit_test(several_clusters_keep_their_members_apart),
		cmocka_unit_test(every_listener_key_arrives),
		cmocka_unit_test(every_probe_and_process_key_arrives),
		cmocka_unit_test(stats_sockets_have_rights),
		cmocka_unit_test(an_empty_list_means_no_stats_socket),
		cmocka_unit_test(all_faults_come_in_one_go_in_the_files_order),
		cmocka_unit_test(nothing_to_do_is_a_fault),
		cmocka_unit_test(http_is_off_unless_it_has_an_address),
		cmocka_unit_test(a_listener_may_be_shown_by_the_names_it_had_in_haproxy),
		cmocka_unit_test(keys_of_the_documentation_that_do_not_exist_yet_are_unknown),
		cmocka_unit_test(wrong_values_of_a_listener_say_what_is_right),
		cmocka_unit_test(wrong_binds_say_what_is_right),
		cmocka_unit_test(wrong_members_say_what_is_right),
		cmocka_unit_test(members_must_differ),
		cmocka_unit_test(probing_must_make_sense),
		cmocka_unit_test(two_listeners_cannot_have_one_address),
		cmocka_unit_test(a_listener_cannot_have_the_socket_of_a_member),
		cmocka_unit_test(a_listener_that_nobody_can_serve_is_a_fault),
		cmocka_unit_test(wrong_stats_sockets_say_what_is_right),
		cmocka_unit_test(wrong_process_keys_say_what_is_right),
		cmocka_unit_test(names_fit_the_statistics),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
