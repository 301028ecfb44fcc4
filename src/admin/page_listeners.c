/* A listener on the status page: where it listens, what it serves, its numbers, who waits.
 * Not here: its servers (page_servers.c). */
#include "admin/page.h"
#include "admin/stat_row.h"
#include "base/str.h"
#include <inttypes.h>

/* ---- what it is ---- */

static void put_roles(struct page *p, const struct listener_config *l)
{
	const char *before = "serves ";

	for (unsigned role = 0; role < N_ROLES; role++) {
		if (!(l->serve & ROLE_BIT(role)))
			continue;
		html_textf(&p->h, "%s%s", before, role_name((enum role)role));
		before = ", ";
	}
	if (l->fallback == FALLBACK_PRIMARY)
		html_text(&p->h, ", the primary as a last resort");
}

static void put_addresses(struct page *p, const struct listener_config *l)
{
	char text[320];

	for (size_t i = 0; i < l->n_binds; i++)
		html_textf(&p->h, "%s%s", i ? ", " : "",
			   addr_format(&l->binds[i], text, sizeof(text)));
	html_text(&p->h, l->n_binds ? ", " : "");
}

static void put_head(struct page *p, const struct listener_config *l)
{
	unsigned n_servers = config_listener_cluster(p->f->config, l)->n_members;
	struct stat_row frontend;

	stat_row_frontend(&frontend, p->f, l->id);

	html_begin(&p->h, "h3", NULL);
	html_attrf(&p->h, "id", "listener-%u", l->id);
	html_leaf(&p->h, "span", "name", l->name);
	html_text(&p->h, " ");
	html_leaf(&p->h, "span", "role", frontend.status);
	html_end(&p->h);
	html_begin(&p->h, "p", "address");
	put_addresses(p, l);
	put_roles(p, l);
	if (p->f->view)
		html_textf(&p->h, "; %u of %u servers take new sessions",
			   p->f->view->listeners[l->id].n_open, n_servers);
	html_end(&p->h);
}

/* ---- its numbers ---- */

static void put_sessions(struct page *p, const struct row_facts *row)
{
	page_field(p, "Sessions", NULL);
	html_leaff(&p->h, "b", NULL, "%u", row->sessions_now);
	html_textf(&p->h, " of %u", row->limit);
	page_field_end(p);
}

static void put_waiting(struct page *p, const struct row_facts *row)
{
	char longest[32];

	page_field(p, "Waiting", row->waiting_now ? "pressing" : NULL);
	html_leaff(&p->h, "b", NULL, "%u", row->waiting_now);
	if (row->waiting_now && row->waiting_ms >= 0)
		html_textf(&p->h, ", longest %s",
			   str_duration(row->waiting_ms, longest, sizeof(longest)));
	page_field_end(p);
}

static void put_bytes(struct page *p, const char *name, uint64_t bytes)
{
	char text[PAGE_BYTES_TEXT];

	page_field_text(p, name, NULL, "%s", page_bytes(bytes, text));
}

static void put_numbers(struct page *p, const struct listener_config *l)
{
	const struct row_facts *row = &p->f->rows[l->id];

	html_begin(&p->h, "dl", "numbers");
	put_sessions(p, row);
	put_waiting(p, row);
	page_field_text(p, "New sessions", NULL, "%u/s, at most %u/s", row->rate, row->rate_max);
	page_field_text(p, "Total", NULL, "%" PRIu64, row->sum.sessions);
	page_field_text(p, "Held", NULL, "%" PRIu64, row->sum.held);
	page_field_text(p, "Released", NULL, "%" PRIu64, row->sum.released);
	page_field_text(p, "Refused", NULL, "%" PRIu64, row->sum.no_server + row->sum.denied);
	page_field_text(p, "Cut", NULL, "%" PRIu64, row->sum.cuts);
	put_bytes(p, "From clients", row->sum.bytes_in);
	put_bytes(p, "To clients", row->sum.bytes_out);
	html_end(&p->h);
}

void page_listener(struct page *p, unsigned listener)
{
	const struct listener_config *l = &p->f->config->listeners[listener];

	html_begin(&p->h, "section", "listener");
	html_attrf(&p->h, "aria-labelledby", "listener-%u", listener);
	put_head(p, l);
	put_numbers(p, l);
	page_servers(p, listener);
	html_end(&p->h);
}
