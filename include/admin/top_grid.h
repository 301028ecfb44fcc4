#pragma once
/* One table of `isari top`: its columns, its cells, their order and their widths. For
 * src/admin/top*.c only. */
#include "admin/top.h"

enum top_look {
	LOOK_PLAIN,
	LOOK_DIM,
	LOOK_GOOD,
	LOOK_WARN,
	LOOK_BAD,
	LOOK_STRONG,
	LOOK_TITLE,    /* of a table */
	LOOK_FOCUSED,  /* of the table that the keys go to */
	LOOK_SELECTED, /* the row */
	N_TOP_LOOKS
};

struct top_column {
	const char *title;
	bool number;        /* to the right, and highest first when it is sorted by */
	unsigned char drop; /* where room is short the highest goes first; 0: never */
	unsigned char min;  /* text is cut down to this before a column goes */
	bool sentence;      /* gets what the others leave */
};

struct top_cell {
	const char *text; /* NULL: own */
	char own[TOP_TEXT_BYTES + 32];
	int64_t number; /* to sort by; TOP_UNKNOWN: last, whatever the direction */
	enum top_look look;
};
#define TOP_UNKNOWN INT64_MIN

struct top_grid {
	const struct top_column *columns;
	size_t n_columns, n_rows;
	struct top_cell *cells; /* n_rows of n_columns, as they are in the model */
	size_t *order;          /* the row at each place */
	bool *alarming;         /* by row */
	unsigned *width;        /* by column; 0: left out */
};

enum { TOP_GUTTER = 2 }; /* > for the selected row, ! for one that alarms */

/* top_tables.c: every table's columns and cells. */
void top_grid_fill(struct top_grid *g, enum top_table t, const struct top_model *m);
void top_row_key(enum top_table t, const struct top_model *m, size_t row,
		 char out[static TOP_KEY_BYTES]);
size_t top_table_columns(enum top_table t);
bool top_column_is_number(enum top_table t, int column);
/* What stands there instead of rows. */
const char *top_table_empty(enum top_table t, const struct top_model *m);

/* top_grid.c */
void top_grid_sort(struct top_grid *g, int column, bool descending);
void top_grid_fit(struct top_grid *g, unsigned width, int sorted_column);
void top_grid_fini(struct top_grid *g);
/* The place of the selected row; 0 when there is none. */
size_t top_grid_selected(const struct top_grid *g, enum top_table t, const struct top_model *m,
			 const struct top_state *s);

/* top_layout.c: how many rows of each table are shown, and if there is air between them. */
struct top_layout {
	size_t rows[N_TOP_TABLES];
	bool spaced;
};
void top_layout(struct top_layout *l, const struct top_model *m, const struct top_state *s,
		const struct top_frame *f);
size_t top_table_rows(enum top_table t, const struct top_model *m);

enum { TOP_MIN_WIDTH = 50, TOP_MIN_HEIGHT = 2 + 2 * N_TOP_TABLES };
