/* What isari hears: the answer that a node in this state gives to a question, and when it arrives.
 * Read from Patroni's api.py. Not here: how it came into that state (patroni.c, faults.c). */
#include "world.h"
#include <stdio.h>
#include <string.h>

enum { FOREIGN_ID = 666 };
enum { STATEMENT_TIMEOUT_MS = 2000 };

static int64_t end(const struct world *w, struct observation *o, enum outcome outcome,
		   int64_t after_ms)
{
	o->outcome = outcome;
	o->answered_ms = w->now_ms + after_ms;
	return o->answered_ms;
}

/* An SSLRequest is answered while PostgreSQL starts; a session it gives only when it runs. */
static int64_t answer_port(struct world *w, const struct node *n, int64_t timeout_ms,
			   struct observation *o)
{
	bool answers = w->asks_sql ? world_runs(w, n) : n->postgres == LIFE_RUNNING;

	if (n->postgres == LIFE_FROZEN)
		return end(w, o, OUTCOME_TIMEOUT, timeout_ms);
	if (w->asks_sql && answers)
		o->claim = n->in_recovery ? CLAIM_REPLICA : CLAIM_PRIMARY;
	return end(w, o, answers ? OUTCOME_ANSWERED : OUTCOME_REFUSED, 2 * n->delay_ms);
}

/* Without a view of the cluster, and in maintenance mode, the role alone decides (api.py). */
static bool is_primary(const struct world *w, const struct node *n)
{
	if (w->standby)
		return false;
	if (n->blind && w->paused)
		return !n->in_recovery;
	return world_believes(w, n);
}

static bool leads_standby(const struct world *w, const struct node *n)
{
	return w->standby && world_believes(w, n);
}

static bool is_replica(const struct world *w, const struct node *n)
{
	return n->in_recovery && world_runs(w, n) && !world_believes(w, n);
}

static bool has_role(const struct world *w, const struct node *n, enum question q)
{
	if (q == ASK_PRIMARY)
		return is_primary(w, n);
	return q == ASK_STANDBY_LEADER ? leads_standby(w, n) : is_replica(w, n);
}

static enum pg_state state_of(const struct world *w, const struct node *n)
{
	if (world_runs(w, n))
		return PG_RUNNING;
	return n->postgres == LIFE_DEAD ? PG_STOPPED : PG_STARTING;
}

static enum claim claim_of(const struct world *w, const struct node *n)
{
	if (leads_standby(w, n))
		return CLAIM_STANDBY_LEADER;
	return n->in_recovery ? CLAIM_REPLICA : CLAIM_PRIMARY;
}

static void fill_body(const struct world *w, const struct node *n, struct observation *o)
{
	o->claim = claim_of(w, n);
	o->state = state_of(w, n);
	o->timeline = world_runs(w, n) ? n->timeline : 0;
	o->lsn = n->lsn;
	o->system_id = WORLD_SYSTEM_ID;
	o->flags = (w->paused ? FLAG_PAUSED : 0u) |
		   (world_wall_ms(w, n) < n->failsafe_until_ms ? FLAG_FAILSAFE : 0u) |
		   (n->blind || world_lock_is_free(w) ? FLAG_CLUSTER_UNLOCKED : 0u);
	strcpy(o->scope, "world");
	if (w->says_name)
		snprintf(o->name, sizeof(o->name), "n%u", o->member);
}

static void claim_to_be_primary(const struct world *w, struct observation *o)
{
	if (o->question != ASK_PRIMARY)
		return;
	o->http_status = 200;
	o->claim = CLAIM_PRIMARY;
	o->state = PG_RUNNING;
	o->timeline = world_highest_timeline(w);
}

static void claim_the_past(struct world *w, struct observation *o)
{
	if (o->question != ASK_PRIMARY || world_chance(w, 2))
		return;
	claim_to_be_primary(w, o);
	o->timeline -= o->timeline > 1;
}

static void be_foreign(const struct world *w, const struct node *n, struct observation *o)
{
	claim_to_be_primary(w, o);
	if (o->question == ASK_PRIMARY)
		o->timeline += 2; /* another cluster's count */
	if (n->foreign & FOREIGN_SCOPE)
		strcpy(o->scope, "elsewhere");
	if (n->foreign & FOREIGN_SYSTEM)
		o->system_id = FOREIGN_ID;
	if (n->foreign & FOREIGN_NAME)
		snprintf(o->name, sizeof(o->name), "n%u", (o->member + 1) % w->n_nodes);
}

static void apply_mood(struct world *w, const struct node *n, struct observation *o)
{
	switch (n->mood) {
	case MOOD_UNSURE:
		o->state = o->state == PG_RUNNING ? PG_UNKNOWN : o->state;
		o->timeline = o->lsn = 0;
		break;
	case MOOD_NO_SCOPE: o->scope[0] = '\0'; break;
	case MOOD_NO_TIMELINE: o->timeline = 0; break;
	case MOOD_FOREIGN: be_foreign(w, n, o); break;
	case MOOD_LIAR: claim_to_be_primary(w, o); break;
	case MOOD_FICKLE: claim_the_past(w, o); break;
	default: break;
	}
}

static void fill_rest(struct world *w, const struct node *n, struct observation *o)
{
	if (o->question == ASK_CONFIG) {
		o->http_status = 200;
		o->ttl_ms = w->ttl_ms;
		o->loop_wait_ms = w->loop_wait_ms;
		return;
	}
	o->http_status = has_role(w, n, o->question) ? 200 : 503;
	fill_body(w, n, o);
	apply_mood(w, n, o);
}

/* Every role endpoint asks PostgreSQL; a frozen one does not even cancel the statement. */
static bool hangs(const struct node *n, enum question q)
{
	return n->patroni == LIFE_FROZEN || (n->postgres == LIFE_FROZEN && q != ASK_CONFIG);
}

static int64_t mood_takes_ms(struct world *w, const struct node *n)
{
	if (n->mood == MOOD_SLOW)
		return 300 + (int64_t)world_chance(w, 8000);
	return n->mood == MOOD_UNSURE ? STATEMENT_TIMEOUT_MS : 0;
}

static int64_t answer_rest(struct world *w, const struct node *n, int64_t took, int64_t timeout_ms,
			   struct observation *o)
{
	if (n->patroni == LIFE_DEAD)
		return end(w, o, OUTCOME_REFUSED, 2 * n->delay_ms);
	took += mood_takes_ms(w, n);
	if (hangs(n, o->question) || took > timeout_ms)
		return end(w, o, OUTCOME_TIMEOUT, timeout_ms);
	if (n->mood == MOOD_GARBAGE)
		return end(w, o, world_chance(w, 2) ? OUTCOME_BAD_HTTP : OUTCOME_BAD_JSON, took);
	fill_rest(w, n, o);
	return end(w, o, OUTCOME_ANSWERED, took);
}

int64_t world_answer(struct world *w, const struct observation *asked, int64_t timeout_ms,
		     struct observation *o)
{
	const struct node *n = &w->nodes[asked->member];
	int64_t took = 2 * n->delay_ms;

	*o = *asked;
	o->asked_ms = w->now_ms;
	if (world_chance(w, 100) < n->loss_percent)
		took += world_chance(w, 3) ? 200 : 1000; /* retransmissions: of data, of a SYN */
	if (!n->isari_link || took > timeout_ms)
		return end(w, o, OUTCOME_TIMEOUT, timeout_ms);
	return asked->question == ASK_PORT ? answer_port(w, n, timeout_ms, o)
					   : answer_rest(w, n, took, timeout_ms, o);
}
