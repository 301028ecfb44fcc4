#pragma once
/* Watches the monitor in a simulated world: knows the truth, knows what the monitor was told, and
 * holds every view against the invariants (numbered in monitor_sim_test.c). Knows nothing of how
 * the monitor judges. */
#include "core/monitor.h"
#include "world.h"

enum { WITNESS_WRITE, WITNESS_READ }; /* the listeners it looks at */

struct told {               /* what the monitor was told by one node */
	int64_t proof_ms;   /* when its latest usable proof was asked for; 0: none */
	uint64_t timeline;  /* of that proof */
	bool fresh;         /* its latest answer was that proof */
	bool on_time;       /* it had renewed its lock within loop_wait when it was asked */
	int64_t heard_ms;   /* its latest whole answer */
	unsigned n_silent;  /* silent answers in a row */
	int64_t audible_ms; /* when it last could have answered on any port */
};

struct witness {
	struct world *world;
	struct told told[WORLD_MAX_NODES];
	int64_t lease_ms;  /* by the latest ttl and loop_wait that were told */
	int64_t slept_ms;  /* when the monitor's latest pause ended */
	char failure[256]; /* the first one; empty: none */
};

void witness_init(struct witness *x, struct world *world);
void witness_violated(struct witness *x, const char *format, ...)
	__attribute__((format(printf, 2, 3)));
/* Before a fault, or anything else that changes who can be heard. */
void witness_note_audible(struct witness *x);
/* Before an event is given to the monitor. `tick_ms`: when it wanted to be called next. */
void witness_before(struct witness *x, const struct event *ev, bool on_time, int64_t tick_ms);
/* After it; the views before (NULL: none yet) and now. */
void witness_after(struct witness *x, const struct event *ev, const struct view *before,
		   const struct view *now);
/* Long after the last fault. */
void witness_settled(struct witness *x, const struct view *now);
