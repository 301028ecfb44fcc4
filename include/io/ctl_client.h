#pragma once
/* One command to a stats socket and its reply, blocking: for the command line, never for a loop. */
#include "base/addr.h"
#include "base/buf.h"
#include "base/err.h"
#include <stdint.h>

/* Connect, send `line` and a newline, read until the server closes. 0, or -errno with one sentence
 * in `e` that names the remedy. `timeout_ms` bounds each wait for the server, not the whole
 * reply. */
int ctl_client_ask(const struct addr *a, const char *line, int64_t timeout_ms, struct buf *reply,
		   struct err *e);
