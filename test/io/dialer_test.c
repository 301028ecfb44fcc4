/* Stories of calling a server without waiting for it. */
#include "io/dialer.h"
#include "io/edge.h"
#include "io/loop.h"
#include "io/sockets.h"
#include "io/sockopt.h"
#include <netinet/tcp.h>

static void on_ready(struct edge_source *source, uint32_t events)
{
	(void)source;
	(void)events;
}

/* What a session does: call, watch, ask when the socket is reported. */
static int call(const char *ip, uint16_t port, int *fd)
{
	struct edge_source source;
	struct edge edge;
	uv_loop_t loop;
	int rc = dialer_start(ip, port);

	*fd = rc;
	if (rc < 0)
		return rc;
	assert_int_equal(loop_open(&loop), 0);
	assert_int_equal(edge_open(&edge, &loop), 0);
	edge_source_init(&source, on_ready);
	assert_int_equal(edge_add(&edge, &source, *fd), 0);
	while (edge_wait(&edge, 20000) == 0)
		;
	rc = dialer_finish(*fd);
	edge_drop(&edge, &source);
	edge_close(&edge);
	loop_close(&loop, "dialer_test");
	return rc;
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
	assert_int_equal(option(fd, IPPROTO_TCP, TCP_NODELAY), 1);
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

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_a_listening_server_is_reached_and_can_be_kept_alive),
		cmocka_unit_test(test_a_refusal_is_told_as_one),
		cmocka_unit_test(test_a_name_is_not_an_address),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
