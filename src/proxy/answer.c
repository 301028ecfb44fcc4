/* What a server says first, and what that makes of it: this session's server, or one of those that
 * were tried. Not here: what it was asked (starting.c).
 *
 * Happy path: the answer is read, the client's packet, which the server has, is taken from the
 * client's socket, the answer goes to the client, and the rest is relaying. Failure modes: it says
 * that it takes nobody (the client hears nothing of it), it hangs up without a word. An
 * ErrorResponse has to be heard whole before that is known; what has come of it so far waits in
 * memory of its own. Worker thread only. */
#include "proxy/worker_state.h"
#include "wire/pg_error.h"
#include "wire/pg_startup.h"
#include <errno.h>
#include <stdlib.h>
#include <string.h>

enum {
	HANG_UPS = 3,        /* servers in a row */
	ANSWER_BYTES = 1024, /* an ErrorResponse, and more than the start of anything else */
};

struct heard {
	size_t n;
	char bytes[ANSWER_BYTES];
};

void answer_forget(struct session *s)
{
	if (!s->has_heard)
		return;
	free(s->heard);
	s->heard = NULL;
	s->has_heard = false;
}

/* ---- from one leg to the other ---- */

/* The server's bytes are at the scratch's beginning. */
static char *client_bytes(const struct session *s)
{
	return s->worker->desk.scratch + ANSWER_BYTES;
}

/* What the server has is taken from the client. False: it is gone, which only a reset does. */
static bool take(struct session *s, size_t n)
{
	if (n > 0 && socket_read(s->client.fd, client_bytes(s), n) != (ssize_t)n) {
		session_close(s, CLOSE_CLIENT_RESET);
		return false;
	}
	if (n > 0)
		s->up.readable = s->more; /* else reading on would only be told so */
	s->first_bytes = 0;
	s->up.bytes += n;
	session_count_moved(s, true, n);
	return true;
}

/* A fresh socket takes a kilobyte; if it does not, the client is gone. */
static bool give(struct session *s, const char *bytes, size_t n)
{
	if (n > 0 && socket_write(s->client.fd, bytes, n) != (ssize_t)n) {
		session_close(s, CLOSE_CLIENT_RESET);
		return false;
	}
	s->down.bytes += n;
	session_count_moved(s, false, n);
	return true;
}

/* The pumps stand still until the answer is through: what they move comes after it. */
static void bind_to(struct session *s, size_t taken, const char *answer, size_t n)
{
	bool up, down = s->down.readable;

	if (!take(s, taken))
		return;
	up = s->up.readable;
	s->up.readable = s->down.readable = false;
	connect_answered(s);
	relay_begin(s, s->secure ? NULL : client_bytes(s), taken);
	if (!give(s, answer, n))
		return;
	pg_stream_down(&s->stream, answer, n);
	s->up.readable = up;
	s->down.readable = down;
	relay_run(s);
}

/* No other server can be had for this client. What was heard of this one so far is what there is.
 */
void answer_bind(struct session *s, size_t taken)
{
	struct heard *h = s->has_heard ? s->heard : NULL;

	s->has_heard = false; /* its place is the stream's now */
	bind_to(s, taken, h ? h->bytes : NULL, h ? h->n : 0);
	free(h);
}

/* ---- what it says ---- */

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
	if (s->first_kind != STARTUP_MESSAGE || bytes[skip] != 'E')
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

static void pass_answer(struct session *s, const char *answer)
{
	if (!take(s, s->first_bytes) || !give(s, answer, 1))
		return;
	s->secure = *answer == 'S';
	hold_yield_place(s);
	session_set_deadline(s, listener_of(s)->config->timeouts.startup_ms);
	if (s->up.readable || s->down.readable)
		session_wake(s); /* its next packet is here, or the server's end */
}

/* Each further byte raises an edge. */
static void hear_on(struct session *s, const char *bytes, size_t n)
{
	if (s->has_heard)
		return;
	s->heard = malloc(sizeof(*s->heard));
	if (s->heard == NULL) {
		session_close(s, CLOSE_INTERNAL);
		return;
	}
	s->has_heard = true;
	s->heard->n = n;
	memcpy(s->heard->bytes, bytes, n);
}

static void hear(struct session *s, const char *bytes, size_t n)
{
	bool not_ready;

	if (answers_request(s, bytes, n))
		pass_answer(s, bytes);
	else if (!says_not_ready(s, bytes, n, &not_ready))
		hear_on(s, bytes, n);
	else if (not_ready)
		starting_failed(s, NOT_READY);
	else if (s->has_heard)
		answer_bind(s, s->first_bytes);
	else
		bind_to(s, s->first_bytes, bytes, n);
}

static void hung_up(struct session *s, int error)
{
	if (!s->has_heard && ++s->hang_ups < HANG_UPS)
		starting_failed(s, error);
	else
		answer_bind(s, s->first_bytes); /* the pumps find the end, and pass it on */
}

static void listen_to_server(struct session *s)
{
	char *bytes = s->has_heard ? s->heard->bytes : s->worker->desk.scratch;
	size_t had = s->has_heard ? s->heard->n : 0;
	ssize_t n = socket_read(s->server.fd, bytes + had, ANSWER_BYTES - had);

	if (n > 0) {
		if (s->has_heard)
			s->heard->n += (size_t)n;
		s->down.readable = s->down.ending || had + (size_t)n == ANSWER_BYTES;
		hear(s, bytes, had + (size_t)n);
	} else if (n == -EAGAIN) {
		s->down.readable = false;
	} else {
		hung_up(s, n == 0 ? ECONNRESET : (int)-n);
	}
}

/* Between its answer and the client's next packet: has the server gone meanwhile? */
static void watch_server(struct session *s)
{
	char byte;
	ssize_t n = socket_peek(s->server.fd, &byte, 1);

	if (n > 0)
		answer_bind(s, 0); /* it speaks unasked: the client shall hear it, whatever it is */
	else if (n == -EAGAIN)
		s->down.readable = false;
	else if (++s->hang_ups < HANG_UPS)
		connect_elsewhere(s);
	else
		session_close(s, CLOSE_SERVER);
}

void answer_await(struct session *s)
{
	if (s->down.readable && s->first_bytes)
		listen_to_server(s);
	else if (s->down.readable)
		watch_server(s);
	else if (s->first_bytes && s->up.ending) /* it says no more: no second try */
		answer_bind(s, s->first_bytes);
}
