/* The routing state as one immutable value: built, shared, compared, and put into a client's
 * sentence. Not here: who decides what is in it (monitor.c), who picks from it (balance.c). Pure,
 * any thread. */
#include "core/view.h"
#include "base/assert.h"
#include "base/mem.h"
#include "base/str.h"
#include "core/counters.h"
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

enum { MAX_TURNS = 1024 }; /* finer shares than 1/1024 nobody can see */

struct view *view_ref(struct view *v)
{
	atomic_fetch_add_explicit(&v->refs, 1, memory_order_relaxed);
	return v;
}

void view_unref(struct view *v)
{
	if (v == NULL || atomic_fetch_sub_explicit(&v->refs, 1, memory_order_acq_rel) != 1)
		return;
	for (size_t i = 0; i < v->n_listeners; i++) {
		free(v->listeners[i].servers);
		free(v->listeners[i].turns);
	}
	free(v->listeners);
	config_unref(v->config);
	free(v);
}

static void init_server(struct view_server *s, const struct member_config *m, unsigned row)
{
	s->member = m->id;
	s->row = row;
	s->state = SERVER_CLOSED;
	s->why = WHY_NOT_ASKED;
	s->cut = CLOSE_FENCED;
	s->weight = m->weight;
	s->port = m->port;
}

static void init_listener(struct view_listener *l, const struct config *c, unsigned listener)
{
	const struct cluster_config *cluster = config_listener_cluster(c, &c->listeners[listener]);

	l->listener = listener;
	l->n_servers = cluster->n_members;
	l->servers = xcalloc(l->n_servers, sizeof(*l->servers));
	l->none_why = WHY_NOT_ASKED;
	l->none_member = l->none_last = -1;
	for (unsigned i = 0; i < l->n_servers; i++)
		init_server(&l->servers[i], &c->members[cluster->first_member + i],
			    counters_server_row(c, listener, i));
}

struct view *view_new(struct config *config)
{
	struct view *v = xcalloc(1, sizeof(*v));

	atomic_init(&v->refs, 1);
	v->config = config_ref(config);
	v->n_listeners = config->n_listeners;
	v->listeners = xcalloc(v->n_listeners, sizeof(*v->listeners));
	for (unsigned i = 0; i < v->n_listeners; i++)
		init_listener(&v->listeners[i], config, i);
	return v;
}

/* ---- turns ---- */

static unsigned gcd(unsigned a, unsigned b)
{
	while (b) {
		unsigned rest = a % b;

		a = b;
		b = rest;
	}
	return a;
}

/* Make the sum of the shares at most MAX_TURNS (or one each, where there are more servers than
 * that). */
static void scale_shares(unsigned *share, unsigned n, unsigned n_open, uint64_t sum)
{
	uint64_t room = n_open < MAX_TURNS ? MAX_TURNS - n_open : 0;

	if (sum <= MAX_TURNS)
		return;
	for (unsigned i = 0; i < n; i++)
		if (share[i] > 0)
			share[i] = 1 + (unsigned)(share[i] * room / sum);
}

/* Turns of each server, in lowest terms; 0: takes no new sessions. Returns how many take some. */
static unsigned fill_shares(const struct view_listener *l, unsigned *share)
{
	unsigned n_open = 0, divisor = 0;
	uint64_t sum = 0;

	for (unsigned i = 0; i < l->n_servers; i++) {
		share[i] = l->servers[i].state == SERVER_OPEN ? l->servers[i].weight : 0;
		divisor = gcd(share[i], divisor);
		n_open += share[i] > 0;
	}
	for (unsigned i = 0; i < l->n_servers; i++) {
		share[i] = divisor ? share[i] / divisor : 0;
		sum += share[i];
	}
	scale_shares(share, l->n_servers, n_open, sum);
	return n_open;
}

/* Smooth weighted round robin (nginx): every server earns its share each turn, the richest is
 * chosen and pays the sum. 3:1 gives a a b a, not a a a b. */
static unsigned richest(long *credit, const unsigned *share, unsigned n, long sum)
{
	unsigned best = 0;

	for (unsigned i = 0; i < n; i++) {
		credit[i] += (long)share[i];
		if (share[best] == 0 || (share[i] > 0 && credit[i] > credit[best]))
			best = i;
	}
	credit[best] -= sum;
	return best;
}

static void unroll_turns(struct view_listener *l, const unsigned *share)
{
	long *credit = xcalloc(l->n_servers, sizeof(*credit));

	l->n_turns = 0;
	for (unsigned i = 0; i < l->n_servers; i++)
		l->n_turns += share[i];
	free(l->turns);
	l->turns = l->n_turns ? xcalloc(l->n_turns, sizeof(*l->turns)) : NULL;
	for (unsigned t = 0; t < l->n_turns; t++)
		l->turns[t] = (uint16_t)richest(credit, share, l->n_servers, (long)l->n_turns);
	free(credit);
}

static void finish_listener(struct view_listener *l)
{
	unsigned *share = xcalloc(l->n_servers, sizeof(*share));

	REQUIRE(l->n_servers <= UINT16_MAX);
	l->n_open = fill_shares(l, share);
	unroll_turns(l, share);
	free(share);
}

void view_finish(struct view *v)
{
	for (size_t i = 0; i < v->n_listeners; i++)
		finish_listener(&v->listeners[i]);
}

/* ---- comparison ---- */

static bool same_server(const struct view_server *a, const struct view_server *b)
{
	return a->member == b->member && a->row == b->row && a->state == b->state &&
	       a->why == b->why && (a->state != SERVER_CLOSED || a->cut == b->cut) &&
	       a->generation == b->generation && a->drain_back == b->drain_back &&
	       a->weight == b->weight && a->port == b->port && strcmp(a->ip, b->ip) == 0;
}

/* The turns follow from the servers. */
static bool same_listener(const struct view_listener *a, const struct view_listener *b)
{
	if (a->listener != b->listener || a->n_servers != b->n_servers ||
	    a->none_since_ms != b->none_since_ms || a->none_why != b->none_why ||
	    a->none_member != b->none_member || a->none_last != b->none_last)
		return false;
	for (unsigned i = 0; i < a->n_servers; i++)
		if (!same_server(&a->servers[i], &b->servers[i]))
			return false;
	return true;
}

bool view_same(const struct view *a, const struct view *b)
{
	if (a == b)
		return true;
	if (a->config != b->config || a->n_listeners != b->n_listeners)
		return false;
	for (size_t i = 0; i < a->n_listeners; i++)
		if (!same_listener(&a->listeners[i], &b->listeners[i]))
			return false;
	return true;
}

/* ---- the sentence ---- */

/* "primary", "primary or replica": what somebody who reads an error would call it. */
static void say_roles(unsigned serve, char *out, size_t n)
{
	static const char *const nouns[N_ROLES] = {
		[ROLE_PRIMARY] = "primary",       [ROLE_REPLICA] = "replica",
		[ROLE_SYNC] = "sync replica",     [ROLE_ASYNC] = "async replica",
		[ROLE_QUORUM] = "quorum replica", [ROLE_STANDBY_LEADER] = "standby leader",
		[ROLE_ANY] = "running server",
	};
	size_t used = 0;

	out[0] = '\0';
	if (serve & ROLE_BIT(ROLE_ANY))
		serve = ROLE_BIT(ROLE_ANY); /* the others are among them */
	for (unsigned r = 0; r < N_ROLES; r++)
		if ((serve & ROLE_BIT(r)) && used < n)
			used += (size_t)snprintf(out + used, n - used, "%s%s", used ? " or " : "",
						 nouns[r]);
}

/* The texts of WHY_LIST follow a member's name, but for the one that says it is about none of them.
 */
static void say_why(const struct view *v, const struct view_listener *l, char *out, size_t n)
{
	const char *text = why_text(l->none_why);

	if (l->none_why == WHY_NONE)
		out[0] = '\0';
	else if (l->none_why == WHY_NO_PROOF)
		snprintf(out, n, ": %s", text);
	else if (l->none_why == WHY_PROVEN || l->none_why == WHY_ROLE_HELD)
		snprintf(out, n, ": every server with the role has weight 0");
	else if (l->none_member < 0)
		snprintf(out, n, ": a member %s", text);
	else
		snprintf(out, n, ": %s %s", v->config->members[l->none_member].name, text);
}

/* Unless it is whom the reason speaks of. */
static void say_last(const struct view *v, const struct view_listener *l, char *out, size_t n)
{
	out[0] = '\0';
	if (l->none_last >= 0 && l->none_last != l->none_member)
		snprintf(out, n, "; the last primary was %s",
			 v->config->members[l->none_last].name);
}

void view_none_sentence(const struct view *v, unsigned listener, int64_t now_ms, char *out,
			size_t n)
{
	const struct view_listener *l;
	const struct listener_config *lc;
	char roles[128], since[24], why[256], last[128];

	REQUIRE(listener < v->n_listeners && n > 0);
	l = &v->listeners[listener];
	lc = &v->config->listeners[listener];
	say_roles(listener_config_roles(lc), roles, sizeof(roles));
	say_why(v, l, why, sizeof(why));
	say_last(v, l, last, sizeof(last));
	snprintf(out, n, "cluster \"%s\" has no %s since %s%s%s",
		 config_listener_cluster(v->config, lc)->name, roles,
		 str_duration(now_ms - l->none_since_ms, since, sizeof(since)), why, last);
}
