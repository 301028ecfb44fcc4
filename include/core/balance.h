#pragma once
/* Pick a server for a new session. Pure: load and chance come in as arguments. */
#include "base/rng.h"
#include "core/view.h"
#include <stdbool.h>

struct balance_input {
	const struct view_listener *listener;
	enum balance method;
	const unsigned *sessions; /* current sessions of servers[i], all workers */
	const unsigned *limits;   /* of these; NULL: there are none */
	uint64_t turn;            /* round robin: a shared counter's next value */
	uint64_t tried;           /* bit i: servers[i] has failed this session already (i < 64) */
	struct rng *rng;          /* random */
};

/* Index into listener->servers, or -1: none is open, all are tried, or all are full (*full then
 * true). */
int balance_pick(const struct balance_input *in, bool *full);
