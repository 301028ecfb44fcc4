/* HTTP beside the stats socket: one question for sessions for whoever waits, orders that are done,
 * and a status page that costs nothing while nobody watches. Real sockets, a real loop, an owner
 * made of this file. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "base/buf.h"
#include "base/mem.h"
#include "control/operators.h"
#include "core/monitor.h"
#include "io/clock.h"
#include "io/loop.h"
#include <errno.h>
#include <netinet/in.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/un.h>
#include <unistd.h>

enum { GIVE_UP_MS = 20000 };

struct bench {
	uv_loop_t loop;
	char directory[32], path[64];
	struct config *config;
	struct scoreboard *board;
	struct monitor *monitor;
	struct view *view;
	struct operators *ops;
	struct journal journal;
	unsigned n_reports, n_asked, n_hints;
	uint64_t request;
	bool closed;
};

/* ---- the owner ---- */

static void hook_report(void *arg, struct report *r)
{
	struct bench *b = arg;

	b->n_reports++;
	monitor_report(b->monitor, clock_ms(), r);
}

static const struct journal *hook_journal(void *arg)
{
	return &((struct bench *)arg)->journal;
}

static void hook_judge(void *arg, struct event *ev)
{
	((struct bench *)arg)->n_hints += ev->type == EV_HINT;
}

static void hook_tell(void *arg, const struct message *like)
{
	(void)arg;
	(void)like;
}

static unsigned hook_ask_sessions(void *arg, uint64_t request)
{
	struct bench *b = arg;

	b->n_asked++;
	b->request = request;
	return 1;
}

static uint16_t free_port(void)
{
	struct sockaddr_in sa = {.sin_family = AF_INET, .sin_addr.s_addr = htonl(INADDR_LOOPBACK)};
	socklen_t len = sizeof(sa);
	int fd = socket(AF_INET, SOCK_STREAM, 0);

	assert_int_equal(bind(fd, (struct sockaddr *)&sa, sizeof(sa)), 0);
	assert_int_equal(getsockname(fd, (struct sockaddr *)&sa, &len), 0);
	close(fd);
	return ntohs(sa.sin_port);
}

static struct config *bench_config(const struct bench *b)
{
	struct config *c = config_new();

	c->n_clusters = c->n_listeners = c->n_members = c->n_stats_sockets = 1;
	c->clusters = xcalloc(1, sizeof(*c->clusters));
	c->clusters[0].name = xstrdup("main");
	probe_config_defaults(&c->clusters[0].probe);
	c->members = xcalloc(1, sizeof(*c->members));
	c->members[0].name = xstrdup("n1");
	c->members[0].host = xstrdup("127.0.0.1");
	c->members[0].rest_host = xstrdup("127.0.0.1");
	c->members[0].port = 5432;
	c->members[0].weight = 1;
	c->listeners = xcalloc(1, sizeof(*c->listeners));
	listener_config_defaults(&c->listeners[0]);
	c->listeners[0].name = xstrdup("write");
	c->stats_sockets = xcalloc(1, sizeof(*c->stats_sockets));
	c->stats_sockets[0] = (struct stats_socket_config){
		.addr.kind = ADDR_UNIX, .mode = 0600, .level = LEVEL_ADMIN};
	strcpy(c->stats_sockets[0].addr.host, b->path);
	c->http.wanted = true;
	c->http.addr = (struct addr){.kind = ADDR_TCP, .port = free_port(), .host = "127.0.0.1"};
	config_finish(c);
	return c;
}

static int setup(void **state)
{
	struct bench *b = xcalloc(1, sizeof(*b));
	struct err e = {""};

	strcpy(b->directory, "/tmp/isari-web-XXXXXX");
	assert_non_null(mkdtemp(b->directory));
	snprintf(b->path, sizeof(b->path), "%s/stats", b->directory);
	b->config = bench_config(b);
	b->board = scoreboard_new(b->config, 1);
	b->monitor = monitor_new(b->config, 1, clock_ms());
	b->view = view_new(b->config);
	view_finish(b->view);
	assert_int_equal(loop_open(&b->loop), 0);
	const struct operators_setup s = {.loop = &b->loop,
					  .config = b->config,
					  .scoreboard = b->board,
					  .threads = 1,
					  .nofile = 1024,
					  .hooks = {.arg = b,
						    .report = hook_report,
						    .journal = hook_journal,
						    .judge = hook_judge,
						    .tell = hook_tell,
						    .ask_sessions = hook_ask_sessions}};
	if (operators_open(&s, &b->ops, &e) != 0)
		fail_msg("%s", e.text);
	*state = b;
	return 0;
}

static void on_closed(void *arg)
{
	((struct bench *)arg)->closed = true;
}

static int teardown(void **state)
{
	struct bench *b = *state;

	operators_close(b->ops, on_closed, b);
	loop_close(&b->loop, "web test");
	assert_true(b->closed);
	view_unref(b->view);
	monitor_free(b->monitor);
	scoreboard_free(b->board);
	config_unref(b->config);
	assert_int_equal(rmdir(b->directory), 0);
	free(b);
	return 0;
}

/* ---- clients ---- */

static int dial_http(struct bench *b)
{
	struct sockaddr_in sa = {.sin_family = AF_INET,
				 .sin_port = htons(b->config->http.addr.port),
				 .sin_addr.s_addr = htonl(INADDR_LOOPBACK)};
	int fd = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);

	assert_int_equal(connect(fd, (struct sockaddr *)&sa, sizeof(sa)), 0);
	return fd;
}

static int ask_http(struct bench *b, const char *request)
{
	int fd = dial_http(b);

	assert_int_equal(send(fd, request, strlen(request), MSG_NOSIGNAL), strlen(request));
	return fd;
}

static int get(struct bench *b, const char *target)
{
	char request[128];

	snprintf(request, sizeof(request), "GET %s HTTP/1.0\r\n\r\n", target);
	return ask_http(b, request);
}

static int ask_socket(struct bench *b, const char *line)
{
	struct sockaddr_un un = {.sun_family = AF_UNIX};
	int fd = socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0);

	strcpy(un.sun_path, b->path);
	assert_int_equal(connect(fd, (struct sockaddr *)&un, sizeof(un)), 0);
	assert_int_equal(send(fd, line, strlen(line), MSG_NOSIGNAL), strlen(line));
	return fd;
}

/* Let the loop run, and read what there is; false at the end. */
static bool read_more(struct bench *b, int fd, struct buf *out)
{
	char piece[4096];
	ssize_t n;

	uv_run(&b->loop, UV_RUN_NOWAIT);
	n = recv(fd, piece, sizeof(piece), MSG_DONTWAIT);
	if (n > 0)
		buf_append(out, piece, (size_t)n);
	return n > 0 || (n < 0 && (errno == EAGAIN || errno == EWOULDBLOCK));
}

static void expect_end(struct bench *b, int fd, const char *text)
{
	int64_t limit_ms = clock_ms() + GIVE_UP_MS;
	struct buf out = {0};

	buf_puts(&out, "");
	while (read_more(b, fd, &out) && clock_ms() < limit_ms)
		;
	if (strstr(out.data, text) == NULL)
		fail_msg("'%s' is not in: %s", text, out.data);
	buf_fini(&out);
	close(fd);
}

static void run_until(struct bench *b, const unsigned *counter, unsigned n)
{
	int64_t limit_ms = clock_ms() + GIVE_UP_MS;

	while (*counter < n && clock_ms() < limit_ms)
		uv_run(&b->loop, UV_RUN_NOWAIT);
	assert_true(*counter >= n);
}

static void run_for(struct bench *b, int64_t ms)
{
	int64_t end_ms = clock_ms() + ms;

	while (clock_ms() < end_ms)
		uv_run(&b->loop, UV_RUN_NOWAIT);
}

static void answer_sessions(struct bench *b)
{
	struct session_info *s = xcalloc(1, sizeof(*s));

	s->id = 0x17;
	s->server = -1;
	strcpy(s->state, "held");
	strcpy(s->client, "10.9.8.7:6543");
	operators_sessions(b->ops, b->request, s, 1);
}

/* ---- stories ---- */

static void test_one_question_serves_http_and_the_socket(void **state)
{
	struct bench *b = *state;
	int http = get(b, "/api/sessions"), line;

	run_until(b, &b->n_asked, 1);
	line = ask_socket(b, "show sess\n");
	int other = get(b, "/api/sessions");
	run_until(b, &b->n_reports, 3); /* each has been run once, and waits */
	assert_int_equal(b->n_asked, 1);
	answer_sessions(b);
	expect_end(b, http, "\"client\":\"10.9.8.7:6543\"");
	expect_end(b, other, "\"client\":\"10.9.8.7:6543\"");
	expect_end(b, line, "src=10.9.8.7:6543");
	assert_int_equal(b->n_asked, 1);
}

static void test_who_leaves_while_waiting_is_forgotten(void **state)
{
	struct bench *b = *state;
	int gone = get(b, "/api/sessions"), stays;

	run_until(b, &b->n_asked, 1);
	close(gone);
	stays = get(b, "/api/sessions");
	run_until(b, &b->n_reports, 2);
	answer_sessions(b);
	expect_end(b, stays, "10.9.8.7:6543");
}

static void test_a_worker_that_does_not_answer_is_left_out(void **state)
{
	struct bench *b = *state;

	expect_end(b, get(b, "/api/sessions"), "{\"sessions\":[]}");
	assert_int_equal(b->n_asked, 1);
}

static void test_too_many_who_wait_are_told_so(void **state)
{
	enum { N = 6 };
	struct bench *b = *state;
	int fds[N];

	for (unsigned i = 0; i < N; i++) {
		fds[i] = get(b, "/api/sessions");
		run_until(b, &b->n_reports, i + 1);
	}
	expect_end(b, fds[N - 1], " 503 ");
	answer_sessions(b);
	expect_end(b, fds[0], " 200 ");
	expect_end(b, get(b, "/healthz"), "alive");
	for (unsigned i = 1; i < N - 1; i++)
		close(fds[i]);
}

static void test_an_order_is_done_before_its_answer_is_there(void **state)
{
	struct bench *b = *state;

	expect_end(b, ask_http(b, "POST /hint HTTP/1.0\r\nHost: localhost\r\n\r\n"), " 200 ");
	assert_int_equal(b->n_hints, 1);
	expect_end(b,
		   ask_http(b, "POST /hint HTTP/1.0\r\nHost: localhost\r\n"
			       "Origin: http://evil.example\r\n\r\n"),
		   " 403 ");
	assert_int_equal(b->n_hints, 1);
}

static void test_nothing_is_made_while_nobody_watches(void **state)
{
	struct bench *b = *state;
	int fd;

	for (int i = 0; i < 5; i++)
		operators_view(b->ops, b->view, clock_ms());
	run_for(b, 300);
	assert_int_equal(b->n_reports, 0);
	fd = get(b, "/isari.live");
	run_until(b, &b->n_reports, 4); /* the request, its first event, and one each second */
	close(fd);
	run_for(b, 2500); /* its end is noticed with the events that it does not take */
	unsigned n = b->n_reports;
	operators_view(b->ops, b->view, clock_ms());
	run_for(b, 1500);
	assert_int_equal(b->n_reports, n);
}

/* Each view is shown at once; a storm of them is shown five times a second, made once for all. */
static void test_views_are_shown_at_once_but_not_all_of_them(void **state)
{
	struct bench *b = *state;
	int fds[3];
	int64_t began_ms;
	unsigned n, n_views = 0;

	for (unsigned i = 0; i < 3; i++) {
		fds[i] = get(b, "/isari.live");
		run_until(b, &b->n_reports, 2 * i + 2);
	}
	n = b->n_reports;
	began_ms = clock_ms();
	while (clock_ms() < began_ms + 700) {
		operators_view(b->ops, b->view, clock_ms());
		n_views++;
		uv_run(&b->loop, UV_RUN_NOWAIT);
	}
	int64_t lasted_ms = clock_ms() - began_ms;
	assert_true(n_views > 10);
	assert_true(b->n_reports > n);
	assert_true(b->n_reports - n <= 2 + (unsigned)lasted_ms / 200);
	for (int i = 0; i < 3; i++)
		close(fds[i]);
}

static void test_closing_while_somebody_waits_and_somebody_watches(void **state)
{
	struct bench *b = *state;
	int waits = get(b, "/api/sessions"), watches;

	run_until(b, &b->n_asked, 1);
	watches = get(b, "/isari.live");
	run_until(b, &b->n_reports, 3);
	operators_view(b->ops, b->view, clock_ms());
	close(waits);
	close(watches);
	/* teardown closes */
}

int main(void)
{
#define TEST(f) cmocka_unit_test_setup_teardown(f, setup, teardown)
	const struct CMUnitTest tests[] = {
		TEST(test_one_question_serves_http_and_the_socket),
		TEST(test_who_leaves_while_waiting_is_forgotten),
		TEST(test_a_worker_that_does_not_answer_is_left_out),
		TEST(test_too_many_who_wait_are_told_so),
		TEST(test_an_order_is_done_before_its_answer_is_there),
		TEST(test_nothing_is_made_while_nobody_watches),
		TEST(test_views_are_shown_at_once_but_not_all_of_them),
		TEST(test_closing_while_somebody_waits_and_somebody_watches),
	};

	signal(SIGPIPE, SIG_IGN);
	return cmocka_run_group_tests(tests, NULL, NULL);
}
