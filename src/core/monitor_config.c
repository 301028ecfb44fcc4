/* Another configuration while everything goes on: what is known stays known (rule 10). Proofs,
 * leases, health, what operators ordered, generations: all of it belongs to the process, and only
 * what the changed keys say is judged anew.
 * Not here: which changes are possible (config_diff.h). */
#include "base/assert.h"
#include "core/counters.h"
#include "core/monitor_state.h"
#include <string.h>

static void require_same_shape(const struct config *a, const struct config *b)
{
	REQUIRE(a->n_clusters == b->n_clusters && a->n_members == b->n_members);
	REQUIRE(a->n_listeners == b->n_listeners);
	for (size_t i = 0; i < a->n_clusters; i++)
		REQUIRE(a->clusters[i].n_members == b->clusters[i].n_members);
	for (size_t i = 0; i < a->n_listeners; i++)
		REQUIRE(a->listeners[i].cluster == b->listeners[i].cluster);
}

/* Of a role that nobody wanted before, nothing is known. Until its member has answered, sessions
 * that are there stay: the new file may well allow them. */
static void take_roles(struct member_state *s, unsigned news, unsigned served)
{
	s->roles &= ~news;
	s->roles_unasked = (s->roles_unasked | news) & served;
}

static bool same_text(const char *a, const char *b)
{
	return a == b || (a && b && strcmp(a, b) == 0);
}

static bool same_place(const struct member_config *a, const struct member_config *b)
{
	return same_text(a->host, b->host) && a->port == b->port &&
	       same_text(a->socket_path, b->socket_path) && same_text(a->rest_host, b->rest_host);
}

static bool same_rest(const struct member_config *a, const struct member_config *b)
{
	return a->rest_tls == b->rest_tls && a->rest_port == b->rest_port;
}

/* Another server by the same name: nothing that is known is about it, and no session there is a
 * session here. Without an address its servers are closed; its answers come from the next one. */
static void move_away(struct monitor *m, struct cluster_state *c, struct member_state *s,
		      int64_t now_ms)
{
	monitor_refute(c, s, WHY_NOT_ASKED);
	s->refused = WHY_NONE;
	s->last = (struct observation){0};
	s->outcome = OUTCOME_NONE;
	s->http_status = s->primary_status = 0;
	s->last_answer_ms = -1;
	s->health = (struct health){0};
	s->roles = s->roles_unasked = 0;
	s->lower_timeline = 0;
	s->restarted_ms = 0;
	s->address_known = false;
	s->ip[0] = s->rest_ip[0] = '\0';
	if (c->yardstick.member == s->config->id)
		c->yardstick.known = false;
	monitor_distrust(m, s, now_ms);
}

/* A calm pause that has begun lasts no longer than the next one will. */
static void take_member(struct monitor *m, struct cluster_state *c, struct member_state *s,
			const struct member_config *next, int64_t now_ms)
{
	const struct member_config *before = s->config;

	s->config = next;
	if (s->asking.calm_gap_ms > c->config->probe.interval_ms)
		s->asking.calm_gap_ms = c->config->probe.interval_ms;
	health_take_fall(&s->health, c->config->probe.fall);
	if (!same_place(before, next))
		move_away(m, c, s, now_ms);
	else if (!same_rest(before, next))
		monitor_distrust(m, s, now_ms);
}

static unsigned asked_roles(unsigned roles_served)
{
	return roles_served & ~(ROLE_BIT(ROLE_PRIMARY) | ROLE_BIT(ROLE_ANY));
}

/* m->config is the next one already. */
static void take_cluster(struct monitor *m, struct cluster_state *c, int64_t now_ms)
{
	const struct cluster_config *next = &m->config->clusters[c - m->clusters];
	unsigned news = asked_roles(next->roles_served & ~c->config->roles_served);

	c->config = next;
	for (unsigned k = 0; k < next->n_members; k++) {
		take_roles(&c->members[k], news, next->roles_served);
		take_member(m, c, &c->members[k], &m->config->members[next->first_member + k],
			    now_ms);
	}
	monitor_renew_leases(c);
}

static bool same_max_lag(const struct listener_config *a, const struct listener_config *b)
{
	return a->has_max_lag == b->has_max_lag && a->max_lag_bytes == b->max_lag_bytes;
}

static const struct member_config *member_at(const struct config *c,
					     const struct listener_config *l, unsigned k)
{
	return &c->members[config_listener_cluster(c, l)->first_member + k];
}

/* Whether it lagged by another limit says nothing; and who is no last resort any more did not come
 * as one. */
static void take_listener(struct monitor *m, const struct config *config, unsigned i)
{
	const struct listener_config *before = &m->config->listeners[i];
	const struct listener_config *next = &config->listeners[i];
	unsigned first = counters_server_row(config, i, 0) - (unsigned)config->n_listeners;

	for (unsigned k = 0; k < config_listener_cluster(config, next)->n_members; k++) {
		struct server_track *t = &m->servers[first + k];

		const struct member_config *m_before = member_at(m->config, before, k);

		if (t->weight == m_before->weight) /* else an operator has given it another */
			t->weight = member_at(config, next, k)->weight;
		t->lags = t->lags && same_max_lag(before, next);
		t->last_resort = t->last_resort && next->fallback == before->fallback;
	}
}

void monitor_take_config(struct monitor *m, struct config *config, int64_t now_ms)
{
	struct config *before = m->config;

	require_same_shape(before, config);
	for (unsigned i = 0; i < config->n_listeners; i++)
		take_listener(m, config, i);
	m->config = config_ref(config);
	for (size_t i = 0; i < config->n_clusters; i++)
		take_cluster(m, &m->clusters[i], now_ms);
	config_unref(before);
	view_unref(m->draft); /* of the old configuration */
	m->draft = NULL;
	for (size_t i = 0; i < config->n_clusters; i++)
		monitor_ask_at_once(&m->clusters[i], now_ms); /* whatever the new keys ask for */
}
