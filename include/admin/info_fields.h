#pragma once
/* The fields of `show info`: HAProxy 2.6's, all of them. For src/admin/info*.c and show_info.c. */
#include "admin/facts.h"
#include "admin/typed.h"

/* What the fields are made of, gathered once for all. */
struct info {
	const struct admin_facts *facts;
	const struct process_facts *process;
	struct counters_sum total; /* over all listeners */
	unsigned n_listeners;      /* bound sockets, stats sockets included */
	uint64_t pool_bytes, pool_used_bytes, pipes, pipes_used, spliced; /* all workers' */
	char uptime[40], node[72], release_date[24];
};

struct info_field {
	struct typed_field field; /* its number has gaps: what HAProxy leaves out as well */
	enum typed_kind kind;
	/* With `float` this, where it is another; else NULL. */
	const char *real_tags;
	double (*real)(const struct info *i);
	/* One of these. */
	const char *constant;
	int64_t (*number)(const struct info *i);
	const char *(*text)(const struct info *i);
};

extern const struct info_field info_fields[];
extern const unsigned n_info_fields;

void info_gather(struct info *i, const struct admin_facts *f);
/* `real`: with fractions, where there are any. */
void info_value(const struct info_field *f, const struct info *i, bool real, struct typed_field *as,
		struct typed_value *v);
