#pragma once
/* Watches the monitor in a simulated world: knows the truth, knows what the monitor was told, and
 * holds every view against the invariants (numbered in monitor_sim_test.c). It follows the
 * contract; it knows nothing of how the monitor judges. */
#include "core/monitor.h"
#include "world.h"

/* The listeners it looks at. Operators leave the first two alone: these show what is judged. The
 * others are their twins, with the same settings, and have what is judged and ordered. */
enum {
	WITNESS_WRITE,
	WITNESS_READ,
	WITNESS_ORDERED_WRITE,
	WITNESS_ORDERED_READ,
	WITNESS_LISTENERS,
};

enum word { /* what one whole answer amounts to */
	    WORD_NOTHING,
	    WORD_NO,           /* a clear no */
	    WORD_CANNOT_WRITE, /* holds the lock, but takes no writes */
	    WORD_LOWER,        /* a proof, but for its timeline */
	    WORD_PROOF,
};

struct told {                    /* what the monitor was told by one node */
	int64_t proof_ms;        /* when its latest usable proof was asked for; 0: none */
	int64_t answered_ms;     /* when that proof was given */
	uint64_t timeline;       /* of that proof */
	int64_t until_ms;        /* its lease has not been over before then */
	bool fresh;              /* its latest answer was that proof */
	bool refuted;            /* by itself, or by a higher timeline elsewhere */
	bool unsure;             /* its Patroni answers that it could not ask its PostgreSQL */
	bool serves;             /* writes, by the view before this step */
	bool rest_refused;       /* the latest question found nobody listening */
	bool gone;               /* since that proof both its ports were silent */
	int64_t restarted_ms;    /* its Patroni listens again since; 0: it always did */
	bool on_time;            /* its lock was sure to outlive that proof's lease */
	int64_t asked_ms;        /* when its latest REST question was put */
	bool in_flight;          /* and it has not ended */
	unsigned n_lower;        /* proofs in a row below the highest timeline */
	int64_t lower_ms;        /* when the latest of them was asked for */
	int64_t heard_ms;        /* its latest whole answer */
	struct observation said; /* its latest whole answer to /primary */
	unsigned n_silent;       /* silent answers in a row */
	unsigned n_ended;        /* questions that ended, one way or the other */
	int64_t audible_ms;      /* when it last could have answered on any port */
};

struct ordered { /* what an operator has said of one server */
	enum admin_state admin;
	enum health_order health;
	unsigned answers_due; /* until the health is what it answers */
	int64_t since_ms;
	bool weighed; /* the weight is an order, not the file's */
	unsigned weight;
};

struct witness {
	struct world *world;
	const struct config *config;
	bool lets_go[WITNESS_LISTENERS]; /* of what the file before had kept */
	struct told told[WORLD_MAX_NODES];
	struct ordered ordered[WITNESS_LISTENERS][WORLD_MAX_NODES]; /* of the twins */
	unsigned n_closed[WITNESS_LISTENERS][WORLD_MAX_NODES];      /* in published views */
	uint64_t highest; /* timeline of any proof, as far as the monitor has not given it up */
	int64_t started_ms;
	int64_t lease_ms;                   /* by the latest ttl and loop_wait that were told */
	int64_t ttl_ms, loop_wait_ms;       /* as told; 0: not yet */
	bool crowned;                       /* somebody has been primary */
	int64_t slept_ms;                   /* when the monitor's latest pause ended */
	int64_t prompt_since_ms, prompt_ms; /* since then a true primary is served so soon; 0: no */
	int64_t restless_ms;                /* when it last had a reason of its own to hurry */
	int64_t hinted_ms;                  /* everybody is asked within fast_interval; 0: no */
	int true_primary;
	int64_t true_since_ms;
	char failure[256]; /* the first one; empty: none */
};

void witness_init(struct witness *x, struct world *world, const struct config *config);
/* From the next event on, which is the reload, this is in force. */
void witness_reload(struct witness *x, const struct config *next);
void witness_violated(struct witness *x, const char *format, ...)
	__attribute__((format(printf, 2, 3)));
/* Before a fault, or anything else that changes who can be heard. */
void witness_note_audible(struct witness *x);
/* From now on a true primary is served within `prompt_ms`; 0: no more. */
void witness_expect_promptness(struct witness *x, int64_t prompt_ms);
/* The monitor puts a question to REST. */
void witness_asked(struct witness *x, unsigned member);
/* Was the lock good for the longest lease that its times allow, when this was asked for? */
bool witness_lock_is_good(const struct witness *x, unsigned member);
/* Before an event is given to the monitor. `tick_ms`: when it wanted to be called next. */
void witness_before(struct witness *x, const struct event *ev, bool on_time, int64_t tick_ms);
/* After it; the views before (NULL: none yet) and now. */
void witness_after(struct witness *x, const struct event *ev, const struct update *up,
		   const struct view *before, const struct view *now);
/* Long after the last fault. */
void witness_settled(struct witness *x, const struct view *now);

/* witness_orders.c: what operators say, and what becomes of it. */
bool witness_is_ordered(unsigned listener);
void witness_order(struct witness *x, const struct event *ev);
void witness_hear_of_orders(struct witness *x, const struct observation *o);
void witness_check_orders(struct witness *x, const struct view *before, const struct view *now);

/* witness_hears.c: what the monitor is told. */
bool witness_is_ours(const struct witness *x, const struct observation *o);
enum word witness_word(const struct witness *x, const struct observation *o);
/* PostgreSQL itself says, later than the last proof, that it is in recovery. */
bool witness_contradicts(const struct witness *x, const struct observation *o);
/* Asked before our own pause, only a clear no is worth anything. */
bool witness_is_void(const struct witness *x, const struct observation *o);
/* Does another node prove as much as node i does: now, or less than a lease ago? */
bool witness_rival(const struct witness *x, unsigned i, bool now);
const struct probe_config *witness_probe(const struct witness *x);
