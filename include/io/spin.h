#pragma once
/* To poll for a moment before sleeping, or not. Falling asleep and being woken costs more than what
 * a busy thread waits for; a thread without work must not burn a processor. So it pays only while
 * batches of events follow each other closely, and only as long as it keeps paying: a poll in vain
 * halves a credit, one that saw an event restores it. Decides only: the polling is edge_wait's.
 */
#include <stdbool.h>
#include <stdint.h>

struct spin {
	int64_t most_us;         /* longest poll; 0: never */
	unsigned credit;         /* 0: sulks, with a try now and then */
	int64_t last_us;         /* when the last batch came */
	int64_t eight_gaps_us;   /* recent mean gap between batches, times 8 */
	unsigned n_passed;       /* chances not taken since it sulks */
	uint64_t spins, spun_us; /* since the start: how often, how long */
};

/* `most_us` 0: never. It sleeps until traffic has shown to be dense. */
void spin_init(struct spin *s, int64_t most_us);
/* For how long to poll now (at `now_us`, about to sleep until `due_us`); 0: sleep at once. */
int64_t spin_wants(struct spin *s, int64_t now_us, int64_t due_us);
void spin_hit(struct spin *s, int64_t spun_us); /* it polled so long, and saw events */
void spin_miss(struct spin *s, int64_t spun_us);
void spin_batch(struct spin *s, int64_t now_us); /* events came, however they were waited for */
