/* One line per session end. Not here: why it ended (session_close's caller),
 * counting (session.c), HAProxy's words (access_log_haproxy.c). */
#include "proxy/access_log.h"
#include "io/log.h"
#include "proxy/worker_state.h"
#include <string.h>

/* A port check of a load balancer connects and hangs up: no session to anybody who reads
 * the log. */
enum severity access_log_severity(const struct session *s)
{
	bool said_nothing = s->lane == NULL && !s->waited && s->up.bytes == 0 &&
			    (s->reason == CLOSE_CLIENT || s->reason == CLOSE_CLIENT_RESET);

	return said_nothing || s->is_cancel ? SEVERITY_DEBUG : SEVERITY_INFO;
}

static void add_server(struct log_line *line, const struct session *s)
{
	struct endpoint local = socket_local(s->server.fd);
	char text[ENDPOINT_TEXT_BYTES];

	if (s->lane)
		log_str(line, "server", s->worker->config->members[s->lane->member].name);
	if (local.kind != ENDPOINT_NONE)
		log_str(line, "server_local", endpoint_format(&local, text, sizeof(text)));
}

static bool say_pairs(struct log_line *line, const struct session *s)
{
	struct worker *w = s->worker;
	char text[ENDPOINT_TEXT_BYTES];

	if (!log_begin(line, access_log_severity(s), "session_end"))
		return false;
	log_str(line, "listener", w->listeners[s->listener].config->name);
	log_str(line, "client", endpoint_format(&s->peer, text, sizeof(text)));
	add_server(line, s);
	log_str(line, "reason", close_reason_key(s->reason));
	if (s->reason == CLOSE_CONNECT_FAILED)
		log_str(line, "error", connect_failure_text(s));
	log_int(line, "bytes_in", (int64_t)s->up.bytes);
	log_int(line, "bytes_out", (int64_t)s->down.bytes);
	log_int(line, "duration_ms", worker_now(w) - s->started_ms);
	log_int(line, "connect_ms", s->connect_ms);
	if (s->waited)
		log_int(line, "held_ms", s->held_ms);
	if (access_log_retries(s) > 0)
		log_int(line, "retries", access_log_retries(s));
	return true;
}

void access_log_flush(struct worker *w)
{
	log_flush(&w->ends);
}

/* Called while its sockets are still open. A write costs more than a line, and there may be many:
 * those of a turn are written together at its end. */
void access_log_end(const struct session *s, enum session_state was)
{
	struct worker *w = s->worker;
	struct log_line line;
	bool wanted = w->config->log.sessions;

	if (wanted)
		wanted = log_shape() == LOG_SYSLOG ? access_log_haproxy(&line, s, was)
						   : say_pairs(&line, s);
	if (wanted)
		log_end_later(&line, &w->ends);
}
