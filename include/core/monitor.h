#pragma once
/* The pure machine that turns events into a view: who is primary, who serves what, whom to ask
 * next. Same events in, same updates out; time is in the event. No clock, no chance but the seed,
 * no I/O. Owner: the control thread (or a test). */
#include "core/config.h"
#include "core/observation.h"
#include "core/report.h"
#include "core/view.h"

enum event_type {
	EV_TICK,        /* time has come: next_tick_ms of the last update, or any moment */
	EV_OBSERVATION, /* an answer, or its absence */
	EV_ADDRESS,     /* a member's host was resolved, or could not be */
	EV_SIGN,        /* a worker met something at a server: reason to ask again */
	EV_OPERATOR,    /* an operator's word on one server */
	EV_HINT,        /* somebody says: ask now (operator, Patroni callback) */
	EV_PAUSE,       /* one of our loops slept: every proof is void */
	EV_CONFIG,      /* another configuration of the same shape (config_diff.h) */
};

/* What an operator says outlives every change of roles. It is the monitor's memory (struct
 * server_track), and gone with it. */
enum operator_word {
	OPERATOR_STATE,  /* ready, drain, maint */
	OPERATOR_WEIGHT, /* 0: up, and no new sessions */
	OPERATOR_HEALTH, /* down, stopping: until the next good answers */
	OPERATOR_CLEAR,  /* its failed checks and downs count from 0 again */
};

enum sign { SIGN_REFUSED, SIGN_RESET, SIGN_TIMEOUT, SIGN_ENDED };

struct event {
	enum event_type type;
	int64_t now_ms;
	union {
		struct observation observation;
		struct {
			unsigned member;
			char ip[46];      /* for sessions; empty: cannot be resolved, or a socket */
			char rest_ip[46]; /* for questions */
		} address;
		struct {
			unsigned member;
			enum sign sign;
		} sign;
		struct {
			unsigned listener, server;
			enum operator_word word;
			enum admin_state state;
			unsigned weight;
			enum health_order health;
		} operator;
		struct {
			unsigned cluster;
		} hint;
		struct {
			int64_t slept_ms;
		} pause;
		struct config *config; /* the monitor takes a reference of its own */
	} u;
};

struct probe_order { /* ask this; exactly one EV_OBSERVATION must follow */
	unsigned member;
	enum question question;
	int64_t timeout_ms;
	char ip[46]; /* REST's, or PostgreSQL's for ASK_PORT; empty: ask by the member's socket */
};

enum change_type {
	CHANGE_LEADERSHIP,    /* cluster: from/to are members or -1 */
	CHANGE_AMBIGUOUS,     /* two members prove it and neither is believed: member, to */
	CHANGE_MEMBER,        /* a member's standing: up, down, refused ... */
	CHANGE_SERVER,        /* a server of a listener opened or closed */
	CHANGE_TIMELINE_DOWN, /* the timeline went down and was followed */
	CHANGE_OWN_PAUSE,     /* proofs voided */
	CHANGE_SETTINGS,      /* Patroni's ttl and loop_wait: known now, or others than before */
};

/* CHANGE_LEADERSHIP: when what happened, monotonic; -1: not known, or not happened. */
struct change_times {
	int64_t last_proof_ms;         /* the old primary's last proof was asked for */
	int64_t doubt_ms;              /* since then: the first reason to doubt it */
	int64_t asked_ms, answered_ms; /* the new primary's first proof */
};

struct change { /* one log line */
	enum change_type type;
	unsigned cluster;
	int from, to, member;    /* members, -1: none */
	int listener;            /* CHANGE_SERVER */
	enum server_state state; /* CHANGE_SERVER */
	bool up;                 /* CHANGE_MEMBER */
	enum why why;
	enum outcome outcome; /* the last answer's */
	int http_status;
	uint64_t timeline;
	int64_t after_ms; /* how long the previous standing lasted, or how long we slept */
	/* CHANGE_LEADERSHIP, for the journal */
	enum why lost; /* why `from` is not primary any more */
	uint64_t from_timeline;
	struct change_times times;
	int64_t ttl_ms, loop_wait_ms; /* CHANGE_SETTINGS */
};

struct update {
	struct view *view; /* NULL: routing unchanged; else one reference, now the caller's */
	int64_t next_tick_ms;
	struct probe_order *probes; /* owned by the monitor, valid until the next step */
	size_t n_probes;
	struct change *changes; /* likewise */
	size_t n_changes;
};

struct monitor;

struct monitor *monitor_new(struct config *config, uint64_t seed, int64_t now_ms);
void monitor_free(struct monitor *m);
void monitor_step(struct monitor *m, const struct event *ev, struct update *up);

/* Since when the cluster's primary is in doubt, or was when it was lost; before the first one,
 * since the start. -1: it is not. */
int64_t monitor_doubted_ms(const struct monitor *m, unsigned cluster);

/* Fill `r` with what is known now; release with report_fini. */
void monitor_report(const struct monitor *m, int64_t now_ms, struct report *r);
