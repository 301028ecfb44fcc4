#pragma once
/* Does PostgreSQL answer on its port? Connect, send SSLRequest, read the one byte of its answer,
 * close. PostgreSQL logs nothing of it, but for "could not accept SSL connection: EOF detected"
 * where ssl is on. A second connection is tried at half time: a lost SYN costs the kernel's first
 * retransmission, 1 s, which must not look like a dead node. Either answer counts.
 * Owner: the loop's thread. */
#include <stdint.h>
#include <uv.h>

enum ping_result {
	PING_ALIVE,   /* 'S', 'N', or 'E' (an error message is an answer too) */
	PING_REFUSED, /* nobody listens */
	PING_UNREACHABLE,
	PING_TIMEOUT, /* connected or not: silence */
	PING_RESET,   /* closed without a byte */
	PING_GARBAGE,
	PING_OWN_FAULT,
};

struct pg_ping;

/* 0 and exactly one call back, later; or -errno and none. `ip` is numeric. */
int pg_ping_start(uv_loop_t *loop, const char *ip, uint16_t port, int64_t timeout_ms,
		  void (*done)(void *arg, enum ping_result result), void *arg,
		  struct pg_ping **ping);
void pg_ping_cancel(struct pg_ping *ping); /* no call back any more; only while in flight */
