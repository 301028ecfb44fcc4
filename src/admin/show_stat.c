/* `show stat` in HAProxy 2.6's three forms: CSV, typed and JSON. One reply is one pass over the
 * proxies, each FRONTEND, servers, BACKEND. Not here: which rows there are (stat_row.c), what is in
 * them (stat_columns.c). */
#include "admin/command.h"
#include "admin/proxies.h"
#include "admin/replies.h"
#include "admin/stat_columns.h"
#include "wire/csv.h"
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

/* ---- one row, in each of the forms ---- */

static void put_csv_header(struct buf *out)
{
	buf_puts(out, "# ");
	for (unsigned i = 0; i < n_stat_columns; i++)
		buf_printf(out, "%s,", stat_columns[i].name);
	buf_putc(out, '\n');
}

static void put_csv(const struct stat_row *r, struct buf *out)
{
	struct typed_value v;

	for (unsigned i = 0; i < n_stat_columns; i++) {
		if (stat_value(&stat_columns[i], r, &v)) {
			if (v.text)
				csv_append_cell(out, v.text);
			else
				typed_put_value(&v, out);
		}
		buf_putc(out, ',');
	}
	buf_putc(out, '\n');
}

static const struct {
	char letter;
	const char *name;
} objects[] = {
	[STAT_FRONTEND] = {'F', "Frontend"},
	[STAT_BACKEND] = {'B', "Backend"},
	[STAT_SERVER] = {'S', "Server"},
};

/* A field's number is its column's; "-" is a column, but no field. */
static bool take_field(const struct stat_row *r, unsigned column, struct typed_field *f,
		       struct typed_value *v)
{
	const struct stat_column *c = &stat_columns[column];

	if (c->tags == NULL || !stat_value(c, r, v))
		return false;
	*f = (struct typed_field){.pos = column, .name = c->name, .tags = c->tags};
	if (r->kind == STAT_BACKEND && c->backend_tags)
		f->tags = c->backend_tags;
	return true;
}

static void put_typed(const struct stat_row *r, bool desc, struct buf *out)
{
	struct typed_field f;
	struct typed_value v;

	for (unsigned i = 0; i < n_stat_columns; i++) {
		if (!take_field(r, i, &f, &v))
			continue;
		if (desc)
			f.desc = stat_description(f.name);
		buf_printf(out, "%c.%u.%u.", objects[r->kind].letter, stat_row_iid(r), r->sid);
		typed_put_line(&f, &v, desc, out);
	}
}

static void put_json(const struct stat_row *r, struct buf *out)
{
	struct typed_field f;
	struct typed_value v;
	char before[96];
	bool any = false;

	snprintf(before, sizeof(before), "\"objType\":\"%s\",\"proxyId\":%u,\"id\":%u,",
		 objects[r->kind].name, stat_row_iid(r), r->sid);
	buf_putc(out, '[');
	for (unsigned i = 0; i < n_stat_columns; i++) {
		if (!take_field(r, i, &f, &v))
			continue;
		if (any)
			buf_putc(out, ',');
		typed_put_json(&f, &v, before, out);
		any = true;
	}
	buf_putc(out, ']');
}

/* ---- which rows ---- */

/* -1 is all. */
struct stat_filter {
	long iid, type, sid;
	bool hide_down, hide_maint;
	struct typed_options format;
};

/* `<iid|name> <type> <sid>` counts only when all three are there, as in HAProxy. False: no such
 * proxy. */
static bool parse_proxy(const struct command_call *c, struct stat_filter *f)
{
	f->iid = f->type = f->sid = -1;
	if (c->n_args < 3)
		return true;
	f->iid = (long)proxies_iid(c->facts->config, c->args[0]);
	if (f->iid == 0)
		f->iid = strtol(c->args[0], NULL, 10);
	f->type = strtol(c->args[1], NULL, 10);
	f->sid = strtol(c->args[2], NULL, 10);
	return f->iid != 0;
}

/* Other words are ignored, as in HAProxy. */
static void parse_option(struct stat_filter *f, const char *word)
{
	if (strcmp(word, "up") == 0)
		f->hide_down = true;
	else if (strcmp(word, "no-maint") == 0)
		f->hide_maint = true;
	else
		typed_option(&f->format, word);
}

static bool parse_filter(const struct command_call *c, struct stat_filter *f)
{
	*f = (struct stat_filter){0};
	if (!parse_proxy(c, f))
		return false;
	for (size_t i = c->n_args < 3 ? 0 : 3; i < c->n_args; i++)
		parse_option(f, c->args[i]);
	return true;
}

/* A pass over the rows that are wanted. */
struct stat_page {
	const struct stat_filter *filter;
	struct buf *out;
	bool any;
};

static void put_row(struct stat_page *p, const struct stat_row *r)
{
	switch (p->filter->format.format) {
	case FORMAT_PLAIN: put_csv(r, p->out); break;
	case FORMAT_TYPED: put_typed(r, p->filter->format.desc, p->out); break;
	case FORMAT_JSON:
		if (p->any)
			buf_putc(p->out, ',');
		put_json(r, p->out);
		break;
	}
	p->any = true;
}

static bool wants(const struct stat_filter *f, unsigned iid, enum stat_kind kind)
{
	return (f->iid == -1 || f->iid == (long)iid) && (f->type & (long)kind);
}

static bool wants_server(const struct stat_filter *f, const struct stat_row *r)
{
	bool maint = strcmp(r->status, "MAINT") == 0;

	if (f->sid != -1 && f->sid != (long)r->sid)
		return false;
	return !(maint && (f->hide_maint || f->hide_down)) &&
	       !(f->hide_down && strcmp(r->status, "DOWN") == 0);
}

/* When servers may be missing, the row says of how many it speaks. */
static void put_backend(struct stat_page *p, struct stat_row *r)
{
	char status[48];

	if (p->filter->hide_down || p->filter->hide_maint) {
		snprintf(status, sizeof(status), "%s (%u/%u)", r->status, r->servers.running,
			 r->cluster->n_members);
		r->status = status;
	}
	put_row(p, r);
}

/* FRONTEND, servers, BACKEND: tools walk the rows backwards, and drop the last one. */
static void put_listener(struct stat_page *p, const struct admin_facts *facts, unsigned listener)
{
	const struct listener_config *l = &facts->config->listeners[listener];
	unsigned n_servers = config_listener_cluster(facts->config, l)->n_members;
	struct stat_row r;

	if (wants(p->filter, l->frontend_iid, STAT_FRONTEND)) {
		stat_row_frontend(&r, facts, listener);
		put_row(p, &r);
	}
	for (unsigned s = 0; wants(p->filter, l->backend_iid, STAT_SERVER) && s < n_servers; s++) {
		stat_row_server(&r, facts, listener, s);
		if (wants_server(p->filter, &r))
			put_row(p, &r);
	}
	if (wants(p->filter, l->backend_iid, STAT_BACKEND)) {
		stat_row_backend(&r, facts, listener);
		put_backend(p, &r);
	}
}

void show_stat(const struct command_call *c)
{
	struct stat_filter f;
	struct stat_page p = {.filter = &f, .out = c->out};

	if (!parse_filter(c, &f)) {
		reply_error(c->out, REPLY_NO_PROXY);
		return;
	}
	if (f.format.format == FORMAT_PLAIN)
		put_csv_header(c->out);
	else if (f.format.format == FORMAT_JSON)
		buf_putc(c->out, '[');
	for (unsigned l = 0; l < c->facts->config->n_listeners; l++)
		put_listener(&p, c->facts, l);
	if (f.format.format == FORMAT_JSON)
		buf_puts(c->out, "]\n");
}
