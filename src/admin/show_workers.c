/* `show workers`: a line per worker thread. How many sessions it carries, by which view, how long
 * its turns take (nobody else is served during one), what polling costs, and the bytes that were
 * moved in the cheap ways. */
#include "admin/command.h"
#include "admin/json_pages.h"
#include "admin/json_parts.h"
#include "admin/text_table.h"
#include <inttypes.h>

/* X(title, field) */
#define COLUMNS(X)                       \
	X("sessions", sessions)          \
	X("turns", turns)                \
	X("sleeps", sleeps)              \
	X("longest_us", longest_turn_us) \
	X("over_2ms", long_turns)        \
	X("late", late)                  \
	X("spins", spins)                \
	X("spun_us", spun_us)            \
	X("view", generation)            \
	X("coalesced", coalesced)        \
	X("spliced", spliced)

static const char *const titles[] = {"worker",
#define TITLE(title, field) title,
				     COLUMNS(TITLE)
#undef TITLE
};

_Static_assert(LONG_TURN_US == 2000, "a title says so");

static void row_worker(struct text_table *t, unsigned index, const struct worker_numbers *w)
{
	text_table_cell(t, "%u", index);
#define CELL(title, field) text_table_cell(t, "%" PRIu64, w->field);
	COLUMNS(CELL)
#undef CELL
}

void show_workers(const struct command_call *c)
{
	struct text_table t;

	if (json_wanted(c, json_workers))
		return;
	text_table_init(&t, sizeof(titles) / sizeof(titles[0]));
	for (size_t i = 0; i < t.n_columns; i++)
		text_table_cell(&t, "%s", titles[i]);
	for (unsigned i = 0; i < c->facts->n_workers; i++)
		row_worker(&t, i, &c->facts->workers[i]);
	text_table_print(&t, "", c->out);
	text_table_fini(&t);
}
