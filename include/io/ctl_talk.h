#pragma once
/* A lasting conversation with a stats socket, for a loop: HAProxy's prompt mode, in which every
 * reply ends with "\n> ". It connects by itself, and again a second after each end.
 * The process ignores SIGPIPE. Owner: the loop's thread. */
#include "base/addr.h"
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <uv.h>

struct ctl_talk;

struct ctl_talk_options {
	struct addr addr;
	int64_t timeout_ms; /* for each answer; connecting included */
	int64_t idle_ms; /* the longest pause between two lines: the server is asked to bear it */
	void *arg;
	void (*on_up)(void *arg); /* lines may be sent */
	/* One reply per command, in their order, without its end. */
	void (*on_reply)(void *arg, const char *reply, size_t len);
	/* The connection ended or could not be made; what was asked will not be answered. */
	void (*on_down)(void *arg, const char *why);
};

struct ctl_talk *ctl_talk_open(uv_loop_t *loop, const struct ctl_talk_options *o);
/* No call back after this; its handles are gone when the loop has run once more. */
void ctl_talk_close(struct ctl_talk *t);
/* `n_replies`: the number of commands in it. -ENOTCONN: it is down. */
int ctl_talk_send(struct ctl_talk *t, const char *line, unsigned n_replies);

/* Where the first reply of this text ends, its prompt not counted; -1: it is not all there.
 * `after`: where the next one begins. */
long ctl_reply_end(const char *text, size_t len, size_t *after);
