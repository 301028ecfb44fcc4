#pragma once
/* JSON written piece by piece into a buffer, in one line and without blanks. jansson (which reads
 * JSON here) would need a tree of everything first: 20,000 sessions are 200,000 allocations.
 * A misuse of the sequence (a key in an array, an end without a beginning) is the caller's fault
 * and is asserted. */
#include "base/buf.h"
#include <stdbool.h>
#include <stdint.h>

enum { JSON_OUT_DEPTH = 16 };

struct json_out {
	struct buf *out;
	unsigned depth;
	struct {
		bool array, any;
	} level[JSON_OUT_DEPTH];
};

void json_out_init(struct json_out *j, struct buf *out);

/* `key`: NULL in an array and at the top. */
void json_out_object(struct json_out *j, const char *key);
void json_out_array(struct json_out *j, const char *key);
void json_out_end(struct json_out *j); /* of the innermost object or array */

void json_out_str(struct json_out *j, const char *key, const char *value); /* NULL: null */
void json_out_int(struct json_out *j, const char *key, int64_t value);
void json_out_uint(struct json_out *j, const char *key, uint64_t value);
void json_out_bool(struct json_out *j, const char *key, bool value);
void json_out_null(struct json_out *j, const char *key);
