/* What HAProxy would have logged at a session's end: the facts for wire/haproxy_log.h. HAProxy
 * opens its server connection at once and queues only for a full server; our hold takes the part of
 * its queue. */
#include "io/clock.h"
#include "io/log.h"
#include "proxy/access_log.h"
#include "proxy/worker_state.h"
#include "wire/haproxy_log.h"
#include <errno.h>
#include <stdio.h>
#include <string.h>

/* It is told no: at once at the door, after a wait, or when no server would have it. */
static enum haproxy_stage stage_of_refusal(const struct session *s)
{
	if (s->waited)
		return STAGE_QUEUE;
	if (s->limit == LIMIT_PROCESS || s->limit == LIMIT_LISTENER)
		return STAGE_REQUEST;
	return STAGE_CONNECT;
}

static enum haproxy_stage stage_of(const struct session *s, enum session_state was)
{
	switch (was) {
	case SESSION_GREETING:
	case SESSION_CANCELLING:
	case SESSION_CLOSING:
	case N_SESSION_STATES: break;
	case SESSION_REFUSING: return stage_of_refusal(s);
	case SESSION_HELD: return STAGE_QUEUE;
	case SESSION_CONNECTING:
	case SESSION_STARTING: return STAGE_CONNECT;
	case SESSION_RELAYING: return STAGE_DATA;
	}
	return STAGE_REQUEST;
}

/* Who waits has none, whatever it tried before. */
static const char *server_of(const struct session *s, enum haproxy_stage stage)
{
	bool has_one =
		stage == STAGE_DATA || stage == STAGE_CONNECT || s->reason == CLOSE_CONNECT_FAILED;

	if (s->lane == NULL || !has_one || s->reason == CLOSE_NO_SERVER)
		return NULL;
	return s->worker->config->members[s->lane->member].name;
}

/* HAProxy has no brackets around an IPv6 address, and gives a UNIX client a number for a port. */
static void client_text(const struct session *s, char *out, size_t n)
{
	char text[ENDPOINT_TEXT_BYTES], *end;

	endpoint_format(&s->peer, text, sizeof(text));
	end = strrchr(text, ']');
	if (text[0] == '[' && end)
		snprintf(out, n, "%.*s%s", (int)(end - text - 1), text + 1, end + 1);
	else
		snprintf(out, n, "%s%s", text, strchr(text, ':') ? "" : ":1");
}

static void accepted_text(const struct session *s, char *out, size_t n)
{
	struct timespec wall = clock_wall();
	int64_t wall_ms = wall.tv_sec * (int64_t)1000 + wall.tv_nsec / 1000000;

	clock_haproxy_text(wall_ms - (worker_now(s->worker) - s->started_ms), out, n);
}

static unsigned others(unsigned n, bool is_among_them)
{
	return is_among_them && n > 0 ? n - 1 : n;
}

static void add_counts(struct haproxy_session *h, const struct session *s)
{
	h->actconn =
		atomic_load_explicit(&s->worker->setup.scoreboard->sessions, memory_order_relaxed);
	h->feconn = atomic_load_explicit(&listener_of(s)->gauge->now, memory_order_relaxed);
	h->beconn = others(h->feconn, s->admitted);
	if (h->server)
		h->srvconn =
			others(atomic_load_explicit(&s->lane->gauge->now, memory_order_relaxed),
			       s->on_server);
	h->retries = access_log_retries(s);
	h->redispatched = h->retries > 0 && s->attempts > 1;
	h->backend_queue = s->held_place;
}

static int64_t wait_ms(const struct session *s)
{
	if (s->waited)
		return s->held_ms;
	return s->calls > 0 ? 0 : -1;
}

bool access_log_haproxy(struct log_line *line, const struct session *s, enum session_state was)
{
	const struct listener_config *l = listener_of(s)->config;
	enum haproxy_stage stage = stage_of(s, was);
	bool connected = was == SESSION_STARTING || was == SESSION_RELAYING;
	char client[ENDPOINT_TEXT_BYTES + 2], accepted[CLOCK_HAPROXY_BYTES];
	char text[HAPROXY_SESSION_BYTES];
	struct haproxy_session h = {
		.client = client,
		.accepted = accepted,
		.frontend = l->frontend_name,
		.backend = l->backend_name,
		.server = server_of(s, stage),
		.wait_ms = wait_ms(s),
		.connect_ms = connected ? (int64_t)s->connect_ms : -1,
		.total_ms = worker_now(s->worker) - s->started_ms,
		.bytes_out = s->down.bytes,
		.reason = s->reason,
		.stage = stage,
		.intercepted = s->is_cancel,
		.timed_out = s->failure == ETIMEDOUT,
	};

	client_text(s, client, sizeof(client));
	accepted_text(s, accepted, sizeof(accepted));
	add_counts(&h, s);
	return log_begin_sentence(line, access_log_severity(s),
				  haproxy_session_text(&h, text, sizeof(text)));
}
