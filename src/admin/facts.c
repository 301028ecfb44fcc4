/* Finding things in the facts that a command was given. */
#include "admin/facts.h"

/* The report has them listener by listener, member by member: as many before this one as the
 * scoreboard has servers' rows before its. */
const struct server_report *facts_server(const struct admin_facts *f, unsigned listener,
					 unsigned server)
{
	size_t i = counters_server_row(f->config, listener, server) - f->config->n_listeners;
	const struct server_report *s = &f->report->servers[i];

	return i < f->report->n_servers && s->listener == listener && s->server == server ? s
											  : NULL;
}

const char *facts_session_server(const struct admin_facts *f, const struct session_info *s)
{
	const struct cluster_config *cluster =
		config_listener_cluster(f->config, &f->config->listeners[s->listener]);

	if (s->server < 0 || (unsigned)s->server >= cluster->n_members)
		return NULL;
	return f->config->members[cluster->first_member + (unsigned)s->server].name;
}
