/* One request and its answer.
 *
 * MHD calls for its head, for each piece of its body, and once when it is whole: then the owner is
 * told, or later when others have taken this turn of the loop. An answer that is not there when the
 * owner returns suspends the connection; http_reply resumes it, and MHD calls once more to fetch
 * it. The exchange lives in its connection and serves one request after the other. Not here:
 * connections and deadlines (http_server.c), answers without an end (http_stream.c). */
#include "base/assert.h"
#include "base/mem.h"
#include "base/str.h"
#include "io/clock.h"
#include "io/http_state.h"
#include <stdlib.h>

enum { SMALL_BYTES = 64 * 1024 };

/* ---- waiting ---- */

void http_exchange_suspend(struct http_exchange *x)
{
	x->suspended = true;
	MHD_suspend_connection(x->connection);
}

void http_exchange_resume(struct http_exchange *x)
{
	if (!x->suspended)
		return;
	x->suspended = false;
	MHD_resume_connection(x->connection);
	x->server->again = true;
	http_server_plan(x->server);
}

/* ---- the answer ---- */

static void add_headers(struct MHD_Response *r, const struct http_header *h)
{
	for (; h && h->name; h++)
		INSIST(MHD_add_response_header(r, h->name, h->value) == MHD_YES);
}

void http_exchange_answer(struct http_exchange *x, const struct http_answer *a,
			  struct MHD_Response *response)
{
	REQUIRE(x->state == HTTP_ASKED || x->state == HTTP_CUT);
	INSIST(response != NULL);
	add_headers(response, x->server->options.headers);
	add_headers(response, a->headers);
	if (x->state == HTTP_CUT) { /* too late, and on_gone is still on its way */
		MHD_destroy_response(response);
		return;
	}
	x->response = response;
	x->status = a->status;
	x->state = HTTP_ANSWERED;
	http_exchange_resume(x);
}

/* Many who ask for much and read nothing would fill the memory. */
static bool has_room(const struct http_server *s, size_t bytes)
{
	return bytes <= SMALL_BYTES || s->unsent + bytes <= HTTP_UNSENT_BYTES;
}

void http_reply(struct http_exchange *x, const struct http_answer *a)
{
	size_t len = a->body ? a->body->len : 0;
	char *text = len ? buf_take(a->body) : NULL;

	if (!has_room(x->server, len)) {
		free(text);
		http_reply(x, &(struct http_answer){.status = MHD_HTTP_SERVICE_UNAVAILABLE});
		return;
	}
	x->unsent = len;
	x->server->unsent += len;
	http_exchange_answer(x, a,
			     MHD_create_response_from_buffer(len, text,
							     len ? MHD_RESPMEM_MUST_FREE
								 : MHD_RESPMEM_PERSISTENT));
}

static enum MHD_Result queue(struct http_exchange *x)
{
	struct MHD_Response *r = x->response;
	const struct http_server_options *o = &x->server->options;
	enum MHD_Result done = MHD_queue_response(x->connection, x->status, r);

	x->response = NULL;
	MHD_destroy_response(r); /* ours; MHD has its own reference */
	x->state = x->streams ? HTTP_STREAMING : HTTP_SENDING;
	x->deadline_ms = clock_ms() + (x->streams ? o->stall_ms : o->response_ms);
	return done;
}

/* ---- the request ---- */

static enum MHD_Result refuse(struct http_exchange *x, unsigned status)
{
	const struct http_answer a = {.status = status};

	x->state = HTTP_ASKED;
	http_reply(x, &a);
	return queue(x);
}

static bool announces_too_much(const struct http_exchange *x)
{
	const char *text = http_header(x, MHD_HTTP_HEADER_CONTENT_LENGTH);
	uint64_t bytes;

	return text && str_to_uint(text, 0, HTTP_BODY_BYTES, &bytes) < 0;
}

static enum MHD_Result take_head(struct http_exchange *x, const char *method)
{
	x->head_seen = true;
	x->method = method;
	return announces_too_much(x) ? refuse(x, MHD_HTTP_CONTENT_TOO_LARGE) : MHD_YES;
}

/* Who sends more than was announced, or did not announce it, cannot be answered any more. */
static enum MHD_Result take_body(struct http_exchange *x, const char *data, size_t *len)
{
	if (x->body.len + *len > HTTP_BODY_BYTES)
		return MHD_NO;
	buf_append(&x->body, data, *len);
	*len = 0;
	return MHD_YES;
}

static void ask_owner(struct http_exchange *x)
{
	struct http_server_options *o = &x->server->options;

	list_unlink(&x->turn);
	x->state = HTTP_ASKED;
	x->told = true;
	o->on_request(o->arg, x);
}

void http_exchange_ask_waiting(struct http_server *s)
{
	while (!list_empty(&s->whole) && !http_server_turn_is_over(s))
		ask_owner(LIST_ENTRY(s->whole.next, struct http_exchange, turn));
}

/* It is answered at once if there is time, and nobody else waits for that. */
static enum MHD_Result take_whole(struct http_exchange *x)
{
	struct http_server *s = x->server;

	x->deadline_ms = 0; /* the owner has its own */
	x->state = HTTP_WHOLE;
	list_append(&s->whole, &x->turn);
	http_exchange_ask_waiting(s);
	if (x->state == HTTP_ANSWERED)
		return queue(x);
	http_exchange_suspend(x);
	return MHD_YES;
}

void *http_on_target(void *server, const char *target, struct MHD_Connection *c)
{
	struct http_exchange *x =
		MHD_get_connection_info(c, MHD_CONNECTION_INFO_SOCKET_CONTEXT)->socket_context;

	(void)server;
	free(x->target);
	x->target = xstrdup(target);
	return x;
}

enum MHD_Result http_on_access(void *server, struct MHD_Connection *c, const char *url,
			       const char *method, const char *version, const char *data,
			       size_t *len, void **exchange)
{
	struct http_exchange *x = *exchange;

	(void)server;
	(void)c;
	(void)url;
	(void)version;
	if (x->server->closing)
		return MHD_NO;
	if (x->state == HTTP_ANSWERED)
		return queue(x);
	if (x->state != HTTP_RECEIVING)
		return MHD_NO; /* cut */
	if (!x->head_seen)
		return take_head(x, method);
	return *len > 0 ? take_body(x, data, len) : take_whole(x);
}

/* ---- the end ---- */

void http_exchange_reset(struct http_exchange *x)
{
	struct http_server *s = x->server;

	free(x->target);
	x->target = NULL;
	buf_fini(&x->body);
	buf_fini(&x->sending);
	buf_fini(&x->next);
	if (x->response)
		MHD_destroy_response(x->response);
	x->response = NULL;
	if (x->streams)
		s->n_streams--;
	s->unsent -= x->unsent;
	x->unsent = 0;
	list_unlink(&x->turn);
	x->streams = x->head_seen = false;
	x->method = NULL;
	x->data = NULL;
	x->sent = 0;
	x->state = HTTP_RECEIVING;
	x->deadline_ms = clock_ms() + s->options.request_ms;
}

void http_on_completed(void *server, struct MHD_Connection *c, void **exchange,
		       enum MHD_RequestTerminationCode why)
{
	struct http_exchange *x = *exchange;

	(void)server;
	(void)c;
	(void)why;
	if (x->told) {
		x->told = false;
		x->server->options.on_gone(x->server->options.arg, x);
	}
	http_exchange_reset(x);
	*exchange = NULL;
}

/* ---- looking at it ---- */

const char *http_method(const struct http_exchange *x)
{
	return x->method;
}

const char *http_target(const struct http_exchange *x)
{
	return x->target;
}

const char *http_header(const struct http_exchange *x, const char *name)
{
	return MHD_lookup_connection_value(x->connection, MHD_HEADER_KIND, name);
}

const char *http_body(const struct http_exchange *x, size_t *len)
{
	*len = x->body.len;
	return x->body.data ? x->body.data : "";
}

char *http_client_address(const struct http_exchange *x, char *out, size_t n)
{
	return endpoint_format(&x->client, out, n);
}

void http_set_data(struct http_exchange *x, void *data)
{
	x->data = data;
}

void *http_data(const struct http_exchange *x)
{
	return x->data;
}
