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
	bool stale; /* what is in flight is about a name of an older configuration */
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

static void log_member(struct log_line *line, const struct lookup *l)
{
	const struct config *config = l->owner->setup.config;
	const struct member_config *m = &config->members[l->member];

	log_str(line, "cluster", config->clusters[m->cluster].name);
	log_str(line, "member", m->name);
}

static void note_failure(struct lookup *l, int status)
{
	const struct lookup *first = &l->owner->lookups[2 * l->member];
	bool said = l->failed || (l != first && first->host && strcmp(l->host, first->host) == 0);
	struct log_line line;

	l->failed = true;
	if (said || !log_begin(&line, SEVERITY_WARNING, "name_not_resolved"))
		return;
	log_member(&line, l);
	log_str(&line, "host", l->host);
	log_str(&line, "why", uv_strerror(status));
	log_end(&line);
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
	log_member(&line, rest);
	log_str(&line, "socket", m->socket_path);
	log_str(&line, "rest", rest->ip);
	log_str(&line, "msg",
		"its Patroni is not on this machine: is this really the member's socket?");
	log_end(&line);
}

static void on_resolved(void *arg, int status, const char *ip);

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

static void ask_again(struct lookup *l)
{
	l->stale = false;
	if (l->host)
		look_up(l);
}

static void take_answer(struct lookup *l, int status, const char *ip)
{
	if (status < 0) {
		note_failure(l, status);
		return;
	}
	str_copy(l->ip, sizeof(l->ip), ip);
	l->failed = false;
	if (l != &l->owner->lookups[2 * l->member])
		doubt_socket(l);
}

static void on_resolved(void *arg, int status, const char *ip)
{
	struct lookup *l = arg;
	struct addresses *a = l->owner;
	struct lookup *first = &a->lookups[2 * l->member], *rest = first + 1;

	l->in_flight = false;
	a->n_in_flight--;
	if (a->setup.meters) {
		a->setup.meters->lookups++;
		a->setup.meters->failed_lookups += status < 0;
	}
	if (a->closing) {
		maybe_closed(a);
		return;
	}
	if (l->stale)
		ask_again(l);
	else
		take_answer(l, status, ip);
	if (!first->in_flight && !rest->in_flight)
		a->setup.on_address(a->setup.arg, l->member, first->ip, rest->ip);
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

static void name_lookups(struct addresses *a)
{
	for (size_t i = 0; i < a->n_lookups; i++) {
		const struct member_config *m = &a->setup.config->members[i / 2];

		a->lookups[i].member = m->id;
		a->lookups[i].host = i % 2 ? m->rest_host : m->socket_path ? NULL : m->host;
	}
}

static bool same_text(const char *a, const char *b)
{
	return a == b || (a && b && strcmp(a, b) == 0);
}

/* Whoever waits for it has forgotten the old address, even if the new one turns out the same. */
static void forget(struct lookup *l)
{
	l->ip[0] = '\0';
	l->failed = l->doubted = false;
	l->stale = l->in_flight;
}

void addresses_take_config(struct addresses *a, struct config *config)
{
	const struct config *before = a->setup.config;
	bool any = false;

	a->setup.config = config;
	for (size_t i = 0; i < config->n_members; i++) {
		const struct member_config *b = &before->members[i], *m = &config->members[i];

		if (same_text(b->host, m->host) && b->port == m->port &&
		    same_text(b->socket_path, m->socket_path) &&
		    same_text(b->rest_host, m->rest_host))
			continue;
		any = true;
		forget(&a->lookups[2 * i]);
		forget(&a->lookups[2 * i + 1]);
	}
	name_lookups(a);
	if (any)
		on_timer(&a->timer);
}

struct addresses *addresses_new(const struct addresses_setup *setup)
{
	struct addresses *a = xcalloc(1, sizeof(*a));

	a->setup = *setup;
	a->n_lookups = 2 * setup->config->n_members;
	a->lookups = xcalloc(a->n_lookups, sizeof(*a->lookups));
	for (size_t i = 0; i < a->n_lookups; i++)
		a->lookups[i].owner = a;
	name_lookups(a);
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
