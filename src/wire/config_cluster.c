/* The key `clusters`: members in both spellings, and how they are probed.
 * Not here: who uses a cluster (config_listener.c). */
#include "base/mem.h"
#include "wire/config_keys.h"
#include <stdlib.h>
#include <string.h>
#include <strings.h>

enum { MAX_CLUSTERS = 256, MAX_MEMBERS = 64, POSTGRESQL_PORT = 5432, REST_PORT = 8008 };

/* The default name is the host, which may be an IPv6 address with a zone. */
#define MEMBER_NAME_CHARACTERS NAME_CHARACTERS ":%"

/* ---- probe ---- */

#define SQL(name, field, ...) KEY(name, read_text, struct sql_config, field, __VA_ARGS__)

enum { LONGEST_NAME = 63, LONGEST_PATH = 1023 }; /* PostgreSQL's own; PATH_MAX less a quarter */

static const struct key sql_keys[] = {
	SQL("user", user, .max = LONGEST_NAME,
	    .required = "a role without rights, such as monitor"),
	SQL("dbname", dbname, .max = LONGEST_NAME),
	SQL("passfile", passfile, .max = LONGEST_PATH, .flags = KEY_NULLABLE),
	SQL("sslmode", sslmode, .max = LONGEST_NAME, .flags = KEY_NULLABLE),
	{0},
};

static void check_sslmode(struct reader *r, const struct yaml_node *map)
{
	static const struct word modes[] = {
		{"disable", 0},     {"allow", 0}, {"prefer", 0}, {"require", 0}, {"verify-ca", 0},
		{"verify-full", 0}, {0}};
	const struct yaml_entry *e = yaml_map_find(map, "sslmode");
	unsigned ignored;
	size_t mark;

	if (e == NULL || yaml_node_is_null(e->value))
		return;
	mark = faults_enter(r->faults, "sslmode");
	reader_find_word(r, e->value, modes, &ignored);
	faults_leave(r->faults, mark);
}

static void read_sql(struct reader *r, const struct key *k, const struct yaml_node *v, void *field)
{
	struct sql_config *sql = field;

	if (!reader_expect_map(r, v, "at least user"))
		return;
	sql->wanted = true;
	sql->dbname = xstrdup("postgres");
	read_keys(r, k->keys, v, sql);
	check_sslmode(r, v);
}

#define PROBE(name, reader, ...) KEY(name, reader, struct probe_config, __VA_ARGS__)

static const struct key probe_keys[] = {
	PROBE("interval", read_duration, interval_ms, .min = 10, .max = 60000),
	PROBE("fast_interval", read_duration, fast_interval_ms, .min = 10, .max = 60000),
	PROBE("timeout", read_duration, timeout_ms, .min = 10, .max = 60000),
	PROBE("fall", read_unsigned, fall, .min = 1, .max = 100),
	PROBE("rise", read_unsigned, rise, .min = 1, .max = 100),
	PROBE("lease", read_duration, lease_ms, .min = 1000, .max = 3600000),
	PROBE("ping_timeout", read_duration, ping_timeout_ms, .min = 10, .max = 60000),
	PROBE("sql", read_sql, sql, .keys = sql_keys, .flags = KEY_NULLABLE),
	{0},
};

/* A fault of `key` in relation to `interval`, at the one of them that is written. */
static void relation_fault(struct reader *r, const struct yaml_node *map, const char *key,
			   int64_t ms, const char *relation, int64_t interval_ms)
{
	const struct yaml_entry *e = yaml_map_find(map, key);
	size_t mark = faults_enter(r->faults, key);
	char has[24], interval[24];

	if (e == NULL)
		e = yaml_map_find(map, "interval");
	reader_fault(r, e ? e->value : map, "%s must be %s (interval is %s)",
		     duration_as_written(ms, has, sizeof(has)), relation,
		     duration_as_written(interval_ms, interval, sizeof(interval)));
	faults_leave(r->faults, mark);
}

static void check_probe(struct reader *r, const struct yaml_node *map, const struct probe_config *p)
{
	if (p->fast_interval_ms > p->interval_ms)
		relation_fault(r, map, "fast_interval", p->fast_interval_ms,
			       "no longer than interval", p->interval_ms);
	if (p->lease_ms < 2 * p->interval_ms)
		relation_fault(
			r, map, "lease", p->lease_ms,
			"at least twice interval, or write sessions are cut between two proofs",
			p->interval_ms);
}

static void read_probe(struct reader *r, const struct key *k, const struct yaml_node *v,
		       void *field)
{
	size_t faults_before = r->faults->n;

	read_section(r, k, v, field);
	if (r->faults->n == faults_before)
		check_probe(r, v, field);
}

/* ---- one member ---- */

static void read_name(struct reader *r, const struct key *k, const struct yaml_node *v, void *field)
{
	const char *name = reader_expect_text(r, v, "a name");
	char **to = field;

	(void)k;
	if (name && reader_check_name(r, v->line, v->column, name, MEMBER_NAME_CHARACTERS))
		*to = xstrdup(name);
}

/* A host to connect to: "*" and socket paths are for listening. */
static bool parse_server(struct reader *r, const struct yaml_node *v, const char *text,
			 uint16_t port, struct addr *a)
{
	struct err e;

	if (addr_parse(a, text, port, &e) < 0)
		reader_fault(r, v, "%s", e.text);
	else if (a->kind != ADDR_TCP || strcmp(a->host, "*") == 0)
		reader_fault(r, v, "a server is a host name or an address, not '%.60s'", text);
	else
		return true;
	return false;
}

static void read_host(struct reader *r, const struct key *k, const struct yaml_node *v, void *field)
{
	const char *text = reader_expect_text(r, v, "a host name or an address"), *colon;
	char **to = field;
	struct addr a;

	(void)k;
	if (text == NULL)
		return;
	colon = strrchr(text, ':');
	if (colon && (colon == strchr(text, ':') || colon[-1] == ']'))
		reader_fault(r, v, "write the port as a key of its own, port: %.20s", colon + 1);
	else if (parse_server(r, v, text, POSTGRESQL_PORT, &a))
		*to = xstrdup(a.host);
}

/* http://host:port or https://host:port; nothing after it, since each role is a path of its own. */
static void read_rest(struct reader *r, const struct key *k, const struct yaml_node *v,
		      void *member)
{
	const char *url = reader_expect_text(r, v, "a URL such as http://10.0.0.1:8008");
	struct member_config *m = member;
	struct addr a;
	size_t len;

	(void)k;
	if (url == NULL)
		return;
	m->rest_tls = strncasecmp(url, "https://", 8) == 0;
	if (!m->rest_tls && strncasecmp(url, "http://", 7) != 0) {
		reader_fault(r, v, "must begin with http:// or https://, not '%.40s'", url);
		return;
	}
	url += m->rest_tls ? 8 : 7;
	len = strcspn(url, "/?#@");
	if (url[len] && strcmp(url + len, "/") != 0) {
		reader_fault(r, v, "has only scheme, host and port, without '%.40s'", url + len);
		return;
	}
	char *host = xstrndup(url, len);

	if (host[0] != '[' && strchr(host, ':') != strrchr(host, ':'))
		reader_fault(r, v, "write an IPv6 address as http://[address]:port");
	else if (parse_server(r, v, host, REST_PORT, &a)) {
		m->rest_host = xstrdup(a.host);
		m->rest_port = a.port;
	}
	free(host);
}

static const struct key member_keys[] = {
	KEY("name", read_name, struct member_config, name),
	KEY("host", read_host, struct member_config, host,
	    .required = "a member's host name or address"),
	KEY("port", read_port, struct member_config, port, .min = 1, .max = 65535),
	KEY_WHOLE("rest", read_rest),
	KEY("weight", read_unsigned, struct member_config, weight, .max = 256),
	{0},
};

/* ---- members ---- */

static bool same_server(const char *host_a, uint16_t port_a, const char *host_b, uint16_t port_b)
{
	struct addr a = {.kind = ADDR_TCP, .port = port_a}, b = {.kind = ADDR_TCP, .port = port_b};

	memcpy(a.host, host_a, strlen(host_a) + 1);
	memcpy(b.host, host_b, strlen(host_b) + 1);
	return addr_equal(&a, &b);
}

static void check_twins(struct reader *r, const struct yaml_node *v, const struct member_config *m)
{
	for (size_t i = 0; i < r->config->n_members; i++) {
		const struct member_config *o = &r->config->members[i];

		if (o->cluster != m->cluster)
			continue;
		if (same_server(o->host, o->port, m->host, m->port)) {
			reader_fault(r, v, "is the server %s:%u, which is member '%s' already",
				     m->host, m->port, o->name);
			continue;
		}
		if (strcmp(o->name, m->name) == 0)
			reader_fault(r, v,
				     "another member is named '%s': give each a name of its own",
				     m->name);
		if (same_server(o->rest_host, o->rest_port, m->rest_host, m->rest_port))
			reader_fault(r, v,
				     "has the same Patroni REST (%s:%u) as member '%s': give each "
				     "its own",
				     m->rest_host, m->rest_port, o->name);
	}
}

static void add_member(struct reader *r, const struct yaml_node *v, struct member_config *m)
{
	struct config *c = r->config;

	if (m->name == NULL) {
		m->name = xstrdup(m->host);
		reader_check_name(r, v->line, v->column, m->name, MEMBER_NAME_CHARACTERS);
	}
	if (m->rest_host == NULL)
		m->rest_host = xstrdup(m->host);
	check_twins(r, v, m);
	c->members = xrealloc(c->members, (c->n_members + 1) * sizeof(*c->members));
	c->members[c->n_members++] = *m;
}

static void read_member(struct reader *r, const struct yaml_node *v, unsigned cluster)
{
	struct member_config m;
	struct addr a;

	member_config_defaults(&m);
	m.cluster = cluster;
	if (v->kind == YAML_KIND_MAP) {
		read_keys(r, member_keys, v, &m);
	} else {
		const char *text =
			reader_expect_text(r, v, "host, host:port or a map with the key host");

		if (text && parse_server(r, v, text, POSTGRESQL_PORT, &a)) {
			m.host = xstrdup(a.host);
			m.port = a.port;
		}
	}
	if (m.host) {
		add_member(r, v, &m);
		return;
	}
	free(m.name); /* the fault is told; what was read of it is dropped */
	free(m.rest_host);
}

static void read_members(struct reader *r, const struct key *k, const struct yaml_node *v,
			 void *field)
{
	const struct cluster_config *cluster = field;

	(void)k;
	if (v->kind != YAML_KIND_LIST)
		reader_fault(r, v, "must be a list of members, such as [10.0.0.1, 10.0.0.2]");
	else if (v->n == 0 || v->n > MAX_MEMBERS)
		reader_fault(r, v, "must have 1..%d members, not %zu", MAX_MEMBERS, v->n);
	else
		for (size_t i = 0; i < v->n; i++) {
			size_t mark = faults_enter_item(r->faults, i);

			read_member(r, v->entries[i].value,
				    (unsigned)(cluster - r->config->clusters));
			faults_leave(r->faults, mark);
		}
}

/* ---- clusters ---- */

static const struct key cluster_keys[] = {
	KEY("scope", read_text, struct cluster_config, scope, .max = 255, .flags = KEY_NULLABLE),
	KEY_WHOLE("members", read_members,
		  .required = "the cluster's servers, such as [10.0.0.1, 10.0.0.2]"),
	KEY("probe", read_probe, struct cluster_config, probe, .keys = probe_keys),
	{0},
};

static void read_cluster(struct reader *r, const struct yaml_entry *e)
{
	struct cluster_config *cluster = &r->config->clusters[r->config->n_clusters++];

	cluster->name = xstrdup(e->key);
	probe_config_defaults(&cluster->probe);
	reader_check_name(r, e->key_line, e->key_column, e->key, NAME_CHARACTERS);
	if (reader_expect_map(r, e->value, "at least members"))
		read_keys(r, cluster_keys, e->value, cluster);
}

void read_clusters(struct reader *r, const struct key *k, const struct yaml_node *v, void *config)
{
	struct config *c = config;

	(void)k;
	if (!reader_expect_map(r, v, "a name for each cluster, and its members below"))
		return;
	if (v->n == 0 || v->n > MAX_CLUSTERS) {
		reader_fault(r, v, "must have 1..%d clusters, not %zu", MAX_CLUSTERS, v->n);
		return;
	}
	c->clusters = xcalloc(v->n, sizeof(*c->clusters));
	for (size_t i = 0; i < v->n; i++) {
		size_t mark = faults_enter(r->faults, v->entries[i].key);

		read_cluster(r, &v->entries[i]);
		faults_leave(r->faults, mark);
	}
}
