#pragma once
/* A session: one client, its two legs and the two pumps between them. Touched by its worker's
 * thread only.
 *
 *	GREETING    the client's first bytes are looked at (not taken: they go out unchanged later)
 *	REFUSING    the client is told why it cannot be carried, and given time to read it
 *	CANCELLING  its CancelRequest is on the way to the servers: no session to anybody
 *	HELD        no server can be had now: it waits, nothing is answered and nothing taken
 *	CONNECTING  a server was picked and is being called
 *	STARTING    connected, and the server has said nothing yet that binds the client to it
 *	RELAYING    bytes go both ways
 *	CLOSING     closed; the memory goes after the turn
 *
 * The state is the list it is on: its lane's while RELAYING, its listener's while HELD, else the
 * worker's. */
#include "base/list.h"
#include "core/names.h"
#include "io/edge.h"
#include "io/pump.h"
#include "io/socket.h"
#include "wire/pg_stream.h"
#include <stdbool.h>
#include <stdint.h>

struct worker;
struct lane;
struct startup;

enum session_state {
	SESSION_GREETING,
	SESSION_REFUSING,
	SESSION_CANCELLING,
	SESSION_HELD,
	SESSION_CONNECTING,
	SESSION_STARTING,
	SESSION_RELAYING,
	SESSION_CLOSING,
	N_SESSION_STATES
};

enum session_limit { LIMIT_NONE, LIMIT_PROCESS, LIMIT_LISTENER, LIMIT_SERVERS, LIMIT_HOLD };

struct session {
	struct list node;  /* the list of its state */
	struct list ready; /* worker->ready: has work that no event will announce */
	struct list timed; /* worker->timed, or its listener's watched: deadline_ms counts */
	struct worker *worker;
	struct lane *lane; /* the server it is or was connected to; NULL: none yet */
	struct edge_source client, server;
	struct pump up, down; /* client to server, server to client */
	union {
		struct { /* before RELAYING */
			union {
				struct cancel *cancel; /* is_cancel: its couriers */
				struct heard *heard;   /* has_heard: answer.c */
			};
			uint64_t tried;         /* bit i: server i has failed this session */
			uint32_t held_after_ms; /* waited: since when, from its beginning */
			/* STARTING: sent to the server, and not yet taken from the client */
			uint16_t first_bytes;
			uint8_t first_kind; /* STARTING: enum startup_kind of that */
			uint8_t hang_ups;   /* servers that ended without a word after that */
		};
		struct pg_stream stream; /* RELAYING: what its bytes tell */
	};
	uint64_t id;
	int64_t started_ms, deadline_ms;
	/* Last byte; CONNECTING: this attempt began; STARTING: the server was last asked */
	int64_t active_ms;
	unsigned epoch; /* its lane's when it was connected: of an older one it is dead */
	unsigned connect_ms;
	uint32_t held_ms;     /* waited: how long, until it was let go for the last time */
	uint16_t held_place;  /* waited: its place among those who did, from 1; saturated */
	uint8_t calls;        /* servers called, before a wait and after; saturated */
	struct endpoint peer; /* the client's address */
	uint16_t listener;
	uint8_t state, reason; /* reason: REFUSING, why; CLOSING, why */
	uint8_t attempts;
	uint8_t failure;    /* the last attempt that failed: errno, or NOT_READY; 0: none did */
	uint8_t negotiated; /* REFUSING: encryption requests answered with N */
	uint8_t client_doubts, server_doubts; /* watch.c: looks in a row that found a leg in debt */

	uint8_t limit : 3;  /* enum session_limit: which one was reached last */
	bool admitted : 1;  /* counted in the process's and the listener's sessions */
	bool on_server : 1; /* counted in the server's sessions */
	bool is_tcp : 1;    /* began while its listener's protocol was tcp */
	bool is_cancel : 1; /* carries a CancelRequest: no session to anybody */
	bool answered : 1;  /* REFUSING: the error is sent, the client may read it */
	bool client_error : 1, server_error : 1; /* its socket reported an error: it is dead */
	bool client_lost : 1, server_lost : 1;   /* a write to it failed: its end is a reset */
	bool server_ended_first : 1;
	bool abrupt : 1;   /* its end is passed on as a reset, whatever the reason */
	bool no_delay : 1; /* relay.c: the server leg has it */
	bool client_hushed : 1, server_hushed : 1; /* relay.c: a UNIX leg is not told of room */
	bool kept_alive : 1;                       /* watch.c: the server leg has its keepalive */
	bool secure : 1;      /* a server has said S to it: its next packet is a ClientHello */
	bool negotiating : 1; /* STARTING: secure, and this server has yet to say S as well */
	bool waited : 1;      /* has been HELD */
	bool released : 1;    /* counted among those who were let go and wait for an answer */
	bool more : 1;        /* STARTING: first_bytes are not all that the client's socket holds */
	bool has_heard : 1;   /* STARTING: its server has begun to say what has to be heard whole */
};

_Static_assert(
	sizeof(struct session) <= 224,
	"an idle session costs at most 256 bytes of ours; its share of all else is up to 32");

enum { NOT_READY = UINT8_MAX }; /* PostgreSQL says that it is starting up or shutting down */

/* ---- session.c ---- */
/* An accepted socket becomes a session (or is closed when memory is out). `client`: its address;
 * NULL: not known yet. */
void session_begin(struct worker *w, unsigned listener, int fd, const struct endpoint *client);
void session_move(struct session *s, enum session_state to);
/* The one way out: both legs, counters, log. From anywhere, any number of times; the first reason
 * counts. */
void session_close(struct session *s, enum close_reason reason);
/* `n` bytes have gone from its client to its server (up), or back. */
void session_count_moved(struct session *s, bool up, uint64_t n);
void session_bury_all(struct worker *w); /* after the turn: frees what was closed in it */
void session_client_ready(struct edge_source *source, uint32_t events);
void session_server_ready(struct edge_source *source, uint32_t events);
void session_wake(struct session *s);
void session_run(struct session *s); /* the step of its state */
void session_set_deadline(struct session *s, int64_t ms_from_now);
void session_clear_deadline(struct session *s);
void session_expire(struct session *s); /* its deadline has passed */
void session_release_admission(struct session *s);
/* The first refusing reason, or CLOSE_CLIENT when it may come in. */
enum close_reason session_admit(struct session *s);

/* ---- the steps ---- */
void greet_run(struct session *s);

void refuse_begin(struct session *s, enum close_reason reason);
void refuse_run(struct session *s);
void refuse_expired(struct session *s);

void cancel_begin(struct session *s, const char *packet, size_t len); /* a whole CancelRequest */
void cancel_end(struct session *s); /* its couriers are called back; harmless without any */

/* A server, or a place among those who wait for one. */
void connect_begin(struct session *s);
void connect_resume(
	struct session *s); /* HELD no more: as connect_begin, ahead of who came later */
void connect_run(struct session *s);
void connect_expired(struct session *s);
/* The server is not to be had after all: another one, or the hold. `error`: errno or NOT_READY. */
void connect_failed(struct session *s, int error);
/* The view has closed the server: likewise, and nobody is to blame. */
void connect_elsewhere(struct session *s);
/* The server is suspected, and has not said a word: the client waits with the others. */
void connect_wait(struct session *s);
bool connect_still_wanted(const struct session *s);
void connect_drop_server(
	struct session *s); /* the attempt is over: descriptor and server's count */
const char *connect_failure_text(const struct session *s);

void connect_established(struct session *s);    /* its server is there; it is counted */
void connect_answered(const struct session *s); /* it has its server */

void hold_begin(struct session *s);
void hold_run(struct session *s);
void hold_expired(struct session *s);

void starting_begin(struct session *s);
/* The server has just been called. If it is there already it gets the client's first packet, which
 * begins the `n` bytes that were peeked at, in the same step. */
void starting_hurry(struct session *s, const char *bytes, size_t n, const struct startup *startup);
void starting_run(struct session *s);
void starting_expired(struct session *s);

void starting_failed(struct session *s, int error); /* its server has: another one */

void answer_await(struct session *s);
/* Whatever comes of it, this is its server, and `taken` of the client's bytes are there already. */
void answer_bind(struct session *s, size_t taken);
void answer_forget(struct session *s); /* it is not, after all */

/* `first`: what its server has of the client's bytes already; NULL: they are not to be followed. */
void relay_begin(struct session *s, const void *first, size_t n);
void relay_run(struct session *s);
void relay_wake_overdue(struct worker *w);           /* every turn */
void relay_hear(struct session *s, uint32_t events); /* of its server, before the pumps know them */

/* ---- access_log.c ---- */
/* `was`: its last state before CLOSING. */
void access_log_end(const struct session *s, enum session_state was);
