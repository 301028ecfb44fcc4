#pragma once
/* What the operators of the stats sockets are made of. For src/control/operators*.c only; others
 * use control/operators.h. Owner: the control thread. */
#include "base/buf.h"
#include "base/list.h"
#include "control/history.h"
#include "control/operators.h"
#include "control/snapshot.h"
#include "io/line_server.h"
#include "wire/cli_parse.h"

struct operators;

struct admin_socket {
	struct operators *ops;
	enum access_level level;
	struct line_server *server;
};

struct admin_client {
	struct list node; /* ops->clients */
	struct admin_socket *socket;
	struct line_client *line;
	bool prompt, quit;
	bool waiting; /* for the list of sessions */
	char *text;   /* the line in work, cut into words in place */
	char *rest;   /* its commands that have not begun */
	struct cli_command command;
	struct buf out;
};

/* The one question for sessions that may be under way. */
struct asking {
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
	struct asking asking;
	struct history history;
	struct view *view; /* the last one published, or NULL */
	int64_t started_ms, started_wall_s;
	bool stopping;
	uv_timer_t second, deadline;
	unsigned n_closing;
	void (*on_closed)(void *arg);
	void *arg;
};

/* operators_act.c: the facts of this moment (level and sessions are the caller's to fill), and
 * doing what an order says; those that concern the operator's own connection are not for it. */
void operators_gather(struct operators *ops, struct snapshot *s);
void operators_obey(struct operators *ops, const struct admin_order *o);

/* operators_line.c: run the commands of c->rest; their replies go out together, now or when the
 * workers have listed their sessions. The client may be gone when this returns. */
void operators_continue_line(struct admin_client *c);
