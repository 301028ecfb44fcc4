/* How far each member is behind, from the positions that answers tell. The yardstick is the
 * primary; in a standby cluster, which has none, the standby leader.
 *
 * A distance stands as long as a proof would, counted by the yardstick's own answers: while it is
 * silent, or there is none, every replica stays what it was. A failover must not take the readers'
 * servers away as well.
 * Not here: the arithmetic (lag.c), what a listener makes of it (eligible.c). */
#include "core/monitor_state.h"

static bool is_newest_proof(const struct member_state *s, const struct observation *o)
{
	return s->proof.stands && s->proof.fresh && o->question == ASK_PRIMARY &&
	       s->proof.asked_ms == o->asked_ms;
}

/* Of two that prove it the incumbent measures, unless it is just being overtaken. */
static bool is_yardstick(const struct cluster_state *c, const struct member_state *s,
			 const struct observation *o)
{
	if (is_newest_proof(s, o))
		return c->leader.member < 0 || c->leader.member == (int)s->config->id ||
		       o->timeline > c->leader.timeline;
	return c->leader.member < 0 && o->claim == CLAIM_STANDBY_LEADER && o->state == PG_RUNNING;
}

static bool begins(const struct yardstick *y, const struct member_state *s)
{
	bool first_proof = s->proof.stands && s->proof.first_answered_ms == s->proof.answered_ms;

	return !y->known || y->member != s->config->id || first_proof;
}

static void take_yardstick(struct cluster_state *c, struct member_state *s,
			   const struct lag_position *p)
{
	struct yardstick *y = &c->yardstick;

	if (begins(y, s))
		y->since_ms = p->answered_ms;
	y->known = true;
	y->member = s->config->id;
	y->position = *p;
	s->lag = (struct lag){.measured = true, .measured_ms = p->answered_ms};
	for (unsigned i = 0; i < c->config->n_members; i++)
		if (&c->members[i] != s)
			lag_measure(&c->members[i].lag, p, &c->members[i].position);
}

void monitor_take_position(struct cluster_state *c, struct member_state *s,
			   const struct observation *o)
{
	struct lag_position p = {o->lsn, o->timeline, o->asked_ms, o->answered_ms};

	if (is_yardstick(c, s, o)) {
		s->position = (struct lag_position){0}; /* where it writes, not what it replayed */
		take_yardstick(c, s, &p);
	} else if (o->claim == CLAIM_REPLICA || o->claim == CLAIM_STANDBY_LEADER) {
		s->position = p;
		lag_measure(&s->lag, &c->yardstick.position, &p);
	}
}

bool monitor_lag_known(const struct cluster_state *c, const struct member_state *s)
{
	const struct yardstick *y = &c->yardstick;
	int64_t from_ms = s->lag.measured_ms;

	if (!s->lag.measured)
		return false;
	if (from_ms < y->since_ms)
		from_ms = y->since_ms; /* a new primary is given as long */
	return y->position.answered_ms - from_ms <= monitor_lease_ms(c);
}
