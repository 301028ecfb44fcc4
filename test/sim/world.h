#pragma once
/* A model of a Patroni cluster and of the network between it and isari, in virtual time. Truth
 * lives here: who holds the leader lock, whose PostgreSQL takes writes. The monitor only sees
 * answers.
 *
 * Each node: a PostgreSQL (primary or in recovery; running, frozen, dead), a Patroni (running,
 * frozen, dead) with its HA loop and its own wall clock, and its links to isari and to the DCS.
 * The lock lives in the DCS with a time to live. Nothing here knows how the monitor judges.
 *
 * world.c: time and truth. patroni.c: the HA loop. faults.c: what breaks. answers.c: what isari
 * hears. */
#include "base/rng.h"
#include "core/observation.h"
#include <stdbool.h>
#include <stdint.h>

enum { WORLD_MAX_NODES = 9, WORLD_SYSTEM_ID = 7001 };

enum life { LIFE_RUNNING, LIFE_FROZEN, LIFE_DEAD };

enum rest_mood { /* how a running Patroni answers */
		 MOOD_HONEST,
		 MOOD_SLOW, /* answers after 0.3 .. 8 s */
		 MOOD_GARBAGE,
		 MOOD_UNSURE,      /* its SQL times out after 2 s: state unknown */
		 MOOD_NO_SCOPE,    /* the body does not say the scope */
		 MOOD_NO_TIMELINE, /* nor the timeline */
		 MOOD_FOREIGN,     /* the primary of another cluster lives at this address */
		 MOOD_LIAR,        /* says that it is the primary (patroni issue 776) */
		 MOOD_FICKLE,      /* every now and then, and of a timeline that is past */
};

enum { FOREIGN_SCOPE = 1, FOREIGN_SYSTEM = 2, FOREIGN_NAME = 4 }; /* by what it can be told */

struct node {
	enum life patroni, postgres;
	bool in_recovery;
	uint64_t timeline, lsn;
	int64_t clock_ms;          /* its wall clock is so far ahead of the truth */
	int64_t believes_until_ms; /* is_leader(): until then by its wall clock */
	int64_t dcs_seen_ms;       /* dcs_last_seen, by its wall clock */
	int64_t failsafe_until_ms; /* failsafe_mode_is_active, by its wall clock */
	int64_t next_loop_ms;
	int64_t oversleeps_ms;  /* its next sleep is so much longer: its clock was set back */
	int64_t renewed_ms;     /* when it last wrote the lock */
	int64_t renews_at_ms;   /* a slow renewal is done then; 0: none under way */
	int64_t gives_up_ms;    /* the DCS does not answer: retried until then; 0: it does */
	int64_t promoted_at_ms; /* promotion ends then; 0: none under way */
	int64_t running_at_ms;  /* PostgreSQL is (re)starting until then */
	bool loop_hangs;        /* its REST answers all the same */
	bool blind;             /* it has no view of the cluster: the last read failed */
	bool isari_link, dcs_link;
	bool thawed;      /* its Patroni goes on in the middle of the loop in which it froze */
	int64_t delay_ms; /* one way, isari to node */
	unsigned loss_percent;
	enum rest_mood mood;
	unsigned foreign; /* FOREIGN_ bits */
};

struct world {
	struct rng rng;
	int64_t now_ms;
	unsigned n_nodes;
	struct node nodes[WORLD_MAX_NODES];
	int64_t ttl_ms, loop_wait_ms, retry_ms;
	bool steals;        /* Patroni 3.0 with etcd v3: a thawed one writes the lock unasked */
	bool cached_reads;  /* etcd v3: reads are answered by a cache that a watch keeps fresh */
	bool failsafe_mode; /* dcs_failsafe_mode */
	bool standby;       /* a standby cluster: its leader is no primary */
	bool says_name;     /* Patroni 3.2 and later */
	bool asks_sql;      /* isari asks the data port in SQL (probe.sql) */
	bool paused;        /* maintenance mode */
	bool dcs_up, dcs_slow;
	int lock_holder; /* -1: free */
	bool lock_stolen;
	int64_t lock_until_ms;
	int failsafe_leader;       /* the members know of it */
	int64_t failsafe_until_ms; /* and leave the lock to it until then */
	unsigned n_faults;
	bool tracing;
};

void world_init(struct world *w, uint64_t seed, bool tracing);
/* A cluster that has been running for a while: somebody is primary already. */
void world_establish(struct world *w);
/* Let Patroni and PostgreSQL live until `until_ms`. */
void world_advance(struct world *w, int64_t until_ms);
void world_fault(struct world *w); /* one random fault */
void world_freeze_patroni(struct world *w, unsigned node);
void world_switch_over(struct world *w); /* the leader hands over, in good order */
/* Backwards, its loop will oversleep once; forwards, its lock seems to end sooner. */
void world_set_clock(struct world *w, unsigned node, int64_t by_ms);
void world_calm(struct world *w); /* every Patroni answers as it should */
void world_heal(struct world *w); /* no fault is left: everything runs and is connected */
/* A question put at now_ms: fills the answer and returns when it arrives. */
int64_t world_answer(struct world *w, const struct observation *asked, int64_t timeout_ms,
		     struct observation *o);
/* How long nobody else can take the lock from it, whatever it does from now on. */
int64_t world_lock_left_ms(const struct world *w, unsigned node);
/* Can isari hear anything at all from this node, on either port? */
bool world_audible(const struct world *w, unsigned node);
/* Does this node take writes from anyone who reaches it? */
bool world_writable(const struct world *w, unsigned node);
/* Somebody else holds its lock, rightly, while it takes writes. */
bool world_usurped(const struct world *w, unsigned node);
int world_true_primary(const struct world *w); /* holds the lock, promoted, running; -1: none */
/* It believes that it holds the lock, and nobody else does. */
bool world_undisputed(const struct world *w, unsigned node);
bool world_true_replica(const struct world *w, unsigned node);

/* Between the files of the model. */
bool world_runs(const struct world *w, const struct node *n);     /* its PostgreSQL */
bool world_believes(const struct world *w, const struct node *n); /* Patroni's is_leader() */
int64_t world_wall_ms(const struct world *w, const struct node *n);
bool world_lock_is_free(const struct world *w);
uint64_t world_highest_timeline(const struct world *w);
uint64_t world_chance(struct world *w, uint64_t n); /* 0 .. n-1 */
void world_draw_times(struct world *w);             /* ttl, loop_wait, retry_timeout */
void world_trace(const struct world *w, const char *format, ...)
	__attribute__((format(printf, 2, 3)));
void patroni_live(struct world *w, unsigned node);             /* whatever is due now */
int64_t patroni_next_ms(const struct world *w, unsigned node); /* when something is; or never */
void patroni_demote(struct world *w, unsigned node, const char *why);
