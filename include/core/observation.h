#pragma once
/* One answer to one question put to one member; a value, copied freely.
 * Stamped once, at the edge (control/prober.c); nobody else reads a clock for it. */
#include "core/names.h"
#include <stdbool.h>
#include <stdint.h>

/* What can be asked of a member. The first six are Patroni's role endpoints. */
#define QUESTION_LIST(X)                                 \
	X(ASK_PRIMARY, "/primary")                       \
	X(ASK_REPLICA, "/replica")                       \
	X(ASK_SYNC, "/sync")                             \
	X(ASK_ASYNC, "/async")                           \
	X(ASK_QUORUM, "/quorum")                         \
	X(ASK_STANDBY_LEADER, "/standby-leader")         \
	X(ASK_CONFIG, "/config") /* ttl and loop_wait */ \
	X(ASK_PORT, "data port") /* does PostgreSQL take sessions there: see control/prober.c */

#define QUESTION_ENUM(symbol, text) symbol,
enum question { QUESTION_LIST(QUESTION_ENUM) N_QUESTIONS };
const char *question_path(enum question q); /* "/primary" ... */

enum {
	TAG_NOLOADBALANCE = 1u << 0,
	FLAG_PAUSED = 1u << 1, /* Patroni's maintenance mode */
	FLAG_SYNC = 1u << 2,
	FLAG_QUORUM = 1u << 3,
	FLAG_CLUSTER_UNLOCKED = 1u << 4,
	FLAG_FAILSAFE = 1u << 5,
};

struct observation {
	unsigned member;
	enum question question;
	int64_t asked_ms, answered_ms; /* monotonic; a proof's lease runs from asked_ms */
	enum outcome outcome;
	int http_status; /* 0 unless an HTTP answer came */
	/* From the body, and `claim` from PostgreSQL asked over SQL; zero or empty where it says
	 * nothing. */
	enum claim claim;
	enum pg_state state;
	uint64_t timeline;  /* 0: not said */
	uint64_t lsn;       /* primary: location; replica: replayed, bytes; 0: not said */
	uint64_t system_id; /* 0: not said */
	unsigned flags;
	int64_t ttl_ms, loop_wait_ms; /* ASK_CONFIG; 0: not said */
	int server_version;           /* 150018; 0: not said */
	char scope[64], name[64];     /* cut to fit, printable */
	char patroni_version[16];
};
