/* Stories of workers among themselves and with control: sharing, listing, draining, stopping. */
#include "unit/proxy/world.h"

static int setup(void **state)
{
	struct world *w = world_new(&(struct options){.n_workers = 2});

	w->state[WRITE][0] = SERVER_OPEN;
	w->state[READ][1] = SERVER_OPEN;
	publish(w);
	*state = w;
	return 0;
}

static int teardown(void **state)
{
	world_free(*state);
	return 0;
}

enum { CREW_SESSIONS = 40 };

static void assert_shared_evenly(const struct world *w)
{
	int difference = (int)worker_sessions(w->workers[0]) - (int)worker_sessions(w->workers[1]);

	assert_int_equal(all_sessions(w), CREW_SESSIONS);
	assert_true(difference >= -2 && difference <= 2);
}

/* The kernel spreads by hash; who got too many hands over. */
static void test_workers_share_the_sessions_evenly(void **state)
{
	struct world *w = *state;
	struct wire s[CREW_SESSIONS];

	for (int i = 0; i < CREW_SESSIONS; i++)
		s[i] = carry(w, WRITE, 0);
	assert_shared_evenly(w);
	for (int i = 0; i < CREW_SESSIONS; i++) {
		assert_carries(&s[i]);
		hang_up(&s[i]);
	}
	AWAIT(w, all_sessions(w) == 0);
}

static void test_a_unix_sockets_clients_are_shared_too(void **state)
{
	char directory[] = "/tmp/isari-test-XXXXXX", path[64];
	struct wire s[CREW_SESSIONS];
	struct world *w;

	(void)state;
	assert_non_null(mkdtemp(directory));
	snprintf(path, sizeof(path), "%s/.s.PGSQL.5432", directory);
	w = world_new(&(struct options){.n_workers = 2, .unix_path = path});
	w->state[WRITE][0] = SERVER_OPEN;
	publish(w);
	for (int i = 0; i < CREW_SESSIONS; i++) {
		s[i].client = unix_connect(path);
		say_startup(s[i].client);
		s[i].server = tcp_accept(w->server[0]);
		expect(s[i].server, startup_packet, STARTUP_BYTES);
		take_on(&s[i]);
	}
	assert_shared_evenly(w);
	for (int i = 0; i < CREW_SESSIONS; i++) {
		assert_carries(&s[i]);
		hang_up(&s[i]);
	}
	world_free(w);
	assert_int_equal(rmdir(directory), 0); /* the socket went with its world */
}

static void list(struct world *w, unsigned worker)
{
	unsigned heard = w->heard[MSG_SESSIONS];

	tell(w, worker, MSG_LIST_SESSIONS);
	AWAIT(w, w->heard[MSG_SESSIONS] == heard + 1);
}

/* The worker that has one, and the first of its sessions. */
static unsigned find_session(struct world *w)
{
	for (unsigned i = 0; i < w->n_workers; i++) {
		list(w, i);
		if (w->n_infos > 0)
			return i;
	}
	fail_msg("no worker lists a session");
	return 0;
}

static void test_a_session_is_listed_and_shut_down_by_its_id(void **state)
{
	struct world *w = *state;
	struct wire s = carry(w, WRITE, 0), other = carry(w, READ, 1);
	struct message *m = message_new(MSG_SHUTDOWN_SESSION);
	unsigned owner = find_session(w);
	struct wire *target, *rest;

	assert_string_equal(w->infos[0].state, "relaying");
	assert_true(w->infos[0].client_fd >= 0 && w->infos[0].server_fd >= 0);
	assert_int_equal(w->infos[0].bytes_in, STARTUP_BYTES);
	assert_int_equal(strncmp(w->infos[0].client, "127.0.0.1:", 10), 0);
	assert_int_equal(w->infos[0].id >> 48, owner);
	target = w->infos[0].listener == WRITE ? &s : &other;
	rest = target == &s ? &other : &s;
	m->u.shutdown_session.id = w->infos[0].id;
	worker_send(w->workers[owner], m);
	expect_error(target->client, "57P01", "shut down by an operator");
	assert_int_equal(read_once(target->server), -ECONNRESET);
	assert_carries(rest);
	hang_up(&s);
	hang_up(&other);
}

static void test_an_operator_shuts_down_the_sessions_of_one_server(void **state)
{
	struct world *w = *state;
	struct wire s = carry(w, WRITE, 0), other = carry(w, READ, 1), again;

	for (unsigned i = 0; i < w->n_workers; i++) {
		struct message *m = message_new(MSG_SHUTDOWN_SERVER);

		m->u.shutdown_server.listener = WRITE;
		m->u.shutdown_server.server = 0;
		worker_send(w->workers[i], m);
	}
	expect_error(s.client, "57P01", "shut down by an operator");
	AWAIT(w, listener_sum(w, WRITE).closes[CLOSE_OPERATOR] == 1);
	assert_carries(&other);
	again = carry(w, WRITE, 0); /* the server itself is as good as before */
	assert_carries(&again);
	hang_up(&s);
	hang_up(&again);
	hang_up(&other);
}

static void test_draining_takes_nobody_new_and_waits_for_the_last_one(void **state)
{
	struct world *w = *state;
	struct sockaddr_in sin = {.sin_family = AF_INET, .sin_addr.s_addr = htonl(INADDR_LOOPBACK)};
	struct wire s = carry(w, WRITE, 0);
	int client = socket(AF_INET, SOCK_STREAM, 0);

	for (unsigned i = 0; i < w->n_workers; i++)
		tell(w, i, MSG_DRAIN);
	AWAIT(w, w->heard[MSG_DRAINED] == 1); /* the worker that has none */
	sin.sin_port = htons(w->port[WRITE]);
	list(w, 0);
	list(w, 1); /* both have closed their sockets before they answered */
	assert_int_equal(connect(client, (struct sockaddr *)&sin, sizeof(sin)), -1);
	assert_int_equal(errno, ECONNREFUSED);
	assert_carries(&s);
	assert_int_equal(w->heard[MSG_DRAINED], 1);
	hang_up(&s);
	AWAIT(w, w->heard[MSG_DRAINED] == 2);
	close(client);
}

static void test_stopping_cuts_everybody_in_every_state(void **state)
{
	struct world *w = *state;
	struct wire s = carry(w, WRITE, 0);
	int greeting = client_of(w, WRITE), refused;

	set_state(w, READ, 1, SERVER_CLOSED);
	refused = client_of(w, READ);
	write_all(refused, ssl_request, 8);
	expect(refused, "N", 1);
	AWAIT(w, all_sessions(w) == 3);
	world_stop(w);
	expect_error(s.client, "57P01", "isari is stopping");
	assert_int_equal(read_once(s.server), -ECONNRESET);
	assert_int_equal(read_once(greeting), -ECONNRESET);
	assert_int_equal(read_once(refused), -ECONNRESET);
	assert_int_equal(listener_sum(w, WRITE).closes[CLOSE_STOPPING], 2);
	hang_up(&s);
	close(greeting);
	close(refused);
}

/* While the first of many are closed, slice by slice, the last ones still send their first bytes.
 */
static void test_stopping_ends_though_clients_go_on_to_connect(void **state)
{
	enum { CLIENTS = 600 };
	struct world *w;
	int clients[CLIENTS];

	(void)state;
	w = world_new(&(struct options){0});
	w->state[WRITE][0] = SERVER_OPEN;
	publish(w);
	for (int i = 0; i < CLIENTS; i++)
		clients[i] = client_of(w, WRITE);
	AWAIT(w, all_sessions(w) == CLIENTS);
	tell(w, 0, MSG_STOP);
	for (int i = CLIENTS; i-- > 0;)
		(void)send(clients[i], startup_packet, STARTUP_BYTES, MSG_NOSIGNAL);
	world_stop(w);
	assert_int_equal(listener_sum(w, WRITE).closes[CLOSE_STOPPING], CLIENTS);
	for (int i = 0; i < CLIENTS; i++)
		close(clients[i]);
	world_free(w);
}

/* Its window has been closed for several patiences when its host vanishes. */
static void test_a_reader_that_pauses_and_then_vanishes_is_noticed(void **state)
{
	enum { BYTES = 8 * 1024 * 1024, PATIENCE_MS = 1000 };
	char *data = calloc(1, BYTES);
	struct pollfd wakes = {.events = POLLOUT};
	struct world *w;
	struct wire s;

	(void)state;
	w = world_new(&(struct options){.user_timeout_ms = PATIENCE_MS});
	w->state[WRITE][0] = SERVER_OPEN;
	publish(w);
	s = carry(w, WRITE, 0);
	make_nonblocking(s.server);
	wakes.fd = s.server;
	while (poll(&wakes, 1, 2 * PATIENCE_MS) == 1)
		assert_true(send(s.server, data, BYTES, MSG_NOSIGNAL) > 0);
	tcp_vanish(s.client);
	AWAIT(w, listener_sum(w, WRITE).closes[CLOSE_CLIENT_LOST] == 1);
	assert_int_equal(read_once(s.server), -ECONNRESET);
	hang_up(&s);
	free(data);
	world_free(w);
}

static void test_an_idle_session_is_closed_where_that_is_configured(void **state)
{
	struct world *w;
	struct wire s;

	(void)state;
	w = world_new(&(struct options){.client_idle_ms = 100});
	w->state[WRITE][0] = SERVER_OPEN;
	publish(w);
	s = carry(w, WRITE, 0);
	assert_int_equal(read_once(s.client), 0);
	assert_int_equal(read_once(s.server), 0);
	AWAIT(w, listener_sum(w, WRITE).closes[CLOSE_CLIENT_IDLE] == 1);
	hang_up(&s);
	world_free(w);
}

static void test_clients_beyond_the_last_descriptor_wait_in_the_kernels_queue(void **state)
{
	enum { PLACES = 3, CLIENTS = 6 };
	struct world *w;
	int clients[CLIENTS];

	(void)state;
	w = world_new(&(struct options){.n_workers = 2, .max_clients = PLACES});
	for (unsigned i = 0; i < CLIENTS; i++) {
		clients[i] = client_of(w, WRITE);
		AWAIT(w, all_sessions(w) == (i < PLACES ? i + 1 : PLACES));
	}
	for (unsigned i = 0; i < CLIENTS; i++) { /* each one's place is the next one's */
		say_startup(clients[i]);
		close(clients[i]);
	}
	AWAIT(w, listener_sum(w, WRITE).sessions == CLIENTS && all_sessions(w) == 0);
	world_free(w);
}

/* The kernel's TCP_USER_TIMEOUT would end this session: its window is closed for longer than that.
 */
static void test_a_reader_that_pauses_is_not_taken_for_one_that_vanished(void **state)
{
	enum { BYTES = 8 * 1024 * 1024, PATIENCE_MS = 1000 };
	struct pollfd wakes = {.events = POLLOUT};
	char *data = calloc(1, BYTES);
	size_t sent = 0, got = 0;
	struct world *w;
	struct wire s;
	ssize_t n;

	(void)state;
	w = world_new(&(struct options){.user_timeout_ms = PATIENCE_MS});
	w->state[WRITE][0] = SERVER_OPEN;
	publish(w);
	s = carry(w, WRITE, 0);
	make_nonblocking(s.server);
	wakes.fd = s.server;
	while (poll(&wakes, 1, 3 * PATIENCE_MS) ==
	       1) { /* until nothing moves for three patiences */
		n = send(s.server, data, BYTES - sent % BYTES, MSG_NOSIGNAL);
		assert_true(n > 0);
		sent += (size_t)n;
	}
	shutdown(s.server, SHUT_WR);
	while ((n = recv(s.client, data, BYTES, 0)) > 0)
		got += (size_t)n;
	assert_int_equal(n, 0);
	assert_int_equal(got, sent);
	hang_up(&s);
	free(data);
	world_free(w);
}

static void test_a_taken_address_is_one_clear_sentence(void **state)
{
	struct world *w = *state;
	struct worker *second = NULL;
	struct worker_setup setup = {
		0, 1, w->config, w->board, .control = &w->control, .peers = &second};
	struct err e;

	assert_int_equal(worker_new(&setup, &second, &e), -EADDRINUSE);
	assert_null(second);
	assert_non_null(strstr(e.text, "listener \"write\": cannot bind 127.0.0.1:"));
	assert_non_null(strstr(e.text, "the address is already in use"));
}

static void test_a_worker_that_never_ran_leaves_nothing(void **state)
{
	struct world *w = *state;
	struct worker *idle = NULL;
	struct worker_setup setup = {
		1, 2, w->config, w->board, .control = &w->control, .peers = w->workers};
	struct message *m = message_new(MSG_ADOPT);
	struct err e;
	int a, b;

	assert_int_equal(worker_new(&setup, &idle, &e), 0);
	worker_publish(idle, view_new(w->config));
	worker_publish(idle, view_new(w->config));
	tcp_pair(&a, &b);
	m->u.adopt.fd = b;
	worker_send(idle, m);
	worker_free(idle);
	assert_int_equal(read_once(a), 0); /* the socket that lay in its mailbox is closed */
	close(a);
}

int main(void)
{
#define STORY(f) cmocka_unit_test_setup_teardown(f, setup, teardown)
	const struct CMUnitTest tests[] = {
		STORY(test_workers_share_the_sessions_evenly),
		cmocka_unit_test(test_a_unix_sockets_clients_are_shared_too),
		STORY(test_a_session_is_listed_and_shut_down_by_its_id),
		STORY(test_an_operator_shuts_down_the_sessions_of_one_server),
		STORY(test_draining_takes_nobody_new_and_waits_for_the_last_one),
		STORY(test_stopping_cuts_everybody_in_every_state),
		cmocka_unit_test(test_an_idle_session_is_closed_where_that_is_configured),
		cmocka_unit_test(test_clients_beyond_the_last_descriptor_wait_in_the_kernels_queue),
		cmocka_unit_test(test_a_reader_that_pauses_is_not_taken_for_one_that_vanished),
		cmocka_unit_test(test_a_reader_that_pauses_and_then_vanishes_is_noticed),
		cmocka_unit_test(test_stopping_ends_though_clients_go_on_to_connect),
		STORY(test_a_taken_address_is_one_clear_sentence),
		STORY(test_a_worker_that_never_ran_leaves_nothing),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
