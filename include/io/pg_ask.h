#pragma once
/* Ask PostgreSQL itself, through libpq: log in, `select pg_is_in_recovery()`, leave. The stronger
 * of two witnesses; io/pg_ping.h is the one that needs no role.
 *
 * A connection of its own for every question: it is only asked while a member is in doubt, so it is
 * rare, and what is in doubt is whether sessions can be had there, which a connection that is kept
 * does not show. It needs a role without any right but CONNECT. No `options` are sent: the one
 * function is called by its full name, so that no search_path can mean another, and PgBouncer
 * refuses options that it does not know.
 *
 * Nothing here waits: not for names (`ip` is numeric, or there is a socket), not for the network.
 * libpq's own connect_timeout does not work without blocking, so the time limit is ours. What libpq
 * would do on this thread and cannot be told not to: a server that asks for GSSAPI makes it look
 * for a ticket; pg_hba.conf should ask this role for scram-sha-256, a certificate, or nothing.
 *
 * A second connection is tried at half time when the first is not even accepted: a lost SYN costs
 * the kernel's first retransmission, 1 s, which must not look like a dead node.
 * Owner: the loop's thread. */
#include <stdint.h>
#include <uv.h>

enum sql_result {
	SQL_PRIMARY, /* not in recovery */
	SQL_STANDBY, /* in recovery */
	/* SQLSTATE 57P01..57P03: starting up, shutting down, or just ended: no sessions */
	SQL_NOT_READY,
	SQL_REFUSED, /* nobody listens, or the socket is not there */
	SQL_UNREACHABLE,
	SQL_TIMEOUT,   /* connected or not: no answer; a socket's queue that stays full */
	SQL_RESET,     /* closed before it answered */
	SQL_DENIED,    /* PostgreSQL is there, and does not let this role ask: see `detail` */
	SQL_TLS,       /* somebody is there, but not as sslmode wants it: see `detail` */
	SQL_GARBAGE,   /* not PostgreSQL */
	SQL_OWN_FAULT, /* a socket that we may not open says nothing, either */
};

struct sql_question {
	const char *ip;     /* numeric */
	const char *host;   /* the name: for sslmode=verify-full and the lookup in the passfile */
	const char *socket; /* dir/.s.PGSQL.<port>, instead of both, and without TLS; NULL: none */
	uint16_t port;
	const char *user, *dbname;
	const char *passfile, *sslmode; /* NULL: no password; libpq's own default, prefer */
	int64_t timeout_ms;
};

struct pg_ask;

/* 0 and exactly one call back, later; or -errno and none. All of `q` but `ip` must live until then.
 * `detail`: one line of libpq's words or the server's, for people, valid during the call; it never
 * holds a password; "" where the result says it all. */
int pg_ask_start(uv_loop_t *loop, const struct sql_question *q,
		 void (*done)(void *arg, enum sql_result result, const char *detail), void *arg,
		 struct pg_ask **ask);
void pg_ask_cancel(struct pg_ask *ask); /* no call back any more; only while in flight */

/* libpq takes from PG* variables whatever it is not told, passwords and whole services among them.
 * Once, at the start of the process, before any thread: nothing of it must count. */
void pg_ask_forget_environment(void);
