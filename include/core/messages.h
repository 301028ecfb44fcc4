#pragma once
/* What control and workers say to each other, as copies; carried by io/mailbox.h, one holder at a
 * time, the receiver frees. State does not travel here: that is the view (io/slot.h). */
#include "base/list.h"
#include "core/names.h"
#include <stdint.h>

enum message_type {
	/* worker to control */
	MSG_SIGN,          /* a server refused, reset or timed out */
	MSG_PAUSED,        /* the worker's loop slept longer than planned */
	MSG_VIEW_TAKEN,    /* a generation is in force; `count` sessions were doomed by it */
	MSG_SESSIONS,      /* answer to MSG_LIST_SESSIONS */
	MSG_DRAINED,       /* no session left after MSG_DRAIN */
	MSG_FIRST_SESSION, /* to a primary, by this view: the first of this worker */
	MSG_HOLD_EMPTIED,  /* the last client that this worker held at a listener was let go */
	/* control to worker */
	MSG_LIST_SESSIONS,
	MSG_SHUTDOWN_SERVER,  /* cut the sessions of one server */
	MSG_SHUTDOWN_SESSION, /* cut one session by id, if it is this worker's */
	MSG_FRONTEND,         /* a listener's sockets follow what the scoreboard says of it */
	MSG_DRAIN,            /* stop accepting; sessions go on */
	MSG_STOP,             /* cut everything, end the thread */
	/* worker to worker */
	MSG_SUSPECT,  /* a member may be going down */
	MSG_ADOPT,    /* an accepted socket for the less loaded one */
	MSG_FIND_KEY, /* whose session has this cancel key? From one to the next and back to the
			 asker */
};

struct session_info {
	uint64_t id; /* unique in the process: worker in the high 16 bits */
	unsigned listener;
	int server; /* index in the listener's servers; -1: none yet */
	char state[12];
	char client[64],
		server_local[64]; /* addresses; server_local is our side of the server leg */
	int64_t age_ms, idle_ms;
	uint64_t bytes_in, bytes_out;
	int client_fd, server_fd;
};

struct find_key {
	uint64_t session; /* of the asker: whose CancelRequest it is */
	uint64_t key;     /* wire/pg_stream.h */
	unsigned listener;
	int server; /* the answer; -1: nobody's so far */
};

struct message {
	struct list node; /* the mailbox's */
	enum message_type type;
	unsigned worker; /* the sender's index, for worker messages */
	union {
		struct {
			unsigned member;
			int sign; /* enum sign, core/monitor.h */
		} sign;
		struct {
			int64_t slept_ms;
		} paused;
		struct {
			uint64_t generation;
			unsigned count;
		} view_taken;
		struct {
			unsigned member;
			uint64_t generation;
			int64_t at_ms;
		} first_session;
		struct {
			unsigned listener;
			int64_t at_ms;
		} hold_emptied;
		struct {
			uint64_t request;
			struct session_info *list; /* heap; the receiver's */
			size_t n;
		} sessions;
		struct {
			uint64_t request;
		} list_sessions;
		struct {
			unsigned listener, server;
		} shutdown_server;
		struct {
			uint64_t id;
		} shutdown_session;
		struct {
			unsigned listener;
		} frontend;
		struct {
			unsigned member;
		} suspect;
		struct {
			int fd;
			unsigned listener;
		} adopt;
		struct find_key find_key; /* `worker` stays the asker's index */
	} u;
};

struct message *message_new(enum message_type type); /* zeroed, heap */
void message_free(struct message *m); /* with what it carries (an adopted fd is not closed) */
