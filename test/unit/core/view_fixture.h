#pragma once
/* Small configurations for tests of views: one cluster, one write and one read listener. */
#include "base/mem.h"
#include "core/config.h"
#include "core/view.h"
#include <string.h>

/* Members n1, n2, ... with these weights; listeners "write" (primary) and "read" (replica). */
static inline struct config *fixture_config(const unsigned *weights, unsigned n_members)
{
	struct config *c = config_new();

	c->n_clusters = 1;
	c->clusters = xcalloc(1, sizeof(*c->clusters));
	c->clusters[0].name = xstrdup("main");
	c->n_members = n_members;
	c->members = xcalloc(n_members, sizeof(*c->members));
	for (unsigned i = 0; i < n_members; i++) {
		c->members[i].name = xasprintf("n%u", i + 1);
		c->members[i].host = xasprintf("10.0.0.%u", i + 1);
		c->members[i].port = 5432;
		c->members[i].weight = weights[i];
	}
	c->n_listeners = 2;
	c->listeners = xcalloc(2, sizeof(*c->listeners));
	listener_config_defaults(&c->listeners[0]);
	listener_config_defaults(&c->listeners[1]);
	c->listeners[0].name = xstrdup("write");
	c->listeners[0].serve = ROLE_BIT(ROLE_PRIMARY);
	c->listeners[1].name = xstrdup("read");
	c->listeners[1].serve = ROLE_BIT(ROLE_REPLICA);
	config_finish(c);
	return c;
}

/* A view of it that owns the only reference to its configuration; every server CLOSED. */
static inline struct view *fixture_view(const unsigned *weights, unsigned n_members)
{
	struct config *c = fixture_config(weights, n_members);
	struct view *v = view_new(c);

	config_unref(c);
	return v;
}

static inline void fixture_open_all(struct view *v)
{
	for (size_t l = 0; l < v->n_listeners; l++)
		for (unsigned i = 0; i < v->listeners[l].n_servers; i++)
			v->listeners[l].servers[i].state = SERVER_OPEN;
	view_finish(v);
}
