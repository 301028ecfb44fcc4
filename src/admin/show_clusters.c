/* `show clusters`: for people. Per cluster one line that says who is primary, since when and why, a
 * table of its nodes, and a line per listener where a client ever had to wait. No empty line in
 * between: that would end the reply. */
#include "admin/command.h"
#include "admin/json_pages.h"
#include "admin/json_parts.h"
#include "admin/member_table.h"
#include "admin/phrases.h"
#include "admin/text_table.h"
#include "base/str.h"
#include <inttypes.h>

static void put_why(const struct admin_facts *f, const struct cluster_report *r, struct buf *out)
{
	struct buf why = {0};

	phrase_cluster_why(f, r, &why);
	if (why.len)
		buf_printf(out, ": %s", why.data);
	buf_fini(&why);
}

static void put_cluster(const struct admin_facts *f, const struct cluster_report *r,
			struct buf *out)
{
	char since[32];

	buf_printf(out, "%s: ", f->config->clusters[r->cluster].name);
	if (r->primary >= 0)
		buf_printf(out, "primary %s", phrase_member(f, r->primary, ""));
	else
		buf_puts(out, phrase_no_primary(r));
	buf_printf(out, " since %s", str_duration(r->since_ms_ago, since, sizeof(since)));
	if (r->timeline)
		buf_printf(out, ", timeline %" PRIu64, r->timeline);
	if (r->in_doubt)
		buf_puts(out, ", asked fast");
	put_why(f, r, out);
	buf_putc(out, '\n');
}

static void put_members(const struct admin_facts *f, const struct cluster_report *r,
			struct buf *out)
{
	const struct cluster_config *cluster = &f->config->clusters[r->cluster];
	struct text_table t;

	member_table_init(&t, false);
	for (unsigned i = 0; i < cluster->n_members; i++)
		member_table_row(&t, f, &f->report->members[cluster->first_member + i], false);
	text_table_print(&t, "  ", out);
	text_table_fini(&t);
}

static void put_waiting(const struct listener_config *l, const struct row_facts *row,
			struct buf *out)
{
	char longest[32];

	if (row->sum.held == 0 && row->waiting_now == 0)
		return;
	buf_printf(out, "  %s: %u waiting", l->name, row->waiting_now);
	if (row->waiting_ms >= 0)
		buf_printf(out, ", longest %s",
			   str_duration(row->waiting_ms, longest, sizeof(longest)));
	buf_printf(out, "; since the start %" PRIu64 " held, %" PRIu64 " released\n", row->sum.held,
		   row->sum.released);
}

static void put_listeners(const struct admin_facts *f, unsigned cluster, struct buf *out)
{
	for (size_t i = 0; i < f->config->n_listeners; i++)
		if (f->config->listeners[i].cluster == cluster)
			put_waiting(&f->config->listeners[i], &f->rows[i], out);
}

void show_clusters(const struct command_call *c)
{
	if (json_wanted(c, json_clusters))
		return;
	for (size_t i = 0; i < c->facts->report->n_clusters; i++) {
		put_cluster(c->facts, &c->facts->report->clusters[i], c->out);
		put_members(c->facts, &c->facts->report->clusters[i], c->out);
		put_listeners(c->facts, c->facts->report->clusters[i].cluster, c->out);
	}
}
