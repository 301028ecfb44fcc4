/* Order and widths of one table of `isari top`.
 * Not here: what its cells say (top_tables.c), drawing it (top.c). */
#include "admin/top_grid.h"
#include <stdlib.h>
#include <string.h>

void top_grid_fini(struct top_grid *g)
{
	free(g->cells);
	free(g->order);
	free(g->alarming);
	free(g->width);
}

static const struct top_cell *cell_at(const struct top_grid *g, size_t row, size_t column)
{
	return &g->cells[row * g->n_columns + column];
}

static const char *text_of(const struct top_cell *c)
{
	return c->text ? c->text : c->own;
}

/* ---- order ---- */

struct sorting {
	const struct top_grid *grid;
	int column; /* -1: as they are configured */
	bool descending;
};

/* n2 before n10; what is not known comes last, in both directions. */
static int compare_cells(const struct sorting *s, const struct top_cell *a,
			 const struct top_cell *b)
{
	int by;

	if (!s->grid->columns[s->column].number) {
		by = strverscmp(text_of(a), text_of(b));
	} else {
		if (a->number == TOP_UNKNOWN || b->number == TOP_UNKNOWN)
			return (a->number == TOP_UNKNOWN) - (b->number == TOP_UNKNOWN);
		by = (a->number > b->number) - (a->number < b->number);
	}
	return s->descending ? -by : by;
}

/* Unsorted, what alarms is first. Equals keep the order of the configuration. */
static int compare_rows(const void *a, const void *b, void *arg)
{
	const struct sorting *s = arg;
	size_t i = *(const size_t *)a, j = *(const size_t *)b;
	int by;

	if (s->column < 0)
		by = s->grid->alarming[j] - s->grid->alarming[i];
	else
		by = compare_cells(s, cell_at(s->grid, i, (size_t)s->column),
				   cell_at(s->grid, j, (size_t)s->column));
	return by ? by : (i > j) - (i < j);
}

void top_grid_sort(struct top_grid *g, int column, bool descending)
{
	struct sorting s = {g, column, descending};

	qsort_r(g->order, g->n_rows, sizeof(*g->order), compare_rows, &s);
}

size_t top_grid_selected(const struct top_grid *g, enum top_table t, const struct top_model *m,
			 const struct top_state *s)
{
	char key[TOP_KEY_BYTES];
	size_t last = s->table[t].index;

	if (g->n_rows == 0 || !s->table[t].selected[0])
		return 0;
	for (size_t place = 0; place < g->n_rows; place++) {
		top_row_key(t, m, g->order[place], key);
		if (strcmp(key, s->table[t].selected) == 0)
			return place;
	}
	return last < g->n_rows ? last : g->n_rows - 1;
}

/* ---- widths ---- */

static bool is_empty(const struct top_grid *g, size_t column)
{
	for (size_t row = 0; row < g->n_rows; row++)
		if (text_of(cell_at(g, row, column))[0])
			return false;
	return true;
}

/* A sorted column's title has a mark behind it. */
static unsigned natural_width(const struct top_grid *g, size_t column, int sorted)
{
	size_t width = strlen(g->columns[column].title) + ((int)column == sorted);

	for (size_t row = 0; row < g->n_rows; row++) {
		size_t len = strlen(text_of(cell_at(g, row, column)));
		width = len > width ? len : width;
	}
	return (unsigned)width;
}

static unsigned least_width(const struct top_grid *g, size_t column, unsigned natural)
{
	unsigned min = g->columns[column].min;

	return min && min < natural ? min : natural;
}

static unsigned sum_widths(const struct top_grid *g)
{
	unsigned sum = TOP_GUTTER, shown = 0;

	for (size_t c = 0; c < g->n_columns; c++) {
		sum += g->width[c];
		shown += g->width[c] > 0;
	}
	return sum + (shown > 0 ? shown - 1 : 0);
}

/* The column that is missed least, or -1: the others must stay. */
static int most_dispensable(const struct top_grid *g)
{
	int found = -1;

	for (size_t c = 0; c < g->n_columns; c++)
		if (g->width[c] && g->columns[c].drop &&
		    (found < 0 || g->columns[c].drop >= g->columns[found].drop))
			found = (int)c;
	return found;
}

/* Give columns of one kind what is left of the room, from the left, up to `limit` each. */
static void widen(struct top_grid *g, const unsigned *natural, bool sentences, unsigned limit,
		  unsigned *room)
{
	for (size_t c = 0; c < g->n_columns; c++) {
		unsigned goal = natural[c] < limit ? natural[c] : limit, more;

		if (!g->width[c] || g->columns[c].sentence != sentences || goal <= g->width[c])
			continue;
		more = goal - g->width[c] < *room ? goal - g->width[c] : *room;
		g->width[c] += more;
		*room -= more;
	}
}

enum { GRID_MAX_COLUMNS = 16, NAME_WIDTH = 20 };

/* Columns begin at their least width; when even that is too much the most dispensable go. What is
 * left is for names of a usual length, then for sentences, then for the longest names. */
void top_grid_fit(struct top_grid *g, unsigned width, int sorted)
{
	unsigned natural[GRID_MAX_COLUMNS] = {0}, room;
	int drop;

	for (size_t c = 0; c < g->n_columns; c++) {
		bool hidden = g->columns[c].drop && is_empty(g, c) && g->n_rows > 0;

		natural[c] = hidden ? 0 : natural_width(g, c, sorted);
		g->width[c] = width ? least_width(g, c, natural[c]) : natural[c];
	}
	if (!width)
		return;
	while (sum_widths(g) > width && (drop = most_dispensable(g)) >= 0)
		g->width[drop] = 0;
	room = sum_widths(g) < width ? width - sum_widths(g) : 0;
	widen(g, natural, false, NAME_WIDTH, &room);
	widen(g, natural, true, ~0u, &room);
	widen(g, natural, false, ~0u, &room);
}
