#pragma once
/* One direction of bytes, from one socket to another. Two pumps carry a session.
 * An idle pump owns no buffer: bytes pass through the thread's one scratch, and only what a full
 * destination refuses is kept (the residue); until that is gone nothing more is read, so TCP holds
 * the sender back. Bytes leave in the order in which they came, each once; the end of the stream is
 * passed on after them. */
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

enum {
	PUMP_SCRATCH_BYTES = 256 * 1024,
	PUMP_SHARED_BYTES = 64 * 1024, /* a run's budget when others wait */
	PUMP_SLOW_BYTES = 16 * 1024,   /* the first read after a short write */
	PUMP_SCARCE_BYTES = 4 * 1024,  /* when the thread's residues have reached their cap */
	PUMP_RESIDUE_MAX = 64 * 1024 * 1024,
};

/* What the pumps of one thread share. */
struct pump_desk {
	char *scratch;        /* PUMP_SCRATCH_BYTES */
	size_t budget;        /* most bytes of one run; the owner sets it each turn */
	size_t residue_bytes; /* kept for all slow destinations together */
	size_t residue_max;   /* above it reads shrink to PUMP_SCARCE_BYTES */
	/* What the last run read, for who wants to look at it: how often (more than once only at
	 * the source's end), and how many bytes at last, which still are in the scratch. */
	unsigned n_reads;
	size_t n_read;
};

struct pump_residue;

struct pump {
	struct pump_residue *residue;
	uint64_t bytes; /* given to the destination's socket */
	/* Most bytes of one read: small after a short write, growing with full reads; 0: fresh. */
	uint32_t limit;
	/* Readiness is remembered here, because an edge is not repeated. The owner sets the first
	 * two and clears the third by events; pump_run does the opposite. */
	bool readable; /* the source may have bytes */
	bool ending;   /* the source's end or error is queued: a short read is not the last one */
	bool blocked;  /* the destination is full */
	bool finished; /* nothing more will be moved */
};

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

/* An event of the source's or the destination's socket: bits of io/edge.h. */
void pump_source_ready(struct pump *p, uint32_t events);
void pump_sink_ready(struct pump *p, uint32_t events);
/* Is there anything that a run could do? */
bool pump_has_work(const struct pump *p);

/* Move at most one budget. A zeroed struct pump is a fresh one. */
enum pump_result pump_run(struct pump *p, int source, int sink, struct pump_desk *d);
void pump_fini(struct pump *p, struct pump_desk *d); /* drops the residue; may be called twice */
