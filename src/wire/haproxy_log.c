/* A session's end in HAProxy's words. The letters are those of its manual (8.5, "Session state at
 * disconnection"); where the manual and HAProxy 2.6 differ, what 2.6 writes. Not here: which
 * session, where the line goes. */
#include "wire/haproxy_log.h"
#include "base/assert.h"
#include <inttypes.h>
#include <stdio.h>

enum { WHERE_IT_WAS = 1 }; /* the second letter is the stage */

struct ending {
	char who, when;
};

/* Who: C the client, S the server, c and s their timeouts, P the proxy by its rules, R for want of
 * resources, D because the server was found to be down, U because a better one came up, K by order.
 * HAProxy does not say at which stage it killed a session: '-'. */
static const struct ending endings[N_CLOSE_REASONS] = {
	[CLOSE_CLIENT] = {'C', WHERE_IT_WAS},       /* relaying: "--", a normal end (below) */
	[CLOSE_SERVER] = {'S', WHERE_IT_WAS},       /* likewise */
	[CLOSE_CLIENT_RESET] = {'C', WHERE_IT_WAS}, /* CD: aborted during the transfer */
	[CLOSE_SERVER_RESET] = {'S', WHERE_IT_WAS}, /* SD */
	[CLOSE_CLIENT_LOST] = {'C', WHERE_IT_WAS},  /* CD: so it ends with HAProxy's tcp-ut */
	[CLOSE_SERVER_LOST] = {'S', WHERE_IT_WAS},  /* SD */
	[CLOSE_DEMOTED] = {'D', '-'},     /* as `on-marked-down shutdown-sessions` when a check */
	[CLOSE_UNREACHABLE] = {'D', '-'}, /* of the server has failed: by a clear answer, by */
	[CLOSE_FENCED] = {'D', '-'},      /* silence, ... */
	[CLOSE_LEASE] = {'D', '-'},       /* ... */
	[CLOSE_LAGGING] = {'D', '-'},     /* ... */
	[CLOSE_WRONG_CLUSTER] = {'D', '-'},
	[CLOSE_MAINT] = {'D', '-'},     /* maintenance is a way to be down there, too */
	[CLOSE_OPERATOR] = {'K', '-'},  /* `shutdown sessions`, `shutdown session` */
	[CLOSE_STOPPING] = {'K', '-'},  /* what hard-stop-after does to those that are left */
	[CLOSE_SENT_BACK] = {'U', '-'}, /* `on-marked-up shutdown-backup-sessions`: same purpose */
	[CLOSE_NO_SERVER] = {'S', 'C'}, /* no server to connect to; after waiting: "sQ" (below) */
	[CLOSE_CONNECT_FAILED] = {'S', 'C'}, /* refused; timed out: "sC" (below) */
	[CLOSE_LIMIT] = {'P', WHERE_IT_WAS}, /* "connection limit enforcement" */
	[CLOSE_BAD_STARTUP] = {'P', 'R'},    /* "an invalid request syntax" */
	[CLOSE_STARTUP_TIMEOUT] = {'c', 'R'},
	[CLOSE_CLIENT_IDLE] = {'c', 'D'},
	[CLOSE_SERVER_IDLE] = {'s', 'D'},
	[CLOSE_INTERNAL] = {'R', WHERE_IT_WAS}, /* memory or descriptors */
};

static struct ending ending_of(const struct haproxy_session *s)
{
	enum close_reason r = s->reason;

	REQUIRE((size_t)r < N_CLOSE_REASONS);
	if (s->intercepted) /* "The request was intercepted and locally handled" */
		return (struct ending){'L', 'R'};
	if (s->stage == STAGE_DATA && (r == CLOSE_CLIENT || r == CLOSE_SERVER))
		return (struct ending){'-', '-'};
	/* "Too much time in queue" */
	if (s->stage == STAGE_QUEUE && (r == CLOSE_NO_SERVER || r == CLOSE_LIMIT))
		return (struct ending){'s', 'Q'};
	if (r == CLOSE_CONNECT_FAILED && s->timed_out)
		return (struct ending){'s', 'C'};
	return endings[r];
}

void haproxy_termination(const struct haproxy_session *s, char out[3])
{
	struct ending e = ending_of(s);

	out[0] = e.who;
	out[1] = e.when == WHERE_IT_WAS ? (char)s->stage : e.when;
	out[2] = '\0';
}

char *haproxy_session_text(const struct haproxy_session *s, char *out, size_t n)
{
	char state[3];

	haproxy_termination(s, state);
	snprintf(out, n,
		 "%s [%s] %s %s/%s %" PRId64 "/%" PRId64 "/%" PRId64 " %" PRIu64
		 " %s %u/%u/%u/%u/%s%u %u/%u",
		 s->client, s->accepted, s->frontend, s->backend, s->server ? s->server : "<NOSRV>",
		 s->wait_ms, s->connect_ms, s->total_ms, s->bytes_out, state, s->actconn, s->feconn,
		 s->beconn, s->srvconn, s->redispatched ? "+" : "", s->retries, s->srv_queue,
		 s->backend_queue);
	return out;
}
