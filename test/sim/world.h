#pragma once
/* A model of a Patroni cluster and of the network between it and isari, in virtual time. Truth
 * lives here: who holds the leader lock, whose PostgreSQL takes writes. The monitor only sees
 * answers.
 *
 * Each node: a PostgreSQL (primary or in recovery; running, frozen, dead), a Patroni (running,
 * frozen, dead) with its HA loop, and its links to isari and to the DCS. The lock lives in the DCS
 * with a time to live. Faults come from the seed; nothing here knows how the monitor judges. */
#include "base/rng.h"
#include "core/observation.h"
#include <stdbool.h>
#include <stdint.h>

enum { WORLD_MAX_NODES = 5 };

enum life { LIFE_RUNNING, LIFE_FROZEN, LIFE_DEAD };

enum rest_mood { /* how a running Patroni answers */
		 MOOD_HONEST,
		 MOOD_SLOW, /* answers after 0.3 .. 8 s */
		 MOOD_GARBAGE,
		 MOOD_UNKNOWN, /* 200, state unknown */
		 MOOD_WRONG_SCOPE,
		 MOOD_LIAR, /* says that it is the primary (patroni issue 776) */
};

struct node {
	enum life patroni, postgres;
	bool in_recovery;
	uint64_t timeline, lsn;
	int64_t believes_until_ms; /* it thinks that it holds the lock until then */
	int64_t next_loop_ms;
	int64_t renewed_ms;     /* when it last wrote the lock */
	int64_t promoted_at_ms; /* promotion ends then; 0: none under way */
	int64_t running_at_ms;  /* PostgreSQL is (re)starting until then */
	bool isari_link, dcs_link;
	bool thawed;      /* its Patroni goes on in the middle of the loop in which it froze */
	int64_t delay_ms; /* one way, isari to node */
	unsigned loss_percent;
	enum rest_mood mood;
};

struct world {
	struct rng rng;
	int64_t now_ms;
	unsigned n_nodes;
	struct node nodes[WORLD_MAX_NODES];
	int64_t ttl_ms, loop_wait_ms;
	bool steals; /* Patroni 3.0 with etcd v3: a thawed one writes the lock without looking */
	int lock_holder; /* -1: free */
	bool lock_stolen;
	int64_t lock_until_ms;
	int64_t last_fault_ms;
	unsigned n_faults;
	bool tracing;
};

void world_init(struct world *w, uint64_t seed, bool tracing);
/* Let Patroni and PostgreSQL live until `until_ms`. */
void world_advance(struct world *w, int64_t until_ms);
int64_t world_next_ms(const struct world *w); /* when something changes by itself */
void world_fault(struct world *w);            /* one random fault */
void world_heal(struct world *w); /* no fault is left: everything runs and is connected */
/* A question put at now_ms: fills the answer and returns when it arrives. */
int64_t world_answer(struct world *w, const struct observation *asked, int64_t timeout_ms,
		     struct observation *o);
/* Can isari hear anything at all from this node, on either port? */
bool world_audible(const struct world *w, unsigned node);
/* Does this node take writes from anyone who reaches it? */
bool world_writable(const struct world *w, unsigned node);
/* Somebody else holds its lock, rightly, while it takes writes. */
bool world_usurped(const struct world *w, unsigned node);
int world_true_primary(const struct world *w); /* holds the lock, promoted, running; -1: none */
bool world_true_replica(const struct world *w, unsigned node);
/* For answers.c. */
bool world_runs(const struct world *w, const struct node *n); /* its PostgreSQL */
uint64_t world_highest_timeline(const struct world *w);
uint64_t world_chance(struct world *w, uint64_t n); /* 0 .. n-1 */
void world_trace(const struct world *w, const char *format, ...)
	__attribute__((format(printf, 2, 3)));
