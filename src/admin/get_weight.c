/* `get weight`: the weight in force, and the configured one. */
#include "admin/replies.h"
#include "admin/take.h"

void get_weight(const struct command_call *c)
{
	const struct admin_facts *f = c->facts;
	const struct server_report *s;

	if (take_word(c, 0)[0] == '/' && take_word(c, 0)[1]) { /* not so in HAProxy's `set` */
		reply_error(c->out, REPLY_NO_BACKEND);
		return;
	}
	if (!take_server(c, 0))
		return;
	s = facts_server(f, c->order->listener, c->order->server);
	buf_printf(c->out, "%u (initial %u)\n", s->weight, f->config->members[s->member].weight);
}
