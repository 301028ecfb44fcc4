#pragma once
/* Does PostgreSQL answer on its port, or its UNIX socket? Connect, send SSLRequest, read the one
 * byte of its answer, close. PostgreSQL logs nothing of it, but for "could not accept SSL
 * connection: EOF detected" where ssl is on. A second connection is tried at half time: a lost SYN
 * costs the kernel's first retransmission, 1 s, which must not look like a dead node. Either answer
 * counts. Owner: the loop's thread. */
#include "io/dialer.h"
#include <stdint.h>
#include <uv.h>

enum ping_result {
	PING_ALIVE,   /* 'S', 'N', or 'E' (an error message is an answer too) */
	PING_REFUSED, /* nobody listens, or the socket is not there */
	PING_UNREACHABLE,
	PING_TIMEOUT, /* connected or not: silence; a socket's queue that stays full */
	PING_RESET,   /* closed without a byte */
	PING_GARBAGE,
	PING_OWN_FAULT, /* a socket that we may not open says nothing, either */
};

struct pg_ping;

/* 0 and exactly one call back, later; or -errno and none. */
int pg_ping_start(uv_loop_t *loop, const struct dialer_address *to, int64_t timeout_ms,
		  void (*done)(void *arg, enum ping_result result), void *arg,
		  struct pg_ping **ping);
void pg_ping_cancel(struct pg_ping *ping); /* no call back any more; only while in flight */
