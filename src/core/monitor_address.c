/* Where a member is asked, and what is left of what was known of it once that is elsewhere. Not
 * here: names into addresses (control/addresses.c). */
#include "base/str.h"
#include "core/monitor_state.h"
#include <string.h>

static bool same_address(const struct member_state *s, const struct event *ev)
{
	return strcmp(s->ip, ev->u.address.ip) == 0 &&
	       strcmp(s->rest_ip, ev->u.address.rest_ip) == 0;
}

/* Somebody else may live there. Sessions go on, to where they went; new ones wait for an answer
 * from the new address, and what was asked of the old one says nothing any more. */
void monitor_distrust(struct monitor *m, struct member_state *s, int64_t now_ms)
{
	struct cluster_state *c = monitor_cluster_of(m, s->config->id);
	struct asking *a = &s->asking;

	s->why = WHY_NOT_ASKED;
	s->health.up = false;
	s->health.answers = 0;
	s->lag = (struct lag){0};
	s->position = (struct lag_position){0};
	s->proof.fresh = false;
	s->proof.unwritable = WHY_NOT_ASKED;
	a->stale = a->in_flight;
	a->port_stale = a->port_in_flight;
	a->pending = 0;
	a->round_ms = now_ms - c->config->probe.interval_ms;
	doubt_surprise(&c->doubt, now_ms);
}

/* Sessions may go by a socket; Patroni has to be found all the same. */
static bool is_found(const struct member_state *s, const struct event *ev)
{
	return ev->u.address.rest_ip[0] && (ev->u.address.ip[0] || s->config->socket_path);
}

/* An address once known is kept until a better one comes. */
void monitor_take_address(struct monitor *m, const struct event *ev)
{
	struct member_state *s = &m->members[ev->u.address.member];

	if (!is_found(s, ev)) {
		if (!s->address_known)
			s->why = WHY_NO_ADDRESS;
		return;
	}
	if (same_address(s, ev))
		return;
	str_copy(s->ip, sizeof(s->ip), ev->u.address.ip);
	str_copy(s->rest_ip, sizeof(s->rest_ip), ev->u.address.rest_ip);
	monitor_distrust(m, s, ev->now_ms);
	s->address_known = true;
}
