/* Waiting for a server, before anything is answered.
 *
 * A client that comes while nobody can serve it stays in its listener's queue: its first bytes
 * remain unread in its socket, so TLS stays end to end and there is nothing to remember. Happy
 * path: a view opens a server, and the queue is let go in the order in which it came. Failure
 * modes: the client hangs up (forgotten at once), its time is up or too many wait (refuse.c), the
 * server fails (it waits on, and the next try is one session only, RETRY_MS later or by the next
 * view).
 *
 * Release is paced by answers, not by a clock: at most WINDOW sessions of the process are on their
 * way to a server that has not answered them yet, and each answer lets the next one go. PostgreSQL
 * forks a process per connection and its queue of connections is short, so thousands at once would
 * wait there, out of sight, or run into its max_connections together; a new primary that answers in
 * 5 ms takes 6,000 sessions a second through this window, one that is still warming up takes what
 * it can. Worker thread only. */
#include "core/counters.h"
#include "io/clock.h"
#include "proxy/worker_state.h"

enum {
	WINDOW = 32,      /* of the process, shared evenly by its workers ... */
	WINDOW_LEAST = 4, /* ... but no less than this for each */
	RETRY_MS = 100,   /* after a server has failed that the view holds to be open */
};

static struct worker_listener *listener_of(const struct session *s)
{
	return &s->worker->listeners[s->listener];
}

static struct session *first_of(const struct worker_listener *l)
{
	return list_empty(&l->held) ? NULL : LIST_ENTRY(l->held.next, struct session, node);
}

static int64_t since_ms(const struct session *s)
{
	return s->hold_until_ms - listener_of(s)->config->hold_ms;
}

static void tell_oldest(struct worker_listener *l)
{
	const struct session *first = first_of(l);

	atomic_store_explicit(&l->count->held_since_ms, first ? since_ms(first) : 0,
			      memory_order_relaxed);
}

unsigned hold_window(unsigned n_workers)
{
	unsigned share = WINDOW / n_workers;

	return share > WINDOW_LEAST ? share : WINDOW_LEAST;
}

/* ---- what is told of it ---- */

/* The journal wants to know when the last one that waited was served. */
static void tell_if_emptied(struct worker *w, struct worker_listener *l)
{
	struct message *m;

	if (!list_empty(&l->held) || l->n_released > 0 || l->served_ms == 0)
		return;
	m = message_new(MSG_HOLD_EMPTIED);
	m->u.hold_emptied.listener = (unsigned)(l - w->listeners);
	m->u.hold_emptied.at_ms = l->served_ms;
	l->served_ms = 0;
	worker_tell_control(w, m);
}

/* Once per client, however many tries it took. */
static void count_served(struct session *s)
{
	struct worker_listener *l = listener_of(s);
	int64_t now = clock_ms(), ms = now - since_ms(s);

	COUNT(l->count, released, 1);
	COUNT(l->count, held_ms, (uint64_t)ms);
	gauge_max(&l->gauge->held_ms_max, (unsigned)ms);
	l->served_ms = now;
}

/* ---- in ---- */

static void end_of_patience(struct session *s)
{
	bool open = s->worker->view->listeners[s->listener].n_open > 0;

	refuse_begin(s, open && s->failure ? CLOSE_CONNECT_FAILED : CLOSE_NO_SERVER);
}

static bool first_wait(struct session *s)
{
	struct worker_listener *l = listener_of(s);

	if (!gauge_enter(l->hold_gauge, l->config->hold_max)) {
		s->limit = LIMIT_HOLD;
		refuse_begin(s, CLOSE_LIMIT);
		return false;
	}
	s->in_hold = true;
	if (s->hold_until_ms == 0) {
		s->hold_until_ms = worker_now(s->worker) + l->config->hold_ms;
		COUNT(l->count, held, 1);
	}
	return true;
}

void hold_begin(struct session *s)
{
	struct worker_listener *l = listener_of(s);

	if (l->config->hold_ms == 0 ||
	    (s->hold_until_ms && worker_now(s->worker) >= s->hold_until_ms)) {
		end_of_patience(s);
		return;
	}
	if (!first_wait(s))
		return;
	s->tried = 0;
	s->attempts = 0;
	session_move(s, SESSION_HELD);
	session_set_deadline(s, s->hold_until_ms - worker_now(s->worker));
	tell_oldest(l);
	hold_run(s); /* it may have left already */
}

/* The end of a client that waits: nothing else is of interest before it is let go. */
void hold_run(struct session *s)
{
	if (s->client_error)
		session_close(s, CLOSE_CLIENT_RESET);
	else if (s->up.ending)
		session_close(s, CLOSE_CLIENT);
}

void hold_expired(struct session *s)
{
	end_of_patience(s);
}

/* ---- out ---- */

/* Whatever comes next: it does not wait any more. */
void hold_left(struct session *s)
{
	struct worker_listener *l = listener_of(s);

	if (!s->in_hold)
		return;
	s->in_hold = false;
	gauge_leave(l->hold_gauge);
	tell_oldest(l);
	tell_if_emptied(s->worker, l);
}

/* Its way to a server is over, well or badly. */
void hold_settled(struct session *s, bool answered)
{
	struct worker_listener *l = listener_of(s);

	if (answered && l->window == 1) {
		l->window = hold_window(s->worker->setup.n_workers);
		l->hold_resume_ms = 0;
	}
	if (!s->released)
		return;
	s->released = false;
	l->n_released--;
	if (answered)
		count_served(s);
	tell_if_emptied(s->worker, l);
}

static void pause_release(struct worker_listener *l, int64_t now_ms)
{
	l->window = 1;
	l->hold_resume_ms = now_ms + RETRY_MS;
}

void hold_server_failed(struct session *s)
{
	pause_release(listener_of(s), worker_now(s->worker));
}

void hold_suspect(struct worker_listener *l, int64_t now_ms)
{
	l->suspected = true;
	pause_release(l, now_ms);
}

void hold_new_view(struct worker *w)
{
	for (unsigned i = 0; i < w->config->n_listeners; i++) {
		w->listeners[i].window = hold_window(w->setup.n_workers);
		w->listeners[i].hold_resume_ms = 0;
		w->listeners[i].suspected = false;
	}
}

static void release(struct session *s)
{
	s->released = true;
	listener_of(s)->n_released++;
	connect_resume(s);
}

/* May somebody go now, or at `hold_resume_ms`? */
static bool may_release(const struct worker *w, const struct worker_listener *l)
{
	return !list_empty(&l->held) && l->n_released < l->window &&
	       w->view->listeners[l - w->listeners].n_open > 0 &&
	       !(w->suspended && l->serves_primary);
}

/* Behind those who wait already; or the only server is suspected, and nobody has tried it since. */
bool hold_must_queue(const struct session *s)
{
	struct worker *w = s->worker;
	struct worker_listener *l = listener_of(s);

	if (!list_empty(&l->held))
		return true;
	l->suspected = l->suspected && worker_now(w) < l->hold_resume_ms;
	return l->suspected && l->config->hold_ms > 0 &&
	       w->view->listeners[s->listener].n_open == 1;
}

int64_t hold_due_ms(const struct worker *w)
{
	int64_t due = INT64_MAX;

	for (unsigned i = 0; i < w->config->n_listeners; i++) {
		const struct worker_listener *l = &w->listeners[i];

		if (may_release(w, l) && l->hold_resume_ms < due)
			due = l->hold_resume_ms;
	}
	return due;
}

void hold_release(struct worker *w)
{
	for (unsigned i = 0; i < w->config->n_listeners; i++) {
		struct worker_listener *l = &w->listeners[i];

		while (may_release(w, l) && worker_now(w) >= l->hold_resume_ms)
			release(first_of(l));
	}
}
