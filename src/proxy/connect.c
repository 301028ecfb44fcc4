/* From a client that may come in to a server that takes it.
 *
 * Happy path: pick, call, and when the socket is writable hand over to starting.c, which comes back
 * here when the server turns out to be no good. Failure modes: refused, reset or silent (another
 * eligible server, each at most once; control hears of it), the view closes the server meanwhile
 * (another one, nobody is blamed), none left (hold.c), all full (refuse.c), no descriptor
 * (refuse.c; says nothing of the server). A UNIX socket that does not exist is a refusal; one whose
 * queue is full, or that isari's user may not open, says nothing of the server either: the client
 * tries another one, or waits. Who comes while others wait goes behind them. */
#include "core/balance.h"
#include "core/counters.h"
#include "core/monitor.h"
#include "io/clock.h"
#include "io/dialer.h"
#include "io/log.h"
#include "proxy/worker_state.h"
#include <errno.h>
#include <string.h>

enum { MOST_ATTEMPTS = 64 }; /* as many servers as session.tried can tell apart */

/* ---- the pick ---- */

static void read_loads(const struct session *s)
{
	const struct worker_listener *l = listener_of(s);

	for (unsigned i = 0; i < l->n_lanes; i++) {
		s->worker->loads[i] = NOTED(l->lanes[i].gauge, now);
		s->worker->limits[i] = NOTED(l->lanes[i].gauge, limit);
	}
}

static int pick(struct session *s, bool *full)
{
	struct worker *w = s->worker;
	const struct worker_listener *l = listener_of(s);
	struct balance_input in = {
		.listener = &w->view->listeners[s->listener],
		.method = l->config->balance,
		.sessions = w->loads,
		.limits = w->limits,
		.tried = s->tried,
		.rng = &w->rng,
	};

	*full = false;
	if (s->attempts >= MOST_ATTEMPTS)
		return -1;
	/* A second try takes no turn of its own, or a dead server would be every
	 * session's first. */
	in.turn =
		atomic_fetch_add_explicit(&l->gauge->turn, s->attempts == 0, memory_order_relaxed);
	read_loads(s);
	return balance_pick(&in, full);
}

/* ---- one attempt ---- */

static int dial(struct session *s)
{
	int fd = dialer_start(&s->lane->to), rc;

	if (fd < 0)
		return fd;
	rc = edge_add(&s->worker->edge, &s->server, fd);
	if (rc < 0)
		socket_close(fd);
	return rc;
}

/* False: another worker took the server's last free place. */
static bool enter_server(struct session *s, struct lane *lane)
{
	s->on_server = gauge_enter(lane->gauge);
	return s->on_server;
}

/* As HAProxy counts: to the same server again, or to another one; on the account of the one before.
 */
static void count_again(const struct session *s, const struct lane *lane)
{
	if (s->calls == 0)
		return;
	if (s->lane == lane) {
		COUNT(lane->count, connect_retries, 1);
		COUNT(listener_of(s)->count, connect_retries, 1);
	} else {
		COUNT(s->lane->count, redispatches, 1);
		COUNT(listener_of(s)->count, redispatches, 1);
	}
}

static int start_attempt(struct session *s, struct lane *lane)
{
	int rc;

	count_again(s, lane);
	COUNT(lane->count, sessions, 1);
	COUNT(lane->count, selected, 1);
	COUNT(listener_of(s)->count, selected, 1);
	atomic_store_explicit(&lane->gauge->last_ms, worker_now(s->worker), memory_order_relaxed);
	s->attempts++;
	if (s->calls < UINT8_MAX)
		s->calls++;
	s->lane = lane;
	s->epoch = lane->epoch;
	s->active_ms = worker_now(s->worker);
	s->up.blocked = true; /* until the socket says that it is connected */
	s->down.readable = s->down.ending = s->server_error = false;
	rc = dial(s);
	if (rc == 0)
		session_set_deadline(s, listener_of(s)->config->timeouts.connect_ms);
	return rc;
}

void connect_drop_server(struct session *s)
{
	answer_forget(s);
	socket_close(edge_drop(&s->worker->edge, &s->server));
	if (s->on_server)
		gauge_leave(s->lane->gauge);
	s->on_server = false;
}

/* ---- failure ---- */

static bool is_own_fault(int error)
{
	return error == EMFILE || error == ENFILE || error == ENOBUFS || error == ENOMEM ||
	       error == EADDRNOTAVAIL || error == EAGAIN;
}

static enum sign sign_of(int error)
{
	switch (error) {
	case ECONNREFUSED:
	case ENOENT: /* PostgreSQL removes its socket when it ends */
	case NOT_READY: return SIGN_REFUSED;
	case ECONNRESET: return SIGN_RESET;
	default: return SIGN_TIMEOUT;
	}
}

const char *connect_failure_text(const struct session *s)
{
	switch (s->failure) {
	case NOT_READY: return "its PostgreSQL is starting up or shutting down";
	case ENOENT: return "its socket is not there";
	case EBUSY: return "the queue of its socket is full";
	default: return strerror(s->failure);
	}
}

static bool is_denied(const struct lane *lane, int error)
{
	return dialer_is_local(&lane->to) && (error == EACCES || error == EPERM);
}

/* Once, until somebody gets through: each client that waits comes here again and again. */
static void complain(const struct session *s, int error)
{
	const struct config *c = s->worker->config;
	const struct member_config *m = &c->members[s->lane->member];
	struct log_line line;

	if (atomic_exchange_explicit(&s->lane->gauge->denied, true, memory_order_relaxed) ||
	    !log_begin(&line, SEVERITY_ERROR, "socket_denied"))
		return;
	log_str(&line, "cluster", c->clusters[m->cluster].name);
	log_str(&line, "member", m->name);
	log_str(&line, "socket", m->socket_path);
	log_str(&line, "why", strerror(error));
	log_str(&line, "msg",
		"isari's user may not connect: let it into the directory of the socket");
	log_end(&line);
}

/* Signs are of the server; what we may not do, and what comes in crowds, is no reason to ask. */
static void tell_of(struct session *s, int error)
{
	if (is_denied(s->lane, error)) {
		complain(s, error);
		return;
	}
	if (error == EBUSY)
		return;
	lane_tell_sign(s->worker, s->lane, sign_of(error));
	if (sign_of(error) == SIGN_REFUSED) /* its own word, or its kernel's */
		hold_suspect(s->worker, s->lane->member);
}

static void blame(struct session *s, int error)
{
	s->failure = error > 0 && error <= UINT8_MAX ? (uint8_t)error : EIO;
	if (error != ECONNRESET)
		s->hang_ups = 0;
	if (s->lane->server < 64)
		s->tried |= UINT64_C(1) << s->lane->server;
	COUNT(s->lane->count, connect_errors, 1);
	tell_of(s, error);
}

/* Who has waited for a server once waits on for a free place, too. In a UNIX socket's queue there
 * is one again soon. */
static void give_up(struct session *s, bool full)
{
	s->limit = full ? LIMIT_SERVERS : LIMIT_NONE;
	if (full || s->failure == EBUSY)
		hold_await_place(s);
	else if (s->worker->view->listeners[s->listener].n_open > 0)
		hold_pause(s);
	if (full && !s->waited)
		refuse_begin(s, CLOSE_LIMIT);
	else
		hold_begin(s);
}

/* ---- server after server ---- */

/* An attempt that ended before it began. True: another server may be tried. */
static bool failed_at_once(struct session *s, int error)
{
	connect_drop_server(s);
	if (!is_own_fault(error)) {
		blame(s, error);
		return true;
	}
	s->failure = (uint8_t)error;
	if (s->waited) { /* it has waited so long; and who waits is not refused in crowds */
		hold_pause(s);
		hold_begin(s);
	} else
		refuse_begin(s, CLOSE_INTERNAL);
	return false;
}

static void connect_next(struct session *s)
{
	bool full, lost_race = false;
	int i, rc;

	if (s->worker->stopping) { /* what begins to relay now would be cut by nobody */
		session_close(s, CLOSE_STOPPING);
		return;
	}
	while ((i = pick(s, &full)) >= 0) {
		struct lane *lane = &listener_of(s)->lanes[i];

		if (!enter_server(s, lane)) {
			s->tried |= i < 64 ? UINT64_C(1) << i : 0;
			s->attempts++;
			lost_race = true;
			continue;
		}
		rc = start_attempt(s, lane);
		if (rc == 0 || !failed_at_once(s, -rc))
			return;
	}
	give_up(s, full || lost_race);
}

void connect_begin(struct session *s)
{
	if (hold_must_queue(s)) {
		hold_begin(s);
		return;
	}
	session_move(s, SESSION_CONNECTING);
	connect_next(s);
}

void connect_resume(struct session *s)
{
	session_move(s, SESSION_CONNECTING);
	connect_next(s);
}

static void leave_server(struct session *s)
{
	connect_drop_server(s);
	if (s->state == SESSION_STARTING)
		session_move(s, SESSION_CONNECTING);
}

static void try_again(struct session *s)
{
	leave_server(s);
	connect_next(s);
}

/* A write to a UNIX socket finds at once what TCP tells with the next reset. */
void connect_failed(struct session *s, int error)
{
	blame(s, error == EPIPE ? ECONNRESET : error);
	try_again(s);
}

void connect_elsewhere(struct session *s)
{
	try_again(s);
}

void connect_wait(struct session *s)
{
	leave_server(s);
	hold_begin(s);
}

void connect_expired(struct session *s)
{
	connect_failed(s, ETIMEDOUT);
}

/* ---- success ---- */

void connect_established(struct session *s)
{
	struct lane *lane = s->lane;
	int64_t ms = worker_now(s->worker) - s->active_ms;

	s->connect_ms = ms > 0 ? (unsigned)ms : 0;
	if (atomic_load_explicit(&lane->gauge->denied, memory_order_relaxed))
		atomic_store_explicit(&lane->gauge->denied, false, memory_order_relaxed);
	COUNT(lane->count, connected, 1);
	COUNT(lane->count, connect_ms, s->connect_ms);
	COUNT(listener_of(s)->count, connected, 1);
	COUNT(listener_of(s)->count, connect_ms, s->connect_ms);
	gauge_max(&lane->gauge->connect_ms_max, s->connect_ms);
	gauge_max(&listener_of(s)->gauge->connect_ms_max, s->connect_ms);
}

static void go_on(struct session *s)
{
	connect_established(s);
	if (s->is_tcp) {
		connect_answered(s);
		relay_begin(s, NULL, 0);
	} else
		starting_begin(s);
}

/* The journal wants to know when the first session reached a new primary: one message per view. */
void connect_answered(const struct session *s)
{
	struct worker *w = s->worker;
	struct lane *lane = s->lane;
	struct message *m;

	if (lane->told_generation == w->view->generation ||
	    !(lane->listener->config->serve & ROLE_BIT(ROLE_PRIMARY)))
		return;
	lane->told_generation = w->view->generation;
	m = message_new(MSG_FIRST_SESSION);
	m->u.first_session.member = lane->member;
	m->u.first_session.generation = w->view->generation;
	m->u.first_session.at_ms = clock_ms();
	worker_tell_control(w, m);
}

/* The view may have closed this server since it was picked. Nobody is to blame, and it may be
 * picked again when it is open again. */
bool connect_still_wanted(const struct session *s)
{
	return lane_takes_new(s->lane) && lane_carries(s->lane, s);
}

void connect_run(struct session *s)
{
	int rc;

	if (s->client_error) {
		session_close(s, CLOSE_CLIENT_RESET);
		return;
	}
	if (!connect_still_wanted(s)) {
		connect_elsewhere(s);
		return;
	}
	if (hold_takes_back(s)) {
		connect_wait(s);
		return;
	}
	if (s->up.blocked) /* still on its way */
		return;
	/* Writable and without an error it is there: only an end has something to say. */
	rc = s->down.ending ? dialer_finish(s->server.fd) : 0;
	if (rc == 0)
		go_on(s);
	else
		connect_failed(s, -rc);
}
