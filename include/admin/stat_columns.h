#pragma once
/* The columns of `show stat`: HAProxy 2.6's 103, "-", and our own. For src/admin/stat*.c and
 * show_stat.c. */
#include "admin/stat_row.h"
#include "admin/typed.h"

struct stat_column {
	const char *name;
	unsigned rows; /* stat_kinds that carry a value; all others are blank */
	enum typed_kind kind;
	/* Of origin, nature and scope; NULL: no field but in CSV. */
	const char *tags, *backend_tags; /* in BACKEND rows, where they differ; else NULL */
	/* One of these. */
	const char *constant;
	int64_t (*number)(const struct stat_row *r);
	const char *(*text)(const struct stat_row *r);
};

extern const struct stat_column stat_columns[];
extern const unsigned n_stat_columns;

/* False when this row is blank here, which is not the same as 0 or empty. */
bool stat_value(const struct stat_column *c, const struct stat_row *r, struct typed_value *v);

/* What `desc` says of a column; never NULL. */
const char *stat_description(const char *column);
