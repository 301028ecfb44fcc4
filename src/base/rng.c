/* splitmix64 (Steele, Lea, Flood 2014; public domain constants). */
#include "base/rng.h"
#include "base/assert.h"

void rng_seed(struct rng *r, uint64_t seed)
{
	r->state = seed;
}

uint64_t rng_next(struct rng *r)
{
	uint64_t z = (r->state += 0x9e3779b97f4a7c15u);

	z = (z ^ (z >> 30)) * 0xbf58476d1ce4e5b9u;
	z = (z ^ (z >> 27)) * 0x94d049bb133111ebu;
	return z ^ (z >> 31);
}

uint64_t rng_below(struct rng *r, uint64_t n)
{
	REQUIRE(n > 0);
	return rng_next(r) % n; /* the bias is far below what jitter or balancing could show */
}
