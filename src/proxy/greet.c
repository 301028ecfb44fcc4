/* The client's first bytes: what does it want? They are only peeked at, so that they reach the
 * server unchanged, and a client that is still talking costs no buffer. Not here: their format
 * (wire/pg_startup.h). */
#include "core/counters.h"
#include "proxy/worker_state.h"
#include "wire/pg_startup.h"
#include <errno.h>

static void decide(struct session *s, const char *bytes, size_t n, const struct startup *startup)
{
	switch (startup->kind) {
	case STARTUP_NEED_MORE: /* each further byte raises an edge; after its end none will come */
		if (s->up.ending)
			session_close(s, CLOSE_BAD_STARTUP);
		break;
	case STARTUP_CANCEL: cancel_begin(s, bytes, startup->consumed); break;
	case STARTUP_INVALID: refuse_begin(s, CLOSE_BAD_STARTUP); break;
	case STARTUP_MESSAGE:
	case STARTUP_SSL:
	case STARTUP_GSSENC:
	case STARTUP_DIRECT_TLS:
		connect_begin(s);
		starting_hurry(s, bytes, n, startup);
		break;
	}
}

void greet_run(struct session *s)
{
	struct startup startup;
	char *bytes = s->worker->desk.scratch;
	ssize_t n;

	if (!s->up.readable)
		return;
	n = socket_peek(s->client.fd, bytes, PEEK_BYTES);
	if (n > 0) {
		pg_startup_parse(bytes, (size_t)n, &startup);
		decide(s, bytes, (size_t)n, &startup);
	} else if (n == 0)
		session_close(s, CLOSE_CLIENT);
	else if (n == -EAGAIN)
		s->up.readable = false;
	else
		session_close(s, CLOSE_CLIENT_RESET);
}
