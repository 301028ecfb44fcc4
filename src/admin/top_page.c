/* Lines of bounded width. With escape codes each line is cleared behind its text, so that nothing
 * is ever blanked and drawn again; a full line is not, because then the cursor still stands on its
 * last character. */
#include "admin/top_page.h"
#include <limits.h>
#include <stdio.h>
#include <string.h>

/* Select Graphic Rendition; NULL: as it is. */
static const char *code_of(enum top_style style, enum top_look look)
{
	static const char *const mono[N_TOP_LOOKS] = {
		[LOOK_BAD] = "1",       [LOOK_STRONG] = "1",   [LOOK_TITLE] = "7",
		[LOOK_FOCUSED] = "1;7", [LOOK_SELECTED] = "7",
	};
	static const char *const colour[N_TOP_LOOKS] = {
		[LOOK_DIM] = "2",         [LOOK_GOOD] = "32",        [LOOK_WARN] = "33",
		[LOOK_BAD] = "1;31",      [LOOK_STRONG] = "1",       [LOOK_TITLE] = "7",
		[LOOK_FOCUSED] = "30;42", [LOOK_SELECTED] = "30;46",
	};

	if (style == TOP_PLAIN)
		return NULL;
	return style == TOP_MONO ? mono[look] : colour[look];
}

void page_begin(struct top_page *p, const struct top_frame *f, struct buf *out)
{
	*p = (struct top_page){.frame = f, .out = out};
	if (f->style != TOP_PLAIN)
		buf_puts(out, "\x1b[H");
}

unsigned page_columns_left(const struct top_page *p)
{
	if (p->frame->width == 0)
		return UINT_MAX;
	return p->used < p->frame->width ? p->frame->width - p->used : 0;
}

static void set_code(struct top_page *p, const char *code)
{
	if (code == p->code)
		return;
	if (p->code)
		buf_puts(p->out, "\x1b[0m");
	if (code)
		buf_printf(p->out, "\x1b[%sm", code);
	p->code = code;
}

static void put(struct top_page *p, enum top_look look, const char *text, size_t len)
{
	if (len > page_columns_left(p))
		len = page_columns_left(p);
	if (len == 0)
		return;
	set_code(p, code_of(p->frame->style, look));
	for (size_t i = 0; i < len; i++)
		buf_putc(p->out, text[i] >= ' ' && text[i] <= '~' ? text[i] : '?');
	p->used += (unsigned)len;
}

void page_put(struct top_page *p, enum top_look look, const char *text)
{
	put(p, look, text, strlen(text));
}

void page_printf(struct top_page *p, enum top_look look, const char *format, ...)
{
	char text[1024];
	va_list ap;

	va_start(ap, format);
	vsnprintf(text, sizeof(text), format, ap);
	va_end(ap);
	page_put(p, look, text);
}

void page_fill(struct top_page *p, enum top_look look, unsigned to_column)
{
	static const char blanks[] = "                                ";

	while (p->used < to_column && page_columns_left(p) > 0) {
		size_t n = to_column - p->used;
		put(p, look, blanks, n < sizeof(blanks) - 1 ? n : sizeof(blanks) - 1);
	}
}

void page_cell(struct top_page *p, enum top_look look, const char *text, unsigned width, bool right)
{
	size_t len = strlen(text);
	unsigned end = p->used + width;

	if (len > width) {
		put(p, look, text, width - 1);
		put(p, look, "~", 1);
		return;
	}
	if (right)
		page_fill(p, LOOK_PLAIN, end - (unsigned)len);
	put(p, look, text, len);
	page_fill(p, LOOK_PLAIN, end);
}

/* Blanks at the end are for nobody. */
static void trim(struct buf *out)
{
	while (out->len > 0 && out->data[out->len - 1] == ' ')
		out->data[--out->len] = '\0';
}

void page_end_line(struct top_page *p)
{
	const struct top_frame *f = p->frame;

	p->lines++;
	set_code(p, NULL);
	if (f->style == TOP_PLAIN) {
		trim(p->out);
		buf_putc(p->out, '\n');
	} else {
		if (p->used < f->width)
			buf_puts(p->out, "\x1b[K");
		if (p->lines < f->height)
			buf_puts(p->out, "\r\n");
	}
	p->used = 0;
}
