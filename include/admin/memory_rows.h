#pragma once
/* Where memory is, one row each: `show memory` and its JSON. For the files
 * of src/admin that are named after it. */
#include "admin/facts.h"

struct memory_row {
	const char *key;   /* in JSON */
	const char *words; /* for people */
	bool is_bytes;
	/* -1: not known, or it says nothing now. */
	int64_t (*value)(const struct admin_facts *f);
};

extern const struct memory_row memory_rows[];
extern const unsigned n_memory_rows;
