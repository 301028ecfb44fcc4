/* From a listening socket to the worker that carries the session.
 * SO_REUSEPORT spreads connections by hash, whatever the load, and pools live long: so a worker
 * that has more sessions than the least loaded one hands the new socket over. A UNIX socket has one
 * queue; worker 0 accepts from it and hands over by the same rule. Worker thread only, but for
 * accept_bind. An operator may pause or shut a listener's sockets, and limit how many come in a
 * second. */
#include "io/log.h"
#include "proxy/worker_state.h"
#include <errno.h>
#include <stdlib.h>
#include <string.h>

enum {
	QUEUED_AT_CLOSE = 4096
}; /* taken in before a socket is closed: their clients are connected already */

/* ---- sockets ---- */

void accept_ready(struct edge_source *source, uint32_t events)
{
	struct worker_socket *ws = LIST_ENTRY(source, struct worker_socket, listener.source);

	(void)events;
	ws->pending = !ws->paused; /* accepted after the data of this turn */
}

static int bind_one(struct worker *w, const struct listener_config *l, const struct addr *a,
		    struct err *e)
{
	struct worker_socket *ws = &w->sockets[w->n_sockets];
	char text[300];
	struct err why;
	int rc;

	if (a->kind == ADDR_UNIX && w->index > 0)
		return 0;
	rc = listener_open(&ws->listener, a, &w->listeners[l->id].sockopt, w->index == 0, &why);
	if (rc < 0)
		return err_set(e, rc, "listener \"%s\": cannot bind %s: %s", l->name,
			       addr_format(a, text, sizeof(text)), why.text);
	ws->index = l->id;
	ws->worker = w;
	w->n_sockets++;
	return 0;
}

int accept_bind(struct worker *w, struct err *e)
{
	const struct config *c = w->config;
	size_t n = 0;
	int rc = 0;

	for (size_t i = 0; i < c->n_listeners; i++)
		n += c->listeners[i].n_binds;
	w->sockets = xcalloc(n, sizeof(*w->sockets));
	for (size_t i = 0; i < c->n_listeners && rc == 0; i++)
		for (size_t k = 0; k < c->listeners[i].n_binds && rc == 0; k++)
			rc = bind_one(w, &c->listeners[i], &c->listeners[i].binds[k], e);
	return rc;
}

int accept_start(struct worker *w)
{
	for (unsigned i = 0; i < w->n_sockets; i++) {
		int rc = listener_watch(&w->sockets[i].listener, &w->edge, SOURCE_LISTENER);

		if (rc < 0)
			return rc;
	}
	return 0;
}

/* ---- who carries it ---- */

static unsigned load_of(const struct worker *w)
{
	return atomic_load_explicit(&w->n_sessions, memory_order_relaxed);
}

/* The others may have told already that they carry nobody any more: what is queued when a drain
 * begins is not for them. */
static struct worker *least_loaded(struct worker *w)
{
	struct worker *least = w;

	if (w->draining)
		return w;
	for (unsigned i = 0; i < w->setup.n_workers; i++)
		if (load_of(w->setup.peers[i]) < load_of(least))
			least = w->setup.peers[i];
	return load_of(w) > load_of(least) + 1 ? least : w;
}

static void on_accept(void *arg, int fd, const struct endpoint *client)
{
	struct worker_socket *ws = arg;
	struct worker *w = ws->worker, *carrier = least_loaded(w);
	struct message *m;

	ws->n_accepted++;
	/* Counted at once, also for another worker: else a burst would all go to the same one. */
	atomic_fetch_add_explicit(&carrier->n_sessions, 1, memory_order_relaxed);
	if (carrier == w) {
		session_begin(w, ws->index, fd, client);
		return;
	}
	m = message_new(MSG_ADOPT);
	m->worker = w->index;
	m->u.adopt.fd = fd;
	m->u.adopt.listener = ws->index;
	worker_send(carrier, m);
}

/* ---- accepting ---- */

static void pause_accepting(struct worker *w)
{
	w->accept_due_ms = worker_now(w) + EXHAUSTED_MS;
	if (w->exhausted)
		return;
	w->exhausted = true;
	log_msg(SEVERITY_ERROR, "accept_paused",
		"no descriptor is left for more clients, who wait in the kernel's queue; raise "
		"LimitNOFILE or maxconn");
}

/* Clients who are only told no hold a descriptor too; the members' must never be theirs. */
static unsigned room_left(const struct worker *w, unsigned wanted)
{
	unsigned clients = 0, most = w->setup.max_clients;

	if (most == 0)
		return wanted;
	for (unsigned i = 0; i < w->setup.n_workers; i++)
		clients += load_of(w->setup.peers[i]);
	if (clients >= most)
		return 0;
	return most - clients < wanted ? most - clients : wanted;
}

/* If this second may still have one (`set rate-limit`). One at a time: another worker that finds
 * none left for a moment, because this one has taken more than it needs, waits for the next second.
 */
static enum listener_turn accept_at_rate(struct worker *w, struct worker_socket *ws)
{
	struct rate_limit *rate = &w->setup.scoreboard->rate;
	enum listener_turn turn;

	if (rate_limit_take(rate, 1, worker_now(w)) == 0) {
		w->accept_due_ms = rate_limit_next_ms(worker_now(w));
		return LISTENER_MORE;
	}
	ws->n_accepted = 0;
	turn = listener_accept(&ws->listener, 1, on_accept, ws);
	rate_limit_give_back(rate, 1 - ws->n_accepted, worker_now(w));
	return turn;
}

static enum listener_turn accept_some(struct worker *w, struct worker_socket *ws, unsigned most)
{
	if (rate_limit_is_set(&w->setup.scoreboard->rate))
		return accept_at_rate(w, ws);
	return listener_accept(&ws->listener, most, on_accept, ws);
}

static void accept_from(struct worker *w, struct worker_socket *ws)
{
	unsigned most = room_left(w, LISTENER_TURN);

	if (most == 0) {
		pause_accepting(w);
		return;
	}
	switch (accept_some(w, ws, most)) {
	case LISTENER_MORE: break;
	case LISTENER_EXHAUSTED: pause_accepting(w); break;
	case LISTENER_IDLE:
		ws->pending = false;
		w->exhausted = false;
		break;
	}
}

bool accept_has_work(const struct worker *w)
{
	for (unsigned i = 0; i < w->n_sockets; i++)
		if (w->sockets[i].pending)
			return true;
	return false;
}

void accept_run(struct worker *w)
{
	for (unsigned i = 0; i < w->n_sockets && worker_now(w) >= w->accept_due_ms; i++) {
		if (w->sockets[i].pending)
			accept_from(w, &w->sockets[i]);
	}
}

/* ---- the end, and pauses ---- */

/* Who is connected already does not know that nobody else may be. */
static void take_queued(struct worker *w, struct worker_socket *ws)
{
	if (!ws->paused)
		(void)listener_accept(&ws->listener, room_left(w, QUEUED_AT_CLOSE), on_accept, ws);
}

static void shut_socket(struct worker *w, struct worker_socket *ws, bool queued_too)
{
	if (queued_too)
		take_queued(w, ws);
	listener_close(&ws->listener, w->opened >= OPENED_EDGE ? &w->edge : NULL);
}

static void pause_socket(struct worker *w, struct worker_socket *ws)
{
	if (ws->paused || ws->listener.fd < 0)
		return;
	take_queued(w, ws);
	ws->paused = true;
	ws->pending = false;
	listener_pause(&ws->listener);
}

static void say_not_resumed(const struct listener_config *l, int error)
{
	struct log_line line;

	if (!log_begin(&line, SEVERITY_ERROR, "accept_not_resumed"))
		return;
	log_str(&line, "listener", l->name);
	log_str(&line, "why", strerror(error));
	log_str(&line, "msg", "it cannot listen again: disable and enable it");
	log_end(&line);
}

static void resume_socket(struct worker *w, struct worker_socket *ws)
{
	int rc;

	if (!ws->paused)
		return;
	rc = listener_resume(&ws->listener);
	if (rc < 0) {
		say_not_resumed(&w->config->listeners[ws->index], -rc);
		return;
	}
	ws->paused = false;
	ws->pending = true; /* a UNIX socket's clients have queued meanwhile */
}

void accept_obey(struct worker *w, unsigned listener)
{
	for (unsigned i = 0; i < w->n_sockets; i++) {
		struct worker_socket *ws = &w->sockets[i];

		if (ws->index != listener)
			continue;
		switch ((enum frontend_state)NOTED(w->setup.scoreboard, frontends[listener])) {
		case FRONTEND_OPEN: resume_socket(w, ws); break;
		case FRONTEND_PAUSED: pause_socket(w, ws); break;
		case FRONTEND_STOP: shut_socket(w, ws, true); break;
		case N_FRONTEND_STATES: break;
		}
	}
}

void accept_close(struct worker *w, bool queued_too)
{
	for (unsigned i = 0; i < w->n_sockets; i++)
		shut_socket(w, &w->sockets[i], queued_too);
	free(w->sockets);
	w->sockets = NULL;
	w->n_sockets = 0;
}
