/* The rows of `show stat`: a listener's FRONTEND, its servers, its BACKEND.
 * Not here: the columns (show_stat.c), the words for a check (stat_check.c). */
#include "admin/stat_row.h"
#include "admin/proxies.h"
#include "base/assert.h"
#include "base/str.h"
#include <string.h>

static const struct listener_config *row_init(struct stat_row *r, enum stat_kind kind,
					      const struct admin_facts *f, unsigned listener)
{
	const struct listener_config *l = &f->config->listeners[listener];

	*r = (struct stat_row){
		.kind = kind,
		.facts = f,
		.listener = l,
		.cluster = config_listener_cluster(f->config, l),
		.standing = &f->listeners[listener],
		.counts = f->rows[listener],
	};
	return l;
}

void stat_row_frontend(struct stat_row *r, const struct admin_facts *f, unsigned listener)
{
	row_init(r, STAT_FRONTEND, f, listener);
	/* draining: it listens no more */
	r->status =
		frontend_state_name(f->process->stopping ? FRONTEND_STOP : r->standing->frontend);
}

/* Where sessions go: the socket, or the resolved address if there is one, else as configured. */
static void server_address(struct stat_row *r, unsigned server)
{
	struct addr a = {.kind = ADDR_TCP, .port = r->member->port};
	const struct view *v = r->facts->view;

	r->ip = v ? v->listeners[r->listener->id].servers[server].ip : "";
	if (r->member->socket_path)
		a.kind = ADDR_UNIX;
	str_copy(a.host, sizeof(a.host),
		 r->member->socket_path ? r->member->socket_path
		 : *r->ip               ? r->ip
					: r->member->host);
	addr_format(&a, r->addr, sizeof(r->addr));
}

/* The primary of a listener that serves others, and it as a last resort. */
static bool is_backup(const struct listener_config *l, const struct report *report, unsigned member)
{
	return l->fallback == FALLBACK_PRIMARY &&
	       report->clusters[l->cluster].primary == (int)member;
}

void stat_row_server(struct stat_row *r, const struct admin_facts *f, unsigned listener,
		     unsigned server)
{
	row_init(r, STAT_SERVER, f, listener);
	r->sid = PROXY_FIRST_SID + server;
	r->server = facts_server(f, listener, server);
	INSIST(r->server);
	r->member = &f->config->members[r->cluster->first_member + server];
	r->counts = f->rows[r->server->row];
	r->attempts = r->counts.sum.sessions;
	r->backup = is_backup(r->listener, f->report, r->member->id);
	r->status = stat_server_status(r->server);
	r->checked = r->server->admin != ADMIN_MAINT;
	r->check = stat_check_of(r->server);
	server_address(r, server);
}

/* A backup counts while it could be used; its weight, like anybody's, while it is. */
static void add_server(struct stat_servers *sum, const struct server_report *s, bool backup)
{
	const char *status = stat_server_status(s);
	bool open = s->state == SERVER_OPEN;

	sum->running += strcmp(status, "UP") == 0 || strcmp(status, "DRAIN") == 0;
	if (s->weight == 0)
		return;
	if (backup)
		sum->backups += open || s->why == WHY_LAST_RESORT;
	else
		sum->active += open;
	sum->usable_weight += open ? s->weight : 0;
}

struct stat_servers stat_servers_of(const struct config *config, const struct report *report,
				    unsigned listener)
{
	const struct listener_config *l = &config->listeners[listener];
	struct stat_servers sum = {0};

	for (size_t i = 0; i < report->n_servers; i++) {
		const struct server_report *s = &report->servers[i];

		if (s->listener == listener)
			add_server(&sum, s, is_backup(l, report, s->member));
	}
	return sum;
}

/* The listener's own row counts its sessions whole, whatever number of servers each one tried; only
 * the attempts are the servers' sum. */
void stat_row_backend(struct stat_row *r, const struct admin_facts *f, unsigned listener)
{
	row_init(r, STAT_BACKEND, f, listener);
	for (unsigned i = 0; i < r->cluster->n_members; i++)
		r->attempts += f->rows[counters_server_row(f->config, listener, i)].sum.sessions;
	r->servers = stat_servers_of(f->config, f->report, listener);
	r->status = r->servers.usable_weight ? "UP" : "DOWN";
}
