/* What isari hears: the answer that a node in this state gives to a question, and when it arrives.
 * Not here: how it came into that state (world.c). */
#include "world.h"
#include <string.h>

enum { SYSTEM_ID = 7001 };

static int64_t silent(const struct world *w, struct observation *o, enum outcome outcome,
		      int64_t after_ms)
{
	o->outcome = outcome;
	o->answered_ms = w->now_ms + after_ms;
	return o->answered_ms;
}

static int64_t answer_port(struct world *w, const struct node *n, int64_t timeout_ms,
			   struct observation *o)
{
	if (n->postgres == LIFE_FROZEN)
		return silent(w, o, OUTCOME_TIMEOUT, timeout_ms);
	if (n->postgres == LIFE_DEAD)
		return silent(w, o, OUTCOME_REFUSED, 2 * n->delay_ms);
	return silent(w, o, OUTCOME_ANSWERED, 2 * n->delay_ms);
}

static bool holds_lock(const struct world *w, const struct node *n)
{
	return w->now_ms < n->believes_until_ms;
}

static void fill_body(const struct world *w, const struct node *n, struct observation *o)
{
	o->claim = n->in_recovery ? CLAIM_REPLICA : CLAIM_PRIMARY;
	o->state = world_runs(w, n)           ? PG_RUNNING
		   : n->postgres == LIFE_DEAD ? PG_STOPPED
					      : PG_STARTING;
	o->timeline = world_runs(w, n) ? n->timeline : 0;
	o->lsn = n->lsn;
	o->system_id = SYSTEM_ID;
	strcpy(o->scope, "world");
	if (n->mood == MOOD_UNKNOWN || n->postgres == LIFE_FROZEN)
		o->state = PG_UNKNOWN;
	if (n->mood == MOOD_WRONG_SCOPE)
		strcpy(o->scope, "elsewhere");
}

static void fill_rest(const struct world *w, const struct node *n, struct observation *o)
{
	bool replica = n->in_recovery && world_runs(w, n) && !holds_lock(w, n);

	o->outcome = OUTCOME_ANSWERED;
	if (o->question == ASK_CONFIG) {
		o->http_status = 200;
		o->ttl_ms = w->ttl_ms;
		o->loop_wait_ms = w->loop_wait_ms;
		return;
	}
	o->http_status = (o->question == ASK_PRIMARY ? holds_lock(w, n) : replica) ? 200 : 503;
	fill_body(w, n, o);
	if (n->mood == MOOD_LIAR && o->question == ASK_PRIMARY) {
		o->http_status = 200;
		o->claim = CLAIM_PRIMARY;
		o->state = PG_RUNNING;
		o->timeline = world_highest_timeline(w);
	}
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
		return silent(w, o, OUTCOME_TIMEOUT, timeout_ms);
	if (asked->question == ASK_PORT)
		return answer_port(w, n, timeout_ms, o);
	if (n->patroni == LIFE_DEAD)
		return silent(w, o, OUTCOME_REFUSED, 2 * n->delay_ms);
	if (n->mood == MOOD_SLOW)
		took += 300 + (int64_t)world_chance(w, 8000);
	if (n->patroni == LIFE_FROZEN || took > timeout_ms)
		return silent(w, o, OUTCOME_TIMEOUT, timeout_ms);
	if (n->mood == MOOD_GARBAGE)
		return silent(w, o, world_chance(w, 2) ? OUTCOME_BAD_HTTP : OUTCOME_BAD_JSON, took);
	fill_rest(w, n, o);
	o->answered_ms = w->now_ms + took;
	return o->answered_ms;
}
