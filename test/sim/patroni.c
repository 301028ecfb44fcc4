/* Patroni's HA loop in a page or two: who renews the lock, who takes it, who demotes itself and
 * when. Read from ha.py, api.py and dcs/etcd3.py of 3.0.2. */
#include "world.h"

enum { RETRY_MS = 1000 };

static bool reaches_dcs(const struct world *w, const struct node *n)
{
	return w->dcs_up && n->dcs_link;
}

void patroni_demote(struct world *w, unsigned i, const char *why)
{
	struct node *n = &w->nodes[i];

	if (n->in_recovery)
		return;
	world_trace(w, "n%u demotes: %s", i, why);
	n->in_recovery = true;
	n->believes_until_ms = 0;
	n->running_at_ms = w->now_ms + 500 + (int64_t)world_chance(w, 1500);
}

/* ---- the lock ---- */

static void write_lock(struct world *w, unsigned i)
{
	struct node *n = &w->nodes[i];

	w->lock_holder = (int)i;
	w->lock_until_ms = w->now_ms + w->ttl_ms;
	n->believes_until_ms = world_wall_ms(w, n) + w->ttl_ms;
	n->renewed_ms = w->now_ms;
	n->renews_at_ms = 0;
}

static void acquire(struct world *w, unsigned i)
{
	struct node *n = &w->nodes[i];

	write_lock(w, i);
	w->lock_stolen = false;
	if (!n->in_recovery || w->standby) {
		world_trace(w, "n%u takes the lock", i);
		return;
	}
	n->promoted_at_ms =
		w->now_ms + 20 + (int64_t)world_chance(w, world_chance(w, 4) ? 500 : 8000);
	world_trace(w, "n%u takes the lock, promotes by %lld", i, (long long)n->promoted_at_ms);
}

static void steal(struct world *w, unsigned i)
{
	world_trace(w, "n%u steals the lock from n%d", i, w->lock_holder);
	w->lock_stolen = true;
	write_lock(w, i);
}

static void release(struct world *w, unsigned i)
{
	world_trace(w, "n%u releases the lock", i);
	w->lock_holder = -1;
	w->nodes[i].believes_until_ms = 0;
}

static void renew(struct world *w, unsigned i)
{
	struct node *n = &w->nodes[i];

	if (w->dcs_slow && !n->renews_at_ms)
		n->renews_at_ms = w->now_ms + (int64_t)world_chance(w, (uint64_t)w->retry_ms);
	else
		write_lock(w, i);
}

static void loop_of_holder(struct world *w, unsigned i)
{
	struct node *n = &w->nodes[i];

	if (world_runs(w, n) && n->in_recovery && !n->promoted_at_ms && !w->standby && !w->paused)
		acquire(w, i); /* restarted while its lock still lived */
	else if (world_runs(w, n) || n->promoted_at_ms)
		renew(w, i);
	else if (n->postgres == LIFE_DEAD)
		release(w, i);
}

/* In maintenance mode only one who is primary already takes the lock. Members of a failsafe
 * leader leave it to that one. */
static bool may_race(const struct world *w, unsigned i)
{
	const struct node *n = &w->nodes[i];

	if (!world_runs(w, n) || n->timeline != world_highest_timeline(w))
		return false;
	if (w->paused && n->in_recovery)
		return false;
	return w->failsafe_leader == (int)i || w->now_ms >= w->failsafe_until_ms;
}

static void loop_with_dcs(struct world *w, unsigned i)
{
	struct node *n = &w->nodes[i];
	bool lock_free = world_lock_is_free(w), is_holder = w->lock_holder == (int)i;
	bool thawed = n->thawed;

	n->blind = n->thawed = false;
	n->dcs_seen_ms = world_wall_ms(w, n);
	n->failsafe_until_ms = 0;
	if (lock_free || !is_holder)
		n->believes_until_ms = 0;
	if (!lock_free && is_holder)
		loop_of_holder(w, i);
	else if (!lock_free && thawed && w->steals && !n->in_recovery && world_runs(w, n))
		steal(w, i);
	else if (lock_free && may_race(w, i))
		acquire(w, i);
	else if (!lock_free && !w->paused)
		patroni_demote(w, i, "another holds the lock");
}

/* ---- without the DCS ---- */

static bool everybody_answers(const struct world *w)
{
	for (unsigned i = 0; i < w->n_nodes; i++)
		if (w->nodes[i].patroni != LIFE_RUNNING)
			return false;
	return true;
}

static void go_on_failsafe(struct world *w, unsigned i)
{
	struct node *n = &w->nodes[i];

	world_trace(w, "n%u goes on: failsafe mode", i);
	n->believes_until_ms = n->failsafe_until_ms = world_wall_ms(w, n) + w->ttl_ms;
	n->renewed_ms = w->now_ms;
	w->failsafe_leader = (int)i;
	w->failsafe_until_ms = w->now_ms + w->ttl_ms;
}

static void give_up(struct world *w, unsigned i)
{
	struct node *n = &w->nodes[i];

	n->blind = true;
	if (w->paused || n->in_recovery)
		return;
	if (w->failsafe_mode && everybody_answers(w) && !world_lock_is_free(w) &&
	    w->lock_holder != (int)i)
		patroni_demote(w, i, "a member of the failsafe list leads");
	else if (w->failsafe_mode && everybody_answers(w))
		go_on_failsafe(w, i);
	else
		patroni_demote(w, i, "no DCS");
}

/* A cache answers the read even when nothing else does; the renewal fails later. */
static void begin_retrying(struct world *w, struct node *n)
{
	n->gives_up_ms = w->now_ms + w->retry_ms;
	if (w->cached_reads && !n->blind)
		n->dcs_seen_ms = world_wall_ms(w, n);
}

/* ---- the loop ---- */

static void loop(struct world *w, unsigned i)
{
	struct node *n = &w->nodes[i];

	if (n->gives_up_ms && w->now_ms < n->gives_up_ms)
		return;
	if (n->gives_up_ms && !reaches_dcs(w, n)) {
		n->gives_up_ms = 0;
		give_up(w, i);
		return;
	}
	n->gives_up_ms = 0;
	if (n->renews_at_ms && w->now_ms < n->renews_at_ms)
		return;
	n->next_loop_ms =
		w->now_ms + n->oversleeps_ms + (world_lock_is_free(w) ? RETRY_MS : w->loop_wait_ms);
	n->oversleeps_ms = 0;
	if (reaches_dcs(w, n))
		loop_with_dcs(w, i);
	else
		begin_retrying(w, n);
}

static bool is_busy(const struct node *n)
{
	return n->gives_up_ms || n->renews_at_ms;
}

/* It asks its PostgreSQL in every loop, and waits for the answer. */
static bool loops(const struct node *n)
{
	return n->patroni == LIFE_RUNNING && n->postgres != LIFE_FROZEN && !n->loop_hangs;
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

void patroni_live(struct world *w, unsigned i)
{
	struct node *n = &w->nodes[i];

	if (n->promoted_at_ms && w->now_ms >= n->promoted_at_ms && n->postgres != LIFE_FROZEN)
		end_promotion(w, i);
	if (loops(n) && (is_busy(n) || w->now_ms >= n->next_loop_ms))
		loop(w, i);
	if (!n->in_recovery)
		n->lsn++;
	follow(w, i);
}

static int64_t sooner(int64_t a, int64_t b)
{
	return a < b ? a : b;
}

int64_t patroni_next_ms(const struct world *w, unsigned i)
{
	const struct node *n = &w->nodes[i];
	int64_t next = INT64_MAX;

	if (n->promoted_at_ms)
		next = n->promoted_at_ms;
	if (!loops(n))
		return next;
	if (n->gives_up_ms)
		return sooner(next, n->gives_up_ms);
	return sooner(next, n->renews_at_ms ? n->renews_at_ms : n->next_loop_ms);
}
