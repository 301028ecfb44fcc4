/* Waiting for a server, before anything is answered.
 *
 * A client that comes while nobody can serve it stays in its listener's queue: its first bytes
 * remain unread in its socket, so TLS stays end to end and there is nothing to remember. Happy
 * path: a view opens a server, and the queue is let go in the order in which it came. Failure
 * modes: the client hangs up (forgotten at once), its time is up or too many wait (refuse.c), the
 * server fails (it waits on, and the next try is one session only, RETRY_MS later; when a view
 * brings another server, that one is trusted).
 *
 * Release is paced by answers, not by a clock: a few sessions of the process are on their way to a
 * server that has not answered them yet, and each answer lets the next one go, and one more until
 * they are WINDOW_MOST. PostgreSQL forks a process per connection and its queue of connections is
 * short, so thousands at once would wait there, out of sight, or run into its max_connections
 * together, and 32 at once all wait for the slowest of them (measured on two cores: the first
 * answer after 160 ms, not 10). A new primary that answers in 5 ms takes 6,000 sessions a second
 * through this window, one that is still warming up takes what it can. Worker thread only. */
#include "core/counters.h"
#include "io/clock.h"
#include "proxy/worker_state.h"
#include <limits.h>
#include <string.h>

enum {
	WINDOW_FIRST = 4, /* of the process, shared evenly by its workers ... */
	WINDOW_MOST = 32,
	WINDOW_LEAST =
		2,      /* ... but no less than this for each; 1 is for a server that has failed */
	FULL_MS = 10,   /* after every server was full */
	RETRY_MS = 100, /* after a server has failed that the view holds to be open */
};

static struct session *first_of(const struct worker_listener *l)
{
	return list_empty(&l->held) ? NULL : LIST_ENTRY(l->held.next, struct session, node);
}

static int64_t since_ms(const struct session *s)
{
	return s->started_ms + s->held_after_ms;
}

static int64_t until_ms(const struct session *s)
{
	return since_ms(s) + listener_of(s)->config->hold_ms;
}

static void tell_oldest(struct worker_listener *l)
{
	const struct session *first = first_of(l);

	atomic_store_explicit(&l->count->held_since_ms, first ? since_ms(first) : 0,
			      memory_order_relaxed);
}

static unsigned share(const struct worker *w, unsigned of_the_process)
{
	unsigned mine = of_the_process / w->setup.n_workers;

	return mine > WINDOW_LEAST ? mine : WINDOW_LEAST;
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

	if (open && s->limit == LIMIT_SERVERS)
		refuse_begin(s, CLOSE_LIMIT);
	else
		refuse_begin(s, open && s->failure ? CLOSE_CONNECT_FAILED : CLOSE_NO_SERVER);
}

static uint16_t place_of(const struct worker_listener *l)
{
	unsigned n = atomic_load_explicit(&l->hold_gauge->now, memory_order_relaxed);

	return n < UINT16_MAX ? (uint16_t)n : UINT16_MAX;
}

/* Who was let go and comes back is not crowded out by who came later. */
static bool enter(struct session *s)
{
	struct worker_listener *l = listener_of(s);

	if (s->waited) {
		gauge_enter_anyway(l->hold_gauge);
	} else if (!gauge_enter(l->hold_gauge)) {
		s->limit = LIMIT_HOLD;
		refuse_begin(s, CLOSE_LIMIT);
		return false;
	}
	if (!s->waited) {
		s->waited = true;
		s->held_after_ms = (uint32_t)(worker_now(s->worker) - s->started_ms);
		s->held_place = place_of(l);
		COUNT(l->count, held, 1);
	}
	return true;
}

void hold_begin(struct session *s)
{
	struct worker_listener *l = listener_of(s);

	if (l->config->hold_ms == 0 || (s->waited && worker_now(s->worker) >= until_ms(s))) {
		end_of_patience(s);
		return;
	}
	if (!enter(s))
		return;
	s->tried = 0;
	s->attempts = 0;
	session_move(s, SESSION_HELD);
	session_set_deadline(s, until_ms(s) - worker_now(s->worker));
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

/* Who waits already has waited for a part of it. */
void hold_renew(struct worker_listener *l)
{
	LIST_FOREACH (node, &l->held) {
		struct session *s = LIST_ENTRY(node, struct session, node);

		session_set_deadline(s, until_ms(s) - worker_now(s->worker));
	}
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

	s->held_ms = (uint32_t)(worker_now(s->worker) - since_ms(s));
	gauge_leave(l->hold_gauge);
	tell_oldest(l);
	tell_if_emptied(s->worker, l);
}

/* A few silent clients would else keep all the others waiting ... */
void hold_yield_place(struct session *s)
{
	if (!s->released)
		return;
	s->released = false;
	listener_of(s)->n_released--;
}

void hold_take_place(struct session *s)
{
	if (s->released || !s->waited)
		return;
	s->released = true;
	listener_of(s)->n_released++;
}

/* ... and so would one whose login takes long, when others have failed before it. */
void hold_late(struct session *s)
{
	if (listener_of(s)->window == 1)
		hold_yield_place(s);
}

void hold_trust(struct worker *w, struct worker_listener *l)
{
	l->window = share(w, WINDOW_FIRST);
	l->hold_resume_ms = l->suspected_until_ms = 0;
}

/* What a failure or a suspicion says of the server is refuted by answers to what was sent since
 * then only. */
void hold_settled(struct session *s, bool served)
{
	struct worker_listener *l = listener_of(s);

	if (served && l->window == 1 && s->active_ms >= l->hold_resume_ms - RETRY_MS)
		hold_trust(s->worker, l);
	else if (served && l->window > 1 && l->window < share(s->worker, WINDOW_MOST))
		l->window++;
	hold_yield_place(s);
	if (served && s->waited)
		count_served(s);
	tell_if_emptied(s->worker, l);
}

static void pause_release(struct worker_listener *l, int64_t now_ms)
{
	l->window = 1;
	l->hold_resume_ms = now_ms + RETRY_MS;
}

/* Nothing is the matter with servers that are full. */
void hold_await_place(struct session *s)
{
	listener_of(s)->hold_resume_ms = worker_now(s->worker) + FULL_MS;
}

void hold_pause(struct session *s)
{
	pause_release(listener_of(s), worker_now(s->worker));
}

/* Does this listener stand or fall with this member? */
static bool depends_on(const struct worker *w, const struct worker_listener *l, unsigned member)
{
	if (w->view->listeners[l - w->listeners].n_open != 1)
		return false;
	for (unsigned i = 0; i < l->n_lanes; i++)
		if (l->lanes[i].member == member)
			return lane_takes_new(&l->lanes[i]);
	return false;
}

static bool is_suspected(const struct worker *w, const struct worker_listener *l)
{
	return worker_now(w) < l->suspected_until_ms && l->config->hold_ms > 0;
}

/* Suspected already, it is not so for longer: a server may end its sessions one by one for hours.
 */
static bool suspect(struct worker *w, struct worker_listener *l)
{
	if (is_suspected(w, l))
		return false;
	pause_release(l, worker_now(w));
	l->suspected_until_ms = l->hold_resume_ms;
	return true;
}

static void wake_all(struct list *on_their_way)
{
	LIST_FOREACH (node, on_their_way)
		session_wake(LIST_ENTRY(node, struct session, node));
}

static bool suspect_member(struct worker *w, unsigned member)
{
	bool news = false;

	for (unsigned i = 0; i < w->config->n_listeners; i++)
		if (depends_on(w, &w->listeners[i], member))
			news |= suspect(w, &w->listeners[i]);
	if (news) {
		wake_all(&w->states[SESSION_CONNECTING]);
		wake_all(&w->states[SESSION_STARTING]);
	}
	return news;
}

void hold_hear_suspicion(struct worker *w, unsigned member)
{
	(void)suspect_member(w, member);
}

void hold_suspect(struct worker *w, unsigned member)
{
	if (!suspect_member(w, member))
		return;
	for (unsigned i = 0; i < w->setup.n_workers; i++) {
		struct message *m;

		if (i == w->index)
			continue;
		m = message_new(MSG_SUSPECT);
		m->worker = w->index;
		m->u.suspect.member = member;
		worker_send(w->setup.peers[i], m);
	}
}

bool hold_takes_back(const struct session *s)
{
	return is_suspected(s->worker, listener_of(s)) &&
	       depends_on(s->worker, listener_of(s), s->lane->member);
}

static bool offers_the_same(const struct view_listener *a, const struct view_listener *b)
{
	for (unsigned i = 0; i < a->n_servers; i++) {
		const struct view_server *v = &a->servers[i], *u = &b->servers[i];

		if (v->state != u->state || v->generation != u->generation || v->port != u->port ||
		    strcmp(v->ip, u->ip) != 0)
			return false;
	}
	return a->n_open == b->n_open;
}

/* News of other servers say nothing of the one that has failed. */
void hold_new_view(struct worker *w, const struct view *old)
{
	for (unsigned i = 0; i < w->config->n_listeners; i++)
		if (!offers_the_same(&old->listeners[i], &w->view->listeners[i]))
			hold_trust(w, &w->listeners[i]);
}

static void release(struct session *s)
{
	hold_take_place(s);
	connect_resume(s);
}

/* May somebody go now, or at `hold_resume_ms`? */
static bool may_release(const struct worker *w, const struct worker_listener *l)
{
	return !w->stopping && !list_empty(&l->held) && l->n_released < l->window &&
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
	return is_suspected(w, l) && w->view->listeners[s->listener].n_open == 1;
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
