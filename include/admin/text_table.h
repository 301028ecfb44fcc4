#pragma once
/* Columns for people: cells are collected, then printed with each column as wide as its widest
 * cell. */
#include "base/buf.h"

struct text_table {
	size_t n_columns, n_cells, cap;
	char **cells;
};

void text_table_init(struct text_table *t, size_t n_columns);
void text_table_fini(struct text_table *t);
/* Row by row, left to right. An empty cell is printed as "-". */
void text_table_cell(struct text_table *t, const char *format, ...)
	__attribute__((format(printf, 2, 3)));
void text_table_print(const struct text_table *t, const char *indent, struct buf *out);
