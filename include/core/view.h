#pragma once
/* The immutable routing state that the monitor publishes and the workers act on.
 * Built completely, then shared by reference count, never modified. Servers keep their row for
 * life. */
#include "core/config.h"
#include "core/names.h"
#include <stdatomic.h>
#include <stdint.h>

/* A server is a member in the eyes of one listener. */
struct view_server {
	unsigned member; /* config.members index */
	unsigned row;    /* where it is counted, core/counters.h; stable */
	enum server_state state;
	enum why why;
	enum close_reason cut; /* the reason for sessions cut when state is SERVER_CLOSED */
	unsigned generation; /* grows each time the server becomes CLOSED: sessions of an older one
				are dead */
	bool drain_back;     /* KEPT as a last resort that is not needed any more: its idle
				sessions are ended, a few at a time: they come back to the right
				ones */
	unsigned weight;
	char ip[46]; /* numeric address; empty: not resolved, or the member has a socket */
	uint16_t port;
};

struct view_listener {
	unsigned listener; /* config.listeners index */
	struct view_server *servers;
	unsigned n_servers;
	unsigned n_open;
	/* Weighted round robin, unrolled: indices into servers[]; empty when none is open. */
	uint16_t *turns;
	unsigned n_turns;
	/* Said to clients when no server is open: since when, and why. */
	int64_t none_since_ms;
	enum why none_why;
	int none_member; /* whom the sentence is about; -1: nobody in particular */
	int none_last;   /* who was the primary last, where one is served; -1: nobody yet */
};

struct view {
	_Atomic unsigned refs;
	uint64_t generation;
	int64_t made_ms; /* a worker that paused goes on only with a view made after it noticed */
	struct config *config; /* a reference */
	struct view_listener *listeners;
	size_t n_listeners;
};

struct view *view_ref(struct view *v);
void view_unref(struct view *v); /* NULL is fine; the last one frees, on any thread */

/* Allocate a view for `config` with every server present (CLOSED, rows assigned). One reference. */
struct view *view_new(struct config *config);
/* Recompute n_open and turns after servers were filled in. */
void view_finish(struct view *v);
/* The same routing, whatever the generation? */
bool view_same(const struct view *a, const struct view *b);

/* The sentence for a client: `cluster "main" has no primary since 3.2s: n1 does not answer ...`. */
void view_none_sentence(const struct view *v, unsigned listener, int64_t now_ms, char *out,
			size_t n);
