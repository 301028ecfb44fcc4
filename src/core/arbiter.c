/* Who is primary, when more than one proves it (rules 3 and 6).
 * Nobody is elected by silence: an incumbent that stopped proving loses a tie, but a tie makes
 * nobody primary. */
#include "core/arbiter.h"

static struct ruling nobody(void)
{
	return (struct ruling){.member = -1, .other = -1, .first = -1, .why = WHY_NO_PROOF};
}

static uint64_t highest_of(const struct claimant *claims, size_t n)
{
	uint64_t highest = 0;

	for (size_t i = 0; i < n; i++)
		if (claims[i].stands && claims[i].timeline > highest)
			highest = claims[i].timeline;
	return highest;
}

struct ruling arbiter_rule(const struct claimant *claims, size_t n, int incumbent)
{
	struct ruling r = nobody();
	uint64_t highest = highest_of(claims, n);
	const struct claimant *first = NULL;
	bool incumbent_proves = false;

	for (size_t i = 0; i < n; i++) {
		const struct claimant *c = &claims[i];

		if (!c->stands || c->timeline != highest)
			continue;
		if (first == NULL)
			first = c;
		else if (r.other < 0)
			r.other = (int)c->member;
		incumbent_proves |= (int)c->member == incumbent && c->fresh;
	}
	if (first == NULL)
		return r;
	r.first = (int)first->member;
	r.ambiguous = r.other >= 0;
	if (incumbent_proves)
		r.member = incumbent;
	else if (!r.ambiguous && (first->fresh || r.first == incumbent))
		r.member = r.first;
	if (r.member >= 0)
		r.why = WHY_PROVEN;
	else if (r.ambiguous)
		r.why = WHY_AMBIGUOUS;
	return r;
}
