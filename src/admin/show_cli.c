/* `show cli sockets` and `show cli level`: how an operator can reach us, and what it may do. */
#include "admin/command.h"
#include <string.h>

static const char *level_name(enum access_level level)
{
	static const char *const names[] = {
		[LEVEL_USER] = "user", [LEVEL_OPERATOR] = "operator", [LEVEL_ADMIN] = "admin"};

	return names[level];
}

static const char *family_of(const struct addr *a)
{
	if (a->kind == ADDR_UNIX)
		return "unix";
	return strchr(a->host, ':') ? "ipv6" : "ipv4";
}

void show_cli_sockets(const struct command_call *c)
{
	const struct config *config = c->facts->config;
	char addr[320];

	buf_puts(c->out, "# socket lvl processes\n");
	for (size_t i = 0; i < config->n_stats_sockets; i++) {
		const struct stats_socket_config *s = &config->stats_sockets[i];

		buf_printf(c->out, "%s@%s %s all\n", family_of(&s->addr),
			   addr_format(&s->addr, addr, sizeof(addr)), level_name(s->level));
	}
}

void show_cli_level(const struct command_call *c)
{
	buf_printf(c->out, "%s\n", level_name(c->facts->level));
}
