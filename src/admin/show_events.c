/* `show events`: the failover journal for people, newest first. Per failover who, when and why, and
 * a table of its phases: when each was after the beginning, and how long after the one before it.
 * No empty line in between: that would end the reply. */
#include "admin/command.h"
#include "admin/json_pages.h"
#include "admin/json_parts.h"
#include "admin/phrases.h"
#include "admin/text_table.h"
#include "base/str.h"
#include <inttypes.h>

static void put_timeline(uint64_t timeline, struct buf *out)
{
	if (timeline)
		buf_printf(out, "%" PRIu64, timeline);
	else
		buf_puts(out, "-");
}

static void put_title(const struct admin_facts *f, const struct failover *e, struct buf *out)
{
	char began[STR_UTC_BYTES];

	buf_printf(out, "%s %s: ", str_utc(failover_began_wall_ms(e), began, sizeof(began)),
		   f->config->clusters[e->cluster].name);
	phrase_change(f, e, "->", out);
	buf_puts(out, ", timeline ");
	put_timeline(e->from_timeline, out);
	buf_puts(out, " -> ");
	put_timeline(e->to_timeline, out);
	buf_putc(out, '\n');
	if (e->why != WHY_NONE)
		buf_printf(out, "  %s %s\n", phrase_member(f, e->from, ""), why_text(e->why));
}

/* `since`: the phase before it that is known, or -1. */
static void row_phase(struct text_table *t, const struct failover *e, enum phase p, int since)
{
	int64_t at = e->at_ms[p];

	text_table_cell(t, "%s", phrase_phase(e, p));
	if (at < 0)
		text_table_cell(t, "%9s", "-");
	else
		text_table_cell(t, "%6" PRId64 " ms", at - failover_began_ms(e));
	if (at < 0 || since < 0)
		text_table_cell(t, "%9s", "-");
	else
		text_table_cell(t, "%+6" PRId64 " ms", at - e->at_ms[since]);
}

/* The moment of a question is no step: it lies before, beside or after the others. */
static void put_phases(const struct failover *e, struct buf *out)
{
	struct text_table t;
	int before = -1;

	text_table_init(&t, 3);
	text_table_cell(&t, "phase");
	text_table_cell(&t, "%9s", "at");
	text_table_cell(&t, "%9s", "step");
	for (int p = 0; p < N_PHASES; p++) {
		row_phase(&t, e, (enum phase)p, p == PHASE_ASKED ? -1 : before);
		if (e->at_ms[p] >= 0 && p != PHASE_ASKED)
			before = p;
	}
	text_table_print(&t, "  ", out);
	text_table_fini(&t);
}

static void put_counts(const struct failover *e, struct buf *out)
{
	const struct tally *n = &e->counted;

	buf_printf(out,
		   "  %" PRIu64 " sessions cut; %" PRIu64 " clients held, %" PRIu64
		   " released, %" PRIu64 " refused%s\n",
		   n->cut, n->held, n->released, n->refused, e->closed ? "" : " (so far)");
}

static void put_failover(const struct admin_facts *f, const struct failover *e, struct buf *out)
{
	put_title(f, e, out);
	put_phases(e, out);
	put_counts(e, out);
}

void show_events(const struct command_call *c)
{
	const struct journal *j = c->facts->journal;

	if (json_wanted(c, json_events))
		return;
	if (j->n == 0)
		buf_puts(c->out, "No cluster has had a primary since isari started.\n");
	for (unsigned i = j->n; i-- > 0;)
		put_failover(c->facts, &j->entries[i], c->out);
}
