/* The servers of a listener as a table, in HAProxy's words, and the buttons that change their
 * state. A button asks first (page_order.c). */
#include "admin/page.h"
#include "admin/stat_row.h"
#include "base/str.h"
#include <inttypes.h>

struct server {
	const struct server_report *report;
	const struct listener_config *listener;
	const char *name;
	const struct row_facts *row;
};

/* ---- buttons ---- */

static void put_button(struct page *p, const struct server *s, enum admin_state state)
{
	static const char *const titles[] = {"Ready", "Drain", "Maint"};

	html_begin(&p->h, "button", NULL);
	html_attr(&p->h, "name", "action");
	html_attr(&p->h, "value", admin_state_name(state));
	html_attrf(&p->h, "id", "do-%u-%u-%u", s->report->listener, s->report->server,
		   (unsigned)state);
	html_attrf(&p->h, "aria-label", "%s %s at %s", titles[state], s->name, s->listener->name);
	html_text(&p->h, titles[state]);
	html_end(&p->h);
}

static void put_buttons(struct page *p, const struct server *s)
{
	html_begin(&p->h, "td", "actions");
	html_begin(&p->h, "form", NULL);
	html_attr(&p->h, "action", "./");
	page_hidden(p, "s", s->name);
	page_hidden(p, "b", s->listener->backend_name);
	for (unsigned state = 0; state < N_ADMIN_STATES; state++)
		if (s->report->admin != (enum admin_state)state)
			put_button(p, s, (enum admin_state)state);
	html_end(&p->h);
	html_end(&p->h);
}

/* ---- the table ---- */

static enum page_tone tone_of(const struct server_report *s)
{
	if (s->admin != ADMIN_READY || s->state == SERVER_PAUSED)
		return TONE_WARNING;
	return s->state == SERVER_OPEN ? TONE_FINE : TONE_NOTE;
}

/* UP and DOWN say whether new sessions get there; the state also what the old ones may do. */
static void put_status(struct page *p, const struct server_report *s)
{
	html_begin(&p->h, "td", "status");
	html_leaf(&p->h, "b", NULL, stat_server_status(s));
	html_textf(&p->h, " %s", server_state_name(s->state));
	html_end(&p->h);
}

static void put_check(struct page *p, const struct server_report *s)
{
	struct stat_check check = stat_check_of(s);

	html_begin(&p->h, "td", "check");
	html_text(&p->h, check.status);
	if (check.has_code)
		html_textf(&p->h, "/%d", s->check_status);
	if (s->check_outcome == OUTCOME_ANSWERED)
		html_textf(&p->h, " in %" PRId64 " ms", s->check_ms);
	html_end(&p->h);
}

/* Its id is HAProxy's, "backend/server": what reads that page finds its row. */
static void put_server(struct page *p, const struct server *s, bool admin)
{
	char since[32];

	html_begin(&p->h, "tr", NULL);
	html_attrf(&p->h, "id", "%s/%s", s->listener->backend_name, s->name);
	html_attr(&p->h, "data-tone", page_tone_class(tone_of(s->report)));
	html_begin(&p->h, "th", "name");
	html_attr(&p->h, "scope", "row");
	html_text(&p->h, s->name);
	html_end(&p->h);
	put_status(p, s->report);
	html_leaff(&p->h, "td", "number", "%u", s->row->sessions_now);
	html_leaff(&p->h, "td", "number", "%" PRIu64, s->row->sum.connected);
	html_leaff(&p->h, "td", "number", "%" PRIu64, s->row->sum.connect_errors);
	put_check(p, s->report);
	html_leaf(&p->h, "td", "since",
		  str_duration(s->report->last_change_ms_ago, since, sizeof(since)));
	html_leaf(&p->h, "td", "why", why_text(s->report->why));
	if (admin)
		put_buttons(p, s);
	html_end(&p->h);
}

static void put_titles(struct page *p, bool admin)
{
	static const struct {
		const char *title, *class;
	} titles[] = {
		{"Server", NULL},    {"Status", "status"}, {"Sessions", "number"},
		{"Total", "number"}, {"Errors", "number"}, {"Last check", "check"},
		{"For", "since"},    {"Why", "why"},       {"Change", "actions"},
	};
	size_t n = sizeof(titles) / sizeof(titles[0]) - !admin;

	html_begin(&p->h, "thead", NULL);
	html_begin(&p->h, "tr", NULL);
	for (size_t i = 0; i < n; i++) {
		html_begin(&p->h, "th", titles[i].class);
		html_attr(&p->h, "scope", "col");
		html_text(&p->h, titles[i].title);
		html_end(&p->h);
	}
	html_end(&p->h);
	html_end(&p->h);
}

/* The report has the servers of a listener in a row. */
static void put_rows(struct page *p, unsigned listener, bool admin)
{
	const struct report *r = p->f->report;

	for (size_t i = 0; i < r->n_servers; i++) {
		const struct server_report *s = &r->servers[i];
		struct server server = {.report = s,
					.listener = &p->f->config->listeners[listener],
					.name = page_member(p, (int)s->member, ""),
					.row = &p->f->rows[s->row]};

		if (s->listener == listener)
			put_server(p, &server, admin);
	}
}

void page_servers(struct page *p, unsigned listener)
{
	bool admin = p->f->config->http.admin;

	html_begin(&p->h, "table", "servers");
	html_leaff(&p->h, "caption", NULL, "Servers of %s", p->f->config->listeners[listener].name);
	put_titles(p, admin);
	html_begin(&p->h, "tbody", NULL);
	put_rows(p, listener, admin);
	html_end(&p->h);
	html_end(&p->h);
}
