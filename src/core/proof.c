/* What one answer proves (rules 2, 3 and 8).
 * Patroni's status code is the only carrier of "I hold the leader lock"; its body says whether
 * PostgreSQL accepts writes. Both are needed: 200 comes before promotion ends (Patroni issues 2756,
 * 2972). */
#include "core/proof.h"
#include <string.h>

static struct judgement say(enum verdict verdict, enum why why)
{
	return (struct judgement){verdict, why};
}

static bool is_silence(enum outcome o)
{
	return o != OUTCOME_ANSWERED && o != OUTCOME_OWN_FAULT && o != OUTCOME_NONE;
}

/* Observed texts are cut to their field, configured ones are not. */
static bool same_text(const char *configured, const char *observed, size_t field_bytes)
{
	return strncmp(configured, observed, field_bytes - 1) == 0;
}

/* A body that says who it is and is somebody else. Says nothing: passes. */
static enum why wrong_cluster(const struct observation *o, const struct expectation *e)
{
	if (e->scope && *e->scope && o->scope[0] &&
	    !same_text(e->scope, o->scope, sizeof(o->scope)))
		return WHY_WRONG_SCOPE;
	if (e->system_id && o->system_id && e->system_id != o->system_id)
		return WHY_WRONG_SYSTEM;
	if (e->another_members_name)
		return WHY_WRONG_NAME;
	return WHY_NONE;
}

/* Status 200 to ASK_PRIMARY: the lock is held; does PostgreSQL accept writes? */
static struct judgement judge_lock_holder(const struct observation *o, const struct expectation *e)
{
	if (o->state == PG_UNKNOWN)
		return say(VERDICT_NOTHING, WHY_STATE_UNKNOWN);
	if (o->state != PG_RUNNING)
		return say(VERDICT_NOT_WRITABLE, WHY_PG_NOT_RUNNING);
	if (o->claim == CLAIM_UNKNOWN)
		return say(VERDICT_NOTHING, WHY_STATE_UNKNOWN);
	if (o->claim != CLAIM_PRIMARY) /* being promoted, or after a crash being so again */
		return say(VERDICT_NOT_WRITABLE, WHY_PROMOTING);
	if (e->scope_is_configured && o->scope[0] == '\0')
		return say(VERDICT_NOTHING, WHY_NO_SCOPE);
	if (o->timeline == 0 && e->highest_timeline > 0)
		return say(VERDICT_NOTHING, WHY_NO_TIMELINE);
	if (o->timeline < e->highest_timeline)
		return say(VERDICT_LOWER_TIMELINE, WHY_LOWER_TIMELINE);
	return say(VERDICT_PROOF, WHY_PROVEN);
}

struct judgement proof_judge(const struct observation *o, const struct expectation *e)
{
	enum why wrong;

	if (o->outcome == OUTCOME_OWN_FAULT)
		return say(VERDICT_OWN_FAULT, WHY_NONE);
	if (is_silence(o->outcome))
		return say(VERDICT_SILENCE, WHY_REST_SILENT);
	wrong = wrong_cluster(o, e);
	if (wrong)
		return say(VERDICT_WRONG_CLUSTER, wrong);
	if (o->question != ASK_PRIMARY)
		return say(VERDICT_NOTHING, WHY_NONE);
	if (o->http_status != 200)
		return say(VERDICT_REFUSAL, WHY_NOT_LEADER);
	return judge_lock_holder(o, e);
}
