/* A session with two live legs: run its pumps when there is something to move, and understand how
 * it ends. Not here: the copying (io/pump.c), verdicts (verdicts.c, cut.c).
 *
 * Ends: both directions at their end (a plain close); a leg that was reset (everything it had sent
 * before is passed on first, then the other leg is reset too); a server that ended and a client
 * that doesn't react within HALF_CLOSED_MS. A client that ended waits for its server without limit:
 * its query must finish. */
#include "core/counters.h"
#include "proxy/worker_state.h"

enum { HEAR_MS = 10 }; /* between two looks whether a server is alive: relay_hear */

/* Alive, standing on a proof, and this thread has not slept through a verdict since the
 * turn began. */
static bool may_move(struct session *s)
{
	(void)verdicts_check_pause(s->worker);
	return lane_carries(s->lane, s) && lane_moves(s->worker, s->lane);
}

/* The one who ended first is the reason, whatever the other does then. A reset is passed on
 * nevertheless. */
static void end_as_begun(struct session *s, enum close_reason reason)
{
	s->abrupt = true;
	session_close(s, reason);
}

/* This leg was reset. It is news only in a session that nobody had ended: a PostgreSQL that was
 * told good-bye inside TLS, for one, leaves TLS's own good-bye unread, and its kernel makes
 * that a reset. */
static void lose(struct session *s, bool client)
{
	if (s->server_ended_first) {
		end_as_begun(s, CLOSE_SERVER);
		return;
	}
	if (!client && s->up.finished && !s->server_lost) {
		end_as_begun(s, CLOSE_CLIENT);
		return;
	}
	if (!client)
		lane_tell_sign(s->worker, s->lane, SIGN_RESET);
	session_close(s, client ? CLOSE_CLIENT_RESET : CLOSE_SERVER_RESET);
}

/* The pump from this leg has seen its end. */
static void ended(struct session *s, bool client)
{
	const struct pump *other = client ? &s->down : &s->up;

	if (client ? s->client_lost : s->server_lost) {
		lose(s, client); /* the write that failed had taken the error with it */
		return;
	}
	if (!other->finished) {
		s->server_ended_first = !client;
		if (!client) {
			lane_note_ending(s);
			session_set_deadline(s, HALF_CLOSED_MS);
		}
		return;
	}
	session_close(s, s->server_ended_first ? CLOSE_SERVER : CLOSE_CLIENT);
}

/* A write to this leg failed. What it had sent before that still has to arrive. */
static void sink_lost(struct session *s, bool client)
{
	struct pump *from = client ? &s->up : &s->down;

	if (client)
		s->client_lost = true;
	else
		s->server_lost = true;
	if (from->finished) {
		lose(s, client);
		return;
	}
	from->readable = from->ending = true;
	session_wake(s);
}

/* `client`: the pump that ran reads from the client. */
static void settle(struct session *s, bool client, enum pump_result r)
{
	switch (r) {
	case PUMP_IDLE:
	case PUMP_BLOCKED: break;
	case PUMP_MORE: session_wake(s); break;
	case PUMP_EOF: ended(s, client); break;
	case PUMP_SOURCE_LOST: lose(s, client); break;
	case PUMP_SINK_LOST: sink_lost(s, !client); break;
	case PUMP_NO_MEMORY: session_close(s, CLOSE_INTERNAL); break;
	}
}

/* One direction of a session. */
struct way {
	bool client; /* its source is the client */
	size_t (*unseen_most)(const struct pg_stream *);
	void (*seen)(struct pg_stream *, const void *, size_t);
	void (*unseen)(struct pg_stream *, size_t);
};

static const struct way up = {true, pg_stream_up_unseen_most, pg_stream_up, pg_stream_up_unseen};
static const struct way down = {false, pg_stream_down_unseen_most, pg_stream_down,
				pg_stream_down_unseen};

/* What the last run read is still in the scratch. It may not have left yet: then there is residue.
 */
static void follow(struct session *s, const struct way *way)
{
	const struct pump_desk *d = &s->worker->desk;

	if (d->n_reads + (d->n_unseen > 0) > 1 || d->wants_unseen)
		pg_stream_lose(&s->stream);
	else if (d->n_unseen > 0)
		way->unseen(&s->stream, d->n_unseen);
	else if (d->n_reads == 1)
		way->seen(&s->stream, d->scratch, d->n_read);
}

static void count_cheap(struct counters *row, uint64_t coalesced, uint64_t spliced)
{
	if (coalesced)
		COUNT(row, coalesced, coalesced);
	if (spliced)
		COUNT(row, spliced, spliced);
}

static void count_moved(struct session *s, const struct way *way, uint64_t n, bool coalesced)
{
	uint64_t spliced = s->worker->desk.n_unseen;

	session_count_moved(s, way->client, n);
	count_cheap(listener_of(s)->count, coalesced ? n : 0, spliced);
	count_cheap(s->lane->count, coalesced ? n : 0, spliced);
	s->active_ms = worker_now(s->worker);
	watch_moved(s);
}

/* An answer's end is no time to let bytes gather, and neither is a question. */
static void interrupt(struct session *s, const struct way *way)
{
	struct pump_desk *d = &s->worker->desk;

	if (way->client)
		pump_interrupt(&s->down, s->server.fd, d);
	else
		pump_interrupt(&s->up, s->client.fd, d);
	if (!way->client && pump_coalesces(&s->down) && d->n_reads > 0 &&
	    pg_stream_ends_answer(d->scratch, d->n_read))
		pump_interrupt(&s->down, s->server.fd, d);
}

/* Nagle's rule keeps a small packet back while the one before is not acknowledged. A session's
 * first packet has none before it, and a question after an answer's end none either, so short
 * sessions go without the call, unless it took several writes; in others it pushes out what was
 * kept back just now. */
static void hurry_server(struct session *s, bool answered)
{
	if (s->no_delay || answered)
		return;
	s->no_delay = true;
	if (!dialer_is_local(&s->lane->to))
		(void)sockopt_no_delay(s->server.fd);
}

static bool is_local(const struct session *s, bool client)
{
	return client ? s->peer.kind == ENDPOINT_UNIX : dialer_is_local(&s->lane->to);
}

/* A UNIX socket hears of room for more only while somebody waits for it. */
static void await_room(struct session *s, bool client, bool blocked)
{
	bool hushed = client ? s->client_hushed : s->server_hushed;

	if (!is_local(s, client) || hushed != blocked)
		return;
	if (client)
		s->client_hushed = !blocked;
	else
		s->server_hushed = !blocked;
	edge_want_write(&s->worker->edge, client ? &s->client : &s->server, blocked);
}

static void run(struct session *s, const struct way *way)
{
	struct pump *p = way->client ? &s->up : &s->down;
	int source = way->client ? s->client.fd : s->server.fd;
	int sink = way->client ? s->server.fd : s->client.fd;
	struct pump_desk *d = &s->worker->desk;
	bool coalesced = pump_coalesces(p);
	bool answered = p->bytes == 0 || pg_stream_is_idle(&s->stream);
	uint64_t before = p->bytes;
	enum pump_result r;

	/* a UNIX socket wakes for every byte, whatever the mark */
	d->coalesce_us = is_local(s, way->client) ? 0 : listener_of(s)->config->coalesce_us;
	d->unseen_most = way->unseen_most(&s->stream);
	d->last = (way->client ? &s->down : &s->up)->finished;
	r = pump_run(p, source, sink, d);
	follow(s, way);
	if (d->n_reads || d->n_unseen)
		interrupt(s, way);
	if (p->bytes != before)
		count_moved(s, way, p->bytes - before, coalesced);
	if (way->client && p->bytes != before)
		hurry_server(s, answered && d->n_reads <= 1);
	await_room(s, !way->client, r == PUMP_BLOCKED);
	settle(s, way->client, r);
}

static bool may_listen(const struct session *s)
{
	return worker_now(s->worker) - s->lane->listened_ms >= HEAR_MS;
}

/* Has the server said something just now? Bytes that come after all others had been read were sent
 * lately, unless a client reads so slowly that they lay in the kernels' buffers, and a frozen
 * server would seem to speak for as long as these last. Looking costs a call.
 */
static void listen_to(struct session *s)
{
	int64_t now_ms = worker_now(s->worker);

	s->lane->listened_ms = now_ms;
	if (!socket_has_queued(s->client.fd))
		atomic_store_explicit(&s->lane->count->heard_ms, now_ms, memory_order_relaxed);
}

void relay_hear(struct session *s, uint32_t events)
{
	if ((events & EDGE_READ) && !s->down.readable && may_listen(s))
		listen_to(s);
}

/* Below the mark bytes come without an event; the last read before had left none. */
static void hear_stream(struct session *s)
{
	char byte;

	if (may_listen(s) && socket_peek(s->server.fd, &byte, 1) == 1)
		listen_to(s);
}

void relay_run(struct session *s)
{
	if (!may_move(s))
		return; /* the pumps remember; lane_resume runs them */
	if (pump_has_work(&s->up))
		run(s, &up);
	if (s->state == SESSION_RELAYING && pump_has_work(&s->down))
		run(s, &down);
}

static struct session *session_of(struct pump *p)
{
	return p->second ? LIST_ENTRY(p, struct session, down) : LIST_ENTRY(p, struct session, up);
}

/* The streams whose bytes have gathered long enough. */
void relay_wake_overdue(struct worker *w)
{
	struct pump *p;

	while ((p = pump_desk_overdue(&w->desk))) {
		if (p->second)
			hear_stream(session_of(p));
		session_wake(session_of(p));
	}
}

void relay_begin(struct session *s, const void *first, size_t n)
{
	session_clear_deadline(s);
	session_move(s, SESSION_RELAYING);
	s->stream = (struct pg_stream){0};
	if (first) {
		pg_stream_begin(&s->stream);
		pg_stream_up(&s->stream, first, n);
	}
	s->lane->n_sessions++;
	s->down.second = true;
	s->active_ms = worker_now(s->worker);
	watch_moved(s);
	relay_run(s);
}
