/* The model: Patroni's HA loop in a page, and a network that delays, loses and cuts. */
#include "world.h"
#include "base/assert.h"
#include <stdarg.h>
#include <stdio.h>
#include <string.h>

enum { RETRY_MS = 1000 };

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

void world_init(struct world *w, uint64_t seed, bool tracing)
{
	memset(w, 0, sizeof(*w));
	rng_seed(&w->rng, seed);
	w->tracing = tracing;
	w->now_ms = 1000000;
	w->n_nodes = 2 + (unsigned)world_chance(w, 4);
	w->ttl_ms = world_chance(w, 2) ? 30000 : 20000;
	w->loop_wait_ms = w->ttl_ms == 30000 || world_chance(w, 2) ? 10000 : 5000;
	w->steals = world_chance(w, 4) == 0;
	w->lock_holder = -1;
	for (unsigned i = 0; i < w->n_nodes; i++) {
		struct node *n = &w->nodes[i];

		n->in_recovery = true;
		n->timeline = 1;
		n->lsn = 1000;
		n->isari_link = n->dcs_link = true;
		n->delay_ms = 1 + (int64_t)world_chance(w, 5);
		n->next_loop_ms = w->now_ms + (int64_t)world_chance(w, 3000);
	}
}

/* ---- Patroni's loop ---- */

bool world_runs(const struct world *w, const struct node *n)
{
	return n->postgres == LIFE_RUNNING && w->now_ms >= n->running_at_ms;
}

static void demote(struct world *w, unsigned i, const char *why)
{
	struct node *n = &w->nodes[i];

	if (n->in_recovery)
		return;
	world_trace(w, "n%u demotes: %s", i, why);
	n->in_recovery = true;
	n->believes_until_ms = 0;
	n->running_at_ms = w->now_ms + 500 + (int64_t)world_chance(w, 1500);
}

uint64_t world_highest_timeline(const struct world *w)
{
	uint64_t highest = 0;

	for (unsigned i = 0; i < w->n_nodes; i++)
		if (w->nodes[i].timeline > highest)
			highest = w->nodes[i].timeline;
	return highest;
}

static void acquire(struct world *w, unsigned i)
{
	struct node *n = &w->nodes[i];

	w->lock_holder = (int)i;
	w->lock_stolen = false;
	w->lock_until_ms = w->now_ms + w->ttl_ms;
	n->believes_until_ms = w->now_ms + w->ttl_ms;
	n->renewed_ms = w->now_ms;
	if (!n->in_recovery) {
		world_trace(w, "n%u takes the lock back", i);
		return;
	}
	n->promoted_at_ms =
		w->now_ms + 20 + (int64_t)world_chance(w, world_chance(w, 4) ? 500 : 8000);
	world_trace(w, "n%u takes the lock, promotes by %lld", i, (long long)n->promoted_at_ms);
}

static void renew(struct world *w, unsigned i)
{
	w->lock_until_ms = w->now_ms + w->ttl_ms;
	w->nodes[i].believes_until_ms = w->lock_until_ms;
	w->nodes[i].renewed_ms = w->now_ms;
}

/* Without the DCS Patroni stops being primary before its lock can pass on (dcs retry_timeout). */
static void loop_without_dcs(struct world *w, unsigned i)
{
	struct node *n = &w->nodes[i];

	if (n->believes_until_ms - w->now_ms < w->loop_wait_ms)
		demote(w, i, "no DCS");
}

static void steal(struct world *w, unsigned i)
{
	world_trace(w, "n%u steals the lock from n%d", i, w->lock_holder);
	w->lock_holder = (int)i;
	w->lock_stolen = true;
	renew(w, i);
}

static void ha_loop(struct world *w, unsigned i)
{
	struct node *n = &w->nodes[i];
	bool lock_free = w->lock_holder < 0 || w->now_ms >= w->lock_until_ms;

	n->next_loop_ms = w->now_ms + (lock_free ? RETRY_MS : w->loop_wait_ms);
	if (!n->dcs_link) {
		n->next_loop_ms = w->now_ms + RETRY_MS;
		loop_without_dcs(w, i);
		return;
	}
	if (n->thawed && w->steals && !n->in_recovery && world_runs(w, n) && !lock_free)
		steal(w, i);
	n->thawed = false;
	if (!lock_free && w->lock_holder == (int)i) {
		if (world_runs(w, n) && n->in_recovery && !n->promoted_at_ms) {
			acquire(w, i); /* restarted while its lock still lived */
		} else if (world_runs(w, n) || n->promoted_at_ms) {
			renew(w, i);
		} else if (n->postgres == LIFE_DEAD) {
			world_trace(w, "n%u releases the lock: PostgreSQL is dead", i);
			w->lock_holder = -1;
			n->believes_until_ms = 0;
		}
		return;
	}
	if (lock_free && world_runs(w, n) && n->timeline == world_highest_timeline(w)) {
		acquire(w, i);
		return;
	}
	if (!lock_free)
		demote(w, i, "another holds the lock");
}

static void follow(struct world *w, unsigned i)
{
	struct node *n = &w->nodes[i];
	int primary = world_true_primary(w);

	if (n->patroni != LIFE_RUNNING || primary < 0 || (int)i == primary || !n->in_recovery ||
	    !world_runs(w, n))
		return;
	n->timeline = w->nodes[primary].timeline;
	n->lsn = w->nodes[primary].lsn;
}

static void end_promotion(struct world *w, unsigned i)
{
	struct node *n = &w->nodes[i];

	n->promoted_at_ms = 0;
	if (n->postgres != LIFE_RUNNING || w->lock_holder != (int)i)
		return;
	n->in_recovery = false;
	n->timeline = world_highest_timeline(w) + 1;
	world_trace(w, "n%u is primary on timeline %llu", i, (unsigned long long)n->timeline);
}

static void live(struct world *w, unsigned i)
{
	struct node *n = &w->nodes[i];

	if (n->promoted_at_ms && w->now_ms >= n->promoted_at_ms && n->postgres != LIFE_FROZEN)
		end_promotion(w, i);
	if (n->patroni == LIFE_RUNNING && w->now_ms >= n->next_loop_ms)
		ha_loop(w, i);
	if (n->patroni == LIFE_DEAD && n->postgres == LIFE_DEAD)
		n->believes_until_ms = 0;
	if (!n->in_recovery)
		n->lsn++;
	follow(w, i);
}

int64_t world_next_ms(const struct world *w)
{
	int64_t next = w->now_ms + 1000;

	for (unsigned i = 0; i < w->n_nodes; i++) {
		const struct node *n = &w->nodes[i];

		if (n->promoted_at_ms > w->now_ms && n->promoted_at_ms < next)
			next = n->promoted_at_ms;
		if (n->patroni == LIFE_RUNNING && n->next_loop_ms > w->now_ms &&
		    n->next_loop_ms < next)
			next = n->next_loop_ms;
	}
	return next;
}

void world_advance(struct world *w, int64_t until_ms)
{
	while (w->now_ms < until_ms) {
		int64_t next = world_next_ms(w);

		w->now_ms = next < until_ms ? next : until_ms;
		for (unsigned i = 0; i < w->n_nodes; i++)
			live(w, i);
	}
}

/* ---- truth ---- */

bool world_writable(const struct world *w, unsigned i)
{
	return world_runs(w, &w->nodes[i]) && !w->nodes[i].in_recovery;
}

int world_true_primary(const struct world *w)
{
	int i = w->lock_holder;

	return i >= 0 && w->now_ms < w->lock_until_ms && world_writable(w, (unsigned)i) ? i : -1;
}

bool world_usurped(const struct world *w, unsigned i)
{
	return world_writable(w, i) && w->lock_holder >= 0 && w->lock_holder != (int)i &&
	       w->now_ms < w->lock_until_ms && !w->lock_stolen;
}

bool world_true_replica(const struct world *w, unsigned i)
{
	return world_true_primary(w) >= 0 && world_true_primary(w) != (int)i &&
	       w->nodes[i].in_recovery && world_runs(w, &w->nodes[i]);
}

bool world_audible(const struct world *w, unsigned i)
{
	const struct node *n = &w->nodes[i];

	return n->isari_link && (n->patroni == LIFE_RUNNING || n->postgres == LIFE_RUNNING);
}

/* ---- faults ---- */

static void kill_node(struct world *w, struct node *n)
{
	n->patroni = n->postgres = LIFE_DEAD;
	n->in_recovery = true;
	n->promoted_at_ms = 0;
	n->believes_until_ms = 0;
	(void)w;
}

static void switchover(struct world *w)
{
	int from = w->lock_holder;

	if (from < 0 || world_true_primary(w) != from)
		return;
	demote(w, (unsigned)from, "switchover");
	w->lock_holder = -1;
	w->nodes[from].next_loop_ms = w->now_ms + w->loop_wait_ms;
	for (unsigned i = 0; i < w->n_nodes; i++)
		if ((int)i != from)
			w->nodes[i].next_loop_ms = w->now_ms + 50 + (int64_t)world_chance(w, 200);
}

static void revive(struct world *w, struct node *n)
{
	if (n->postgres == LIFE_DEAD)
		n->running_at_ms = w->now_ms + 1000 + (int64_t)world_chance(w, 2000);
	n->thawed = n->patroni == LIFE_FROZEN;
	n->patroni = n->postgres = LIFE_RUNNING;
	n->isari_link = n->dcs_link = true;
	n->loss_percent = 0;
	n->delay_ms = 1 + (int64_t)world_chance(w, 5);
	n->mood = MOOD_HONEST;
	n->next_loop_ms = w->now_ms + 100 + (int64_t)world_chance(w, 1000);
}

void world_fault(struct world *w)
{
	static const char *const names[] = {"kills",
					    "freezes",
					    "freezes Patroni of",
					    "cuts isari from",
					    "cuts the DCS from",
					    "revives",
					    "revives",
					    "slows",
					    "garbles",
					    "makes unsure",
					    "renames",
					    "loses packets of",
					    "switches over from",
					    "crashes PostgreSQL of",
					    "makes a liar of"};
	unsigned what = (unsigned)world_chance(w, sizeof(names) / sizeof(names[0]));
	unsigned i = (unsigned)world_chance(w, w->n_nodes);
	struct node *n = &w->nodes[i];

	if (w->lock_holder >= 0 && world_chance(w, 2))
		n = &w->nodes[i = (unsigned)w->lock_holder];
	w->n_faults++;
	w->last_fault_ms = w->now_ms;
	world_trace(w, "FAULT %s n%u", names[what], i);
	switch (what) {
	case 0: kill_node(w, n); break;
	case 1: n->patroni = n->postgres = n->patroni == LIFE_DEAD ? LIFE_DEAD : LIFE_FROZEN; break;
	case 2: n->patroni = n->patroni == LIFE_DEAD ? LIFE_DEAD : LIFE_FROZEN; break;
	case 3: n->isari_link = false; break;
	case 4: n->dcs_link = false; break;
	case 5:
	case 6: revive(w, n); break;
	case 7: n->mood = MOOD_SLOW; break;
	case 8: n->mood = MOOD_GARBAGE; break;
	case 9: n->mood = MOOD_UNKNOWN; break;
	case 10: n->mood = MOOD_WRONG_SCOPE; break;
	case 11: n->loss_percent = 5 + (unsigned)world_chance(w, 40); break;
	case 12: switchover(w); break;
	case 14: n->mood = MOOD_LIAR; break;
	case 13:
		if (n->postgres == LIFE_RUNNING)
			n->running_at_ms = w->now_ms + 200 + (int64_t)world_chance(w, 4000);
		break;
	}
}

void world_heal(struct world *w)
{
	world_trace(w, "HEAL");
	for (unsigned i = 0; i < w->n_nodes; i++)
		revive(w, &w->nodes[i]);
	w->last_fault_ms = w->now_ms;
}
