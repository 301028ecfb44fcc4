/* Columns for people. */
#include "admin/text_table.h"
#include "base/assert.h"
#include "base/mem.h"
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

void text_table_init(struct text_table *t, size_t n_columns)
{
	*t = (struct text_table){.n_columns = n_columns};
}

void text_table_fini(struct text_table *t)
{
	for (size_t i = 0; i < t->n_cells; i++)
		free(t->cells[i]);
	free(t->cells);
	*t = (struct text_table){0};
}

void text_table_cell(struct text_table *t, const char *format, ...)
{
	if (t->n_cells == t->cap) {
		t->cap = t->cap ? 2 * t->cap : 64;
		t->cells = xrealloc(t->cells, t->cap * sizeof(*t->cells));
	}
	struct buf b = {0};
	va_list ap;
	va_start(ap, format);
	buf_vprintf(&b, format, ap);
	va_end(ap);
	if (b.len == 0)
		buf_putc(&b, '-');
	t->cells[t->n_cells++] = buf_take(&b);
}

static size_t column_width(const struct text_table *t, size_t column)
{
	size_t widest = 0;
	for (size_t i = column; i < t->n_cells; i += t->n_columns) {
		size_t len = strlen(t->cells[i]);
		widest = len > widest ? len : widest;
	}
	return widest;
}

void text_table_print(const struct text_table *t, const char *indent, struct buf *out)
{
	REQUIRE(t->n_cells % t->n_columns == 0);
	for (size_t i = 0; i < t->n_cells; i++) {
		size_t column = i % t->n_columns;
		if (column == 0)
			buf_puts(out, indent);
		if (column + 1 == t->n_columns)
			buf_printf(out, "%s\n", t->cells[i]);
		else
			buf_printf(out, "%-*s  ", (int)column_width(t, column), t->cells[i]);
	}
}
