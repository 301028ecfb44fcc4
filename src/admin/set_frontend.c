/* A listener's own door: paused, opened again, or shut for good, as HAProxy's frontends. Its
 * sessions go on. Not here: the sockets (proxy/accept.c). */
#include "admin/replies.h"
#include "admin/take.h"

/* What is said when the door is already so, by what is wanted and what is; others change it. */
static const enum reply_error refusals[N_FRONTEND_STATES][N_FRONTEND_STATES] = {
	[FRONTEND_OPEN] = {[FRONTEND_OPEN] = REPLY_ENABLED, [FRONTEND_STOP] = REPLY_SHUT_ENABLE},
	[FRONTEND_PAUSED] =
		{[FRONTEND_PAUSED] = REPLY_DISABLED, [FRONTEND_STOP] = REPLY_SHUT_DISABLE},
	[FRONTEND_STOP] = {[FRONTEND_STOP] = REPLY_SHUT},
};

_Static_assert(REPLY_UNKNOWN == 0, "no refusal is this one, so it stands for none");

static void set_frontend(const struct command_call *c, enum frontend_state wanted)
{
	enum reply_error refusal;

	if (!take_frontend(c, 0))
		return;
	refusal = refusals[wanted][c->facts->listeners[c->order->listener].frontend];
	if (refusal != REPLY_UNKNOWN) {
		reply_error(c->out, refusal);
		return;
	}
	c->order->type = ORDER_FRONTEND;
	c->order->frontend = wanted;
}

void enable_frontend(const struct command_call *c)
{
	set_frontend(c, FRONTEND_OPEN);
}

void disable_frontend(const struct command_call *c)
{
	set_frontend(c, FRONTEND_PAUSED);
}

void shutdown_frontend(const struct command_call *c)
{
	set_frontend(c, FRONTEND_STOP);
}
