#pragma once
/* What the HTTP server is made of. For src/io/http_server.c, http_door.c, http_exchange.c and
 * http_stream.c only; others use io/http_server.h. */
#include "base/list.h"
#include "io/http_server.h"
#include "io/socket.h"
#include <microhttpd.h>

enum http_state {
	HTTP_RECEIVING, /* nothing yet, or a part of a request */
	HTTP_WHOLE,     /* the owner is to hear of it when it is its turn */
	HTTP_ASKED,     /* the owner knows of it and has not answered */
	HTTP_ANSWERED,  /* the owner has; the answer is to be queued */
	HTTP_SENDING,
	HTTP_STREAMING,
	HTTP_CUT, /* shut down; waiting for MHD to notice */
};

/* A connection, with the one request that it may have in work. */
struct http_exchange {
	struct list node; /* server->exchanges */
	struct list turn; /* server->whole, or none */
	struct http_server *server;
	struct MHD_Connection *connection;
	int fd;
	struct endpoint client;
	enum http_state state;
	bool suspended;      /* MHD has been told to leave it alone */
	bool told;           /* on_request was called: on_gone is due */
	bool head_seen;      /* MHD has called us for this request */
	int64_t deadline_ms; /* of what it is doing; 0: none */
	char *target;
	const char *method; /* MHD's */
	struct buf body;
	unsigned status;
	size_t unsent;                 /* counted in server->unsent */
	struct MHD_Response *response; /* HTTP_ANSWERED */
	bool streams;                  /* counted in server->n_streams */
	struct buf sending, next;      /* of a stream: what is going out, and what will */
	size_t sent;
	void *data;
};

struct http_server {
	struct http_server_options options;
	uv_loop_t *loop;
	struct MHD_Daemon *daemon;
	uv_poll_t poll; /* MHD's epoll descriptor */
	uv_poll_t door; /* the listening socket */
	int listening_fd;
	bool door_is_open;     /* it is watched */
	int64_t door_opens_ms; /* again, after there was no descriptor */
	uv_timer_t timer;
	struct list exchanges; /* every connection */
	struct list whole; /* requests that the owner has not heard of: first come, first served */
	int64_t turn_ends_us; /* no more of them before the loop's next turn */
	unsigned n_connections, n_streams;
	size_t unsent;
	bool running; /* inside MHD */
	bool again; /* MHD is to run once more: it takes up a resumed connection in its next run */
	bool closing, stopped;
	unsigned open_handles;
	void (*on_closed)(void *arg);
	void *on_closed_arg;
};

/* http_server.c */
void http_server_plan(struct http_server *s); /* wake up when something is due */
void http_server_drive(struct http_server *s);
bool http_server_turn_is_over(const struct http_server *s);
bool http_server_is_full(const struct http_server *s);
void http_exchange_cut(struct http_exchange *x);

/* http_door.c */
void http_door_tend(struct http_server *s); /* open it when there is room, shut it when not */
int64_t http_door_due_ms(const struct http_server *s); /* look again then; 0: never */

/* http_exchange.c: what MHD calls. */
void *http_on_target(void *server, const char *target, struct MHD_Connection *c);
enum MHD_Result http_on_access(void *server, struct MHD_Connection *c, const char *url,
			       const char *method, const char *version, const char *data,
			       size_t *len, void **exchange);
void http_on_completed(void *server, struct MHD_Connection *c, void **exchange,
		       enum MHD_RequestTerminationCode why);
void http_exchange_suspend(struct http_exchange *x); /* from inside MHD's call for it only */
void http_exchange_resume(struct http_exchange *x);
/* Tell the owner of requests that wait for it, until the turn is over. */
void http_exchange_ask_waiting(struct http_server *s);
/* Back to HTTP_RECEIVING, with nothing of a request left. */
void http_exchange_reset(struct http_exchange *x);
/* The owner's answer; MHD asks for it again when it was waiting. */
void http_exchange_answer(struct http_exchange *x, const struct http_answer *a,
			  struct MHD_Response *response);

/* http_stream.c */
bool http_stream_is_stuck(const struct http_exchange *x); /* something was not taken yet */
