/* The last word to a client whose session is ended by a verdict, an operator or our own stop:
 * PostgreSQL's own 57P01, so that its driver says why and its pool knows that the connection, not
 * the query, is at fault.
 *
 * Only in plain text and where a message may follow: everything that the client got ends with the
 * end of a message, nothing is left over for it, and its socket takes the whole word at once. One
 * send, which leaves together with the end, and no waiting, as there may be thousands. What the
 * client has sent meanwhile dies here (read away, or our close would be a reset, which can destroy
 * the word before it is read); a client that has sent more than READS_AT_MOST takes is reset after
 * all. Everybody else is reset. The server's leg is closed already. Worker thread only. */
#include "proxy/worker_state.h"
#include "wire/pg_error.h"
#include "wire/pg_stream.h"
#include <stdio.h>

enum { READS_AT_MOST = 2 }; /* of PUMP_SHARED_BYTES */

static bool deserves_a_word(enum close_reason reason)
{
	static const bool deserves[N_CLOSE_REASONS] = {
		[CLOSE_DEMOTED] = true,       [CLOSE_UNREACHABLE] = true, [CLOSE_LAGGING] = true,
		[CLOSE_FENCED] = true,        [CLOSE_LEASE] = true,       [CLOSE_MAINT] = true,
		[CLOSE_WRONG_CLUSTER] = true, [CLOSE_OPERATOR] = true,    [CLOSE_STOPPING] = true,
		[CLOSE_SENT_BACK] = true,
	};

	return deserves[reason];
}

static bool can_be_told(const struct session *s)
{
	return !s->abrupt && !s->client_error && !s->client_lost && !s->down.finished &&
	       pump_is_empty(&s->down) && pg_stream_at_boundary(&s->stream);
}

/* The reason in the words of the log. */
static size_t write_word(const struct session *s, char *packet, size_t n)
{
	const struct config *c = s->worker->config;
	const struct listener_config *l = s->lane->listener->config;
	char sentence[512];
	struct pg_error error = {.sqlstate = SQLSTATE_ADMIN_SHUTDOWN, .message = sentence};

	snprintf(sentence, sizeof(sentence), "terminating connection to %s of cluster \"%s\": %s",
		 c->members[s->lane->member].name, config_listener_cluster(c, l)->name,
		 close_reason_name(s->reason));
	return pg_error_write(&error, packet, n);
}

/* Those of one turn nearly all hear the same. */
static const struct farewell *word_to(const struct session *s)
{
	struct farewell *f = &s->worker->farewell;

	if (f->n > 0 && f->lane == s->lane && f->reason == s->reason)
		return f;
	f->lane = s->lane;
	f->reason = s->reason;
	f->n = write_word(s, f->packet, sizeof(f->packet));
	return f;
}

static void read_away(struct session *s)
{
	for (int i = 0; i < READS_AT_MOST; i++)
		if (socket_read(s->client.fd, s->worker->desk.scratch, PUMP_SHARED_BYTES) <
		    PUMP_SHARED_BYTES)
			return;
}

bool goodbye_say(struct session *s)
{
	const struct farewell *f;

	if (!deserves_a_word(s->reason) || !can_be_told(s))
		return false;
	f = word_to(s);
	if (socket_write_last(s->client.fd, f->packet, f->n) != (ssize_t)f->n)
		return false;
	read_away(s);
	return true;
}
