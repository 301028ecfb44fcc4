/* `show memory`: a line per purpose, in bytes and in words. */
#include "admin/command.h"
#include "admin/json_pages.h"
#include "admin/json_parts.h"
#include "admin/memory_rows.h"
#include "admin/text_table.h"
#include <inttypes.h>

static void cell_size(struct text_table *t, int64_t bytes)
{
	static const char *const units[] = {"kB", "MB", "GB", "TB"};
	double size = (double)bytes / 1024;
	size_t unit = 0;

	while (size >= 1024 && unit < 3) {
		size /= 1024;
		unit++;
	}
	if (bytes < 1024)
		text_table_cell(t, "%s", "");
	else
		text_table_cell(t, "%.1f %s", size, units[unit]);
}

static void put_row(struct text_table *t, const struct memory_row *row, int64_t value)
{
	text_table_cell(t, "%s", row->words);
	if (value < 0)
		text_table_cell(t, "%s", "");
	else
		text_table_cell(t, "%" PRId64, value);
	cell_size(t, row->is_bytes ? value : 0);
}

static void put_table(const struct admin_facts *f, struct buf *out)
{
	struct text_table t;

	text_table_init(&t, 3);
	text_table_cell(&t, "what");
	text_table_cell(&t, "number");
	text_table_cell(&t, "size");
	for (unsigned i = 0; i < n_memory_rows; i++)
		put_row(&t, &memory_rows[i], memory_rows[i].value(f));
	text_table_print(&t, "", out);
	text_table_fini(&t);
}

void show_memory(const struct command_call *c)
{
	if (c->facts->memory == NULL)
		c->order->type = ORDER_NEED_MEMORY;
	else if (!json_wanted(c, json_memory))
		put_table(c->facts, c->out);
}
