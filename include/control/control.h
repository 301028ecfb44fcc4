#pragma once
/* The control thread's centre: owns the monitor, stamps time, applies its updates. Everything the
 * process decides goes through here; everything it carries is the workers'. Owner: the thread of
 * `loop`. */
#include "base/err.h"
#include "control/reload.h"
#include "core/config.h"
#include "core/counters.h"
#include "core/messages.h"
#include "core/view.h"
#include "io/mailbox.h"
#include <uv.h>

struct control;

/* How control reaches a worker, without knowing what one is. Both may be called until control is
 * closed. */
struct worker_door {
	void *worker;
	void (*publish)(void *worker, struct view *view);    /* takes the reference over */
	void (*send)(void *worker, struct message *message); /* takes the message over */
};

struct control_setup {
	uv_loop_t *loop;
	struct config *config;
	struct scoreboard *scoreboard;
	struct worker_door *workers; /* copied */
	unsigned n_workers;
	uint64_t nofile;
	struct reload_setup reload;
	/* Another configuration is in force; both are read at once. May be NULL. */
	void (*on_reloaded)(void *arg, const struct config *before, const struct config *now);
	/* The workers were told to end (by control_stop, or after a drain): join them, then
	 * control_close. */
	void (*on_stopped)(void *arg);
	void *arg;
};

/* Binds the stats sockets. Nothing is asked yet. NULL with a sentence in `e`. On failure the loop
 * must still run once more before it is closed. */
struct control *control_new(const struct control_setup *setup, struct err *e);
struct mailbox *control_mailbox(struct control *c); /* where workers write */
void control_start(struct control *c); /* ask, judge, publish; workers must be running */
/* Read the configuration again and apply it, all of it or nothing. `reply`: to an operator; may be
 * NULL. The log hears of it in any case. */
void control_reload(struct control *c, struct buf *reply);
void control_drain(
	struct control *c); /* no new sessions; stops when none is left, or after drain_timeout */
void control_stop(struct control *c); /* cut everything and stop, at once */
/* Workers are joined. Frees; every handle is closed when the loop runs dry. */
void control_close(struct control *c);
