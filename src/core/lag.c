/* The arithmetic of lag. */
#include "core/lag.h"

static int64_t later_of(int64_t a, int64_t b)
{
	return a > b ? a : b;
}

static int64_t sooner_of(int64_t a, int64_t b)
{
	return a < b ? a : b;
}

/* Both may have been true at the same moment, or nearly so. */
static bool in_one_sweep(const struct lag_position *a, const struct lag_position *b)
{
	int64_t apart_ms =
		later_of(a->asked_ms, b->asked_ms) - sooner_of(a->answered_ms, b->answered_ms);

	return apart_ms <= LAG_SWEEP_MS;
}

/* A replica that is still on an older timeline, and further on it than the primary is: it has what
 * the primary never had, and their positions do not lie on one line. (One that is not further may
 * just not have followed yet: the distance is right.) */
static bool on_another_branch(const struct lag_position *primary,
			      const struct lag_position *replica)
{
	return replica->timeline != 0 && replica->timeline < primary->timeline &&
	       replica->lsn > primary->lsn;
}

void lag_measure(struct lag *l, const struct lag_position *primary,
		 const struct lag_position *replica)
{
	if (primary->lsn == 0 || replica->lsn == 0 || !in_one_sweep(primary, replica) ||
	    on_another_branch(primary, replica))
		return;
	*l = (struct lag){
		.measured = true,
		.bytes = primary->lsn > replica->lsn ? primary->lsn - replica->lsn : 0,
		.measured_ms = later_of(primary->answered_ms, replica->answered_ms),
	};
}

bool lag_exceeds(uint64_t bytes, uint64_t limit, bool exceeded_before)
{
	return bytes > (exceeded_before ? limit / 2 : limit);
}
