/* The key `listeners`: where to listen, and what a session gets there.
 * Clusters are read before (the order of the table in config_yaml.c), so references are checked
 * here. */
#include "base/mem.h"
#include "wire/config_keys.h"
#include <stdlib.h>
#include <string.h>

enum {
	MAX_LISTENERS = 512,
	MAX_BINDS = 16,
	MAX_SESSIONS = 1000000,
	HOUR = 3600000,
	DAY = 86400000
};

#define WORD_ROW(symbol, word) {word, symbol},
static const struct word roles[] = {ROLE_LIST(WORD_ROW){0}};

static const struct word balances[] = {
	{"roundrobin", BALANCE_ROUNDROBIN},
	{"leastconn", BALANCE_LEASTCONN},
	{"random", BALANCE_RANDOM},
	{0},
};

static const struct word policies[] = {{"close", POLICY_CLOSE}, {"keep", POLICY_KEEP}, {0}};

static const struct word fallbacks[] = {{"primary", FALLBACK_PRIMARY}, {0}};

static const struct word protocols[] = {
	{"postgresql", PROTOCOL_POSTGRESQL},
	{"tcp", PROTOCOL_TCP},
	{0},
};

/* ---- bind ---- */

static void check_bind_is_free(struct reader *r, const struct yaml_node *v, const struct addr *a)
{
	char text[sizeof(a->host) + 16];

	for (size_t i = 0; i < r->config->n_listeners; i++) {
		const struct listener_config *l = &r->config->listeners[i];

		for (size_t k = 0; k < l->n_binds; k++) {
			if (!addr_overlaps(&l->binds[k], a))
				continue;
			reader_fault(r, v, "listener %.64s binds %s already", l->name,
				     addr_format(&l->binds[k], text, sizeof(text)));
			return;
		}
	}
}

/* isari would call itself, or take the place of a PostgreSQL that is being started. */
static void check_bind_is_no_server(struct reader *r, const struct yaml_node *v,
				    const struct addr *a)
{
	for (size_t i = 0; i < r->config->n_members; i++) {
		const struct member_config *m = &r->config->members[i];

		if (a->kind == ADDR_UNIX && m->socket_path && strcmp(m->socket_path, a->host) == 0)
			reader_fault(r, v,
				     "is the socket of member '%s': choose another directory or "
				     "port",
				     m->name);
	}
}

static void read_one_bind(struct reader *r, const struct yaml_node *v, struct listener_config *l)
{
	struct addr a;

	if (!reader_bind_addr(r, v, &a))
		return;
	check_bind_is_free(r, v, &a);
	check_bind_is_no_server(r, v, &a);
	l->binds[l->n_binds++] = a;
}

static void read_binds(struct reader *r, const struct key *k, const struct yaml_node *v,
		       void *listener)
{
	struct listener_config *l = listener;

	(void)k;
	if (v->kind != YAML_KIND_LIST) {
		l->binds = xcalloc(1, sizeof(*l->binds));
		read_one_bind(r, v, l);
		return;
	}
	if (v->n == 0 || v->n > MAX_BINDS) {
		reader_fault(r, v, "must have 1..%d addresses, not %zu", MAX_BINDS, v->n);
		return;
	}
	l->binds = xcalloc(v->n, sizeof(*l->binds));
	for (size_t i = 0; i < v->n; i++) {
		size_t mark = faults_enter_item(r->faults, i);

		read_one_bind(r, v->entries[i].value, l);
		faults_leave(r->faults, mark);
	}
}

/* ---- cluster, serve ---- */

static void unknown_cluster(struct reader *r, const struct yaml_node *v, const char *name)
{
	const struct config *c = r->config;
	const char **names = xcalloc(c->n_clusters + 1, sizeof(char *));
	char hint[96];

	for (size_t i = 0; i < c->n_clusters; i++)
		names[i] = c->clusters[i].name;
	reader_suggest(name, names, hint, sizeof(hint));
	reader_fault(r, v, "there is no cluster '%.64s'%s", name, hint);
	free(names);
}

static void read_cluster_name(struct reader *r, const struct key *k, const struct yaml_node *v,
			      void *field)
{
	const char *name = reader_expect_text(r, v, "the name of a cluster");
	unsigned *cluster = field;

	(void)k;
	if (name == NULL)
		return;
	for (unsigned i = 0; i < r->config->n_clusters; i++) {
		if (strcmp(r->config->clusters[i].name, name) == 0) {
			*cluster = i;
			return;
		}
	}
	unknown_cluster(r, v, name);
}

static void read_one_role(struct reader *r, const struct yaml_node *v, unsigned *bits)
{
	unsigned role;

	if (!reader_find_word(r, v, roles, &role))
		return;
	if (*bits & ROLE_BIT(role))
		reader_fault(r, v, "%s is named twice", v->text);
	*bits |= ROLE_BIT(role);
}

static void read_serve(struct reader *r, const struct key *k, const struct yaml_node *v,
		       void *field)
{
	unsigned *serve = field;

	(void)k;
	*serve = 0;
	if (v->kind != YAML_KIND_LIST) {
		read_one_role(r, v, serve);
		return;
	}
	if (v->n == 0)
		reader_fault(r, v, "must name at least one role, such as primary or replica");
	for (size_t i = 0; i < v->n; i++) {
		size_t mark = faults_enter_item(r->faults, i);

		read_one_role(r, v->entries[i].value, serve);
		faults_leave(r->faults, mark);
	}
}

/* ---- max_lag ---- */

static void read_max_lag(struct reader *r, const struct key *k, const struct yaml_node *v,
			 void *listener)
{
	struct listener_config *l = listener;
	size_t faults_before = r->faults->n;

	read_size(r, k, v, &l->max_lag_bytes);
	l->has_max_lag = r->faults->n == faults_before;
}

/* ---- the keys ---- */

#define TIMEOUT(name, field, ...) KEY(name, read_duration, struct timeouts, field, __VA_ARGS__)

static const struct key timeouts_keys[] = {
	TIMEOUT("connect", connect_ms, .min = 10, .max = HOUR),
	TIMEOUT("startup", startup_ms, .min = 10, .max = HOUR),
	TIMEOUT("client_idle", client_idle_ms, .min = 10, .max = 365LL * DAY, .flags = KEY_ZERO),
	TIMEOUT("server_idle", server_idle_ms, .min = 10, .max = 365LL * DAY, .flags = KEY_ZERO),
	{0},
};

/* 32767 s and 127 are the kernel's limits (MAX_TCP_KEEPIDLE, MAX_TCP_KEEPCNT). */
#define KEEPALIVE(name, reader, ...) KEY(name, reader, struct keepalive, __VA_ARGS__)

static const struct key keepalive_keys[] = {
	KEEPALIVE("idle", read_duration, idle_ms, .min = 1000, .max = 32767000,
		  .flags = KEY_SECONDS),
	KEEPALIVE("interval", read_duration, interval_ms, .min = 1000, .max = 32767000,
		  .flags = KEY_SECONDS),
	KEEPALIVE("count", read_unsigned, count, .min = 1, .max = 127),
	KEEPALIVE("user_timeout", read_duration, user_timeout_ms, .min = 1000, .max = DAY,
		  .flags = KEY_ZERO),
	{0},
};

#define LISTENER(name, reader, ...) KEY(name, reader, struct listener_config, __VA_ARGS__)

static const struct key listener_keys[] = {
	KEY_WHOLE("bind", read_binds, .required = "where to listen, such as \"127.0.0.1:5000\""),
	LISTENER("cluster", read_cluster_name, cluster),
	LISTENER("serve", read_serve, serve),
	LISTENER("balance", read_word, balance, .words = balances),
	LISTENER("fallback", read_word, fallback, .words = fallbacks, .flags = KEY_NULLABLE),
	/* 0 would shut out every replica for as long as the primary writes. */
	KEY_WHOLE("max_lag", read_max_lag, .min = 1, .max = 1LL << 50, .flags = KEY_NULLABLE),
	LISTENER("hold", read_duration, hold_ms, .min = 10, .max = HOUR, .flags = KEY_ZERO),
	LISTENER("hold_max", read_unsigned, hold_max, .min = 1, .max = MAX_SESSIONS),
	LISTENER("maxconn", read_unsigned, maxconn, .min = 1, .max = MAX_SESSIONS),
	LISTENER("server_maxconn", read_unsigned, server_maxconn, .min = 1, .max = MAX_SESSIONS,
		 .flags = KEY_NULLABLE),
	LISTENER("on_demotion", read_word, on_demotion, .words = policies),
	LISTENER("on_unreachable", read_word, on_unreachable, .words = policies),
	LISTENER("on_lag", read_word, on_lag, .words = policies),
	LISTENER("protocol", read_word, protocol, .words = protocols),
	LISTENER("coalesce", read_duration_us, coalesce_us, .min = 20, .max = 10000,
		 .flags = KEY_ZERO),
	LISTENER("timeouts", read_section, timeouts, .keys = timeouts_keys),
	LISTENER("keepalive", read_section, keepalive, .keys = keepalive_keys),
	KEY_WHOLE("stats_name", read_stats_name, .flags = KEY_NULLABLE),
	{0},
};

/* ---- listeners ---- */

static void check_cluster_is_named(struct reader *r, const struct yaml_entry *e)
{
	size_t mark;

	if (yaml_map_find(e->value, "cluster") || r->config->n_clusters < 2)
		return;
	mark = faults_enter(r->faults, "cluster");
	faults_add(r->faults, e->key_line, e->key_column,
		   "is missing: there are %zu clusters, say which one", r->config->n_clusters);
	faults_leave(r->faults, mark);
}

static void check_can_serve(struct reader *r, const struct yaml_entry *e, unsigned cluster)
{
	size_t n = 0, weight = 0;

	for (size_t i = 0; i < r->config->n_members; i++) {
		if (r->config->members[i].cluster != cluster)
			continue;
		n++;
		weight += r->config->members[i].weight;
	}
	if (n > 0 && weight == 0)
		faults_add(r->faults, e->key_line, e->key_column,
			   "no member can ever serve it: all weights in cluster %.64s are 0",
			   r->config->clusters[cluster].name);
}

static void check_fallback(struct reader *r, const struct yaml_entry *e,
			   const struct listener_config *l)
{
	unsigned with_primary = ROLE_BIT(ROLE_PRIMARY) | ROLE_BIT(ROLE_ANY);
	const struct yaml_entry *fallback = yaml_map_find(e->value, "fallback");
	size_t mark;

	if (fallback == NULL || l->fallback != FALLBACK_PRIMARY || !(l->serve & with_primary))
		return;
	mark = faults_enter(r->faults, "fallback");
	reader_fault(r, fallback->value,
		     "must be left out: the primary is among those that serve names");
	faults_leave(r->faults, mark);
}

static void read_listener(struct reader *r, const struct yaml_entry *e)
{
	struct listener_config *l = &r->config->listeners[r->config->n_listeners++];
	size_t faults_before = r->faults->n;

	listener_config_defaults(l);
	l->name = xstrdup(e->key);
	reader_check_name(r, e->key_line, e->key_column, e->key, NAME_CHARACTERS);
	if (!reader_expect_map(r, e->value, "at least bind"))
		return;
	read_keys(r, listener_keys, e->value, l);
	check_cluster_is_named(r, e);
	check_fallback(r, e, l);
	check_stats_name(r, e);
	if (r->faults->n == faults_before)
		check_can_serve(r, e, l->cluster);
}

void read_listeners(struct reader *r, const struct key *k, const struct yaml_node *v, void *config)
{
	struct config *c = config;

	(void)k;
	if (!reader_expect_map(r, v, "a name for each listener, and its keys below"))
		return;
	if (v->n == 0 || v->n > MAX_LISTENERS) {
		reader_fault(r, v, "must have 1..%d listeners, not %zu", MAX_LISTENERS, v->n);
		return;
	}
	c->listeners = xcalloc(v->n, sizeof(*c->listeners));
	for (size_t i = 0; i < v->n; i++) {
		size_t mark = faults_enter(r->faults, v->entries[i].key);

		read_listener(r, &v->entries[i]);
		faults_leave(r->faults, mark);
	}
}
