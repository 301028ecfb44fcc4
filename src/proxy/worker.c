/* The worker's thread: one turn after the other, and the doors to control and to the other workers.
 * Not here: what messages ask for (orders.c), accepting (accept.c), sessions (session.c), verdicts
 * (verdicts.c, cut.c).
 *
 * A turn: sleep; notice whether we slept too long; take the newest view; the ready sockets; new
 * connections; sessions that have more to do; a slice of the doomed; deadlines; free what was
 * closed.
 *
 * Nobody is served during the turn of another, so no part may take as long as it likes. Who is
 * ready gets two thirds of DATA_US, whoever is left then is put behind those that have more to do,
 * and these have the last third; the others count sessions, fewer of them when the turn is long
 * already (cut_most). */
#include "proxy/worker.h"
#include "base/assert.h"
#include "io/clock.h"
#include "io/loop.h"
#include "proxy/worker_state.h"
#include <errno.h>
#include <signal.h>
#include <stdlib.h>
#include <string.h>

/* ---- doors ---- */

void worker_publish(struct worker *w, struct view *view)
{
	view_unref(slot_put(&w->views, view));
}

void worker_send(struct worker *w, struct message *m)
{
	mailbox_send(&w->mailbox, &m->node);
}

void worker_tell_control(struct worker *w, struct message *m)
{
	m->worker = w->index;
	mailbox_send(w->setup.control, &m->node);
}

unsigned worker_sessions(const struct worker *w)
{
	return atomic_load_explicit(&w->n_sessions, memory_order_relaxed);
}

/* ---- walking ---- */

static void each_in(struct list *l, void (*fn)(void *, struct session *), void *arg)
{
	LIST_FOREACH_SAFE (node, l)
		fn(arg, LIST_ENTRY(node, struct session, node));
}

void worker_each_session(struct worker *w, void (*fn)(void *arg, struct session *s), void *arg)
{
	for (unsigned i = 0; i < N_SESSION_STATES; i++)
		if (i != SESSION_CLOSING)
			each_in(&w->states[i], fn, arg);
	for (unsigned i = 0; i < w->config->n_listeners; i++)
		each_in(&w->listeners[i].held, fn, arg);
	for (unsigned i = 0; i < w->config->n_listeners; i++)
		for (unsigned k = 0; k < w->listeners[i].n_lanes; k++) {
			each_in(&w->listeners[i].lanes[k].sessions, fn, arg);
			each_in(&w->listeners[i].lanes[k].doomed, fn, arg);
		}
}

/* ---- the turn ---- */

static int64_t earlier(int64_t a, int64_t b)
{
	return a < b ? a : b;
}

static int64_t next_due_us(const struct worker *w)
{
	int64_t due_ms = worker_now(w) + LONGEST_SLEEP_MS;

	if (!list_empty(&w->ready) || cut_has_work(w) || w->watch_behind ||
	    sessions_info_has_work(w))
		return 0;
	due_ms = earlier(due_ms, sweep_due_ms(w));
	due_ms = earlier(due_ms, hold_due_ms(w));
	due_ms = earlier(due_ms, send_back_due_ms(w));
	if (accept_has_work(w))
		due_ms = earlier(due_ms, w->accept_due_ms);
	return earlier(due_ms * 1000, pump_desk_due_us(&w->desk));
}

/* Few events: let each move much. Many: a small share each, so that nobody waits for a bulk
 * transfer. */
static void set_budget(struct worker *w)
{
	bool alone = w->edge.n_events <= 2 && w->ready.next == w->ready.prev;

	w->desk.budget = alone ? PUMP_ALONE_BYTES : PUMP_SHARED_BYTES;
	w->desk.now_us = w->edge.now_us;
}

/* Those who were ready when the turn began; who becomes ready again waits for the next one. */
static void run_ready(struct worker *w, int64_t us)
{
	struct list mine;
	int64_t until_us;
	unsigned n = 0;

	if (list_empty(&w->ready))
		return;
	list_init(&mine);
	list_move_all(&mine, &w->ready);
	until_us = clock_us() + us;
	do {
		struct session *s = LIST_ENTRY(mine.next, struct session, ready);

		list_unlink(&s->ready);
		session_run(s);
	} while (!list_empty(&mine) && ++n < SLICE_SESSIONS && clock_us() < until_us);
	list_move_all(&mine, &w->ready); /* the rest comes first next time */
	list_move_all(&w->ready, &mine);
}

static void tell_drained(struct worker *w)
{
	if (!w->draining || w->drained_told || worker_sessions(w) > 0)
		return;
	w->drained_told = true;
	worker_tell_control(w, message_new(MSG_DRAINED));
}

/* What sessions take is noted where they come and go (session.c). */
static void note_memory(const struct worker *w, struct worker_stats *s)
{
	NOTE(s, slow_bytes, w->desk.residue_bytes);
	NOTE(s, pipes, w->desk.pipes.n_made);
	NOTE(s, pipes_used, w->desk.pipes.n_made - w->desk.pipes.n_idle);
}

static void note_turn(const struct worker *w, int64_t now_us)
{
	struct worker_stats *s = w->stats;
	uint64_t us = now_us > w->edge.now_us ? (uint64_t)(now_us - w->edge.now_us) : 0;

	COUNT(s, turns, 1);
	if (us > LONG_TURN_US)
		COUNT(s, long_turns, 1);
	if (us > NOTED(s, longest_turn_us))
		NOTE(s, longest_turn_us, us);
	NOTE(s, sleeps, w->edge.n_sleeps);
	NOTE(s, late, w->edge.n_late);
	NOTE(s, spins, w->edge.spin.spins);
	NOTE(s, spun_us, w->edge.spin.spun_us);
	NOTE(s, sessions, worker_sessions(w));
	NOTE(s, generation, w->view->generation);
	note_memory(w, s);
}

static void await(struct worker *w)
{
	int64_t now_us = clock_us(), due_us = next_due_us(w);

	note_turn(w, now_us);
	w->planned_ms = due_us > now_us ? (due_us - now_us) / 1000 + 1 : 0;
	edge_wait(&w->edge, now_us, due_us);
	if (!verdicts_check_sleep(w))
		w->turn_ms = worker_now(w);
	w->planned_ms = 0;
}

/* What cutting takes is left to it: a cut must not take long because there is much traffic. */
static int64_t share_of_data_us(const struct worker *w)
{
	int64_t us = w->setup.data_us ? w->setup.data_us : DATA_US;

	return cut_has_work(w) ? us / 2 : us;
}

/* Going through all listeners is not for every turn of a busy worker. */
static void watch(struct worker *w)
{
	if (worker_now(w) == w->watched_ms && !w->watch_behind)
		return;
	w->watched_ms = worker_now(w);
	watch_run(w);
}

static void turn(struct worker *w)
{
	int64_t data_us;

	await(w);
	verdicts_take_view(w);
	data_us = share_of_data_us(w);
	set_budget(w);
	edge_dispatch(&w->edge, w->edge.now_us + data_us * 2 / 3);
	relay_wake_overdue(w);
	accept_run(w);
	run_ready(w, data_us / 3);
	hold_release(w);
	cut_run(w);
	sweep_run(w);
	send_back_run(w);
	watch(w);
	sessions_info_run(w);
	session_bury_all(w);
	tell_drained(w);
}

static bool is_over(const struct worker *w)
{
	return w->stopping && pool_in_use(w->pool) == 0;
}

static void run(void *arg)
{
	struct worker *w = arg;
	sigset_t all;

	sigfillset(&all);
	pthread_sigmask(SIG_BLOCK, &all, NULL); /* signals are the main thread's */
	edge_sleep_exactly();
	edge_read_clock(&w->edge);
	w->turn_ms = worker_now(w);
	while (!is_over(w))
		turn(w);
}

/* ---- birth and death ---- */

static struct view *nobody_yet(struct config *c)
{
	struct view *v = view_new(c);

	for (size_t i = 0; i < v->n_listeners; i++)
		v->listeners[i].none_since_ms = clock_ms();
	view_finish(v);
	return v;
}

static void init_plain(struct worker *w, const struct worker_setup *setup)
{
	w->index = setup->index;
	w->setup = *setup;
	w->config = config_ref(setup->config);
	for (unsigned i = 0; i < N_SESSION_STATES; i++)
		list_init(&w->states[i]);
	list_init(&w->ready);
	list_init(&w->timed);
	list_init(&w->dooming);
	rng_seed(&w->rng, (uint64_t)clock_us() + setup->index);
	w->pool = pool_new(sizeof(struct session), (size_t)w->config->maxconn + REFUSING_SPARE);
	w->view = nobody_yet(w->config);
	w->stats = &setup->scoreboard->workers[setup->index];
	NOTE(w->stats, session_bytes, sizeof(struct session));
	lanes_init(w);
}

static edge_handler *const handlers[N_SOURCES] = {
	[SOURCE_CLIENT] = session_client_ready,
	[SOURCE_SERVER] = session_server_ready,
	[SOURCE_LISTENER] = accept_ready,
	[SOURCE_COURIER] = cancel_courier_ready,
};

static void on_view(void *arg)
{
	verdicts_take_view(arg);
}

/* What fails here fails for want of memory or descriptors; worker_free closes what was reached. */
static int open_machine(struct worker *w)
{
	int rc = loop_open(&w->loop);

	if (rc < 0)
		return rc;
	w->opened = OPENED_LOOP;
	rc = slot_open(&w->views, &w->loop, on_view, w);
	if (rc < 0)
		return rc;
	w->opened = OPENED_SLOT;
	rc = mailbox_open(&w->mailbox, &w->loop, orders_take, w);
	if (rc < 0)
		return rc;
	w->opened = OPENED_MAILBOX;
	rc = edge_open(&w->edge, &w->loop, handlers, N_SOURCES);
	if (rc < 0)
		return rc;
	w->opened = OPENED_EDGE;
	edge_spin(&w->edge, w->config->spin_us);
	return pump_desk_init(&w->desk);
}

int worker_new(const struct worker_setup *setup, struct worker **out, struct err *e)
{
	struct worker *w = xcalloc(1, sizeof(*w));
	int rc;

	*out = NULL;
	init_plain(w, setup);
	rc = open_machine(w);
	if (rc < 0)
		err_set(e, rc, "cannot set up worker %u: %s", w->index, strerror(-rc));
	else
		rc = accept_bind(w, e);
	if (rc < 0)
		worker_free(w);
	else
		*out = w;
	return rc;
}

int worker_start(struct worker *w)
{
	int rc = accept_start(w);

	return rc < 0 ? rc : uv_thread_create(&w->thread, run, w);
}

void worker_join(struct worker *w)
{
	int rc = uv_thread_join(&w->thread);

	INSIST(rc == 0);
}

/* Nobody sends any more; what still lies in the mailbox (a socket handed over) is dealt
 * with first. */
static void close_machine(struct worker *w)
{
	if (w->opened >= OPENED_MAILBOX)
		mailbox_close(&w->mailbox, NULL);
	if (w->opened >= OPENED_SLOT) {
		slot_close(&w->views, NULL);
		view_unref(slot_take(&w->views));
	}
	if (w->opened >= OPENED_EDGE)
		edge_close(&w->edge);
	if (w->opened >= OPENED_LOOP)
		loop_close(&w->loop, "a worker");
}

void worker_free(struct worker *w)
{
	w->stopping = true;
	accept_close(w, false);
	close_machine(w);
	sessions_info_fini(w);
	pump_desk_fini(&w->desk);
	pool_free(w->pool);
	lanes_fini(w);
	view_unref(w->view);
	config_unref(w->config);
	free(w);
}
