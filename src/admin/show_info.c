/* `show info` in HAProxy 2.6's three forms, and `show version`. Not here: what there is to say
 * (info_fields.c). */
#include "admin/command.h"
#include "admin/info_fields.h"
#include <string.h>

static void put_plain(const struct typed_field *f, const struct typed_value *v, bool desc,
		      struct buf *out)
{
	buf_printf(out, "%s: ", f->name);
	typed_put_value(v, out);
	if (desc)
		typed_put_desc(f->desc, out);
	buf_putc(out, '\n');
}

static void put_field(const struct typed_options *o, const struct typed_field *f,
		      const struct typed_value *v, bool first, struct buf *out)
{
	switch (o->format) {
	case FORMAT_PLAIN: put_plain(f, v, o->desc, out); break;
	case FORMAT_TYPED: typed_put_line(f, v, o->desc, out); break;
	case FORMAT_JSON:
		buf_putc(out, first ? '[' : ',');
		typed_put_json(f, v, "", out);
		break;
	}
}

void show_info(const struct command_call *c)
{
	struct typed_options o = {0};
	struct typed_field f;
	struct typed_value v;
	struct info info;
	bool real = false;

	for (size_t i = 0; i < c->n_args; i++)
		if (!typed_option(&o, c->args[i]))
			real = real || strcmp(c->args[i], "float") == 0;
	info_gather(&info, c->facts);
	for (unsigned n = 0; n < n_info_fields; n++) {
		info_value(&info_fields[n], &info, real, &f, &v);
		put_field(&o, &f, &v, n == 0, c->out);
	}
	if (o.format == FORMAT_JSON)
		buf_puts(c->out, "]\n");
}

void show_version(const struct command_call *c)
{
	buf_puts(c->out, ADMIN_VERSION "\n");
}
