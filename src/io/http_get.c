/* One GET, from start to one outcome.
 *
 * The happy path: connect to the numeric address, send an HTTP/1.0 request, read status, headers
 * and body until the server closes (Patroni sends no Content-Length), report. What can go wrong is
 * enum http_result; each of it is bounded by the total timeout, HTTP_MAX_HEADER and HTTP_MAX_BODY.
 * The connection is read to its end and closed with FIN: leaving early makes Patroni log a
 * traceback.
 * Not here: sockets and timers (curl_uv.c), what a body means, when to ask again. */
#include "io/http_get.h"
#include "base/addr.h"
#include "base/assert.h"
#include "base/buf.h"
#include "base/mem.h"
#include "io/curl_uv.h"
#include <arpa/inet.h>
#include <errno.h>
#include <fcntl.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>

struct http_client {
	struct curl_uv *curl;
};

struct http_get {
	struct curl_uv_transfer transfer; /* first: the adapter hands this back */
	struct http_client *client;
	struct curl_slist *connect_to;
	struct buf body;
	size_t header_bytes;
	bool headers_done; /* the empty line after the final status was seen */
	bool too_big;
	int socket_error; /* errno of a socket() that failed */
	http_done_fn *done;
	void *arg;
};

int http_global_init(void)
{
	return curl_global_init(CURL_GLOBAL_DEFAULT) == CURLE_OK ? 0 : -ENOMEM;
}

void http_global_fini(void)
{
	curl_global_cleanup();
}

struct http_client *http_client_new(uv_loop_t *loop)
{
	struct http_client *c = xcalloc(1, sizeof(*c));

	c->curl = curl_uv_new(loop);
	if (c->curl == NULL) {
		free(c);
		return NULL;
	}
	return c;
}

void http_client_close(struct http_client *c, void (*on_closed)(void *arg), void *arg)
{
	curl_uv_close(c->curl, on_closed, arg);
	free(c);
}

/* ---- while it runs --------------------------------------------------------------------------- */

static size_t on_body(char *data, size_t size, size_t n, void *arg)
{
	struct http_get *get = arg;

	n *= size;
	if (n > HTTP_MAX_BODY - get->body.len) {
		get->too_big = true;
		return 0; /* ends the transfer */
	}
	buf_append(&get->body, data, n);
	return n;
}

/* Called once per line, for interim answers (100 Continue) too: they count, and are not the final
 * status. */
static size_t on_header(char *line, size_t size, size_t n, void *arg)
{
	struct http_get *get = arg;
	long status = 0;

	n *= size;
	get->header_bytes += n;
	if (get->header_bytes > HTTP_MAX_HEADER) {
		get->too_big = true;
		return 0;
	}
	if (n > 0 && (line[0] == '\r' || line[0] == '\n')) {
		curl_easy_getinfo(get->transfer.easy, CURLINFO_RESPONSE_CODE, &status);
		get->headers_done = status >= 200;
	}
	return n;
}

/* Our own socket(), so that running out of descriptors is told from a server that is down. */
static curl_socket_t on_open_socket(void *arg, curlsocktype purpose, struct curl_sockaddr *a)
{
	struct http_get *get = arg;
	int fd = socket(a->family, a->socktype | SOCK_CLOEXEC | SOCK_NONBLOCK, a->protocol);

	(void)purpose;
	if (fd >= 0)
		return fd;
	get->socket_error = errno;
	return CURL_SOCKET_BAD;
}

/* ---- how it ended ---------------------------------------------------------------------------- */

static enum http_result result_of_connect(CURL *easy)
{
	static const struct {
		int error;
		enum http_result result;
	} rows[] = {
		{ECONNREFUSED, HTTP_REFUSED},      {ECONNRESET, HTTP_RESET},
		{ETIMEDOUT, HTTP_CONNECT_TIMEOUT}, {EMFILE, HTTP_OWN_FAULT},
		{ENFILE, HTTP_OWN_FAULT},          {ENOMEM, HTTP_OWN_FAULT},
		{ENOBUFS, HTTP_OWN_FAULT},         {EADDRNOTAVAIL, HTTP_OWN_FAULT},
	};
	long error = 0;

	curl_easy_getinfo(easy, CURLINFO_OS_ERRNO, &error);
	for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++)
		if (rows[i].error == error)
			return rows[i].result;
	return HTTP_UNREACHABLE;
}

/* libcurl's own "connect time" includes the TLS handshake of an https address; it knows our port
 * from the moment TCP is connected. */
static bool was_connected(CURL *easy)
{
	long port = 0;

	curl_easy_getinfo(easy, CURLINFO_LOCAL_PORT, &port);
	return port > 0;
}

static bool reached(CURL *easy, CURLINFO moment)
{
	curl_off_t us = 0;

	curl_easy_getinfo(easy, moment, &us);
	return us > 0;
}

static enum http_result result_of(const struct http_get *get, CURLcode code)
{
	CURL *easy = get->transfer.easy;

	if (get->socket_error)
		return HTTP_OWN_FAULT;
	if (get->too_big)
		return HTTP_TOO_BIG;
	switch (code) {
	case CURLE_OK: return get->headers_done ? HTTP_OK : HTTP_RESET;
	case CURLE_COULDNT_CONNECT: return result_of_connect(easy);
	case CURLE_OPERATION_TIMEDOUT:
		return was_connected(easy) ? HTTP_TIMEOUT : HTTP_CONNECT_TIMEOUT;
	case CURLE_RECV_ERROR:
	case CURLE_SEND_ERROR:
	case CURLE_GOT_NOTHING:
	case CURLE_PARTIAL_FILE: return HTTP_RESET;
	case CURLE_FILESIZE_EXCEEDED: return HTTP_TOO_BIG;
	case CURLE_SSL_CONNECT_ERROR:
	case CURLE_SSL_CIPHER:
	case CURLE_SSL_CERTPROBLEM:
	case CURLE_SSL_CACERT_BADFILE:
	case CURLE_SSL_INVALIDCERTSTATUS:
	case CURLE_PEER_FAILED_VERIFICATION: return HTTP_TLS;
	case CURLE_OUT_OF_MEMORY: /* also libcurl's word for one header line of more than 100 KB */
		return reached(easy, CURLINFO_STARTTRANSFER_TIME_T) ? HTTP_TOO_BIG : HTTP_OWN_FAULT;
	case CURLE_FAILED_INIT:
	case CURLE_URL_MALFORMAT:
	case CURLE_COULDNT_RESOLVE_HOST:
	case CURLE_ABORTED_BY_CALLBACK: return HTTP_OWN_FAULT;
	default: return HTTP_INVALID;
	}
}

static void get_free(struct http_get *get)
{
	curl_easy_cleanup(get->transfer.easy);
	curl_slist_free_all(get->connect_to);
	buf_fini(&get->body);
	free(get);
}

static void on_done(struct curl_uv_transfer *t, CURLcode code)
{
	struct http_get *get = (struct http_get *)t;
	enum http_result result = result_of(get, code);
	bool ok = result == HTTP_OK;
	long status = 0;

	curl_easy_getinfo(t->easy, CURLINFO_RESPONSE_CODE, &status);
	get->done(get->arg, result, get->headers_done ? (int)status : 0,
		  ok && get->body.data ? get->body.data : "", ok ? get->body.len : 0);
	get_free(get);
}

/* ---- start and cancel ------------------------------------------------------------------------ */

static bool is_numeric(const char *ip)
{
	unsigned char out[sizeof(struct in6_addr)];

	return inet_pton(AF_INET, ip, out) == 1 || inet_pton(AF_INET6, ip, out) == 1;
}

static bool request_is_sane(const struct http_request *r)
{
	if (!is_numeric(r->ip) || r->path[0] != '/' || r->port == 0 || r->timeout_ms <= 0)
		return false;
	for (const char *p = r->path; *p; p++)
		if (*p <= ' ' || *p >= 0x7F)
			return false;
	return *r->host != '\0' && strpbrk(r->host, "/@?#[] \\\r\n\t") == NULL;
}

static const char *open_bracket(const char *host)
{
	return strchr(host, ':') ? "[" : "";
}

static const char *close_bracket(const char *host)
{
	return strchr(host, ':') ? "]" : "";
}

/* The name stays in the URL, for the Host header and the certificate; the connection goes to the
 * number. So nothing is ever looked up. */
static void set_target(struct http_get *get, const struct http_request *r)
{
	CURL *easy = get->transfer.easy;
	char *url = xasprintf("%s://%s%s%s:%u%s", r->tls ? "https" : "http", open_bracket(r->host),
			      r->host, close_bracket(r->host), r->port, r->path);
	char *to =
		xasprintf("::%s%s%s:%u", open_bracket(r->ip), r->ip, close_bracket(r->ip), r->port);

	get->connect_to = curl_slist_append(NULL, to);
	curl_easy_setopt(easy, CURLOPT_URL, url);
	curl_easy_setopt(easy, CURLOPT_CONNECT_TO, get->connect_to);
	curl_easy_setopt(easy, CURLOPT_PATH_AS_IS, 1L);
	curl_easy_setopt(easy, CURLOPT_TIMEOUT_MS, (long)r->timeout_ms);
	curl_easy_setopt(easy, CURLOPT_CONNECTTIMEOUT_MS, (long)r->timeout_ms);
	free(url);
	free(to);
}

/* The environment (http_proxy, ~/.netrc) has no say: the question goes to this address or
 * nowhere. */
static void set_limits(CURL *easy)
{
	curl_easy_setopt(easy, CURLOPT_NOSIGNAL, 1L);
	curl_easy_setopt(easy, CURLOPT_PROTOCOLS_STR, "http,https");
	curl_easy_setopt(easy, CURLOPT_FOLLOWLOCATION, 0L);
	curl_easy_setopt(easy, CURLOPT_MAXREDIRS, 0L);
	curl_easy_setopt(easy, CURLOPT_PROXY, "");
	curl_easy_setopt(easy, CURLOPT_NOPROXY, "*");
	curl_easy_setopt(easy, CURLOPT_NETRC, (long)CURL_NETRC_IGNORED);
	curl_easy_setopt(easy, CURLOPT_HTTP09_ALLOWED, 0L);
	curl_easy_setopt(easy, CURLOPT_HTTP_VERSION, (long)CURL_HTTP_VERSION_1_0);
	curl_easy_setopt(easy, CURLOPT_HTTP_CONTENT_DECODING, 0L);
	curl_easy_setopt(easy, CURLOPT_FRESH_CONNECT, 1L);
	curl_easy_setopt(easy, CURLOPT_FORBID_REUSE, 1L);
	curl_easy_setopt(easy, CURLOPT_TCP_NODELAY, 1L);
	curl_easy_setopt(easy, CURLOPT_BUFFERSIZE, 16 * 1024L);
	curl_easy_setopt(easy, CURLOPT_MAXFILESIZE, (long)HTTP_MAX_BODY);
	curl_easy_setopt(easy, CURLOPT_SSLVERSION, (long)CURL_SSLVERSION_TLSv1_2);
	curl_easy_setopt(easy, CURLOPT_SSL_VERIFYPEER, 1L);
	curl_easy_setopt(easy, CURLOPT_SSL_VERIFYHOST, 2L);
	curl_easy_setopt(easy, CURLOPT_USERAGENT, "isari/" ISARI_VERSION);
}

static void set_callbacks(struct http_get *get)
{
	CURL *easy = get->transfer.easy;

	curl_easy_setopt(easy, CURLOPT_WRITEFUNCTION, on_body);
	curl_easy_setopt(easy, CURLOPT_WRITEDATA, get);
	curl_easy_setopt(easy, CURLOPT_HEADERFUNCTION, on_header);
	curl_easy_setopt(easy, CURLOPT_HEADERDATA, get);
	curl_easy_setopt(easy, CURLOPT_OPENSOCKETFUNCTION, on_open_socket);
	curl_easy_setopt(easy, CURLOPT_OPENSOCKETDATA, get);
}

int http_get_start(struct http_client *c, const struct http_request *r, http_done_fn *done,
		   void *arg, struct http_get **out)
{
	struct http_get *get;
	int rc;

	if (!request_is_sane(r))
		return -EINVAL;
	get = xcalloc(1, sizeof(*get));
	get->client = c;
	get->done = done;
	get->arg = arg;
	get->transfer.done = on_done;
	get->transfer.easy = curl_easy_init();
	if (get->transfer.easy == NULL) {
		free(get);
		return -ENOMEM;
	}
	set_limits(get->transfer.easy);
	set_target(get, r);
	set_callbacks(get);
	rc = curl_uv_start(c->curl, &get->transfer);
	if (rc < 0) {
		get_free(get);
		return rc;
	}
	*out = get;
	return 0;
}

void http_get_cancel(struct http_get *get)
{
	curl_uv_stop(get->client->curl, &get->transfer);
	get_free(get);
}
