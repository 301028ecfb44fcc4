#pragma once
/* The false PostgreSQL: what its files know of each other. */
#include "wire.h"

#include <stdbool.h>
#include <stdint.h>
#include <sys/queue.h>

enum {
	SCRATCH = 256 * 1024,
	PASS = 64 * 1024, /* bytes that one session may move before the others have their turn */
	TEXT_MAX = 95,
	SHORT = 1024, /* no answer but an echo and a copy is longer */
};

struct server;

enum phase { PHASE_STARTUP, PHASE_IDLE, PHASE_SINK, PHASE_CHECKED_SINK };

/* What a session still has to send; nothing more of it is read before that is done. */
enum out_kind { OUT_NOTHING, OUT_REST, OUT_ECHO, OUT_COPY };

struct out {
	enum out_kind kind;
	bool last;    /* then close */
	bool blocked; /* the socket is full: wait for EPOLLOUT */
	uint64_t at, total;
	char tag[TAG]; /* of an echo */
	char *rest;    /* of a short answer that the socket did not take */
};

struct in {
	char head[8];
	unsigned n_head;
	uint32_t left; /* of the body of the message */
	char text[TEXT_MAX + 1];
	unsigned n_text;
};

/* A copy, in either direction. */
struct stream {
	struct session *session;
	struct copy copy;
	uint64_t at;   /* checked sink: received */
	uint64_t rate; /* send: bytes per second, 0 without limit */
	int64_t begun_ns;
	LIST_ENTRY(stream) paced; /* while rate */
};

struct session {
	struct server *server;
	TAILQ_ENTRY(session) ready; /* while queued */
	LIST_ENTRY(session) every;
	int fd;
	bool queued, hung_up;
	bool readable; /* epoll said so, and no short read since */
	enum phase phase;
	struct in in;
	struct out out;
	uint64_t sunk;
	struct stream *stream;
	char *held; /* input that came behind a question whose answer is still going out */
	size_t n_held;
};

TAILQ_HEAD(sessions, session);

struct server {
	int ep, timer;
	struct sessions ready;     /* who has more to do without being told by epoll */
	LIST_HEAD(, stream) paced; /* who may send more at the next tick */
	LIST_HEAD(, session) every;
	struct images images;
	uint64_t rng;
	char scratch[SCRATCH];
};

/* server.c */
void session_queue(struct session *s);
void session_close(struct session *s);
uint64_t server_random(struct server *v);
void server_pace(struct server *v, struct stream *st);

/* server_session.c: negative: the session is over. */
int session_run(struct session *s);

/* server_output.c: 0 all is out, 1 not yet, negative the session is over. */
int output_flush(struct session *s);
int output_short(struct session *s, const char *data, size_t n);
int output_done(struct session *s, const char *tag);
int output_error(struct session *s, const char *state, const char *text);
int output_echo(struct session *s, size_t n, const char *text);
int output_copy(struct session *s, uint64_t bytes, size_t chunk, uint64_t rate);
void stream_free(struct session *s);
