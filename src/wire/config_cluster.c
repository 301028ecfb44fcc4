/* The key `clusters`, and how its members are probed.
 * Not here: the members (config_member.c), who uses a cluster (config_listener.c). */
#include "base/mem.h"
#include "wire/config_keys.h"

enum { MAX_CLUSTERS = 256 };

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
