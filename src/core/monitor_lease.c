/* How long a proof may be trusted (rule 4), and Patroni's settings that bound it: ttl and
 * loop_wait, from /config. Not here: whom to ask for them (monitor_observe.c), when a lease ends
 * (monitor.c). */
#include "core/monitor_state.h"

enum { LEASE_MARGIN_MS = 5000, LEASE_LEAST_MS = 1000 };

/* Patroni's own (its documentation). /config is what was written to the DCS, and may name
 * neither. */
enum { TTL_DEFAULT_MS = 30000, LOOP_WAIT_DEFAULT_MS = 10000 };

static int64_t ttl_of(const struct cluster_state *c)
{
	return c->ttl_ms ? c->ttl_ms : TTL_DEFAULT_MS;
}

static int64_t loop_wait_of(const struct cluster_state *c)
{
	return c->loop_wait_ms ? c->loop_wait_ms : LOOP_WAIT_DEFAULT_MS;
}

/* Before the leader lock could have passed to another. */
int64_t monitor_lease_ms(const struct cluster_state *c)
{
	int64_t ttl = ttl_of(c), loop_wait = loop_wait_of(c);
	int64_t safe = ttl - loop_wait - LEASE_MARGIN_MS;
	int64_t lease = c->config->probe.lease_ms;

	if (safe < LEASE_LEAST_MS)
		safe = LEASE_LEAST_MS;
	return lease < safe ? lease : safe;
}

static void note_settings(struct monitor *m, const struct cluster_state *c)
{
	struct change *change = monitor_note(m, CHANGE_SETTINGS, (unsigned)(c - m->clusters));

	change->ttl_ms = ttl_of(c);
	change->loop_wait_ms = loop_wait_of(c);
}

void monitor_renew_leases(struct cluster_state *c)
{
	for (unsigned i = 0; i < c->config->n_members; i++)
		c->members[i].proof.until_ms = c->members[i].proof.asked_ms + monitor_lease_ms(c);
}

void monitor_observe_config(struct monitor *m, struct cluster_state *c, const struct observation *o,
			    int64_t now_ms)
{
	bool news =
		!c->config_known || c->ttl_ms != o->ttl_ms || c->loop_wait_ms != o->loop_wait_ms;

	if (o->outcome != OUTCOME_ANSWERED || o->http_status != 200)
		return;
	c->ttl_ms = o->ttl_ms;
	c->loop_wait_ms = o->loop_wait_ms;
	c->config_known = true;
	c->config_due_ms = now_ms + SCHEDULE_CONFIG_MS;
	monitor_renew_leases(c);
	if (news)
		note_settings(m, c);
}
