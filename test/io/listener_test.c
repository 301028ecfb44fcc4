/* Stories of listening sockets: every kind of address, each way to fail, and a table of descriptors
 * that is full. */
#include "base/str.h"
#include "io/listener.h"
#include "io/sockets.h"
#include <netinet/tcp.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/resource.h>
#include <sys/stat.h>
#include <sys/un.h>

static const struct sockopt options = {30000, 10000, 3};

struct catch
{
	int fds[64];
	unsigned n;
	struct endpoint client; /* of the last one */
};

static void on_accept(void *arg, int fd, const struct endpoint *client)
{
	struct catch *c = arg;

	assert_true(c->n < 64);
	c->fds[c->n++] = fd;
	c->client = *client;
}

static void release(struct catch *c)
{
	while (c->n > 0)
		close(c->fds[--c->n]);
}

static struct addr at(const char *host, uint16_t port)
{
	struct addr a = {.kind = host[0] == '/' ? ADDR_UNIX : ADDR_TCP, .port = port};

	str_copy(a.host, sizeof(a.host), host);
	return a;
}

static int try_open(struct listener *l, const char *host, uint16_t port, bool exclusive,
		    struct err *e)
{
	struct addr a = at(host, port);

	return listener_open(l, &a, &options, exclusive, e);
}

static uint16_t port_of(const struct listener *l)
{
	struct sockaddr_in6 sin;
	socklen_t len = sizeof(sin);

	assert_int_equal(getsockname(l->fd, (struct sockaddr *)&sin, &len), 0);
	return ntohs(sin.sin6_port); /* the same place in both families */
}

static void accept_one(struct listener *l, struct catch *c)
{
	while (c->n == 0)
		assert_int_not_equal(listener_accept(l, LISTENER_TURN, on_accept, c),
				     LISTENER_EXHAUSTED);
	assert_int_equal(c->n, 1);
}

/* The address that came with the accepted socket is the one that its client has. */
static void assert_known(const struct catch *c, int client)
{
	struct endpoint local = socket_local(client);
	char known[ENDPOINT_TEXT_BYTES], true_one[ENDPOINT_TEXT_BYTES];

	assert_string_equal(endpoint_format(&c->client, known, sizeof(known)),
			    endpoint_format(&local, true_one, sizeof(true_one)));
}

static void test_ipv4_accepts_and_accepted_sockets_inherit_the_options(void **state)
{
	struct catch c = {.n = 0};
	socklen_t len = sizeof(int);
	struct listener l;
	struct err e;
	int client, idle = 0, nodelay = 0;

	(void)state;
	assert_int_equal(try_open(&l, "127.0.0.1", 0, false, &e), 0);
	assert_int_equal(listener_accept(&l, LISTENER_TURN, on_accept, &c), LISTENER_IDLE);
	client = tcp_connect(port_of(&l));
	accept_one(&l, &c);
	getsockopt(c.fds[0], IPPROTO_TCP, TCP_KEEPIDLE, &idle, &len);
	getsockopt(c.fds[0], IPPROTO_TCP, TCP_NODELAY, &nodelay, &len);
	assert_int_equal(idle, 30);
	assert_int_equal(nodelay, 1);
	assert_true(fcntl(c.fds[0], F_GETFL) & O_NONBLOCK);
	assert_known(&c, client);
	release(&c);
	close(client);
	listener_close(&l, NULL);
	listener_close(&l, NULL);
}

static bool have_ipv6(void)
{
	struct sockaddr_in6 sin = {.sin6_family = AF_INET6, .sin6_addr = in6addr_loopback};
	int fd = socket(AF_INET6, SOCK_STREAM, 0);
	bool yes = fd >= 0 && bind(fd, (struct sockaddr *)&sin, sizeof(sin)) == 0;

	if (fd >= 0)
		close(fd);
	return yes;
}

static int connect_v6(uint16_t port)
{
	struct sockaddr_in6 sin = {
		.sin6_family = AF_INET6, .sin6_port = htons(port), .sin6_addr = in6addr_loopback};
	int fd = socket(AF_INET6, SOCK_STREAM, 0);

	assert_int_equal(connect(fd, (struct sockaddr *)&sin, sizeof(sin)), 0);
	return fd;
}

static void test_ipv6_and_its_wildcard_leave_ipv4_alone(void **state)
{
	struct catch c = {.n = 0};
	struct listener l, four;
	struct err e;
	int client;

	(void)state;
	if (!have_ipv6())
		skip();
	assert_int_equal(try_open(&l, "::1", 0, true, &e), 0);
	client = connect_v6(port_of(&l));
	accept_one(&l, &c);
	assert_known(&c, client);
	release(&c);
	close(client);
	listener_close(&l, NULL);
	assert_int_equal(try_open(&l, "::", 0, true, &e), 0);
	assert_int_equal(try_open(&four, "0.0.0.0", port_of(&l), true, &e), 0);
	listener_close(&l, NULL);
	listener_close(&four, NULL);
}

static void test_a_star_answers_both_families(void **state)
{
	struct catch c = {.n = 0};
	struct listener l;
	struct err e;
	int four, six;

	(void)state;
	assert_int_equal(try_open(&l, "*", 0, true, &e), 0);
	four = tcp_connect(port_of(&l));
	accept_one(&l, &c);
	assert_known(&c, four);
	release(&c);
	close(four);
	if (have_ipv6()) {
		six = connect_v6(port_of(&l));
		accept_one(&l, &c);
		assert_known(&c, six);
		release(&c);
		close(six);
	}
	listener_close(&l, NULL);
}

static void test_workers_share_a_port_that_nobody_else_has(void **state)
{
	struct listener first, second, third;
	struct err e;

	(void)state;
	assert_int_equal(try_open(&first, "127.0.0.1", 0, false, &e), 0);
	assert_int_equal(try_open(&second, "127.0.0.1", port_of(&first), false, &e), 0);
	assert_int_equal(try_open(&third, "127.0.0.1", port_of(&first), true, &e), -EADDRINUSE);
	assert_string_equal(
		e.text, "the address is already in use: stop the other process or choose another");
	listener_close(&first, NULL);
	listener_close(&second, NULL);
}

static void test_an_address_of_another_machine_is_named_as_the_fault(void **state)
{
	struct listener l;
	struct err e;

	(void)state;
	assert_int_equal(try_open(&l, "192.0.2.1", 5000, true, &e), -EADDRNOTAVAIL);
	assert_non_null(strstr(e.text, "does not have the address"));
}

/* ---- UNIX sockets ---- */

static char directory[32];

static int make_directory(void **state)
{
	(void)state;
	strcpy(directory, "/tmp/isari-test-XXXXXX");
	return mkdtemp(directory) ? 0 : -1;
}

static int remove_directory(void **state)
{
	(void)state;
	return rmdir(directory); /* fails when a test left something behind */
}

static const char *in_directory(const char *name)
{
	static char path[80];

	snprintf(path, sizeof(path), "%s/%s", directory, name);
	return path;
}

static void test_a_unix_socket_accepts_and_is_removed_at_close(void **state)
{
	const char *path = in_directory(".s.PGSQL.5000");
	struct catch c = {.n = 0};
	struct stat st;
	struct listener l;
	struct err e;
	int client;

	(void)state;
	assert_int_equal(try_open(&l, path, 0, true, &e), 0);
	assert_int_equal(stat(path, &st), 0);
	assert_int_equal(st.st_mode & 0777, 0777);
	client = unix_connect(path);
	accept_one(&l, &c);
	assert_known(&c, client);
	release(&c);
	close(client);
	listener_close(&l, NULL);
	assert_int_equal(stat(path, &st), -1);
}

static void test_a_stale_unix_socket_is_replaced_and_a_live_one_is_not(void **state)
{
	const char *path = in_directory("live");
	struct sockaddr_un un = {.sun_family = AF_UNIX};
	struct listener l, other;
	struct err e;
	int fd = socket(AF_UNIX, SOCK_STREAM, 0);

	(void)state;
	str_copy(un.sun_path, sizeof(un.sun_path), path);
	assert_int_equal(bind(fd, (struct sockaddr *)&un, sizeof(un)), 0);
	close(fd); /* died without cleaning up */
	assert_int_equal(try_open(&l, path, 0, true, &e), 0);
	assert_int_equal(try_open(&other, path, 0, true, &e), -EADDRINUSE);
	close(unix_connect(path));
	listener_close(&l, NULL);
}

static void test_a_directory_is_no_place_but_has_one(void **state)
{
	struct listener l;
	struct err e;

	(void)state;
	assert_int_equal(try_open(&l, "/tmp", 0, true, &e), -EISDIR);
	assert_non_null(strstr(e.text, "name the socket in it"));
}

static void test_a_file_in_the_way_is_kept(void **state)
{
	const char *path = in_directory("precious");
	struct listener l;
	struct err e;

	(void)state;
	fclose(fopen(path, "w"));
	assert_int_equal(try_open(&l, path, 0, true, &e), -ENOTSOCK);
	assert_int_equal(unlink(path), 0);
	assert_int_equal(try_open(&l, in_directory("no/such/place"), 0, true, &e), -ENOENT);
}

static void test_somebody_elses_new_socket_is_not_removed(void **state)
{
	const char *path = in_directory("taken");
	struct listener l, successor;
	struct err e;
	char kept[80];

	(void)state;
	str_copy(kept, sizeof(kept), path);
	assert_int_equal(try_open(&l, kept, 0, true, &e), 0);
	assert_int_equal(unlink(kept), 0);
	assert_int_equal(try_open(&successor, kept, 0, true, &e), 0);
	listener_close(&l, NULL);
	close(unix_connect(kept));
	listener_close(&successor, NULL);
}

/* ---- no descriptor left ---- */

static void test_without_descriptors_the_queue_keeps_the_client(void **state)
{
	struct rlimit before, none;
	struct catch c = {.n = 0};
	struct listener l;
	struct err e;
	int client;

	(void)state;
	assert_int_equal(try_open(&l, "127.0.0.1", 0, false, &e), 0);
	client = tcp_connect(port_of(&l));
	assert_int_equal(getrlimit(RLIMIT_NOFILE, &before), 0);
	none = before;
	none.rlim_cur = (rlim_t)client + 1;
	assert_int_equal(setrlimit(RLIMIT_NOFILE, &none), 0);
	for (int i = 0; i < 3; i++)
		assert_int_equal(listener_accept(&l, LISTENER_TURN, on_accept, &c),
				 LISTENER_EXHAUSTED);
	assert_int_equal(setrlimit(RLIMIT_NOFILE, &before), 0);
	accept_one(&l, &c);
	write_all(client, "x", 1);
	close(client);
	release(&c);
	listener_close(&l, NULL);
}

static void test_a_turn_is_bounded(void **state)
{
	struct catch c = {.n = 0};
	struct listener l;
	struct err e;
	int clients[20];

	(void)state;
	assert_int_equal(try_open(&l, "127.0.0.1", 0, false, &e), 0);
	for (int i = 0; i < 20; i++)
		clients[i] = tcp_connect(port_of(&l));
	assert_int_equal(listener_accept(&l, LISTENER_TURN, on_accept, &c), LISTENER_MORE);
	assert_int_equal(c.n, LISTENER_TURN);
	assert_int_equal(listener_accept(&l, LISTENER_TURN, on_accept, &c), LISTENER_IDLE);
	assert_int_equal(c.n, 20);
	release(&c);
	for (int i = 0; i < 20; i++)
		close(clients[i]);
	listener_close(&l, NULL);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_ipv4_accepts_and_accepted_sockets_inherit_the_options),
		cmocka_unit_test(test_ipv6_and_its_wildcard_leave_ipv4_alone),
		cmocka_unit_test(test_a_star_answers_both_families),
		cmocka_unit_test(test_workers_share_a_port_that_nobody_else_has),
		cmocka_unit_test(test_an_address_of_another_machine_is_named_as_the_fault),
		cmocka_unit_test(test_a_unix_socket_accepts_and_is_removed_at_close),
		cmocka_unit_test(test_a_stale_unix_socket_is_replaced_and_a_live_one_is_not),
		cmocka_unit_test(test_a_directory_is_no_place_but_has_one),
		cmocka_unit_test(test_a_file_in_the_way_is_kept),
		cmocka_unit_test(test_somebody_elses_new_socket_is_not_removed),
		cmocka_unit_test(test_without_descriptors_the_queue_keeps_the_client),
		cmocka_unit_test(test_a_turn_is_bounded),
	};

	return cmocka_run_group_tests(tests, make_directory, remove_directory);
}
