#pragma once
/* The line that HAProxy's `option tcplog` writes when a session ends, so that halog and whatever
 * else reads HAProxy's log reads ours:
 *
 *	client_ip:client_port [accept_date] frontend backend/server Tw/Tc/Tt bytes_read
 *	termination_state actconn/feconn/beconn/srv_conn/retries srv_queue/backend_queue
 *
 * Pure. Not here: what precedes it in a log (io/log.h), the lines about servers
 * (admin/server_news.h). */
#include "core/names.h"
#include <stddef.h>
#include <stdint.h>

/* How far it had come, as the second letter of the termination state says it. */
enum haproxy_stage {
	STAGE_REQUEST = 'R', /* its first bytes were awaited */
	STAGE_QUEUE = 'Q',   /* it waited for a server */
	STAGE_CONNECT = 'C', /* a server was called */
	STAGE_DATA = 'D',    /* bytes went both ways */
};

struct haproxy_session {
	const char *client;   /* "10.0.0.1:5000" */
	const char *accepted; /* "20/Nov/2026:09:30:00.123", local time */
	const char *frontend, *backend;
	const char *server; /* NULL: none was called */
	int64_t wait_ms;    /* for a server; -1: it never got so far as to want one */
	int64_t connect_ms; /* -1: there was no connection */
	int64_t total_ms;   /* since it was accepted */
	uint64_t bytes_out; /* to the client */
	enum close_reason reason;
	enum haproxy_stage stage;
	bool intercepted;         /* a CancelRequest, answered by ourselves */
	bool timed_out;           /* CLOSE_CONNECT_FAILED: its last server did not answer */
	unsigned actconn, feconn; /* of the process, of the listener; it is among them */
	unsigned beconn, srvconn; /* it is not */
	unsigned retries;         /* servers called in vain, or called once more */
	bool redispatched;        /* the last retry went to another server */
	unsigned srv_queue, backend_queue; /* its place in the queue, from 1; 0: it did not wait */
};

enum { HAPROXY_SESSION_BYTES = 512 };

/* Two letters and a NUL: who ended it, and when. */
void haproxy_termination(const struct haproxy_session *s, char out[3]);
/* Cut where `n` ends; returns `out`. */
char *haproxy_session_text(const struct haproxy_session *s, char *out, size_t n);
