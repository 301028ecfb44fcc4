#pragma once
/* A screen of `isari top` as it is written: lines of bounded width, with or without escape codes.
 * The only place where escape codes are made, and the last where text is made printable. For
 * src/admin/top*.c only. */
#include "admin/top_grid.h"

struct top_page {
	const struct top_frame *frame;
	struct buf *out;
	unsigned lines;   /* ended so far */
	unsigned used;    /* columns of this one */
	const char *code; /* in force; NULL: none */
};

void page_begin(struct top_page *p, const struct top_frame *f, struct buf *out);
/* As much of it as has room. */
void page_put(struct top_page *p, enum top_look look, const char *text);
void page_printf(struct top_page *p, enum top_look look, const char *format, ...)
	__attribute__((format(printf, 3, 4)));
/* Exactly `width` columns: with blanks, or cut and marked with ~. */
void page_cell(struct top_page *p, enum top_look look, const char *text, unsigned width,
	       bool right);
void page_fill(struct top_page *p, enum top_look look, unsigned to_column); /* with blanks */
void page_end_line(struct top_page *p);
unsigned page_columns_left(const struct top_page *p); /* UINT_MAX where there is no limit */
