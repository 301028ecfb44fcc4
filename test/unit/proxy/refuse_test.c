/* Stories of clients that cannot be carried: each is told why in its own protocol, and costs nobody
 * else. */
#include "unit/proxy/world.h"
#include "wire/pg_error.h"
#include <sys/resource.h>

static int setup(void **state)
{
	*state = world_new(&(struct options){0});
	return 0;
}

static int teardown(void **state)
{
	world_free(*state);
	return 0;
}

static void test_without_a_primary_the_client_is_told_so(void **state)
{
	struct world *w = *state;
	int client = client_of(w, WRITE); /* not even a first view is there */

	say_startup(client);
	expect_error(client, "57P03", "cluster \"main\" has no primary since");
	close(client);
	AWAIT(w, listener_sum(w, WRITE).closes[CLOSE_NO_SERVER] == 1);
	assert_int_equal(listener_sum(w, WRITE).no_server, 1);
}

static void test_after_an_encryption_request_comes_n_and_then_the_error(void **state)
{
	struct world *w = *state;
	int client = client_of(w, READ);

	write_all(client, gss_request, 8);
	expect(client, "N", 1);
	write_all(client, ssl_request, 8);
	expect(client, "N", 1);
	say_startup(client);
	expect_error(client, "57P03", "no replica since");
	close(client);
}

static void test_an_impatient_client_that_sends_all_at_once_is_answered_as_well(void **state)
{
	struct world *w = *state;
	int client = client_of(w, WRITE);
	char all[8 + STARTUP_BYTES];

	memcpy(all, ssl_request, 8);
	memcpy(all + 8, startup_packet, STARTUP_BYTES);
	write_all(client, all, sizeof(all));
	expect(client, "N", 1);
	expect_error(client, "57P03", "no primary");
	close(client);
}

static void test_endless_encryption_requests_are_a_violation(void **state)
{
	struct world *w = *state;
	int client = client_of(w, WRITE);

	for (int i = 0; i < 2; i++) {
		write_all(client, ssl_request, 8);
		expect(client, "N", 1);
	}
	write_all(client, ssl_request, 8);
	expect_error(client, "08P01", "after it declined encryption");
	close(client);
}

static void test_direct_tls_hears_a_tls_alert(void **state)
{
	static const char hello[] = "\x16\x03\x01\x00\x05\x01\x00\x00\x01\x00";
	struct world *w = *state;
	int client = client_of(w, WRITE);

	write_all(client, hello, 10);
	expect(client, tls_alert_internal_error, TLS_ALERT_BYTES);
	assert_int_equal(read_once(client), 0);
	close(client);
}

static void test_garbage_is_a_protocol_violation(void **state)
{
	static const char http[] = "GET / HTTP/1.0\r\n\r\n";
	struct world *w = *state;
	int client = client_of(w, WRITE);

	write_all(client, http, sizeof(http) - 1);
	expect_error(client, "08P01", "isari received");
	close(client);
	AWAIT(w, listener_sum(w, WRITE).request_errors == 1);
}

/* Its unread megabyte would make our close a reset, and the reset destroy the error. */
static void test_an_error_survives_whatever_the_client_still_sends(void **state)
{
	struct world *w = *state;
	int client = client_of(w, WRITE);
	char *junk = calloc(1, 1000 * 1000);

	say_startup(client);
	write_all(client, junk, 1000 * 1000);
	expect_error(client, "57P03", "no primary");
	close(client);
	free(junk);
}

static void test_a_cancel_request_for_nobody_is_just_closed(void **state)
{
	struct world *w = *state;
	int client = client_of(w, WRITE);

	write_all(client, cancel_request, 16);
	assert_int_equal(read_once(client), 0);
	close(client);
	assert_int_equal(listener_sum(w, WRITE).cancels, 0);
}

static void test_a_port_check_is_no_error(void **state)
{
	struct world *w = *state;

	close(client_of(w, WRITE));
	AWAIT(w, listener_sum(w, WRITE).closes[CLOSE_CLIENT] == 1);
	assert_int_equal(listener_sum(w, WRITE).request_errors, 0);
}

static void test_half_a_startup_and_a_hangup_is_a_request_error(void **state)
{
	struct world *w = *state;
	int client = client_of(w, WRITE);

	write_all(client, startup_packet, 9);
	shutdown(client, SHUT_WR);
	assert_int_equal(read_once(client), 0);
	close(client);
	AWAIT(w, listener_sum(w, WRITE).closes[CLOSE_BAD_STARTUP] == 1);
}

static void test_a_silent_client_is_sent_away(void **state)
{
	struct world *w;
	int client;

	(void)state;
	w = world_new(&(struct options){.startup_ms = 150});
	client = client_of(w, WRITE);
	assert_int_equal(read_once(client), 0);
	AWAIT(w, listener_sum(w, WRITE).closes[CLOSE_STARTUP_TIMEOUT] == 1);
	close(client);
	world_free(w);
}

static void test_a_refused_client_that_never_closes_is_closed(void **state)
{
	struct world *w = *state;
	int client = client_of(w, WRITE);

	say_startup(client);
	AWAIT(w, all_sessions(w) == 0 && listener_sum(w, WRITE).ended == 1);
	close(client);
}

static void test_when_every_server_refuses_the_client_hears_that(void **state)
{
	struct world *w = *state;
	int client;

	for (int i = 0; i < N_SERVERS; i++) {
		close(w->server[i]);
		w->server[i] = -1;
		w->state[READ][i] = SERVER_OPEN;
	}
	publish(w);
	client = client_of(w, READ);
	say_startup(client);
	expect_error(client, "57P03", "(n2: Connection refused)");
	assert_int_equal(server_sum(w, READ, 0).connect_errors, 1);
	assert_int_equal(server_sum(w, READ, 1).connect_errors, 1);
	assert_int_equal(listener_sum(w, READ).redispatches, 1);
	close(client);
}

static void test_plain_tcp_is_just_closed(void **state)
{
	struct world *w;
	int client;

	(void)state;
	w = world_new(&(struct options){.protocol = PROTOCOL_TCP});
	client = client_of(w, WRITE);
	assert_int_equal(read_once(client), 0);
	close(client);
	world_free(w);
}

/* ---- limits ---- */

static void fill_limit(struct world *w, const char *words)
{
	struct wire s, next;
	int client, canceller;

	w->state[WRITE][0] = SERVER_OPEN;
	publish(w);
	s = carry(w, WRITE, 0);
	client = client_of(w, WRITE);
	say_startup(client);
	expect_error(client, "53300", words);
	assert_int_equal(listener_sum(w, WRITE).denied, 0); /* it may still be reading */
	close(client);
	AWAIT(w, listener_sum(w, WRITE).denied == 1);
	canceller = client_of(w, WRITE); /* the way out when every place is taken */
	write_all(canceller, cancel_request, 16);
	next.server = tcp_accept(w->server[0]);
	expect(next.server, cancel_request, 16);
	close(next.server);
	close(canceller);
	assert_carries(&s);
	hang_up(&s);
	AWAIT(w, all_sessions(w) == 0);
	next = carry(w, WRITE, 0);
	hang_up(&next);
	world_free(w);
}

static void test_the_processs_limit(void **state)
{
	(void)state;
	fill_limit(world_new(&(struct options){.maxconn = 1}), "isari has reached its maxconn (1");
}

static void test_a_listeners_limit(void **state)
{
	(void)state;
	fill_limit(world_new(&(struct options){.listener_maxconn = 1}),
		   "listener \"write\" has reached its maxconn (1");
}

static void test_the_servers_limit(void **state)
{
	(void)state;
	fill_limit(world_new(&(struct options){.server_maxconn = 1}),
		   "every server of listener \"write\" has reached its server_maxconn (1");
}

static void test_without_a_descriptor_for_the_server_the_client_is_told(void **state)
{
	struct world *w = *state;
	struct rlimit before, none;
	struct wire s;
	int client, lowest;

	w->state[WRITE][0] = SERVER_OPEN;
	publish(w);
	client = client_of(w, WRITE);
	AWAIT(w, all_sessions(w) == 1);
	lowest = dup(client);
	close(lowest);
	assert_int_equal(getrlimit(RLIMIT_NOFILE, &before), 0);
	none = before;
	none.rlim_cur = (rlim_t)lowest;
	assert_int_equal(setrlimit(RLIMIT_NOFILE, &none), 0);
	say_startup(client);
	expect_error(client, "53300", "no file descriptor");
	assert_int_equal(setrlimit(RLIMIT_NOFILE, &before), 0);
	close(client);
	AWAIT(w, listener_sum(w, WRITE).internal_errors == 1);
	assert_int_equal(w->heard[MSG_SIGN], 0); /* says nothing of the server */
	s = carry(w, WRITE, 0);
	hang_up(&s);
}

/* The client is connected as far as it knows; it waits in the kernel's queue. */
static void test_a_full_descriptor_table_loses_nobody(void **state)
{
	struct sockaddr_in sin = {.sin_family = AF_INET, .sin_addr.s_addr = htonl(INADDR_LOOPBACK)};
	struct world *w = *state;
	struct rlimit before, none;
	struct wire s, late;
	int lowest;

	w->state[WRITE][0] = SERVER_OPEN;
	publish(w);
	s = carry(w, WRITE, 0);
	late.client = socket(AF_INET, SOCK_STREAM, 0);
	tcp_patience(late.client);
	lowest = dup(late.client);
	close(lowest);
	assert_int_equal(getrlimit(RLIMIT_NOFILE, &before), 0);
	none = before;
	none.rlim_cur = (rlim_t)lowest;
	assert_int_equal(setrlimit(RLIMIT_NOFILE, &none), 0);
	sin.sin_port = htons(w->port[WRITE]);
	assert_int_equal(connect(late.client, (struct sockaddr *)&sin, sizeof(sin)), 0);
	say_startup(late.client);
	for (int i = 0; i < 20; i++)
		assert_carries(&s);
	assert_int_equal(all_sessions(w), 1);
	assert_int_equal(setrlimit(RLIMIT_NOFILE, &before), 0);
	late.server = tcp_accept(w->server[0]);
	expect(late.server, startup_packet, STARTUP_BYTES);
	take_on(&late);
	assert_carries(&late);
	hang_up(&s);
	hang_up(&late);
}

int main(void)
{
#define STORY(f) cmocka_unit_test_setup_teardown(f, setup, teardown)
	const struct CMUnitTest tests[] = {
		STORY(test_without_a_primary_the_client_is_told_so),
		STORY(test_after_an_encryption_request_comes_n_and_then_the_error),
		STORY(test_an_impatient_client_that_sends_all_at_once_is_answered_as_well),
		STORY(test_endless_encryption_requests_are_a_violation),
		STORY(test_direct_tls_hears_a_tls_alert),
		STORY(test_garbage_is_a_protocol_violation),
		STORY(test_an_error_survives_whatever_the_client_still_sends),
		STORY(test_a_cancel_request_for_nobody_is_just_closed),
		STORY(test_a_port_check_is_no_error),
		STORY(test_half_a_startup_and_a_hangup_is_a_request_error),
		cmocka_unit_test(test_a_silent_client_is_sent_away),
		STORY(test_a_refused_client_that_never_closes_is_closed),
		STORY(test_when_every_server_refuses_the_client_hears_that),
		cmocka_unit_test(test_plain_tcp_is_just_closed),
		cmocka_unit_test(test_the_processs_limit),
		cmocka_unit_test(test_a_listeners_limit),
		cmocka_unit_test(test_the_servers_limit),
		STORY(test_without_a_descriptor_for_the_server_the_client_is_told),
		STORY(test_a_full_descriptor_table_loses_nobody),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
