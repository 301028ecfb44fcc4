/* Everything over HTTP: THE table of paths, and what holds for all of them. HAProxy's page goes by
 * many names, so it is what a target is when no path of the table is it (web_page.c).
 * Not here: what an answer says (web_*.c and the pages), sending it (control/web.c). */
#include "admin/web.h"
#include "admin/json_pages.h"
#include "admin/metrics_page.h"
#include "admin/status_page.h"
#include "admin/web_parts.h"
#include "base/json_text.h"
#include "base/mem.h"
#include <errno.h>
#include <stdlib.h>
#include <string.h>

/* ---- of every answer ---- */

/* Nothing from elsewhere, nothing inline, in nobody's frame: what a member or a client calls itself
 * stays text even if it should ever get past the escaping. */
const struct web_header web_headers[] = {
	{"Content-Security-Policy",
	 "default-src 'none'; style-src 'self'; script-src 'self'; img-src 'self'; "
	 "connect-src 'self'; form-action 'self'; base-uri 'none'; frame-ancestors 'none'"},
	{"X-Content-Type-Options", "nosniff"},
	{"X-Frame-Options", "DENY"},
	/* With no-referrer, browsers would send our own forms with "Origin: null". */
	{"Referrer-Policy", "same-origin"},
	{NULL, NULL},
};

static void set_sentence(struct web_answer *a, unsigned status, const char *type)
{
	a->status = status;
	a->type = type;
	buf_clear(&a->body);
}

void web_refuse(const struct web_call *c, unsigned status, const char *format, ...)
{
	va_list ap;

	set_sentence(c->answer, status, WEB_TEXT);
	va_start(ap, format);
	buf_vprintf(&c->answer->body, format, ap);
	va_end(ap);
	buf_putc(&c->answer->body, '\n');
}

void web_refuse_json(const struct web_call *c, unsigned status, const char *format, ...)
{
	struct buf text = {0};
	va_list ap;

	va_start(ap, format);
	buf_vprintf(&text, format, ap);
	va_end(ap);
	set_sentence(c->answer, status, WEB_JSON);
	buf_puts(&c->answer->body, "{\"error\":");
	json_text_append(&c->answer->body, text.data);
	buf_puts(&c->answer->body, "}\n");
	buf_fini(&text);
}

struct admin_order *web_add_order(struct web_answer *a)
{
	a->orders = xrealloc(a->orders, (a->n_orders + 1) * sizeof(*a->orders));
	a->orders[a->n_orders] = (struct admin_order){.type = ORDER_NONE};
	return &a->orders[a->n_orders++];
}

/* ---- what lies elsewhere ---- */

#define JSON_PAGE(name)                                  \
	static void api_##name(const struct web_call *c) \
	{                                                \
		json_##name(c->facts, &c->answer->body); \
		buf_putc(&c->answer->body, '\n');        \
		c->answer->type = WEB_JSON;              \
	}
JSON_PAGE(clusters)
JSON_PAGE(members)
JSON_PAGE(events)
JSON_PAGE(workers)
JSON_PAGE(memory)

JSON_PAGE(sessions)

/* Two that not everybody shall wait for. */
static void api_sessions_if_known(const struct web_call *c)
{
	if (c->facts->have_sessions)
		api_sessions(c);
	else
		c->answer->needs = WEB_NEEDS_SESSIONS;
}

static void api_memory_if_known(const struct web_call *c)
{
	if (c->facts->memory)
		api_memory(c);
	else
		c->answer->needs = WEB_NEEDS_MEMORY;
}

static void metrics(const struct web_call *c)
{
	if (metrics_page(c->facts, c->query, &c->answer->body) < 0)
		web_refuse(c, 400,
			   "scope= is one of global, frontend, backend, listener, server, "
			   "isari, * or empty");
	else
		c->answer->type = "text/plain; version=0.0.4; charset=utf-8";
}

static void asset(const struct web_call *c, const char *type, const char *text)
{
	c->answer->type = type;
	c->answer->may_be_kept = true;
	buf_puts(&c->answer->body, text);
}

static void style(const struct web_call *c)
{
	asset(c, "text/css; charset=utf-8", status_css);
}

static void script(const struct web_call *c)
{
	asset(c, "text/javascript; charset=utf-8", status_js);
}

static void icon(const struct web_call *c)
{
	asset(c, "image/svg+xml", status_icon);
}

/* Browsers ask for it, whatever the page says. */
static void no_icon(const struct web_call *c)
{
	c->answer->status = 204;
}

static void live(const struct web_call *c)
{
	c->answer->type = "text/event-stream";
	c->answer->live = true;
}

void web_live(const struct admin_facts *f, struct buf *out)
{
	buf_puts(out, "data: ");
	status_fragment(f, out);
	buf_puts(out, "\n\n");
}

/* ---- THE table ---- */

enum { READ = 1, ORDER = 2 };

static const struct route {
	const char *path; /* one without a slash is beside the page, wherever that is */
	unsigned methods;
	web_fn *run;
} routes[] = {
	{"/metrics", READ, metrics},
	{"/api/clusters", READ, api_clusters},
	{"/api/members", READ, api_members},
	{"/api/events", READ, api_events},
	{"/api/sessions", READ, api_sessions_if_known},
	{"/api/workers", READ, api_workers},
	{"/api/memory", READ, api_memory_if_known},
	{"/primary", READ, web_primary},
	{"/replicas", READ, web_replicas},
	{"/healthz", READ, web_healthz},
	{"/readyz", READ, web_readyz},
	{"/hint", ORDER, web_hint},
	{"/favicon.ico", READ, no_icon},
	{"isari.css", READ, style},
	{"isari.js", READ, script},
	{"isari.svg", READ, icon},
	{"isari.live", READ, live},
};

static const struct route page = {"/", READ, web_page};
static const struct route form = {"/", ORDER, web_form};

enum { N_ROUTES = sizeof(routes) / sizeof(routes[0]) };

static bool is_called(const struct route *r, const char *target, size_t len)
{
	size_t own = strlen(r->path);

	if (r->path[0] == '/')
		return own == len && memcmp(r->path, target, len) == 0;
	return own < len && target[len - own - 1] == '/' &&
	       memcmp(r->path, target + len - own, own) == 0;
}

static const struct route *find_route(const struct web_request *q)
{
	size_t len = strcspn(q->target, "?");

	for (size_t i = 0; i < N_ROUTES; i++)
		if (is_called(&routes[i], q->target, len))
			return &routes[i];
	if (!web_is_page(q->target))
		return NULL;
	return q->method == WEB_POST ? &form : &page;
}

static const char *allowed(const struct route *r)
{
	if (r == &page || r == &form)
		return "GET, HEAD, POST";
	return r->methods == READ ? "GET, HEAD" : "POST";
}

static bool takes(const struct route *r, enum web_method method)
{
	switch (method) {
	case WEB_GET:
	case WEB_HEAD: return r->methods & READ;
	case WEB_POST: return r->methods & ORDER;
	case WEB_OTHER: break;
	}
	return false;
}

/* "http://host/path", as one asks a proxy, and everybody must understand. */
static const char *path_of(const char *target)
{
	const char *host = strstr(target, "://");

	if (target[0] == '/' || host == NULL)
		return target;
	host += strlen("://");
	return host + strcspn(host, "/");
}

static void answer(const struct web_call *c)
{
	const struct route *r = find_route(c->request);
	const char *why;

	if (r == NULL) {
		web_refuse(c, 404, "there is nothing here; / is the status page");
	} else if (!takes(r, c->request->method)) {
		web_refuse(c, 405, "only %s here", allowed(r));
		c->answer->allow = allowed(r);
	} else if (c->request->method == WEB_POST &&
		   !web_guard_allows(c->request, c->facts->process->node, &why)) {
		web_refuse(c, 403, "refused: %s", why);
	} else {
		r->run(c);
	}
}

void web_answer(const struct admin_facts *f, const struct web_request *q, struct web_answer *a)
{
	struct web_request request = *q;
	const char *query;

	*a = (struct web_answer){.status = 200};
	request.target = path_of(q->target);
	query = strchr(request.target, '?');
	answer(&(struct web_call){
		.facts = f, .request = &request, .query = query ? query + 1 : "", .answer = a});
}

void web_answer_fini(struct web_answer *a)
{
	buf_fini(&a->body);
	free(a->orders);
}
