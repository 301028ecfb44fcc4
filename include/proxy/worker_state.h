#pragma once
/* What a worker is made of. For the files of proxy/ only; others use proxy/worker.h. */
#include "base/mem.h"
#include "base/rng.h"
#include "io/edge.h"
#include "io/listener.h"
#include "io/log.h"
#include "io/mailbox.h"
#include "io/slot.h"
#include "proxy/lane.h"
#include "proxy/worker.h"
#include "wire/pg_error.h"

enum {
	LONGEST_SLEEP_MS = 1000, /* a pause of our own is noticed after this at the latest */
	PAUSE_MS = 1000,         /* more than planned: every proof is void */
	SWEEP_MS = 100,          /* resolution of deadlines */
	IDLE_SWEEP_MS = 1000,    /* resolution of idle timeouts */
	EXHAUSTED_MS = 100,      /* no descriptor left: the next try to accept */
	DATA_US = 1000,          /* of a turn, for data; half while sessions are cut */
	SLICE_SESSIONS = 64,     /* cut, or run from the ready list, in one turn ... */
	SLICE_US = 1000,         /* ... and for how long at most */
	SLICE_LEAST = 16,        /* after so much else in the turn */
	LINGER_MS = 2000,        /* a refused client may read its error */
	HALF_CLOSED_MS = 60000,  /* a client that does not react to its server's end */
	SIGN_INTERVAL_MS = 100,  /* one sign per server suffices */
	MOMENT_MS = 100,         /* within which ... */
	GROWN_UP_MS = 1000,      /* ... sessions of this age, ... */
	SEVERAL = 2,             /* ... sessions that their server ends are a sign */
	REFUSING_MS = 5000,      /* a client that is told no speaks up within this, or is closed */
	REFUSING_SPARE = 1024,   /* sessions above maxconn that are only told so */
	PEEK_BYTES = 16 * 1024,  /* more than any startup packet */
};

struct worker_socket { /* one bound address of one listener */
	struct listener listener;
	unsigned index;      /* config.listeners */
	bool pending;        /* its queue may hold connections that are to be accepted */
	bool paused;         /* by an operator */
	unsigned n_accepted; /* in one go: accept.c */
	struct worker *worker;
};

struct farewell { /* the same for every session of a lane that is cut: goodbye.c */
	const struct lane *lane;
	enum close_reason reason;
	size_t n; /* 0: none was written in this turn */
	char packet[PG_ERROR_ENOUGH_BYTES];
};

struct listing { /* sessions_info.c */
	bool open;
	uint64_t request;
	struct session_info *list;
	size_t n;       /* listed ... */
	size_t at, end; /* ... of the pool's objects so far, and how many there were at first */
};

/* The kinds of struct edge_source; a courier is a CancelRequest's. */
enum worker_source { SOURCE_CLIENT, SOURCE_SERVER, SOURCE_LISTENER, SOURCE_COURIER, N_SOURCES };

enum worker_opened { OPENED_NOTHING, OPENED_LOOP, OPENED_SLOT, OPENED_MAILBOX, OPENED_EDGE };

struct worker {
	unsigned index;
	enum worker_opened opened;
	struct worker_setup setup;
	struct config *config;
	uv_loop_t loop;
	struct edge edge;
	struct slot views;
	struct mailbox mailbox;
	uv_thread_t thread;

	struct view *view; /* in force; never NULL */
	struct worker_stats *stats;
	struct worker_listener *listeners;
	struct worker_socket *sockets;
	unsigned n_sockets;

	struct pool *pool;
	/* All but RELAYING, which are their lane's, and HELD, which are their listener's. */
	struct list states[N_SESSION_STATES];
	struct list ready, timed, dooming;
	struct pump_desk desk;
	struct farewell farewell;
	struct log_batch ends; /* session_end lines of this turn: access_log.c */
	struct listing listing;
	struct rng rng;
	unsigned *loads, *limits; /* room for balance_pick */
	unsigned n_couriers;      /* of CancelRequests, under way */
	int64_t cancel_due_ms;    /* when as many may be taken as have been: cancel.c */
	uint64_t last_id;

	int64_t turn_ms, planned_ms; /* the last turn began; how long it meant to sleep */
	int64_t sweep_due_ms, idle_due_ms, accept_due_ms, send_back_due_ms;
	bool any_idle_timeout;
	bool sends_back;      /* the view has a last resort that is not needed any more */
	int64_t watched_ms;   /* watch_run was last called */
	bool watch_behind;    /* more sessions are due for a look than one turn takes */
	bool exhausted;       /* told once that no more can be accepted for now */
	bool suspended;       /* after a pause of our own: primaries' lanes stand still ... */
	int64_t suspended_ms; /* ... until a view made since then */
	bool draining, drained_told, stopping;
	_Atomic unsigned
		n_sessions; /* ours and those handed to us; others add what they hand over */
};

static inline int64_t worker_now(const struct worker *w)
{
	return w->edge.now_ms;
}

static inline struct worker_listener *listener_of(const struct session *s)
{
	return &s->worker->listeners[s->listener];
}

/* worker.c */
void worker_tell_control(struct worker *w, struct message *m);
void worker_each_session(struct worker *w, void (*fn)(void *arg, struct session *s), void *arg);

/* orders.c */
void orders_take(void *worker, struct list *node); /* a message of its mailbox */

/* settings.c */
/* True: this listener has an idle timeout. */
bool settings_apply(struct worker *w, unsigned listener);
void settings_take(struct worker *w, struct config *config); /* a view has brought it */

/* accept.c */
int accept_bind(struct worker *w, struct err *e);
int accept_start(struct worker *w);
void accept_ready(struct edge_source *source, uint32_t events);
void accept_run(struct worker *w); /* after the data of the turn */
bool accept_has_work(const struct worker *w);
void accept_close(struct worker *w, bool take_queued);
void accept_obey(struct worker *w, unsigned listener); /* paused, resumed or shut by an operator */

/* hold.c */
void hold_trust(struct worker *w, struct worker_listener *l); /* its servers are as good as new */
bool hold_must_queue(const struct session *s);                /* others wait already */
void hold_left(struct session *s);                            /* it waits no more */
/* Who was let go takes a place on the way while a server owes it an answer: it yields it while it
 * is silent itself. */
void hold_yield_place(struct session *s);
void hold_take_place(struct session *s);
void hold_late(struct session *s);                 /* the answer is */
void hold_settled(struct session *s, bool served); /* its way is over, well or badly */
void hold_await_place(struct session *s);          /* every open server is full */
void hold_pause(struct session *s); /* its try has failed, though the view has open servers */
/* This member may be going down. Where it is the only server, who comes now waits a moment for the
 * answer of its Patroni, and so does who is on the way to it and was not answered yet: inside TLS a
 * PostgreSQL that shuts down says so to the client, and nobody could hide it. */
void hold_suspect(struct worker *w, unsigned member);
void hold_hear_suspicion(struct worker *w, unsigned member); /* of another worker */
bool hold_takes_back(const struct session *s); /* the server of its attempt is suspected */
void hold_new_view(struct worker *w, const struct view *old);
void hold_renew(struct worker_listener *l);  /* it holds for another time than before */
void hold_release(struct worker *w);         /* every turn */
int64_t hold_due_ms(const struct worker *w); /* INT64_MAX: nobody can be let go */

/* verdicts.c */
void verdicts_take_view(struct worker *w);
bool verdicts_check_pause(
	struct worker *w); /* true: we slept; nothing may be forwarded on old proofs */
bool verdicts_check_sleep(struct worker *w); /* the same, just awake: the clock was read */

/* watch.c */
void watch_moved(struct session *s); /* it begins to relay, or bytes went to a leg */
/* Every millisecond with a turn; one comes every LONGEST_SLEEP_MS at least. */
void watch_run(struct worker *w);

/* cancel.c */
struct find_key;
void cancel_courier_ready(struct edge_source *source, uint32_t events);
void cancel_find_key(struct worker *w, unsigned asker, const struct find_key *question);

/* sessions_info.c */
void sessions_info_begin(struct worker *w, uint64_t request);
void sessions_info_run(struct worker *w); /* every turn, until control has its answer */
bool sessions_info_has_work(const struct worker *w);
void sessions_info_fini(struct worker *w);

/* access_log.c */
void access_log_flush(struct worker *w); /* after the turn: what its ends left unwritten */

/* goodbye.c */
/* The client of a session that is being closed gets 57P01, if it can be told; its socket is then to
 * be closed, not reset. */
bool goodbye_say(struct session *s);

/* send_back.c */
void send_back_new_view(struct worker *w);
void send_back_run(struct worker *w);             /* every turn */
int64_t send_back_due_ms(const struct worker *w); /* INT64_MAX: nobody is to go back */

/* cut.c */
void cut_run(struct worker *w);
unsigned cut_most(const struct worker *w); /* how many may end here and now */
bool cut_has_work(const struct worker *w);
void cut_all(struct worker *w); /* everything, for CLOSE_STOPPING */
bool cut_session(struct worker *w, uint64_t id);

/* sweep.c */
void sweep_run(struct worker *w);
int64_t sweep_due_ms(const struct worker *w); /* INT64_MAX: nothing to sweep */
