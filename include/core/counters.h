#pragma once
/* Counters: one row per listener (FRONTEND) and one per server of a listener.
 * A scoreboard holds, for each worker, its own rows: written only by that worker, read by anyone,
 * relaxed. Gauges that limits need (current sessions) are shared atomics, one per row. Declared
 * once; sum, CSV and metrics derive from the list. */
#include "core/config.h"
#include "core/rate_limit.h"
#include <stdalign.h>
#include <stdatomic.h>
#include <stdint.h>

/* X(name, what it counts). Units: sessions unless said. */
#define COUNTER_LIST(X)                                                                        \
	X(sessions, "sessions accepted (listener) or connection attempts (server)")            \
	X(selected, "times this server was chosen")                                            \
	X(connected, "server connections established")                                         \
	X(bytes_in, "bytes from clients")                                                      \
	X(bytes_out, "bytes to clients")                                                       \
	X(coalesced, "of these bytes, in both directions, moved while a stream gathered")      \
	X(spliced, "of these bytes, in both directions, moved without a copy")                 \
	X(connect_errors, "server connections that failed, and sessions that found no server") \
	X(connect_retries, "attempts at the server that was tried just before")                \
	X(redispatches, "attempts at another server than the one before")                      \
	X(request_errors, "clients that sent no valid startup packet, or none in time")        \
	X(response_errors, "servers that reset or vanished once they were connected")          \
	X(client_aborts, "sessions ended by a client that reset or vanished")                  \
	X(server_aborts, "sessions ended by a server that reset or vanished")                  \
	X(cuts, "sessions cut by verdict, policy or operator")                                 \
	X(denied, "connections refused by a limit")                                            \
	X(no_server, "clients told that no server is available")                               \
	X(held, "clients that had to wait for a server")                                       \
	X(released, "clients that waited and were let go to a server")                         \
	X(held_ms, "milliseconds that clients waited, summed over released")                   \
	X(cancels, "CancelRequests passed on")                                                 \
	X(cancels_refused, "CancelRequests closed unheard: too many at a time")                \
	X(internal_errors, "sessions lost to our own lack of memory or descriptors")           \
	X(connect_ms, "milliseconds spent connecting, summed over connected")                  \
	X(session_ms, "milliseconds lived, summed over ended sessions")                        \
	X(ended, "sessions ended")

#define COUNTER_FIELD(name, help) _Atomic uint64_t name;
#define COUNTER_SUM(name, help)   uint64_t name;

struct counters { /* one worker's row */
	alignas(64) COUNTER_LIST(COUNTER_FIELD) _Atomic uint64_t
		closes[N_CLOSE_REASONS]; /* listener rows: how sessions ended */
	_Atomic int64_t heard_ms;        /* server rows: its server spoke in a session; 0: never */
	_Atomic int64_t held_since_ms; /* listener rows: who waits longest since; 0: nobody waits */
};

struct counters_sum { /* over all workers */
	COUNTER_LIST(COUNTER_SUM)
	uint64_t closes[N_CLOSE_REASONS];
};

enum { GAUGE_UNLIMITED = UINT32_MAX };

struct gauge { /* shared by all workers */
	alignas(64) _Atomic unsigned now;
	_Atomic unsigned max;    /* since the counters were cleared */
	_Atomic unsigned limit;  /* of `now`; 0: nobody comes in */
	_Atomic uint64_t turn;   /* listener rows: round robin position */
	_Atomic int64_t last_ms; /* start of the last session; 0: never */
	_Atomic unsigned connect_ms_max, session_ms_max;
	_Atomic unsigned held_ms_max; /* listener rows: the longest that a released client waited */
	_Atomic bool
		denied; /* server rows: we may not connect to its socket; the log has said so */
};

/* X(name, what it is): how a worker's thread does, since its start. A turn lasts from waking to
 * going to sleep again. */
#define WORKER_STATS_LIST(X)                                                     \
	X(turns, "turns")                                                        \
	X(long_turns, "of these, longer than LONG_TURN_US")                      \
	X(longest_turn_us, "microseconds of the longest")                        \
	X(sleeps, "times it slept, or meant to and found something to do")       \
	X(spins, "times it polled for a moment before sleeping")                 \
	X(spun_us, "microseconds spent polling")                                 \
	X(late, "events that came late in a long turn, and waited for the next") \
	X(sessions, "sessions it carries now, with those handed over to it")     \
	X(generation, "the view in force")                                       \
	X(pool_bytes, "bytes it holds for sessions, in use or free")             \
	X(pool_used_bytes, "of these, in use")                                   \
	X(session_bytes, "bytes of ours for one session")                        \
	X(slow_bytes, "bytes it keeps for who reads slowly")                     \
	X(pipes, "pipes it has, for bytes that move without a copy")             \
	X(pipes_used, "of these, in use")

enum { LONG_TURN_US = 2000 };

struct worker_stats { /* written by the worker before it sleeps, read by anyone; nothing resets it
		       */
	alignas(64) WORKER_STATS_LIST(COUNTER_FIELD)
};

struct worker_numbers { /* the same at one moment, and what its listeners moved */
	WORKER_STATS_LIST(COUNTER_SUM)
	uint64_t coalesced, spliced;
};

/* What an operator may change while we run (limits, rate, frontends) begins as configured and lives
 * here, so it outlives every view, every role, and every worker that is replaced; with the process
 * it is gone. */
struct scoreboard {
	unsigned n_workers, n_rows;
	struct counters *rows; /* n_workers * n_rows, worker by worker */
	struct worker_stats *workers;
	struct gauge *gauges;        /* n_rows */
	struct gauge *holds;         /* by listener: clients that wait for a server */
	_Atomic unsigned sessions;   /* of the whole process ... */
	_Atomic unsigned maxconn;    /* ... and its limit */
	struct rate_limit rate;      /* of accepting */
	_Atomic unsigned *frontends; /* by listener: enum frontend_state; written by control only */
	/* When control will look at the leases again; a worker that sees it overdue stands still,
	 * as nobody enforces them. Written by control only; 0: not (or no longer) running. */
	_Atomic int64_t control_due_ms;
};

/* Rows: listeners first (row = listener id), then servers, listener by listener, member by member.
 */
unsigned counters_rows(const struct config *c);
unsigned counters_server_row(const struct config *c, unsigned listener, unsigned server);

struct scoreboard *scoreboard_new(const struct config *c, unsigned n_workers);
void scoreboard_free(struct scoreboard *s);
/* Limits follow a configuration of the same shape; those that an operator has set stay. */
void scoreboard_take_config(struct scoreboard *s, const struct config *before,
			    const struct config *next);
struct counters *scoreboard_row(struct scoreboard *s, unsigned worker, unsigned row);
void scoreboard_sum(const struct scoreboard *s, unsigned row, struct counters_sum *out);

/* One worker; `n_listeners`: how many of the rows are listeners'. */
void scoreboard_worker(const struct scoreboard *s, unsigned worker, unsigned n_listeners,
		       struct worker_numbers *out);

/* When a member was last heard in any session, by any worker and listener; 0: never. */
int64_t scoreboard_heard_ms(const struct scoreboard *s, const struct config *c, unsigned member);

/* Since when the one waits that waits longest at this listener, at any worker; 0: nobody waits. */
int64_t scoreboard_held_since_ms(const struct scoreboard *s, unsigned listener);

/* Single writer: only the worker that owns the row may add. */
#define COUNT(row, field, n)                                                                   \
	atomic_store_explicit(&(row)->field,                                                   \
			      atomic_load_explicit(&(row)->field, memory_order_relaxed) + (n), \
			      memory_order_relaxed)

/* Likewise, for what is not a sum. */
#define NOTE(row, field, value) atomic_store_explicit(&(row)->field, (value), memory_order_relaxed)
#define NOTED(row, field)       atomic_load_explicit(&(row)->field, memory_order_relaxed)

/* One more: false when its limit is reached. Keeps the maximum. */
bool gauge_enter(struct gauge *g);
void gauge_enter_anyway(struct gauge *g);
void gauge_leave(struct gauge *g);
/* The maxima begin again, from what is now. */
void gauge_forget_maxima(struct gauge *g);
