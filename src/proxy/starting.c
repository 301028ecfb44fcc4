/* The server is connected, and has not said a word yet that binds the client to it: so long the
 * client can still be taken to another one.
 *
 * Happy path: the client's first packet (a StartupMessage, an SSLRequest ...) is peeked at and sent
 * as it is; when the server's first byte is there the packet is taken from the client's socket, and
 * the rest is relaying. The one byte that answers a request for encryption binds nobody: it is
 * passed on, and the client's next packet, a StartupMessage or a ClientHello, is a first one again;
 * a server that comes in later for one that said S is asked for TLS by us, and its S is ours.
 * Failure modes: the server resets, hangs up or is
 * closed by the view before it answered (another server, or the hold; the client notices nothing),
 * it says in plain text that it is starting up or shutting down (57P03, 57P01, likewise), it is
 * late (control hears of it), the client resets. Hanging up without a word is also what PostgreSQL
 * does while it shuts down, and what it might do with a packet that it cannot bear: after HANG_UPS
 * of them the client hears it. A PostgreSQL that says so inside TLS cannot be understood: that goes
 * to the client. Worker thread only. */
#include "core/counters.h"
#include "proxy/worker_state.h"
#include "wire/pg_error.h"
#include "wire/pg_startup.h"
#include <errno.h>
#include <string.h>

enum {
	LATE_MS = 300,       /* PostgreSQL forks and answers within 20 ms or so */
	HANG_UPS = 3,        /* servers in a row */
	ANSWER_BYTES = 1024, /* an ErrorResponse, and more than the start of anything else */
};

static const struct timeouts *timeouts_of(const struct session *s)
{
	return &s->worker->listeners[s->listener].config->timeouts;
}

static struct counters *listener_row(const struct session *s)
{
	return s->worker->listeners[s->listener].count;
}

static bool is_plain(const struct session *s)
{
	return s->first_kind == STARTUP_MESSAGE;
}

static void count_up(struct session *s, size_t n)
{
	s->up.bytes += n;
	COUNT(listener_row(s), bytes_in, n);
	COUNT(s->lane->count, bytes_in, n);
}

static void count_down(struct session *s, size_t n)
{
	s->down.bytes += n;
	COUNT(listener_row(s), bytes_out, n);
	COUNT(s->lane->count, bytes_out, n);
}

static void failed(struct session *s, int error)
{
	COUNT(s->lane->count, response_errors, 1);
	COUNT(listener_row(s), response_errors, 1);
	connect_failed(s, error);
}

/* What the server has is taken from the client. False: it is gone, which only a reset does. */
static bool take(struct session *s, size_t n)
{
	if (n > 0 && socket_read(s->client.fd, s->worker->desk.scratch, n) != (ssize_t)n) {
		session_close(s, CLOSE_CLIENT_RESET);
		return false;
	}
	s->first_bytes = 0;
	count_up(s, n);
	return true;
}

/* Whatever follows is the pumps'. */
static void take_and_relay(struct session *s, size_t n)
{
	if (!take(s, n))
		return;
	connect_answered(s);
	relay_begin(s, s->secure ? NULL : s->worker->desk.scratch, n);
}

static void hung_up(struct session *s, int error)
{
	if (++s->hang_ups < HANG_UPS)
		failed(s, error);
	else
		take_and_relay(s, s->first_bytes); /* the pumps find the end, and pass it on */
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

static size_t packet_bytes(struct session *s, const struct startup *startup, size_t n)
{
	s->first_kind = (uint8_t)startup->kind;
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

static void send_packet(struct session *s, const char *bytes, size_t packet)
{
	ssize_t n = socket_write(s->server.fd, bytes, packet);

	session_set_deadline(s, LATE_MS);
	s->active_ms = worker_now(s->worker);
	hold_take_place(s);
	if (n == (ssize_t)packet)
		s->first_bytes = (uint16_t)packet;
	else if (n > 0) /* a tiny send buffer: no way back from half a packet */
		take_and_relay(s, (size_t)n);
	else
		failed(s, n < 0 ? (int)-n : EIO);
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
		take_and_relay(s, 0);
		return;
	}
	if (!s->secure)
		pg_startup_parse(bytes, (size_t)n, &startup);
	packet = packet_bytes(s, &startup, s->secure ? hello_bytes(bytes, (size_t)n) : (size_t)n);
	if (startup.kind == STARTUP_CANCEL)
		become_cancel(s, bytes, packet);
	else if (packet > 0)
		send_packet(s, bytes, packet);
	else if (s->up.ending) /* each further byte raises an edge; after its end none will come */
		session_close(s, CLOSE_BAD_STARTUP);
}

/* ---- the first answer ---- */

/* Who is trusted is told so in the same breath as all the rest: what ends it after that ends a
 * session that never was. */
static size_t welcome_bytes(const char *bytes, size_t n)
{
	static const char welcome[] = "R\0\0\0\x08\0\0\0"; /* AuthenticationOk */

	return n > sizeof(welcome) && memcmp(bytes, welcome, sizeof(welcome)) == 0 ? sizeof(welcome)
										   : 0;
}

/* It takes nobody now; or it did, and then it had to end at once. */
static bool is_not_ready(const char *sqlstate)
{
	return strcmp(sqlstate, SQLSTATE_CANNOT_CONNECT_NOW) == 0 ||
	       strcmp(sqlstate, SQLSTATE_ADMIN_SHUTDOWN) == 0;
}

/* False: an error message has begun, and more of it will come. */
static bool says_not_ready(const struct session *s, const char *bytes, size_t n, bool *not_ready)
{
	char state[PG_SQLSTATE_BYTES + 1];
	size_t skip = welcome_bytes(bytes, n);

	*not_ready = false;
	if (!is_plain(s) || bytes[skip] != 'E')
		return true;
	if (!pg_error_sqlstate(bytes + skip, n - skip, state))
		return n >= ANSWER_BYTES || s->down.ending;
	*not_ready = is_not_ready(state);
	return true;
}

/* N to any request for encryption, S to one for TLS; and nothing else, or it would be a server that
 * speaks unasked. */
static bool answers_request(const struct session *s, const char *bytes, size_t n)
{
	if (n != 1 || (s->first_kind != STARTUP_SSL && s->first_kind != STARTUP_GSSENC))
		return false;
	return bytes[0] == 'N' || (bytes[0] == 'S' && s->first_kind == STARTUP_SSL);
}

static void pass_answer(struct session *s)
{
	char answer;

	if (!take(s, s->first_bytes))
		return;
	(void)socket_read(s->server.fd, &answer, 1);
	if (socket_write(s->client.fd, &answer, 1) !=
	    1) { /* an empty buffer takes it, or it is gone */
		session_close(s, CLOSE_CLIENT_RESET);
		return;
	}
	s->secure = answer == 'S';
	count_down(s, 1);
	hold_yield_place(s);
	session_set_deadline(s, timeouts_of(s)->startup_ms);
	session_wake(s); /* its next packet may be here, and so may the server's end */
}

static void hear(struct session *s, const char *bytes, size_t n)
{
	bool not_ready;

	if (answers_request(s, bytes, n)) {
		pass_answer(s);
		return;
	}
	if (!says_not_ready(s, bytes, n, &not_ready))
		return; /* each further byte raises an edge */
	if (not_ready)
		failed(s, NOT_READY);
	else
		take_and_relay(s, s->first_bytes);
}

static void listen_to_server(struct session *s)
{
	char *bytes = s->worker->desk.scratch;
	ssize_t n = socket_peek(s->server.fd, bytes, ANSWER_BYTES);

	if (n > 0)
		hear(s, bytes, (size_t)n);
	else if (n == -EAGAIN)
		s->down.readable = false;
	else
		hung_up(s, n == 0 ? ECONNRESET : (int)-n);
}

/* Between its answer and the client's next packet: has the server gone meanwhile? */
static void watch_server(struct session *s)
{
	char byte;
	ssize_t n = socket_peek(s->server.fd, &byte, 1);

	if (n > 0)
		take_and_relay(s,
			       0); /* it speaks unasked: whatever it is, the client shall hear it */
	else if (n == -EAGAIN)
		s->down.readable = false;
	else if (++s->hang_ups < HANG_UPS)
		connect_elsewhere(s);
	else
		session_close(s, CLOSE_SERVER);
}

/* ---- another server for a client that was told S ---- */

static void negotiate(struct session *s)
{
	static const char ssl_request[] = {0, 0, 0, 8, 0x04, (char)0xd2, 0x16, 0x2f};

	s->negotiating = true;
	session_set_deadline(s, LATE_MS);
	hold_take_place(s);
	if (socket_write(s->server.fd, ssl_request, sizeof(ssl_request)) != sizeof(ssl_request))
		failed(s, ECONNRESET);
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
		failed(s, n == 1 ? EPROTO : n == 0 ? ECONNRESET : (int)-n);
	}
}

/* A client that says no more than this hears what there is to hear; there is no second try. */
static void await_answer(struct session *s)
{
	if (s->down.readable)
		listen_to_server(s);
	else if (s->up.ending)
		take_and_relay(s, s->first_bytes);
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
	else if (s->first_bytes)
		await_answer(s);
	else if (s->down.readable)
		watch_server(s);
}

/* Late, which is a sign; or much too late. */
void starting_expired(struct session *s)
{
	int64_t patience = timeouts_of(s)->startup_ms;
	int64_t waited = worker_now(s->worker) - s->active_ms;

	if (s->first_bytes == 0 && !s->negotiating) {
		session_close(s, CLOSE_STARTUP_TIMEOUT);
	} else if (waited >= patience) {
		failed(s, ETIMEDOUT);
	} else {
		lane_tell_sign(s->worker, s->lane, SIGN_TIMEOUT);
		hold_late(s);
		session_set_deadline(s, patience - waited);
	}
}

void starting_begin(struct session *s)
{
	session_move(s, SESSION_STARTING);
	s->active_ms = worker_now(s->worker);
	s->first_bytes = 0;
	s->negotiating = false;
	session_set_deadline(s, timeouts_of(s)->startup_ms);
	if (s->secure)
		negotiate(s);
	if (s->state == SESSION_STARTING)
		starting_run(s);
}
