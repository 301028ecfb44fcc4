#pragma once
/* Hand views to the workers and notice when they are in force everywhere. Owner: the control
 * thread. */
#include "control/control.h"

struct publisher {
	const struct worker_door *workers;
	unsigned n_workers;
	uint64_t generation; /* the newest published */
	int64_t published_ms;
	unsigned n_waiting; /* workers that have not taken it yet */
	unsigned n_doomed;  /* sessions it cuts, so far */
	uint64_t *taken;    /* per worker: the newest generation it acknowledged */
};

void publisher_init(struct publisher *p, const struct worker_door *workers, unsigned n_workers);
void publisher_fini(struct publisher *p);
void publisher_publish(struct publisher *p, struct view *view,
		       int64_t now_ms); /* takes the reference over */
/* The generation that every worker goes by, or a later one; 0: not all have taken any. */
uint64_t publisher_in_force(const struct publisher *p);
void publisher_taken(struct publisher *p, const struct message *m, int64_t now_ms);
