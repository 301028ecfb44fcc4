#pragma once
/* A worker of isari as far as cutting goes: it takes the latest view, now and then skipping some,
 * opens sessions where the view lets it, and cuts those that fence_compare names. */
#include "core/view.h"
#include "witness.h"

enum { WORKER_SESSIONS = 2 * WITNESS_LISTENERS * WORLD_MAX_NODES };

struct sim_session {
	unsigned listener, server;
	unsigned n_closed; /* how often its server had been closed when it was opened */
};

struct sim_worker {
	struct witness *witness;
	struct view *view; /* the last it took; NULL: none */
	struct sim_session sessions[WORKER_SESSIONS];
	unsigned n_sessions;
};

void worker_take(struct sim_worker *w, struct view *view);
void worker_fini(struct sim_worker *w);
