/* Every way a REST server can answer, or fail to: exactly one outcome, later, in bounded time and
 * memory. */
#include "io/clock.h"
#include "io/http_get.h"
#include "io/loop.h"
#include "peer.h"
#include <fcntl.h>
#include <sys/wait.h>

enum { SHORT_MS = 150, LONG_MS = 10000 };

#define PATRONI_HEADERS                                                                 \
	"Server: BaseHTTP/0.6 Python/3.11.2\r\nDate: Fri, 20 Nov 2026 09:30:00 GMT\r\n" \
	"Content-Type: application/json\r\n\r\n"

enum ending {
	END_FIN,
	END_RST,
	END_LATE_RST,
	END_SILENCE,
	END_DRIP,
	END_ENDLESS,
	END_ENDLESS_LINES
};

struct script {
	const char *bytes;
	size_t n; /* 0: strlen */
	enum ending ending;
	bool rst_at_once;
	bool answer_at_once; /* without reading the request */
	char request[2048];
	_Atomic int n_asked;       /* requests that were read */
	_Atomic bool client_reset; /* the client left with RST */
	_Atomic size_t n_sent;
};

static void write_for_ever(struct script *s, int fd, const char *unit)
{
	size_t n = strlen(unit);

	while (send(fd, unit, n, MSG_NOSIGNAL) == (ssize_t)n)
		s->n_sent += n;
}

static void drip(int fd)
{
	struct pollfd p = {.fd = fd, .events = POLLIN};

	while (poll(&p, 1, 20) == 0 && send(fd, "x", 1, MSG_NOSIGNAL) == 1)
		;
}

static void serve(struct peer *p, int fd, int n)
{
	struct script *s = p->arg;
	struct pollfd quiet = {.fd = fd, .events = POLLIN};
	char request[2048], byte;

	if (s->rst_at_once) {
		peer_reset(fd);
		return;
	}
	if (!s->answer_at_once) {
		peer_read_request(fd, request, sizeof(request));
		if (n == 0)
			memcpy(s->request, request, sizeof(request));
		s->n_asked++;
	}
	peer_write(fd, s->bytes, s->n ? s->n : strlen(s->bytes));
	switch (s->ending) {
	case END_FIN:
		shutdown(fd, SHUT_WR);
		s->client_reset = recv(fd, &byte, 1, 0) < 0;
		break;
	case END_LATE_RST: /* when libcurl has no other timer left that could notice by accident */
		poll(&quiet, 1, 300);
		peer_reset(fd);
		break;
	case END_RST: peer_reset(fd); break;
	case END_SILENCE: peer_wait_for_end(fd); break;
	case END_DRIP: drip(fd); break;
	case END_ENDLESS:
		write_for_ever(s, fd,
			       "0123456789abcdef0123456789abcdef0123456789abcdef0123456789abcdef");
		break;
	case END_ENDLESS_LINES: write_for_ever(s, fd, "X-Again: and again\r\n"); break;
	}
}

struct outcome {
	int calls;
	enum http_result result;
	int status;
	char *body;
	size_t len;
};

static void on_get(void *arg, enum http_result result, int status, const char *body, size_t len)
{
	struct outcome *o = arg;

	assert_int_equal(body[len], '\0');
	o->calls++;
	o->result = result;
	o->status = status;
	free(o->body);
	o->body = malloc(len + 1);
	memcpy(o->body, body, len + 1);
	o->len = len;
}

static void count_call(void *arg)
{
	++*(int *)arg;
}

static struct http_request request_to(uint16_t port, int64_t timeout_ms)
{
	return (struct http_request){.host = "node1.example.test",
				     .ip = "127.0.0.1",
				     .port = port,
				     .path = "/primary",
				     .timeout_ms = timeout_ms};
}

static void close_client(uv_loop_t *loop, struct http_client *c)
{
	int closed = 0;

	http_client_close(c, count_call, &closed);
	assert_int_equal(closed, 0);
	loop_close(loop, "http test");
	assert_int_equal(closed, 1);
}

/* The outcome of one get; the caller frees the body. */
static struct outcome get(const struct http_request *r)
{
	struct outcome o = {0};
	struct http_client *c;
	struct http_get *g;
	uv_loop_t loop;

	assert_int_equal(loop_open(&loop), 0);
	c = http_client_new(&loop);
	assert_non_null(c);
	assert_int_equal(http_get_start(c, r, on_get, &o, &g), 0);
	assert_int_equal(o.calls, 0); /* never from inside */
	assert_true(wait_until(&loop, &o.calls, 1));
	close_client(&loop, c);
	assert_int_equal(o.calls, 1);
	return o;
}

static struct outcome get_script(struct script *s, int64_t timeout_ms)
{
	struct http_request r;
	struct outcome o;
	struct peer p;

	peer_start(&p, serve, s);
	r = request_to(p.port, timeout_ms);
	o = get(&r);
	peer_stop(&p);
	assert_int_equal(p.n_accepted, 1); /* one question, asked once */
	return o;
}

static void expect_in(struct script *s, int64_t timeout_ms, enum http_result result, int status,
		      const char *body)
{
	struct outcome o = get_script(s, timeout_ms);

	assert_int_equal(o.result, result);
	assert_int_equal(o.status, status);
	assert_string_equal(o.body, body);
	assert_int_equal(o.len, strlen(body));
	free(o.body);
}

static void expect(struct script s, enum http_result result, int status, const char *body)
{
	expect_in(&s, result == HTTP_TIMEOUT ? SHORT_MS : LONG_MS, result, status, body);
}

/* ---- whole answers --------------------------------------------------------------------------- */

static void test_patronis_answer_ends_where_the_connection_ends(void **state)
{
	struct script s = {.bytes = "HTTP/1.0 200 OK\r\n" PATRONI_HEADERS "{\"role\": \"master\"}"};
	char host[64];

	(void)state;
	expect_in(&s, LONG_MS, HTTP_OK, 200, "{\"role\": \"master\"}");
	assert_memory_equal(s.request, "GET /primary HTTP/1.0\r\n", 23);
	snprintf(host, sizeof(host), "\r\nHost: node1.example.test:");
	assert_non_null(strstr(s.request, host));
	assert_non_null(strstr(s.request, "\r\nUser-Agent: isari/"));
	assert_null(strstr(s.request, "Accept-Encoding"));
	assert_false(s.client_reset); /* closed with FIN */
}

static void test_503_brings_its_body(void **state)
{
	(void)state;
	expect((struct script){.bytes = "HTTP/1.0 503 Service Unavailable\r\n" PATRONI_HEADERS
					"{\"role\": \"replica\"}"},
	       HTTP_OK, 503, "{\"role\": \"replica\"}");
}

static void test_status_line_alone_is_an_answer(void **state)
{
	(void)state;
	expect((struct script){.bytes = "HTTP/1.0 200 OK\r\n\r\n"}, HTTP_OK, 200, "");
	expect((struct script){.bytes = "HTTP/1.1 204 No Content\r\n\r\n"}, HTTP_OK, 204, "");
}

static void test_half_a_body_and_fin_is_whole_without_a_length(void **state)
{
	(void)state;
	expect((struct script){.bytes = "HTTP/1.0 200 OK\r\n" PATRONI_HEADERS "{\"role\": \"ma"},
	       HTTP_OK, 200, "{\"role\": \"ma");
}

static void test_content_length_ends_a_kept_connection(void **state)
{
	(void)state;
	expect((struct script){.bytes = "HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\n{}",
			       .ending = END_SILENCE},
	       HTTP_OK, 200, "{}");
}

static void test_chunks_of_one_byte_are_valid(void **state)
{
	(void)state;
	expect((struct script){.bytes = "HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n"
					"1\r\n{\r\n1\r\n}\r\n0\r\n\r\n"},
	       HTTP_OK, 200, "{}");
}

static void test_continue_is_not_the_answer(void **state)
{
	(void)state;
	expect((struct script){.bytes = "HTTP/1.1 100 Continue\r\n\r\nHTTP/1.1 100 Continue\r\n\r\n"
					"HTTP/1.0 200 OK\r\n\r\n{}"},
	       HTTP_OK, 200, "{}");
}

static void test_a_redirect_is_delivered_and_not_followed(void **state)
{
	(void)state;
	expect((struct script){.bytes = "HTTP/1.0 301 Moved\r\nLocation: /elsewhere\r\n\r\nthere"},
	       HTTP_OK, 301, "there");
	expect(
		(struct script){
			.bytes = "HTTP/1.0 302 Found\r\nLocation: file:///etc/passwd\r\n\r\n"},
		HTTP_OK, 302, "");
}

static void test_a_zipped_body_is_not_unzipped(void **state)
{
	static const char answer[] = "HTTP/1.0 200 OK\r\nContent-Encoding: gzip\r\n\r\nnot really";

	(void)state;
	expect((struct script){.bytes = answer}, HTTP_OK, 200, "not really");
}

static void test_a_nul_in_the_body_is_counted(void **state)
{
	static const char answer[] = "HTTP/1.0 200 OK\r\n\r\nab\0cd";
	struct script s = {.bytes = answer, .n = sizeof(answer) - 1};
	struct outcome o = get_script(&s, LONG_MS);

	(void)state;
	assert_int_equal(o.result, HTTP_OK);
	assert_int_equal(o.len, 5);
	assert_memory_equal(o.body, "ab\0cd", 6);
	free(o.body);
}

/* ---- silence --------------------------------------------------------------------------------- */

static void test_hang_after_accept_is_reported(void **state)
{
	(void)state; /* the last running transfer that times out */
	expect((struct script){.bytes = "", .ending = END_SILENCE}, HTTP_TIMEOUT, 0, "");
}

static void test_hang_after_the_status_line(void **state)
{
	(void)state;
	expect((struct script){.bytes = "HTTP/1.0 200 OK\r\n", .ending = END_SILENCE}, HTTP_TIMEOUT,
	       0, "");
}

static void test_half_an_answer_and_then_silence(void **state)
{
	(void)state;
	expect((struct script){.bytes = "HTTP/1.0 200 OK\r\n" PATRONI_HEADERS "{\"role\"",
			       .ending = END_SILENCE},
	       HTTP_TIMEOUT, 200, "");
}

static void test_a_drip_hits_the_total_timeout(void **state)
{
	(void)state;
	expect((struct script){.bytes = "HTTP/1.0 200 OK\r\n\r\n", .ending = END_DRIP},
	       HTTP_TIMEOUT, 200, "");
}

static void test_a_port_that_lets_nobody_in(void **state)
{
	struct http_request r;
	struct full_port f;
	struct outcome o;

	(void)state;
	full_port_open(&f);
	r = request_to(f.port, SHORT_MS);
	o = get(&r);
	assert_int_equal(o.result, HTTP_CONNECT_TIMEOUT);
	free(o.body);
	full_port_close(&f);
}

/* ---- broken ---------------------------------------------------------------------------------- */

static void test_nobody_listens(void **state)
{
	struct http_request r = request_to(peer_free_port(), LONG_MS);
	struct outcome o = get(&r);

	(void)state;
	assert_int_equal(o.result, HTTP_REFUSED);
	assert_int_equal(o.status, 0);
	free(o.body);
}

static void test_no_route(void **state)
{
	struct http_request r = request_to(8008, LONG_MS);
	struct outcome o;

	(void)state;
	r.ip = "255.255.255.255";
	o = get(&r);
	assert_int_equal(o.result, HTTP_UNREACHABLE);
	free(o.body);
}

static void test_reset_at_once(void **state)
{
	(void)state;
	expect((struct script){.bytes = "", .rst_at_once = true}, HTTP_RESET, 0, "");
}

static void test_reset_after_the_request(void **state)
{
	(void)state;
	expect((struct script){.bytes = "", .ending = END_RST}, HTTP_RESET, 0, "");
}

static void test_closed_without_an_answer(void **state)
{
	(void)state;
	expect((struct script){.bytes = ""}, HTTP_RESET, 0, "");
}

static void test_closed_in_the_headers(void **state)
{
	(void)state;
	expect((struct script){.bytes = "HTTP/1.0 200 OK\r\nServer: Ba"}, HTTP_RESET, 0, "");
	expect((struct script){.bytes = "HTTP/1.0 200 OK\r\n"}, HTTP_RESET, 0, "");
}

static void test_reset_in_the_body(void **state)
{
	struct script s = {.bytes = "HTTP/1.0 200 OK\r\n\r\n{\"role\"", .ending = END_RST};
	struct outcome o = get_script(&s, LONG_MS);

	(void)state;
	assert_int_equal(o.result, HTTP_RESET); /* the status may or may not have been read */
	assert_string_equal(o.body, "");
	free(o.body);
}

static void test_a_reset_after_a_silence_is_noticed(void **state)
{
	struct script s = {.bytes = "HTTP/1.0 200 OK\r\n\r\n{\"role\"", .ending = END_LATE_RST};

	(void)state; /* uv calls it an error and stops watching: lost there, it were a timeout */
	expect_in(&s, 3000, HTTP_RESET, 200, "");
}

static void test_shorter_than_its_length(void **state)
{
	(void)state;
	expect((struct script){.bytes = "HTTP/1.0 200 OK\r\nContent-Length: 100\r\n\r\n{}"},
	       HTTP_RESET, 200, "");
	expect(
		(struct script){
			.bytes = "HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n5\r\nab"},
		HTTP_RESET, 200, "");
}

static void test_bad_chunks_are_no_answer(void **state)
{
	struct script s = {.bytes = "HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\nzz\r\n"};
	struct outcome o = get_script(&s, LONG_MS);

	(void)state;
	assert_true(o.result == HTTP_RESET || o.result == HTTP_INVALID); /* libcurl's choice */
	assert_string_equal(o.body, "");
	free(o.body);
}

static void test_garbage_is_not_http(void **state)
{
	(void)state;
	expect((struct script){.bytes = "E\0\0\0 what is this"}, HTTP_INVALID, 0, "");
	expect((struct script){.bytes = "SSH-2.0-OpenSSH_9.2p1\r\n"}, HTTP_INVALID, 0, "");
	expect((struct script){.bytes = "PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n"}, HTTP_INVALID, 0, "");
}

static void test_http_0_9_is_refused(void **state)
{
	(void)state;
	expect((struct script){.bytes = "{\"role\": \"master\", \"state\": \"running\"}"},
	       HTTP_INVALID, 0, "");
}

static void test_an_interim_answer_alone_is_no_answer(void **state)
{
	struct script s = {.bytes = "HTTP/1.1 100 Continue\r\n\r\n"};
	struct outcome o = get_script(&s, LONG_MS);

	(void)state;
	assert_int_not_equal(o.result, HTTP_OK);
	assert_int_equal(o.status, 0);
	free(o.body);
}

/* ---- size ------------------------------------------------------------------------------------ */

static void test_an_endless_body_is_cut(void **state)
{
	struct script s = {.bytes = "HTTP/1.0 200 OK\r\n\r\n", .ending = END_ENDLESS};

	(void)state;
	expect_in(&s, LONG_MS, HTTP_TOO_BIG, 200, "");
	assert_in_range(s.n_sent, HTTP_MAX_BODY, 64 << 20); /* socket buffers are the rest of it */
}

static void test_an_endless_chunked_body_is_cut(void **state)
{
	(void)state;
	expect(
		(struct script){
			.bytes =
				"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n7fffffff\r\n",
			.ending = END_ENDLESS},
		HTTP_TOO_BIG, 200, "");
}

static void test_a_length_over_the_limit_is_not_read(void **state)
{
	(void)state;
	expect((struct script){.bytes = "HTTP/1.0 200 OK\r\nContent-Length: 209715200\r\n\r\n",
			       .ending = END_SILENCE},
	       HTTP_TOO_BIG, 0, "");
}

static void test_the_largest_body_passes_and_one_byte_more_does_not(void **state)
{
	static const char head[] = "HTTP/1.0 200 OK\r\n\r\n";
	size_t n = sizeof(head) - 1 + HTTP_MAX_BODY;
	char *answer = malloc(n + 1);
	struct script s = {.bytes = answer, .n = n};
	struct outcome o;

	(void)state;
	memset(answer, 'x', n + 1);
	memcpy(answer, head, sizeof(head) - 1);
	o = get_script(&s, LONG_MS);
	assert_int_equal(o.result, HTTP_OK);
	assert_int_equal(o.len, HTTP_MAX_BODY);
	free(o.body);
	s.n = n + 1;
	o = get_script(&s, LONG_MS);
	assert_int_equal(o.result, HTTP_TOO_BIG);
	assert_int_equal(o.len, 0);
	free(o.body);
	free(answer);
}

static void test_endless_headers_are_cut(void **state)
{
	struct script s = {.bytes = "HTTP/1.0 200 OK\r\n", .ending = END_ENDLESS_LINES};

	(void)state;
	expect_in(&s, LONG_MS, HTTP_TOO_BIG, 0, "");
}

static void test_one_endless_header_line_is_cut(void **state)
{
	struct script s = {.bytes = "HTTP/1.0 200 OK\r\nX-Long: ", .ending = END_ENDLESS};

	(void)state;
	expect_in(&s, LONG_MS, HTTP_TOO_BIG, 0, "");
}

static void test_a_thousand_interim_answers_are_too_many(void **state)
{
	static const char unit[] = "HTTP/1.1 100 Continue\r\n\r\n";
	size_t one = sizeof(unit) - 1, n = one * 1000;
	char *answer = malloc(n);

	(void)state;
	for (size_t i = 0; i < 1000; i++)
		memcpy(answer + i * one, unit, one);
	expect((struct script){.bytes = answer, .n = n, .ending = END_SILENCE}, HTTP_TOO_BIG, 0,
	       "");
	free(answer);
}

/* ---- the environment ------------------------------------------------------------------------- */

static void test_a_proxy_in_the_environment_is_ignored(void **state)
{
	static const char *const names[] = {"http_proxy", "https_proxy", "all_proxy", "HTTPS_PROXY",
					    "ALL_PROXY"};

	(void)state;
	for (size_t i = 0; i < 5; i++)
		setenv(names[i], "http://127.0.0.1:1", 1);
	expect((struct script){.bytes = "HTTP/1.0 200 OK\r\n\r\n{}"}, HTTP_OK, 200, "{}");
	for (size_t i = 0; i < 5; i++)
		unsetenv(names[i]);
}

static void test_a_request_that_makes_no_sense_is_refused_at_start(void **state)
{
	struct http_request bad[5];
	struct http_client *c;
	struct http_get *g;
	struct outcome o = {0};
	uv_loop_t loop;

	(void)state;
	for (int i = 0; i < 5; i++)
		bad[i] = request_to(8008, LONG_MS);
	bad[0].ip = "localhost";
	bad[1].path = "primary";
	bad[2].path = "/ HTTP/1.1\r\nX: y";
	bad[3].host = "user@evil";
	bad[4].timeout_ms = 0;
	assert_int_equal(loop_open(&loop), 0);
	c = http_client_new(&loop);
	for (int i = 0; i < 5; i++)
		assert_int_equal(http_get_start(c, &bad[i], on_get, &o, &g), -EINVAL);
	close_client(&loop, c);
	assert_int_equal(o.calls, 0);
}

static void test_without_a_descriptor_it_is_our_own_fault(void **state)
{
	struct outcome o = {0};
	struct http_request r = request_to(8008, LONG_MS);
	int fds[1024], n = 0;
	struct http_client *c;
	struct http_get *g;
	uv_loop_t loop;

	(void)state;
	assert_int_equal(loop_open(&loop), 0);
	c = http_client_new(&loop);
	while (n < 1024 && (fds[n] = open("/dev/null", O_RDONLY | O_CLOEXEC)) >= 0)
		n++;
	if (n < 1024) {
		assert_int_equal(http_get_start(c, &r, on_get, &o, &g), 0);
		assert_true(wait_until(&loop, &o.calls, 1));
		assert_int_equal(o.result, HTTP_OWN_FAULT);
	}
	while (n > 0)
		close(fds[--n]);
	free(o.body);
	close_client(&loop, c);
}

/* ---- TLS ------------------------------------------------------------------------------------- */

static enum http_result get_tls(struct script *s, int64_t timeout_ms)
{
	struct http_request r;
	struct outcome o;
	struct peer p;

	peer_start(&p, serve, s);
	r = request_to(p.port, timeout_ms);
	r.tls = true;
	o = get(&r);
	peer_stop(&p);
	free(o.body);
	return o.result;
}

static void test_https_to_a_plain_server_is_a_tls_fault(void **state)
{
	struct script s = {.bytes = "HTTP/1.0 400 Bad Request\r\n\r\n",
			   .answer_at_once = true,
			   .ending = END_SILENCE};

	(void)state;
	assert_int_equal(get_tls(&s, LONG_MS), HTTP_TLS);
}

/* Run `openssl`; its standard output in *out when wanted. */
static pid_t run_openssl(char *const argv[], int *out)
{
	int fds[2] = {-1, -1};
	pid_t pid;

	if (out)
		assert_int_equal(pipe2(fds, O_CLOEXEC), 0);
	pid = fork();
	if (pid == 0) {
		int null = open("/dev/null", O_RDWR);

		dup2(null, 0);
		dup2(out ? fds[1] : null, 1);
		dup2(null, 2);
		execvp("openssl", argv);
		_exit(127);
	}
	if (out) {
		close(fds[1]);
		*out = fds[0];
	}
	return pid;
}

static uint16_t read_port(int fd)
{
	char text[256] = "";
	size_t len = 0;
	unsigned port = 0;
	ssize_t n;

	while (strstr(text, "ACCEPT ") == NULL &&
	       (n = read(fd, text + len, sizeof(text) - 1 - len)) > 0)
		len += (size_t)n;
	assert_non_null(strstr(text, "ACCEPT "));
	assert_int_equal(sscanf(strstr(text, "ACCEPT "), "ACCEPT 127.0.0.1:%u", &port), 1);
	return (uint16_t)port;
}

static void test_a_certificate_nobody_vouches_for_is_refused(void **state)
{
	char pem[] = "/tmp/isari-pem-XXXXXX";
	int fd = mkstemp(pem), out, status;
	char *make[] = {"openssl",
			"req",
			"-x509",
			"-newkey",
			"ec",
			"-pkeyopt",
			"ec_paramgen_curve:P-256",
			"-nodes",
			"-keyout",
			pem,
			"-out",
			NULL,
			"-subj",
			"/CN=node1.example.test",
			"-addext",
			"subjectAltName=DNS:node1.example.test",
			NULL};
	char cert[64];
	char *run[] = {"openssl", "s_server", "-accept", "127.0.0.1:0", "-key",
		       pem,       "-cert",    cert,      "-www",        NULL};
	struct http_request r;
	struct outcome o;
	pid_t pid;

	(void)state;
	close(fd);
	snprintf(cert, sizeof(cert), "%s.crt", pem);
	make[11] = cert;
	waitpid(run_openssl(make, NULL), &status, 0);
	assert_int_equal(status, 0);
	pid = run_openssl(run, &out);
	r = request_to(read_port(out), LONG_MS);
	r.tls = true;
	o = get(&r);
	assert_int_equal(o.result, HTTP_TLS);
	assert_int_equal(o.status, 0);
	free(o.body);
	kill(pid, SIGTERM);
	waitpid(pid, &status, 0);
	close(out);
	unlink(pem);
	unlink(cert);
}

static void test_a_handshake_that_hangs_times_out(void **state)
{
	struct script s = {.bytes = "", .ending = END_SILENCE};

	(void)state;
	assert_int_equal(get_tls(&s, SHORT_MS), HTTP_TIMEOUT);
}

/* ---- several, and giving up ------------------------------------------------------------------ */

static void test_many_at_once_each_answer_once(void **state)
{
	enum { N = 100 };
	struct script s = {.bytes = "HTTP/1.0 200 OK\r\n" PATRONI_HEADERS "{}"};
	struct outcome o[N] = {0};
	struct http_request r;
	struct http_client *c;
	struct http_get *g;
	struct peer p;
	uv_loop_t loop;

	(void)state;
	peer_start(&p, serve, &s);
	assert_int_equal(loop_open(&loop), 0);
	c = http_client_new(&loop);
	r = request_to(p.port, LONG_MS);
	for (int i = 0; i < N; i++)
		assert_int_equal(http_get_start(c, &r, on_get, &o[i], &g), 0);
	for (int i = 0; i < N; i++)
		assert_true(wait_until(&loop, &o[i].calls, 1));
	close_client(&loop, c);
	peer_stop(&p);
	assert_int_equal(p.n_accepted, N); /* a connection each */
	for (int i = 0; i < N; i++) {
		assert_int_equal(o[i].calls, 1);
		assert_int_equal(o[i].result, HTTP_OK);
		assert_string_equal(o[i].body, "{}");
		free(o[i].body);
	}
}

/* One that hangs must not slow those that answer, nor be forgotten beside them. */
/* uv's table has a place for each descriptor number up to the highest that the loop watches. */
static void test_a_high_descriptor_number_costs_the_loop_nothing(void **state)
{
	enum { TAKEN = 500 };
	struct script s = {.bytes = "HTTP/1.0 200 OK\r\n" PATRONI_HEADERS "{}"};
	struct outcome o = {0};
	struct http_request r;
	struct http_client *c;
	struct http_get *g;
	struct peer p;
	uv_loop_t loop;
	int fds[TAKEN];

	(void)state;
	peer_start(&p, serve, &s);
	r = request_to(p.port, LONG_MS);
	assert_int_equal(loop_open(&loop), 0);
	c = http_client_new(&loop);
	for (int i = 0; i < TAKEN; i++) {
		fds[i] = open("/dev/null", O_RDONLY | O_CLOEXEC);
		assert_true(fds[i] >= 0);
	}
	assert_int_equal(http_get_start(c, &r, on_get, &o, &g), 0);
	assert_true(wait_until(&loop, &o.calls, 1));
	assert_int_equal(o.result, HTTP_OK);
	assert_in_range(loop.nwatchers, 1, TAKEN / 2);
	for (int i = 0; i < TAKEN; i++)
		close(fds[i]);
	close_client(&loop, c);
	peer_stop(&p);
	free(o.body);
}

static void test_a_hang_among_answers_hurts_nobody_else(void **state)
{
	struct script hang = {.bytes = "HTTP/1.0 200 OK\r\n\r\n{", .ending = END_SILENCE};
	struct script good = {.bytes = "HTTP/1.0 200 OK\r\n\r\n{}"};
	struct outcome slow = {0}, quick = {0};
	struct http_request r;
	struct http_client *c;
	struct http_get *g;
	struct peer p1, p2;
	uv_loop_t loop;

	(void)state;
	peer_start(&p1, serve, &hang);
	peer_start(&p2, serve, &good);
	assert_int_equal(loop_open(&loop), 0);
	c = http_client_new(&loop);
	r = request_to(p1.port, 500);
	assert_int_equal(http_get_start(c, &r, on_get, &slow, &g), 0);
	r = request_to(p2.port, LONG_MS);
	while (slow.calls == 0) {
		int before = quick.calls;

		assert_int_equal(http_get_start(c, &r, on_get, &quick, &g), 0);
		assert_true(wait_until(&loop, &quick.calls, before + 1));
		assert_int_equal(quick.result, HTTP_OK);
		if (quick.calls == 200) /* a fast machine; enough is shown */
			assert_true(wait_until(&loop, &slow.calls, 1));
	}
	assert_int_equal(slow.result, HTTP_TIMEOUT);
	close_client(&loop, c);
	peer_stop(&p1);
	peer_stop(&p2);
	free(slow.body);
	free(quick.body);
}

/* After 0, 1, 2 ... turns of the loop: before the connect, in it, in the request, the headers, the
 * body. */
static void test_cancelled_after_any_number_of_turns(void **state)
{
	struct script s = {.bytes = "HTTP/1.0 200 OK\r\n" PATRONI_HEADERS "{\"role\": \"master\"}"};
	bool finished = false;

	(void)state;
	for (int turns = 0; !finished && turns < 50; turns++) {
		struct outcome o = {0};
		struct http_request r;
		struct http_client *c;
		struct http_get *g;
		struct peer p;
		uv_loop_t loop;

		peer_start(&p, serve, &s);
		assert_int_equal(loop_open(&loop), 0);
		c = http_client_new(&loop);
		r = request_to(p.port, LONG_MS);
		assert_int_equal(http_get_start(c, &r, on_get, &o, &g), 0);
		for (int i = 0; i < turns && o.calls == 0; i++)
			uv_run(&loop, UV_RUN_ONCE);
		finished = o.calls > 0;
		if (!finished)
			http_get_cancel(g);
		close_client(&loop, c);
		assert_int_equal(o.calls, finished);
		peer_stop(&p);
		free(o.body);
	}
	assert_true(finished); /* so every state before it was cancelled once */
}

static void test_cancelled_while_it_hangs_after_half_an_answer(void **state)
{
	struct script s = {.bytes = "HTTP/1.0 200 OK\r\n\r\n{\"ro", .ending = END_SILENCE};
	struct outcome o = {0};
	struct http_request r;
	struct http_client *c;
	struct http_get *g;
	struct peer p;
	uv_loop_t loop;

	(void)state;
	peer_start(&p, serve, &s);
	assert_int_equal(loop_open(&loop), 0);
	c = http_client_new(&loop);
	r = request_to(p.port, LONG_MS);
	assert_int_equal(http_get_start(c, &r, on_get, &o, &g), 0);
	while (s.n_asked == 0)
		uv_run(&loop, UV_RUN_NOWAIT);
	http_get_cancel(g);
	close_client(&loop, c);
	assert_int_equal(o.calls, 0);
	peer_stop(&p); /* the peer hears the end: its thread ends */
}

struct chain {
	struct http_client *client;
	struct http_request request;
	struct http_get *other; /* cancelled by the first that is done */
	int calls, left, closed;
};

static void on_chain(void *arg, enum http_result result, int status, const char *body, size_t len)
{
	struct chain *c = arg;
	struct http_get *g;

	(void)status, (void)body, (void)len;
	assert_int_equal(result, HTTP_OK);
	c->calls++;
	if (c->other)
		http_get_cancel(c->other);
	c->other = NULL;
	if (c->left-- > 0)
		assert_int_equal(http_get_start(c->client, &c->request, on_chain, c, &g), 0);
	else
		http_client_close(c->client, count_call, &c->closed);
}

static void on_never(void *arg, enum http_result result, int status, const char *body, size_t len)
{
	(void)arg, (void)result, (void)status, (void)body, (void)len;
	fail_msg("a cancelled get called back");
}

static void test_a_done_callback_may_start_cancel_and_close(void **state)
{
	struct script good = {.bytes = "HTTP/1.0 200 OK\r\n\r\n{}"};
	struct script hang = {.bytes = "", .ending = END_SILENCE};
	struct chain c = {.left = 3};
	struct http_request r;
	struct http_get *g;
	struct peer p1, p2;
	uv_loop_t loop;

	(void)state;
	peer_start(&p1, serve, &good);
	peer_start(&p2, serve, &hang);
	assert_int_equal(loop_open(&loop), 0);
	c.client = http_client_new(&loop);
	c.request = request_to(p1.port, LONG_MS);
	r = request_to(p2.port, LONG_MS);
	assert_int_equal(http_get_start(c.client, &r, on_never, NULL, &c.other), 0);
	assert_int_equal(http_get_start(c.client, &c.request, on_chain, &c, &g), 0);
	assert_true(wait_until(&loop, &c.closed, 1));
	assert_int_equal(c.calls, 4);
	loop_close(&loop, "http test");
	peer_stop(&p1);
	peer_stop(&p2);
}

static int set_up(void **state)
{
	(void)state;
	signal(SIGPIPE, SIG_IGN);
	return http_global_init();
}

static int tear_down(void **state)
{
	(void)state;
	http_global_fini();
	return 0;
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_patronis_answer_ends_where_the_connection_ends),
		cmocka_unit_test(test_503_brings_its_body),
		cmocka_unit_test(test_status_line_alone_is_an_answer),
		cmocka_unit_test(test_half_a_body_and_fin_is_whole_without_a_length),
		cmocka_unit_test(test_content_length_ends_a_kept_connection),
		cmocka_unit_test(test_chunks_of_one_byte_are_valid),
		cmocka_unit_test(test_continue_is_not_the_answer),
		cmocka_unit_test(test_a_redirect_is_delivered_and_not_followed),
		cmocka_unit_test(test_a_zipped_body_is_not_unzipped),
		cmocka_unit_test(test_a_nul_in_the_body_is_counted),
		cmocka_unit_test(test_hang_after_accept_is_reported),
		cmocka_unit_test(test_hang_after_the_status_line),
		cmocka_unit_test(test_half_an_answer_and_then_silence),
		cmocka_unit_test(test_a_drip_hits_the_total_timeout),
		cmocka_unit_test(test_a_port_that_lets_nobody_in),
		cmocka_unit_test(test_nobody_listens),
		cmocka_unit_test(test_no_route),
		cmocka_unit_test(test_reset_at_once),
		cmocka_unit_test(test_reset_after_the_request),
		cmocka_unit_test(test_closed_without_an_answer),
		cmocka_unit_test(test_closed_in_the_headers),
		cmocka_unit_test(test_reset_in_the_body),
		cmocka_unit_test(test_a_reset_after_a_silence_is_noticed),
		cmocka_unit_test(test_shorter_than_its_length),
		cmocka_unit_test(test_bad_chunks_are_no_answer),
		cmocka_unit_test(test_garbage_is_not_http),
		cmocka_unit_test(test_http_0_9_is_refused),
		cmocka_unit_test(test_an_interim_answer_alone_is_no_answer),
		cmocka_unit_test(test_an_endless_body_is_cut),
		cmocka_unit_test(test_an_endless_chunked_body_is_cut),
		cmocka_unit_test(test_a_length_over_the_limit_is_not_read),
		cmocka_unit_test(test_the_largest_body_passes_and_one_byte_more_does_not),
		cmocka_unit_test(test_endless_headers_are_cut),
		cmocka_unit_test(test_one_endless_header_line_is_cut),
		cmocka_unit_test(test_a_thousand_interim_answers_are_too_many),
		cmocka_unit_test(test_a_proxy_in_the_environment_is_ignored),
		cmocka_unit_test(test_a_request_that_makes_no_sense_is_refused_at_start),
		cmocka_unit_test(test_without_a_descriptor_it_is_our_own_fault),
		cmocka_unit_test(test_https_to_a_plain_server_is_a_tls_fault),
		cmocka_unit_test(test_a_certificate_nobody_vouches_for_is_refused),
		cmocka_unit_test(test_a_handshake_that_hangs_times_out),
		cmocka_unit_test(test_many_at_once_each_answer_once),
		cmocka_unit_test(test_a_high_descriptor_number_costs_the_loop_nothing),
		cmocka_unit_test(test_a_hang_among_answers_hurts_nobody_else),
		cmocka_unit_test(test_cancelled_after_any_number_of_turns),
		cmocka_unit_test(test_cancelled_while_it_hangs_after_half_an_answer),
		cmocka_unit_test(test_a_done_callback_may_start_cancel_and_close),
	};

	return cmocka_run_group_tests(tests, set_up, tear_down);
}
