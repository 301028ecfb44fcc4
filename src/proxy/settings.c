/* What a worker and its listeners go by, as the configuration of a view says it: at the start, and
 * when a view brings another one of the same shape (a reload). Sessions keep no pointer into a
 * configuration, so the old one may go with the last view that holds it.
 *
 * What counts from when: limits, policies, timeouts that are looked up when they are due (idle,
 * hold) and log.sessions at once, for those who are there as well; what is set when a session or an
 * attempt begins (protocol, startup and connect timeouts, keepalive) for the next one. Not here:
 * limits that all workers share (core/counters.h). Worker thread only. */
#include "proxy/worker_state.h"
#include <string.h>

static struct sockopt sockopt_of(const struct listener_config *config)
{
	const struct keepalive *k = &config->keepalive;

	return (struct sockopt){k->idle_ms, k->interval_ms, k->count};
}

bool settings_apply(struct worker *w, unsigned listener)
{
	struct worker_listener *l = &w->listeners[listener];
	const struct timeouts *t = &w->config->listeners[listener].timeouts;

	l->config = &w->config->listeners[listener];
	l->sockopt = sockopt_of(l->config);
	l->serves_primary = listener_config_roles(l->config) & ROLE_BIT(ROLE_PRIMARY);
	return t->client_idle_ms > 0 || t->server_idle_ms > 0;
}

/* Accepted sockets have their keepalive from the one they came by. A UNIX socket has none. */
static void renew_keepalive(struct worker *w)
{
	for (unsigned i = 0; i < w->n_sockets; i++)
		(void)sockopt_keepalive(w->sockets[i].listener.fd,
					&w->listeners[w->sockets[i].index].sockopt);
}

/* Both are promises of the whole process, so each worker may have to keep all of it. */
static void renew_room(struct worker *w, const struct config *before)
{
	if (w->setup.max_clients > 0)
		w->setup.max_clients += w->config->maxconn - before->maxconn;
	pool_set_most(w->pool, (size_t)w->config->maxconn + REFUSING_SPARE);
}

static bool same_socket(const struct member_config *a, const struct member_config *b)
{
	if (!a->socket_path || !b->socket_path)
		return a->socket_path == b->socket_path;
	return strcmp(a->socket_path, b->socket_path) == 0;
}

/* Those of another address are found by the view (lane_take_address). */
static void renew_sockets(struct worker *w, struct worker_listener *l, const struct config *before)
{
	for (unsigned k = 0; k < l->n_lanes; k++) {
		const struct member_config *m = &w->config->members[l->lanes[k].member];

		if (!same_socket(&before->members[m->id], m))
			lane_aim(&l->lanes[k], m);
	}
}

static void renew_listeners(struct worker *w, const struct config *before)
{
	w->any_idle_timeout = false;
	for (unsigned i = 0; i < w->config->n_listeners; i++) {
		w->any_idle_timeout |= settings_apply(w, i);
		renew_sockets(w, &w->listeners[i], before);
		if (w->config->listeners[i].hold_ms != before->listeners[i].hold_ms)
			hold_renew(&w->listeners[i]);
	}
}

void settings_take(struct worker *w, struct config *config)
{
	struct config *before = w->config;

	if (config == before)
		return;
	w->config = config_ref(config);
	renew_listeners(w, before);
	renew_keepalive(w);
	renew_room(w, before);
	if (w->config->spin_us != before->spin_us)
		edge_spin(&w->edge, w->config->spin_us);
	config_unref(before);
}
