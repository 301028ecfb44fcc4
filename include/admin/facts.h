#pragma once
/* What a command is told and what it wants done: plain values in, text and an order out. The facts
 * are a snapshot that the caller gathered (control/operators.h); nothing here is shared or live. */
#include "core/config.h"
#include "core/counters.h"
#include "core/journal.h"
#include "core/messages.h"
#include "core/report.h"
#include "core/view.h"

/* One row of the scoreboard (core/counters.h) at one moment, and what was derived from it over
 * time. */
struct row_facts {
	struct counters_sum sum;
	unsigned sessions_now, sessions_max;
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
	int64_t since_ms_ago;
	uint64_t downs;
	int64_t down_ms;
};

struct process_facts {
	int pid;
	char node[64]; /* host name */
	int64_t start_wall_s, uptime_ms;
	unsigned threads;
	uint64_t nofile;
	unsigned sessions_now;
	unsigned rate, rate_max; /* sessions per second, all listeners */
	uint64_t bytes_out_per_s;
	unsigned handles;   /* live in the control loop */
	unsigned operators; /* connected to stats sockets */
	unsigned idle_pct;  /* of the processors that our threads could use */
	uint64_t dropped_logs;
	bool stopping;
};

struct admin_facts {
	const struct config *config;
	const struct report *report;
	const struct view *view;                /* NULL: none was published yet */
	const struct row_facts *rows;           /* counters_rows() of them */
	const struct listener_facts *listeners; /* config order */
	const struct process_facts *process;
	const struct worker_numbers *workers;
	unsigned n_workers;
	const struct journal *journal;       /* valid while the command runs */
	const struct session_info *sessions; /* with have_sessions */
	size_t n_sessions;
	bool have_sessions;
	enum access_level level; /* of the socket that the command came in by */
};

/* What the caller has to do after (NEED_SESSIONS: before) the reply. */
enum admin_order_type {
	ORDER_NONE,
	ORDER_NEED_SESSIONS, /* nothing was written: run it again with have_sessions */
	ORDER_SET_SERVER,
	ORDER_HINT, /* ask now, and often for a while */
	ORDER_SHUTDOWN_SERVER,
	ORDER_PROMPT, /* toggled */
	ORDER_QUIT,   /* at once and without a reply */
	ORDER_TIMEOUT,
};

struct admin_order {
	enum admin_order_type type;
	unsigned listener, server; /* SET_SERVER, SHUTDOWN_SERVER */
	enum admin_state state;    /* SET_SERVER */
	int cluster;               /* HINT; -1: all of them */
	int64_t timeout_ms;        /* TIMEOUT */
};

/* The report's row for one server of a listener; NULL when the report does not have it. */
const struct server_report *facts_server(const struct admin_facts *f, unsigned listener,
					 unsigned server);
