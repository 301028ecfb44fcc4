/* `show clusters`: for people. Per cluster one line that says who is primary, since when and why, a
 * table of its nodes, and a line per listener where a client ever had to wait. No empty line in
 * between: that would end the reply. */
#include "admin/command.h"
#include "admin/text_table.h"
#include "base/str.h"
#include <inttypes.h>

static const char *member_name(const struct admin_facts *f, int member)
{
	return f->config->members[member].name;
}

/* Of whom the cluster's reason speaks: its primary, or whom the view blames for there being
 * none. */
static int member_concerned(const struct admin_facts *f, const struct cluster_report *r)
{
	if (r->primary >= 0 || !f->view)
		return r->primary;
	for (size_t i = 0; i < f->view->n_listeners; i++) {
		const struct view_listener *l = &f->view->listeners[i];
		bool primary_only = f->config->listeners[i].serve == ROLE_BIT(ROLE_PRIMARY);

		if (primary_only && f->config->listeners[i].cluster == r->cluster &&
		    l->none_why == r->why)
			return l->none_member;
	}
	return -1;
}

static void put_reason(const struct admin_facts *f, const struct cluster_report *r, struct buf *out)
{
	int member = member_concerned(f, r);

	if (r->why == WHY_NONE)
		return;
	if (r->why == WHY_NO_PROOF)
		buf_printf(out, ": %s", why_text(r->why));
	else
		buf_printf(out, ": %s %s", member >= 0 ? member_name(f, member) : "a member",
			   why_text(r->why));
}

static void put_cluster(const struct admin_facts *f, const struct cluster_report *r,
			struct buf *out)
{
	char since[32];

	buf_printf(out, "%s: ", f->config->clusters[r->cluster].name);
	if (r->primary >= 0)
		buf_printf(out, "primary %s", member_name(f, r->primary));
	else
		buf_puts(out, r->ambiguous ? "no primary (ambiguous)" : "no primary");
	buf_printf(out, " since %s", str_duration(r->since_ms_ago, since, sizeof(since)));
	if (r->timeline)
		buf_printf(out, ", timeline %" PRIu64, r->timeline);
	if (r->in_doubt)
		buf_puts(out, ", asked fast");
	put_reason(f, r, out);
	buf_putc(out, '\n');
}

static void cell_lag(struct text_table *t, const struct member_report *m, bool is_primary)
{
	static const char *const units[] = {"B", "kB", "MB", "GB", "TB"};
	uint64_t lag = m->lag_bytes;
	size_t unit = 0;

	while (lag >= 10 * 1024 && unit < 4) {
		lag /= 1024;
		unit++;
	}
	if (!m->lag_known || is_primary || m->outcome != OUTCOME_ANSWERED)
		text_table_cell(t, "%s", "");
	else
		text_table_cell(t, "%" PRIu64 "%s", lag, units[unit]);
}

/* "200, 0.3s ago"; when the latest question was not answered, that, and how old the last answer
 * is. */
static void cell_answer(struct text_table *t, const struct member_report *m)
{
	char age[32] = "never";

	if (m->last_answer_age_ms >= 0)
		str_duration(m->last_answer_age_ms, age, sizeof(age));
	if (m->outcome == OUTCOME_ANSWERED)
		text_table_cell(t, "%d, %s ago", m->http_status, age);
	else if (m->outcome == OUTCOME_NONE)
		text_table_cell(t, "%s", outcome_name(m->outcome));
	else if (m->last_answer_age_ms < 0)
		text_table_cell(t, "%s, never answered", outcome_name(m->outcome));
	else
		text_table_cell(t, "%s, answered %s ago", outcome_name(m->outcome), age);
}

/* What a silent member said last is shown of the primary only: another that died as the primary is
 * none. */
static void row_member(struct text_table *t, const struct admin_facts *f,
		       const struct member_report *m, bool is_primary)
{
	bool is_current = m->asked && (m->outcome == OUTCOME_ANSWERED || is_primary);

	text_table_cell(t, "%s", member_name(f, (int)m->member));
	text_table_cell(t, "%s", is_current ? claim_name(m->claim) : "");
	text_table_cell(t, "%s", is_current ? pg_state_name(m->state) : "");
	if (m->timeline && is_current)
		text_table_cell(t, "%" PRIu64, m->timeline);
	else
		text_table_cell(t, "%s", "");
	cell_lag(t, m, is_primary);
	cell_answer(t, m);
	text_table_cell(t, "%s", why_text(m->why));
}

static void put_members(const struct admin_facts *f, const struct cluster_report *r,
			struct buf *out)
{
	static const char *const titles[] = {"node", "role",        "state", "timeline",
					     "lag",  "last answer", "why"};
	const struct cluster_config *cluster = &f->config->clusters[r->cluster];
	struct text_table t;

	text_table_init(&t, sizeof(titles) / sizeof(titles[0]));
	for (size_t i = 0; i < t.n_columns; i++)
		text_table_cell(&t, "%s", titles[i]);
	for (unsigned i = 0; i < cluster->n_members; i++) {
		const struct member_report *m = &f->report->members[cluster->first_member + i];
		row_member(&t, f, m, (int)m->member == r->primary);
	}
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
	for (size_t i = 0; i < c->facts->report->n_clusters; i++) {
		put_cluster(c->facts, &c->facts->report->clusters[i], c->out);
		put_members(c->facts, &c->facts->report->clusters[i], c->out);
		put_listeners(c->facts, c->facts->report->clusters[i].cluster, c->out);
	}
}
