/* What an operator may do to accepting: pause a listener, shut it, limit how many come in a second,
 * and change the limits of sessions while they are carried. */
#include "unit/proxy/world.h"
#include <stdlib.h>
#include <unistd.h>

static struct world *open_world(struct options o)
{
	struct world *w = world_new(&o);

	w->state[WRITE][0] = SERVER_OPEN;
	w->state[READ][1] = SERVER_OPEN;
	publish(w);
	return w;
}

/* Every worker has done what it was told before when it has listed its sessions. */
static void await_workers(struct world *w)
{
	publish(w);
}

static void set_frontend(struct world *w, unsigned listener, enum frontend_state s)
{
	atomic_store(&w->board->frontends[listener], (unsigned)s);
	for (unsigned i = 0; i < w->n_workers; i++) {
		struct message *m = message_new(MSG_FRONTEND);

		m->u.frontend.listener = listener;
		worker_send(w->workers[i], m);
	}
	await_workers(w);
}

/* 0, or the error of connecting. */
static int knock(const struct world *w, unsigned listener)
{
	struct sockaddr_in sa = {.sin_family = AF_INET, .sin_port = htons(w->port[listener])};
	int fd = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0), rc;

	sa.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
	rc = connect(fd, (struct sockaddr *)&sa, sizeof(sa)) < 0 ? errno : 0;
	close(fd);
	return rc;
}

static bool is_refused(const struct world *w, unsigned listener)
{
	return knock(w, listener) == ECONNREFUSED;
}

static void test_a_paused_listener_refuses_and_its_sessions_go_on(void **state)
{
	struct world *w = open_world((struct options){.n_workers = 2});
	struct wire before = carry(w, WRITE, 0), after;

	(void)state;
	set_frontend(w, WRITE, FRONTEND_PAUSED);
	AWAIT(w, is_refused(w, WRITE));
	for (unsigned i = 0; i < 20; i++)
		assert_true(is_refused(w, WRITE));
	assert_carries(&before);
	hang_up(&before);
	before = carry(w, READ, 1); /* the other listener knows nothing of it */
	set_frontend(w, WRITE, FRONTEND_OPEN);
	AWAIT(w, !is_refused(w, WRITE));
	for (unsigned i = 0; i < 20; i++) {
		after = carry(w, WRITE, 0);
		hang_up(&after);
	}
	hang_up(&before);
	world_free(w);
}

static void test_a_paused_worker_does_not_spin(void **state)
{
	struct world *w = open_world((struct options){0});
	uint64_t turns;

	(void)state;
	set_frontend(w, WRITE, FRONTEND_PAUSED);
	AWAIT(w, is_refused(w, WRITE));
	await_workers(w);
	turns = atomic_load(&w->board->workers[0].turns);
	usleep(200 * 1000);
	assert_true(atomic_load(&w->board->workers[0].turns) - turns < 10);
	world_free(w);
}

static void test_who_was_connected_before_a_pause_is_served(void **state)
{
	struct world *w = open_world((struct options){0});
	struct wire s = {.client = client_of(w, WRITE)};

	(void)state;
	set_frontend(w, WRITE, FRONTEND_PAUSED);
	say_startup(s.client);
	s.server = tcp_accept(w->server[0]);
	expect(s.server, startup_packet, STARTUP_BYTES);
	take_on(&s);
	hang_up(&s);
	world_free(w);
}

static void test_clients_of_a_unix_socket_queue_during_a_pause(void **state)
{
	char path[] = "/tmp/isari-accept-XXXXXX";
	struct world *w;
	struct wire s;
	char name[64];

	(void)state;
	assert_non_null(mkdtemp(path));
	snprintf(name, sizeof(name), "%s/s", path);
	w = open_world((struct options){.n_workers = 2, .unix_path = name});
	set_frontend(w, WRITE, FRONTEND_PAUSED);
	s.client = unix_connect(name);
	say_startup(s.client);
	await_workers(w);
	assert_int_equal(all_sessions(w), 0);
	set_frontend(w, WRITE, FRONTEND_OPEN);
	s.server = tcp_accept(w->server[0]);
	expect(s.server, startup_packet, STARTUP_BYTES);
	take_on(&s);
	set_frontend(w, WRITE, FRONTEND_STOP);
	AWAIT(w, access(name, F_OK) < 0);
	assert_carries(&s);
	hang_up(&s);
	world_free(w);
	rmdir(path);
}

static void test_a_listener_that_was_shut_stays_shut(void **state)
{
	struct world *w = open_world((struct options){.n_workers = 2});
	struct wire s = carry(w, WRITE, 0);

	(void)state;
	set_frontend(w, WRITE, FRONTEND_PAUSED);
	set_frontend(w, WRITE, FRONTEND_STOP);
	AWAIT(w, is_refused(w, WRITE));
	set_frontend(w, WRITE, FRONTEND_STOP); /* twice is fine */
	assert_carries(&s);
	hang_up(&s);
	tell(w, 0, MSG_DRAIN); /* so is a drain */
	tell(w, 1, MSG_DRAIN);
	AWAIT(w, is_refused(w, READ));
	set_frontend(w, WRITE, FRONTEND_STOP);
	world_free(w);
}

/* ---- rate ---- */

static void test_so_many_come_in_a_second_and_the_rest_in_the_next(void **state)
{
	enum { RATE = 4, CLIENTS = 6 };
	struct world *w = open_world((struct options){.n_workers = 2});
	int clients[CLIENTS];
	int64_t began;

	(void)state;
	atomic_store(&w->board->rate.per_second[RATE_CONNECTIONS], RATE);
	while (clock_ms() % 1000 > 300) /* near the beginning of a second */
		usleep(1000);
	began = clock_ms() / 1000;
	for (unsigned i = 0; i < CLIENTS; i++)
		clients[i] = client_of(w, WRITE);
	AWAIT(w, all_sessions(w) == RATE || clock_ms() / 1000 > began);
	if (clock_ms() / 1000 == began)
		assert_int_equal(all_sessions(w), RATE);
	AWAIT(w, all_sessions(w) == CLIENTS);
	assert_true(clock_ms() / 1000 > began);
	for (unsigned i = 0; i < CLIENTS; i++)
		close(clients[i]);
	world_free(w);
}

/* ---- what it takes ---- */

static uint64_t used_bytes(const struct world *w)
{
	return atomic_load(&w->board->workers[0].pool_used_bytes);
}

static void test_what_sessions_take_is_told_while_they_are_there(void **state)
{
	struct world *w = open_world((struct options){0});
	uint64_t one = atomic_load(&w->board->workers[0].session_bytes);
	struct wire a = carry(w, WRITE, 0), b = carry(w, WRITE, 0);

	(void)state;
	assert_true(one > 0);
	AWAIT(w, used_bytes(w) == 2 * one);
	assert_true(atomic_load(&w->board->workers[0].pool_bytes) >= 2 * one);
	hang_up(&a);
	AWAIT(w, used_bytes(w) == one);
	hang_up(&b);
	AWAIT(w, used_bytes(w) == 0);
	world_free(w);
}

/* ---- limits ---- */

static void test_limits_change_for_those_who_come(void **state)
{
	struct world *w = open_world((struct options){0});
	struct wire s = carry(w, WRITE, 0);
	unsigned row = counters_server_row(w->config, WRITE, 0);
	int client;

	(void)state;
	atomic_store(&w->board->gauges[WRITE].limit, 1);
	client = client_of(w, WRITE);
	say_startup(client);
	expect_error(client, "53300", "has reached its maxconn (1 sessions)");
	close(client);
	atomic_store(&w->board->gauges[WRITE].limit, 9);
	atomic_store(&w->board->gauges[row].limit, 1);
	client = client_of(w, WRITE);
	say_startup(client);
	expect_error(client, "53300", "has reached its server_maxconn");
	close(client);
	atomic_store(&w->board->gauges[row].limit, GAUGE_UNLIMITED);
	atomic_store(&w->board->maxconn, 1);
	client = client_of(w, WRITE);
	say_startup(client);
	expect_error(client, "53300", "isari has reached its maxconn (1 sessions)");
	close(client);
	assert_carries(&s);
	hang_up(&s);
	world_free(w);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_a_paused_listener_refuses_and_its_sessions_go_on),
		cmocka_unit_test(test_a_paused_worker_does_not_spin),
		cmocka_unit_test(test_who_was_connected_before_a_pause_is_served),
		cmocka_unit_test(test_clients_of_a_unix_socket_queue_during_a_pause),
		cmocka_unit_test(test_a_listener_that_was_shut_stays_shut),
		cmocka_unit_test(test_so_many_come_in_a_second_and_the_rest_in_the_next),
		cmocka_unit_test(test_what_sessions_take_is_told_while_they_are_there),
		cmocka_unit_test(test_limits_change_for_those_who_come),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
