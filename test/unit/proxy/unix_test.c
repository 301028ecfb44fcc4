/* Stories of sessions whose legs are both UNIX sockets: what is different there, and what must not
 * be. The kernel has no RST, no window and no SYN for them: an end, a full queue and a vanished
 * server look otherwise. */
#include "core/monitor.h"
#include "proxy/worker_state.h"
#include "unit/proxy/world.h"
#include <pthread.h>
#include <sys/ioctl.h>
#include <sys/stat.h>

enum { MEGABYTE = 1024 * 1024, LONG_MS = 20000, N_CROWD = 20 };

struct place { /* a directory for the two sockets of a story */
	char directory[32], door[64], server[64];
	struct world *world;
};

static struct world *world_at(struct place *p, struct options o)
{
	struct world *w;

	strcpy(p->directory, "/tmp/isari-unix-XXXXXX");
	assert_non_null(mkdtemp(p->directory));
	assert_int_equal(chmod(p->directory, 0755), 0);
	snprintf(p->door, sizeof(p->door), "%s/.s.PGSQL.5432", p->directory);
	snprintf(p->server, sizeof(p->server), "%s/.s.PGSQL.5433", p->directory);
	o.unix_path = p->door;
	o.unix_server = p->server;
	w = p->world = world_new(&o);
	w->state[WRITE][0] = SERVER_OPEN;
	publish(w);
	return w;
}

static void leave(struct place *p)
{
	world_free(p->world);
	unlink(p->server);
	assert_int_equal(rmdir(p->directory), 0); /* the listener took its own away */
}

static int knock(const struct place *p)
{
	int client = unix_connect(p->door);

	say_startup(client);
	return client;
}

static struct wire carry_there(const struct place *p)
{
	struct wire s = {knock(p), tcp_accept(p->world->server[0])};

	expect(s.server, startup_packet, STARTUP_BYTES);
	take_on(&s);
	return s;
}

static size_t read_to_the_end(int fd, ssize_t *last)
{
	char got[65536];
	size_t n = 0;

	while ((*last = recv(fd, got, sizeof(got), 0)) > 0)
		n += (size_t)*last;
	*last = *last < 0 ? -errno : 0;
	return n;
}

/* ---- bytes and ends ---- */

static void test_both_ways_and_half_closed_both_ways(void **state)
{
	struct place p;
	struct wire s;

	(void)state;
	world_at(&p, (struct options){0});
	for (int client_first = 0; client_first < 2; client_first++) {
		s = carry_there(&p);
		assert_carries(&s);
		shutdown(client_first ? s.client : s.server, SHUT_WR);
		assert_int_equal(read_once(client_first ? s.server : s.client), 0);
		write_all(client_first ? s.server : s.client, "last", 4);
		expect(client_first ? s.client : s.server, "last", 4);
		hang_up(&s);
	}
	AWAIT(p.world, listener_sum(p.world, WRITE).ended == 2);
	leave(&p);
}

static void test_a_client_that_asks_and_closes_at_once_has_asked(void **state)
{
	char *query = calloc(1, MEGABYTE / 8);
	struct place p;
	struct wire s;
	ssize_t last;

	(void)state;
	world_at(&p, (struct options){0});
	for (int i = 0; i < 20; i++) {
		s = carry_there(&p);
		write_all(s.client, query, MEGABYTE / 8);
		close(s.client);
		assert_int_equal(read_to_the_end(s.server, &last), MEGABYTE / 8);
		assert_int_equal(last, 0);
		close(s.server);
	}
	AWAIT(p.world, listener_sum(p.world, WRITE).closes[CLOSE_CLIENT] == 20);
	free(query);
	leave(&p);
}

static void *answer_at_length(void *arg)
{
	char *answer = calloc(1, MEGABYTE);
	const int *server = arg;

	write_all(*server, answer, MEGABYTE);
	close(*server);
	free(answer);
	return NULL;
}

static void test_a_server_that_answers_at_length_and_closes_is_heard_to_the_end(void **state)
{
	pthread_t server;
	struct place p;
	struct wire s;
	ssize_t last;

	(void)state;
	world_at(&p, (struct options){0});
	for (int i = 0; i < 5; i++) {
		s = carry_there(&p);
		assert_int_equal(pthread_create(&server, NULL, answer_at_length, &s.server), 0);
		assert_int_equal(read_to_the_end(s.client, &last), MEGABYTE);
		assert_int_equal(last, 0);
		pthread_join(server, NULL);
		close(s.client);
	}
	AWAIT(p.world, listener_sum(p.world, WRITE).closes[CLOSE_SERVER] == 5);
	leave(&p);
}

/* What the kernel makes of a process that dies over unread bytes: after all that it had said. */
static void test_a_server_that_dies_over_unread_bytes_is_a_reset(void **state)
{
	struct world *w;
	struct place p;
	struct wire s;
	ssize_t last;

	(void)state;
	w = world_at(&p, (struct options){0});
	s = carry_there(&p);
	write_all(s.client, "unread", 6);
	AWAIT(w, ({
		      int n = 0;
		      ioctl(s.server, FIONREAD, &n) == 0 && n == 6;
	      }));
	write_all(s.server, "dying words", 11);
	close(s.server);
	assert_int_equal(read_to_the_end(s.client, &last), 11);
	assert_int_equal(last, 0); /* no RST can be passed on to a UNIX socket */
	close(s.client);
	AWAIT(w, listener_sum(w, WRITE).closes[CLOSE_SERVER_RESET] == 1);
	leave(&p);
}

/* ---- a server that cannot be had ---- */

static void test_no_socket_is_a_refusal_and_the_client_waits_for_it(void **state)
{
	struct world *w;
	struct place p;
	struct wire s;

	(void)state;
	w = world_at(&p, (struct options){.hold_ms = LONG_MS});
	close(w->server[0]);
	unlink(p.server);
	s.client = knock(&p);
	AWAIT(w, w->heard[MSG_SIGN] > 0);
	assert_int_equal(w->last_sign, SIGN_REFUSED);
	AWAIT(w, atomic_load(&w->board->holds[WRITE].now) == 1);
	w->server[0] = unix_listen(p.server, 5);
	s.server = tcp_accept(w->server[0]);
	expect(s.server, startup_packet, STARTUP_BYTES);
	take_on(&s);
	assert_carries(&s);
	hang_up(&s);
	leave(&p);
}

static void test_without_a_hold_the_client_hears_what_is_missing(void **state)
{
	struct world *w;
	struct place p;
	int client;

	(void)state;
	w = world_at(&p, (struct options){0});
	close(w->server[0]);
	client = knock(&p);
	expect_error(client, "57P03", "Connection refused"); /* its process is gone */
	close(client);
	unlink(p.server);
	client = knock(&p);
	expect_error(client, "57P03", "its socket is not there");
	close(client);
	w->server[0] = -1;
	leave(&p);
}

/* A crowd at a queue of one: everybody gets in in the end, and nobody says that the server is no
 * good. */
static void test_a_full_queue_blames_nobody(void **state)
{
	int clients[N_CROWD], server;
	struct world *w;
	struct place p;
	ssize_t last;

	(void)state;
	w = world_at(&p, (struct options){.hold_ms = LONG_MS});
	assert_int_equal(listen(w->server[0], 0), 0);
	for (int i = 0; i < N_CROWD; i++)
		clients[i] = knock(&p);
	AWAIT(w, atomic_load(&w->board->holds[WRITE].now) >= N_CROWD - 3);
	for (int i = 0; i < N_CROWD; i++) {
		server = tcp_accept(w->server[0]);
		expect(server, startup_packet, STARTUP_BYTES);
		write_all(server, auth_ok, AUTH_OK_BYTES);
		close(server);
	}
	for (int i = 0; i < N_CROWD; i++) {
		assert_int_equal(read_to_the_end(clients[i], &last), AUTH_OK_BYTES);
		close(clients[i]);
	}
	AWAIT(w, listener_sum(w, WRITE).ended == N_CROWD);
	assert_true(server_sum(w, WRITE, 0).connect_errors > 0);
	assert_int_equal(listener_sum(w, WRITE).closes[CLOSE_SERVER], N_CROWD);
	leave(&p);
}

static void test_a_full_queue_is_no_reason_to_ask_patroni(void **state)
{
	struct world *w;
	struct place p;
	int client, first;

	(void)state;
	w = world_at(&p, (struct options){0});
	assert_int_equal(listen(w->server[0], 0), 0);
	first = unix_connect(p.server); /* it takes the only place */
	client = knock(&p);
	expect_error(client, "57P03", "the queue of its socket is full");
	assert_int_equal(w->heard[MSG_SIGN], 0);
	close(client);
	close(first);
	leave(&p);
}

static void test_a_socket_that_is_not_ours_to_open_is_told_and_no_sign(void **state)
{
	uid_t me = geteuid();
	struct world *w;
	struct place p;
	struct wire s;
	int client;

	(void)state;
	w = world_at(&p, (struct options){0});
	assert_int_equal(chmod(p.server, 0), 0);
	assert_int_equal(chmod(p.door, 0777), 0);
	if (me == 0) /* root may open everything */
		assert_int_equal(seteuid(65534), 0);
	client = knock(&p);
	expect_error(client, "57P03", "Permission denied");
	assert_int_equal(seteuid(me), 0);
	assert_int_equal(w->heard[MSG_SIGN], 0);
	assert_true(
		atomic_load(&w->board->gauges[counters_server_row(w->config, WRITE, 0)].denied));
	close(client);
	assert_int_equal(chmod(p.server, 0777), 0);
	s = carry_there(&p);
	assert_false(
		atomic_load(&w->board->gauges[counters_server_row(w->config, WRITE, 0)].denied));
	hang_up(&s);
	leave(&p);
}

/* TCP would take the packet and answer with a reset; here the write itself may fail. */
static void test_a_server_that_hangs_up_unheard_is_tried_again(void **state)
{
	struct world *w;
	struct place p;
	struct wire s;

	(void)state;
	w = world_at(&p, (struct options){.hold_ms = LONG_MS});
	s.client = knock(&p);
	close(tcp_accept(w->server[0]));
	s.server = tcp_accept(w->server[0]);
	expect(s.server, startup_packet, STARTUP_BYTES);
	take_on(&s);
	AWAIT(w, w->heard[MSG_SIGN] > 0);
	assert_int_equal(w->last_sign, SIGN_RESET);
	assert_carries(&s);
	hang_up(&s);
	leave(&p);
}

/* ---- verdicts and cancels ---- */

static void test_a_verdict_ends_both_legs_and_the_client_hears_why(void **state)
{
	struct world *w;
	struct place p;
	struct wire s;
	ssize_t last;

	(void)state;
	w = world_at(&p, (struct options){0});
	s = carry_there(&p);
	write_all(s.server, "Z\0\0\0\5I", 6);
	expect(s.client, "Z\0\0\0\5I", 6);
	set_state(w, WRITE, 0, SERVER_CLOSED);
	expect_error(s.client, "57P01", "terminating connection to n1");
	assert_int_equal(read_to_the_end(s.server, &last), 0);
	assert_int_equal(last, 0);
	hang_up(&s);
	leave(&p);
}

static void test_ctrl_c_finds_its_server_by_the_socket(void **state)
{
	struct world *w;
	struct place p;
	struct wire s, courier;

	(void)state;
	w = world_at(&p, (struct options){.n_workers = 2});
	s = carry_there(&p);
	write_all(s.server, "K\0\0\0\x0c\0\0\0\x2a\0\0\0\7", 13);
	expect(s.client, "K\0\0\0\x0c\0\0\0\x2a\0\0\0\7", 13);
	courier.client = unix_connect(p.door);
	write_all(courier.client, cancel_request, 16);
	courier.server = tcp_accept(w->server[0]);
	expect(courier.server, cancel_request, 16);
	close(courier.server);
	assert_int_equal(read_once(courier.client), 0);
	close(courier.client);
	assert_carries(&s);
	hang_up(&s);
	leave(&p);
}

static void test_who_is_connected_by_what_is_told(void **state)
{
	struct world *w;
	struct message *m;
	struct place p;
	struct wire s;

	(void)state;
	w = world_at(&p, (struct options){0});
	s = carry_there(&p);
	m = message_new(MSG_LIST_SESSIONS);
	worker_send(w->workers[0], m);
	AWAIT(w, w->heard[MSG_SESSIONS] == 1);
	assert_int_equal(w->n_infos, 1);
	assert_string_equal(w->infos[0].client, "unix");
	assert_string_equal(w->infos[0].server_local, "unix");
	hang_up(&s);
	leave(&p);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_both_ways_and_half_closed_both_ways),
		cmocka_unit_test(test_a_client_that_asks_and_closes_at_once_has_asked),
		cmocka_unit_test(
			test_a_server_that_answers_at_length_and_closes_is_heard_to_the_end),
		cmocka_unit_test(test_a_server_that_dies_over_unread_bytes_is_a_reset),
		cmocka_unit_test(test_no_socket_is_a_refusal_and_the_client_waits_for_it),
		cmocka_unit_test(test_without_a_hold_the_client_hears_what_is_missing),
		cmocka_unit_test(test_a_full_queue_blames_nobody),
		cmocka_unit_test(test_a_full_queue_is_no_reason_to_ask_patroni),
		cmocka_unit_test(test_a_socket_that_is_not_ours_to_open_is_told_and_no_sign),
		cmocka_unit_test(test_a_server_that_hangs_up_unheard_is_tried_again),
		cmocka_unit_test(test_a_verdict_ends_both_legs_and_the_client_hears_why),
		cmocka_unit_test(test_ctrl_c_finds_its_server_by_the_socket),
		cmocka_unit_test(test_who_is_connected_by_what_is_told),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
