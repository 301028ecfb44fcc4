#pragma once
/* Operators at the stats sockets: who is connected with which level and prompt, running their
 * commands, and gathering the facts these commands show. Not here: what a command says (admin/),
 * bytes and lines (io/line_server.h). Owner: the control thread. */
#include "base/err.h"
#include "core/config.h"
#include "core/counters.h"
#include "core/journal.h"
#include "core/messages.h"
#include "core/meters.h"
#include "core/monitor.h"
#include "core/report.h"
#include "core/view.h"
#include <uv.h>

struct operators;

/* What operators need from their owner. All are called on the control thread, from its loop. */
struct operators_hooks {
	void *arg;
	/* Fill `r` with what is known now (monitor_report); operators release it with
	 * report_fini. */
	void (*report)(void *arg, struct report *r);
	/* The failover journal; read at once. */
	const struct journal *(*journal)(void *arg);
	/* For the monitor: EV_OPERATOR, EV_HINT; the owner stamps it. */
	void (*judge)(void *arg, struct event *ev);
	/* For every worker, a copy of this. */
	void (*tell)(void *arg, const struct message *like);
	/* Ask every worker for its sessions and return how many were asked; each answer goes to
	 * operators_sessions, later. Answers that are not there after 1 s are left out of the
	 * list. */
	unsigned (*ask_sessions)(void *arg, uint64_t request);
	/* Read the configuration again and apply it; the reply says what came of it. */
	void (*reload)(void *arg, struct buf *reply);
};

struct operators_setup {
	uv_loop_t *loop;
	struct config *config;         /* operators take a reference of their own */
	struct scoreboard *scoreboard; /* outlives the operators, who set its limits */
	struct meters *meters;         /* likewise; NULL: nothing is measured */
	unsigned threads;              /* workers, for `show info` */
	uint64_t nofile;               /* RLIMIT_NOFILE in force */
	struct operators_hooks hooks;
};

/* Bind every stats socket of the configuration. A failure is one sentence in `e`, nothing stays
 * open (but the loop must still run once more before it is closed, as for any uv handle). */
int operators_open(const struct operators_setup *setup, struct operators **ops, struct err *e);
/* A new view was published: its listeners' up and down times are taken from here, to the
 * millisecond. The caller keeps its reference. Commands work before the first view, too. */
void operators_view(struct operators *ops, struct view *view, int64_t now_ms);
/* One worker's answer to ask_sessions; `list` (heap, may be NULL when n is 0) is taken over and
 * freed. Late or unknown answers are fine. */
void operators_sessions(struct operators *ops, uint64_t request, struct session_info *list,
			size_t n);
/* Another configuration of the same shape; operators take a reference of their own. */
void operators_take_config(struct operators *ops, struct config *config);
/* A reload has just been applied, or refused. */
void operators_reloaded(struct operators *ops, bool ok);
/* From now on `show info` says Stopping: 1. */
void operators_stopping(struct operators *ops);
/* Clients are closed, sockets unlinked. Calls back once, later; then nothing of `ops` is left. */
void operators_close(struct operators *ops, void (*on_closed)(void *arg), void *arg);
