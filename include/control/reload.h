#pragma once
/* A reload up to the decision: read the file again, whole, compare it with what is in force, and
 * say what comes of it. Not here: applying it (control.c). Owner: the control thread. */
#include "base/buf.h"
#include "core/config.h"

struct reload_setup {
	/* The file as it is now: one reference, or NULL and the faults, one line each. Blocks. */
	struct config *(*load)(void *arg, struct buf *faults);
	void *arg;
};

/* The next configuration, one reference, of the same shape and with the same indices as `now`; NULL
 * when it is refused, whole. `reply` (may be NULL) says to an operator what changes, or why
 * nothing does; the log hears it as well. */
struct config *reload_prepare(const struct reload_setup *setup, const struct config *now,
			      struct buf *reply);
/* Refused unread. */
void reload_refuse(const char *why, struct buf *reply);
