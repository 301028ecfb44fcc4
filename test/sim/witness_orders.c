/* What operators order is done, and is all that it does: each server of an ordered listener is held
 * against its twin, of which nobody has said anything. */
#include "witness.h"

bool witness_is_ordered(unsigned listener)
{
	return listener >= WITNESS_ORDERED_WRITE;
}

void witness_order(struct witness *x, const struct event *ev)
{
	struct ordered *r = &x->ordered[ev->u.operator.listener][ev->u.operator.server];

	switch (ev->u.operator.word) {
	case OPERATOR_STATE: r->admin = ev->u.operator.state; break;
	case OPERATOR_WEIGHT:
		r->weighed = true;
		r->weight = ev->u.operator.weight;
		break;
	case OPERATOR_HEALTH:
		r->health = ev->u.operator.health;
		r->answers_due = witness_probe(x)->rise;
		r->since_ms = ev->now_ms;
		break;
	case OPERATOR_CLEAR: break;
	}
}

/* A whole answer to /primary of ours that is worth anything. */
static bool is_good(const struct witness *x, const struct observation *o)
{
	return o->question == ASK_PRIMARY && o->outcome == OUTCOME_ANSWERED &&
	       witness_is_ours(x, o) && (!witness_is_void(x, o) || witness_word(x, o) == WORD_NO);
}

/* `rise` good answers in a row, asked for since, end what was said of its health. */
void witness_hear_of_orders(struct witness *x, const struct observation *o)
{
	bool silent = o->outcome != OUTCOME_ANSWERED && !witness_is_void(x, o);

	if (o->question == ASK_PORT || o->question == ASK_CONFIG)
		return;
	for (unsigned l = WITNESS_ORDERED_WRITE; l < WITNESS_LISTENERS; l++) {
		struct ordered *r = &x->ordered[l][o->member];

		if (silent)
			r->answers_due = witness_probe(x)->rise;
		else if (is_good(x, o) && o->asked_ms >= r->since_ms && r->answers_due > 0 &&
			 --r->answers_due == 0)
			r->health = HEALTH_AS_ANSWERED;
	}
}

/* May it be so, as its twin is `judged`? A policy keeps nobody who was not there. */
static bool may_be(enum server_state state, const struct ordered *r, enum server_state judged,
		   bool was_there)
{
	if (r->admin == ADMIN_MAINT || r->health == HEALTH_DOWN)
		return state == SERVER_CLOSED;
	if (judged == SERVER_OPEN && (r->admin == ADMIN_DRAIN || r->health == HEALTH_STOPPING))
		return state == SERVER_KEPT;
	return state == judged || (state == SERVER_CLOSED && judged != SERVER_OPEN && !was_there);
}

static bool has_turn(const struct view_listener *l, unsigned server)
{
	for (unsigned i = 0; i < l->n_turns; i++)
		if (l->turns[i] == server)
			return true;
	return false;
}

static void check_server(struct witness *x, const struct view *before, const struct view *now,
			 unsigned l, unsigned i)
{
	const struct ordered *r = &x->ordered[l][i];
	const struct view_server *s = &now->listeners[l].servers[i];
	enum server_state judged = now->listeners[l - WITNESS_ORDERED_WRITE].servers[i].state;
	bool was_there = before && before->listeners[l].servers[i].state != SERVER_CLOSED;
	unsigned weight = r->weighed ? r->weight : x->config->members[i].weight;

	if (!may_be(s->state, r, judged, was_there))
		witness_violated(x, "n%u is %s, judged %s and ordered %s, health %s", i,
				 server_state_name(s->state), server_state_name(judged),
				 admin_state_name(r->admin), health_order_name(r->health));
	if (s->weight != weight)
		witness_violated(x, "n%u weighs %u, not %u", i, s->weight, weight);
	if (has_turn(&now->listeners[l], i) != (s->state == SERVER_OPEN && weight > 0))
		witness_violated(x, "n%u has turns, or none, against what was ordered", i);
}

void witness_check_orders(struct witness *x, const struct view *before, const struct view *now)
{
	for (unsigned l = WITNESS_ORDERED_WRITE; l < WITNESS_LISTENERS; l++)
		for (unsigned i = 0; i < x->world->n_nodes; i++)
			check_server(x, before, now, l, i);
}
