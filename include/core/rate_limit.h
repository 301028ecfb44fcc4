#pragma once
/* So many a second for all workers together, as `set rate-limit` of HAProxy's runtime API: who
 * comes when the second's are used up waits for the next one. Pure: time comes in; any thread. */
#include <stdatomic.h>
#include <stdbool.h>
#include <stdint.h>

/* Connections and sessions are one here; HAProxy has a limit for each, and so both count. */
enum rate_kind { RATE_CONNECTIONS, RATE_SESSIONS, N_RATE_KINDS };

struct rate_limit {
	_Atomic unsigned per_second[N_RATE_KINDS]; /* 0: no limit; written by control only */
	/* The running second (of the monotonic clock) in the high half, how many it has had in
	 * the low one. */
	_Atomic uint64_t used;
};

/* Is there any limit? */
bool rate_limit_is_set(const struct rate_limit *r);
/* How many of `wanted` may come in now; these are counted. */
unsigned rate_limit_take(struct rate_limit *r, unsigned wanted, int64_t now_ms);
/* They did not come after all. */
void rate_limit_give_back(struct rate_limit *r, unsigned n, int64_t now_ms);
/* When the next second begins. */
int64_t rate_limit_next_ms(int64_t now_ms);
