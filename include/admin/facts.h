#pragma once
/* What a command is told and what it wants done: plain values in, text and an order out. The facts
 * are a snapshot that the caller gathered (control/operators.h); nothing here is shared or live. */
#include "core/config.h"
#include "core/counters.h"
#include "core/journal.h"
#include "core/messages.h"
#include "core/meters.h"
#include "core/report.h"
#include "core/view.h"

/* One row of the scoreboard (core/counters.h) at one moment, and what was derived from it over
 * time. */
struct row_facts {
	struct counters_sum sum;
	unsigned sessions_now, sessions_max;
	unsigned limit;              /* of sessions_now, in force; GAUGE_UNLIMITED: none */
	int64_t last_session_ms_ago; /* -1: never */
	unsigned connect_ms_max, session_ms_max;
	unsigned connect_ms_avg, session_ms_avg; /* over about the last 1024 */
	unsigned rate, rate_max;                 /* sessions per second */
	/* listeners' rows: clients that wait for a server */
	unsigned waiting_now, waiting_max;
	int64_t waiting_ms;                /* how long the first of them has; -1: nobody waits */
	unsigned held_ms_max, held_ms_avg; /* the average over all sessions, as in HAProxy */
};

/* A listener as HAProxy's BACKEND row: up while any of its servers takes new sessions, down
 * otherwise. */
struct listener_facts {
	enum frontend_state frontend; /* its own door */
	int64_t since_ms_ago;
	uint64_t downs;
	int64_t down_ms;
};

struct process_facts {
	int pid;
	char node[64]; /* host name */
	int64_t start_wall_s, uptime_ms;
	int64_t wall_ms;  /* now, since 1970 */
	int utc_offset_s; /* of the local time, in which HAProxy writes dates */
	unsigned threads;
	uint64_t nofile;
	unsigned sessions_now;
	unsigned maxconn;                  /* in force; config->maxconn is the most it may be */
	unsigned rate_limit[N_RATE_KINDS]; /* `set rate-limit`; 0: none */
	unsigned rate, rate_max;           /* sessions per second, all listeners */
	uint64_t bytes_out_per_s;
	unsigned handles;   /* live in the control loop */
	unsigned operators; /* connected to stats sockets */
	unsigned idle_pct;  /* of the processors that our threads could use */
	uint64_t dropped_logs;
	unsigned pipes_max;       /* for bytes that move without a copy, of all workers */
	bool reload_ok;           /* the last one was applied, or there was none */
	uint64_t reloads;         /* applied */
	uint64_t reload_failures; /* refused: nothing was changed by these */
	int64_t reload_ms_ago;    /* the last one, whatever came of it; -1: there was none */
	bool stopping;
};

/* Gathered only for who asks (ORDER_NEED_MEMORY): looking through the heap takes its time. */
struct memory_facts {
	uint64_t resident, resident_max; /* bytes of the process; 0: not known */
	uint64_t heap_used, heap_held;   /* bytes given out by malloc, and held by it */
	uint64_t listing_bytes;          /* a list of sessions that is being collected */
};

/* How a reply says whether it is an error (`set severity-output`). */
enum severity_output { SEVERITY_OUTPUT_NONE, SEVERITY_OUTPUT_NUMBER, SEVERITY_OUTPUT_STRING };

struct admin_facts {
	const struct config *config;
	const struct report *report;
	const struct view *view;                /* NULL: none was published yet */
	const struct row_facts *rows;           /* counters_rows() of them */
	const struct listener_facts *listeners; /* config order */
	const struct process_facts *process;
	const struct worker_numbers *workers;
	unsigned n_workers;
	const struct memory_facts *memory;   /* NULL: not gathered */
	const struct journal *journal;       /* valid while the command runs */
	const struct meters *meters;         /* likewise; NULL: nothing is measured */
	const struct session_info *sessions; /* with have_sessions */
	size_t n_sessions;
	bool have_sessions;
	enum access_level level; /* of the socket that the command came in by, or a lower one */
	enum severity_output severity;
};

/* What the caller has to do after (NEED_SESSIONS: before) the reply. */
enum admin_order_type {
	ORDER_NONE,
	ORDER_NEED_SESSIONS, /* nothing was written: run it again with have_sessions */
	ORDER_NEED_MEMORY,   /* likewise, with memory */
	ORDER_SET_SERVER,
	ORDER_HINT, /* ask now, and often for a while */
	ORDER_SHUTDOWN_SERVER,
	ORDER_SHUTDOWN_SESSION,
	ORDER_WEIGHT,
	ORDER_HEALTH,
	ORDER_FRONTEND,
	ORDER_MAXCONN,          /* of the process */
	ORDER_MAXCONN_LISTENER, /* of its frontend */
	ORDER_MAXCONN_SERVER,
	ORDER_RATE,
	ORDER_CLEAR_MAXIMA,
	ORDER_CLEAR_ALL,
	/* The operator's own connection: */
	ORDER_PROMPT, /* toggled */
	ORDER_QUIT,   /* at once and without a reply */
	ORDER_TIMEOUT,
	ORDER_RELOAD, /* the caller's doing writes the reply */
	ORDER_LEVEL,  /* lowered */
	ORDER_SEVERITY,
	N_ORDERS
};

struct admin_order {
	enum admin_order_type type;
	unsigned listener, server;    /* whose, where the order is about one */
	unsigned value;               /* WEIGHT, MAXCONN*, RATE: 0 .. GAUGE_UNLIMITED */
	enum admin_state state;       /* SET_SERVER */
	enum health_order health;     /* HEALTH */
	enum frontend_state frontend; /* FRONTEND */
	enum rate_kind rate;          /* RATE */
	enum access_level level;      /* LEVEL */
	enum severity_output severity;
	uint64_t session;   /* SHUTDOWN_SESSION: its id */
	int cluster;        /* HINT; -1: all of them */
	int64_t timeout_ms; /* TIMEOUT */
	bool json;          /* RELOAD: the reply, by reload_reply */
	/* Who gave it, for the log; NULL: a client of a stats socket. The caller's to fill. */
	const char *client;
};

/* The report's row for one server of a listener; NULL when the report does not have it. */
const struct server_report *facts_server(const struct admin_facts *f, unsigned listener,
					 unsigned server);

/* The name of the server that a session is on; NULL: none, or none that is configured. */
const char *facts_session_server(const struct admin_facts *f, const struct session_info *s);
