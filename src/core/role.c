/* Answers to the role endpoints (Patroni's api.py: do_GET). */
#include "core/role.h"

enum role role_asked(enum question q)
{
	switch (q) {
	case ASK_SYNC: return ROLE_SYNC;
	case ASK_ASYNC: return ROLE_ASYNC;
	case ASK_QUORUM: return ROLE_QUORUM;
	case ASK_STANDBY_LEADER: return ROLE_STANDBY_LEADER;
	default: return ROLE_REPLICA;
	}
}

static bool runs_or_does_not_say(const struct observation *o)
{
	return o->state == PG_RUNNING || o->state == PG_UNKNOWN;
}

/* What the endpoint would have said but for the tag; /standby-leader does not look at it. */
static bool fits(enum question q, unsigned flags)
{
	switch (q) {
	case ASK_REPLICA: return true;
	case ASK_SYNC: return flags & FLAG_SYNC;
	case ASK_QUORUM: return flags & FLAG_QUORUM;
	case ASK_ASYNC: return !(flags & (FLAG_SYNC | FLAG_QUORUM));
	default: return false;
	}
}

static bool denied_for_its_tag(const struct observation *o)
{
	return (o->flags & TAG_NOLOADBALANCE) && o->claim == CLAIM_REPLICA &&
	       o->state == PG_RUNNING && fits(o->question, o->flags);
}

bool role_held(const struct observation *o)
{
	if (o->http_status == 200)
		return runs_or_does_not_say(o);
	return denied_for_its_tag(o);
}
