#pragma once
/* The facts of one moment, gathered for one command. Owner: the control thread. */
#include "admin/facts.h"
#include "control/history.h"

struct snapshot {
	struct admin_facts facts; /* points into the rest */
	struct report report;
	struct process_facts process;
	struct memory_facts memory; /* once facts.memory points here */
	struct row_facts *rows;
	struct listener_facts *listeners;
	struct worker_numbers *workers;
};

/* Rows and listeners at `now_ms`. The caller fills report, process, facts.view, level and
 * sessions. */
void snapshot_init(struct snapshot *s, const struct config *config, struct history *h,
		   int64_t now_ms);
void snapshot_fini(struct snapshot *s);
