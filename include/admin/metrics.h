#pragma once
/* What the page of metrics is made of: for src/admin/metrics_*.c only, others use metrics_page.h.
 * A metric is one row of a table: its name, what it says, and a function that reads its value off
 * one subject (a cluster, a member, a listener ...). The labels of a subject are written once. */
#include "admin/facts.h"
#include "wire/prometheus.h"

/* Things of one kind, each with its labels. */
struct subjects {
	unsigned n;
	struct buf *labels; /* n */
};

struct metrics {
	const struct admin_facts *facts;
	struct buf *out;
	bool no_maint; /* leave out servers in maintenance */
	struct subjects clusters, members, listeners, workers; /* in their order everywhere else */
	struct subjects questions;                             /* N_VIAS for each member */
	struct subjects process;                               /* one, without labels */
};

/* Exactly one way to a value. `i`: which one of the subjects. */
struct metric {
	const char *name;
	enum prom_type type;
	const char *help;
	struct prom_value (*value)(const struct metrics *m, unsigned i);
	/* one sample for each word that a further label may have */
	struct {
		const char *label;
		unsigned n_words;
		const char *(*word)(unsigned k);
		struct prom_value (*value)(const struct metrics *m, unsigned i, unsigned k);
	} each;
	/* the value is 1; what it says is in its labels */
	bool (*info)(const struct metrics *m, unsigned i, struct buf *labels); /* false: nothing */
	const struct hist *(*hist)(const struct metrics *m, unsigned i);
	unsigned hist_decimals;
};

/* metrics_table.c: write the labels of all subjects, once; forget them. */
void metrics_label(struct metrics *m);
void metrics_fini(struct metrics *m);
void metrics_put(const struct metrics *m, const struct subjects *of, const struct metric *table,
		 size_t n);

/* The pages' parts. */
void metrics_clusters(const struct metrics *m);  /* metrics_clusters.c */
void metrics_members(const struct metrics *m);   /* metrics_members.c */
void metrics_listeners(const struct metrics *m); /* metrics_listeners.c */
void metrics_own(const struct metrics *m);       /* metrics_own.c: threads, limits, this page */
void metrics_haproxy_process(const struct metrics *m);
void metrics_haproxy_rows(const struct metrics *m, unsigned kinds); /* bits of stat_kind */
