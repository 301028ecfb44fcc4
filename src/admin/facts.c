/* Finding things in the facts that a command was given. */
#include "admin/facts.h"

const struct server_report *facts_server(const struct admin_facts *f, unsigned listener,
					 unsigned server)
{
	for (size_t i = 0; i < f->report->n_servers; i++) {
		const struct server_report *s = &f->report->servers[i];
		if (s->listener == listener && s->server == server)
			return s;
	}
	return NULL;
}
