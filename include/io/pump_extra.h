#pragma once
/* What a pump has only while it needs it, and how its files share the work. For the files
 * io/pump*.c only; others use io/pump.h. */
#include "io/coalesce.h"
#include "io/pump.h"

struct pump_extra {
	struct pump *pump;
	struct coalesce stream;
	struct pipe *pipe;
	unsigned n_little; /* fills of a pipe in a row that brought little */
	char *residue;     /* NULL: none */
	size_t at, len;    /* of it: still to be sent, and its end */
};

/* ---- pump_extra.c ---- */
struct pump_extra *pump_extra_of(struct pump *p); /* makes it; NULL: no memory */
void pump_extra_drop(struct pump *p);             /* unless it is needed */
/* `bytes`, of malloc, are the pump's now: its residue. */
void pump_extra_keep(struct pump *p, struct pump_desk *d, char *bytes, size_t n);
void pump_extra_drop_residue(struct pump_extra *x, struct pump_desk *d);
void pump_extra_drop_pipe(struct pump_extra *x, struct pump_desk *d);

/* ---- pump_stream.c ---- */
size_t pump_burst_bytes(const struct pump *p);
/* So many bytes have come. */
void pump_count(struct pump *p, int source, struct pump_desk *d, size_t n);
/* The source is empty. */
void pump_await_more(struct pump *p, int source, struct pump_desk *d);
