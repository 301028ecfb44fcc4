/* Lanes: which sessions a server of a listener carries for this worker, and whether their bytes may
 * move. Not here: why a server falls (core/), the closing itself (cut.c). Worker thread only. */
#include "proxy/lane.h"
#include "base/assert.h"
#include "base/mem.h"
#include "proxy/worker_state.h"
#include <stdlib.h>
#include <string.h>

void lane_aim(struct lane *lane, const struct member_config *m)
{
	lane->to = (struct dialer_address){0}; /* the view knows where, if it is not a socket */
	if (m->socket_path)
		(void)dialer_address_socket(&lane->to, m->socket_path);
}

static void lane_init(struct lane *lane, struct worker *w, struct worker_listener *l,
		      unsigned server)
{
	unsigned listener = (unsigned)(l - w->listeners);
	unsigned row = counters_server_row(w->config, listener, server);

	list_init(&lane->sessions);
	list_init(&lane->doomed);
	list_init(&lane->dooming);
	lane->listener = l;
	lane->server = server;
	lane->member = config_listener_cluster(w->config, l->config)->first_member + server;
	lane->state = SERVER_CLOSED;
	lane_aim(lane, &w->config->members[lane->member]);
	lane->signed_ms = lane->endings[false].first_ms = lane->endings[true].first_ms =
		INT64_MIN / 2;
	lane->count = scoreboard_row(w->setup.scoreboard, w->index, row);
	lane->gauge = &w->setup.scoreboard->gauges[row];
}

static void listener_init(struct worker *w, unsigned index)
{
	struct worker_listener *l = &w->listeners[index];

	w->any_idle_timeout |= settings_apply(w, index);
	list_init(&l->held);
	list_init(&l->watched);
	hold_trust(w, l);
	l->count = scoreboard_row(w->setup.scoreboard, w->index, index);
	l->gauge = &w->setup.scoreboard->gauges[index];
	l->hold_gauge = &w->setup.scoreboard->holds[index];
	l->n_lanes = config_listener_cluster(w->config, l->config)->n_members;
	l->lanes = xcalloc(l->n_lanes, sizeof(*l->lanes));
	for (unsigned i = 0; i < l->n_lanes; i++)
		lane_init(&l->lanes[i], w, l, i);
}

void lanes_init(struct worker *w)
{
	unsigned most = 1;

	w->listeners = xcalloc(w->config->n_listeners, sizeof(*w->listeners));
	for (unsigned i = 0; i < w->config->n_listeners; i++) {
		listener_init(w, i);
		most = w->listeners[i].n_lanes > most ? w->listeners[i].n_lanes : most;
	}
	w->loads = xcalloc(most, sizeof(*w->loads));
	w->limits = xcalloc(most, sizeof(*w->limits));
}

void lanes_fini(struct worker *w)
{
	for (unsigned i = 0; i < w->config->n_listeners; i++)
		free(w->listeners[i].lanes);
	free(w->listeners);
	free(w->loads);
	free(w->limits);
}

void lane_take_address(struct lane *lane, const struct view_server *before,
		       const struct view_server *now)
{
	bool same = before->port == now->port && strcmp(before->ip, now->ip) == 0;

	if (!dialer_is_local(&lane->to) && !same)
		(void)dialer_address_ip(&lane->to, now->ip, now->port);
}

void gauge_max(_Atomic unsigned *max, unsigned value)
{
	unsigned seen = atomic_load_explicit(max, memory_order_relaxed);

	while (seen < value &&
	       !atomic_compare_exchange_weak_explicit(max, &seen, value, memory_order_relaxed,
						      memory_order_relaxed))
		;
}

bool lane_carries(const struct lane *lane, const struct session *s)
{
	return s->epoch == lane->epoch;
}

bool lane_takes_new(const struct lane *lane)
{
	return lane->state == SERVER_OPEN;
}

bool lane_moves(const struct worker *w, const struct lane *lane)
{
	if (lane->state != SERVER_OPEN && lane->state != SERVER_KEPT)
		return false;
	return !(w->suspended && lane->listener->serves_primary);
}

void lane_tell_sign(struct worker *w, struct lane *lane, enum sign sign)
{
	struct message *m;

	if (worker_now(w) - lane->signed_ms < SIGN_INTERVAL_MS)
		return;
	lane->signed_ms = worker_now(w);
	m = message_new(MSG_SIGN);
	m->u.sign.member = lane->member;
	m->u.sign.sign = (int)sign;
	worker_tell_control(w, m);
}

/* Logins that fail end young, and say little of the server: reason to ask, not to suspect it. (A
 * PostgreSQL that says inside TLS that it is shutting down looks just like them.) */
void lane_note_ending(const struct session *s)
{
	struct worker *w = s->worker;
	struct lane *lane = s->lane;
	bool young = worker_now(w) - s->started_ms < GROWN_UP_MS;
	struct endings *e = &lane->endings[young];

	if (worker_now(w) - e->first_ms > MOMENT_MS)
		*e = (struct endings){.first_ms = worker_now(w)};
	if (++e->n < SEVERAL && (young || lane->n_sessions > 1))
		return;
	lane_tell_sign(w, lane, SIGN_ENDED);
	if (!young)
		hold_suspect(w, lane->member);
}

unsigned lane_doom(struct worker *w, struct lane *lane, enum close_reason reason)
{
	unsigned n = lane->n_sessions;

	lane->epoch++;
	lane->n_sessions = 0;
	if (list_empty(&lane->sessions))
		return 0;
	if (list_empty(&lane->doomed))
		lane->reason = reason; /* else an older verdict is still being carried out */
	list_move_all(&lane->doomed, &lane->sessions);
	if (list_empty(&lane->dooming))
		list_append(&w->dooming, &lane->dooming);
	return n;
}

void lane_resume(struct lane *lane)
{
	LIST_FOREACH (node, &lane->sessions) {
		struct session *s = LIST_ENTRY(node, struct session, node);

		if (pump_has_work(&s->up) || pump_has_work(&s->down))
			session_wake(s);
	}
}
