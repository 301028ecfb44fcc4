/* Orders over HTTP: HAProxy's form (of its actions ready, drain and maint), and the hint that a
 * cluster changes.
 * Not here: doing them; whether a POST may order anything at all (web_guard.c). */
#include "admin/proxies.h"
#include "admin/web_parts.h"
#include "base/str.h"
#include <stdio.h>
#include <string.h>

/* HAProxy's words for what became of an order, shown by the page as ;st=. */
enum form_result { FORM_DONE, FORM_NONE, FORM_PART, FORM_WRONG, FORM_DENIED };

static const char *const results[] = {[FORM_DONE] = "DONE",
				      [FORM_NONE] = "NONE",
				      [FORM_PART] = "PART",
				      [FORM_WRONG] = "ERRP",
				      [FORM_DENIED] = "DENY"};

struct form {
	int listener; /* -1: no b= yet, or no such backend */
	int state;    /* -1: likewise, enum admin_state */
	unsigned n_named, n_found;
};

static void read_frame(const struct web_call *c, const char *at, const char *end, struct form *form)
{
	struct web_field field;

	while (web_next_field(&at, end, &field)) {
		if (strcmp(field.name, "b") == 0)
			form->listener = proxies_backend(c->facts->config, field.value);
		else if (strcmp(field.name, "action") == 0)
			form->state = admin_state_parse(field.value);
	}
}

static void add_server(const struct web_call *c, struct form *form, const char *name)
{
	int server = proxies_server(c->facts->config, (unsigned)form->listener, name);
	struct admin_order *o;

	form->n_named++;
	if (server < 0)
		return;
	form->n_found++;
	o = web_add_order(c->answer);
	o->type = ORDER_SET_SERVER;
	o->state = (enum admin_state)form->state;
	o->listener = (unsigned)form->listener;
	o->server = (unsigned)server;
}

static enum form_result read_form(const struct web_call *c)
{
	const char *at = c->request->body ? c->request->body : "", *end = at + c->request->body_len;
	struct form form = {.listener = -1, .state = -1};
	struct web_field field;

	read_frame(c, at, end, &form);
	if (form.listener < 0 || form.state < 0)
		return FORM_WRONG;
	while (web_next_field(&at, end, &field))
		if (strcmp(field.name, "s") == 0)
			add_server(c, &form, field.value);
	if (form.n_named == 0)
		return FORM_NONE;
	if (form.n_found == 0)
		return FORM_WRONG;
	return form.n_found < form.n_named ? FORM_PART : FORM_DONE;
}

/* As in HAProxy the answer is the page again, which says what became of it. It is beside the page
 * that sent the form, wherever a proxy has put that. */
void web_form(const struct web_call *c)
{
	enum form_result r = c->facts->config->http.admin ? read_form(c) : FORM_DENIED;

	c->answer->status = 303;
	snprintf(c->answer->location, sizeof(c->answer->location), "./;st=%s", results[r]);
}

/* Where nobody is named, all are asked. */
void web_hint(const struct web_call *c)
{
	struct web_field cluster;
	struct admin_order *o;
	int found = -1;

	if (web_find_field(c->query, "cluster", &cluster)) {
		found = config_find_cluster(c->facts->config, cluster.value);
		if (found < 0) {
			web_refuse(c, 404, "there is no such cluster");
			return;
		}
	}
	o = web_add_order(c->answer);
	o->type = ORDER_HINT;
	o->cluster = found;
	c->answer->type = WEB_TEXT;
	buf_puts(&c->answer->body, "asking every member now\n");
}
