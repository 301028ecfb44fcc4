/* `show sess`: one line per session in HAProxy's shape, so that greps for src=, fe=, be= and srv=
 * keep working. What HAProxy knows of its internals and we do not have is left out; state, in and
 * out are ours. */
#include "admin/command.h"
#include <inttypes.h>
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

static const char *server_of(const struct config *config, const struct session_info *s)
{
	const struct cluster_config *cluster =
		config_listener_cluster(config, &config->listeners[s->listener]);

	if (s->server < 0 || (unsigned)s->server >= cluster->n_members)
		return "<none>";
	return config->members[cluster->first_member + (unsigned)s->server].name;
}

static void put_session(const struct config *config, const struct session_info *s, struct buf *out)
{
	const char *listener = config->listeners[s->listener].name;

	buf_printf(out, "0x%" PRIx64 ": proto=%s src=%s fe=%s be=%s srv=%s ts=00 age=", s->id,
		   protocol_of(s->client), s->client, listener, listener, server_of(config, s));
	put_age(s->age_ms, out);
	buf_puts(out, " idle=");
	put_age(s->idle_ms, out);
	buf_printf(out,
		   " state=%s in=%" PRIu64 " out=%" PRIu64 " local=%s scf=[fd=%d] scb=[fd=%d]\n",
		   s->state, s->bytes_in, s->bytes_out,
		   s->server_local[0] ? s->server_local : "<none>", s->client_fd, s->server_fd);
}

void show_sess(const struct command_call *c)
{
	const struct admin_facts *f = c->facts;

	if (!f->have_sessions) {
		c->order->type = ORDER_NEED_SESSIONS;
		return;
	}
	for (size_t i = 0; i < f->n_sessions; i++) {
		if (f->sessions[i].listener < f->config->n_listeners)
			put_session(f->config, &f->sessions[i], c->out);
	}
}
