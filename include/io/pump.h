#pragma once
/* One direction of bytes, from one socket to another. Two pumps carry a session.
 * Bytes leave in the order in which they came, each once; the end of the stream is passed on after
 * them. An idle pump owns no buffer. What a full destination refuses is kept (the residue); until
 * that is gone nothing more is read, so TCP holds the sender back.
 *
 * Three ways, chosen by the bytes themselves, none of them configured but for the deadline:
 *
 *	copying      through the thread's one scratch; a question and its answer
 *	coalescing   a stream: copying, or splicing, in pieces that have gathered (io/coalesce.h)
 *	splicing     a source that is never empty: through a pipe, uncopied (io/splice.h)
 *
 * Any byte of the other direction leads back to copying. */
#include "base/list.h"
#include "io/splice.h"
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

enum {
	PUMP_SCRATCH_BYTES = 64 * 1024, /* most of one read, and so of what a full sink leaves us */
	/* A run's budget when others wait, and when nobody does. It is for copies: what goes
	 * through a pipe takes a quarter of the time. */
	PUMP_SHARED_BYTES = 64 * 1024,
	PUMP_ALONE_BYTES = 256 * 1024,
	PUMP_SLOWEST = 2, /* the first read after a short write is so many times halved */
	PUMP_SLOW_BYTES = PUMP_SCRATCH_BYTES >> PUMP_SLOWEST,
	PUMP_SCARCE_BYTES = 4 * 1024, /* when the thread's residues have reached their cap */
	PUMP_RESIDUE_MAX = 64 * 1024 * 1024,
	PUMP_BURST_BYTES = 256 * 1024, /* from a source that never was empty meanwhile: it is faster
					  than we are, and worth a pipe */
	PUMP_LONG_BURST_BYTES = UINT16_MAX * 16, /* as much as pump.burst can tell: 1 MB */
};

/* What the pumps of one thread share. */
struct pump_desk {
	char *scratch;        /* PUMP_SCRATCH_BYTES */
	size_t residue_bytes; /* kept for all slow destinations together */
	size_t residue_max;   /* above it reads shrink to PUMP_SCARCE_BYTES */
	struct pipes pipes;
	struct list streams; /* struct coalesce of the pumps that have a deadline, by deadline */

	/* The owner sets these, each turn */
	size_t budget; /* most bytes of one run */
	int64_t now_us;
	/* and before each run. */
	int64_t coalesce_us; /* how long a stream's bytes may gather; 0: not at all */
	size_t unseen_most;  /* so many bytes may pass without the owner having seen them */
	bool last; /* the other way is over: the sink is closed at this end, which passes it on */

	/* What the last run moved, for who wants to look at it: how many reads there were (where
	 * it looks, more than one only at the source's end), how many bytes the last one brought,
	 * which still are in the scratch, and how many bytes passed unseen. */
	unsigned n_reads;
	size_t n_read;
	size_t n_unseen;
	/* A burst of PUMP_LONG_BURST_BYTES, and bytes have to be seen: copying costs several times
	 * what a pipe would. */
	bool wants_unseen;
};

struct pump_extra;

struct pump {
	struct pump_extra *extra; /* residue, pipe, deadline; NULL: none of them */
	uint64_t bytes;           /* given to the destination's socket */
	/* Moved without a pause and without a byte of the other way; and since the source was
	 * empty. In units of 16 bytes, saturated. */
	uint16_t run, burst;
	uint16_t tick;      /* of the last read, in units of 256 us */
	uint8_t slow : 2;   /* reads are 2^slow times smaller than they might be */
	uint8_t piping : 1; /* bursts go through a pipe from the start */
	/* Readiness is remembered here, because an edge is not repeated. The owner sets the first
	 * two and clears the third by events; pump_run does the opposite. */
	uint8_t readable : 1; /* the source may have bytes */
	uint8_t ending : 1;  /* the source's end or error is queued: a short read is not the last */
	uint8_t blocked : 1; /* the destination is full */
	uint8_t finished : 1; /* nothing more will be moved */
	uint8_t unpiped : 1;  /* its sockets know no splice */
	uint8_t second : 1;   /* the owner's mark: which of its two */
};

_Static_assert(sizeof(struct pump) <= 24, "two of them are in every session");

enum pump_result {
	PUMP_IDLE,        /* waits for the source's next event (or is finished) */
	PUMP_MORE,        /* the budget is used up: run it again, no event will come */
	PUMP_BLOCKED,     /* waits for the destination's next event */
	PUMP_EOF,         /* the source's end was passed on; once */
	PUMP_SOURCE_LOST, /* the source was reset, after its last bytes were passed on; once */
	PUMP_SINK_LOST,   /* the destination was reset; once */
	PUMP_NO_MEMORY,   /* bytes were read and cannot be kept: the session must end; once */
};

int pump_desk_init(struct pump_desk *d); /* -ENOMEM */
void pump_desk_fini(struct pump_desk *d);
/* When the first stream's bytes have gathered long enough; INT64_MAX: there is none. */
int64_t pump_desk_due_us(const struct pump_desk *d);
/* A pump whose time has come, ready to be run; NULL: none (any more). */
struct pump *pump_desk_overdue(struct pump_desk *d);

/* An event of the source's or the destination's socket: bits of io/edge.h. */
void pump_source_ready(struct pump *p, uint32_t events);
void pump_sink_ready(struct pump *p, uint32_t events);
/* Is there anything that a run could do? */
bool pump_has_work(const struct pump *p);
/* Nothing that was read waits for the destination. */
bool pump_is_empty(const struct pump *p);
bool pump_coalesces(const struct pump *p);

/* Move at most one budget. A zeroed struct pump is a fresh one. */
enum pump_result pump_run(struct pump *p, int source, int sink, struct pump_desk *d);
/* The other direction has moved bytes, or this one has reached the end of an answer: no stream any
 * more. */
void pump_interrupt(struct pump *p, int source, struct pump_desk *d);
void pump_fini(struct pump *p, struct pump_desk *d); /* drops what it kept; may be called twice */
