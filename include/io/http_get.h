#pragma once
/* One HTTP GET, bounded in time and memory, read to EOF, never following redirects, never through a
 * proxy. libcurl's multi interface on the caller's uv loop (io/curl_uv.h). Owner: that loop's
 * thread. */
#include "base/err.h"
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <uv.h>

enum http_result {
	HTTP_OK, /* an answer of any status, whole */
	HTTP_REFUSED,
	HTTP_UNREACHABLE,
	HTTP_CONNECT_TIMEOUT,
	HTTP_TIMEOUT,
	HTTP_RESET,   /* closed or reset before a whole answer */
	HTTP_INVALID, /* not HTTP/1 */
	HTTP_TOO_BIG,
	HTTP_TLS,
	HTTP_OWN_FAULT, /* no descriptor, no memory */
	HTTP_CANCELED,
};

enum { HTTP_MAX_BODY = 256 * 1024, HTTP_MAX_HEADER = 16 * 1024 };

/* For the process: before its first client and threads, after its last. */
int http_global_init(void);
void http_global_fini(void);

struct http_client; /* one CURLM and its handles on one loop */

struct http_client *http_client_new(uv_loop_t *loop); /* NULL: no memory or descriptor */
/* No transfer may be left. Calls back once, later, when every handle is gone and memory is
 * freed. */
void http_client_close(struct http_client *c, void (*on_closed)(void *arg), void *arg);

struct http_request {
	bool tls;
	const char *host; /* as in the URL, the Host header and the certificate */
	const char *ip;   /* numeric address to connect to */
	uint16_t port;
	const char *path;
	int64_t timeout_ms; /* total, connecting included */
};

struct http_get; /* in flight */

/* Body is NUL-terminated and valid during the call only; empty unless HTTP_OK. `status` is 0 when
 * the headers of an answer did not arrive whole. Called exactly once per started get, never from
 * inside http_get_start. */
typedef void http_done_fn(void *arg, enum http_result result, int status, const char *body,
			  size_t body_len);

/* 0 and *get set, or -errno and no call back. The strings of `r` are copied. */
int http_get_start(struct http_client *c, const struct http_request *r, http_done_fn *done,
		   void *arg, struct http_get **get);
/* Give up: no call back any more (the caller records its own outcome). Only while in flight. */
void http_get_cancel(struct http_get *get);
