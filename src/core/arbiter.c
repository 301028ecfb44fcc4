/* Who is primary, when more than one proves it (product rules 3 and 6).
 * Nobody is elected by silence: an incumbent that stopped proving loses a tie, but a tie makes nobody primary. */
#include "core/arbiter.h"

static struct ruling nobody(void)
{
	return (struct ruling){.member = -1, .other = -1, .first = -1, .why = WHY_NO_PROOF};
}

struct ruling arbiter_rule(const struct claimant *claims, size_t n, int incumbent)
{
	struct ruling r = nobody();
	uint64_t highest = 0;
	size_t n_highest = 0;

	for (size_t i = 0; i < n; i++)
		if (claims[i].stands && claims[i].timeline > highest)
			highest = claims[i].timeline;
	for (size_t i = 0; i < n; i++) {
		if (!claims[i].stands || claims[i].timeline != highest)
			continue;
		if (n_highest++ == 0)
			r.first = (int)claims[i].member;
		else if (r.other < 0)
			r.other = (int)claims[i].member;
		if ((int)claims[i].member == incumbent && claims[i].fresh)
			r.member = incumbent;
	}
	if (n_highest == 1)
		r.member = r.first;
	r.ambiguous = n_highest > 1;
	if (r.member >= 0)
		r.why = WHY_PROVEN;
	else if (r.ambiguous)
		r.why = WHY_AMBIGUOUS;
	return r;
}
