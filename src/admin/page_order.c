/* Orders given on the status page: a question before, and what became of it after. The question is
 * a page of its own, so that it needs no script; only its form sends a POST, as HAProxy's page
 * does. */
#include "admin/page.h"
#include "admin/proxies.h"
#include "admin/web_parts.h"
#include <string.h>

/* ---- what became of it ---- */

/* HAProxy's words. */
static const char *result_of(const char *status)
{
	static const struct {
		const char *status, *text;
	} results[] = {
		{"DONE", "Action processed successfully."},
		{"NONE", "Nothing has changed."},
		{"PART", "Action partially processed. Some server names are probably unknown or "
			 "ambiguous."},
		{"ERRP", "Action not processed because of invalid parameters: the action, the "
			 "backend or the server is unknown."},
		{"EXCD", "Action not processed: it was too long."},
		{"DENY", "Action denied."},
	};

	for (size_t i = 0; i < sizeof(results) / sizeof(results[0]); i++)
		if (strncmp(results[i].status, status, strlen(results[i].status)) == 0)
			return results[i].text;
	return "Unexpected result.";
}

static void put_result(struct page *p, const char *status)
{
	html_begin(&p->h, "section", "order");
	html_attr(&p->h, "aria-label", "Result");
	html_begin(&p->h, "p", NULL);
	html_attr(&p->h, "role", "status");
	html_text(&p->h, result_of(status));
	html_text(&p->h, " ");
	html_begin(&p->h, "a", NULL);
	html_attr(&p->h, "href", "./");
	html_text(&p->h, "Dismiss");
	html_end(&p->h);
	html_end(&p->h);
	html_end(&p->h);
}

/* ---- the question ---- */

struct wish {
	unsigned listener, server;
	enum admin_state state;
	const struct server_report *report;
	const char *name; /* of the server */
	const struct listener_config *config;
};

static bool take_wish(const struct page *p, const char *query, struct wish *w)
{
	struct web_field backend, server, action;
	int listener, member, state;

	if (!web_find_field(query, "b", &backend) || !web_find_field(query, "s", &server) ||
	    !web_find_field(query, "action", &action))
		return false;
	listener = proxies_backend(p->f->config, backend.value);
	if (listener < 0)
		return false;
	member = proxies_server(p->f->config, (unsigned)listener, server.value);
	state = admin_state_parse(action.value);
	if (member < 0 || state < 0)
		return false;
	*w = (struct wish){.listener = (unsigned)listener,
			   .server = (unsigned)member,
			   .state = (enum admin_state)state,
			   .config = &p->f->config->listeners[listener]};
	w->report = facts_server(p->f, w->listener, w->server);
	w->name = w->report ? page_member(p, (int)w->report->member, "") : "";
	return w->report != NULL;
}

static const char *const titles[] = {"Make ready", "Drain", "Put into maintenance"};

static void put_consequences(struct page *p, const struct wish *w)
{
	unsigned sessions = p->f->rows[w->report->row].sessions_now;

	html_begin(&p->h, "p", NULL);
	if (w->state == ADMIN_READY) {
		html_text(&p->h,
			  "It takes sessions again, if it has the role that is served there.");
	} else {
		html_text(&p->h, "It takes no new sessions there. Now it carries ");
		page_count(p, sessions, "session");
		html_text(&p->h,
			  w->state == ADMIN_MAINT ? ", which will be cut." : ", which go on.");
	}
	if (w->state != ADMIN_READY && w->report->state == SERVER_OPEN && p->f->view &&
	    p->f->view->listeners[w->listener].n_open == 1)
		html_textf(&p->h, " No other server takes sessions at %s: clients will wait.",
			   w->config->name);
	html_end(&p->h);
}

static void put_answers(struct page *p, const struct wish *w)
{
	html_begin(&p->h, "form", NULL);
	html_attr(&p->h, "method", "post");
	html_attr(&p->h, "action", "./");
	page_hidden(p, "s", w->name);
	page_hidden(p, "b", w->config->backend_name);
	page_hidden(p, "action", admin_state_name(w->state));
	html_leaff(&p->h, "button", "sure", "%s: %s", titles[w->state], w->name);
	html_text(&p->h, " ");
	html_begin(&p->h, "a", NULL);
	html_attr(&p->h, "href", "./");
	html_text(&p->h, "No, change nothing");
	html_end(&p->h);
	html_end(&p->h);
}

static void put_question(struct page *p, const struct wish *w)
{
	html_begin(&p->h, "section", "order");
	html_attr(&p->h, "aria-labelledby", "order");
	html_begin(&p->h, "h2", NULL);
	html_attr(&p->h, "id", "order");
	html_attr(&p->h, "tabindex", "-1");
	html_flag(&p->h, "autofocus");
	html_textf(&p->h, "%s: %s at %s?", titles[w->state], w->name, w->config->name);
	html_end(&p->h);
	put_consequences(p, w);
	put_answers(p, w);
	html_end(&p->h);
}

/* HAProxy's way to say it: "/;st=DONE". */
static const char *status_of(const char *target)
{
	const char *found = strstr(target, ";st=");

	return found ? found + strlen(";st=") : "";
}

void page_order(struct page *p, const char *target)
{
	const char *query = strchr(target, '?'), *status = status_of(target);
	struct web_field action;
	struct wish wish;

	if (!query || !web_find_field(++query, "action", &action)) {
		if (*status)
			put_result(p, status);
		return;
	}
	if (!p->f->config->http.admin)
		put_result(p, "DENY");
	else if (!take_wish(p, query, &wish))
		put_result(p, "ERRP");
	else
		put_question(p, &wish);
}
