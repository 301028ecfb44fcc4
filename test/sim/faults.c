/* What breaks: a table of faults, and the way back from all of them. */
#include "world.h"

static void kill_node(struct world *w, unsigned i)
{
	struct node *n = &w->nodes[i];

	n->patroni = n->postgres = LIFE_DEAD;
	n->in_recovery = true;
	n->loop_hangs = n->thawed = false;
	n->promoted_at_ms = n->renews_at_ms = n->gives_up_ms = 0;
	n->believes_until_ms = 0;
}

static void freeze(enum life *life)
{
	if (*life == LIFE_RUNNING)
		*life = LIFE_FROZEN;
}

static void freeze_node(struct world *w, unsigned i)
{
	freeze(&w->nodes[i].patroni);
	freeze(&w->nodes[i].postgres);
}

void world_freeze_patroni(struct world *w, unsigned i)
{
	freeze(&w->nodes[i].patroni);
}

static void freeze_postgres(struct world *w, unsigned i)
{
	freeze(&w->nodes[i].postgres);
}

static void kill_patroni(struct world *w, unsigned i)
{
	struct node *n = &w->nodes[i];

	n->patroni = LIFE_DEAD;
	n->loop_hangs = n->thawed = false;
	n->renews_at_ms = n->gives_up_ms = n->believes_until_ms = n->failsafe_until_ms = 0;
	n->blind = true;
}

static void hang_loop(struct world *w, unsigned i)
{
	w->nodes[i].loop_hangs = true;
}

static void crash_postgres(struct world *w, unsigned i)
{
	if (w->nodes[i].postgres == LIFE_RUNNING)
		w->nodes[i].running_at_ms = w->now_ms + 200 + (int64_t)world_chance(w, 4000);
}

static void cut_isari(struct world *w, unsigned i)
{
	w->nodes[i].isari_link = false;
}

static void cut_dcs(struct world *w, unsigned i)
{
	w->nodes[i].dcs_link = false;
}

static void lose_packets(struct world *w, unsigned i)
{
	w->nodes[i].loss_percent = 5 + (unsigned)world_chance(w, 40);
}

/* A sleep ends when the lock does, at the latest: the DCS tells everybody who watches. */
void world_set_clock(struct world *w, unsigned i, int64_t by_ms)
{
	struct node *n = &w->nodes[i];

	n->clock_ms += by_ms;
	n->oversleeps_ms = by_ms < 0 ? -by_ms : 0;
	if (n->oversleeps_ms > w->ttl_ms)
		n->oversleeps_ms = w->ttl_ms;
}

static void jump_clock(struct world *w, unsigned i)
{
	static const int64_t reach_ms[] = {2000, 20000, 3600000};
	int64_t reach = reach_ms[world_chance(w, 3)];

	world_set_clock(w, i, (int64_t)world_chance(w, (uint64_t)(2 * reach)) - reach);
}

void world_switch_over(struct world *w)
{
	int from = w->lock_holder;

	if (from < 0 || world_true_primary(w) != from || w->nodes[from].patroni != LIFE_RUNNING)
		return;
	patroni_demote(w, (unsigned)from, "switchover");
	w->lock_holder = -1;
	w->nodes[from].next_loop_ms = w->now_ms + w->loop_wait_ms;
	for (unsigned k = 0; k < w->n_nodes; k++)
		if ((int)k != from)
			w->nodes[k].next_loop_ms = w->now_ms + 50 + (int64_t)world_chance(w, 200);
}

static void switch_over(struct world *w, unsigned i)
{
	(void)i;
	world_switch_over(w);
}

/* Each Patroni goes by the new times from its next loop on. */
static void edit_times(struct world *w, unsigned i)
{
	(void)i;
	world_draw_times(w);
	world_trace(w, "ttl is %lld, loop_wait %lld", (long long)w->ttl_ms,
		    (long long)w->loop_wait_ms);
}

static void turn_dcs(struct world *w, unsigned i)
{
	(void)i;
	w->dcs_up = !w->dcs_up;
	world_trace(w, "the DCS is %s", w->dcs_up ? "back" : "down");
}

static void slow_dcs(struct world *w, unsigned i)
{
	(void)i;
	w->dcs_slow = !w->dcs_slow;
	world_trace(w, "the DCS is %s", w->dcs_slow ? "slow" : "quick");
}

static void turn_pause(struct world *w, unsigned i)
{
	(void)i;
	w->paused = !w->paused;
	world_trace(w, "maintenance mode is %s", w->paused ? "on" : "off");
}

static void be_slow(struct world *w, unsigned i)
{
	w->nodes[i].mood = MOOD_SLOW;
}

static void be_garbled(struct world *w, unsigned i)
{
	w->nodes[i].mood = MOOD_GARBAGE;
}

static void be_unsure(struct world *w, unsigned i)
{
	w->nodes[i].mood = MOOD_UNSURE;
}

static void be_terse(struct world *w, unsigned i)
{
	w->nodes[i].mood = world_chance(w, 2) ? MOOD_NO_SCOPE : MOOD_NO_TIMELINE;
}

static void be_foreign(struct world *w, unsigned i)
{
	w->nodes[i].mood = MOOD_FOREIGN;
	/* A standby cluster has no primary to learn the system identifier from. */
	w->nodes[i].foreign = w->standby ? FOREIGN_SCOPE : 1u << world_chance(w, 3);
}

static void be_fickle(struct world *w, unsigned i)
{
	w->nodes[i].mood = MOOD_FICKLE;
}

static void be_liar(struct world *w, unsigned i)
{
	w->nodes[i].mood = MOOD_LIAR;
}

static void revive(struct world *w, unsigned i)
{
	struct node *n = &w->nodes[i];

	if (n->postgres == LIFE_DEAD)
		n->running_at_ms = w->now_ms + 1000 + (int64_t)world_chance(w, 2000);
	n->thawed |= n->patroni == LIFE_FROZEN;
	n->patroni = n->postgres = LIFE_RUNNING;
	n->isari_link = n->dcs_link = true;
	n->loop_hangs = false;
	n->loss_percent = 0;
	n->delay_ms = 1 + (int64_t)world_chance(w, 5);
	n->mood = MOOD_HONEST;
	n->next_loop_ms = w->now_ms + 100 + (int64_t)world_chance(w, 1000);
}

static const struct {
	const char *name;
	void (*happens)(struct world *w, unsigned node);
	unsigned weight;
} faults[] = {
	{"kill", kill_node, 2},
	{"freeze", freeze_node, 2},
	{"freeze Patroni of", world_freeze_patroni, 3},
	{"freeze PostgreSQL of", freeze_postgres, 3},
	{"kill Patroni of", kill_patroni, 2},
	{"hang the loop of", hang_loop, 1},
	{"crash PostgreSQL of", crash_postgres, 2},
	{"cut isari from", cut_isari, 2},
	{"cut the DCS from", cut_dcs, 2},
	{"lose packets of", lose_packets, 2},
	{"set the clock of", jump_clock, 2},
	{"switch over, whatever happens to", switch_over, 4},
	{"touch the DCS, not", turn_dcs, 1},
	{"touch the DCS's speed, not", slow_dcs, 1},
	{"maintain all, not only", turn_pause, 1},
	{"slow", be_slow, 2},
	{"garble", be_garbled, 1},
	{"make unsure", be_unsure, 3},
	{"make terse", be_terse, 1},
	{"make foreign", be_foreign, 2},
	{"make a liar of", be_liar, 3},
	{"make fickle", be_fickle, 2},
	{"change ttl and loop_wait of", edit_times, 1},
	{"revive", revive, 8},
};

static unsigned draw_fault(struct world *w)
{
	unsigned sum = 0, what = 0;
	uint64_t left;

	for (unsigned f = 0; f < sizeof(faults) / sizeof(faults[0]); f++)
		sum += faults[f].weight;
	for (left = world_chance(w, sum); left >= faults[what].weight; what++)
		left -= faults[what].weight;
	return what;
}

void world_fault(struct world *w)
{
	unsigned what = draw_fault(w), i = (unsigned)world_chance(w, w->n_nodes);

	if (w->lock_holder >= 0 && world_chance(w, 2))
		i = (unsigned)w->lock_holder;
	w->n_faults++;
	world_trace(w, "FAULT %s n%u", faults[what].name, i);
	faults[what].happens(w, i);
}

void world_heal(struct world *w)
{
	world_trace(w, "HEAL");
	w->dcs_up = true;
	w->dcs_slow = w->paused = false;
	for (unsigned i = 0; i < w->n_nodes; i++) {
		world_set_clock(w, i, -w->nodes[i].clock_ms);
		revive(w, i);
	}
}
