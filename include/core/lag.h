#pragma once
/* How far a replica is behind: two positions in the WAL, told in one sweep, and a verdict that does
 * not flap. Pure.
 *
 * A position is true at some moment while the answer that tells it was on its way. A primary that
 * writes 100 MB/s has moved on by 16 MB after 160 ms, so positions of different moments say nothing
 * about each other: an older one of the primary makes every replica look fresh, a newer one makes
 * every replica look late. Members are asked at the same moment (monitor_ask.c), so that there is
 * such a pair in every round.
 * Not here: whose positions these are and how long a distance stands (monitor_lag.c), what a
 * listener makes of it (eligible.c). */
#include <stdbool.h>
#include <stdint.h>

/* Half of the shortest usual time between two rounds: a position is never paired with one of the
 * round before. */
enum { LAG_SWEEP_MS = 50 };

struct lag_position {
	uint64_t lsn;      /* bytes; 0: not told */
	uint64_t timeline; /* 0: not told */
	int64_t asked_ms, answered_ms;
};

struct lag {
	bool measured;
	uint64_t bytes;
	int64_t measured_ms; /* when the later of both positions was told */
};

/* Take the distance of two positions in, if they tell one; what was measured before stands
 * otherwise. Ahead of the primary is no lag: the replica was asked a moment later. */
void lag_measure(struct lag *l, const struct lag_position *primary,
		 const struct lag_position *replica);

/* Too far? Once it was, it has to come well below the limit first: half of it. A band works however
 * often we ask; a number of answers in a row would be 3 s in calm and 300 ms in doubt. */
bool lag_exceeds(uint64_t bytes, uint64_t limit, bool exceeded_before);
