#pragma once
/* A histogram with fixed buckets: how often a value was how big. Plain values, no memory of its
 * own. The unit is the caller's. */
#include <stdint.h>

enum { HIST_MAX_BOUNDS = 16 };

struct hist {
	const int64_t *bounds; /* ascending; a value belongs to the first that is not below it */
	unsigned n_bounds;
	uint64_t counts[HIST_MAX_BOUNDS + 1]; /* the last: above all bounds */
	uint64_t n;
	int64_t sum;
};

/* `bounds` outlives it. */
void hist_init(struct hist *h, const int64_t *bounds, unsigned n_bounds);
void hist_add(struct hist *h, int64_t value);
