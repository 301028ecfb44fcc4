/* What HAProxy's statistics page gives out, under any name that it goes by: the page, CSV, typed
 * and JSON. As there, options are found anywhere in the target (";csv", ";norefresh" ...), so that
 * every tool's way to write the address works.
 * Not here: what the page looks like (status_page.c), the numbers (show_stat.c). */
#include "admin/commands.h"
#include "admin/status_page.h"
#include "admin/web_parts.h"
#include "base/str.h"
#include "wire/csv.h"
#include <stdlib.h>
#include <string.h>

/* What stands for one of our pages in the addresses of dashboards and tools. */
static const char *const options[] = {";csv", ";json", ";typed", ";norefresh",
				      ";up",  ";st=",  "scope=", ";no-maint"};
static const char *const names[] = {"/", "/stats", "/haproxy", "/haproxy_stats", "/isari"};

enum {
	N_OPTIONS = sizeof(options) / sizeof(options[0]),
	N_NAMES = sizeof(names) / sizeof(names[0])
};

static bool has(const char *target, const char *option)
{
	return strstr(target, option) != NULL;
}

/* The path, with slashes neither doubled nor at its end: "//stats/" is "/stats". */
static void clean_path(const char *target, char *out, size_t n)
{
	size_t end = strcspn(target, "?;"), len = 0;

	for (size_t i = 0; i < end && len + 1 < n; i++)
		if (target[i] != '/' || len == 0 || out[len - 1] != '/')
			out[len++] = target[i];
	if (len > 1 && out[len - 1] == '/')
		len--;
	if (len == 0)
		out[len++] = '/';
	out[len] = '\0';
}

bool web_is_page(const char *target)
{
	char path[64];
	const char *query = strchr(target, '?');

	for (size_t i = 0; i < N_OPTIONS; i++)
		if (has(target, options[i]))
			return true;
	if (query && strncmp(query, "?stats", strlen("?stats")) == 0) /* /admin?stats */
		return true;
	clean_path(target, path, sizeof(path));
	for (size_t i = 0; i < N_NAMES; i++)
		if (strcmp(path, names[i]) == 0)
			return true;
	return false;
}

/* ---- exports ---- */

/* A command of the stats socket; the answer is its reply. */
static void run(const struct web_call *c, const char *type, const char *const *words)
{
	struct admin_order order;
	size_t n = 0;

	while (words[n])
		n++;
	commands_run(c->facts, words, n, &c->answer->body, &order);
	c->answer->type = type;
}

/* `up` and `no-maint` are options of `show stat`, too. */
static void show_stat_as(const struct web_call *c, const char *type, const char *format)
{
	const char *words[6] = {"show", "stat"};
	const char *target = c->request->target;
	size_t n = 2;

	if (format)
		words[n++] = format;
	if (has(target, ";up"))
		words[n++] = "up";
	if (has(target, ";no-maint"))
		words[n++] = "no-maint";
	run(c, type, words);
}

/* What stands after "scope=", in the query or wherever; empty: everything. */
static void find_scope(const char *target, char *out, size_t n)
{
	const char *at = strstr(target, "scope=");
	size_t len;

	at = at ? at + strlen("scope=") : "";
	len = strcspn(at, ";&");
	if (len >= n)
		len = n - 1;
	memcpy(out, at, len);
	out[len] = '\0';
}

/* Proxies whose name has this text in it, and the header. */
static void keep_scope(struct buf *body, const char *scope)
{
	struct buf kept = {0};
	const char *line = body->data;

	buf_puts(&kept, "");
	while (*line) {
		size_t len = strcspn(line, "\n") + 1;
		size_t name = strcspn(line, ",\n");
		const char *found = *line == '#' ? line : strstr(line, scope);

		if (found && found + (*line == '#' ? 0 : strlen(scope)) <= line + name)
			buf_append(&kept, line, len);
		line += len;
	}
	buf_fini(body);
	*body = kept;
}

static void page_csv(const struct web_call *c)
{
	char scope[64];

	show_stat_as(c, WEB_TEXT, NULL);
	find_scope(c->request->target, scope, sizeof(scope));
	if (scope[0])
		keep_scope(&c->answer->body, scope);
}

static void page_typed(const struct web_call *c)
{
	show_stat_as(c, WEB_TEXT, "typed");
}

static void page_json(const struct web_call *c)
{
	show_stat_as(c, WEB_JSON, "json");
}

static void page_schema(const struct web_call *c)
{
	run(c, WEB_JSON, (const char *const[]){"show", "schema", "json", NULL});
}

static void page_html(const struct web_call *c)
{
	status_page(c->facts, c->request, &c->answer->body);
	c->answer->type = WEB_HTML;
}

/* The first that is there. */
static const struct {
	const char *option;
	web_fn *run;
} formats[] = {
	{";json-schema", page_schema},
	{";json", page_json},
	{";typed", page_typed},
	{";csv", page_csv},
	{"", page_html},
};

void web_page(const struct web_call *c)
{
	size_t i = 0;

	while (!has(c->request->target, formats[i].option))
		i++;
	formats[i].run(c);
}
