#pragma once
/* A small seeded generator (splitmix64): jitter and balancing, never secrets. Same seed, same run.
 */
#include <stdint.h>

struct rng {
	uint64_t state;
};

void rng_seed(struct rng *r, uint64_t seed);
uint64_t rng_next(struct rng *r);
uint64_t rng_below(struct rng *r, uint64_t n); /* 0 .. n-1; n > 0 */
