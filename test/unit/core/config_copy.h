#pragma once
/* The same configuration once more, as a file that is read again would give it: nothing is shared,
 * so that whoever keeps a pointer into the old one is found out. */
#include "base/mem.h"
#include "core/config.h"
#include <stdlib.h>
#include <string.h>

static inline char *copy_text(const char *text)
{
	return text ? xstrdup(text) : NULL;
}

static inline void *copy_items(const void *items, size_t n, size_t size)
{
	void *copy = xcalloc(n + 1, size);

	if (n > 0)
		memcpy(copy, items, n * size);
	return copy;
}

static inline void copy_clusters(struct config *c)
{
	c->clusters = copy_items(c->clusters, c->n_clusters, sizeof(*c->clusters));
	for (size_t i = 0; i < c->n_clusters; i++) {
		struct sql_config *sql = &c->clusters[i].probe.sql;

		c->clusters[i].name = copy_text(c->clusters[i].name);
		c->clusters[i].scope = copy_text(c->clusters[i].scope);
		sql->user = copy_text(sql->user);
		sql->dbname = copy_text(sql->dbname);
		sql->passfile = copy_text(sql->passfile);
		sql->sslmode = copy_text(sql->sslmode);
	}
}

static inline void copy_members(struct config *c)
{
	c->members = copy_items(c->members, c->n_members, sizeof(*c->members));
	for (size_t i = 0; i < c->n_members; i++) {
		struct member_config *m = &c->members[i];

		m->name = copy_text(m->name);
		m->host = copy_text(m->host);
		m->socket_path = copy_text(m->socket_path);
		m->rest_host = copy_text(m->rest_host);
	}
}

static inline void copy_listeners(struct config *c)
{
	c->listeners = copy_items(c->listeners, c->n_listeners, sizeof(*c->listeners));
	for (size_t i = 0; i < c->n_listeners; i++) {
		struct listener_config *l = &c->listeners[i];

		l->name = copy_text(l->name);
		l->frontend_name = copy_text(l->frontend_name);
		l->backend_name = copy_text(l->backend_name);
		l->binds = copy_items(l->binds, l->n_binds, sizeof(*l->binds));
	}
}

static inline void copy_sockets(struct config *c)
{
	c->stats_sockets =
		copy_items(c->stats_sockets, c->n_stats_sockets, sizeof(*c->stats_sockets));
	for (size_t i = 0; i < c->n_stats_sockets; i++) {
		c->stats_sockets[i].user = copy_text(c->stats_sockets[i].user);
		c->stats_sockets[i].group = copy_text(c->stats_sockets[i].group);
	}
}

/* One reference. The caller may change it, and then calls config_finish. */
static inline struct config *config_copy(const struct config *of)
{
	struct config *c = config_new();

	free(c->log.tag);
	memcpy(c, of, sizeof(*c));
	atomic_init(&c->refs, 1);
	c->log.tag = copy_text(of->log.tag);
	copy_clusters(c);
	copy_members(c);
	copy_listeners(c);
	copy_sockets(c);
	return c;
}
