/* Elements, attributes and escaped text. The start tag stays open until the first content comes, so
 * that attributes can be added one by one. */
#include "wire/html.h"
#include "base/assert.h"
#include "base/utf8.h"
#include <stdarg.h>
#include <string.h>

/* ---- escaping ---- */

static bool is_plain(char c)
{
	return c >= ' ' && c < 0x7F && !strchr("&<>\"'", c);
}

/* What no parser of HTML takes as a character becomes one that says so. */
static uint32_t presentable(uint32_t code)
{
	bool is_control = code < ' ' && code != '\n' && code != '\t';

	return is_control || (code >= 0x7F && code < 0xA0) || (code & 0xFFFE) == 0xFFFE
		       ? UTF8_REPLACEMENT
		       : code;
}

/* All special characters as numbers: the same in text and in attributes. */
static void put_escaped(struct buf *out, const char *s)
{
	while (*s) {
		uint32_t code;
		size_t n = 0;

		while (is_plain(s[n]))
			n++;
		buf_append(out, s, n);
		s += n;
		if (*s == '\0')
			break;
		s += utf8_decode(s, &code);
		buf_printf(out, "&#%u;", presentable(code));
	}
}

static void put_formatted(struct buf *out, const char *format, va_list ap)
	__attribute__((format(printf, 2, 0)));

static void put_formatted(struct buf *out, const char *format, va_list ap)
{
	struct buf text = {0};

	buf_vprintf(&text, format, ap);
	put_escaped(out, text.data);
	buf_fini(&text);
}

/* ---- elements ---- */

static void finish_tag(struct html *h)
{
	if (h->in_tag)
		buf_putc(h->out, '>');
	h->in_tag = false;
}

static void start_tag(struct html *h, const char *element, const char *class)
{
	finish_tag(h);
	buf_putc(h->out, '<');
	buf_puts(h->out, element);
	h->in_tag = true;
	if (class)
		html_attr(h, "class", class);
}

void html_init(struct html *h, struct buf *out)
{
	*h = (struct html){.out = out};
	buf_puts(out, "");
}

void html_fini(struct html *h)
{
	REQUIRE(h->depth == 0);
	finish_tag(h);
}

void html_doctype(struct html *h)
{
	REQUIRE(h->depth == 0 && !h->in_tag);
	buf_puts(h->out, "<!DOCTYPE html>");
}

void html_begin(struct html *h, const char *element, const char *class)
{
	REQUIRE(h->depth < HTML_DEPTH);
	start_tag(h, element, class);
	h->open[h->depth++] = element;
}

void html_end(struct html *h)
{
	REQUIRE(h->depth > 0);
	finish_tag(h);
	buf_puts(h->out, "</");
	buf_puts(h->out, h->open[--h->depth]);
	buf_putc(h->out, '>');
}

/* Its attributes follow; it ends with whatever comes next. */
void html_void(struct html *h, const char *element, const char *class)
{
	start_tag(h, element, class);
}

/* ---- attributes ---- */

static void begin_attr(struct html *h, const char *name)
{
	REQUIRE(h->in_tag);
	buf_putc(h->out, ' ');
	buf_puts(h->out, name);
	buf_puts(h->out, "=\"");
}

void html_attr(struct html *h, const char *name, const char *value)
{
	begin_attr(h, name);
	put_escaped(h->out, value);
	buf_putc(h->out, '"');
}

void html_attrf(struct html *h, const char *name, const char *format, ...)
{
	va_list ap;

	begin_attr(h, name);
	va_start(ap, format);
	put_formatted(h->out, format, ap);
	va_end(ap);
	buf_putc(h->out, '"');
}

void html_flag(struct html *h, const char *name)
{
	REQUIRE(h->in_tag);
	buf_printf(h->out, " %s", name);
}

/* ---- text ---- */

void html_text(struct html *h, const char *text)
{
	finish_tag(h);
	put_escaped(h->out, text);
}

void html_textf(struct html *h, const char *format, ...)
{
	va_list ap;

	finish_tag(h);
	va_start(ap, format);
	put_formatted(h->out, format, ap);
	va_end(ap);
}

void html_leaf(struct html *h, const char *element, const char *class, const char *text)
{
	html_begin(h, element, class);
	html_text(h, text);
	html_end(h);
}

void html_leaff(struct html *h, const char *element, const char *class, const char *format, ...)
{
	va_list ap;

	html_begin(h, element, class);
	finish_tag(h);
	va_start(ap, format);
	put_formatted(h->out, format, ap);
	va_end(ap);
	html_end(h);
}
