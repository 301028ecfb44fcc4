/* Quoting of CSV cells. Not here: which columns there are (admin/). */
#include "wire/csv.h"
#include <string.h>

void csv_append_cell(struct buf *b, const char *cell)
{
	if (cell[strcspn(cell, ",\"\r\n")] == '\0') {
		buf_puts(b, cell);
		return;
	}
	buf_putc(b, '"');
	for (; *cell; cell++) {
		if (*cell == '"')
			buf_putc(b, '"');
		buf_putc(b, *cell);
	}
	buf_putc(b, '"');
}
