/* Time and truth of the model. */
#include "world.h"
#include <stdarg.h>
#include <stdio.h>
#include <string.h>

void world_trace(const struct world *w, const char *format, ...)
{
	va_list ap;

	if (!w->tracing)
		return;
	printf("[%8lld] ", (long long)w->now_ms);
	va_start(ap, format);
	vprintf(format, ap);
	va_end(ap);
	putchar('\n');
}

uint64_t world_chance(struct world *w, uint64_t n)
{
	return rng_below(&w->rng, n);
}

static void init_node(struct world *w, struct node *n)
{
	n->in_recovery = true;
	n->timeline = 1;
	n->lsn = 1000;
	n->isari_link = n->dcs_link = true;
	n->delay_ms = 1 + (int64_t)world_chance(w, 5);
	n->next_loop_ms = w->now_ms + (int64_t)world_chance(w, 3000);
}

/* ttl >= loop_wait + 2 * retry_timeout, as Patroni asks for. */
void world_draw_times(struct world *w)
{
	static const struct {
		int64_t ttl_ms, loop_wait_ms, retry_ms;
	} settings[] = {
		{30000, 10000, 10000}, {30000, 10000, 10000}, {20000, 5000, 5000},
		{20000, 10000, 5000},  {20000, 5000, 7500},
	};
	size_t i = world_chance(w, sizeof(settings) / sizeof(settings[0]));

	w->ttl_ms = settings[i].ttl_ms;
	w->loop_wait_ms = settings[i].loop_wait_ms;
	w->retry_ms = settings[i].retry_ms;
}

static void draw_settings(struct world *w)
{
	world_draw_times(w);
	w->steals = world_chance(w, 4) == 0;
	w->cached_reads = world_chance(w, 2);
	w->failsafe_mode = world_chance(w, 4) == 0;
	w->standby = world_chance(w, 24) == 0;
	w->says_name = world_chance(w, 2);
}

void world_init(struct world *w, uint64_t seed, bool tracing)
{
	memset(w, 0, sizeof(*w));
	rng_seed(&w->rng, seed);
	w->tracing = tracing;
	w->now_ms = 1000000;
	w->n_nodes = 3 + (unsigned)world_chance(w, 1 + world_chance(w, WORLD_MAX_NODES - 2));
	w->dcs_up = true;
	w->lock_holder = w->failsafe_leader = -1;
	draw_settings(w);
	for (unsigned i = 0; i < w->n_nodes; i++)
		init_node(w, &w->nodes[i]);
	world_trace(w, "%u nodes, ttl %lld, loop_wait %lld, retry_timeout %lld%s%s%s", w->n_nodes,
		    (long long)w->ttl_ms, (long long)w->loop_wait_ms, (long long)w->retry_ms,
		    w->steals ? ", steals" : "", w->failsafe_mode ? ", failsafe mode" : "",
		    w->standby ? ", standby cluster" : "");
}

/* isari may start beside a primary that cannot be asked, beside two that say they are it, or beside
 * the primary of another cluster. */
static void draw_first_impression(struct world *w)
{
	static const enum rest_mood moods[] = {MOOD_UNSURE, MOOD_LIAR, MOOD_SLOW};
	unsigned i = (unsigned)world_chance(w, w->n_nodes);

	if (world_chance(w, 3))
		return;
	i = world_chance(w, 2) ? i : (unsigned)w->lock_holder;
	w->nodes[i].mood = moods[world_chance(w, 3)];
	if ((int)i != w->lock_holder && world_chance(w, 2)) {
		w->nodes[i].mood = MOOD_FOREIGN;
		w->nodes[i].foreign = FOREIGN_SCOPE | FOREIGN_SYSTEM;
	}
	world_trace(w, "n%u answers in mood %d at first", i, w->nodes[i].mood);
}

void world_calm(struct world *w)
{
	for (unsigned i = 0; i < w->n_nodes; i++)
		w->nodes[i].mood = MOOD_HONEST;
}

void world_establish(struct world *w)
{
	unsigned i = (unsigned)world_chance(w, w->n_nodes);
	struct node *n = &w->nodes[i];
	uint64_t timeline = 1 + world_chance(w, 5);

	for (unsigned k = 0; k < w->n_nodes; k++)
		w->nodes[k].timeline = timeline;
	n->in_recovery = w->standby;
	n->next_loop_ms = w->now_ms + 1 + (int64_t)world_chance(w, (uint64_t)w->loop_wait_ms);
	n->renewed_ms = n->next_loop_ms - w->loop_wait_ms;
	n->dcs_seen_ms = n->renewed_ms;
	n->believes_until_ms = w->lock_until_ms = n->renewed_ms + w->ttl_ms;
	w->lock_holder = (int)i;
	world_trace(w, "n%u is the leader from the start", i);
	draw_first_impression(w);
}

static int64_t next_ms(const struct world *w)
{
	int64_t next = w->now_ms + 1000;

	for (unsigned i = 0; i < w->n_nodes; i++) {
		int64_t at = patroni_next_ms(w, i);

		next = at > w->now_ms && at < next ? at : next;
	}
	return next;
}

void world_advance(struct world *w, int64_t until_ms)
{
	while (w->now_ms < until_ms) {
		int64_t next = next_ms(w);

		w->now_ms = next < until_ms ? next : until_ms;
		for (unsigned i = 0; i < w->n_nodes; i++)
			patroni_live(w, i);
	}
}

/* ---- truth ---- */

bool world_runs(const struct world *w, const struct node *n)
{
	return n->postgres == LIFE_RUNNING && w->now_ms >= n->running_at_ms;
}

int64_t world_wall_ms(const struct world *w, const struct node *n)
{
	return w->now_ms + n->clock_ms;
}

bool world_believes(const struct world *w, const struct node *n)
{
	return world_wall_ms(w, n) < n->believes_until_ms;
}

bool world_lock_is_free(const struct world *w)
{
	return w->lock_holder < 0 || w->now_ms >= w->lock_until_ms;
}

uint64_t world_highest_timeline(const struct world *w)
{
	uint64_t highest = 0;

	for (unsigned i = 0; i < w->n_nodes; i++)
		if (w->nodes[i].timeline > highest)
			highest = w->nodes[i].timeline;
	return highest;
}

int64_t world_lock_left_ms(const struct world *w, unsigned i)
{
	int64_t until_ms = w->lock_holder == (int)i ? w->lock_until_ms : 0;

	if (w->failsafe_leader == (int)i && w->failsafe_until_ms > until_ms)
		until_ms = w->failsafe_until_ms;
	return until_ms > w->now_ms ? until_ms - w->now_ms : 0;
}

bool world_writable(const struct world *w, unsigned i)
{
	return world_runs(w, &w->nodes[i]) && !w->nodes[i].in_recovery;
}

int world_true_primary(const struct world *w)
{
	int i = w->lock_holder;

	return !world_lock_is_free(w) && world_writable(w, (unsigned)i) ? i : -1;
}

bool world_usurped(const struct world *w, unsigned i)
{
	return world_writable(w, i) && !world_lock_is_free(w) && w->lock_holder != (int)i &&
	       !w->lock_stolen;
}

bool world_undisputed(const struct world *w, unsigned i)
{
	for (unsigned k = 0; k < w->n_nodes; k++)
		if (world_believes(w, &w->nodes[k]) != (k == i))
			return false;
	return true;
}

bool world_true_replica(const struct world *w, unsigned i)
{
	return !world_lock_is_free(w) && w->lock_holder != (int)i && w->nodes[i].in_recovery &&
	       world_runs(w, &w->nodes[i]);
}

bool world_audible(const struct world *w, unsigned i)
{
	const struct node *n = &w->nodes[i];

	return n->isari_link && (n->patroni == LIFE_RUNNING || n->postgres == LIFE_RUNNING);
}
