#pragma once
/* The cells of a row of `isari top`, one after the other: each of these fills the cell that `*c`
 * points to and moves on. Numbers below 0 are not known. For src/admin/top*.c only. */
#include "admin/top_grid.h"

void cell_text(struct top_cell **c, const char *text, enum top_look look); /* not copied */
/* The cell to be written into; it is sorted by `number`. */
char *cell_own(struct top_cell **c, int64_t number, enum top_look look);
void cell_unknown(struct top_cell **c);
void cell_count(struct top_cell **c, int64_t value);
void cell_count_as(struct top_cell **c, int64_t value, enum top_look look);
void cell_duration(struct top_cell **c, int64_t ms);
void cell_duration_as(struct top_cell **c, int64_t ms, enum top_look look);
void cell_bytes(struct top_cell **c, double value);
void cell_rate(struct top_cell **c, double per_second);
