#pragma once
/* Members as a table for people: those of one cluster, or of all with more about each. */
#include "admin/facts.h"
#include "admin/text_table.h"

void member_table_init(struct text_table *t, bool of_all); /* with its titles */
void member_table_row(struct text_table *t, const struct admin_facts *f,
		      const struct member_report *m, bool of_all);
