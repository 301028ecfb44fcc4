#pragma once
/* HAProxy's self-describing values: what `show stat` and `show info` print with `typed` or `json`,
 * and what `desc` adds. Pure. */
#include "base/buf.h"
#include <stdbool.h>
#include <stdint.h>

enum typed_kind { TYPED_U32, TYPED_S32, TYPED_U64, TYPED_STR, TYPED_FLT };

struct typed_value {
	enum typed_kind kind;
	const char *text; /* STR; of a number NULL, or how it is written */
	int64_t number;
	double real; /* FLT */
};

struct typed_field {
	unsigned pos;
	const char *name;
	const char *tags; /* origin, nature and scope, a letter each: "MGP" */
	const char *desc;
};

/* How a reply is to look; the last word of the line that says so counts. */
enum typed_format { FORMAT_PLAIN, FORMAT_TYPED, FORMAT_JSON };
struct typed_options {
	enum typed_format format;
	bool desc;
};
/* Is it `typed`, `json` or `desc`? Then it is noted. */
bool typed_option(struct typed_options *o, const char *word);

void typed_put_value(const struct typed_value *v, struct buf *out);
/* "0.Name.1:POS:str:HAProxy": what comes before the field, if anything, is the caller's. */
void typed_put_line(const struct typed_field *f, const struct typed_value *v, bool desc,
		    struct buf *out);
/* :"text" after a value */
void typed_put_desc(const char *desc, struct buf *out);
/* {"field":...}; `before`: members that come first, with their comma. */
void typed_put_json(const struct typed_field *f, const struct typed_value *v, const char *before,
		    struct buf *out);
