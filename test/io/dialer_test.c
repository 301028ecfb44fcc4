/* Stories of calling a server without waiting for it. */
#include "io/clock.h"
#include "io/dialer.h"
#include "io/edge.h"
#include "io/loop.h"
#include "io/sockets.h"
#include "io/sockopt.h"
#include <netinet/tcp.h>
#include <stdio.h>
#include <stdlib.h>

static void on_ready(struct edge_source *source, uint32_t events)
{
	(void)source;
	(void)events;
}

/* What a session does: call, watch, ask when the socket is reported. */
static int call_address(const struct dialer_address *to, int *fd)
{
	struct edge_source source;
	struct edge edge;
	uv_loop_t loop;
	int rc = dialer_start(to);

	*fd = rc;
	if (rc < 0)
		return rc;
	assert_int_equal(loop_open(&loop), 0);
	assert_int_equal(edge_open(&edge, &loop, &(edge_handler *){on_ready}, 1), 0);
	edge_source_init(&source, 0);
	assert_int_equal(edge_add(&edge, &source, *fd), 0);
	while (edge_wait(&edge, clock_us(), clock_us() + 20000000) == 0)
		;
	rc = dialer_finish(*fd);
	edge_drop(&edge, &source);
	edge_close(&edge);
	loop_close(&loop, "dialer_test");
	return rc;
}

static int call(const char *ip, uint16_t port, int *fd)
{
	struct dialer_address to;
	int rc = dialer_address_ip(&to, ip, port);

	assert_int_equal(to.len > 0, rc == 0);
	assert_false(dialer_is_local(&to));
	return rc < 0 ? rc : call_address(&to, fd);
}

static int call_socket(const char *path, int *fd)
{
	struct dialer_address to;

	assert_int_equal(dialer_address_socket(&to, path), 0);
	assert_true(dialer_is_local(&to));
	return call_address(&to, fd);
}

/* A name in a directory of its own, for the life of one story. */
struct place {
	char directory[32], path[64];
};

static struct place place_new(void)
{
	struct place p = {.directory = "/tmp/isari-dialer-XXXXXX"};

	assert_non_null(mkdtemp(p.directory));
	snprintf(p.path, sizeof(p.path), "%s/.s.PGSQL.5432", p.directory);
	return p;
}

static void place_free(const struct place *p)
{
	unlink(p->path);
	assert_int_equal(rmdir(p->directory), 0);
}

static int option(int fd, int level, int name)
{
	socklen_t len = sizeof(int);
	int value = 0;

	assert_int_equal(getsockopt(fd, level, name, &value, &len), 0);
	return value;
}

static void test_a_listening_server_is_reached_and_can_be_kept_alive(void **state)
{
	const struct sockopt options = {30000, 10000, 3};
	uint16_t port;
	int listening = tcp_listen(&port), fd;

	(void)state;
	assert_int_equal(call("127.0.0.1", port, &fd), 0);
	assert_int_equal(option(fd, SOL_SOCKET, SO_KEEPALIVE), 0);
	assert_int_equal(sockopt_keepalive(fd, &options), 0);
	assert_int_equal(option(fd, SOL_SOCKET, SO_KEEPALIVE), 1);
	assert_int_equal(option(fd, IPPROTO_TCP, TCP_KEEPIDLE), 30);
	assert_int_equal(option(fd, IPPROTO_TCP, TCP_KEEPINTVL), 10);
	assert_int_equal(option(fd, IPPROTO_TCP, TCP_KEEPCNT), 3);
	assert_true(fcntl(fd, F_GETFL) & O_NONBLOCK);
	assert_true(fcntl(fd, F_GETFD) & FD_CLOEXEC);
	close(fd);
	close(listening);
}

static void test_a_refusal_is_told_as_one(void **state)
{
	uint16_t port;
	int fd;

	(void)state;
	close(tcp_listen(&port));
	assert_int_equal(call("127.0.0.1", port, &fd), -ECONNREFUSED);
	if (fd >= 0)
		close(fd);
}

static void test_a_name_is_not_an_address(void **state)
{
	int fd;

	(void)state;
	assert_int_equal(call("localhost", 5432, &fd), -EINVAL);
	assert_int_equal(call("", 5432, &fd), -EINVAL);
	assert_int_equal(call("300.1.1.1", 5432, &fd), -EINVAL);
}

static void test_scopes_are_part_of_an_address(void **state)
{
	struct dialer_address named, numbered;
	const struct sockaddr_in6 *to = (const struct sockaddr_in6 *)&named.to;

	(void)state;
	assert_int_equal(dialer_address_ip(&named, "fe80::1%lo", 5432), 0);
	assert_int_equal(to->sin6_scope_id, 1); /* lo is the first everywhere */
	assert_int_equal(ntohs(to->sin6_port), 5432);
	assert_int_equal(dialer_address_ip(&numbered, "fe80::1%1", 5432), 0);
	assert_memory_equal(&named.to, &numbered.to, named.len);
}

static void test_nobody_is_called_without_an_address(void **state)
{
	struct dialer_address none = {0};

	(void)state;
	assert_int_equal(dialer_start(&none), -EHOSTUNREACH);
	assert_int_equal(dialer_address_ip(&none, "", 5432), -EINVAL);
	assert_int_equal(dialer_start(&none), -EHOSTUNREACH);
}

static void test_a_socket_is_reached_and_is_writable_at_once(void **state)
{
	struct place p = place_new();
	int listening = unix_listen(p.path, 5), fd, peer;

	(void)state;
	assert_int_equal(call_socket(p.path, &fd), 0);
	assert_true(fcntl(fd, F_GETFL) & O_NONBLOCK);
	assert_true(fcntl(fd, F_GETFD) & FD_CLOEXEC);
	assert_int_equal(send(fd, "hello", 5, MSG_NOSIGNAL), 5);
	peer = tcp_accept(listening);
	close(fd);
	assert_int_equal(read_once(peer), 1);
	close(peer);
	close(listening);
	place_free(&p);
}

static void test_a_socket_that_is_not_there_or_dead_says_so_at_once(void **state)
{
	struct place p = place_new();
	struct dialer_address to;

	(void)state;
	assert_int_equal(dialer_address_socket(&to, p.path), 0);
	assert_int_equal(dialer_start(&to), -ENOENT);
	close(unix_listen(p.path, 5)); /* its process has ended, the file is left */
	assert_int_equal(dialer_start(&to), -ECONNREFUSED);
	place_free(&p);
}

static void test_a_full_queue_is_no_fault_of_ours(void **state)
{
	struct place p = place_new();
	int listening = unix_listen(p.path, 0), first, again;
	struct dialer_address to;

	(void)state;
	assert_int_equal(dialer_address_socket(&to, p.path), 0);
	first = dialer_start(&to);
	assert_true(first >= 0);
	assert_int_equal(dialer_start(&to), -EBUSY);
	close(tcp_accept(listening));
	again = dialer_start(&to);
	assert_true(again >= 0);
	close(first);
	close(again);
	close(listening);
	place_free(&p);
}

static void test_a_path_too_long_is_no_address(void **state)
{
	struct dialer_address to;
	char path[120];

	(void)state;
	memset(path, 'x', sizeof(path));
	path[0] = '/';
	path[108] = '\0';
	assert_int_equal(dialer_address_socket(&to, path), -EINVAL);
	assert_int_equal(to.len, 0);
	path[107] = '\0';
	assert_int_equal(dialer_address_socket(&to, path), 0);
	assert_int_equal(dialer_address_socket(&to, "here"), -EINVAL);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_a_listening_server_is_reached_and_can_be_kept_alive),
		cmocka_unit_test(test_a_refusal_is_told_as_one),
		cmocka_unit_test(test_a_name_is_not_an_address),
		cmocka_unit_test(test_scopes_are_part_of_an_address),
		cmocka_unit_test(test_nobody_is_called_without_an_address),
		cmocka_unit_test(test_a_socket_is_reached_and_is_writable_at_once),
		cmocka_unit_test(test_a_socket_that_is_not_there_or_dead_says_so_at_once),
		cmocka_unit_test(test_a_full_queue_is_no_fault_of_ours),
		cmocka_unit_test(test_a_path_too_long_is_no_address),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
