#pragma once
/* What the operators, at the stats sockets and over HTTP, are made of. For src/control/operators*.c
 * and web.c only; others use control/operators.h. Owner: the control thread. */
#include "base/buf.h"
#include "base/list.h"
#include "control/history.h"
#include "control/operators.h"
#include "control/snapshot.h"
#include "control/web.h"
#include "io/line_server.h"
#include "wire/cli_parse.h"

struct operators;

struct admin_socket {
	struct operators *ops;
	enum access_level level;
	struct line_server *server;
};

struct asking;

/* Somebody who waits for the list of sessions. */
struct sessions_wait {
	struct list node; /* ops->asking.waiting; unlink it to wait no more */
	/* It is here, and valid during the call, which may not make anybody leave. */
	void (*take)(struct sessions_wait *w, const struct asking *answer);
	/* Everybody has taken it; NULL: that was all. */
	void (*go_on)(struct sessions_wait *w);
};

struct admin_client {
	struct list node; /* ops->clients */
	struct admin_socket *socket;
	struct line_client *line;
	enum access_level level; /* the socket's, or a lower one that it has chosen */
	enum severity_output severity;
	bool prompt, quit;
	struct sessions_wait wait;
	bool payload; /* the line in work ends with "<<": what follows is not commands */
	char *text;   /* the line in work, cut into words in place */
	char *rest;   /* its commands that have not begun */
	struct cli_command command;
	struct buf out;
};

/* The one question for sessions that may be under way. */
struct asking {
	struct list waiting;
	uint64_t request;
	bool open;
	unsigned n_missing;
	struct session_info *list;
	size_t n;
};

struct operators {
	struct operators_setup setup;
	struct admin_socket *sockets;
	size_t n_sockets; /* opened */
	struct list clients;
	unsigned n_clients;
	struct web *web; /* NULL: stats.http is not set */
	struct asking asking;
	struct history history;
	struct view *view; /* the last one published, or NULL */
	int64_t started_ms, started_wall_s;
	struct {
		bool failed; /* the last one was refused */
		uint64_t n, failures;
		int64_t at_ms; /* the last one; with n + failures > 0 */
	} reloads;
	bool stopping;
	uv_timer_t second, deadline;
	unsigned n_closing;
	void (*on_closed)(void *arg);
	void *arg;
};

/* operators_act.c: the facts of this moment; level, severity and sessions are the caller's to
 * fill. */
void operators_gather(struct operators *ops, struct snapshot *s);
/* For ORDER_NEED_MEMORY, into the same facts. */
void operators_gather_memory(const struct operators *ops, struct snapshot *s);
/* operators_obey.c: doing what an order says; those that concern the operator's own connection are
 * not for it. */
void operators_obey(struct operators *ops, const struct admin_order *o);
/* ... which is for the one order whose reply depends on what comes of it. */
void operators_reload(struct operators *ops, struct buf *reply);

/* operators_sessions.c: all who wait share one question; the last worker's answer, or a deadline,
 * lets them go on. Not from inside `take`. */
void operators_await_sessions(struct operators *ops, struct sessions_wait *w);

/* operators_line.c: run the commands of c->rest; their replies go out together, now or when the
 * workers have listed their sessions. The client may be gone when this returns. */
void operators_continue_line(struct admin_client *c);
/* One more line of it, a command's or a payload's. Likewise. */
void operators_take_line(struct admin_client *c, const char *text);
