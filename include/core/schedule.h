#pragma once
/* When to ask whom what: calm, fast, back-off, jitter; one request in flight per member. Pure. */
#include "base/rng.h"
#include "core/config.h"
#include "core/observation.h"
#include <stdbool.h>
#include <stdint.h>

enum {
	SCHEDULE_LATE_MS = 300, /* an answer later than this is doubt (Patroni answers in ~10 ms) */
	SCHEDULE_BURST_MS = 3000,    /* how long one surprise keeps a cluster on fast_interval */
	SCHEDULE_BACKOFF_MS = 30000, /* doubt older than this is asked less and less often */
	SCHEDULE_BACKOFF_STEP_MS = 10000, /* doubling every so often after that */
	SCHEDULE_PROMOTING_MS = 25, /* between two questions to a member that is being promoted */
	SCHEDULE_PING_MS = 500,     /* the data port of a silent member is asked this often */
	SCHEDULE_CONFIG_MS = 60000, /* ttl and loop_wait are asked this often */
	SCHEDULE_CONFIG_AGAIN_MS = 6000, /* the same, when the last answer was no good */
};

struct asking { /* one member's questions */
	bool in_flight;
	enum question question; /* in flight */
	int64_t asked_ms;
	unsigned pending;    /* bits of questions left in this round */
	int64_t round_ms;    /* when the present or last round began */
	int64_t calm_gap_ms; /* drawn for this round */
	bool port_in_flight;
	bool stale, port_stale; /* what is in flight went to a former address */
	int64_t port_asked_ms;
};

struct doubt { /* one cluster's reason to hurry */
	bool in_doubt;
	int64_t since_ms;
	int64_t burst_until_ms;
};

/* A surprise: hurry for a while, and forget any back-off. */
void doubt_surprise(struct doubt *d, int64_t now_ms);
/* A client's or a server's doing: hurry likewise, but whoever does it again and again does not keep
 * us from backing off. */
void doubt_sign(struct doubt *d, int64_t now_ms);
void doubt_update(struct doubt *d, bool unsettled, int64_t now_ms);

/* The time between the starts of two rounds. */
int64_t schedule_gap_ms(const struct probe_config *p, const struct doubt *d, const struct asking *a,
			int64_t now_ms);
void schedule_begin_round(struct asking *a, const struct probe_config *p, struct rng *rng,
			  int64_t now_ms);
bool schedule_late(const struct asking *a, int64_t now_ms);
/* When this member next needs attention: a round, lateness, a ping. */
int64_t schedule_next_ms(const struct probe_config *p, const struct doubt *d,
			 const struct asking *a, bool wants_ping, int64_t now_ms);
/* The questions a member that is not the leader must answer for these listeners. */
unsigned schedule_role_questions(unsigned roles_served);
