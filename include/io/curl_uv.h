#pragma once
/* libcurl's multi interface driven by a uv loop: one CURLM, one timer, one set of the sockets that
 * libcurl names. Knows nothing of HTTP. Owner: the loop's thread (a CURLM is not thread-safe). */
#include <curl/curl.h>
#include <uv.h>

struct curl_uv;

struct curl_uv_transfer {
	CURL *easy; /* the caller's, but for CURLOPT_PRIVATE while the transfer runs */
	/* Once, later, and never from inside curl_uv_start. The easy handle has left the multi
	 * handle, so the callback may ask it for details and then clean it up, start other
	 * transfers, or stop them. */
	void (*done)(struct curl_uv_transfer *t, CURLcode result);
};

struct curl_uv *curl_uv_new(uv_loop_t *loop); /* NULL: no memory or descriptor */
/* No transfer may be left. Allowed inside a done callback. Calls back once, later, when all memory
 * is free. */
void curl_uv_close(struct curl_uv *a, void (*on_closed)(void *arg), void *arg);

int curl_uv_start(struct curl_uv *a,
		  struct curl_uv_transfer *t); /* 0, or -errno and no call back */
void curl_uv_stop(struct curl_uv *a, struct curl_uv_transfer *t); /* no call back any more */
