#pragma once
/* A lane: a server of a listener in the eyes of one worker, with the sessions that it carries
 * there. When the server falls, the lane's epoch grows: from that instant every older session is
 * dead for forwarding, however many there are; closing them follows in slices (cut.c). */
#include "base/list.h"
#include "core/config.h"
#include "core/counters.h"
#include "core/monitor.h"
#include "core/view.h"
#include "io/dialer.h"
#include "io/sockopt.h"
#include "proxy/session.h"

struct endings { /* that the server made, within a moment */
	int64_t first_ms;
	unsigned n;
};

struct lane {
	struct list sessions; /* RELAYING, alive */
	struct list doomed;   /* RELAYING, dead, to be closed */
	struct list dooming;  /* worker->dooming while `doomed` has any */
	struct worker_listener *listener;
	unsigned server, member;
	struct dialer_address to; /* of the view, or its member's socket */
	enum server_state state;
	unsigned epoch, n_sessions;
	unsigned far; /* calls until one may find it connected at once: starting_hurry */
	enum close_reason reason;  /* of the doomed */
	bool moved;                /* before the view that is being taken */
	int64_t signed_ms;         /* last MSG_SIGN */
	struct endings endings[2]; /* of grown-up sessions, of young ones */
	uint64_t told_generation;  /* last MSG_FIRST_SESSION */
	int64_t listened_ms;       /* last look whether a session's server is alive: relay_hear */
	struct counters *count;
	struct gauge *gauge;
};

struct worker_listener {
	const struct listener_config *config;
	struct lane *lanes;
	unsigned n_lanes;
	bool serves_primary;
	struct sockopt sockopt;     /* of both legs */
	struct list held;           /* sessions that wait, in the order of release: hold.c */
	unsigned n_released;        /* let go, and a server owes them an answer */
	int64_t served_ms;          /* the last of these was; 0: control has heard of it */
	unsigned window;            /* most of these at a time */
	int64_t hold_resume_ms;     /* nobody is let go before: a server has failed just now */
	int64_t suspected_until_ms; /* hold_suspect */
	struct list watched; /* relaying sessions with bytes on their way, by deadline: watch.c */
	struct counters *count;
	struct gauge *gauge, *hold_gauge;
};

void lanes_init(struct worker *w);
void lanes_fini(struct worker *w);

void gauge_max(_Atomic unsigned *max, unsigned value);

/* At its member's socket, if there is one. */
void lane_aim(struct lane *lane, const struct member_config *m);
/* Where sessions go, if it is elsewhere than in the view before. */
void lane_take_address(struct lane *lane, const struct view_server *before,
		       const struct view_server *now);
/* May bytes of its sessions move now? */
bool lane_moves(const struct worker *w, const struct lane *lane);
bool lane_carries(const struct lane *lane,
		  const struct session *s); /* alive, not of an older epoch */
bool lane_takes_new(const struct lane *lane);
/* Control hears what a server did, now and then. */
void lane_tell_sign(struct worker *w, struct lane *lane, enum sign sign);
/* The server has ended this session: one of many means nothing, several, or the only one, may mean
 * that it goes down. */
void lane_note_ending(const struct session *s);
unsigned lane_doom(struct worker *w, struct lane *lane, enum close_reason reason); /* how many */
void lane_resume(struct lane *lane); /* what was remembered while it stood still is run */
