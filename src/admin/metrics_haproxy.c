/* Write HAProxy's rows as metrics. Each number is a column of `show stat` under another name; what
 * is blank there is NaN. Not here: which metrics there are (metrics_haproxy_table.c),
 * haproxy_process_* (metrics_process.c). */
#include "admin/metrics_haproxy.h"
#include "admin/stat_columns.h"
#include "base/assert.h"
#include "base/mem.h"
#include <stdlib.h>
#include <string.h>

static const struct stat_column *find_column(const char *name)
{
	for (unsigned i = 0; i < n_stat_columns; i++)
		if (strcmp(stat_columns[i].name, name) == 0)
			return &stat_columns[i];
	INSIST(false); /* the tables belong together */
	return NULL;
}

static struct prom_value value_of(const struct stat_column *c, const struct stat_row *r, bool is_ms)
{
	struct typed_value v;

	if (!stat_value(c, r, &v))
		return (struct prom_value){.kind = PROM_NAN};
	if (v.text) /* a constant */
		v.number = strtoll(v.text, NULL, 10);
	return is_ms ? PROM_US(v.number * 1000) : PROM_INTEGER(v.number);
}

static void put_family(const struct rows *rows, const struct family *f, const char *name)
{
	const struct stat_column *column = f->column ? find_column(f->column) : NULL;

	prom_family(rows->m->out, name, f->type, f->help ? f->help : stat_description(f->column));
	for (unsigned i = 0; i < rows->n; i++) {
		const struct row *r = &rows->rows[i];

		if (column)
			prom_sample(rows->m->out, name, r->labels.data,
				    value_of(column, &r->stat, f->is_ms));
		else
			f->put(rows, r, name);
	}
}

static const char *kind_word(enum stat_kind kind)
{
	switch (kind) {
	case STAT_FRONTEND: return "frontend";
	case STAT_BACKEND: return "backend";
	case STAT_SERVER: break;
	}
	return "server";
}

static void put_rows(const struct rows *rows)
{
	struct buf name = {0};

	for (size_t i = 0; i < n_haproxy_families; i++) {
		if (!(haproxy_families[i].rows & rows->kind))
			continue;
		buf_clear(&name);
		buf_printf(&name, "haproxy_%s_%s", kind_word(rows->kind), haproxy_families[i].name);
		put_family(rows, &haproxy_families[i], name.data);
	}
	buf_fini(&name);
}

/* ---- which rows there are ---- */

static void add_server(struct rows *rows, unsigned listener, unsigned server)
{
	struct row *r = &rows->rows[rows->n];

	stat_row_server(&r->stat, rows->m->facts, listener, server);
	if (rows->m->no_maint && r->stat.server->admin == ADMIN_MAINT)
		return;
	prom_label(&r->labels, "proxy", r->stat.listener->backend_name);
	prom_label(&r->labels, "server", r->stat.member->name);
	rows->n++;
}

static void add_proxy(struct rows *rows, unsigned listener)
{
	struct row *r = &rows->rows[rows->n++];

	if (rows->kind == STAT_FRONTEND)
		stat_row_frontend(&r->stat, rows->m->facts, listener);
	else
		stat_row_backend(&r->stat, rows->m->facts, listener);
	prom_label(&r->labels, "proxy",
		   rows->kind == STAT_FRONTEND ? r->stat.listener->frontend_name
					       : r->stat.listener->backend_name);
}

static void add_listener(struct rows *rows, unsigned listener)
{
	const struct config *config = rows->m->facts->config;

	if (rows->kind != STAT_SERVER) {
		add_proxy(rows, listener);
		return;
	}
	for (unsigned i = 0;
	     i < config_listener_cluster(config, &config->listeners[listener])->n_members; i++)
		add_server(rows, listener, i);
}

static void put_kind(const struct metrics *m, enum stat_kind kind)
{
	const struct admin_facts *f = m->facts;
	struct rows rows = {.m = m, .kind = kind};

	rows.rows = xcalloc(f->config->n_listeners + f->report->n_servers, sizeof(*rows.rows));
	for (unsigned i = 0; i < f->config->n_listeners; i++)
		add_listener(&rows, i);
	put_rows(&rows);
	for (unsigned i = 0; i < rows.n; i++)
		buf_fini(&rows.rows[i].labels);
	free(rows.rows);
}

void metrics_haproxy_rows(const struct metrics *m, unsigned kinds)
{
	static const enum stat_kind order[] = {STAT_FRONTEND, STAT_BACKEND, STAT_SERVER};

	for (size_t i = 0; i < sizeof(order) / sizeof(order[0]); i++)
		if (kinds & order[i])
			put_kind(m, order[i]);
}
