/* Counting what a second may have. Not here: what is done when it has had all (proxy/accept.c). */
#include "core/rate_limit.h"
#include <limits.h>

enum { SECOND_MS = 1000 };

/* 0: no limit. */
static unsigned strictest(const struct rate_limit *r)
{
	unsigned least = 0;

	for (unsigned i = 0; i < N_RATE_KINDS; i++) {
		unsigned n = atomic_load_explicit(&r->per_second[i], memory_order_relaxed);

		if (n > 0 && (least == 0 || n < least))
			least = n;
	}
	return least;
}

bool rate_limit_is_set(const struct rate_limit *r)
{
	return strictest(r) > 0;
}

static uint64_t second_of(int64_t now_ms)
{
	return (uint64_t)(now_ms / SECOND_MS) << 32;
}

static unsigned count_of(uint64_t used)
{
	return (unsigned)(used & UINT32_MAX);
}

/* The second that runs. One that another worker has begun already is not begun anew by a worker
 * whose clock was read a moment earlier. */
static uint64_t running(uint64_t used, int64_t now_ms)
{
	return used >= second_of(now_ms) ? used : second_of(now_ms);
}

unsigned rate_limit_take(struct rate_limit *r, unsigned wanted, int64_t now_ms)
{
	unsigned most = strictest(r), had, n;
	uint64_t used = atomic_load_explicit(&r->used, memory_order_relaxed);

	if (most == 0)
		return wanted;
	do {
		had = count_of(running(used, now_ms));
		n = had >= most ? 0 : most - had < wanted ? most - had : wanted;
	} while (n > 0 && !atomic_compare_exchange_weak_explicit(
				  &r->used, &used, running(used, now_ms) + n, memory_order_relaxed,
				  memory_order_relaxed));
	return n;
}

void rate_limit_give_back(struct rate_limit *r, unsigned n, int64_t now_ms)
{
	uint64_t used = atomic_load_explicit(&r->used, memory_order_relaxed);

	do {
		/* That second is over; or nothing was counted, as there was no limit. */
		if (used >> 32 != second_of(now_ms) >> 32 || n == 0 || count_of(used) < n)
			return;
	} while (!atomic_compare_exchange_weak_explicit(
		&r->used, &used, used - n, memory_order_relaxed, memory_order_relaxed));
}

int64_t rate_limit_next_ms(int64_t now_ms)
{
	return (now_ms / SECOND_MS + 1) * SECOND_MS;
}
