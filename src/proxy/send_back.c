/* Sessions that went to a last resort (a reader's, to the primary) go back when the right servers
 * are there again: those that are idle are ended, and their clients connect anew. The others finish
 * by themselves, as do those whose bytes cannot be read.
 *
 * A few at a time: each of them comes back at once, and what comes back is a login. Idle means that
 * the server has answered everything, outside a transaction, and that nothing has moved for
 * QUIET_MS: a client between two of its queries, or with a question on the wire, is left alone. Not
 * here: who is a last resort and when it is not needed any more (core/). Worker thread only. */
#include "proxy/worker_state.h"
#include "wire/pg_stream.h"

enum {
	EVERY_MS = 100,
	AT_A_TIME = 8, /* of a worker */
	LOOKS = 256, /* at sessions of one server, at a time; the next ones have their turn then */
	QUIET_MS = 100,
};

static bool goes_back(const struct worker *w, const struct lane *lane)
{
	size_t listener = (size_t)(lane->listener - w->listeners);

	return w->view->listeners[listener].servers[lane->server].drain_back;
}

static bool may_go(const struct session *s)
{
	return pg_stream_is_idle(&s->stream) && pump_is_empty(&s->up) && pump_is_empty(&s->down) &&
	       worker_now(s->worker) - s->active_ms >= QUIET_MS;
}

/* Who was looked at goes to the end of the line. */
static void send_back_from(struct lane *lane, unsigned *left)
{
	unsigned looks = lane->n_sessions < LOOKS ? lane->n_sessions : LOOKS;

	for (; looks > 0 && *left > 0; looks--) {
		struct session *s = LIST_ENTRY(lane->sessions.next, struct session, node);

		list_unlink(&s->node);
		list_append(&lane->sessions, &s->node);
		if (!may_go(s))
			continue;
		session_close(s, CLOSE_SENT_BACK);
		--*left;
	}
}

static bool has_somebody(const struct worker *w)
{
	for (unsigned i = 0; i < w->config->n_listeners; i++)
		for (unsigned k = 0; k < w->listeners[i].n_lanes; k++) {
			const struct lane *lane = &w->listeners[i].lanes[k];

			if (!list_empty(&lane->sessions) && goes_back(w, lane))
				return true;
		}
	return false;
}

void send_back_new_view(struct worker *w)
{
	w->sends_back = false;
	for (size_t i = 0; i < w->view->n_listeners; i++)
		for (unsigned k = 0; k < w->view->listeners[i].n_servers; k++)
			w->sends_back |= w->view->listeners[i].servers[k].drain_back;
}

int64_t send_back_due_ms(const struct worker *w)
{
	return w->sends_back && has_somebody(w) ? w->send_back_due_ms : INT64_MAX;
}

void send_back_run(struct worker *w)
{
	unsigned left = AT_A_TIME;

	if (worker_now(w) < send_back_due_ms(w))
		return;
	w->send_back_due_ms = worker_now(w) + EVERY_MS;
	for (unsigned i = 0; i < w->config->n_listeners; i++)
		for (unsigned k = 0; k < w->listeners[i].n_lanes; k++)
			if (goes_back(w, &w->listeners[i].lanes[k]))
				send_back_from(&w->listeners[i].lanes[k], &left);
}
