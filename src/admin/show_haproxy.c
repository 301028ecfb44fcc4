/* Commands of HAProxy's that isari has little or nothing to say to, in the form that HAProxy gives
 * them when it has nothing to say either: tools ask, and must not stumble. */
#include "admin/about.h"
#include "admin/command.h"
#include "admin/dates.h"
#include "admin/proxies.h"
#include "admin/replies.h"
#include <inttypes.h>
#include <stdlib.h>
#include <string.h>

/* Stick tables: there are none. */
void show_table(const struct command_call *c)
{
	if (c->n_args > 0)
		reply_error(c->out, REPLY_NO_TABLE);
}

/* Invalid HTTP messages: there are none. */
void show_errors(const struct command_call *c)
{
	const char *proxy = c->n_args ? c->args[0] : "";

	if (*proxy && !proxies_iid(c->facts->config, proxy) && strtol(proxy, NULL, 10) == 0) {
		reply_error(c->out, REPLY_NO_PROXY);
		return;
	}
	buf_puts(c->out, "Total events captured on ");
	date_put(c->facts->process, c->facts->process->wall_ms, c->out);
	buf_puts(c->out, " : 0\n");
}

/* Warnings of the start go to the log; HAProxy's own answer without any is empty as well. */
void show_startup_logs(const struct command_call *c)
{
	(void)c;
}

/* The system's resolver is asked, which does not say what it asks whom: ours are whole look-ups. */
void show_resolvers(const struct command_call *c)
{
	static const char *const zeros[] = {"nx",      "timeout", "refused",   "other",
					    "invalid", "too_big", "truncated", "outdated"};
	const struct meters *m = c->facts->meters;
	uint64_t asked = m ? m->lookups : 0, failed = m ? m->failed_lookups : 0;

	if (c->n_args > 0 && strcmp(c->args[0], "default") != 0) {
		reply_error(c->out, REPLY_NO_RESOLVERS);
		return;
	}
	buf_printf(c->out,
		   "Resolvers section default\n"
		   " nameserver system:\n"
		   "  sent:        %" PRIu64 "\n"
		   "  snd_error:   0\n"
		   "  valid:       %" PRIu64 "\n"
		   "  update:      0\n"
		   "  cname:       0\n"
		   "  cname_error: 0\n"
		   "  any_err:     %" PRIu64 "\n",
		   asked, asked - failed, failed);
	for (size_t i = 0; i < sizeof(zeros) / sizeof(zeros[0]); i++)
		buf_printf(c->out, "  %s:%*s0\n", zeros[i], (int)(12 - strlen(zeros[i])), "");
}

/* ---- show env ---- */

static void put_peer(const struct command_call *c)
{
	about_node(c->facts->process->node, c->out);
}

static void put_version(const struct command_call *c)
{
	buf_puts(c->out, ADMIN_VERSION);
}

static void put_cli(const struct command_call *c)
{
	const struct config *config = c->facts->config;
	char addr[320];

	for (size_t i = 0; i < config->n_stats_sockets; i++) {
		const struct addr *a = &config->stats_sockets[i].addr;

		buf_printf(c->out, "%s%s@%s", i ? ";" : "",
			   a->kind == ADDR_UNIX   ? "unix"
			   : strchr(a->host, ':') ? "ipv6"
						  : "ipv4",
			   addr_format(a, addr, sizeof(addr)));
	}
}

/* Not the environment itself: it may hold passwords that libpq or a script of the operator's is to
 * find there, and who may look at our counters need not see them. HAProxy adds variables of its own
 * to its environment; of these, those that have a meaning here. */
static const struct {
	const char *name;
	void (*put)(const struct command_call *c);
} variables[] = {
	{"HAPROXY_STARTUP_VERSION", put_version},
	{"HAPROXY_LOCALPEER", put_peer},
	{"HAPROXY_CLI", put_cli},
};

void show_env(const struct command_call *c)
{
	const char *only = c->n_args ? c->args[0] : NULL;
	bool any = false;

	for (size_t i = 0; i < sizeof(variables) / sizeof(variables[0]); i++) {
		if (only && strcmp(only, variables[i].name) != 0)
			continue;
		buf_printf(c->out, "%s=", variables[i].name);
		variables[i].put(c);
		buf_putc(c->out, '\n');
		any = true;
	}
	if (!any)
		reply_error(c->out, REPLY_NO_VARIABLE);
}
