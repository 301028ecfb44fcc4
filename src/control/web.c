/* HTTP's glue: request -> facts -> answer -> reply, orders done on the way.
 *
 * /api/sessions waits for the workers as `show sess` does. Who watches the status page gets its
 * changing part once a second, and at once when a new view was published (but not more often than
 * every LIVE_LEAST_MS): it is made once for all of them, and not at all while nobody watches. */
#include "control/web.h"
#include "admin/web.h"
#include "base/mem.h"
#include "control/operators_state.h"
#include "io/clock.h"
#include "io/http_server.h"
#include "io/socket.h"
#include <stdlib.h>
#include <string.h>

enum {
	LIVE_MS = 1000,
	LIVE_LEAST_MS = 200,
	MAX_HEADERS = 8,
	MAX_WAITING = 4, /* for sessions: 20,000 take this thread some 10 ms to write, for each */
};

struct web {
	struct operators *ops;
	struct http_server *server;
	struct http_header headers[MAX_HEADERS]; /* of every answer */
	struct list watching;
	uv_timer_t live;
	int64_t sent_ms;    /* to those who watch */
	unsigned n_waiting; /* for sessions */
	unsigned n_closing;
	void (*on_closed)(void *arg);
	void *arg;
};

/* One request in work, or one who watches. */
struct caller {
	struct list node; /* web->watching, or none */
	struct sessions_wait wait;
	struct web *web;
	struct http_exchange *exchange;
	bool waiting; /* counted in web->n_waiting */
};

/* ---- those who watch ---- */

static enum access_level level_of(const struct web *w)
{
	return w->ops->setup.config->http.admin ? LEVEL_ADMIN : LEVEL_OPERATOR;
}

static void gather(struct web *w, struct snapshot *s)
{
	operators_gather(w->ops, s);
	s->facts.level = level_of(w);
}

static void make_event(struct web *w, struct buf *out)
{
	struct snapshot s;

	gather(w, &s);
	web_live(&s.facts, out);
	snapshot_fini(&s);
}

static void on_live(uv_timer_t *timer);

static void plan_live(struct web *w, int64_t wait_ms)
{
	uv_update_time(w->ops->setup.loop);
	uv_timer_start(&w->live, on_live, wait_ms > 1 ? (uint64_t)wait_ms : 1, LIVE_MS);
}

static void on_live(uv_timer_t *timer)
{
	struct web *w = timer->data;
	struct buf event = {0};

	if (list_empty(&w->watching)) {
		uv_timer_stop(&w->live);
		return;
	}
	make_event(w, &event);
	LIST_FOREACH (node, &w->watching)
		http_stream_send(LIST_ENTRY(node, struct caller, node)->exchange, event.data,
				 event.len);
	buf_fini(&event);
	w->sent_ms = clock_ms();
}

/* From inside a change of state: shown when that is over. */
void web_view(struct web *w)
{
	if (!list_empty(&w->watching))
		plan_live(w, w->sent_ms + LIVE_LEAST_MS - clock_ms());
}

static void begin_watching(struct caller *c)
{
	struct web *w = c->web;
	bool first = list_empty(&w->watching);
	struct buf event = {0};

	list_append(&w->watching, &c->node);
	make_event(w, &event);
	http_stream_send(c->exchange, event.data, event.len);
	buf_fini(&event);
	if (first)
		plan_live(w, LIVE_MS);
}

/* ---- answers ---- */

static void add(struct http_header *headers, size_t *n, const char *name, const char *value)
{
	if (value && value[0])
		headers[(*n)++] = (struct http_header){name, value};
}

static void say_busy(struct caller *c)
{
	static const struct http_header headers[] = {
		{"Content-Type", "text/plain"}, {"Cache-Control", "no-cache"}, {NULL, NULL}};
	struct buf text = {0};

	buf_puts(&text, "too many ask for this at a time; try again\n");
	http_reply(c->exchange, &(struct http_answer){503, headers, &text});
}

static void reply(struct caller *c, struct web_answer *a)
{
	struct http_header headers[5] = {{0}};
	size_t n = 0;

	add(headers, &n, "Content-Type", a->type);
	add(headers, &n, "Allow", a->allow);
	add(headers, &n, "Location", a->location);
	add(headers, &n, "Cache-Control", a->may_be_kept ? "max-age=60" : "no-cache");
	const struct http_answer answer = {
		.status = a->status, .headers = headers, .body = &a->body};
	if (!a->live || strcmp(http_method(c->exchange), "GET") != 0) {
		http_reply(c->exchange, &answer);
		return;
	}
	const struct http_answer stream = {.status = a->status, .headers = headers};
	if (http_stream_begin(c->exchange, &stream) == 0)
		begin_watching(c);
	else
		say_busy(c);
}

static enum web_method method_of(const char *name)
{
	static const char *const names[] = {
		[WEB_GET] = "GET", [WEB_HEAD] = "HEAD", [WEB_POST] = "POST"};

	for (size_t i = 0; i < sizeof(names) / sizeof(names[0]); i++)
		if (strcmp(names[i], name) == 0)
			return (enum web_method)i;
	return WEB_OTHER;
}

static struct web_request request_of(const struct http_exchange *x)
{
	struct web_request q = {
		.method = method_of(http_method(x)),
		.target = http_target(x),
		.host = http_header(x, "Host"),
		.origin = http_header(x, "Origin"),
		.fetch_site = http_header(x, "Sec-Fetch-Site"),
		.content_type = http_header(x, "Content-Type"),
	};

	q.body = http_body(x, &q.body_len);
	return q;
}

/* Orders first: the answer may be the page that shows what came of them. */
static void finish(struct caller *c, struct web_answer *a)
{
	char client[ENDPOINT_TEXT_BYTES];

	http_client_address(c->exchange, client, sizeof(client));
	for (size_t i = 0; i < a->n_orders; i++) {
		a->orders[i].client = client;
		operators_obey(c->web->ops, &a->orders[i]);
	}
	reply(c, a);
}

/* What reading the metrics costs is one of them. */
static void measure(struct caller *c, const struct web_request *q, const struct web_answer *a,
		    int64_t begun_us)
{
	struct meters *m = c->web->ops->setup.meters;

	if (m && a->status == 200 && strncmp(q->target, "/metrics", 8) == 0)
		meters_page(m, clock_us() - begun_us, a->body.len);
}

static void stop_waiting(struct caller *c)
{
	c->web->n_waiting -= c->waiting;
	c->waiting = false;
}

/* Without sessions the caller may have to wait for them: then false. */
static bool answer(struct caller *c, const struct asking *sessions)
{
	struct web_request q = request_of(c->exchange);
	int64_t begun_us = clock_us();
	struct web_answer a;
	struct snapshot s;

	gather(c->web, &s);
	if (sessions) {
		s.facts.have_sessions = true;
		s.facts.sessions = sessions->list;
		s.facts.n_sessions = sessions->n;
	}
	web_answer(&s.facts, &q, &a);
	if (a.needs == WEB_NEEDS_MEMORY) {
		operators_gather_memory(c->web->ops, &s);
		web_answer(&s.facts, &q, &a);
	}
	snapshot_fini(&s);
	measure(c, &q, &a, begun_us);
	bool done = a.needs != WEB_NEEDS_SESSIONS;
	if (done)
		finish(c, &a);
	web_answer_fini(&a);
	return done;
}

static void take_sessions(struct sessions_wait *w, const struct asking *sessions)
{
	struct caller *c = LIST_ENTRY(w, struct caller, wait);

	stop_waiting(c);
	answer(c, sessions);
}

static void await_sessions(struct caller *c)
{
	struct web *w = c->web;
	if (w->n_waiting == MAX_WAITING) {
		say_busy(c);
		return;
	}
	c->waiting = true;
	w->n_waiting++;
	operators_await_sessions(w->ops, &c->wait);
}

/* ---- callers ---- */

static void on_request(void *arg, struct http_exchange *x)
{
	struct web *w = arg;
	struct caller *c = xcalloc(1, sizeof(*c));

	c->web = w;
	c->exchange = x;
	c->wait.take = take_sessions;
	list_init(&c->wait.node);
	list_init(&c->node);
	http_set_data(x, c);
	if (!answer(c, NULL))
		await_sessions(c);
}

static void on_gone(void *arg, struct http_exchange *x)
{
	struct caller *c = http_data(x);

	(void)arg;
	stop_waiting(c);
	list_unlink(&c->wait.node);
	list_unlink(&c->node);
	free(c);
}

/* ---- life ---- */

static void copy_headers(struct web *w)
{
	for (size_t i = 0; web_headers[i].name && i + 1 < MAX_HEADERS; i++)
		w->headers[i] = (struct http_header){web_headers[i].name, web_headers[i].value};
}

int web_open(struct operators *ops, struct web **out, struct err *e)
{
	struct web *w = xcalloc(1, sizeof(*w));
	const struct http_server_options o = {
		.addr = ops->setup.config->http.addr,
		.arg = w,
		.on_request = on_request,
		.on_gone = on_gone,
		.headers = w->headers,
	};
	struct err why;
	int rc;

	w->ops = ops;
	list_init(&w->watching);
	copy_headers(w);
	rc = http_server_open(ops->setup.loop, &o, &w->server, &why);
	if (rc < 0) {
		free(w);
		return err_set(e, rc, "stats.http: %s", why.text);
	}
	uv_timer_init(ops->setup.loop, &w->live);
	w->live.data = w;
	*out = w;
	return 0;
}

static void part_closed(struct web *w)
{
	if (--w->n_closing > 0)
		return;
	void (*on_closed)(void *arg) = w->on_closed;
	void *arg = w->arg;

	free(w);
	on_closed(arg);
}

static void server_closed(void *arg)
{
	part_closed(arg);
}

static void timer_closed(uv_handle_t *handle)
{
	part_closed(handle->data);
}

void web_close(struct web *w, void (*on_closed)(void *arg), void *arg)
{
	w->on_closed = on_closed;
	w->arg = arg;
	w->n_closing = 2;
	uv_close((uv_handle_t *)&w->live, timer_closed);
	http_server_close(w->server, server_closed, w);
}
