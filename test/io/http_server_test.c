/* The HTTP server: what it answers, what it refuses, and clients that misbehave. Its clients are
 * sockets of this thread: they write, the loop runs until what they wait for has happened, they
 * read. */
#include "base/mem.h"
#include "io/clock.h"
#include "io/http_server.h"
#include "io/loop.h"
#include "peer.h"
#include <fcntl.h>
#include <sys/resource.h>

struct fixture {
	uv_loop_t loop;
	struct http_server *server;
	struct http_server_options options;
	int n_requests, n_gone, closed, n_streams, n_busy;
	struct http_exchange *later; /* waits for the test to answer it */
	struct http_exchange *stream;
	bool close_on_request, close_on_gone;
	int64_t work_us; /* that the owner has with each request */
	char last_target[256], last_body[128];
};

static const struct http_header common[] = {{"X-Common", "yes"}, {NULL, NULL}};

static void answer(struct http_exchange *x, unsigned status, const char *text)
{
	static const struct http_header headers[] = {{"Content-Type", "text/plain"}, {NULL, NULL}};
	struct buf body = {0};

	buf_puts(&body, text);
	http_reply(x, &(struct http_answer){status, headers, &body});
	assert_int_equal(body.len, 0);
	buf_fini(&body);
}

static void answer_big(struct http_exchange *x, size_t bytes)
{
	struct buf body = {0};
	char *text = xmalloc(bytes);

	memset(text, 'x', bytes);
	buf_append(&body, text, bytes);
	free(text);
	http_reply(x, &(struct http_answer){200, NULL, &body});
}

static void on_closed(void *arg)
{
	((struct fixture *)arg)->closed++;
}

static void begin_stream(struct fixture *f, struct http_exchange *x)
{
	static const struct http_header headers[] = {{"Content-Type", "text/event-stream"},
						     {NULL, NULL}};

	if (http_stream_begin(x, &(struct http_answer){200, headers, NULL}) < 0) {
		f->n_busy++;
		answer(x, 503, "too many");
		return;
	}
	f->n_streams++;
	f->stream = x;
}

static void on_request(void *arg, struct http_exchange *x)
{
	struct fixture *f = arg;
	const char *target = http_target(x);
	size_t n;

	f->n_requests++;
	for (int64_t end_us = clock_us() + f->work_us; clock_us() < end_us;)
		;
	assert_null(http_data(x));
	http_set_data(x, malloc(16)); /* freed by on_gone, or the leak is reported */
	snprintf(f->last_target, sizeof(f->last_target), "%s", target);
	snprintf(f->last_body, sizeof(f->last_body), "%.*s", 100, http_body(x, &n));
	if (f->close_on_request)
		http_server_close(f->server, on_closed, f);
	if (strcmp(target, "/later") == 0)
		f->later = x;
	else if (strcmp(target, "/stream") == 0)
		begin_stream(f, x);
	else if (sscanf(target, "/big/%zu", &n) == 1)
		answer_big(x, n);
	else if (strcmp(target, "/agent") == 0)
		answer(x, 200,
		       http_header(x, "User-Agent") ? http_header(x, "user-agent") : "none");
	else if (strcmp(target, "/nothing") == 0)
		http_reply(x, &(struct http_answer){.status = 204});
	else
		answer(x, 200, target);
}

static void on_gone(void *arg, struct http_exchange *x)
{
	struct fixture *f = arg;

	f->n_gone++;
	free(http_data(x));
	if (f->later == x)
		f->later = NULL;
	if (f->stream == x)
		f->stream = NULL;
	if (f->close_on_gone) {
		f->close_on_gone = false;
		http_server_close(f->server, on_closed, f);
	}
}

static void open_with(struct fixture *f, int64_t request_ms, int64_t response_ms, int64_t stall_ms)
{
	struct err e = {""};
	int rc;

	memset(f, 0, sizeof(*f));
	assert_int_equal(loop_open(&f->loop), 0);
	f->options = (struct http_server_options){
		.addr = {.kind = ADDR_TCP, .port = peer_free_port(), .host = "0.0.0.0"},
		.arg = f,
		.on_request = on_request,
		.on_gone = on_gone,
		.headers = common,
		.request_ms = request_ms,
		.response_ms = response_ms,
		.stall_ms = stall_ms,
	};
	/* The port was free a moment ago; somebody else's client may have got it since. */
	for (int n = 0; (rc = http_server_open(&f->loop, &f->options, &f->server, &e)) != 0; n++) {
		if (rc != -EADDRINUSE || n == 20)
			fail_msg("%s", e.text);
		f->options.addr.port = peer_free_port();
	}
}

static void open_server(struct fixture *f)
{
	open_with(f, 0, 0, 0);
}

/* Everything that was asked is over, and the loop is empty. */
static void finish(struct fixture *f)
{
	loop_close(&f->loop, "http server test");
	assert_int_equal(f->closed, 1);
	assert_int_equal(f->n_gone, f->n_requests);
}

static void close_server(struct fixture *f)
{
	http_server_close(f->server, on_closed, f);
	assert_int_equal(f->closed, 0);
	finish(f);
}

/* ---- the client's side ---- */

static int dial_from(struct fixture *f, unsigned last_byte, int buffer_bytes)
{
	struct sockaddr_in to = {.sin_family = AF_INET,
				 .sin_port = htons(f->options.addr.port),
				 .sin_addr.s_addr = htonl(INADDR_LOOPBACK)};
	struct sockaddr_in from = {.sin_family = AF_INET,
				   .sin_addr.s_addr = htonl(INADDR_LOOPBACK - 1 + last_byte)};
	int fd = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);
	const struct timeval patience = {.tv_sec = 20};

	assert_true(fd >= 0);
	setsockopt(fd, SOL_SOCKET, SO_RCVTIMEO, &patience, sizeof(patience));
	if (buffer_bytes)
		setsockopt(fd, SOL_SOCKET, SO_RCVBUF, &buffer_bytes, sizeof(buffer_bytes));
	assert_int_equal(bind(fd, (struct sockaddr *)&from, sizeof(from)), 0);
	assert_int_equal(connect(fd, (struct sockaddr *)&to, sizeof(to)), 0);
	return fd;
}

static int dial(struct fixture *f)
{
	return dial_from(f, 1, 0);
}

static int get(struct fixture *f, const char *target)
{
	char request[512];
	int fd = dial(f);

	snprintf(request, sizeof(request),
		 "GET %s HTTP/1.1\r\nHost: x\r\nConnection: close\r\n\r\n", target);
	peer_puts(fd, request);
	return fd;
}

/* What came by now, without waiting; then the socket may be at its end (*ended). */
static size_t take(int fd, char *out, size_t n, bool *ended)
{
	size_t len = 0;
	ssize_t got = -1;

	while (len + 1 < n && (got = recv(fd, out + len, n - 1 - len, MSG_DONTWAIT)) > 0)
		len += (size_t)got;
	out[len] = '\0';
	*ended = got == 0 || (got < 0 && errno != EAGAIN && errno != EWOULDBLOCK);
	return len;
}

/* Run the loop and read until the server ends the connection. */
static size_t read_to_end(struct fixture *f, int fd, char *out, size_t n)
{
	int64_t limit_ms = clock_ms() + WAIT_LIMIT_MS;
	size_t len = 0;
	bool ended = false;
	char scrap[65536];

	while (!ended && clock_ms() < limit_ms) {
		size_t got;

		uv_run(&f->loop, UV_RUN_NOWAIT);
		got = take(fd, scrap, sizeof(scrap), &ended);
		if (len + got < n)
			memcpy(out + len, scrap, got);
		len += got;
	}
	out[len < n ? len : n - 1] = '\0';
	assert_true(ended);
	close(fd);
	return len;
}

/* Until it has come. */
static void read_text(struct fixture *f, int fd, const char *text)
{
	int64_t limit_ms = clock_ms() + WAIT_LIMIT_MS;
	char seen[65536] = "";
	size_t len = 0;
	bool ended = false;

	while (!ended && strstr(seen, text) == NULL && clock_ms() < limit_ms) {
		uv_run(&f->loop, UV_RUN_NOWAIT);
		len += take(fd, seen + len, sizeof(seen) - len, &ended);
	}
	if (strstr(seen, text) == NULL)
		fail_msg("'%s' did not come, but: %s", text, seen);
}

static void wait_connections(struct fixture *f, unsigned n)
{
	int64_t limit_ms = clock_ms() + WAIT_LIMIT_MS;

	while (http_server_connections(f->server) != n && clock_ms() < limit_ms)
		uv_run(&f->loop, UV_RUN_NOWAIT);
	assert_int_equal(http_server_connections(f->server), n);
}

static void ask(struct fixture *f, const char *request, const char *expected)
{
	char text[65536];
	int fd = dial(f);

	peer_puts(fd, request);
	read_to_end(f, fd, text, sizeof(text));
	if (strstr(text, expected) == NULL)
		fail_msg("not '%s' but: %s", expected, text);
}

/* ---- stories ---- */

static void test_a_request_is_answered_with_the_common_headers(void **state)
{
	struct fixture f;
	char text[4096];

	(void)state;
	open_server(&f);
	read_to_end(&f, get(&f, "/a;csv?b=c%20d"), text, sizeof(text));
	assert_non_null(strstr(text, "HTTP/1.1 200 OK\r\n"));
	assert_non_null(strstr(text, "\r\nX-Common: yes\r\n"));
	assert_non_null(strstr(text, "\r\nContent-Type: text/plain\r\n"));
	assert_non_null(strstr(text, "\r\n\r\n/a;csv?b=c%20d")); /* raw */
	ask(&f, "GET /agent HTTP/1.0\r\nuser-agent: me\r\n\r\n", "\r\n\r\nme");
	ask(&f, "GET /agent HTTP/1.0\r\n\r\n", "\r\n\r\nnone");
	ask(&f, "GET /nothing HTTP/1.0\r\n\r\n", " 204 ");
	assert_int_equal(f.n_gone, 4);
	close_server(&f);
}

static void test_head_tells_of_a_body_and_sends_none(void **state)
{
	struct fixture f;
	char text[4096];
	int fd;

	(void)state;
	open_server(&f);
	fd = dial(&f);
	peer_puts(fd, "HEAD /four HTTP/1.1\r\nHost: x\r\nConnection: close\r\n\r\n");
	read_to_end(&f, fd, text, sizeof(text));
	assert_non_null(strstr(text, "Content-Length: 5\r\n"));
	assert_string_equal(strstr(text, "\r\n\r\n"), "\r\n\r\n");
	close_server(&f);
}

static void test_an_answer_may_come_later(void **state)
{
	struct fixture f;
	char text[4096];
	int fd;

	(void)state;
	open_server(&f);
	fd = get(&f, "/later");
	assert_true(wait_until(&f.loop, &f.n_requests, 1));
	assert_int_equal(f.n_gone, 0);
	answer(f.later, 200, "at last");
	read_to_end(&f, fd, text, sizeof(text));
	assert_non_null(strstr(text, "\r\n\r\nat last"));
	assert_int_equal(f.n_gone, 1);
	close_server(&f);
}

static void test_pipelined_requests_are_answered_in_order(void **state)
{
	struct fixture f;
	char text[8192];
	int fd;

	(void)state;
	open_server(&f);
	fd = dial(&f);
	peer_puts(fd,
		  "GET /one HTTP/1.1\r\nHost: x\r\n\r\nGET /later HTTP/1.1\r\nHost: x\r\n\r\n"
		  "POST /three HTTP/1.1\r\nHost: x\r\nContent-Length: 3\r\nConnection: close\r\n"
		  "\r\nabc");
	assert_true(wait_until(&f.loop, &f.n_requests, 2));
	assert_non_null(f.later);
	answer(f.later, 200, "/two");
	read_to_end(&f, fd, text, sizeof(text));
	assert_true(strstr(text, "\r\n\r\n/one") &&
		    strstr(text, "\r\n\r\n/one") < strstr(text, "/two"));
	assert_true(strstr(text, "/two") < strstr(text, "/three"));
	assert_string_equal(f.last_body, "abc");
	close_server(&f);
}

static void test_too_much_is_refused(void **state)
{
	struct fixture f;
	char *big = xcalloc(1, 100000), *request;

	(void)state;
	open_server(&f);
	ask(&f, "POST / HTTP/1.1\r\nHost: x\r\nContent-Length: 4097\r\n\r\n", " 413 ");
	ask(&f, "POST / HTTP/1.1\r\nHost: x\r\nContent-Length: -1\r\n\r\n", "");
	ask(&f, "POST / HTTP/1.1\r\nHost: x\r\nContent-Length: 99999999999999999999\r\n\r\n", "");
	assert_int_equal(f.n_requests, 0);
	memset(big, 'a', 60000);
	request = xasprintf("GET / HTTP/1.1\r\nHost: x\r\nX: %s\r\n\r\n", big);
	ask(&f, request, "");
	free(request);
	request = xasprintf("GET /%s HTTP/1.1\r\nHost: x\r\n\r\n", big);
	ask(&f, request, "");
	free(request);
	big[5000] = '\0'; /* chunked: not announced */
	request = xasprintf("POST / HTTP/1.1\r\nHost: x\r\nTransfer-Encoding: chunked\r\n\r\n"
			    "1388\r\n%s\r\n0\r\n\r\n",
			    big);
	ask(&f, request, "");
	free(request);
	free(big);
	assert_int_equal(f.n_requests, 0);
	ask(&f, "GET /still HTTP/1.0\r\n\r\n", "/still");
	close_server(&f);
}

static void test_garbage_ends_its_connection_only(void **state)
{
	static const char *const garbage[] = {"\r\n\r\n\r\n",
					      "\x16\x03\x01\x02",
					      "GET\r\n\r\n",
					      "GET / HTTP/9.9\r\n\r\n",
					      "PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n",
					      "GET / HTTP/1.1\r\n\r\n"};
	struct fixture f;

	(void)state;
	open_with(&f, 300, 0, 0);
	for (size_t i = 0; i < sizeof(garbage) / sizeof(garbage[0]); i++)
		ask(&f, garbage[i], "");
	ask(&f, "GET /still HTTP/1.0\r\n\r\n", "/still");
	assert_string_equal(f.last_target, "/still");
	close_server(&f);
}

struct drip {
	uv_timer_t timer;
	int fd;
	const char *text;
};

static void drip_one(uv_timer_t *t)
{
	struct drip *d = t->data;

	if (*d->text)
		send(d->fd, d->text++, 1, MSG_NOSIGNAL);
}

/* Each byte would start an idle timeout anew: only a deadline for all of them ends it. */
static void test_a_slow_sender_is_cut(void **state)
{
	struct fixture f;
	struct drip d = {
		.text = "GET / HTTP/1.1\r\nHost: x\r\nX: aaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaa"
			"aaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaa"
			"aaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaa"};
	char text[4096];

	(void)state;
	open_with(&f, 200, 0, 0);
	d.fd = dial(&f);
	uv_timer_init(&f.loop, &d.timer);
	d.timer.data = &d;
	uv_timer_start(&d.timer, drip_one, 0, 10);
	assert_int_equal(read_to_end(&f, d.fd, text, sizeof(text)), 0);
	uv_close((uv_handle_t *)&d.timer, NULL);
	assert_int_equal(f.n_requests, 0);
	assert_true(*d.text); /* it had not finished by itself */
	close_server(&f);
}

static void test_who_says_nothing_is_cut_also_after_an_answer(void **state)
{
	struct fixture f;
	char text[4096];
	int silent, kept;

	(void)state;
	open_with(&f, 100, 0, 0);
	silent = dial(&f);
	kept = dial(&f);
	peer_puts(kept, "GET /kept HTTP/1.1\r\nHost: x\r\n\r\n");
	assert_int_equal(read_to_end(&f, silent, text, sizeof(text)), 0);
	read_to_end(&f, kept, text, sizeof(text));
	assert_non_null(strstr(text, "/kept"));
	close_server(&f);
}

static void test_a_body_may_come_in_chunks_or_when_it_is_asked_for(void **state)
{
	struct fixture f;
	int fd;

	(void)state;
	open_server(&f);
	ask(&f,
	    "POST /chunks HTTP/1.1\r\nHost: x\r\nConnection: close\r\n"
	    "Transfer-Encoding: chunked\r\n\r\n2\r\nab\r\n1\r\nc\r\n0\r\n\r\n",
	    "/chunks");
	assert_string_equal(f.last_body, "abc");
	fd = dial(&f);
	peer_puts(fd, "POST /asked HTTP/1.1\r\nHost: x\r\nContent-Length: 3\r\n"
		      "Expect: 100-continue\r\n\r\n");
	read_text(&f, fd, "HTTP/1.1 100 Continue\r\n\r\n");
	assert_int_equal(f.n_requests, 1);
	peer_puts(fd, "def");
	read_text(&f, fd, "/asked");
	assert_string_equal(f.last_body, "def");
	close(fd);
	ask(&f,
	    "POST / HTTP/1.1\r\nHost: x\r\nContent-Length: 4097\r\nExpect: 100-continue\r\n\r\n",
	    "HTTP/1.1 413 ");
	assert_int_equal(f.n_requests, 2);
	close_server(&f);
}

#define BYTES(text)                    \
	{                              \
		text, sizeof(text) - 1 \
	}

/* What MHD says no to by itself says nothing of the request. */
static void test_bytes_that_no_target_has_change_nothing(void **state)
{
	static const struct {
		const char *request;
		size_t len;
	} odd[] = {BYTES("GET /\xff\xfe\x01<b> HTTP/1.0\r\n\r\n"),
		   BYTES("GET /a\0<b> HTTP/1.0\r\n\r\n"),
		   BYTES("GET /\x7f\t HTTP/1.0\r\nX-\xff: \0\xff\r\n\r\n"),
		   BYTES("GET / HTTP/1.0\r\nContent-Length: 1\0\r\n\r\n")};
	struct fixture f;
	char text[4096];

	(void)state;
	open_with(&f, 300, 0, 0);
	for (size_t i = 0; i < sizeof(odd) / sizeof(odd[0]); i++) {
		int fd = dial(&f);

		peer_write(fd, odd[i].request, odd[i].len);
		read_to_end(&f, fd, text, sizeof(text));
		if (strstr(text, " 200 ") == NULL)
			assert_null(strstr(text, "<b>"));
	}
	ask(&f, "GET /still HTTP/1.0\r\n\r\n", "/still");
	close_server(&f);
}

static void test_a_slow_reader_is_cut(void **state)
{
	struct fixture f;
	int fd;

	(void)state;
	open_with(&f, 0, 200, 0);
	fd = dial_from(&f, 1, 4096);
	peer_puts(fd, "GET /big/20000000 HTTP/1.1\r\nHost: x\r\n\r\n");
	assert_true(wait_until(&f.loop, &f.n_requests, 1));
	assert_int_equal(f.n_gone, 0);
	assert_true(wait_until(&f.loop, &f.n_gone, 1));
	wait_connections(&f, 0);
	close(fd);
	close_server(&f);
}

static void test_a_big_answer_arrives_whole(void **state)
{
	struct fixture f;
	char text[1024];

	(void)state;
	open_server(&f);
	assert_true(read_to_end(&f, get(&f, "/big/20000000"), text, sizeof(text)) > 20000000);
	close_server(&f);
}

static void test_a_client_that_leaves_is_forgotten(void **state)
{
	struct fixture f;
	int fd;

	(void)state;
	open_server(&f);
	fd = dial(&f);
	peer_puts(fd, "GET / HTTP/1.1\r\nHo");
	wait_connections(&f, 1);
	close(fd);
	wait_connections(&f, 0);
	assert_int_equal(f.n_requests, 0);
	fd = get(&f, "/later"); /* leaves before its answer is there */
	assert_true(wait_until(&f.loop, &f.n_requests, 1));
	peer_reset(fd);
	close(fd);
	answer(f.later, 200, "too late");
	wait_connections(&f, 0);
	assert_int_equal(f.n_gone, 1);
	close_server(&f);
}

/* A half-closed client still gets its answer, as from any server. */
static void test_a_half_close_does_not_lose_the_answer(void **state)
{
	struct fixture f;
	char text[4096];
	int fd;

	(void)state;
	open_server(&f);
	fd = get(&f, "/later");
	shutdown(fd, SHUT_WR);
	assert_true(wait_until(&f.loop, &f.n_requests, 1));
	answer(f.later, 200, "here");
	read_to_end(&f, fd, text, sizeof(text));
	assert_non_null(strstr(text, "\r\n\r\nhere"));
	close_server(&f);
}

/* ---- places ---- */

static void test_who_comes_too_much_from_one_address_is_turned_away(void **state)
{
	enum { N = HTTP_MAX_PER_ADDRESS + 10 };
	struct fixture f;
	int fds[N];
	char text[64];

	(void)state;
	open_server(&f);
	for (int i = 0; i < N; i++)
		fds[i] = dial(&f);
	wait_connections(&f, HTTP_MAX_PER_ADDRESS);
	read_to_end(&f, fds[N - 1], text, sizeof(text));
	peer_puts(fds[0], "GET /first HTTP/1.1\r\nHost: x\r\n\r\n");
	read_text(&f, fds[0], "/first");
	for (int i = 0; i < N - 1; i++)
		close(fds[i]);
	wait_connections(&f, 0);
	close_server(&f);
}

static void test_who_comes_when_all_places_are_taken_waits_for_one(void **state)
{
	struct fixture f;
	int fds[HTTP_MAX_CONNECTIONS], late;

	(void)state;
	open_with(&f, 1000000, 0, 0);
	for (unsigned i = 0; i < HTTP_MAX_CONNECTIONS; i++)
		fds[i] = dial_from(&f, 1 + i % 2, 0);
	wait_connections(&f, HTTP_MAX_CONNECTIONS);
	late = dial_from(&f, 3, 0);
	peer_puts(late, "GET /late HTTP/1.1\r\nHost: x\r\n\r\n");
	for (int i = 0; i < 50; i++)
		uv_run(&f.loop, UV_RUN_NOWAIT);
	assert_int_equal(f.n_requests, 0);
	close(fds[7]);
	read_text(&f, late, "/late");
	close(late);
	for (unsigned i = 0; i < HTTP_MAX_CONNECTIONS; i++)
		if (i != 7)
			close(fds[i]);
	wait_connections(&f, 0);
	close_server(&f);
}

static void test_those_who_send_nothing_do_not_hold_up_a_crowd(void **state)
{
	struct fixture f;
	int fds[HTTP_MAX_CONNECTIONS], late;

	(void)state;
	open_with(&f, 2 * WAIT_LIMIT_MS, 0, 0); /* a tenth of it is well before the test gives up */
	for (unsigned i = 0; i < HTTP_MAX_CONNECTIONS; i++)
		fds[i] = dial_from(&f, 1 + i % 2, 0);
	late = dial_from(&f, 3, 0);
	peer_puts(late, "GET /late HTTP/1.1\r\nHost: x\r\n\r\n");
	read_text(&f, late, "/late");
	close(late);
	for (unsigned i = 0; i < HTTP_MAX_CONNECTIONS; i++)
		close(fds[i]);
	close_server(&f);
}

struct hoard {
	struct rlimit was;
	int fds[256], n;
};

static void take_all_descriptors(struct hoard *h)
{
	struct rlimit little;

	getrlimit(RLIMIT_NOFILE, &h->was);
	little = h->was;
	little.rlim_cur = 200;
	setrlimit(RLIMIT_NOFILE, &little);
	for (h->n = 0; (h->fds[h->n] = dup(STDERR_FILENO)) >= 0;)
		h->n++;
	assert_true(h->n > 0);
}

static void give_back_descriptors(struct hoard *h)
{
	while (h->n > 0)
		close(h->fds[--h->n]);
	setrlimit(RLIMIT_NOFILE, &h->was);
}

static void on_bell(uv_timer_t *t)
{
	*(bool *)t->data = true;
}

/* How often the loop wakes up in a quarter of a second. */
static unsigned count_turns(struct fixture *f)
{
	bool rung = false;
	uv_timer_t bell;
	unsigned n = 0;

	uv_timer_init(&f->loop, &bell);
	bell.data = &rung;
	uv_timer_start(&bell, on_bell, 250, 0);
	for (; !rung; n++)
		uv_run(&f->loop, UV_RUN_ONCE);
	uv_close((uv_handle_t *)&bell, NULL);
	uv_run(&f->loop, UV_RUN_NOWAIT);
	return n;
}

/* Whoever comes meanwhile waits; nobody need leave for that, and the loop does not spin. */
static void test_without_descriptors_it_waits_for_one(void **state)
{
	(void)state;
	for (int others = 0; others < 2; others++) {
		struct fixture f;
		struct hoard hoard;
		int fd, other;

		open_server(&f);
		other = others ? dial(&f) : -1;
		wait_connections(&f, (unsigned)others);
		fd = get(&f, "/late");
		take_all_descriptors(&hoard);
		assert_in_range(count_turns(&f), 1, 50);
		assert_int_equal(http_server_connections(f.server), others);
		assert_int_equal(f.n_requests, 0);
		give_back_descriptors(&hoard);
		read_text(&f, fd, "/late");
		close(fd);
		if (others)
			close(other);
		close_server(&f);
	}
}

/* ---- turns ---- */

enum { CROWD = 20, LONG_US = 6000 /* more than a turn has for all of them */ };

static void send_crowd(struct fixture *f, int fds[CROWD])
{
	f->work_us = LONG_US;
	for (int i = 0; i < CROWD; i++)
		fds[i] = get(f, "/crowd");
}

/* The loop has others, who would be kept waiting. */
static void test_a_crowd_is_answered_one_turn_of_the_loop_after_the_other(void **state)
{
	struct fixture f;
	int fds[CROWD];
	char text[4096];

	(void)state;
	open_server(&f);
	send_crowd(&f, fds);
	while (f.n_requests < CROWD) {
		int before = f.n_requests;

		uv_run(&f.loop, UV_RUN_ONCE);
		assert_in_range(f.n_requests - before, 0, 2); /* a socket's event and a timer */
	}
	for (int i = 0; i < CROWD; i++) {
		read_to_end(&f, fds[i], text, sizeof(text));
		assert_non_null(strstr(text, "/crowd"));
	}
	close_server(&f);
}

static void test_closing_while_a_crowd_waits_for_its_turn(void **state)
{
	struct fixture f;
	int fds[CROWD];

	(void)state;
	open_server(&f);
	send_crowd(&f, fds);
	while (f.n_requests < 2)
		uv_run(&f.loop, UV_RUN_ONCE);
	assert_true(f.n_requests < CROWD);
	assert_true(http_server_connections(f.server) > 2);
	close_server(&f);
	for (int i = 0; i < CROWD; i++)
		close(fds[i]);
}

/* The 20,000 sessions of a busy process have all the low descriptors. */
static void test_descriptors_beyond_1024_are_fine(void **state)
{
	struct fixture f;
	struct rlimit lim;
	int spare[1100], n = 0;

	(void)state;
	getrlimit(RLIMIT_NOFILE, &lim);
	lim.rlim_cur = lim.rlim_max < 4096 ? lim.rlim_max : 4096;
	setrlimit(RLIMIT_NOFILE, &lim);
	while (n < 1100 && (spare[n] = dup(STDERR_FILENO)) >= 0)
		n++;
	assert_int_equal(n, 1100);
	open_server(&f);
	ask(&f, "GET /high HTTP/1.0\r\n\r\n", "/high");
	close_server(&f);
	while (n > 0)
		close(spare[--n]);
}

/* ---- streams ---- */

static int open_stream(struct fixture *f)
{
	int fd = dial_from(f, 1, 4096), n = f->n_streams + f->n_busy;

	peer_puts(fd, "GET /stream HTTP/1.1\r\nHost: x\r\n\r\n");
	while (f->n_streams + f->n_busy == n)
		uv_run(&f->loop, UV_RUN_ONCE);
	return fd;
}

static void test_a_stream_brings_one_piece_after_the_other(void **state)
{
	struct fixture f;
	int fd;

	(void)state;
	open_server(&f);
	fd = open_stream(&f);
	read_text(&f, fd, "text/event-stream");
	http_stream_send(f.stream, "data: 1\n\n", 9);
	read_text(&f, fd, "data: 1\n\n");
	http_stream_send(f.stream, "data: 2\n\n", 9);
	read_text(&f, fd, "data: 2\n\n");
	close(fd);
	while (f.stream) { /* it is noticed when there is something to say */
		http_stream_send(f.stream, "data: 3\n\n", 9);
		uv_run(&f.loop, UV_RUN_ONCE);
	}
	wait_connections(&f, 0);
	close_server(&f);
}

static void test_streams_are_limited_and_make_room(void **state)
{
	struct fixture f;
	int fds[HTTP_MAX_STREAMS], more;

	(void)state;
	open_server(&f);
	for (int i = 0; i < HTTP_MAX_STREAMS; i++)
		fds[i] = open_stream(&f);
	more = open_stream(&f);
	read_text(&f, more, " 503 ");
	assert_int_equal(f.n_busy, 1);
	close(fds[HTTP_MAX_STREAMS - 1]);
	while (f.stream) {
		http_stream_send(f.stream, "x", 1);
		uv_run(&f.loop, UV_RUN_ONCE);
	}
	peer_puts(more, "GET /stream HTTP/1.1\r\nHost: x\r\n\r\n");
	read_text(&f, more, "text/event-stream");
	assert_int_equal(f.n_busy, 1);
	close_server(&f);
	for (int i = 0; i < HTTP_MAX_STREAMS - 1; i++)
		close(fds[i]);
	close(more);
}

static void test_a_reader_that_takes_nothing_of_a_stream_is_cut(void **state)
{
	struct fixture f;
	char *piece = xmalloc(100000);
	int fd, sent = 0;

	(void)state;
	memset(piece, 'p', 100000);
	open_with(&f, 0, 0, 200);
	fd = open_stream(&f);
	while (f.stream) {
		http_stream_send(f.stream, piece, 100000);
		sent++;
		uv_run(&f.loop, UV_RUN_NOWAIT);
	}
	assert_true(sent > 4);
	wait_connections(&f, 0);
	free(piece);
	close(fd);
	close_server(&f);
}

/* Slow, but reading: it gets fewer pieces, each whole, and the last one. */
static void test_a_slow_reader_of_a_stream_gets_the_newest(void **state)
{
	enum { BYTES = 50000, PIECES = 200 };
	struct fixture f;
	char *piece = xmalloc(BYTES);
	int fd;

	(void)state;
	open_server(&f);
	fd = open_stream(&f);
	for (int i = 0; i < PIECES; i++) {
		memset(piece, 'a' + i % 26, BYTES);
		snprintf(piece, 32, "piece %d;", i);
		http_stream_send(f.stream, piece, BYTES);
		if (i == 0)
			read_text(&f, fd, "piece 0;");
		uv_run(&f.loop, UV_RUN_NOWAIT);
	}
	free(piece);
	char scrap[65536];
	bool ended = false, newest = false;
	int64_t limit_ms = clock_ms() + WAIT_LIMIT_MS;
	size_t total = 0;
	while (!newest && !ended && clock_ms() < limit_ms) {
		uv_run(&f.loop, UV_RUN_NOWAIT);
		total += take(fd, scrap, sizeof(scrap), &ended);
		newest = strstr(scrap, "piece 199;") != NULL;
	}
	assert_true(newest);
	assert_true(total < (size_t)BYTES * PIECES);
	close_server(&f);
	close(fd);
}

/* ---- the end ---- */

static void test_closing_with_everything_under_way(void **state)
{
	struct fixture f;
	int fds[6];

	(void)state;
	open_server(&f);
	fds[0] = dial(&f); /* silent */
	fds[1] = dial(&f); /* half a request */
	peer_puts(fds[1], "GET / HTTP/1.1\r\nHo");
	fds[2] = dial(&f); /* half a body */
	peer_puts(fds[2], "POST / HTTP/1.1\r\nHost: x\r\nContent-Length: 10\r\n\r\nabc");
	fds[3] = get(&f, "/later");
	fds[4] = dial_from(&f, 1, 4096); /* in the middle of its answer */
	peer_puts(fds[4], "GET /big/20000000 HTTP/1.1\r\nHost: x\r\n\r\n");
	fds[5] = open_stream(&f);
	assert_true(wait_until(&f.loop, &f.n_requests, 3));
	wait_connections(&f, 6);
	close_server(&f);
	assert_int_equal(f.n_gone, 3);
	for (int i = 0; i < 6; i++)
		close(fds[i]);
}

static void test_closing_with_an_answer_that_was_not_fetched(void **state)
{
	struct fixture f;
	int fd;

	(void)state;
	open_server(&f);
	fd = get(&f, "/later");
	assert_true(wait_until(&f.loop, &f.n_requests, 1));
	answer(f.later, 200, "never");
	close_server(&f);
	close(fd);
	open_server(&f);
	fd = open_stream(&f);
	http_stream_send(f.stream, "x", 1);
	close_server(&f);
	close(fd);
}

static void test_closing_from_inside_a_request(void **state)
{
	static const char *const targets[] = {"/at-once", "/later", "/stream"};
	struct fixture f;

	(void)state;
	for (int i = 0; i < 3; i++) {
		int fd;

		open_server(&f);
		f.close_on_request = true;
		fd = get(&f, targets[i]);
		assert_true(wait_until(&f.loop, &f.closed, 1));
		close(fd);
		finish(&f);
	}
}

static void test_closing_from_inside_the_end_of_a_request(void **state)
{
	struct fixture f;
	int fd;

	(void)state;
	open_server(&f);
	f.close_on_gone = true;
	fd = get(&f, "/");
	assert_true(wait_until(&f.loop, &f.closed, 1));
	close(fd);
	finish(&f);
}

static void test_closing_at_once(void **state)
{
	struct fixture f;

	(void)state;
	open_server(&f);
	close_server(&f);
}

static void test_an_address_in_use_is_one_sentence(void **state)
{
	struct fixture f, g;
	struct err e = {""};

	(void)state;
	open_server(&f);
	g = f;
	assert_int_equal(http_server_open(&f.loop, &g.options, &g.server, &e), -EADDRINUSE);
	assert_non_null(strstr(e.text, "cannot listen on 0.0.0.0:"));
	close_server(&f);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_a_request_is_answered_with_the_common_headers),
		cmocka_unit_test(test_head_tells_of_a_body_and_sends_none),
		cmocka_unit_test(test_an_answer_may_come_later),
		cmocka_unit_test(test_pipelined_requests_are_answered_in_order),
		cmocka_unit_test(test_too_much_is_refused),
		cmocka_unit_test(test_garbage_ends_its_connection_only),
		cmocka_unit_test(test_a_slow_sender_is_cut),
		cmocka_unit_test(test_who_says_nothing_is_cut_also_after_an_answer),
		cmocka_unit_test(test_a_body_may_come_in_chunks_or_when_it_is_asked_for),
		cmocka_unit_test(test_bytes_that_no_target_has_change_nothing),
		cmocka_unit_test(test_a_slow_reader_is_cut),
		cmocka_unit_test(test_a_big_answer_arrives_whole),
		cmocka_unit_test(test_a_client_that_leaves_is_forgotten),
		cmocka_unit_test(test_a_half_close_does_not_lose_the_answer),
		cmocka_unit_test(test_who_comes_too_much_from_one_address_is_turned_away),
		cmocka_unit_test(test_who_comes_when_all_places_are_taken_waits_for_one),
		cmocka_unit_test(test_those_who_send_nothing_do_not_hold_up_a_crowd),
		cmocka_unit_test(test_without_descriptors_it_waits_for_one),
		cmocka_unit_test(test_a_crowd_is_answered_one_turn_of_the_loop_after_the_other),
		cmocka_unit_test(test_closing_while_a_crowd_waits_for_its_turn),
		cmocka_unit_test(test_descriptors_beyond_1024_are_fine),
		cmocka_unit_test(test_a_stream_brings_one_piece_after_the_other),
		cmocka_unit_test(test_streams_are_limited_and_make_room),
		cmocka_unit_test(test_a_reader_that_takes_nothing_of_a_stream_is_cut),
		cmocka_unit_test(test_a_slow_reader_of_a_stream_gets_the_newest),
		cmocka_unit_test(test_closing_with_everything_under_way),
		cmocka_unit_test(test_closing_with_an_answer_that_was_not_fetched),
		cmocka_unit_test(test_closing_from_inside_a_request),
		cmocka_unit_test(test_closing_from_inside_the_end_of_a_request),
		cmocka_unit_test(test_closing_at_once),
		cmocka_unit_test(test_an_address_in_use_is_one_sentence),
	};

	signal(SIGPIPE, SIG_IGN);
	return cmocka_run_group_tests(tests, NULL, NULL);
}
