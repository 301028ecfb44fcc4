#pragma once
/* A worker: one thread, one edge set, its listening sockets and the sessions it carries.
 * What other threads may do with it is here; everything else under proxy/ belongs to the worker's
 * thread. */
#include "base/err.h"
#include "core/config.h"
#include "core/counters.h"
#include "core/messages.h"
#include "core/view.h"

struct mailbox;
struct worker;

struct worker_setup {
	unsigned index, n_workers;
	struct config *config;
	struct scoreboard *scoreboard;
	unsigned max_clients; /* sockets accepted by all workers together, refused ones included; 0:
				 no limit */
	int64_t data_us;      /* of a turn, for sockets that are ready; 0: the usual */
	struct mailbox *control; /* where MSG_SIGN ... go; outlives the worker */
	struct worker **peers;   /* n_workers, complete before worker_start; for MSG_ADOPT */
};

/* Bind this worker's sockets of every listener (SO_REUSEPORT; a UNIX socket is bound by worker 0,
 * which hands over). Any failure is one sentence: which listener, which address, why. Nothing runs
 * yet. */
int worker_new(const struct worker_setup *setup, struct worker **w, struct err *e);
int worker_start(
	struct worker *w); /* the thread begins; it accepts at once and answers by its view */
void worker_publish(struct worker *w, struct view *view); /* any thread; takes the reference over */
void worker_send(struct worker *w, struct message *m);    /* any thread; takes the message over */
void worker_join(struct worker *w);                       /* after MSG_STOP */
/* Joined, or never started; no sender may be left: free none before all are joined. */
void worker_free(struct worker *w);
unsigned worker_sessions(const struct worker *w); /* any thread, relaxed: for hand-over */
