/* The failover journal: changes of leadership become entries, and what follows them (views,
 * acknowledgements, sessions) is written into the entry that waits for it.
 *
 * An entry begins when a primary is lost, or, without a moment in between, replaced; it has its end
 * a while after somebody is primary. One that nobody has followed yet stays open, however long. An
 * interruption is an entry in which nobody was lost. */
#include "core/journal.h"
#include "base/assert.h"
#include <string.h>

#define PHASE_KEY(symbol, key, words)   [symbol] = key,
#define PHASE_WORDS(symbol, key, words) [symbol] = words,

const char *phase_key(enum phase p)
{
	static const char *const keys[] = {PHASE_LIST(PHASE_KEY)};

	REQUIRE((size_t)p < N_PHASES);
	return keys[p];
}

const char *phase_words(enum phase p)
{
	static const char *const words[] = {PHASE_LIST(PHASE_WORDS)};

	REQUIRE((size_t)p < N_PHASES);
	return words[p];
}

/* ---- the ring ---- */

/* What is over goes first: a cluster without a primary isn't forgotten because another one flaps.
 */
static unsigned dispensable(const struct journal *j)
{
	for (unsigned i = 0; i < j->n; i++)
		if (j->entries[i].closed)
			return i;
	return 0;
}

static struct failover *add(struct journal *j, const struct change *c, int64_t now_ms,
			    int64_t wall_ms)
{
	struct failover *f;

	if (j->n == JOURNAL_ENTRIES) {
		f = &j->entries[dispensable(j)];
		memmove(f, f + 1, (size_t)(&j->entries[--j->n] - f) * sizeof(*f));
	}
	f = &j->entries[j->n++];
	*f = (struct failover){.cluster = c->cluster,
			       .from = c->from,
			       .to = -1,
			       .why = c->lost,
			       .from_timeline = c->from_timeline,
			       .wall_offset_ms = wall_ms - now_ms};
	for (unsigned i = 0; i < N_PHASES; i++)
		f->at_ms[i] = -1;
	return f;
}

/* At most one of a cluster is not closed: the latest. */
const struct failover *journal_open(const struct journal *j, unsigned cluster)
{
	for (unsigned i = j->n; i-- > 0;)
		if (j->entries[i].cluster == cluster)
			return j->entries[i].closed ? NULL : &j->entries[i];
	return NULL;
}

static struct failover *open_of(struct journal *j, unsigned cluster)
{
	return (struct failover *)journal_open(j, cluster);
}

/* ---- changes ---- */

static struct failover *lose(struct journal *j, const struct change *c, const struct tally *before,
			     int64_t now_ms, int64_t wall_ms)
{
	struct failover *f = open_of(j, c->cluster);

	if (f)
		f->closed = true; /* what it still waited for belongs to the next */
	f = add(j, c, now_ms, wall_ms);
	f->before = *before;
	f->at_ms[PHASE_LAST_ANSWER] = c->times.last_proof_ms;
	f->at_ms[PHASE_DOUBT] = c->times.doubt_ms;
	f->at_ms[PHASE_GONE] = now_ms;
	return f;
}

static void crown(struct failover *f, const struct change *c)
{
	f->to = c->to;
	f->to_timeline = c->timeline;
	f->at_ms[PHASE_ASKED] = c->times.asked_ms;
	f->at_ms[PHASE_WRITABLE] = c->times.answered_ms;
}

void journal_change(struct journal *j, const struct change *c, const struct tally *before,
		    int64_t now_ms, int64_t wall_ms)
{
	struct failover *f;

	if (c->type != CHANGE_LEADERSHIP)
		return;
	if (c->from >= 0)
		f = lose(j, c, before, now_ms, wall_ms);
	else
		f = open_of(j, c->cluster);
	if (!f) { /* the first primary since the start */
		f = add(j, c, now_ms, wall_ms);
		f->before = *before;
	}
	if (c->to >= 0)
		crown(f, c);
}

/* A new primary that stumbles is still the same failover, and an interruption that goes on is one.
 * A start is over with its first session. */
static bool belongs_to(const struct failover *open)
{
	return open && (open->from >= 0 || open->at_ms[PHASE_SESSION] < 0);
}

void journal_interruption(struct journal *j, const struct interruption *i,
			  const struct tally *before, int64_t wall_offset_ms)
{
	struct change c = {.cluster = i->cluster,
			   .from = i->member,
			   .lost = i->why,
			   .from_timeline = i->from_timeline};
	struct failover *f = open_of(j, i->cluster);

	if (belongs_to(f))
		return;
	if (f)
		f->closed = true;
	f = add(j, &c, 0, wall_offset_ms);
	f->interruption = true;
	f->to = i->member;
	f->to_timeline = i->to_timeline;
	f->before = *before;
	f->at_ms[PHASE_DOUBT] = i->doubt_ms;
	f->at_ms[PHASE_GONE] = i->gone_ms;
	f->at_ms[PHASE_WRITABLE] = i->proven_ms;
	f->at_ms[PHASE_RELEASED] = i->released_ms;
}

/* An interruption that closed nothing is followed by no view, and so by no first session on it. */
static bool is_unseen(const struct failover *f)
{
	return f->interruption && f->at_ms[PHASE_GONE] < 0;
}

/* ---- what follows ---- */

/* May new sessions that want a primary go to this member? */
static bool opens(const struct view *v, unsigned cluster, int member)
{
	for (size_t i = 0; i < v->n_listeners; i++) {
		const struct view_listener *l = &v->listeners[i];
		const struct listener_config *config = &v->config->listeners[i];

		if (config->cluster != cluster || !(config->serve & ROLE_BIT(ROLE_PRIMARY)))
			continue;
		for (unsigned k = 0; k < l->n_servers; k++)
			if ((int)l->servers[k].member == member &&
			    l->servers[k].state == SERVER_OPEN)
				return true;
	}
	return false;
}

static bool waits_for(const struct failover *f, enum phase p, enum phase after)
{
	return !f->closed && f->at_ms[p] < 0 && f->at_ms[after] >= 0;
}

void journal_view(struct journal *j, const struct view *v)
{
	for (unsigned i = 0; i < j->n; i++) {
		struct failover *f = &j->entries[i];

		if (is_unseen(f) || !waits_for(f, PHASE_PUBLISHED, PHASE_WRITABLE) ||
		    !opens(v, f->cluster, f->to))
			continue;
		f->at_ms[PHASE_PUBLISHED] = v->made_ms;
		f->generation = v->generation;
	}
}

void journal_in_force(struct journal *j, uint64_t generation, int64_t now_ms)
{
	for (unsigned i = 0; i < j->n; i++) {
		struct failover *f = &j->entries[i];

		if (waits_for(f, PHASE_IN_FORCE, PHASE_PUBLISHED) && f->generation <= generation)
			f->at_ms[PHASE_IN_FORCE] = now_ms;
	}
}

/* A quiet cluster's first session may come long after the entry was closed: it is the latest of its
 * cluster, and nobody else has been primary since. */
void journal_session(struct journal *j, unsigned cluster, unsigned member, uint64_t generation,
		     int64_t at_ms)
{
	struct failover *f = NULL;

	for (unsigned i = 0; i < j->n; i++)
		if (j->entries[i].cluster == cluster)
			f = &j->entries[i];
	if (!f || f->to != (int)member || f->at_ms[PHASE_PUBLISHED] < 0 ||
	    generation < f->generation)
		return;
	if (f->at_ms[PHASE_SESSION] < 0 || at_ms < f->at_ms[PHASE_SESSION])
		f->at_ms[PHASE_SESSION] = at_ms; /* workers are heard in any order */
}

/* The last of the workers to say it is right. Before the new primary was published, nobody was let
 * go to it; after the entry was closed, it is another wait. */
void journal_released(struct journal *j, unsigned cluster, int64_t at_ms)
{
	struct failover *f = open_of(j, cluster);
	enum phase earliest = f && is_unseen(f) ? PHASE_DOUBT : PHASE_PUBLISHED;

	if (!f || f->at_ms[earliest] < 0 || at_ms < f->at_ms[earliest])
		return;
	if (at_ms > f->at_ms[PHASE_RELEASED])
		f->at_ms[PHASE_RELEASED] = at_ms;
}

/* ---- counting and closing ---- */

void journal_count(struct journal *j, unsigned cluster, const struct tally *now, unsigned waiting)
{
	struct failover *f = open_of(j, cluster);

	if (!f)
		return;
	f->counted.cut = now->cut - f->before.cut;
	f->counted.held = now->held - f->before.held;
	f->counted.released = now->released - f->before.released;
	f->counted.refused = now->refused - f->before.refused;
	f->waiting = waiting;
}

static bool is_settled(const struct failover *f, int64_t now_ms)
{
	int64_t last_ms = f->at_ms[is_unseen(f) ? PHASE_WRITABLE : PHASE_SESSION];

	if (last_ms < 0 || f->waiting > 0 || (f->at_ms[PHASE_IN_FORCE] < 0 && !is_unseen(f)))
		return false;
	if (last_ms < f->at_ms[PHASE_RELEASED])
		last_ms = f->at_ms[PHASE_RELEASED];
	return now_ms - last_ms >= JOURNAL_SETTLE_MS;
}

static bool is_due(const struct failover *f, int64_t now_ms)
{
	int64_t patience = f->waiting ? JOURNAL_HOLD_PATIENCE_MS : JOURNAL_PATIENCE_MS;

	if (f->at_ms[PHASE_WRITABLE] < 0)
		return false;
	return now_ms - f->at_ms[PHASE_WRITABLE] >= patience || is_settled(f, now_ms);
}

void journal_close_due(struct journal *j, int64_t now_ms)
{
	for (unsigned i = 0; i < j->n; i++)
		j->entries[i].closed |= is_due(&j->entries[i], now_ms);
}

const struct failover *journal_next_closed(struct journal *j)
{
	for (unsigned i = 0; i < j->n; i++) {
		struct failover *f = &j->entries[i];

		if (!f->closed || f->told)
			continue;
		f->told = true;
		return f;
	}
	return NULL;
}

/* ---- reading ---- */

int64_t failover_began_ms(const struct failover *f)
{
	for (unsigned i = 0; i < N_PHASES; i++)
		if (f->at_ms[i] >= 0)
			return f->at_ms[i];
	return -1;
}

int64_t failover_began_wall_ms(const struct failover *f)
{
	return failover_began_ms(f) + f->wall_offset_ms;
}

bool failover_is_return(const struct failover *f)
{
	return f->from >= 0 && f->from == f->to;
}

int64_t failover_gap_ms(const struct failover *f)
{
	int64_t gone_ms = f->at_ms[f->interruption ? PHASE_DOUBT : PHASE_GONE];
	int64_t writable_ms = f->at_ms[PHASE_WRITABLE];

	if (gone_ms < 0 || writable_ms < 0)
		return -1;
	return writable_ms > gone_ms ? writable_ms - gone_ms : 0;
}
