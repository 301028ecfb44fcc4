/* HAProxy 2.6's sentences about servers: those that it sends to syslog (what it prints at its
 * terminal has quotes in other places). */
#include "admin/server_sentence.h"
#include "admin/proxies.h"
#include <inttypes.h>
#include <stdio.h>
#include <string.h>

static bool is(const char *status, const char *word)
{
	return status && strcmp(status, word) == 0;
}

/* ---- why ---- */

/* The check's own words suffice; all else is known to isari only, and said where HAProxy has room
 * for free text. */
static bool is_said_by_check(enum why why)
{
	switch (why) {
	case WHY_NONE:
	case WHY_PROVEN:
	case WHY_ROLE_HELD:
	case WHY_ROLE_LOST:
	case WHY_NOT_LEADER:
	case WHY_REST_SILENT: return true;
	default: return false;
	}
}

static void put_reason(const struct server_report *r, char *out, size_t n)
{
	struct stat_check check = stat_check_of(r);
	const char *info = is_said_by_check(r->why) ? check.last : why_text(r->why);
	char code[32] = "";

	if (check.has_code)
		snprintf(code, sizeof(code), ", code: %d", r->check_status);
	snprintf(out, n, "reason: %s%s%s%s%s, check duration: %" PRId64 "ms", check.desc, code,
		 *info ? ", info: \"" : "", info, *info ? "\"" : "", r->check_ms);
}

/* ---- the sentences ---- */

static void put_left(const struct server_change *c, char *out, size_t n)
{
	snprintf(out, n,
		 "%u active and %u backup servers left. %u sessions active, 0 requeued, %u "
		 "remaining in queue.",
		 c->active, c->backups, c->sessions, c->waiting);
}

static void put_online(const struct server_change *c, char *out, size_t n)
{
	snprintf(out, n,
		 "%u active and %u backup servers online. 0 sessions requeued, %u total in queue.",
		 c->active, c->backups, c->waiting);
}

static void say_maintenance(const struct server_change *c, char *out, size_t n)
{
	if (is(c->before, "DOWN")) {
		snprintf(out, n, "was DOWN and now enters maintenance.");
		return;
	}
	snprintf(out, n, "is going DOWN for maintenance. ");
	put_left(c, out + strlen(out), n - strlen(out));
}

static void say_back_from_maintenance(const struct server_change *c, char *out, size_t n)
{
	snprintf(out, n, "is %s/%s (leaving forced maintenance).",
		 is(c->now, "DOWN") ? "DOWN" : "UP", is(c->now, "DRAIN") ? "DRAIN" : "READY");
}

static void say_drain(const struct server_change *c, char *out, size_t n)
{
	snprintf(out, n, "enters drain state. ");
	put_online(c, out + strlen(out), n - strlen(out));
}

static void say_checked(const struct server_change *c, char *out, size_t n)
{
	char why[256];

	put_reason(c->report, why, sizeof(why));
	snprintf(out, n, "is %s, %s. ", c->now, why);
	if (is(c->now, "UP"))
		put_online(c, out + strlen(out), n - strlen(out));
	else
		put_left(c, out + strlen(out), n - strlen(out));
}

static void say(const struct server_change *c, char *out, size_t n)
{
	if (is(c->now, "MAINT"))
		say_maintenance(c, out, n);
	else if (is(c->before, "MAINT"))
		say_back_from_maintenance(c, out, n);
	else if (is(c->now, "DRAIN"))
		say_drain(c, out, n);
	else if (is(c->before, "DRAIN") && is(c->now, "UP"))
		snprintf(out, n, "is UP (leaving forced drain).");
	else
		say_checked(c, out, n);
}

char *server_sentence(const struct server_change *c, char *out, size_t n)
{
	size_t head;

	snprintf(out, n, "Server %s/%s ", c->listener->backend_name, c->server);
	head = strlen(out);
	say(c, out + head, n - head);
	return out;
}

/* A `listen` is a proxy, a `backend` with a frontend of its own is that. */
char *server_sentence_none(const struct listener_config *l, char *out, size_t n)
{
	snprintf(out, n, "%s %s has no server available!",
		 proxies_is_listen(l) ? "proxy" : "backend", l->backend_name);
	return out;
}
