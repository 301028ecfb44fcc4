/* One line per session end. Not here: why it ended (session_close's caller),
 * counting (session.c). */
#include "io/log.h"
#include "proxy/worker_state.h"
#include <string.h>

/* A port check of a load balancer connects and hangs up: no session to anybody who reads
 * the log. */
static enum severity severity_of(const struct session *s)
{
	bool said_nothing = s->lane == NULL && s->up.bytes == 0 &&
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

void access_log_flush(struct worker *w)
{
	log_flush(&w->ends);
}

/* Called while its sockets are still open. A write costs more than a line, and there may be many:
 * those of a turn are written together at its end. */
void access_log_end(const struct session *s)
{
	struct worker *w = s->worker;
	char text[ENDPOINT_TEXT_BYTES];
	struct log_line line;

	if (!w->config->log.sessions || !log_begin(&line, severity_of(s), "session_end"))
		return;
	log_str(&line, "listener", w->listeners[s->listener].config->name);
	log_str(&line, "client", endpoint_format(&s->peer, text, sizeof(text)));
	add_server(&line, s);
	log_str(&line, "reason", close_reason_key(s->reason));
	if (s->reason == CLOSE_CONNECT_FAILED)
		log_str(&line, "error", connect_failure_text(s));
	log_int(&line, "bytes_in", (int64_t)s->up.bytes);
	log_int(&line, "bytes_out", (int64_t)s->down.bytes);
	log_int(&line, "duration_ms", worker_now(w) - s->started_ms);
	log_int(&line, "connect_ms", s->connect_ms);
	log_end_later(&line, &w->ends);
}
