/* Ending sessions: all of a server's, or one. */
#include "admin/replies.h"
#include "admin/take.h"
#include <errno.h>
#include <stdlib.h>

void shutdown_sessions_server(const struct command_call *c)
{
	if (take_server(c, 0))
		c->order->type = ORDER_SHUTDOWN_SERVER;
}

/* As `show sess` prints it. */
static bool take_session(const struct command_call *c)
{
	const char *text = take_word(c, 0);
	char *end;

	errno = 0;
	c->order->session = strtoull(text, &end, 0);
	if (c->order->session != 0 && errno == 0 && *end == '\0' && *text >= '0' && *text <= '9')
		return true;
	reply_error(c->out, REPLY_REQUIRE_SESSION);
	return false;
}

void shutdown_session(const struct command_call *c)
{
	const struct admin_facts *f = c->facts;

	if (!take_session(c))
		return;
	if (!f->have_sessions) {
		c->order->type = ORDER_NEED_SESSIONS;
		return;
	}
	for (size_t i = 0; i < f->n_sessions; i++)
		if (f->sessions[i].id == c->order->session) {
			c->order->type = ORDER_SHUTDOWN_SESSION;
			c->order->listener = f->sessions[i].listener;
			return;
		}
	reply_error(c->out, REPLY_NO_SESSION);
}
