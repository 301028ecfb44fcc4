/* What control and the other workers ask of a worker, one message after the other. Not here: how it
 * comes (io/mailbox.c), views (verdicts.c). Worker thread only. */
#include "base/assert.h"
#include "proxy/worker_state.h"

static void adopt(struct worker *w, const struct message *m)
{
	if (!w->stopping) {
		session_begin(w, m->u.adopt.listener, m->u.adopt.fd, NULL);
		return;
	}
	atomic_fetch_sub_explicit(&w->n_sessions, 1, memory_order_relaxed);
	socket_close(m->u.adopt.fd);
}

static void shutdown_server(struct worker *w, const struct message *m)
{
	const struct worker_listener *l = &w->listeners[m->u.shutdown_server.listener];

	REQUIRE(m->u.shutdown_server.listener < w->config->n_listeners);
	REQUIRE(m->u.shutdown_server.server < l->n_lanes);
	lane_doom(w, &l->lanes[m->u.shutdown_server.server], CLOSE_OPERATOR);
}

static void drain(struct worker *w)
{
	w->draining = true;
	accept_close(w, true);
}

static void stop(struct worker *w)
{
	w->stopping = true;
	accept_close(w, false);
	cut_all(w);
}

static void dispatch(struct worker *w, const struct message *m)
{
	switch (m->type) {
	case MSG_LIST_SESSIONS: sessions_info_begin(w, m->u.list_sessions.request); break;
	case MSG_SHUTDOWN_SERVER: shutdown_server(w, m); break;
	case MSG_SHUTDOWN_SESSION: (void)cut_session(w, m->u.shutdown_session.id); break;
	case MSG_FRONTEND: accept_obey(w, m->u.frontend.listener); break;
	case MSG_DRAIN: drain(w); break;
	case MSG_STOP: stop(w); break;
	case MSG_ADOPT: adopt(w, m); break;
	case MSG_SUSPECT: hold_hear_suspicion(w, m->u.suspect.member); break;
	case MSG_FIND_KEY: cancel_find_key(w, m->worker, &m->u.find_key); break;
	case MSG_SIGN:
	case MSG_PAUSED:
	case MSG_VIEW_TAKEN:
	case MSG_SESSIONS:
	case MSG_DRAINED:
	case MSG_FIRST_SESSION:
	case MSG_HOLD_EMPTIED: INSIST(false); /* these are for control */
	}
}

void orders_take(void *arg, struct list *node)
{
	struct message *m = LIST_ENTRY(node, struct message, node);

	dispatch(arg, m);
	message_free(m);
}
