/* The configuration as a value: its defaults, what follows from it, its reference count.
 * Not here: where it comes from (wire/config_yaml.h). */
#include "core/config.h"
#include "base/assert.h"
#include "base/mem.h"
#include <stdlib.h>
#include <string.h>

enum { SECOND = 1000 };

struct config *config_new(void)
{
	struct config *c = xcalloc(1, sizeof(*c));

	atomic_init(&c->refs, 1);
	c->maxconn = 20000;
	c->log.level = LOG_LEVEL_INFO;
	c->log.format = LOG_FORMAT_TEXT;
	c->log.sessions = true;
	c->log.tag = xstrdup("haproxy");
	c->drain_timeout_ms = 30 * SECOND;
	return c;
}

struct config *config_ref(struct config *c)
{
	INSIST(atomic_fetch_add_explicit(&c->refs, 1, memory_order_relaxed) > 0);
	return c;
}

static void free_sql(struct sql_config *s)
{
	free(s->user);
	free(s->dbname);
	free(s->passfile);
	free(s->sslmode);
}

static void free_clusters(struct config *c)
{
	for (size_t i = 0; i < c->n_clusters; i++) {
		free(c->clusters[i].name);
		free(c->clusters[i].scope);
		free_sql(&c->clusters[i].probe.sql);
	}
	free(c->clusters);
}

static void free_members(struct config *c)
{
	for (size_t i = 0; i < c->n_members; i++) {
		free(c->members[i].name);
		free(c->members[i].host);
		free(c->members[i].socket_path);
		free(c->members[i].rest_host);
	}
	free(c->members);
}

static void free_listeners(struct config *c)
{
	for (size_t i = 0; i < c->n_listeners; i++) {
		free(c->listeners[i].name);
		free(c->listeners[i].frontend_name);
		free(c->listeners[i].backend_name);
		free(c->listeners[i].binds);
	}
	free(c->listeners);
}

static void free_stats_sockets(struct config *c)
{
	for (size_t i = 0; i < c->n_stats_sockets; i++) {
		free(c->stats_sockets[i].user);
		free(c->stats_sockets[i].group);
	}
	free(c->stats_sockets);
}

void config_unref(struct config *c)
{
	unsigned before;

	if (c == NULL)
		return;
	before = atomic_fetch_sub_explicit(&c->refs, 1, memory_order_acq_rel);
	INSIST(before > 0);
	if (before > 1)
		return;
	free_clusters(c);
	free_members(c);
	free_listeners(c);
	free_stats_sockets(c);
	free(c->log.tag);
	free(c);
}

void probe_config_defaults(struct probe_config *p)
{
	*p = (struct probe_config){
		.interval_ms = 1 * SECOND,
		.fast_interval_ms = 100,
		.timeout_ms = 3 * SECOND,
		.fall = 3,
		.rise = 1,
		.lease_ms = 10 * SECOND,
		.ping_timeout_ms = 1 * SECOND,
	};
}

void member_config_defaults(struct member_config *m)
{
	*m = (struct member_config){.port = 5432, .rest_port = 8008, .weight = 100};
}

void listener_config_defaults(struct listener_config *l)
{
	*l = (struct listener_config){
		.serve = ROLE_BIT(ROLE_PRIMARY),
		.balance = BALANCE_ROUNDROBIN,
		.maxconn = 10000,
		.on_demotion = POLICY_CLOSE,
		.on_unreachable = POLICY_CLOSE,
		.on_lag = POLICY_KEEP,
		.hold_ms = 30 * SECOND,
		.hold_max = 10000,
		.protocol = PROTOCOL_POSTGRESQL,
		.coalesce_us = 250,
		.timeouts = {.connect_ms = 1 * SECOND, .startup_ms = 60 * SECOND},
		.keepalive = {.idle_ms = 30 * SECOND,
			      .interval_ms = 10 * SECOND,
			      .count = 3,
			      .user_timeout_ms = 30 * SECOND},
	};
}

void stats_socket_config_defaults(struct stats_socket_config *s)
{
	*s = (struct stats_socket_config){.mode = 0660, .level = LEVEL_OPERATOR};
}

/* Returns the next free id. */
static unsigned name_proxies(struct listener_config *l, unsigned iid)
{
	if (l->frontend_name == NULL)
		l->frontend_name = xstrdup(l->name);
	if (l->backend_name == NULL)
		l->backend_name = xstrdup(l->name);
	l->frontend_iid = l->backend_iid = iid;
	if (strcmp(l->frontend_name, l->backend_name) != 0)
		l->backend_iid++;
	return l->backend_iid + 1;
}

void config_finish(struct config *c)
{
	unsigned iid = CONFIG_FIRST_IID;

	unsigned m = 0;

	for (unsigned i = 0; i < c->n_clusters; i++) {
		struct cluster_config *cluster = &c->clusters[i];

		cluster->first_member = m;
		cluster->roles_served = 0;
		for (; m < c->n_members && c->members[m].cluster == i; m++)
			c->members[m].id = m;
		cluster->n_members = m - cluster->first_member;
	}
	REQUIRE(m == c->n_members); /* grouped by cluster, and of a cluster that exists */
	for (unsigned i = 0; i < c->n_listeners; i++) {
		REQUIRE(c->listeners[i].cluster < c->n_clusters);
		c->listeners[i].id = i;
		iid = name_proxies(&c->listeners[i], iid);
		c->clusters[c->listeners[i].cluster].roles_served |= c->listeners[i].serve;
	}
}

int config_find_cluster(const struct config *c, const char *name)
{
	for (size_t i = 0; i < c->n_clusters; i++)
		if (strcmp(c->clusters[i].name, name) == 0)
			return (int)i;
	return -1;
}
