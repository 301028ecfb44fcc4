/* The scoreboard: where each listener's and server's numbers live, and their sums.
 * Not here: how HAProxy's tools name them (admin/). A row is written by its worker alone, a gauge
 * by all. */
#include "core/counters.h"
#include "base/assert.h"
#include "base/mem.h"
#include <stdlib.h>

static unsigned listener_servers(const struct config *c, unsigned listener)
{
	return config_listener_cluster(c, &c->listeners[listener])->n_members;
}

unsigned counters_rows(const struct config *c)
{
	return counters_server_row(c, (unsigned)c->n_listeners, 0);
}

unsigned counters_server_row(const struct config *c, unsigned listener, unsigned server)
{
	unsigned row = (unsigned)c->n_listeners + server;

	REQUIRE(listener <= c->n_listeners);
	for (unsigned l = 0; l < listener; l++)
		row += listener_servers(c, l);
	return row;
}

static unsigned server_limit(const struct listener_config *l)
{
	return l->server_maxconn ? l->server_maxconn : GAUGE_UNLIMITED;
}

static void set_limits(struct scoreboard *s, const struct config *c)
{
	NOTE(s, maxconn, c->maxconn);
	for (unsigned i = 0; i < c->n_listeners; i++) {
		const struct listener_config *l = &c->listeners[i];
		unsigned row = counters_server_row(c, i, 0);
		unsigned most = server_limit(l);

		NOTE(&s->gauges[i], limit, l->maxconn);
		NOTE(&s->holds[i], limit, l->hold_max);
		for (unsigned k = 0; k < listener_servers(c, i); k++)
			NOTE(&s->gauges[row + k], limit, most);
	}
}

/* Another one than before is an operator's, and stays. */
static void renew_limit(_Atomic unsigned *limit, unsigned before, unsigned next)
{
	(void)atomic_compare_exchange_strong(limit, &before, next);
}

void scoreboard_take_config(struct scoreboard *s, const struct config *before,
			    const struct config *next)
{
	renew_limit(&s->maxconn, before->maxconn, next->maxconn);
	if (NOTED(s, maxconn) > next->maxconn) /* there is room for no more */
		NOTE(s, maxconn, next->maxconn);
	for (unsigned i = 0; i < next->n_listeners; i++) {
		const struct listener_config *l = &next->listeners[i], *b = &before->listeners[i];
		unsigned row = counters_server_row(next, i, 0);

		renew_limit(&s->gauges[i].limit, b->maxconn, l->maxconn);
		renew_limit(&s->holds[i].limit, b->hold_max, l->hold_max);
		for (unsigned k = 0; k < listener_servers(next, i); k++)
			renew_limit(&s->gauges[row + k].limit, server_limit(b), server_limit(l));
	}
}

struct scoreboard *scoreboard_new(const struct config *c, unsigned n_workers)
{
	struct scoreboard *s = xcalloc(1, sizeof(*s));

	s->n_workers = n_workers;
	s->n_rows = counters_rows(c);
	s->rows = xcalloc_aligned(alignof(struct counters), (size_t)n_workers * s->n_rows,
				  sizeof(*s->rows));
	s->workers = xcalloc_aligned(alignof(struct worker_stats), n_workers, sizeof(*s->workers));
	s->gauges = xcalloc_aligned(alignof(struct gauge), s->n_rows, sizeof(*s->gauges));
	s->holds = xcalloc_aligned(alignof(struct gauge), c->n_listeners, sizeof(*s->holds));
	s->frontends = xcalloc(c->n_listeners, sizeof(*s->frontends)); /* OPEN */
	set_limits(s, c);
	return s;
}

void scoreboard_free(struct scoreboard *s)
{
	if (s == NULL)
		return;
	free(s->rows);
	free(s->workers);
	free(s->gauges);
	free(s->holds);
	free(s->frontends);
	free(s);
}

struct counters *scoreboard_row(struct scoreboard *s, unsigned worker, unsigned row)
{
	REQUIRE(worker < s->n_workers && row < s->n_rows);
	return &s->rows[(size_t)worker * s->n_rows + row];
}

static uint64_t read_counter(const _Atomic uint64_t *counter)
{
	return atomic_load_explicit(counter, memory_order_relaxed);
}

static void add_row(struct counters_sum *out, const struct counters *row)
{
#define ADD(name, help) out->name += read_counter(&row->name);
	COUNTER_LIST(ADD)
#undef ADD
	for (unsigned i = 0; i < N_CLOSE_REASONS; i++)
		out->closes[i] += read_counter(&row->closes[i]);
}

void scoreboard_sum(const struct scoreboard *s, unsigned row, struct counters_sum *out)
{
	REQUIRE(row < s->n_rows);
	*out = (struct counters_sum){0};
	for (unsigned w = 0; w < s->n_workers; w++)
		add_row(out, &s->rows[(size_t)w * s->n_rows + row]);
}

void scoreboard_worker(const struct scoreboard *s, unsigned worker, unsigned n_listeners,
		       struct worker_numbers *out)
{
	const struct worker_stats *stats = &s->workers[worker];
	const struct counters *rows = &s->rows[(size_t)worker * s->n_rows];

	REQUIRE(worker < s->n_workers && n_listeners <= s->n_rows);
	*out = (struct worker_numbers){0};
#define READ(name, help) out->name = read_counter(&stats->name);
	WORKER_STATS_LIST(READ)
#undef READ
	for (unsigned i = 0; i < n_listeners; i++) {
		out->coalesced += read_counter(&rows[i].coalesced);
		out->spliced += read_counter(&rows[i].spliced);
	}
}

int64_t scoreboard_held_since_ms(const struct scoreboard *s, unsigned listener)
{
	int64_t oldest = 0;

	for (unsigned w = 0; w < s->n_workers; w++) {
		const struct counters *row = &s->rows[(size_t)w * s->n_rows + listener];
		int64_t since = atomic_load_explicit(&row->held_since_ms, memory_order_relaxed);

		if (since && (!oldest || since < oldest))
			oldest = since;
	}
	return oldest;
}

int64_t scoreboard_heard_ms(const struct scoreboard *s, const struct config *c, unsigned member)
{
	const struct member_config *m = &c->members[member];
	int64_t last = 0;

	for (unsigned i = 0; i < c->n_listeners; i++) {
		unsigned server = member - c->clusters[m->cluster].first_member, row;

		if (c->listeners[i].cluster != m->cluster)
			continue;
		row = counters_server_row(c, i, server);
		for (unsigned w = 0; w < s->n_workers; w++) {
			int64_t heard =
				atomic_load_explicit(&s->rows[(size_t)w * s->n_rows + row].heard_ms,
						     memory_order_relaxed);

			last = heard > last ? heard : last;
		}
	}
	return last;
}

static void keep_max(_Atomic unsigned *max, unsigned value)
{
	unsigned seen = atomic_load_explicit(max, memory_order_relaxed);

	while (seen < value &&
	       !atomic_compare_exchange_weak_explicit(max, &seen, value, memory_order_relaxed,
						      memory_order_relaxed))
		;
}

static bool enter(struct gauge *g, unsigned limit)
{
	unsigned now = atomic_load_explicit(&g->now, memory_order_relaxed);

	do {
		if (now >= limit)
			return false;
	} while (!atomic_compare_exchange_weak_explicit(
		&g->now, &now, now + 1, memory_order_relaxed, memory_order_relaxed));
	keep_max(&g->max, now + 1);
	return true;
}

bool gauge_enter(struct gauge *g)
{
	return enter(g, NOTED(g, limit));
}

void gauge_enter_anyway(struct gauge *g)
{
	(void)enter(g, GAUGE_UNLIMITED);
}

void gauge_leave(struct gauge *g)
{
	unsigned before = atomic_fetch_sub_explicit(&g->now, 1, memory_order_relaxed);

	INSIST(before > 0);
}

void gauge_forget_maxima(struct gauge *g)
{
	NOTE(g, max, NOTED(g, now));
	NOTE(g, connect_ms_max, 0);
	NOTE(g, session_ms_max, 0);
	NOTE(g, held_ms_max, 0);
}
