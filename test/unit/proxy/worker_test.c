/* Stories of sessions that are carried: every byte, every kind of end, and which server
 * is chosen. */
#include "base/rng.h"
#include "core/monitor.h"
#include "io/log.h"
#include "unit/proxy/world.h"
#include <pthread.h>

static int setup(void **state)
{
	struct world *w = world_new(&(struct options){0});

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

/* ---- bytes ---- */

struct stream { /* one end of one direction, in a thread of its own */
	int fd;
	uint64_t seed;
	size_t total;
	bool slow;
	size_t wrong;
	ssize_t last;
};

static void generate(struct rng *r, char *data, size_t n)
{
	for (size_t i = 0; i < n; i++)
		data[i] = (char)(rng_next(r) >> 32);
}

static size_t next_size(struct rng *sizes, size_t left)
{
	static const size_t most[] = {1, 100, 9000, 100 * 1000, 4 * 1024 * 1024};
	size_t n = 1 + rng_below(sizes, most[rng_below(sizes, 5)]);

	return n < left ? n : left;
}

static void *write_stream(void *arg)
{
	struct stream *s = arg;
	char *data = malloc(4 * 1024 * 1024);
	struct rng bytes, sizes;
	size_t done = 0;

	rng_seed(&bytes, s->seed);
	rng_seed(&sizes, s->seed + 1);
	while (done < s->total) {
		size_t n = next_size(&sizes, s->total - done);

		generate(&bytes, data, n);
		for (size_t at = 0; at < n;) {
			ssize_t sent = send(s->fd, data + at, n - at, MSG_NOSIGNAL);

			if (sent <= 0)
				goto out;
			at += (size_t)sent;
		}
		done += n;
	}
out:
	shutdown(s->fd, SHUT_WR);
	free(data);
	return NULL;
}

static void *read_stream(void *arg)
{
	struct stream *s = arg;
	char *got = malloc(64 * 1024), *want = malloc(64 * 1024);
	struct rng bytes, sizes;

	rng_seed(&bytes, s->seed);
	rng_seed(&sizes, s->seed + 2);
	s->total = 0;
	while ((s->last = recv(s->fd, got, 1 + rng_below(&sizes, s->slow ? 3000 : 64 * 1024), 0)) >
	       0) {
		generate(&bytes, want, (size_t)s->last);
		s->wrong += memcmp(got, want, (size_t)s->last) != 0;
		s->total += (size_t)s->last;
	}
	free(got);
	free(want);
	return NULL;
}

enum { UP = 12 * 1000 * 1000 + 1, DOWN = 16 * 1000 * 1000 + 3 };

/* Both directions at once; the readers are slower than the writers. */
static void exchange(struct world *w, struct wire *s)
{
	struct stream ends[4] = {{s->client, 1, UP, false, 0, 0},
				 {s->server, 2, DOWN, false, 0, 0},
				 {s->server, 1, 0, true, 0, 0},
				 {s->client, 2, 0, true, 0, 0}};
	pthread_t threads[4];

	tcp_small_buffers(s->client);
	tcp_small_buffers(s->server);
	for (int i = 0; i < 4; i++)
		pthread_create(&threads[i], NULL, i < 2 ? write_stream : read_stream, &ends[i]);
	for (int i = 0; i < 4; i++)
		pthread_join(threads[i], NULL);
	assert_int_equal(ends[2].total, UP);
	assert_int_equal(ends[3].total, DOWN);
	for (int i = 2; i < 4; i++) {
		assert_int_equal(ends[i].wrong, 0);
		assert_int_equal(ends[i].last, 0); /* a clean end in both directions */
	}
	AWAIT(w, all_sessions(w) == 0);
	assert_int_equal(listener_sum(w, WRITE).bytes_in, UP + STARTUP_BYTES);
	assert_int_equal(server_sum(w, WRITE, 0).bytes_out, DOWN + AUTH_OK_BYTES);
	hang_up(s);
}

static void test_random_sizes_cross_both_ways_intact(void **state)
{
	struct world *w = *state;
	struct wire s = carry(w, WRITE, 0);

	exchange(w, &s);
}

static void exchange_by_sockets(bool to_a_unix_server)
{
	char directory[] = "/tmp/isari-test-XXXXXX", path[64], server[64];
	struct world *w;
	struct wire s;

	assert_non_null(mkdtemp(directory));
	snprintf(path, sizeof(path), "%s/.s.PGSQL.5432", directory);
	snprintf(server, sizeof(server), "%s/.s.PGSQL.5433", directory);
	w = world_new(&(struct options){.unix_path = path,
					.unix_server = to_a_unix_server ? server : NULL});
	w->state[WRITE][0] = SERVER_OPEN;
	publish(w);
	s.client = unix_connect(path);
	say_startup(s.client);
	s.server = tcp_accept(w->server[0]);
	expect(s.server, startup_packet, STARTUP_BYTES);
	take_on(&s);
	exchange(w, &s);
	world_free(w);
	unlink(server);
	assert_int_equal(rmdir(directory), 0); /* the socket went with its world */
}

static void test_a_unix_client_gets_them_intact_as_well(void **state)
{
	(void)state;
	exchange_by_sockets(false);
}

static void test_a_unix_server_does_too(void **state)
{
	(void)state;
	exchange_by_sockets(true);
}

static void test_a_startup_in_single_bytes_arrives_unchanged(void **state)
{
	struct world *w = *state;
	struct wire s = {client_of(w, WRITE), -1};
	int on = 1;

	setsockopt(s.client, IPPROTO_TCP, 1 /* TCP_NODELAY */, &on, sizeof(on));
	for (int i = 0; i < STARTUP_BYTES; i++)
		write_all(s.client, startup_packet + i, 1);
	s.server = tcp_accept(w->server[0]);
	expect(s.server, startup_packet, STARTUP_BYTES);
	take_on(&s);
	assert_carries(&s);
	hang_up(&s);
}

static void test_an_encryption_request_is_the_servers_to_answer(void **state)
{
	struct world *w = *state;
	struct wire s = {client_of(w, WRITE), -1};

	write_all(s.client, ssl_request, 8);
	s.server = tcp_accept(w->server[0]);
	expect(s.server, ssl_request, 8);
	write_all(s.server, "S", 1);
	expect(s.client, "S", 1);
	assert_carries(&s);
	hang_up(&s);
}

/* ---- ends ---- */

static void test_a_client_that_half_closes_still_gets_its_answer(void **state)
{
	struct world *w = *state;
	struct wire s = carry(w, WRITE, 0);

	write_all(s.client, "select", 6);
	shutdown(s.client, SHUT_WR);
	expect(s.server, "select", 6);
	assert_int_equal(read_once(s.server), 0);
	write_all(s.server, "answer", 6);
	expect(s.client, "answer", 6);
	close(s.server);
	s.server = -1;
	assert_int_equal(read_once(s.client), 0);
	AWAIT(w, listener_sum(w, WRITE).closes[CLOSE_CLIENT] == 1);
	hang_up(&s);
}

static void test_a_server_that_half_closes_still_hears_the_client(void **state)
{
	struct world *w = *state;
	struct wire s = carry(w, WRITE, 0);

	write_all(s.server, "bye", 3);
	shutdown(s.server, SHUT_WR);
	expect(s.client, "bye", 3);
	assert_int_equal(read_once(s.client), 0);
	write_all(s.client, "thanks", 6);
	expect(s.server, "thanks", 6);
	close(s.client);
	s.client = -1;
	assert_int_equal(read_once(s.server), 0);
	AWAIT(w, listener_sum(w, WRITE).closes[CLOSE_SERVER] == 1);
	hang_up(&s);
}

static void test_a_clients_reset_reaches_the_server_as_a_reset(void **state)
{
	struct world *w = *state;
	struct wire s = carry(w, WRITE, 0);

	assert_carries(&s);
	tcp_reset(s.client);
	s.client = -1;
	assert_int_equal(read_once(s.server), -ECONNRESET);
	AWAIT(w, listener_sum(w, WRITE).closes[CLOSE_CLIENT_RESET] == 1);
	assert_int_equal(listener_sum(w, WRITE).client_aborts, 1);
	hang_up(&s);
}

static void test_a_servers_reset_reaches_the_client_after_its_last_words(void **state)
{
	struct world *w = *state;
	struct wire s = carry(w, WRITE, 0);

	assert_carries(&s);
	write_all(s.server, "FATAL", 5);
	expect(s.client, "FATAL", 5);
	tcp_reset(s.server);
	s.server = -1;
	assert_int_equal(read_once(s.client), -ECONNRESET);
	AWAIT(w, w->heard[MSG_SIGN] == 1);
	assert_int_equal(w->last_sign, SIGN_RESET);
	AWAIT(w, server_sum(w, WRITE, 0).server_aborts == 1);
	assert_int_equal(server_sum(w, WRITE, 0).response_errors, 1);
	hang_up(&s);
}

/* As PostgreSQL ends every TLS session: the client's close_notify is left unread. */
static void test_a_servers_reset_after_the_clients_end_is_no_news(void **state)
{
	struct world *w = *state;
	struct wire s = carry(w, WRITE, 0);

	write_all(s.client, "good-bye", 8);
	shutdown(s.client, SHUT_WR);
	expect(s.server, "good-bye", 8);
	assert_int_equal(read_once(s.server), 0);
	tcp_reset(s.server);
	s.server = -1;
	assert_int_equal(read_once(s.client), -ECONNRESET); /* it may have waited for an answer */
	AWAIT(w, listener_sum(w, WRITE).closes[CLOSE_CLIENT] == 1);
	assert_int_equal(server_sum(w, WRITE, 0).server_aborts, 0);
	assert_int_equal(server_sum(w, WRITE, 0).response_errors, 0);
	assert_int_equal(w->heard[MSG_SIGN], 0);
	hang_up(&s);
}

static void test_a_word_to_a_server_that_has_ended_is_answered_by_a_reset(void **state)
{
	struct world *w = *state;
	struct wire s = carry(w, WRITE, 0);

	write_all(s.server, "FATAL", 5);
	close(s.server);
	s.server = -1;
	expect(s.client, "FATAL", 5);
	assert_int_equal(read_once(s.client), 0);
	AWAIT(w, (send(s.client, "x", 1, MSG_NOSIGNAL),
		  listener_sum(w, WRITE).closes[CLOSE_SERVER] == 1));
	assert_int_equal(server_sum(w, WRITE, 0).server_aborts, 0);
	assert_int_equal(w->heard[MSG_SIGN], 0); /* a login that failed ends like that */
	hang_up(&s);
}

static void test_a_reset_before_the_first_answer_is_a_response_error(void **state)
{
	struct world *w = *state;
	struct wire s = {client_of(w, WRITE), -1};

	say_startup(s.client);
	s.server = tcp_accept(w->server[0]);
	expect(s.server, startup_packet, STARTUP_BYTES);
	tcp_reset(s.server);
	s.server = -1;
	expect_error(s.client, "57P03", "could be reached"); /* nobody waits here */
	assert_int_equal(server_sum(w, WRITE, 0).response_errors, 1);
	hang_up(&s);
}

/* ---- which server ---- */

static void test_readers_alternate_over_the_replicas(void **state)
{
	struct world *w = *state;
	struct wire s[4];

	set_state(w, READ, 0, SERVER_OPEN);
	for (int i = 0; i < 4; i++) {
		int client = client_of(w, READ);

		say_startup(client);
		s[i].client = client;
	}
	for (int i = 0; i < 4; i++) { /* two each, whoever came first */
		s[i].server = tcp_accept(w->server[i / 2]);
		expect(s[i].server, startup_packet, STARTUP_BYTES);
	}
	for (int i = 0; i < 4; i++)
		hang_up(&s[i]);
}

static void test_a_refusal_is_answered_by_the_next_server(void **state)
{
	struct world *w = *state;
	struct wire s[2];

	close(w->server[0]);
	w->server[0] = -1;
	set_state(w, READ, 0, SERVER_OPEN);
	for (int i = 0; i < 2; i++) { /* round robin: one of them meets the dead server first */
		s[i] = carry(w, READ, 1);
		assert_carries(&s[i]);
	}
	AWAIT(w, w->heard[MSG_SIGN] >= 1);
	assert_int_equal(w->last_sign_member, 0);
	assert_int_equal(w->last_sign, SIGN_REFUSED);
	assert_int_equal(server_sum(w, READ, 0).connect_errors, 1);
	assert_int_equal(server_sum(w, READ, 0).redispatches, 1);
	assert_int_equal(listener_sum(w, READ).redispatches, 1);
	assert_int_equal(listener_sum(w, READ).connect_retries, 0);
	assert_int_equal(listener_sum(w, READ).connected, 2);
	for (int i = 0; i < 2; i++)
		hang_up(&s[i]);
}

/* The kernel drops the greetings of a server whose queue is full: silence, as from a
 * frozen node. */
static void test_a_silent_server_costs_one_deadline_and_then_the_next_one_answers(void **state)
{
	struct world *w;
	struct wire s;
	int stuffing[4];

	(void)state;
	w = world_new(&(struct options){.connect_ms = 200});
	assert_int_equal(listen(w->server[0], 0), 0);
	for (int i = 0; i < 4; i++) {
		struct sockaddr_in sin = {.sin_family = AF_INET,
					  .sin_port = htons(w->server_port[0]),
					  .sin_addr.s_addr = htonl(INADDR_LOOPBACK)};

		stuffing[i] = socket(AF_INET, SOCK_STREAM | SOCK_NONBLOCK, 0);
		(void)connect(stuffing[i], (struct sockaddr *)&sin, sizeof(sin));
	}
	w->state[READ][0] = SERVER_OPEN;
	publish(w);
	s.client = client_of(w, READ);
	say_startup(s.client);
	AWAIT(w, server_sum(w, READ, 0).sessions == 1);
	set_state(w, READ, 1, SERVER_OPEN);
	s.server = tcp_accept(w->server[1]);
	expect(s.server, startup_packet, STARTUP_BYTES);
	AWAIT(w, w->heard[MSG_SIGN] == 1);
	assert_int_equal(w->last_sign, SIGN_TIMEOUT);
	hang_up(&s);
	for (int i = 0; i < 4; i++)
		close(stuffing[i]);
	world_free(w);
}

static void test_a_cancel_request_is_passed_on_and_counts_as_nobody(void **state)
{
	struct world *w = *state;
	struct wire s = {client_of(w, WRITE), -1};

	write_all(s.client, cancel_request, 16);
	s.server = tcp_accept(w->server[0]);
	expect(s.server, cancel_request, 16);
	AWAIT(w, listener_sum(w, WRITE).cancels == 1);
	assert_int_equal(atomic_load(&w->board->sessions), 0);
	close(s.server); /* as PostgreSQL does */
	s.server = -1;
	assert_int_equal(read_once(s.client), 0);
	hang_up(&s);
	AWAIT(w, all_sessions(w) == 0);
	assert_int_equal(listener_sum(w, WRITE).ended, 0);
	assert_int_equal(server_sum(w, WRITE, 0).sessions, 0);
}

static void test_a_cancel_request_reaches_every_server_that_may_run_the_query(void **state)
{
	struct world *w = *state;
	struct wire s = {client_of(w, READ), -1};
	int other;

	w->state[READ][0] = w->state[READ][1] = SERVER_OPEN;
	publish(w);
	write_all(s.client, cancel_request, 16);
	s.server = tcp_accept(w->server[0]);
	other = tcp_accept(w->server[1]);
	expect(s.server, cancel_request, 16);
	expect(other, cancel_request, 16);
	AWAIT(w, listener_sum(w, READ).cancels == 2);
	close(other);
	AWAIT(w, all_sessions(w) == 1); /* the driver waits for the last of them */
	close(s.server);
	s.server = -1;
	assert_int_equal(read_once(s.client), 0);
	hang_up(&s);
	AWAIT(w, all_sessions(w) == 0);
}

static void test_plain_tcp_needs_no_first_word_of_the_client(void **state)
{
	struct world *w;
	struct wire s;

	(void)state;
	w = world_new(&(struct options){.protocol = PROTOCOL_TCP});
	w->state[WRITE][0] = SERVER_OPEN;
	publish(w);
	s.client = client_of(w, WRITE);
	s.server = tcp_accept(w->server[0]);
	write_all(s.server, "220 hello", 9);
	expect(s.client, "220 hello", 9);
	hang_up(&s);
	world_free(w);
}

/* ---- the log ---- */

static void test_each_session_ends_with_one_line_that_says_why(void **state)
{
	struct world *w;
	char line[1200] = "";
	struct wire s;
	int ends[2];

	(void)state;
	assert_int_equal(pipe(ends), 0);
	log_open(ends[1], &(struct log_options){.least = SEVERITY_INFO});
	w = world_new(&(struct options){.log_sessions = true});
	w->state[WRITE][0] = SERVER_OPEN;
	publish(w);
	s = carry(w, WRITE, 0);
	hang_up(&s);
	assert_true(read(ends[0], line, sizeof(line) - 1) > 0);
	assert_non_null(strstr(line, "event=session_end listener=write client=127.0.0.1:"));
	assert_non_null(strstr(line, " server=n1 server_local=127.0.0.1:"));
	assert_non_null(strstr(line, " bytes_in=17 bytes_out=9 "));
	assert_non_null(strstr(line, " reason="));
	world_free(w);
	log_close();
	close(ends[0]);
	close(ends[1]);
}

int main(void)
{
#define STORY(f) cmocka_unit_test_setup_teardown(f, setup, teardown)
	const struct CMUnitTest tests[] = {
		STORY(test_random_sizes_cross_both_ways_intact),
		cmocka_unit_test(test_a_unix_client_gets_them_intact_as_well),
		cmocka_unit_test(test_a_unix_server_does_too),
		STORY(test_a_startup_in_single_bytes_arrives_unchanged),
		STORY(test_an_encryption_request_is_the_servers_to_answer),
		STORY(test_a_client_that_half_closes_still_gets_its_answer),
		STORY(test_a_server_that_half_closes_still_hears_the_client),
		STORY(test_a_clients_reset_reaches_the_server_as_a_reset),
		STORY(test_a_servers_reset_reaches_the_client_after_its_last_words),
		STORY(test_a_servers_reset_after_the_clients_end_is_no_news),
		STORY(test_a_word_to_a_server_that_has_ended_is_answered_by_a_reset),
		STORY(test_a_reset_before_the_first_answer_is_a_response_error),
		STORY(test_readers_alternate_over_the_replicas),
		STORY(test_a_refusal_is_answered_by_the_next_server),
		cmocka_unit_test(
			test_a_silent_server_costs_one_deadline_and_then_the_next_one_answers),
		STORY(test_a_cancel_request_is_passed_on_and_counts_as_nobody),
		STORY(test_a_cancel_request_reaches_every_server_that_may_run_the_query),
		cmocka_unit_test(test_plain_tcp_needs_no_first_word_of_the_client),
		cmocka_unit_test(test_each_session_ends_with_one_line_that_says_why),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
