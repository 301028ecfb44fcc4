/* JSON, piece by piece. Not here: escaping (base/json_text.h), reading (jansson). */
#include "wire/json_out.h"
#include "base/assert.h"
#include "base/json_text.h"

void json_out_init(struct json_out *j, struct buf *out)
{
	*j = (struct json_out){.out = out};
}

/* What comes before a value: a comma after another one, and its key in an object. */
static void begin_value(struct json_out *j, const char *key)
{
	bool in_object = j->depth > 0 && !j->level[j->depth - 1].array;

	REQUIRE((key != NULL) == in_object);
	if (j->depth > 0) {
		if (j->level[j->depth - 1].any)
			buf_putc(j->out, ',');
		j->level[j->depth - 1].any = true;
	}
	if (key) {
		json_text_append(j->out, key);
		buf_putc(j->out, ':');
	}
}

static void open_level(struct json_out *j, const char *key, bool array)
{
	begin_value(j, key);
	REQUIRE(j->depth < JSON_OUT_DEPTH);
	j->level[j->depth].array = array;
	j->level[j->depth].any = false;
	j->depth++;
	buf_putc(j->out, array ? '[' : '{');
}

void json_out_object(struct json_out *j, const char *key)
{
	open_level(j, key, false);
}

void json_out_array(struct json_out *j, const char *key)
{
	open_level(j, key, true);
}

void json_out_end(struct json_out *j)
{
	REQUIRE(j->depth > 0);
	buf_putc(j->out, j->level[--j->depth].array ? ']' : '}');
}

void json_out_str(struct json_out *j, const char *key, const char *value)
{
	if (value == NULL) {
		json_out_null(j, key);
		return;
	}
	begin_value(j, key);
	json_text_append(j->out, value);
}

void json_out_int(struct json_out *j, const char *key, int64_t value)
{
	begin_value(j, key);
	buf_int(j->out, value);
}

void json_out_uint(struct json_out *j, const char *key, uint64_t value)
{
	begin_value(j, key);
	buf_uint(j->out, value);
}

void json_out_bool(struct json_out *j, const char *key, bool value)
{
	begin_value(j, key);
	buf_puts(j->out, value ? "true" : "false");
}

void json_out_null(struct json_out *j, const char *key)
{
	begin_value(j, key);
	buf_puts(j->out, "null");
}
