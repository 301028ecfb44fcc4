#pragma once
/* Two configurations, one in force and the next: what differs, in the words of the file. Things are
 * the same when they have the same name. Pure, any thread. */
#include "base/buf.h"
#include "core/config.h"

/* What both name is at the same index in both from now on: where something stands in the file means
 * nothing to those who go by index. `next` is nobody else's yet. */
void config_align(struct config *next, const struct config *now);

struct config_diff {
	struct buf changes; /* "listeners.write.hold: 30s -> 5s", one line each */
	struct buf
		restarts; /* "threads: needs a restart: 2 -> 4": what no running process can do */
	size_t n_changes, n_restarts;
};

/* Both aligned. Without restarts both have the same shape: as many clusters, members and listeners
 * at the same indices, of the same names and addresses. */
void config_diff(const struct config *now, const struct config *next, struct config_diff *out);
void config_diff_fini(struct config_diff *d);
