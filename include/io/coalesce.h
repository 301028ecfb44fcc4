#pragma once
/* A stream's bytes gather before they are moved: the source's low-water mark (SO_RCVLOWAT) is
 * raised, so that the kernel wakes us for a large piece instead of for each of the sender's
 * writes; a deadline, and not the mark, bounds how long bytes may lie there. PostgreSQL writes
 * COPY in pieces of 8 kB: woken for each, proxy and sender spend more on waking than on copying.
 * Reads ignore the mark; a queue's end and an error always wake.
 *
 * Two rules were found by measuring harm: any byte of the other direction ends the gathering (else
 * answers of some kB come up to three times slower), and while the destination is blocked there is
 * no deadline (else a stalled stream polls). Both are for the caller, io/pump.c. One thread. */
#include "base/list.h"
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

enum {
	/* For COPY the deadline is the limit; bursts through a pipe cost a fifth less than with a
	 * mark of 128 kB */
	COALESCE_MARK_BYTES = 512 * 1024,
	COALESCE_AFTER_BYTES = 256 * 1024, /* in one go, before a source is taken for a stream */
	COALESCE_PAUSE_US = 1000,          /* longer than this between two reads is no stream */
	COALESCE_LEAST_BYTES = 4096,       /* of the read that begins it */
};

struct coalesce {
	struct list node; /* by due_us; unlinked: no deadline */
	int64_t due_us;
	uint8_t small, dry; /* reads in a row that brought little, nothing */
	bool on;
};

void coalesce_init(struct coalesce *c);
void coalesce_begin(struct coalesce *c, int source);
void coalesce_end(struct coalesce *c, int source); /* what is queued raises an edge again */
/* A read has brought `n` bytes, 0: there were none. True: it is still a stream. */
bool coalesce_goes_on(struct coalesce *c, size_t n);
void coalesce_arm(struct coalesce *c, struct list *by_due, int64_t due_us);
void coalesce_disarm(struct coalesce *c);
