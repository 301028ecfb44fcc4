/* `show sess`: one line per session in HAProxy's shape, so that greps for src=, fe=, be= and srv=
 * keep working, and more lines of one by its id, or of all. What HAProxy knows of its internals and
 * we do not have is left out; state, in and out are ours, and so is the JSON. */
#include "admin/command.h"
#include "admin/dates.h"
#include "admin/json_pages.h"
#include "admin/json_parts.h"
#include "admin/proxies.h"
#include "admin/replies.h"
#include "admin/stat_row.h"
#include <inttypes.h>
#include <stdlib.h>
#include <string.h>

/* HAProxy's short form: the two largest units that are not 0. */
static void put_age(int64_t ms, struct buf *out)
{
	static const struct {
		int64_t s;
		char name;
	} units[] = {{86400, 'd'}, {3600, 'h'}, {60, 'm'}, {1, 's'}};
	int64_t s = ms < 0 ? 0 : ms / 1000;
	int left = 2;

	if (s == 0)
		buf_puts(out, "0s");
	for (size_t i = 0; i < 4 && left > 0 && s > 0; i++) {
		if (s < units[i].s)
			continue;
		buf_printf(out, "%" PRId64 "%c", s / units[i].s, units[i].name);
		s %= units[i].s;
		left--;
	}
}

static const char *protocol_of(const char *client)
{
	if (client[0] == '[')
		return "tcpv6";
	return client[0] == '/' || strncmp(client, "unix", 4) == 0 ? "unix_stream" : "tcpv4";
}

static bool has_server(const struct config *config, const struct session_info *s)
{
	const struct listener_config *l = &config->listeners[s->listener];

	return s->server >= 0 &&
	       (unsigned)s->server < config_listener_cluster(config, l)->n_members;
}

static const char *server_of(const struct config *config, const struct session_info *s)
{
	const struct cluster_config *cluster =
		config_listener_cluster(config, &config->listeners[s->listener]);

	if (!has_server(config, s))
		return "<none>";
	return config->members[cluster->first_member + (unsigned)s->server].name;
}

static const char *local_of(const struct session_info *s)
{
	return s->server_local[0] ? s->server_local : "<none>";
}

static void put_session(const struct config *config, const struct session_info *s, struct buf *out)
{
	const struct listener_config *l = &config->listeners[s->listener];

	buf_printf(out, "0x%" PRIx64 ": proto=%s src=%s fe=%s be=%s srv=%s ts=00 age=", s->id,
		   protocol_of(s->client), s->client, l->frontend_name, l->backend_name,
		   server_of(config, s));
	put_age(s->age_ms, out);
	buf_puts(out, " idle=");
	put_age(s->idle_ms, out);
	buf_printf(out,
		   " state=%s in=%" PRIu64 " out=%" PRIu64 " local=%s scf=[fd=%d] scb=[fd=%d]\n",
		   s->state, s->bytes_in, s->bytes_out, local_of(s), s->client_fd, s->server_fd);
}

/* ---- the long form ---- */

/* A listener's first address; HAProxy names the one that took the session. */
static void put_frontend(const struct listener_config *l, struct buf *out)
{
	char addr[320] = "";

	if (l->n_binds > 0)
		addr_format(&l->binds[0], addr, sizeof(addr));
	buf_printf(out, "  frontend=%s (id=%u mode=tcp), listener=? (id=1) addr=%s\n",
		   l->frontend_name, l->frontend_iid, addr);
}

static void put_server(const struct admin_facts *f, const struct session_info *s, struct buf *out)
{
	struct stat_row r;

	if (!has_server(f->config, s)) {
		buf_puts(out, "  server=<NONE> (id=-1)\n");
		return;
	}
	stat_row_server(&r, f, s->listener, (unsigned)s->server);
	buf_printf(out, "  server=%s (id=%u) addr=%s\n", r.member->name, r.sid, r.addr);
}

static void put_details(const struct admin_facts *f, const struct session_info *s, struct buf *out)
{
	const struct listener_config *l = &f->config->listeners[s->listener];

	buf_printf(out, "0x%" PRIx64 ": ", s->id);
	date_put(f->process->wall_ms - s->age_ms, out);
	buf_printf(out, " id=%" PRIu64 " proto=%s source=%s\n", s->id, protocol_of(s->client),
		   s->client);
	buf_printf(out, "  state=%s age=", s->state);
	put_age(s->age_ms, out);
	buf_puts(out, " idle=");
	put_age(s->idle_ms, out);
	buf_printf(out, " in=%" PRIu64 " out=%" PRIu64 "\n", s->bytes_in, s->bytes_out);
	put_frontend(l, out);
	buf_printf(out, "  backend=%s (id=%u mode=tcp) addr=%s\n", l->backend_name, l->backend_iid,
		   local_of(s));
	put_server(f, s, out);
	buf_printf(out, "  scf=[fd=%d] scb=[fd=%d]\n", s->client_fd, s->server_fd);
}

static bool put_all(const struct admin_facts *f, bool details, uint64_t id, struct buf *out)
{
	bool any = false;

	for (size_t i = 0; i < f->n_sessions; i++) {
		const struct session_info *s = &f->sessions[i];

		if (s->listener >= f->config->n_listeners || (id && s->id != id))
			continue;
		if (details)
			put_details(f, s, out);
		else
			put_session(f->config, s, out);
		any = true;
	}
	return any;
}

/* A word that is no id, and 0, is as good as none, as in HAProxy. */
void show_sess(const struct command_call *c)
{
	const char *which = c->n_args ? c->args[0] : "";
	uint64_t id = strtoull(which, NULL, 0);

	if (!c->facts->have_sessions)
		c->order->type = ORDER_NEED_SESSIONS;
	else if (json_wanted(c, json_sessions))
		return;
	else if (!put_all(c->facts, id || strcmp(which, "all") == 0, id, c->out) && id)
		reply_error(c->out, REPLY_SESSION_NOT_FOUND);
}
