/* Names to addresses, again and again: at once, every 30 s, and every second while a name has no
 * address. A look-up cannot be called back, so a closing object waits for those under way. */
#include "control/addresses.h"
#include "base/addr.h"
#include "base/mem.h"
#include "base/str.h"
#include "io/log.h"
#include "io/resolve.h"
#include <stdlib.h>
#include <string.h>

enum { AGAIN_MS = 30000, RETRY_MS = 1000 };

struct lookup { /* one host name of one member */
	struct addresses *owner;
	unsigned member;
	const char *host; /* NULL: a socket, there is nothing to look up */
	bool in_flight, failed, doubted;
	char ip[RESOLVE_IP_BYTES];
};

struct addresses {
	struct addresses_setup setup;
	uv_timer_t timer;
	struct lookup *lookups; /* 2 * n_members: sessions, REST */
	size_t n_lookups, n_in_flight;
	bool closing, timer_closed;
	void (*on_closed)(void *arg);
	void *closed_arg;
};

static void maybe_closed(struct addresses *a)
{
	if (!a->closing || !a->timer_closed || a->n_in_flight > 0)
		return;
	a->on_closed(a->closed_arg);
	free(a->lookups);
	free(a);
}

static void note_failure(struct lookup *l, int status)
{
	const struct addresses *a = l->owner;
	const struct lookup *first = &a->lookups[2 * l->member];
	bool said = l->failed || (l != first && first->host && strcmp(l->host, first->host) == 0);

	if (!said)
		log_msg(SEVERITY_WARNING, "name_not_resolved", "%s of member %s: %s", l->host,
			a->setup.config->members[l->member].name, uv_strerror(status));
	l->failed = true;
}

/* One file for all nodes would send a member's sessions to whatever PostgreSQL runs here. In a
 * container the socket may come from elsewhere, so it is only said. */
static void doubt_socket(struct lookup *rest)
{
	const struct member_config *m = &rest->owner->setup.config->members[rest->member];
	struct log_line line;

	if (m->socket_path == NULL || rest->doubted || resolve_is_ours(rest->ip) ||
	    !log_begin(&line, SEVERITY_WARNING, "socket_of_another"))
		return;
	rest->doubted = true;
	log_str(&line, "member", m->name);
	log_str(&line, "socket", m->socket_path);
	log_str(&line, "rest", rest->ip);
	log_str(&line, "msg",
		"its Patroni is not on this machine: is this really the member's socket?");
	log_end(&line);
}

static void on_resolved(void *arg, int status, const char *ip)
{
	struct lookup *l = arg;
	struct addresses *a = l->owner;
	struct lookup *first = &a->lookups[2 * l->member], *rest = first + 1;

	l->in_flight = false;
	a->n_in_flight--;
	if (a->closing) {
		maybe_closed(a);
		return;
	}
	if (status < 0)
		note_failure(l, status);
	else
		str_copy(l->ip, sizeof(l->ip), ip);
	if (status == 0)
		l->failed = false;
	if (status == 0 && l == rest)
		doubt_socket(rest);
	if (!first->in_flight && !rest->in_flight)
		a->setup.on_address(a->setup.arg, l->member, first->ip, rest->ip);
}

static void look_up(struct lookup *l)
{
	if (l->in_flight)
		return;
	l->in_flight = true;
	l->owner->n_in_flight++;
	if (resolve_start(l->owner->setup.loop, l->host, on_resolved, l) < 0) {
		l->in_flight = false;
		l->owner->n_in_flight--;
	}
}

static bool settled(const struct lookup *l)
{
	return l->host == NULL || (addr_is_numeric(l->host) && l->ip[0]);
}

static void on_timer(uv_timer_t *timer)
{
	struct addresses *a = timer->data;
	bool missing = false;

	for (size_t i = 0; i < a->n_lookups; i++) {
		missing |= a->lookups[i].host && a->lookups[i].ip[0] == '\0';
		if (!settled(&a->lookups[i]))
			look_up(&a->lookups[i]);
	}
	uv_timer_start(&a->timer, on_timer, missing ? RETRY_MS : AGAIN_MS, 0);
}

struct addresses *addresses_new(const struct addresses_setup *setup)
{
	struct addresses *a = xcalloc(1, sizeof(*a));

	a->setup = *setup;
	a->n_lookups = 2 * setup->config->n_members;
	a->lookups = xcalloc(a->n_lookups, sizeof(*a->lookups));
	for (size_t i = 0; i < a->n_lookups; i++) {
		const struct member_config *m = &setup->config->members[i / 2];

		a->lookups[i].owner = a;
		a->lookups[i].member = m->id;
		a->lookups[i].host = i % 2 ? m->rest_host : m->socket_path ? NULL : m->host;
	}
	uv_timer_init(setup->loop, &a->timer);
	a->timer.data = a;
	return a;
}

void addresses_start(struct addresses *a)
{
	on_timer(&a->timer);
}

static void on_timer_closed(uv_handle_t *h)
{
	struct addresses *a = h->data;

	a->timer_closed = true;
	maybe_closed(a);
}

void addresses_close(struct addresses *a, void (*on_closed)(void *arg), void *arg)
{
	a->closing = true;
	a->on_closed = on_closed;
	a->closed_arg = arg;
	uv_close((uv_handle_t *)&a->timer, on_timer_closed);
}
