/* A row per member: what it says of itself, what became of our questions, and our judgement. */
#include "admin/member_table.h"
#include "admin/phrases.h"
#include "base/str.h"
#include <inttypes.h>

static void cell_lag(struct text_table *t, const struct admin_facts *f,
		     const struct member_report *m)
{
	char lag[32] = "";

	if (phrase_has_lag(f, m))
		str_bytes(m->lag_bytes, "", lag, sizeof(lag));
	text_table_cell(t, "%s", lag);
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

static void cells_claims(struct text_table *t, const struct admin_facts *f,
			 const struct member_report *m)
{
	bool current = phrase_is_current(f, m);

	text_table_cell(t, "%s", current ? claim_name(m->claim) : "");
	text_table_cell(t, "%s", current ? pg_state_name(m->state) : "");
	if (m->timeline && current)
		text_table_cell(t, "%" PRIu64, m->timeline);
	else
		text_table_cell(t, "%s", "");
	cell_lag(t, f, m);
}

void member_table_row(struct text_table *t, const struct admin_facts *f,
		      const struct member_report *m, bool of_all)
{
	const struct member_config *config = &f->config->members[m->member];

	if (of_all)
		text_table_cell(t, "%s", f->config->clusters[config->cluster].name);
	text_table_cell(t, "%s", config->name);
	cells_claims(t, f, m);
	cell_answer(t, m);
	if (of_all) {
		text_table_cell(t, "%s", m->up ? "up" : "down");
		text_table_cell(t, "%u", phrase_member_sessions(f, m->member));
	}
	text_table_cell(t, "%s", why_text(m->why));
}

void member_table_init(struct text_table *t, bool of_all)
{
	static const struct {
		const char *title;
		bool of_all;
	} columns[] = {
		{"cluster", true},   {"node", false}, {"role", false},        {"state", false},
		{"timeline", false}, {"lag", false},  {"last answer", false}, {"up", true},
		{"sessions", true},  {"why", false},
	};
	size_t n = sizeof(columns) / sizeof(columns[0]), shown = 0;

	for (size_t i = 0; i < n; i++)
		shown += of_all || !columns[i].of_all;
	text_table_init(t, shown);
	for (size_t i = 0; i < n; i++)
		if (of_all || !columns[i].of_all)
			text_table_cell(t, "%s", columns[i].title);
}
