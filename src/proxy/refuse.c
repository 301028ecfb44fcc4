/* Telling a client why it cannot be carried, in its own protocol.
 *
 * Happy path: its StartupMessage is taken, the ErrorResponse sent, our side shut, and then
 * everything it still sends is read away until it closes: unread bytes would turn our close into an
 * RST, which can destroy the error before it is read. A client that asks for encryption first hears
 * N and then sends its StartupMessage. Failure modes: it never speaks (startup timeout), it never
 * closes (LINGER_MS), it hangs up (that's all). */
#include "base/assert.h"
#include "core/counters.h"
#include "proxy/worker_state.h"
#include "wire/pg_error.h"
#include "wire/pg_startup.h"
#include <errno.h>
#include <stdio.h>
#include <string.h>

enum { MAX_NEGOTIATIONS = 2 }; /* GSSENCRequest, SSLRequest: libpq tries each once */

static const struct listener_config *config_of(const struct session *s)
{
	return s->worker->listeners[s->listener].config;
}

/* Where they are not the same for all, an operator has made them so and knows. */
static const char *say_server_maxconn(const struct session *s, char *out, size_t n)
{
	const struct worker_listener *l = listener_of(s);
	unsigned most = NOTED(l->lanes[0].gauge, limit);

	snprintf(out, n, " (%u sessions)", most);
	for (unsigned i = 1; i < l->n_lanes; i++)
		if (NOTED(l->lanes[i].gauge, limit) != most)
			out[0] = '\0';
	return out;
}

static void limit_sentence(const struct session *s, char *out, size_t n)
{
	const struct listener_config *l = config_of(s);
	char most[32];

	switch ((enum session_limit)s->limit) {
	case LIMIT_NONE: INSIST(false);
	case LIMIT_PROCESS:
		snprintf(out, n, "isari has reached its maxconn (%u sessions)",
			 NOTED(s->worker->setup.scoreboard, maxconn));
		break;
	case LIMIT_LISTENER:
		snprintf(out, n, "listener \"%s\" has reached its maxconn (%u sessions)", l->name,
			 NOTED(listener_of(s)->gauge, limit));
		break;
	case LIMIT_HOLD:
		snprintf(out, n,
			 "listener \"%s\" has no server, and as many clients wait for one as may "
			 "(hold_max %u)",
			 l->name, l->hold_max);
		break;
	case LIMIT_SERVERS:
		snprintf(out, n, "every server of listener \"%s\" has reached its server_maxconn%s",
			 l->name, say_server_maxconn(s, most, sizeof(most)));
		break;
	}
}

/* With the last server that was tried, and what it did. */
static void unreached_sentence(const struct session *s, const char *cluster, char *out, size_t n)
{
	snprintf(out, n, "no server of cluster \"%s\" could be reached (%s: %s)", cluster,
		 s->worker->config->members[s->lane->member].name, connect_failure_text(s));
}

/* Or there is one, and those who came before still wait for its answer. */
static void none_sentence(const struct session *s, const char *cluster, char *out, size_t n)
{
	const struct view *v = s->worker->view;

	if (v->listeners[s->listener].n_open > 0)
		snprintf(out, n, "no server of cluster \"%s\" has answered in time", cluster);
	else
		view_none_sentence(v, s->listener, worker_now(s->worker), out, n);
}

/* The SQLSTATE, and the sentence in `out`. */
static const char *explain(const struct session *s, const char *why, char *out, size_t n)
{
	const struct worker *w = s->worker;
	const struct cluster_config *c = config_listener_cluster(w->config, config_of(s));

	switch ((enum close_reason)s->reason) {
	case CLOSE_LIMIT: limit_sentence(s, out, n); return SQLSTATE_TOO_MANY_CONNECTIONS;
	case CLOSE_INTERNAL:
		snprintf(out, n, "isari has no file descriptor or memory left");
		return SQLSTATE_TOO_MANY_CONNECTIONS;
	case CLOSE_BAD_STARTUP:
		snprintf(out, n, "isari received %s", why ? why : "no startup packet");
		return SQLSTATE_PROTOCOL_VIOLATION;
	case CLOSE_CONNECT_FAILED:
		unreached_sentence(s, c->name, out, n);
		return SQLSTATE_CANNOT_CONNECT_NOW;
	default: none_sentence(s, c->name, out, n); return SQLSTATE_CANNOT_CONNECT_NOW;
	}
}

static void linger(struct session *s)
{
	s->answered = true;
	socket_shutdown_write(s->client.fd);
	session_set_deadline(s, LINGER_MS);
}

static void send_error(struct session *s, const char *why)
{
	char sentence[512], packet[PG_ERROR_ENOUGH_BYTES];
	struct pg_error error = {.message = sentence};

	error.sqlstate = explain(s, why, sentence, sizeof(sentence));
	/* A fresh socket takes a kilobyte; if it does not, the client is gone. */
	(void)socket_write(s->client.fd, packet, pg_error_write(&error, packet, sizeof(packet)));
	linger(s);
}

static void send_alert(struct session *s)
{
	(void)socket_write(s->client.fd, tls_alert_internal_error, TLS_ALERT_BYTES);
	linger(s);
}

static void take(struct session *s, size_t n)
{
	(void)socket_read(s->client.fd, s->worker->desk.scratch, n);
}

/* N: no encryption with us; the client then sends its StartupMessage, or hangs up. */
static void decline_encryption(struct session *s, size_t consumed)
{
	take(s, consumed);
	s->negotiated++;
	(void)socket_write(s->client.fd, "N", 1);
}

static void refuse_invalid(struct session *s, const char *why)
{
	s->reason = CLOSE_BAD_STARTUP;
	send_error(s, why);
}

/* True: the next packet may be here already. */
static bool answer(struct session *s, const char *bytes, const struct startup *startup)
{
	switch (startup->kind) {
	case STARTUP_NEED_MORE:
		if (s->up.ending)
			session_close(s, s->reason);
		return false;
	case STARTUP_SSL:
	case STARTUP_GSSENC:
		if (s->negotiated < MAX_NEGOTIATIONS) {
			decline_encryption(s, startup->consumed);
			return true;
		}
		refuse_invalid(s, "no startup packet after it declined encryption");
		return false;
	case STARTUP_MESSAGE:
		take(s, startup->consumed);
		send_error(s, NULL);
		return false;
	case STARTUP_CANCEL: cancel_begin(s, bytes, startup->consumed); return false;
	case STARTUP_DIRECT_TLS: send_alert(s); return false;
	case STARTUP_INVALID: refuse_invalid(s, startup->why); return false;
	}
	return false;
}

/* The client's end, or nothing more to read for now? */
static void stop_reading(struct session *s, ssize_t n)
{
	if (n == -EAGAIN)
		s->up.readable = false;
	else
		session_close(s, n < 0 && !s->answered ? CLOSE_CLIENT_RESET : s->reason);
}

static void read_requests(struct session *s)
{
	char *bytes = s->worker->desk.scratch;
	struct startup startup;
	ssize_t n;

	do {
		n = socket_peek(s->client.fd, bytes, PEEK_BYTES);
		if (n <= 0) {
			stop_reading(s, n);
			return;
		}
		pg_startup_parse(bytes, (size_t)n, &startup);
	} while (answer(s, bytes, &startup));
}

static void read_away(struct session *s)
{
	ssize_t n = socket_read(s->client.fd, s->worker->desk.scratch, PUMP_SHARED_BYTES);

	if (n > 0)
		session_wake(s);
	else
		stop_reading(s, n);
}

void refuse_run(struct session *s)
{
	if (s->up.readable && !s->answered)
		read_requests(s);
	if (s->state == SESSION_REFUSING && s->answered && s->up.readable)
		read_away(s);
}

void refuse_expired(struct session *s)
{
	session_close(s, s->answered ? s->reason : CLOSE_STARTUP_TIMEOUT);
}

void refuse_begin(struct session *s, enum close_reason reason)
{
	int64_t patience = config_of(s)->timeouts.startup_ms;

	if (s->is_tcp) {
		session_close(s, reason);
		return;
	}
	s->reason = (uint8_t)reason;
	session_move(s, SESSION_REFUSING);
	session_set_deadline(s, patience < REFUSING_MS ? patience : REFUSING_MS);
	refuse_run(s);
}
