/* Sessions must die exactly when their server has been closed since they were opened, however many
 * views the worker has skipped. */
#include "worker.h"
#include "core/fence.h"

static bool is_on(const struct sim_session *s, unsigned listener, unsigned server)
{
	return s->listener == listener && s->server == server;
}

static void cut(void *arg, const struct doomed *d)
{
	struct sim_worker *w = arg;
	unsigned kept = 0;

	for (unsigned i = 0; i < w->n_sessions; i++) {
		const struct sim_session *s = &w->sessions[i];

		if (!is_on(s, d->listener, d->server))
			w->sessions[kept++] = *s;
		else if (s->n_closed == w->witness->n_closed[d->listener][d->server])
			witness_violated(w->witness, "a session on n%u was cut for nothing",
					 d->server);
	}
	w->n_sessions = kept;
}

static bool has_session(const struct sim_worker *w, unsigned listener, unsigned server)
{
	for (unsigned i = 0; i < w->n_sessions; i++)
		if (is_on(&w->sessions[i], listener, server))
			return true;
	return false;
}

static void open_sessions(struct sim_worker *w)
{
	for (unsigned l = 0; l < WITNESS_LISTENERS; l++)
		for (unsigned i = 0; i < w->view->listeners[l].n_servers; i++)
			if (w->view->listeners[l].servers[i].state == SERVER_OPEN &&
			    !has_session(w, l, i))
				w->sessions[w->n_sessions++] =
					(struct sim_session){l, i, w->witness->n_closed[l][i]};
}

static void check_sessions(struct sim_worker *w)
{
	for (unsigned i = 0; i < w->n_sessions; i++) {
		const struct sim_session *s = &w->sessions[i];

		if (s->n_closed != w->witness->n_closed[s->listener][s->server])
			witness_violated(w->witness, "a session on n%u outlived its close",
					 s->server);
	}
}

void worker_take(struct sim_worker *w, struct view *view)
{
	if (view == NULL || view == w->view)
		return;
	fence_compare(w->view, view, cut, w);
	view_unref(w->view);
	w->view = view_ref(view);
	check_sessions(w);
	open_sessions(w);
}

void worker_fini(struct sim_worker *w)
{
	view_unref(w->view);
}
