/* A session's life: begin, move, close. Not here: what each state does (greet.c, refuse.c,
 * hold.c, connect.c, starting.c, relay.c). Worker thread only. */
#include "proxy/session.h"
#include "base/assert.h"
#include "core/counters.h"
#include "proxy/worker_state.h"

#define TO(state) (1u << SESSION_##state)

static const unsigned legal_moves[N_SESSION_STATES] = {
	[SESSION_GREETING] =
		TO(REFUSING) | TO(CANCELLING) | TO(HELD) | TO(CONNECTING) | TO(CLOSING),
	[SESSION_REFUSING] = TO(CANCELLING) | TO(CLOSING), /* a CancelRequest passes every limit */
	[SESSION_CANCELLING] = TO(CLOSING),
	[SESSION_HELD] = TO(REFUSING) | TO(CONNECTING) | TO(CLOSING),
	[SESSION_CONNECTING] = TO(REFUSING) | TO(HELD) | TO(STARTING) | TO(RELAYING) | TO(CLOSING),
	[SESSION_STARTING] = TO(CANCELLING) | TO(CONNECTING) | TO(RELAYING) | TO(CLOSING),
	[SESSION_RELAYING] = TO(CLOSING),
};

static struct list *list_of(struct session *s, enum session_state state)
{
	switch (state) {
	case SESSION_RELAYING: return &s->lane->sessions;
	case SESSION_HELD: return &s->worker->listeners[s->listener].held;
	default: return &s->worker->states[state];
	}
}

void session_move(struct session *s, enum session_state to)
{
	enum session_state from = s->state;

	REQUIRE(legal_moves[from] & (1u << to));
	list_unlink(&s->node);
	s->state = (uint8_t)to;
	list_append(list_of(s, to), &s->node);
	if (from == SESSION_HELD)
		hold_left(s);
	if (to != SESSION_CONNECTING && to != SESSION_STARTING)
		hold_settled(s, to == SESSION_RELAYING);
}

/* ---- running ---- */

void session_run(struct session *s)
{
	static void (*const step[N_SESSION_STATES])(struct session *) = {
		[SESSION_GREETING] = greet_run,    [SESSION_REFUSING] = refuse_run,
		[SESSION_HELD] = hold_run,         [SESSION_CONNECTING] = connect_run,
		[SESSION_STARTING] = starting_run, [SESSION_RELAYING] = relay_run,
	};

	if (step[s->state])
		step[s->state](s);
}

/* Late in the turn an event is only remembered: run_ready has a share of each turn. */
static void run_or_wait(struct session *s)
{
	if (s->worker->edge.late)
		session_wake(s);
	else
		session_run(s);
}

/* Readiness is kept in the pumps whatever the state: an edge comes once. */
void session_client_ready(struct edge_source *source, uint32_t events)
{
	struct session *s = LIST_ENTRY(source, struct session, client);

	pump_source_ready(&s->up, events);
	pump_sink_ready(&s->down, events);
	s->client_error |= (events & EDGE_ERROR) != 0;
	s->more |= (events & (EDGE_READ | EDGE_ENDING)) != 0;
	run_or_wait(s);
}

void session_server_ready(struct edge_source *source, uint32_t events)
{
	struct session *s = LIST_ENTRY(source, struct session, server);

	if (s->state == SESSION_RELAYING)
		relay_hear(s, events);
	s->server_error |= (events & EDGE_ERROR) != 0;
	pump_source_ready(&s->down, events);
	pump_sink_ready(&s->up, events);
	run_or_wait(s);
}

void session_wake(struct session *s)
{
	if (list_empty(&s->ready))
		list_append(&s->worker->ready, &s->ready);
}

/* ---- deadlines ---- */

void session_set_deadline(struct session *s, int64_t ms_from_now)
{
	struct worker *w = s->worker;

	s->deadline_ms = worker_now(w) + ms_from_now;
	if (list_empty(&w->timed))
		w->sweep_due_ms = worker_now(w) + SWEEP_MS;
	list_unlink(&s->timed); /* it may be watched */
	list_append(&w->timed, &s->timed);
}

void session_clear_deadline(struct session *s)
{
	list_unlink(&s->timed);
}

void session_expire(struct session *s)
{
	switch ((enum session_state)s->state) {
	case SESSION_GREETING: session_close(s, CLOSE_STARTUP_TIMEOUT); break;
	case SESSION_REFUSING: refuse_expired(s); break;
	case SESSION_CANCELLING: session_close(s, CLOSE_SERVER); break;
	case SESSION_HELD: hold_expired(s); break;
	case SESSION_CONNECTING: connect_expired(s); break;
	case SESSION_STARTING: starting_expired(s); break;
	case SESSION_RELAYING: session_close(s, CLOSE_SERVER); break; /* half-closed for too long */
	case SESSION_CLOSING:
	case N_SESSION_STATES: break;
	}
}

/* ---- the beginning ---- */

enum close_reason session_admit(struct session *s)
{
	struct worker *w = s->worker;
	struct scoreboard *all = w->setup.scoreboard;
	const struct worker_listener *l = listener_of(s);

	s->limit = LIMIT_PROCESS;
	if (atomic_fetch_add_explicit(&all->sessions, 1, memory_order_relaxed) <
	    NOTED(all, maxconn)) {
		s->admitted = gauge_enter(l->gauge);
		if (s->admitted)
			return CLOSE_CLIENT;
		s->limit = LIMIT_LISTENER;
	}
	atomic_fetch_sub_explicit(&all->sessions, 1, memory_order_relaxed);
	return CLOSE_LIMIT;
}

void session_release_admission(struct session *s)
{
	if (!s->admitted)
		return;
	s->admitted = false;
	gauge_leave(listener_of(s)->gauge);
	atomic_fetch_sub_explicit(&s->worker->setup.scoreboard->sessions, 1, memory_order_relaxed);
}

/* Here, where it changes, and not every turn: most turns only move bytes. */
static void note_pool(const struct worker *w)
{
	NOTE(w->stats, pool_bytes, pool_bytes(w->pool));
	NOTE(w->stats, pool_used_bytes, pool_in_use(w->pool) * sizeof(struct session));
}

static struct session *session_new(struct worker *w, unsigned listener)
{
	struct session *s = pool_get(w->pool);

	note_pool(w);
	if (s == NULL)
		return NULL;
	s->worker = w;
	s->listener = (uint16_t)listener;
	s->id = (uint64_t)w->index << 48 | ++w->last_id;
	s->started_ms = s->active_ms = worker_now(w);
	list_init(&s->ready);
	list_init(&s->timed);
	edge_source_init(&s->client, SOURCE_CLIENT);
	edge_source_init(&s->server, SOURCE_SERVER);
	list_init(&s->node);
	list_append(&w->states[SESSION_GREETING], &s->node);
	return s;
}

/* Nobody was admitted: a bare close is all that can be had without memory or descriptors. */
static void turn_away(struct worker *w, const struct worker_listener *l, int fd)
{
	COUNT(l->count, internal_errors, 1);
	atomic_fetch_sub_explicit(&w->n_sessions, 1, memory_order_relaxed);
	socket_close(fd);
}

static void first_step(struct session *s)
{
	enum close_reason refused = session_admit(s);

	s->is_tcp = listener_of(s)->config->protocol == PROTOCOL_TCP;
	session_set_deadline(s, listener_of(s)->config->timeouts.startup_ms);
	if (refused != CLOSE_CLIENT)
		refuse_begin(s, refused);
	else if (s->is_tcp)
		connect_begin(s);
	/* else the client's first bytes come with an event */
}

void session_begin(struct worker *w, unsigned listener, int fd, const struct endpoint *client)
{
	struct worker_listener *l = &w->listeners[listener];
	struct session *s = session_new(w, listener);

	COUNT(l->count, sessions, 1);
	atomic_store_explicit(&l->gauge->last_ms, worker_now(w), memory_order_relaxed);
	if (s == NULL) {
		turn_away(w, l, fd);
		return;
	}
	s->peer = client ? *client : socket_peer(fd);
	if (edge_add(&w->edge, &s->client, fd) < 0) {
		list_unlink(&s->node);
		pool_put(w->pool, s);
		note_pool(w);
		turn_away(w, l, fd);
		return;
	}
	first_step(s);
}

/* ---- between the two ---- */

void session_count_moved(struct session *s, bool up, uint64_t n)
{
	struct counters *const rows[] = {listener_of(s)->count, s->lane->count};

	for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++)
		if (up)
			COUNT(rows[i], bytes_in, n);
		else
			COUNT(rows[i], bytes_out, n);
}

/* ---- the end ---- */

/* A verdict or a reset ends both legs at once: nothing that is still in a buffer may arrive. */
static bool resets_legs(enum close_reason reason)
{
	static const bool resets[N_CLOSE_REASONS] = {
		[CLOSE_CLIENT_RESET] = true,  [CLOSE_SERVER_RESET] = true,
		[CLOSE_DEMOTED] = true,       [CLOSE_UNREACHABLE] = true,
		[CLOSE_FENCED] = true,        [CLOSE_LEASE] = true,
		[CLOSE_WRONG_CLUSTER] = true, [CLOSE_MAINT] = true,
		[CLOSE_OPERATOR] = true,      [CLOSE_STOPPING] = true,
		[CLOSE_INTERNAL] = true,      [CLOSE_CLIENT_LOST] = true,
		[CLOSE_SERVER_LOST] = true,   [CLOSE_LAGGING] = true,
	};

	return resets[reason];
}

static void count_reason(struct counters *row, enum close_reason reason)
{
	switch (reason) {
	case CLOSE_CLIENT_RESET:
	case CLOSE_CLIENT_LOST: COUNT(row, client_aborts, 1); break;
	case CLOSE_SERVER_RESET:
	case CLOSE_SERVER_LOST:
		COUNT(row, server_aborts, 1);
		COUNT(row, response_errors, 1);
		break;
	case CLOSE_LIMIT: COUNT(row, denied, 1); break;
	case CLOSE_BAD_STARTUP:
	case CLOSE_STARTUP_TIMEOUT: COUNT(row, request_errors, 1); break;
	case CLOSE_INTERNAL: COUNT(row, internal_errors, 1); break;
	case CLOSE_NO_SERVER:
	case CLOSE_CONNECT_FAILED:
		COUNT(row, no_server, 1);
		COUNT(row, connect_errors, 1);
		break;
	case CLOSE_DEMOTED:
	case CLOSE_UNREACHABLE:
	case CLOSE_LAGGING:
	case CLOSE_FENCED:
	case CLOSE_LEASE:
	case CLOSE_WRONG_CLUSTER:
	case CLOSE_MAINT:
	case CLOSE_OPERATOR:
	case CLOSE_SENT_BACK:
	case CLOSE_STOPPING: COUNT(row, cuts, 1); break;
	default: break;
	}
}

static void count_end_on(struct counters *row, struct gauge *gauge, const struct session *s)
{
	uint64_t ms = (uint64_t)(worker_now(s->worker) - s->started_ms);

	COUNT(row, ended, 1);
	COUNT(row, session_ms, ms);
	COUNT(row, closes[s->reason], 1);
	count_reason(row, s->reason);
	gauge_max(&gauge->session_ms_max, ms < UINT32_MAX ? (unsigned)ms : UINT32_MAX);
}

static void count_end(const struct session *s, bool relayed)
{
	if (s->is_cancel)
		return;
	count_end_on(listener_of(s)->count, listener_of(s)->gauge, s);
	if (relayed)
		count_end_on(s->lane->count, s->lane->gauge, s);
}

/* What was only peeked at is still unread, and closing on unread bytes would be a reset. */
static void read_away_greeting(struct session *s)
{
	if (s->client.fd >= 0)
		(void)socket_read(s->client.fd, s->worker->desk.scratch, PEEK_BYTES);
}

/* A leg that is dead already needs no reset. */
static void end_leg(struct session *s, struct edge_source *leg, bool reset, bool dead)
{
	int fd = edge_drop(&s->worker->edge, leg);

	if (reset && !dead)
		socket_reset(fd);
	else
		socket_close(fd);
}

static void close_legs(struct session *s, bool relayed)
{
	bool reset = s->abrupt || resets_legs(s->reason);

	if (!relayed && !reset)
		read_away_greeting(s);
	end_leg(s, &s->server, reset, s->server_error);
	if (relayed && goodbye_say(s))
		reset = false;
	end_leg(s, &s->client, reset, s->client_error);
}

void session_close(struct session *s, enum close_reason reason)
{
	enum session_state was = s->state;
	bool relayed = was == SESSION_RELAYING;

	if (was == SESSION_CLOSING)
		return; /* the first reason caused it */
	if (relayed && lane_carries(s->lane, s))
		s->lane->n_sessions--;
	session_move(s, SESSION_CLOSING);
	s->reason = (uint8_t)reason;
	list_unlink(&s->ready);
	list_unlink(&s->timed);
	access_log_end(s, was);
	close_legs(s, relayed);
	pump_fini(&s->up, &s->worker->desk);
	pump_fini(&s->down, &s->worker->desk);
	connect_drop_server(s);
	cancel_end(s);
	session_release_admission(s);
	count_end(s, relayed);
	atomic_fetch_sub_explicit(&s->worker->n_sessions, 1, memory_order_relaxed);
}

void session_bury_all(struct worker *w)
{
	struct list *closed = &w->states[SESSION_CLOSING];

	access_log_flush(w);
	w->farewell.n = 0;
	if (list_empty(closed))
		return;
	while (!list_empty(closed)) {
		struct session *s = LIST_ENTRY(closed->next, struct session, node);

		list_unlink(&s->node);
		pool_put(w->pool, s);
	}
	note_pool(w);
}
