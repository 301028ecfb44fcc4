#pragma once
/* A small HTTP/1.1 server for people, monitoring and health checks: libmicrohttpd driven by a uv
 * loop. Knows nothing of paths. Owner: the loop's thread.
 *
 * Limits (a client that sends slowly, reads slowly, sends too much or nothing at all harms nobody):
 * below. Beyond HTTP_MAX_CONNECTIONS whoever comes waits for a place, and those who have not sent
 * their request lose theirs sooner; beyond HTTP_MAX_PER_ADDRESS of one address it is closed at
 * once. Longer heads get 431, longer bodies 413.
 *
 * What is no HTTP to begin with is refused in MHD's own words (400, 414, 431, 505), without the
 * headers of every answer: there is nothing of the request in them. */
#include "base/addr.h"
#include "base/buf.h"
#include "base/err.h"
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <uv.h>

enum {
	HTTP_MAX_CONNECTIONS = 64,
	HTTP_MAX_PER_ADDRESS = 48,
	HTTP_MAX_STREAMS = 8,              /* of the connections: answers without an end */
	HTTP_CONNECTION_BYTES = 32 * 1024, /* a request's line and headers, and what is going out */
	HTTP_UNSENT_BYTES = 64 * 1024 * 1024, /* answers not taken yet, all together: then 503 */
	HTTP_BODY_BYTES = 4 * 1024,           /* of a request */
};

struct http_server;
/* One request and its answer; valid from on_request until on_gone. */
struct http_exchange;

struct http_header {
	const char *name, *value;
};

struct http_server_options {
	struct addr addr; /* TCP */
	void *arg;
	/* A request is here, whole. The receiver answers with http_reply or http_stream_begin, now
	 * or later, once. */
	void (*on_request)(void *arg, struct http_exchange *x);
	/* It is over, answered or not: forget it. Called once for each on_request, never from
	 * inside on_request or a function of this header but http_server_close. */
	void (*on_gone)(void *arg, struct http_exchange *x);
	/* Of every answer; ended by one without a name; outlives the server. */
	const struct http_header *headers;
	/* 0: the default. A request must be whole so long after the one before it was answered (or
	 * after the connection began), its answer taken so long after it was given. */
	int64_t request_ms, response_ms;
	int64_t stall_ms; /* a reader that takes nothing of a stream for so long is cut */
};

/* Binds at once. A failure is one sentence in `e`, and then nothing is left to be closed. */
int http_server_open(uv_loop_t *loop, const struct http_server_options *o, struct http_server **s,
		     struct err *e);
/* Everyone is cut; on_gone for each exchange. Calls back once, later. May be called from inside
 * on_request and on_gone (then the exchanges go later, too). */
void http_server_close(struct http_server *s, void (*on_closed)(void *arg), void *arg);
unsigned http_server_connections(const struct http_server *s);

/* ---- the request ---- */

const char *http_method(const struct http_exchange *x); /* "GET" */
const char *http_target(const struct http_exchange *x); /* as it was sent: path and query, raw */
const char *http_header(const struct http_exchange *x, const char *name); /* NULL: not sent */
const char *http_body(const struct http_exchange *x, size_t *len);        /* never NULL */
char *http_client_address(const struct http_exchange *x, char *out,
			  size_t n); /* "10.0.0.1:5000"; returns out */
/* What the owner keeps for it, freed by on_gone; NULL at first. */
void http_set_data(struct http_exchange *x, void *data);
void *http_data(const struct http_exchange *x);

/* ---- the answer ---- */

struct http_answer {
	unsigned status;
	const struct http_header *headers; /* beside those of every answer; ended by one without a
					      name; copied. NULL: none */
	struct buf *body;                  /* taken over, left empty. NULL: none */
};

/* To HEAD the body is not sent, but told of. */
void http_reply(struct http_exchange *x, const struct http_answer *a);

/* An answer without an end (and without `body`). -EBUSY: HTTP_MAX_STREAMS are there; answer
 * something else. */
int http_stream_begin(struct http_exchange *x, const struct http_answer *a);
/* Queue one piece. A piece that has not begun to leave is replaced: who reads slowly gets fewer. */
void http_stream_send(struct http_exchange *x, const char *data, size_t len);
