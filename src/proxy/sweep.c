/* Deadlines without timers: the few sessions that have one are on a list that is looked through
 * every SWEEP_MS while it is not empty; idle timeouts, where configured, once a second. When
 * thousands are due at once, as those are that began to wait together, each turn ends some of them.
 * Worker thread only. */
#include "proxy/worker_state.h"

static int64_t earlier(int64_t a, int64_t b)
{
	return a < b ? a : b;
}

int64_t sweep_due_ms(const struct worker *w)
{
	int64_t due = INT64_MAX;

	if (!list_empty(&w->timed))
		due = w->sweep_due_ms;
	if (w->any_idle_timeout)
		due = earlier(due, w->idle_due_ms);
	return due;
}

static void expire_timed(struct worker *w)
{
	int64_t now = worker_now(w);
	unsigned left;

	if (list_empty(&w->timed) || now < w->sweep_due_ms)
		return;
	left = cut_most(w);
	w->sweep_due_ms = now + SWEEP_MS;
	LIST_FOREACH_SAFE (node, &w->timed) {
		struct session *s = LIST_ENTRY(node, struct session, timed);

		if (now < s->deadline_ms)
			continue;
		if (left-- == 0) {
			w->sweep_due_ms = now; /* go on in the next turn */
			return;
		}
		session_expire(s);
	}
}

/* As HAProxy counts it: no byte on the leg, in either direction. Without buffers of ours a byte
 * moves on both legs or on none, so the shorter limit decides. */
static bool idle_limit(const struct timeouts *t, int64_t *limit_ms, enum close_reason *reason)
{
	bool client = t->client_idle_ms > 0 &&
		      (t->server_idle_ms == 0 || t->client_idle_ms <= t->server_idle_ms);

	*limit_ms = client ? t->client_idle_ms : t->server_idle_ms;
	*reason = client ? CLOSE_CLIENT_IDLE : CLOSE_SERVER_IDLE;
	return *limit_ms > 0;
}

static void expire_lane(struct worker *w, struct lane *lane, int64_t limit_ms,
			enum close_reason reason, unsigned *left)
{
	LIST_FOREACH_SAFE (node, &lane->sessions) {
		struct session *s = LIST_ENTRY(node, struct session, node);

		if (worker_now(w) - s->active_ms < limit_ms)
			continue;
		if (*left == 0) {
			w->idle_due_ms = worker_now(w);
			return;
		}
		--*left;
		session_close(s, reason);
	}
}

static void expire_idle(struct worker *w)
{
	enum close_reason reason;
	int64_t limit_ms;
	unsigned left;

	if (!w->any_idle_timeout || worker_now(w) < w->idle_due_ms)
		return;
	left = cut_most(w);
	w->idle_due_ms = worker_now(w) + IDLE_SWEEP_MS;
	for (unsigned i = 0; i < w->config->n_listeners; i++) {
		struct worker_listener *l = &w->listeners[i];

		if (!idle_limit(&l->config->timeouts, &limit_ms, &reason))
			continue;
		for (unsigned k = 0; k < l->n_lanes; k++)
			expire_lane(w, &l->lanes[k], limit_ms, reason, &left);
	}
}

void sweep_run(struct worker *w)
{
	expire_timed(w);
	expire_idle(w);
}
