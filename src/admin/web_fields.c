/* The fields of a query or of a form: name=value&name=value, with + and %41 in them. */
#include "admin/web_fields.h"
#include <stddef.h>
#include <string.h>

static int hex_digit(char c)
{
	if (c >= '0' && c <= '9')
		return c - '0';
	c = (char)(c | 0x20);
	return c >= 'a' && c <= 'f' ? c - 'a' + 10 : -1;
}

/* The byte at `at` and how many characters it is written in. A broken escape stands for itself. */
static size_t decode_one(const char *at, const char *end, char *out)
{
	int high, low;

	*out = *at == '+' ? ' ' : *at;
	if (*at != '%' || end - at < 3)
		return 1;
	high = hex_digit(at[1]);
	low = hex_digit(at[2]);
	if (high < 0 || low < 0 || high + low == 0) /* a NUL is in no name of ours */
		return 1;
	*out = (char)(high * 16 + low);
	return 3;
}

static void decode(const char *at, const char *end, char *out, size_t n)
{
	size_t len = 0;

	while (at < end && len + 1 < n)
		at += decode_one(at, end, &out[len++]);
	out[len] = '\0';
}

static const char *find(const char *at, const char *end, char c)
{
	const char *found = memchr(at, c, (size_t)(end - at));

	return found ? found : end;
}

bool web_next_field(const char **at, const char *end, struct web_field *f)
{
	const char *begin = *at, *stop, *equals;

	if (begin >= end)
		return false;
	stop = find(begin, end, '&');
	equals = find(begin, stop, '=');
	f->has_value = equals < stop;
	decode(begin, equals, f->name, sizeof(f->name));
	decode(equals < stop ? equals + 1 : stop, stop, f->value, sizeof(f->value));
	*at = stop < end ? stop + 1 : end;
	return true;
}

bool web_find_field(const char *query, const char *name, struct web_field *f)
{
	const char *end = query + strlen(query);

	while (web_next_field(&query, end, f))
		if (strcmp(f->name, name) == 0)
			return true;
	return false;
}
