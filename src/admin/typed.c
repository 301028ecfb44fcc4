/* Self-describing values, word for word as HAProxy 2.6 writes them. Not here: which fields there
 * are (stat_columns.c, info_fields.c). */
#include "admin/typed.h"
#include "base/json_text.h"
#include <stdio.h>
#include <string.h>

bool typed_option(struct typed_options *o, const char *word)
{
	if (strcmp(word, "typed") == 0)
		o->format = FORMAT_TYPED;
	else if (strcmp(word, "json") == 0)
		o->format = FORMAT_JSON;
	else if (strcmp(word, "desc") == 0)
		o->desc = true;
	else
		return false;
	return true;
}

static const char *kind_name(enum typed_kind k)
{
	static const char *const names[] = {[TYPED_U32] = "u32",
					    [TYPED_S32] = "s32",
					    [TYPED_U64] = "u64",
					    [TYPED_STR] = "str",
					    [TYPED_FLT] = "flt"};

	return names[k];
}

/* Without the zeros that say nothing: 3.027261, 99.5, 0. */
static void put_real(double value, struct buf *out)
{
	char text[64];
	size_t n = (size_t)snprintf(text, sizeof(text), "%f", value);

	while (n > 0 && text[n - 1] == '0')
		n--;
	if (n > 0 && text[n - 1] == '.')
		n--;
	buf_append(out, text, n);
}

void typed_put_value(const struct typed_value *v, struct buf *out)
{
	if (v->text)
		buf_puts(out, v->text);
	else if (v->kind == TYPED_FLT)
		put_real(v->real, out);
	else
		buf_int(out, v->number);
}

void typed_put_desc(const char *desc, struct buf *out)
{
	buf_printf(out, ":\"%s\"", desc);
}

void typed_put_line(const struct typed_field *f, const struct typed_value *v, bool desc,
		    struct buf *out)
{
	buf_printf(out, "%u.%s.1:%s:%s:", f->pos, f->name, f->tags, kind_name(v->kind));
	typed_put_value(v, out);
	if (desc)
		typed_put_desc(f->desc, out);
	buf_putc(out, '\n');
}

struct letter {
	char letter;
	const char *word;
};

static const char *word_of(const struct letter *letters, char letter)
{
	while (letters->letter && letters->letter != letter)
		letters++;
	return letters->word;
}

static void put_tags(const char *tags, struct buf *out)
{
	static const struct letter origins[] = {{'M', "Metric"}, {'S', "Status"},  {'K', "Key"},
						{'C', "Config"}, {'P', "Product"}, {0, "Unknown"}};
	static const struct letter natures[] = {
		{'G', "Gauge"},   {'L', "Limit"},    {'m', "Min"},  {'M', "Max"},  {'R', "Rate"},
		{'C', "Counter"}, {'D', "Duration"}, {'A', "Age"},  {'T', "Time"}, {'N', "Name"},
		{'O', "Output"},  {'a', "Avg"},      {0, "Unknown"}};
	static const struct letter scopes[] = {{'C', "Cluster"},
					       {'P', "Process"},
					       {'S', "Service"},
					       {'Y', "System"},
					       {0, "Unknown"}};

	buf_printf(out, "\"tags\":{\"origin\":\"%s\",\"nature\":\"%s\",\"scope\":\"%s\"}",
		   word_of(origins, tags[0]), word_of(natures, tags[1]), word_of(scopes, tags[2]));
}

void typed_put_json(const struct typed_field *f, const struct typed_value *v, const char *before,
		    struct buf *out)
{
	buf_printf(out, "{%s\"field\":{\"pos\":%u,\"name\":\"%s\"},\"processNum\":1,", before,
		   f->pos, f->name);
	put_tags(f->tags, out);
	buf_printf(out, ",\"value\":{\"type\":\"%s\",\"value\":", kind_name(v->kind));
	if (v->kind == TYPED_STR)
		json_text_append(out, v->text);
	else
		typed_put_value(v, out);
	buf_puts(out, "}}");
}
