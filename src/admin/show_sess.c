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
		buf_int(out, s / units[i].s);
		buf_putc(out, units[i].name);
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

static const char *local_of(const struct session_info *s)
{
	return s->server_local[0] ? s->server_local : "<none>";
}

static void put(struct buf *out, const char *key, const char *value)
{
	buf_puts(out, key);
	buf_puts(out, value);
}

static void put_times(const struct session_info *s, struct buf *out)
{
	buf_puts(out, " age=");
	put_age(s->age_ms, out);
	buf_puts(out, " idle=");
	put_age(s->idle_ms, out);
}

static void put_bytes(const struct session_info *s, struct buf *out)
{
	buf_puts(out, " in=");
	buf_uint(out, s->bytes_in);
	buf_puts(out, " out=");
	buf_uint(out, s->bytes_out);
}

static void put_descriptors(const struct session_info *s, struct buf *out)
{
	buf_puts(out, " scf=[fd=");
	buf_int(out, s->client_fd);
	buf_puts(out, "] scb=[fd=");
	buf_int(out, s->server_fd);
	buf_puts(out, "]\n");
}

/* In pieces: there may be 20,000 lines of it. */
static void put_session(const struct admin_facts *f, const struct session_info *s, struct buf *out)
{
	const struct listener_config *l = &f->config->listeners[s->listener];
	const char *server = facts_session_server(f, s);

	buf_printf(out, "0x%" PRIx64 ":", s->id);
	put(out, " proto=", protocol_of(s->client));
	put(out, " src=", s->client);
	put(out, " fe=", l->frontend_name);
	put(out, " be=", l->backend_name);
	put(out, " srv=", server ? server : "<none>");
	buf_puts(out, " ts=00");
	put_times(s, out);
	put(out, " state=", s->state);
	put_bytes(s, out);
	put(out, " local=", local_of(s));
	put_descriptors(s, out);
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

	if (!facts_session_server(f, s)) {
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
	date_put(f->process, f->process->wall_ms - s->age_ms, out);
	buf_printf(out, " id=%" PRIu64 " proto=%s source=%s\n", s->id, protocol_of(s->client),
		   s->client);
	put(out, "  state=", s->state);
	put_times(s, out);
	put_bytes(s, out);
	buf_putc(out, '\n');
	put_frontend(l, out);
	buf_printf(out, "  backend=%s (id=%u mode=tcp) addr=%s\n", l->backend_name, l->backend_iid,
		   local_of(s));
	put_server(f, s, out);
	buf_putc(out, ' ');
	put_descriptors(s, out);
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
			put_session(f, s, out);
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
