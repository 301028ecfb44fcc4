/* Whom a command is about. Not here: what it wants of them. */
#include "admin/take.h"
#include "admin/proxies.h"
#include "admin/replies.h"

const char *take_word(const struct command_call *c, size_t at)
{
	return at < c->n_args ? c->args[at] : "";
}

bool take_server(const struct command_call *c, size_t at)
{
	static const enum reply_error errors[] = {
		[PROXIES_NO_SLASH] = REPLY_REQUIRE_SERVER,
		[PROXIES_NO_BACKEND] = REPLY_NO_BACKEND,
		[PROXIES_NO_SERVER] = REPLY_NO_SERVER,
	};
	enum proxies_found found = proxies_backend_server(c->facts->config, take_word(c, at),
							  &c->order->listener, &c->order->server);

	if (found != PROXIES_FOUND)
		reply_error(c->out, errors[found]);
	return found == PROXIES_FOUND;
}

bool take_frontend(const struct command_call *c, size_t at)
{
	const char *name = take_word(c, at);
	int found = *name ? proxies_frontend(c->facts->config, name) : -1;

	if (found < 0) {
		reply_error(c->out, *name ? REPLY_NO_FRONTEND : REPLY_REQUIRE_FRONTEND);
		return false;
	}
	c->order->listener = (unsigned)found;
	return true;
}
