#pragma once
/* The failover journal: the last changes of leadership of all clusters, and interruptions, each as
 * phases with their moments. Plain values in a fixed ring; time and counters come in as arguments,
 * and what nobody said stays unknown. Owner: the control thread. Not here: who is primary
 * (arbiter.h), saying it (admin/, control/failovers.h). */
#include "core/config.h"
#include "core/monitor.h"

/* X(symbol, key in the log, words for people), in the order in which they come. */
#define PHASE_LIST(X)                                                        \
	X(PHASE_LAST_ANSWER, "last_answer_ms", "last good answer asked")     \
	X(PHASE_DOUBT, "first_doubt_ms", "first doubt")                      \
	X(PHASE_GONE, "gone_ms", "old primary gone")                         \
	X(PHASE_ASKED, "asked_ms", "new primary's first proof asked")        \
	X(PHASE_WRITABLE, "writable_ms", "new primary writable")             \
	X(PHASE_PUBLISHED, "published_ms", "published")                      \
	X(PHASE_IN_FORCE, "in_force_ms", "in force on every worker")         \
	X(PHASE_SESSION, "first_session_ms", "first session on new primary") \
	X(PHASE_RELEASED, "last_released_ms", "last held client released")

#define PHASE_ENUM(symbol, key, words) symbol,
enum phase { PHASE_LIST(PHASE_ENUM) N_PHASES };
const char *phase_key(enum phase p);
const char *phase_words(enum phase p);

enum {
	JOURNAL_ENTRIES = 64,
	/* After the first session and the last release: the last ones are cut, and who was refused
	 * may linger for 2 s. */
	JOURNAL_SETTLE_MS = 2500,
	JOURNAL_PATIENCE_MS = 10000, /* after the crown, when no session comes */
	/* ... and while clients wait all the same (nobody waits for longer than `hold`, but others
	 * may follow). */
	JOURNAL_HOLD_PATIENCE_MS = 60000,
};

/* What the write listeners of a cluster have done to clients, ever. */
struct tally {
	uint64_t cut;      /* sessions, by verdict */
	uint64_t held;     /* clients that had to wait */
	uint64_t released; /* of these, let go to a server */
	uint64_t refused;  /* clients, with an error: no server, no place to wait */
};

struct failover {
	unsigned cluster;
	int from, to; /* members; from -1: nobody since isari started, to -1: nobody yet */
	enum why why; /* `from` is not primary any more; WHY_NONE: a start */
	uint64_t from_timeline, to_timeline; /* 0: not known */
	int64_t at_ms[N_PHASES];             /* monotonic; -1: unknown */
	int64_t wall_offset_ms;              /* wall clock less monotonic, at its change */
	uint64_t generation;                 /* the view of PHASE_PUBLISHED */
	struct tally before, counted;        /* at the first doubt, or the start; since then */
	unsigned waiting;                    /* clients, when they were last counted */
	bool interruption;                   /* it was primary all the while */
	bool closed;                         /* counts no more */
	bool told;                           /* it was handed out by journal_next_closed */
};

/* A primary came into doubt, and proved itself again; nobody else was primary in between, but
 * clients had to wait: a PostgreSQL that crashed and was started again where it was. */
struct interruption {
	unsigned cluster;
	int member;
	enum why why; /* it took no new sessions; WHY_NONE: as far as we knew, it did */
	uint64_t from_timeline, to_timeline;
	int64_t doubt_ms, proven_ms;
	int64_t gone_ms;     /* it took no new sessions from then on; -1: it did */
	int64_t released_ms; /* meanwhile a worker let its last client go; -1: none did */
};

struct journal {
	struct failover entries[JOURNAL_ENTRIES]; /* oldest first */
	unsigned n;
};

/* A leadership changed. `before`: the tally from before the sessions of the old primary were cut;
 * `wall_ms`: the wall clock at `now_ms`. Other changes are ignored. */
void journal_change(struct journal *j, const struct change *c, const struct tally *before,
		    int64_t now_ms, int64_t wall_ms);
/* Unless a failover or an interruption goes on in its cluster: then it belongs to that. */
void journal_interruption(struct journal *j, const struct interruption *i,
			  const struct tally *before, int64_t wall_offset_ms);
/* A view goes to the workers. */
void journal_view(struct journal *j, const struct view *v);
/* Every worker goes by this generation, or a later one. */
void journal_in_force(struct journal *j, uint64_t generation, int64_t now_ms);
/* A worker has connected a session to this member, by a view of this generation. */
void journal_session(struct journal *j, unsigned cluster, unsigned member, uint64_t generation,
		     int64_t at_ms);
/* A worker holds no client any more at a write listener of this cluster. */
void journal_released(struct journal *j, unsigned cluster, int64_t at_ms);

/* What goes on in this cluster, or NULL; if something does, journal_count wants to hear of its
 * tally, and of the clients that wait now. */
const struct failover *journal_open(const struct journal *j, unsigned cluster);
void journal_count(struct journal *j, unsigned cluster, const struct tally *now, unsigned waiting);
/* Close what is complete, or will not be. */
void journal_close_due(struct journal *j, int64_t now_ms);
/* The next one that was closed and not handed out before, or NULL; each exactly once. */
const struct failover *journal_next_closed(struct journal *j);

/* When it began: its first known phase. */
int64_t failover_began_ms(const struct failover *f);
int64_t failover_began_wall_ms(const struct failover *f);
/* The same member is primary as before: a restart, not a change. */
bool failover_is_return(const struct failover *f);
/* How long the cluster had no primary, or of an interruption, a doubtful one; -1: it has none yet,
 * or had none before. */
int64_t failover_gap_ms(const struct failover *f);
