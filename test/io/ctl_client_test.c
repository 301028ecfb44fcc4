/* The blocking client of the command line against servers of every temper. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "io/ctl_client.h"
#include <arpa/inet.h>
#include <errno.h>
#include <pthread.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/un.h>
#include <unistd.h>

enum { PATIENCE_MS = 10000, SHORT_MS = 50 };

/* A server for one client: reads to its half-close, then says what it has to say. */
struct peer {
	char directory[32];
	struct addr addr;
	int fd;
	pthread_t thread;
	bool mute; /* accepts and holds the connection until `until` is closed */
	int until[2];
	const char *reply;
	size_t repeat;
	char heard[256];
};

static void send_text(int fd, const char *text)
{
	for (size_t len = strlen(text); len > 0;) {
		ssize_t n = send(fd, text, len, MSG_NOSIGNAL);
		if (n <= 0)
			return;
		text += n;
		len -= (size_t)n;
	}
}

static void *serve(void *arg)
{
	struct peer *p = arg;
	size_t used = 0;
	ssize_t n;
	char byte;
	int fd = accept(p->fd, NULL, NULL);

	if (p->mute) {
		while (read(p->until[0], &byte, 1) > 0)
			;
	} else {
		while ((n = recv(fd, p->heard + used, sizeof(p->heard) - 1 - used, 0)) > 0)
			used += (size_t)n;
		for (size_t i = 0; i < p->repeat; i++)
			send_text(fd, p->reply);
	}
	close(fd);
	return NULL;
}

static void peer_bind_unix(struct peer *p)
{
	struct sockaddr_un sa = {.sun_family = AF_UNIX};

	strcpy(p->directory, "/tmp/isari-ctl-XXXXXX");
	assert_non_null(mkdtemp(p->directory));
	p->addr.kind = ADDR_UNIX;
	snprintf(p->addr.host, sizeof(p->addr.host), "%s/socket", p->directory);
	strcpy(sa.sun_path, p->addr.host);
	p->fd = socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0);
	assert_int_equal(bind(p->fd, (struct sockaddr *)&sa, sizeof(sa)), 0);
}

static void peer_bind_tcp(struct peer *p)
{
	struct sockaddr_in sa = {.sin_family = AF_INET, .sin_addr.s_addr = htonl(INADDR_LOOPBACK)};
	socklen_t len = sizeof(sa);

	p->fd = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);
	assert_int_equal(bind(p->fd, (struct sockaddr *)&sa, sizeof(sa)), 0);
	assert_int_equal(getsockname(p->fd, (struct sockaddr *)&sa, &len), 0);
	p->addr = (struct addr){.kind = ADDR_TCP, .host = "127.0.0.1", .port = ntohs(sa.sin_port)};
}

static void peer_start(struct peer *p)
{
	assert_int_equal(listen(p->fd, 1), 0);
	assert_int_equal(pipe(p->until), 0);
	assert_int_equal(pthread_create(&p->thread, NULL, serve, p), 0);
}

static void peer_end(struct peer *p)
{
	close(p->until[1]);
	pthread_join(p->thread, NULL);
	close(p->until[0]);
	close(p->fd);
	if (p->directory[0]) {
		unlink(p->addr.host);
		rmdir(p->directory);
	}
}

static void test_a_reply_is_read_to_its_end(void **state)
{
	struct peer p = {.reply = "one\ntwo\n\n", .repeat = 20000};
	struct buf reply = {0};
	struct err e;

	(void)state;
	peer_bind_unix(&p);
	peer_start(&p);
	assert_int_equal(ctl_client_ask(&p.addr, "show stat", PATIENCE_MS, &reply, &e), 0);
	peer_end(&p);
	assert_string_equal(p.heard, "show stat\n");
	assert_int_equal(reply.len, 9 * 20000);
	assert_string_equal(reply.data + reply.len - 9, "one\ntwo\n\n");
	buf_fini(&reply);
}

static void test_tcp_is_a_socket_too(void **state)
{
	struct peer p = {.reply = "ok\n\n", .repeat = 1};
	struct buf reply = {0};
	struct err e;

	(void)state;
	peer_bind_tcp(&p);
	peer_start(&p);
	assert_int_equal(ctl_client_ask(&p.addr, "x", PATIENCE_MS, &reply, &e), 0);
	peer_end(&p);
	assert_string_equal(reply.data, "ok\n\n");
	buf_fini(&reply);
}

static void test_a_silent_server_is_given_up(void **state)
{
	struct peer p = {.mute = true};
	struct buf reply = {0};
	struct err e;

	(void)state;
	peer_bind_unix(&p);
	peer_start(&p);
	assert_int_equal(ctl_client_ask(&p.addr, "x", SHORT_MS, &reply, &e), -ETIMEDOUT);
	peer_end(&p);
	assert_non_null(strstr(e.text, p.addr.host));
	assert_non_null(strstr(e.text, "busy or stopped"));
	assert_int_equal(reply.len, 0);
	buf_fini(&reply);
}

static void expect_no_connection(const struct addr *a, int error, const char *remedy)
{
	struct buf reply = {0};
	struct err e;

	assert_int_equal(ctl_client_ask(a, "x", PATIENCE_MS, &reply, &e), error);
	assert_non_null(strstr(e.text, "cannot connect to"));
	assert_non_null(strstr(e.text, remedy));
	buf_fini(&reply);
}

static void test_who_is_not_there_is_named_with_a_remedy(void **state)
{
	struct peer p = {0};

	(void)state;
	peer_bind_unix(&p); /* bound, but nobody listens */
	expect_no_connection(&p.addr, -ECONNREFUSED, "is isari running?");
	close(p.fd);
	unlink(p.addr.host);
	expect_no_connection(&p.addr, -ENOENT, "is stats.socket this path?");
	rmdir(p.directory);
	memset(p.addr.host, 'x', 200); /* longer than a socket's path may be */
	expect_no_connection(&p.addr, -ENAMETOOLONG, "xxx");
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_a_reply_is_read_to_its_end),
		cmocka_unit_test(test_tcp_is_a_socket_too),
		cmocka_unit_test(test_a_silent_server_is_given_up),
		cmocka_unit_test(test_who_is_not_there_is_named_with_a_remedy),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
