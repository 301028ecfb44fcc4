/* Stories of Ctrl-C: which servers a CancelRequest reaches, and how many of them. */
#include "unit/proxy/world.h"

enum { CANCEL_BYTES = 16, BURST = 50, EACH_MS = 10, MOST_COURIERS = 64 };

static const char key_data[] = "K\0\0\0\x0c\0\0\0\x2a\0\0\0\7"; /* of cancel_request */
enum { KEY_DATA_BYTES = 13 };

static struct world *both_open(const struct options *o)
{
	struct world *w = world_new(o);

	w->state[WRITE][0] = SERVER_OPEN;
	w->state[READ][0] = w->state[READ][1] = SERVER_OPEN;
	publish(w);
	return w;
}

static int setup(void **state)
{
	*state = both_open(&(struct options){0});
	return 0;
}

static int setup_two(void **state)
{
	*state = both_open(&(struct options){.n_workers = 2});
	return 0;
}

static int teardown(void **state)
{
	world_free(*state);
	return 0;
}

static struct wire log_in(struct world *w, unsigned listener, const char *key, size_t n)
{
	struct wire s = carry(w, listener, 0);

	write_all(s.server, key, n);
	expect(s.client, key, n);
	return s;
}

static void assert_nobody_calls(int listening)
{
	struct pollfd p = {.fd = listening, .events = POLLIN};

	assert_int_equal(poll(&p, 1, 0), 0);
}

/* The packet arrives at server 0, which closes as PostgreSQL does, and the driver has its end. */
static void cancel_reaches_first(struct world *w, unsigned listener, const char *packet, size_t n)
{
	struct wire s = {client_of(w, listener), -1};

	write_all(s.client, packet, n);
	s.server = tcp_accept(w->server[0]);
	expect(s.server, packet, n);
	close(s.server);
	s.server = -1;
	assert_int_equal(read_once(s.client), 0);
	hang_up(&s);
}

static void cancel_reaches_both(struct world *w, unsigned listener)
{
	int client = client_of(w, listener), servers[N_SERVERS];

	write_all(client, cancel_request, CANCEL_BYTES);
	for (int i = 0; i < N_SERVERS; i++) {
		servers[i] = tcp_accept(w->server[i]);
		expect(servers[i], cancel_request, CANCEL_BYTES);
	}
	for (int i = 0; i < N_SERVERS; i++)
		close(servers[i]);
	assert_int_equal(read_once(client), 0);
	close(client);
}

/* ---- whom it reaches ---- */

static void test_a_known_key_leads_to_the_sessions_server_only(void **state)
{
	enum { TIMES = 12 };
	struct world *w = *state;
	struct wire s = log_in(w, READ, key_data, KEY_DATA_BYTES);

	for (int i = 0; i < TIMES; i++)
		cancel_reaches_first(w, READ, cancel_request, CANCEL_BYTES);
	AWAIT(w, all_sessions(w) == 1);
	assert_nobody_calls(w->server[1]);
	assert_int_equal(listener_sum(w, READ).cancels, TIMES);
	assert_int_equal(listener_sum(w, READ).ended, 0);
	hang_up(&s);
}

static void test_it_may_come_in_by_another_listener(void **state)
{
	struct world *w = *state;
	struct wire s = log_in(w, READ, key_data, KEY_DATA_BYTES);

	w->state[WRITE][0] = SERVER_CLOSED;
	w->state[WRITE][1] = SERVER_OPEN;
	publish(w);
	cancel_reaches_first(w, WRITE, cancel_request, CANCEL_BYTES);
	assert_nobody_calls(w->server[1]);
	hang_up(&s);
}

static void test_a_key_of_256_bytes_passes_and_is_known(void **state)
{
	enum { KEY = 256, MESSAGE = 9 + KEY, PACKET = 12 + KEY };
	char message[MESSAGE] = "K\0\0\1\x08\0\0\0\x2a",
	     packet[PACKET] = "\0\0\1\x0c\x04\xd2\x16\x2e", got[PACKET];
	struct world *w = *state;
	struct wire s = carry(w, READ, 0), cancel;

	for (int i = 0; i < KEY; i++)
		message[9 + i] = (char)(i * 7);
	memcpy(packet + 8, message + 5, 4 + KEY);
	write_all(s.server, message, MESSAGE);
	assert_int_equal(read_all(s.client, message, MESSAGE), MESSAGE);
	cancel.client = client_of(w, READ);
	write_all(cancel.client, packet, PACKET);
	cancel.server = tcp_accept(w->server[0]);
	assert_int_equal(read_all(cancel.server, got, PACKET), PACKET);
	assert_memory_equal(got, packet, PACKET);
	assert_nobody_calls(w->server[1]);
	hang_up(&cancel);
	hang_up(&s);
}

static void test_a_key_that_nobody_knows_goes_to_all(void **state)
{
	static const char other[] = "K\0\0\0\x0c\0\0\0\x2a\0\0\0\x08";
	struct world *w = *state;
	struct wire s = log_in(w, READ, other, KEY_DATA_BYTES);

	cancel_reaches_both(w, READ);
	AWAIT(w, listener_sum(w, READ).cancels == 2);
	hang_up(&s);
}

static void test_a_key_inside_tls_is_known_to_nobody(void **state)
{
	struct world *w = *state;
	struct wire s = {client_of(w, READ), -1};

	write_all(s.client, ssl_request, 8);
	s.server = tcp_accept(w->server[0]);
	expect(s.server, ssl_request, 8);
	write_all(s.server, "S", 1);
	expect(s.client, "S", 1);
	write_all(s.server, key_data, KEY_DATA_BYTES);
	expect(s.client, key_data, KEY_DATA_BYTES);
	cancel_reaches_both(w, READ);
	hang_up(&s);
}

/* libpq 17 with sslmode=prefer, where ssl is off. */
static void test_a_cancel_after_a_no_to_encryption_reaches_the_sessions_server(void **state)
{
	enum { TIMES = 4 };
	struct world *w = *state;
	struct wire s = log_in(w, READ, key_data, KEY_DATA_BYTES);

	for (int i = 0; i < TIMES; i++) {
		struct wire c = {client_of(w, READ), -1};
		int asked;

		write_all(c.client, ssl_request, 8);
		asked = tcp_accept(w->server[(i + 1) % N_SERVERS]);
		expect(asked, ssl_request, 8);
		write_all(asked, "N", 1);
		expect(c.client, "N", 1);
		write_all(c.client, cancel_request, CANCEL_BYTES);
		assert_int_equal(read_once(asked), 0);
		close(asked);
		c.server = tcp_accept(w->server[0]);
		expect(c.server, cancel_request, CANCEL_BYTES);
		close(c.server);
		c.server = -1;
		assert_int_equal(read_once(c.client), 0);
		hang_up(&c);
	}
	AWAIT(w, all_sessions(w) == 1);
	assert_int_equal(listener_sum(w, READ).cancels, TIMES);
	assert_int_equal(listener_sum(w, READ).ended, 0);
	hang_up(&s);
}

static void test_a_key_is_forgotten_with_its_session(void **state)
{
	struct world *w = *state;
	struct wire s = log_in(w, READ, key_data, KEY_DATA_BYTES);

	hang_up(&s);
	AWAIT(w, all_sessions(w) == 0);
	cancel_reaches_both(w, READ);
}

/* ---- several workers ---- */

/* Whichever of them takes the request, and whichever carries the session. */
static void test_a_worker_asks_the_others(void **state)
{
	enum { TIMES = 24 };
	struct world *w = *state;
	struct wire s = log_in(w, READ, key_data, KEY_DATA_BYTES);

	for (int i = 0; i < TIMES; i++)
		cancel_reaches_first(w, READ, cancel_request, CANCEL_BYTES);
	assert_nobody_calls(w->server[1]);
	AWAIT(w, all_sessions(w) == 1);
	assert_int_equal(listener_sum(w, READ).cancels, TIMES);
	hang_up(&s);
}

static void test_when_no_worker_knows_the_key_it_goes_to_all(void **state)
{
	struct world *w = *state;

	for (int i = 0; i < 12; i++)
		cancel_reaches_both(w, READ);
	AWAIT(w, all_sessions(w) == 0);
	assert_int_equal(listener_sum(w, READ).cancels, 24);
}

static void test_a_client_that_hangs_up_while_the_others_are_asked_leaves_nothing(void **state)
{
	struct world *w = *state;

	for (int i = 0; i < 40; i++) {
		int client = client_of(w, WRITE);

		write_all(client, cancel_request, CANCEL_BYTES);
		tcp_reset(client);
	}
	for (;;) { /* each of them may have been passed on, or not */
		struct pollfd p = {.fd = w->server[0], .events = POLLIN};

		uv_run(&w->loop, UV_RUN_NOWAIT);
		if (poll(&p, 1, 1) == 1)
			close(tcp_accept(w->server[0]));
		else if (all_sessions(w) == 0)
			break;
	}
}

/* ---- how many ---- */

static void test_a_flood_has_few_couriers_at_a_time(void **state)
{
	enum { REQUESTS = 200 };
	struct world *w = *state;
	int clients[REQUESTS];
	struct counters_sum sum;

	for (int i = 0; i < REQUESTS; i++) { /* the servers never close: nobody is done */
		clients[i] = client_of(w, READ);
		write_all(clients[i], cancel_request, CANCEL_BYTES);
	}
	AWAIT(w, (sum = listener_sum(w, READ), sum.cancels == MOST_COURIERS));
	AWAIT(w, listener_sum(w, READ).cancels_refused == REQUESTS - MOST_COURIERS / N_SERVERS);
	for (int i = 0; i < REQUESTS; i++)
		close(clients[i]);
}

/* Those that are done at once are held to a rate. */
static void test_a_steady_flood_is_held_to_a_rate(void **state)
{
	enum { REQUESTS = 400 };
	struct world *w = *state;
	int64_t began_ms = test_now_ms();
	uint64_t passed = 0;

	for (int i = 0; i < REQUESTS; i++) {
		int client = client_of(w, WRITE);

		write_all(client, cancel_request, CANCEL_BYTES);
		AWAIT(w, listener_sum(w, WRITE).cancels + listener_sum(w, WRITE).cancels_refused ==
				 (uint64_t)i + 1);
		if (listener_sum(w, WRITE).cancels > passed)
			close(tcp_accept(w->server[0]));
		passed = listener_sum(w, WRITE).cancels;
		assert_true((int64_t)passed <= BURST + 1 + (test_now_ms() - began_ms) / EACH_MS);
		assert_int_equal(read_once(client), 0);
		close(client);
	}
	assert_true(passed >= BURST);
}

int main(void)
{
#define STORY(f) cmocka_unit_test_setup_teardown(f, setup, teardown)
#define CREW(f)  cmocka_unit_test_setup_teardown(f, setup_two, teardown)
	const struct CMUnitTest tests[] = {
		STORY(test_a_known_key_leads_to_the_sessions_server_only),
		STORY(test_it_may_come_in_by_another_listener),
		STORY(test_a_key_of_256_bytes_passes_and_is_known),
		STORY(test_a_key_that_nobody_knows_goes_to_all),
		STORY(test_a_key_inside_tls_is_known_to_nobody),
		STORY(test_a_cancel_after_a_no_to_encryption_reaches_the_sessions_server),
		STORY(test_a_key_is_forgotten_with_its_session),
		CREW(test_a_worker_asks_the_others),
		CREW(test_when_no_worker_knows_the_key_it_goes_to_all),
		CREW(test_a_client_that_hangs_up_while_the_others_are_asked_leaves_nothing),
		STORY(test_a_flood_has_few_couriers_at_a_time),
		STORY(test_a_steady_flood_is_held_to_a_rate),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
