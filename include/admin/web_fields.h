#pragma once
/* The fields of a query or a form, name=value&name=value, one after the other and decoded; names
 * and values that do not fit are cut. */
#include <stdbool.h>

struct web_field {
	char name[32], value[256];
	bool has_value; /* there is a = */
};

/* From *at on, which moves on; false: there are no more. */
bool web_next_field(const char **at, const char *end, struct web_field *f);
/* The first of this name in a query; false: it is not there. */
bool web_find_field(const char *query, const char *name, struct web_field *f);
