/* `show members`: all members of all clusters in one table, for people and for grep. */
#include "admin/command.h"
#include "admin/json_pages.h"
#include "admin/json_parts.h"
#include "admin/member_table.h"

void show_members(const struct command_call *c)
{
	const struct report *r = c->facts->report;
	struct text_table t;

	if (json_wanted(c, json_members))
		return;
	member_table_init(&t, true);
	for (size_t i = 0; i < r->n_members; i++)
		member_table_row(&t, c->facts, &r->members[i], true);
	text_table_print(&t, "", c->out);
	text_table_fini(&t);
}
