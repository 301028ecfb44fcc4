/* The server is connected, and has not said a word yet that binds the client to it: so long the
 * client can still be taken to another one. Not here: what it says (answer.c).
 *
 * Happy path: the client's first packet (a StartupMessage, an SSLRequest ...) is peeked at and sent
 * as it is; when the server's first byte is there the packet is taken from the client's socket, and
 * the rest is relaying. The one byte that answers a request for encryption binds nobody: it is
 * passed on, and the client's next packet, a StartupMessage or a ClientHello, is a first one again;
 * a server that comes in later for one that said S is asked for TLS by us, and its S is ours.
 * Failure modes: the server resets, hangs up or is closed by the view before it answered (another
 * server, or the hold; the client notices nothing), it says in plain text that it is starting up or
 * shutting down (57P03, 57P01, likewise), it is late (control hears of it), the client resets.
 * Hanging up without a word is also what PostgreSQL does while it shuts down, and what it might do
 * with a packet that it cannot bear: after a few of them the client hears it. A PostgreSQL that
 * says so inside TLS cannot be understood: that goes to the client. Worker thread only. */
#include "core/counters.h"
#include "proxy/worker_state.h"
#include "wire/pg_startup.h"
#include <errno.h>

enum {
	LATE_MS = 300,   /* PostgreSQL forks and answers within 20 ms or so */
	FAR_TRIES = 255, /* calls of a server that was not there at once, until it may be again */
};

static const struct timeouts *timeouts_of(const struct session *s)
{
	return &s->worker->listeners[s->listener].config->timeouts;
}

void starting_failed(struct session *s, int error)
{
	COUNT(s->lane->count, response_errors, 1);
	COUNT(listener_of(s)->count, response_errors, 1);
	connect_failed(s, error);
}

static void enter(struct session *s)
{
	session_move(s, SESSION_STARTING);
	s->active_ms = worker_now(s->worker);
	s->first_bytes = 0;
	s->negotiating = false;
	session_set_deadline(s, timeouts_of(s)->startup_ms);
}

/* ---- the first packet ---- */

enum { TLS_HANDSHAKE = 0x16 };

/* The record of a ClientHello, which nobody splits (RFC 8446 allows 16 kB). 0: more of it will
 * come.
 */
static size_t hello_bytes(const char *bytes, size_t n)
{
	enum { HEAD = 5 };
	size_t record;

	if (n < HEAD)
		return 0;
	record = HEAD + ((size_t)(unsigned char)bytes[3] << 8 | (unsigned char)bytes[4]);
	if (n >= record)
		return record;
	return record > PEEK_BYTES ? n : 0;
}

static size_t packet_bytes(const struct startup *startup, size_t n)
{
	/* TLS at once; or nothing that we understand, after an N: the server's to judge. */
	if (startup->kind == STARTUP_DIRECT_TLS || startup->kind == STARTUP_INVALID)
		return n;
	return startup->consumed;
}

/* Nothing to send yet: only after an N or an S. */
static void await_client(struct session *s, ssize_t n)
{
	if (n == -EAGAIN)
		s->up.readable = false;
	else
		session_close(s, n == 0 ? CLOSE_CLIENT : CLOSE_CLIENT_RESET);
}

/* A packet, the first of all bytes that the client has sent so far, and what became of it. */
struct sending {
	enum startup_kind kind;
	size_t packet, of;
	ssize_t sent; /* or negative errno */
};

static void note_sent(struct session *s, const struct sending *p)
{
	session_set_deadline(s, LATE_MS);
	s->active_ms = worker_now(s->worker);
	s->first_kind = (uint8_t)p->kind;
	s->more = p->sent != (ssize_t)p->of || s->up.ending;
	hold_take_place(s);
	if (p->sent == (ssize_t)p->packet)
		s->first_bytes = (uint16_t)p->packet;
	else if (p->sent > 0) /* a tiny send buffer: no way back from half a packet */
		answer_bind(s, (size_t)p->sent);
	else
		starting_failed(s, p->sent < 0 ? (int)-p->sent : EIO);
}

/* libpq 17 asks for encryption before it cancels, too. */
static void become_cancel(struct session *s, const char *bytes, size_t packet)
{
	connect_drop_server(s);
	cancel_begin(s, bytes, packet);
}

static void send_first(struct session *s)
{
	char *bytes = s->worker->desk.scratch;
	ssize_t n = socket_peek(s->client.fd, bytes, PEEK_BYTES);
	struct startup startup = {.kind = STARTUP_DIRECT_TLS};
	size_t packet;

	if (n <= 0) {
		await_client(s, n);
		return;
	}
	if (s->secure && bytes[0] != TLS_HANDSHAKE) { /* the server's to judge, and no other's */
		answer_bind(s, 0);
		return;
	}
	if (!s->secure)
		pg_startup_parse(bytes, (size_t)n, &startup);
	packet = packet_bytes(&startup, s->secure ? hello_bytes(bytes, (size_t)n) : (size_t)n);
	if (startup.kind == STARTUP_CANCEL)
		become_cancel(s, bytes, packet);
	else if (packet > 0)
		note_sent(s, &(struct sending){startup.kind, packet, (size_t)n,
					       socket_write(s->server.fd, bytes, packet)});
	else if (s->up.ending) /* each further byte raises an edge; after its end none will come */
		session_close(s, CLOSE_BAD_STARTUP);
}

/* A server that needs a network's time to be there is not asked every time. */
static bool may_hurry(const struct session *s)
{
	struct worker *w = s->worker;

	if (s->state != SESSION_CONNECTING || s->client_error)
		return false;
	if (s->lane->far > 0) {
		s->lane->far--;
		return false;
	}
	(void)verdicts_check_pause(w);
	return lane_moves(w, s->lane) && !hold_takes_back(s);
}

/* On one host the handshake is over before connect() has come back, only that nobody is told. So
 * the packet, which is at hand, is offered at once; peeking at it again would be a call more. */
void starting_hurry(struct session *s, const char *bytes, size_t n, const struct startup *startup)
{
	struct sending p = {startup->kind, packet_bytes(startup, n), n, 0};

	if (!may_hurry(s))
		return;
	p.sent = socket_write(s->server.fd, bytes, p.packet);
	if (p.sent == -EAGAIN) {
		s->lane->far = FAR_TRIES;
	} else if (p.sent < 0) {
		connect_failed(s, (int)-p.sent);
	} else {
		s->up.blocked = false;
		connect_established(s);
		enter(s);
		note_sent(s, &p);
	}
}

/* ---- another server for a client that was told S ---- */

static void negotiate(struct session *s)
{
	static const char ssl_request[] = {0, 0, 0, 8, 0x04, (char)0xd2, 0x16, 0x2f};

	s->negotiating = true;
	session_set_deadline(s, LATE_MS);
	hold_take_place(s);
	if (socket_write(s->server.fd, ssl_request, sizeof(ssl_request)) != sizeof(ssl_request))
		starting_failed(s, ECONNRESET);
}

/* Its S is ours. Without TLS it is no server for this client. */
static void hear_negotiation(struct session *s)
{
	char answer;
	ssize_t n = socket_read(s->server.fd, &answer, 1);

	if (n == -EAGAIN) {
		s->down.readable = false;
	} else if (n == 1 && answer == 'S') {
		s->negotiating = false;
		session_set_deadline(s, timeouts_of(s)->startup_ms);
		session_wake(s);
	} else {
		starting_failed(s, n == 1 ? EPROTO : n == 0 ? ECONNRESET : (int)-n);
	}
}

/* ---- the step ---- */

void starting_run(struct session *s)
{
	(void)verdicts_check_pause(s->worker);
	if (s->client_error)
		session_close(s, CLOSE_CLIENT_RESET);
	else if (!connect_still_wanted(s))
		connect_elsewhere(s);
	else if (!s->down.readable && hold_takes_back(s))
		connect_wait(s);
	else if (!lane_moves(s->worker, s->lane))
		return; /* we slept: the next view wakes it */
	else if (s->first_bytes == 0 && s->up.readable && !s->negotiating)
		send_first(s);
	if (s->state != SESSION_STARTING)
		return;
	if (s->negotiating)
		hear_negotiation(s);
	else
		answer_await(s);
}

/* Late, which is a sign; or much too late. */
void starting_expired(struct session *s)
{
	int64_t patience = timeouts_of(s)->startup_ms;
	int64_t waited = worker_now(s->worker) - s->active_ms;

	if (s->first_bytes == 0 && !s->negotiating) {
		session_close(s, CLOSE_STARTUP_TIMEOUT);
	} else if (waited >= patience) {
		starting_failed(s, ETIMEDOUT);
	} else {
		lane_tell_sign(s->worker, s->lane, SIGN_TIMEOUT);
		hold_late(s);
		session_set_deadline(s, patience - waited);
	}
}

void starting_begin(struct session *s)
{
	enter(s);
	if (s->secure)
		negotiate(s);
	if (s->state == SESSION_STARTING)
		starting_run(s);
}
