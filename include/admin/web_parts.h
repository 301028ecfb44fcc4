#pragma once
/* What the pages over HTTP have in common. For src/admin/web*.c only; others use admin/web.h. */
#include "admin/web.h"
#include "admin/web_fields.h"
#include <stdbool.h>

#define WEB_TEXT "text/plain; charset=utf-8"
#define WEB_HTML "text/html; charset=utf-8"
#define WEB_JSON "application/json"

struct web_call {
	const struct admin_facts *facts;
	const struct web_request *request;
	const char *query; /* after the first '?', or "" */
	struct web_answer *answer;
};

/* One path. The answer is 200 and empty before. */
typedef void web_fn(const struct web_call *c);

/* web.c: the answer so far is dropped for one sentence. */
void web_refuse(const struct web_call *c, unsigned status, const char *format, ...)
	__attribute__((format(printf, 3, 4)));
/* The same for programs: {"error": ...}. */
void web_refuse_json(const struct web_call *c, unsigned status, const char *format, ...)
	__attribute__((format(printf, 3, 4)));
/* One more, all zero. */
struct admin_order *web_add_order(struct web_answer *a);

/* web_page.c: HAProxy's page and its exports. */
bool web_is_page(const char *target);
web_fn web_page;

/* web_form.c: orders. */
web_fn web_form, web_hint;

/* web_api.c: for programs. */
web_fn web_primary, web_replicas, web_healthz, web_readyz;

/* web_guard.c: may this POST change anything? If not, `why` is a sentence for people. Somebody's
 * page in an operator's browser must not. */
bool web_guard_allows(const struct web_request *q, const char *node, const char **why);
