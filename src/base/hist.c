/* A histogram with fixed buckets. */
#include "base/hist.h"
#include "base/assert.h"

void hist_init(struct hist *h, const int64_t *bounds, unsigned n_bounds)
{
	REQUIRE(n_bounds <= HIST_MAX_BOUNDS);
	*h = (struct hist){.bounds = bounds, .n_bounds = n_bounds};
}

void hist_add(struct hist *h, int64_t value)
{
	unsigned i = 0;

	while (i < h->n_bounds && value > h->bounds[i])
		i++;
	h->counts[i]++;
	h->n++;
	h->sum += value;
}
