/* Stories of verdicts: whose bytes stop at once, whose connection is cut, and who
 * doesn't notice. */
#include "unit/proxy/world.h"
#include <signal.h>
#include <sys/resource.h>
#include <sys/wait.h>

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

static void assert_cut(const struct wire *s)
{
	char byte;
	ssize_t n;

	do
		n = recv(s->client, &byte, 1, 0);
	while (n > 0);
	assert_int_equal(n < 0 ? -errno : n, -ECONNRESET);
	do
		n = recv(s->server, &byte, 1, 0);
	while (n > 0);
	assert_int_equal(n < 0 ? -errno : n, -ECONNRESET);
}

/* In plain text and between two messages: it hears why. */
static void assert_told(const struct wire *s, const char *words)
{
	expect_error(s->client, "57P01", words);
	assert_int_equal(read_once(s->server), -ECONNRESET);
}

static void test_a_demoted_server_loses_its_sessions_and_no_other_does(void **state)
{
	struct world *w = *state;
	struct wire doomed = carry(w, WRITE, 0), other = carry(w, READ, 1);

	set_state(w, WRITE, 0, SERVER_CLOSED);
	assert_int_equal(w->doomed, 1);
	assert_told(&doomed, "server lost the role");
	assert_carries(&other);
	AWAIT(w, listener_sum(w, WRITE).closes[CLOSE_DEMOTED] == 1);
	assert_int_equal(server_sum(w, WRITE, 0).cuts, 1);
	hang_up(&doomed);
	hang_up(&other);
}

/* Control hears once per view, and of primaries only. */
static void test_the_first_session_on_a_primary_is_told_once_per_view(void **state)
{
	struct world *w = *state;
	struct wire reader = carry(w, READ, 1), first = carry(w, WRITE, 0);

	AWAIT(w, w->heard[MSG_FIRST_SESSION] == 1);
	assert_int_equal(w->first_member, 0);
	assert_int_equal(w->first_generation, w->view_generation);
	struct wire second = carry(w, WRITE, 0);
	set_state(w, WRITE, 0, SERVER_CLOSED);
	set_state(w, WRITE, 1, SERVER_OPEN);
	assert_int_equal(w->heard[MSG_FIRST_SESSION], 1);
	struct wire third = carry(w, WRITE, 1);
	AWAIT(w, w->heard[MSG_FIRST_SESSION] == 2);
	assert_int_equal(w->first_member, 1);
	assert_int_equal(w->first_generation, w->view_generation);
	hang_up(&reader);
	hang_up(&first);
	hang_up(&second);
	hang_up(&third);
}

/* Neither end reads: both directions are full, our residue too. */
static void test_a_session_blocked_in_both_directions_is_cut_like_any_other(void **state)
{
	struct world *w = *state;
	struct wire s = carry(w, WRITE, 0);
	char *junk = calloc(1, 1000 * 1000);
	uint64_t before;

	do {
		before = listener_sum(w, WRITE).bytes_in + listener_sum(w, WRITE).bytes_out;
		for (int i = 0; i < 20; i++) {
			while (send(s.client, junk, 1000 * 1000, MSG_DONTWAIT) > 0)
				;
			while (send(s.server, junk, 1000 * 1000, MSG_DONTWAIT) > 0)
				;
			poll(NULL, 0, 1);
		}
	} while (listener_sum(w, WRITE).bytes_in + listener_sum(w, WRITE).bytes_out != before);
	set_state(w, WRITE, 0, SERVER_CLOSED);
	AWAIT(w, all_sessions(w) == 0);
	assert_cut(&s);
	hang_up(&s);
	free(junk);
}

static int64_t heard_ms(const struct world *w)
{
	return scoreboard_heard_ms(w->board, w->config, 0);
}

static void test_a_server_is_heard_when_it_speaks(void **state)
{
	struct world *w = *state;
	struct wire s = carry(w, WRITE, 0);

	for (int i = 0; i < 3; i++) {
		int64_t before = test_now_ms();

		do { /* not every word is listened to */
			assert_carries(&s);
			assert_true(test_now_ms() < before + 20000);
		} while (heard_ms(w) <= before);
	}
	hang_up(&s);
}

/* A stream's pieces come without an event of their own. */
static void test_a_server_is_heard_while_its_stream_gathers(void **state)
{
	enum { PIECE = 8192, ROUNDS = 100 };
	struct world *w = world_new(&(struct options){.coalesce_us = 10000});
	static char piece[PIECE];
	int64_t heard = 0, until_ms = test_now_ms() + 20000;
	unsigned n = 0;
	struct wire s;

	(void)state;
	w->state[WRITE][0] = SERVER_OPEN;
	publish(w);
	s = carry(w, WRITE, 0);
	while (n == 0 || heard_ms(w) == heard) {
		uint64_t before = listener_sum(w, WRITE).coalesced;

		write_all(s.server, piece, PIECE);
		assert_int_equal(read_all(s.client, piece, PIECE), PIECE);
		n = listener_sum(w, WRITE).coalesced > before ? n + 1 : 0;
		if (n == 0)
			heard = heard_ms(w);
		assert_true(n < ROUNDS && test_now_ms() < until_ms);
	}
	hang_up(&s);
	world_free(w);
}

/* What came meanwhile lies below the mark, and its deadline has passed. */
static void test_a_stream_that_gathers_goes_on_after_a_pause(void **state)
{
	enum { PIECE = 8192 };
	struct world *w = *state;
	struct wire s = carry(w, WRITE, 0);
	int64_t until_ms = test_now_ms() + 20000;
	static char piece[PIECE];

	while (listener_sum(w, WRITE).coalesced == 0) {
		write_all(s.server, piece, PIECE);
		assert_int_equal(read_all(s.client, piece, PIECE), PIECE);
		assert_true(test_now_ms() < until_ms);
	}
	for (int i = 0; i < 20; i++) {
		write_all(s.server, piece, PIECE);
		set_state(w, WRITE, 0, SERVER_PAUSED);
		write_all(s.server, piece, PIECE / 2);
		poll(NULL, 0, i % 3);
		set_state(w, WRITE, 0, SERVER_OPEN);
		assert_int_equal(read_all(s.client, piece, PIECE), PIECE);
		assert_int_equal(read_all(s.client, piece, PIECE / 2), PIECE / 2);
	}
	hang_up(&s);
}

/* It has stopped, and what the client is given lay in the buffers. */
static void test_what_a_slow_client_is_given_is_no_word_of_its_server(void **state)
{
	enum { CHUNK = 64 * 1024 };
	struct world *w = *state;
	struct wire s = carry(w, WRITE, 0);
	char *junk = calloc(1, CHUNK);
	uint64_t before, given;
	int64_t said_ms;

	do {
		before = listener_sum(w, WRITE).bytes_out;
		for (int i = 0; i < 20; i++) {
			while (send(s.server, junk, CHUNK, MSG_DONTWAIT) > 0)
				;
			poll(NULL, 0, 1);
		}
	} while (listener_sum(w, WRITE).bytes_out != before);
	said_ms = test_now_ms();
	while (test_now_ms() <= said_ms)
		;
	given = before;
	while (given == before) {
		assert_int_equal(read_all(s.client, junk, CHUNK), CHUNK);
		poll(NULL, 0, 1);
		assert_true(heard_ms(w) <= said_ms);
		given = listener_sum(w, WRITE).bytes_out;
	}
	hang_up(&s);
	free(junk);
}

/* Closed and opened again between two views that the worker saw. */
static void test_a_new_generation_cuts_the_old_sessions_though_the_server_is_open(void **state)
{
	struct world *w = *state;
	struct wire old = carry(w, WRITE, 0), fresh;

	w->generation[WRITE][0]++;
	w->cut = CLOSE_FENCED;
	publish(w);
	assert_told(&old, "server fenced");
	fresh = carry(w, WRITE, 0);
	assert_carries(&fresh);
	AWAIT(w, listener_sum(w, WRITE).closes[CLOSE_FENCED] == 1);
	hang_up(&old);
	hang_up(&fresh);
}

static void test_a_kept_server_keeps_its_sessions_and_takes_no_new_one(void **state)
{
	struct world *w = *state;
	struct wire old = carry(w, WRITE, 0);
	int client;

	set_state(w, WRITE, 0, SERVER_KEPT);
	client = client_of(w, WRITE);
	say_startup(client);
	expect_error(client, "57P03", "no primary");
	assert_carries(&old);
	close(client);
	hang_up(&old);
}

static void assert_silent(int fd)
{
	struct pollfd p = {.fd = fd, .events = POLLIN};

	assert_int_equal(poll(&p, 1, 50), 0);
}

static void test_a_paused_server_moves_no_byte_and_resumes_with_all_of_them(void **state)
{
	struct world *w = *state;
	struct wire s = carry(w, WRITE, 0), ended = carry(w, WRITE, 0);

	set_state(w, WRITE, 0, SERVER_PAUSED);
	write_all(s.client, "commit", 6);
	write_all(s.server, "result", 6);
	write_all(ended.client, "last", 4);
	shutdown(ended.client, SHUT_WR);
	assert_silent(s.server);
	assert_silent(s.client);
	assert_silent(ended.server);
	set_state(w, WRITE, 0, SERVER_OPEN);
	expect(s.server, "commit", 6);
	expect(s.client, "result", 6);
	expect(ended.server, "last", 4);
	assert_int_equal(read_once(ended.server), 0);
	assert_carries(&s);
	hang_up(&s);
	hang_up(&ended);
}

static void test_what_was_sent_in_a_pause_dies_when_the_server_falls(void **state)
{
	struct world *w = *state;
	struct wire s = carry(w, WRITE, 0);
	char got[8];

	set_state(w, WRITE, 0, SERVER_PAUSED);
	write_all(s.client, "commit", 6);
	set_state(w, WRITE, 0, SERVER_CLOSED);
	assert_int_equal(read_all(s.server, got, sizeof(got)), -ECONNRESET);
	hang_up(&s);
}

/* The client is still being connected when its server falls. */
static void test_a_call_to_a_server_that_falls_ends_at_another(void **state)
{
	struct world *w = *state;
	struct wire s;
	int stuffing[4];

	assert_int_equal(listen(w->server[0], 0), 0); /* a full queue: calls stay on their way */
	for (int i = 0; i < 4; i++) {
		struct sockaddr_in sin = {.sin_family = AF_INET,
					  .sin_port = htons(w->server_port[0]),
					  .sin_addr.s_addr = htonl(INADDR_LOOPBACK)};

		stuffing[i] = socket(AF_INET, SOCK_STREAM | SOCK_NONBLOCK, 0);
		(void)connect(stuffing[i], (struct sockaddr *)&sin, sizeof(sin));
	}
	s.client = client_of(w, WRITE);
	say_startup(s.client);
	AWAIT(w, server_sum(w, WRITE, 0).sessions == 1);
	w->state[WRITE][0] = SERVER_CLOSED;
	w->generation[WRITE][0]++;
	w->state[WRITE][1] = SERVER_OPEN;
	publish(w);
	s.server = tcp_accept(w->server[1]);
	expect(s.server, startup_packet, STARTUP_BYTES);
	take_on(&s);
	assert_carries(&s);
	assert_int_equal(w->heard[MSG_SIGN], 0); /* nobody was to blame */
	hang_up(&s);
	for (int i = 0; i < 4; i++)
		close(stuffing[i]);
}

static unsigned crowd_size(void)
{
	struct rlimit limit;

	getrlimit(RLIMIT_NOFILE, &limit);
	limit.rlim_cur = limit.rlim_max;
	setrlimit(RLIMIT_NOFILE, &limit);
	return limit.rlim_cur > 4200 ? 1000 : (unsigned)(limit.rlim_cur - 100) / 4;
}

static void test_a_thousand_are_cut_while_another_goes_on(void **state)
{
	struct world *w = *state;
	unsigned n = crowd_size(), survivor_round_trips = 0;
	struct wire *crowd = calloc(n, sizeof(*crowd)), other = carry(w, READ, 1);

	for (unsigned i = 0; i < n; i++)
		crowd[i] = carry(w, WRITE, 0);
	w->state[WRITE][0] = SERVER_CLOSED;
	w->generation[WRITE][0]++;
	publish_unheard(w);
	do {
		assert_carries(&other);
		survivor_round_trips++;
	} while (all_sessions(w) > 1);
	assert_true(survivor_round_trips > 1);
	AWAIT(w, w->doomed == n);
	for (unsigned i = 0; i < n; i++) {
		assert_told(&crowd[i], "server lost the role");
		hang_up(&crowd[i]);
	}
	assert_int_equal(listener_sum(w, WRITE).closes[CLOSE_DEMOTED], n);
	assert_carries(&other);
	hang_up(&other);
	free(crowd);
}

/* More than one slice of them, each with bytes waiting and more to come. */
static void test_the_dead_forward_nothing_while_they_wait_to_be_closed(void **state)
{
	enum { CROWD = 200 };
	struct world *w = *state;
	struct wire crowd[CROWD];
	char got[8];

	for (int i = 0; i < CROWD; i++)
		crowd[i] = carry(w, WRITE, 0);
	set_state(w, WRITE, 0, SERVER_PAUSED);
	for (int i = 0; i < CROWD; i++)
		write_all(crowd[i].client, "commit", 6);
	w->state[WRITE][0] = SERVER_OPEN;
	w->generation[WRITE][0]++;
	publish_unheard(w);
	for (int i = CROWD; i-- > 0;) /* the last to be closed first; it may be closed already */
		(void)send(crowd[i].client, "again", 5, MSG_NOSIGNAL);
	for (int i = 0; i < CROWD; i++) {
		assert_int_equal(read_all(crowd[i].server, got, sizeof(got)), -ECONNRESET);
		hang_up(&crowd[i]);
	}
	AWAIT(w, w->doomed == CROWD);
}

/* ---- a pause of our own ---- */

static void test_while_control_stands_still_so_do_writers(void **state)
{
	struct world *w = *state;
	struct wire s = carry(w, WRITE, 0);

	assert_carries(&s);
	atomic_store(&w->board->control_due_ms, clock_ms() - 1500); /* more than 1 s overdue */
	AWAIT(w, w->heard[MSG_PAUSED] == 1);
	write_all(s.client, "commit", 6);
	assert_silent(s.server);
	atomic_store(&w->board->control_due_ms, clock_ms() + 60000); /* it wakes, and judges */
	publish(w);
	expect(s.server, "commit", 6);
	assert_carries(&s);
	hang_up(&s);
}

/* In a process of its own: it is stopped by its parent once it has said that it is ready. */
static int paused_process(int ready, int resumed)
{
	struct world *w = world_new(&(struct options){0});
	struct wire s, replica;

	w->state[WRITE][0] = SERVER_OPEN;
	w->state[READ][1] = SERVER_OPEN;
	publish(w);
	s = carry(w, WRITE, 0);
	replica = carry(w, READ, 1);
	assert_int_equal(write(ready, "r", 1), 1);
	assert_int_equal(read(resumed, &(char){0}, 1), 1); /* stopped and continued meanwhile */
	AWAIT(w, w->heard[MSG_PAUSED] == 1);
	write_all(s.client, "commit", 6);
	assert_silent(s.server);
	assert_carries(&replica);
	publish(w);
	expect(s.server, "commit", 6);
	assert_carries(&s);
	hang_up(&s);
	hang_up(&replica);
	world_free(w);
	return 0;
}

static void test_after_a_pause_of_our_own_writers_stand_still_until_the_next_view(void **state)
{
	int ready[2], resumed[2], status = -1;
	pid_t child;

	(void)state;
	assert_int_equal(pipe(ready), 0);
	assert_int_equal(pipe(resumed), 0);
	child = fork();
	if (child == 0)
		_exit(paused_process(ready[1], resumed[0]));
	assert_int_equal(read(ready[0], &(char){0}, 1), 1);
	kill(child, SIGSTOP);
	poll(NULL, 0, 2500); /* the pause itself: more than it meant to sleep (1 s) and 1 s more */
	kill(child, SIGCONT);
	assert_int_equal(write(resumed[1], "c", 1), 1);
	assert_int_equal(waitpid(child, &status, 0), child);
	assert_int_equal(status, 0);
	for (int i = 0; i < 2; i++) {
		close(ready[i]);
		close(resumed[i]);
	}
}

int main(void)
{
#define STORY(f) cmocka_unit_test_setup_teardown(f, setup, teardown)
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(
			test_after_a_pause_of_our_own_writers_stand_still_until_the_next_view),
		STORY(test_a_demoted_server_loses_its_sessions_and_no_other_does),
		STORY(test_the_first_session_on_a_primary_is_told_once_per_view),
		STORY(test_a_session_blocked_in_both_directions_is_cut_like_any_other),
		STORY(test_a_server_is_heard_when_it_speaks),
		cmocka_unit_test(test_a_server_is_heard_while_its_stream_gathers),
		STORY(test_what_a_slow_client_is_given_is_no_word_of_its_server),
		STORY(test_a_new_generation_cuts_the_old_sessions_though_the_server_is_open),
		STORY(test_a_stream_that_gathers_goes_on_after_a_pause),
		STORY(test_a_kept_server_keeps_its_sessions_and_takes_no_new_one),
		STORY(test_while_control_stands_still_so_do_writers),
		STORY(test_a_paused_server_moves_no_byte_and_resumes_with_all_of_them),
		STORY(test_what_was_sent_in_a_pause_dies_when_the_server_falls),
		STORY(test_a_call_to_a_server_that_falls_ends_at_another),
		STORY(test_a_thousand_are_cut_while_another_goes_on),
		STORY(test_the_dead_forward_nothing_while_they_wait_to_be_closed),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
