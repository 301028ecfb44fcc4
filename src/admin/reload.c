/* `reload`: the configuration file was edited. Not here: reading it, and what comes of it; the
 * caller does that, and writes the reply. */
#include "admin/command.h"

void reload(const struct command_call *c)
{
	c->order->type = ORDER_RELOAD;
}
