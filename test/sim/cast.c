/* Every setting that bends a rule is drawn: lease, rise, fall, scope, SQL, policies. */
#include "cast.h"
#include "base/mem.h"
#include "unit/core/config_copy.h"
#include "witness.h"

static void draw_probing(struct world *w, struct cluster_config *c)
{
	static const int64_t leases_ms[] = {10000, 10000, 4000, 20000};

	probe_config_defaults(&c->probe);
	c->probe.lease_ms = leases_ms[world_chance(w, 4)];
	c->probe.rise = 1 + (unsigned)world_chance(w, 3);
	c->probe.fall = 2 + (unsigned)world_chance(w, 3);
	c->probe.sql.wanted = w->asks_sql = world_chance(w, 2);
	if (w->standby || world_chance(w, 2))
		c->scope = xstrdup("world");
}

static bool is_for_writes(unsigned listener)
{
	return listener == WITNESS_WRITE || listener == WITNESS_ORDERED_WRITE;
}

/* What bends a rule is the same for both twins. */
static void settle_twins(struct config *c)
{
	for (unsigned i = 0; i < WITNESS_ORDERED_WRITE; i++) {
		const struct listener_config *l = &c->listeners[i];
		struct listener_config *twin = &c->listeners[i + WITNESS_ORDERED_WRITE];

		twin->on_unreachable = l->on_unreachable;
		twin->on_demotion = l->on_demotion;
	}
}

static void fill_listeners(struct world *w, struct config *c)
{
	c->n_listeners = WITNESS_LISTENERS;
	c->listeners = xcalloc(c->n_listeners, sizeof(*c->listeners));
	for (unsigned i = 0; i < c->n_listeners; i++) {
		struct listener_config *l = &c->listeners[i];

		listener_config_defaults(l);
		l->name = xasprintf("%s%u", is_for_writes(i) ? "write" : "read", i);
		l->serve = ROLE_BIT(is_for_writes(i) ? ROLE_PRIMARY : ROLE_REPLICA);
		if (witness_is_ordered(i))
			continue;
		l->on_unreachable = world_chance(w, 2) ? POLICY_CLOSE : POLICY_KEEP;
		if (i == WITNESS_READ && world_chance(w, 2))
			l->on_demotion = POLICY_KEEP;
	}
	settle_twins(c);
}

struct config *cast_config(struct world *w)
{
	struct config *c = config_new();

	c->n_clusters = 1;
	c->clusters = xcalloc(1, sizeof(*c->clusters));
	c->clusters[0].name = xstrdup("sim");
	c->clusters[0].n_members = w->n_nodes;
	draw_probing(w, &c->clusters[0]);
	c->n_members = w->n_nodes;
	c->members = xcalloc(w->n_nodes, sizeof(*c->members));
	for (unsigned i = 0; i < w->n_nodes; i++) {
		c->members[i].name = xasprintf("n%u", i);
		c->members[i].host = xasprintf("127.0.0.%u", i + 1);
		c->members[i].rest_host = xstrdup(c->members[i].host);
		c->members[i].port = 5432;
		c->members[i].rest_port = 8008;
		c->members[i].weight = 100;
	}
	fill_listeners(w, c);
	config_finish(c);
	return c;
}

/* What may change without a restart and bends a rule. */
static void edit(struct world *w, struct config *c)
{
	static const int64_t leases_ms[] = {10000, 4000, 20000};
	struct probe_config *p = &c->clusters[0].probe;

	p->lease_ms = leases_ms[world_chance(w, 3)];
	p->rise = 1 + (unsigned)world_chance(w, 3);
	p->fall = 2 + (unsigned)world_chance(w, 3);
	for (unsigned i = 0; i < c->n_members; i++)
		c->members[i].weight = 1 + (unsigned)world_chance(w, 100);
	for (unsigned i = 0; i < WITNESS_ORDERED_WRITE; i++)
		c->listeners[i].on_unreachable = world_chance(w, 2) ? POLICY_CLOSE : POLICY_KEEP;
	c->listeners[WITNESS_READ].on_demotion = world_chance(w, 2) ? POLICY_CLOSE : POLICY_KEEP;
	settle_twins(c);
}

struct config *cast_again(struct world *w, const struct config *now)
{
	struct config *c = config_copy(now);

	if (world_chance(w, 2))
		edit(w, c);
	config_finish(c);
	return c;
}
