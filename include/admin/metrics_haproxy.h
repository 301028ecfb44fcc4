#pragma once
/* HAProxy's rows as metrics: what the table (metrics_haproxy_table.c) and its writer
 * (metrics_haproxy.c) share. For those two only. */
#include "admin/metrics.h"
#include "admin/stat_row.h"

struct row {
	struct stat_row stat;
	struct buf labels;
};

struct rows { /* of one kind */
	const struct metrics *m;
	enum stat_kind kind;
	struct row *rows;
	unsigned n;
};

struct family {
	const char *name; /* without haproxy_<kind>_ */
	unsigned rows;    /* stat_kinds that have it */
	enum prom_type type;
	/* One of these: a column of `show stat`, or how it is written. */
	const char *column;
	void (*put)(const struct rows *rows, const struct row *r, const char *name);
	bool is_ms;       /* the column is in milliseconds: here it is in seconds */
	const char *help; /* NULL: what `show stat desc` says of the column */
};

extern const struct family haproxy_families[];
extern const size_t n_haproxy_families;
