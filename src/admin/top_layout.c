/* How the rows of the screen are shared among the tables of `isari top`. */
#include "admin/top_grid.h"

enum { FRAME_LINES = 2 }; /* the first and the last */

/* A table without rows says so in one. */
static size_t rows_wanted(enum top_table t, const struct top_model *m)
{
	size_t n = top_table_rows(t, m);

	return n ? n : 1;
}

/* One row each in turn, to those that still want some and have not more than `limit`. */
static size_t deal(struct top_layout *l, const struct top_model *m, int only, size_t limit,
		   size_t room)
{
	bool any = true;

	while (room > 0 && any) {
		any = false;
		for (int t = 0; t < N_TOP_TABLES && room > 0; t++) {
			if ((only >= 0 && only != t) || l->rows[t] >= limit ||
			    l->rows[t] >= rows_wanted((enum top_table)t, m))
				continue;
			l->rows[t]++;
			room--;
			any = true;
		}
	}
	return room;
}

/* Everyone gets a row, then a second and a third one, then the table that the keys go to takes what
 * it wants, and the others share the rest. */
void top_layout(struct top_layout *l, const struct top_model *m, const struct top_state *s,
		const struct top_frame *f)
{
	size_t taken = FRAME_LINES + N_TOP_TABLES, room;

	*l = (struct top_layout){.spaced = false};
	if (f->height == 0) {
		deal(l, m, -1, SIZE_MAX, SIZE_MAX);
		l->spaced = true;
		return;
	}
	room = f->height > taken ? f->height - taken : 0;
	room = deal(l, m, -1, 3, room);
	room = deal(l, m, (int)s->focus, SIZE_MAX, room);
	room = deal(l, m, -1, SIZE_MAX, room);
	l->spaced = room >= N_TOP_TABLES;
}
