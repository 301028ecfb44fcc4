/* Stories of clients that wait for a server, and of servers that turn out to be none. */
#include "core/monitor.h"
#include "unit/proxy/holding.h"

static int setup(void **state)
{
	*state = world_holding(LONG_MS, 0);
	return 0;
}

static int teardown(void **state)
{
	world_free(*state);
	return 0;
}

/* ---- waiting ---- */

static void test_a_client_waits_for_the_first_verdict_and_is_carried(void **state)
{
	struct world *w = *state;
	struct wire s = {wait_for_server(w, WRITE), -1};

	assert_int_not_equal(scoreboard_held_since_ms(w->board, WRITE), 0);
	set_state(w, WRITE, 0, SERVER_OPEN);
	be_let_go(w, &s, 0);
	assert_carries(&s);
	assert_int_equal(waiting(w, WRITE), 0);
	assert_int_equal(scoreboard_held_since_ms(w->board, WRITE), 0);
	assert_int_equal(listener_sum(w, WRITE).held, 1);
	assert_int_equal(listener_sum(w, WRITE).released, 1);
	AWAIT(w, w->heard[MSG_HOLD_EMPTIED] == 1);
	hang_up(&s);
}

static void test_what_it_said_first_is_forwarded_unchanged_encryption_request_or_not(void **state)
{
	struct world *w = *state;
	struct wire s = {client_of(w, WRITE), -1};

	write_all(s.client, ssl_request, 8);
	AWAIT(w, waiting(w, WRITE) == 1);
	set_state(w, WRITE, 0, SERVER_OPEN);
	s.server = tcp_accept(w->server[0]);
	expect(s.server, ssl_request, 8);
	write_all(s.server, "S", 1);
	expect(s.client, "S", 1);
	assert_carries(&s);
	hang_up(&s);
}

static void test_a_client_that_hangs_up_is_forgotten_at_once(void **state)
{
	struct world *w = *state;
	int gone = wait_for_server(w, WRITE), reset = wait_for_server(w, WRITE);

	close(gone);
	AWAIT(w, waiting(w, WRITE) == 1);
	tcp_reset(reset);
	AWAIT(w, waiting(w, WRITE) == 0);
	AWAIT(w, all_sessions(w) == 0);
	assert_int_equal(listener_sum(w, WRITE).closes[CLOSE_CLIENT], 1);
	assert_int_equal(listener_sum(w, WRITE).closes[CLOSE_CLIENT_RESET], 1);
	assert_int_equal(listener_sum(w, WRITE).released, 0);
}

static void test_when_its_time_is_up_it_is_told_why(void **state)
{
	struct world *w = world_holding(SHORT_MS, 0);
	int client = wait_for_server(w, WRITE);

	(void)state;
	expect_error(client, "57P03", "no primary since");
	close(client);
	assert_int_equal(waiting(w, WRITE), 0);
	AWAIT(w, listener_sum(w, WRITE).no_server == 1);
	world_free(w);
}

static void test_more_than_may_wait_are_told_so(void **state)
{
	struct world *w = world_holding(LONG_MS, 1);
	struct wire s = {wait_for_server(w, WRITE), -1};
	int excess = client_of(w, WRITE);

	(void)state;
	say_startup(excess);
	expect_error(excess, "53300", "hold_max 1");
	close(excess);
	set_state(w, WRITE, 0, SERVER_OPEN);
	be_let_go(w, &s, 0);
	hang_up(&s);
	world_free(w);
}

static void test_listeners_wait_apart(void **state)
{
	struct world *w = *state;
	struct wire reader = {wait_for_server(w, READ), -1};
	int writer = wait_for_server(w, WRITE);

	set_state(w, READ, 1, SERVER_OPEN);
	be_let_go(w, &reader, 1);
	assert_int_equal(waiting(w, WRITE), 1);
	hang_up(&reader);
	close(writer);
}

static void test_stopping_sends_away_who_waits(void **state)
{
	struct world *w = *state;
	int client = wait_for_server(w, WRITE);

	world_stop(w);
	assert_int_equal(read_once(client), -ECONNRESET);
	close(client);
}

/* ---- release ---- */

enum { CROWD = 100, FIRST = 4, WINDOW = 32 };

/* Who came first goes first, never more at a time than the window, and each answer lets another
 * go. */
static void test_a_crowd_is_let_go_by_and_by(void **state)
{
	struct world *w = *state;
	struct wire s[CROWD];

	for (int i = 0; i < CROWD; i++)
		s[i].client = wait_for_server(w, WRITE);
	set_state(w, WRITE, 0, SERVER_OPEN);
	AWAIT(w, waiting(w, WRITE) == CROWD - FIRST); /* by one more with each answer */
	for (int i = 0; i < CROWD; i++) {
		s[i].server = tcp_accept(w->server[0]);
		assert_true(listener_sum(w, WRITE).released <= (uint64_t)i + WINDOW);
		expect(s[i].server, startup_packet, STARTUP_BYTES);
		take_on(&s[i]);
	}
	assert_int_equal(listener_sum(w, WRITE).released, CROWD);
	for (int i = 0; i < CROWD; i++)
		hang_up(&s[i]);
}

static void test_who_comes_while_others_wait_goes_behind_them(void **state)
{
	struct world *w = *state;
	struct wire s[FIRST + 1], late;

	for (int i = 0; i <= FIRST; i++)
		s[i].client = wait_for_server(w, WRITE);
	set_state(w, WRITE, 0, SERVER_OPEN); /* all but one are on their way */
	AWAIT(w, waiting(w, WRITE) == 1);
	late.client = client_of(w, WRITE);
	write_all(late.client, ssl_request, 8); /* to know it by */
	AWAIT(w, waiting(w, WRITE) == 2);
	for (int i = 0; i <= FIRST; i++)
		be_let_go(w, &s[i], 0);
	late.server = tcp_accept(w->server[0]);
	expect(late.server, ssl_request, 8);
	for (int i = 0; i <= FIRST; i++)
		hang_up(&s[i]);
	hang_up(&late);
}

/* ---- servers that are none ---- */

static void test_a_server_that_refuses_is_tried_again_until_it_takes(void **state)
{
	struct world *w = *state;
	struct sockaddr_in sin = loopback_of(w->server_port[0]);
	struct wire s;
	int on = 1;

	close(w->server[0]);
	set_state(w, WRITE, 0, SERVER_OPEN);
	s.client = client_of(w, WRITE);
	say_startup(s.client);
	AWAIT(w, server_sum(w, WRITE, 0).connect_errors >= 2); /* from the hold, again */
	AWAIT(w, w->heard[MSG_SIGN] >= 1);
	assert_int_equal(w->last_sign, SIGN_REFUSED);
	w->server[0] = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);
	setsockopt(w->server[0], SOL_SOCKET, SO_REUSEADDR, &on, sizeof(on));
	assert_int_equal(bind(w->server[0], (struct sockaddr *)&sin, sizeof(sin)), 0);
	assert_int_equal(listen(w->server[0], 16), 0);
	be_let_go(w, &s, 0);
	assert_carries(&s);
	hang_up(&s);
}

static void test_a_server_that_is_starting_up_is_not_the_clients_business(void **state)
{
	struct world *w = *state;
	struct wire s;
	int refused;

	set_state(w, WRITE, 0, SERVER_OPEN);
	s.client = client_of(w, WRITE);
	say_startup(s.client);
	refused = tcp_accept(w->server[0]);
	expect(refused, startup_packet, STARTUP_BYTES);
	for (int i = 0; i < STARTING_UP_BYTES; i++) /* however it comes */
		write_all(refused, starting_up + i, 1);
	close(refused);
	be_let_go(w, &s, 0);
	assert_carries(&s);
	AWAIT(w, w->heard[MSG_SIGN] == 1);
	AWAIT(w, listener_sum(w, WRITE).bytes_in == STARTUP_BYTES + 4); /* counted once */
	hang_up(&s);
}

static const char *const last_words[] = {
	"E\0\0\0\x18SFATAL\0C57P01\0Mbye\0\0",
	"R\0\0\0\x08\0\0\0\0E\0\0\0\x18SFATAL\0C57P01\0Mbye\0\0",
};
static const size_t last_words_bytes[] = {25, 34};

static void test_a_login_that_a_shutdown_ends_is_done_again(void **state)
{
	struct world *w = *state;
	struct wire s;

	set_state(w, WRITE, 0, SERVER_OPEN);
	s.client = client_of(w, WRITE);
	say_startup(s.client);
	for (size_t i = 0; i < 2; i++) {
		int ended = tcp_accept(w->server[0]);

		expect(ended, startup_packet, STARTUP_BYTES);
		write_all(ended, last_words[i], last_words_bytes[i]);
		close(ended);
	}
	be_let_go(w, &s, 0);
	assert_carries(&s);
	hang_up(&s);
}

/* sslmode=prefer where ssl is off: what libpq does by default. */
static void test_after_a_no_to_encryption_another_server_can_still_be_asked(void **state)
{
	struct world *w = *state;
	struct wire s;
	int refused;

	set_state(w, WRITE, 0, SERVER_OPEN);
	s.client = client_of(w, WRITE);
	write_all(s.client, gss_request, 8);
	refused = tcp_accept(w->server[0]);
	expect(refused, gss_request, 8);
	write_all(refused, "N", 1);
	expect(s.client, "N", 1);
	write_all(s.client, ssl_request, 8);
	expect(refused, ssl_request, 8);
	write_all(refused, "N", 1);
	expect(s.client, "N", 1);
	say_startup(s.client);
	expect(refused, startup_packet, STARTUP_BYTES);
	write_all(refused, starting_up, STARTING_UP_BYTES);
	close(refused);
	be_let_go(w, &s, 0);
	assert_carries(&s);
	AWAIT(w, listener_sum(w, WRITE).bytes_in == 16 + STARTUP_BYTES + 4);
	AWAIT(w, listener_sum(w, WRITE).bytes_out == 2 + AUTH_OK_BYTES + 4);
	hang_up(&s);
}

static void test_a_server_that_goes_after_its_no_is_replaced_unnoticed(void **state)
{
	struct world *w = *state;
	struct wire s;
	int gone;

	set_state(w, WRITE, 0, SERVER_OPEN);
	s.client = client_of(w, WRITE);
	write_all(s.client, ssl_request, 8);
	gone = tcp_accept(w->server[0]);
	expect(gone, ssl_request, 8);
	write_all(gone, "N", 1);
	expect(s.client, "N", 1);
	close(gone);
	s.server = tcp_accept(w->server[0]);
	say_startup(s.client);
	expect(s.server, startup_packet, STARTUP_BYTES);
	take_on(&s);
	assert_carries(&s);
	hang_up(&s);
}

static const char client_hello[] = "\x16\x03\x01\0\x04\x01hello";
enum { HELLO_BYTES = 9 }; /* and the rest is the next record */

static void be_told_yes(struct wire *s, struct world *w)
{
	write_all(s->client, ssl_request, 8);
	s->server = tcp_accept(w->server[0]);
	expect(s->server, ssl_request, 8);
	write_all(s->server, "S", 1);
	expect(s->client, "S", 1);
}

/* Until the ServerHello nothing binds it to a server: the next one is asked for TLS by us. */
static void test_in_a_tls_handshake_another_server_can_still_be_asked(void **state)
{
	struct world *w = *state;
	struct wire s = {client_of(w, WRITE), -1};

	set_state(w, WRITE, 0, SERVER_OPEN);
	be_told_yes(&s, w);
	write_all(s.client, client_hello, 3); /* in pieces */
	write_all(s.client, client_hello + 3, HELLO_BYTES - 3);
	expect(s.server, client_hello, HELLO_BYTES);
	close(s.server);
	s.server = tcp_accept(w->server[0]);
	expect(s.server, ssl_request, 8);
	write_all(s.server, "S", 1);
	expect(s.server, client_hello, HELLO_BYTES);
	write_all(s.server, "server hello", 12);
	expect(s.client, "server hello", 12);
	assert_carries(&s);
	AWAIT(w, listener_sum(w, WRITE).bytes_in == 8 + HELLO_BYTES + 4);
	AWAIT(w, listener_sum(w, WRITE).bytes_out == 1 + 12 + 4);
	hang_up(&s);
}

static void test_a_verdict_takes_a_tls_handshake_to_the_new_primary(void **state)
{
	struct world *w = *state;
	struct wire s = {client_of(w, WRITE), -1};

	set_state(w, WRITE, 0, SERVER_OPEN);
	be_told_yes(&s, w);
	set_state(w, WRITE, 0, SERVER_CLOSED);
	AWAIT(w, waiting(w, WRITE) == 1);
	close(s.server);
	write_all(s.client, client_hello, HELLO_BYTES);
	set_state(w, WRITE, 1, SERVER_OPEN);
	s.server = tcp_accept(w->server[1]);
	expect(s.server, ssl_request, 8);
	write_all(s.server, "S", 1);
	expect(s.server, client_hello, HELLO_BYTES);
	write_all(s.server, "server hello", 12);
	expect(s.client, "server hello", 12);
	hang_up(&s);
}

static void test_a_server_without_tls_is_none_for_a_client_that_was_told_yes(void **state)
{
	struct world *w = *state;
	struct wire s = {client_of(w, READ), -1};
	int plain;

	set_state(w, READ, 0, SERVER_OPEN);
	write_all(s.client, ssl_request, 8);
	s.server = tcp_accept(w->server[0]);
	expect(s.server, ssl_request, 8);
	write_all(s.server, "S", 1);
	expect(s.client, "S", 1);
	set_state(w, READ, 1, SERVER_OPEN);
	set_state(w, READ, 0, SERVER_CLOSED);
	plain = tcp_accept(w->server[1]);
	expect(plain, ssl_request, 8);
	write_all(plain, "N", 1);
	assert_int_equal(read_once(plain), 0);
	AWAIT(w, waiting(w, READ) == 1);
	close(plain);
	hang_up(&s);
}

static void test_whoever_speaks_no_tls_after_a_yes_is_that_servers_to_judge(void **state)
{
	struct world *w = *state;
	struct wire s = {client_of(w, WRITE), -1};

	set_state(w, WRITE, 0, SERVER_OPEN);
	be_told_yes(&s, w);
	say_startup(s.client);
	expect(s.server, startup_packet, STARTUP_BYTES);
	tcp_reset(s.server);
	s.server = -1;
	assert_int_equal(read_once(s.client), -ECONNRESET);
	hang_up(&s);
}

static void test_a_tls_client_that_has_waited_enough_hears_an_alert(void **state)
{
	static const char alert[] = "\x15\x03\x03\0\x02\x02\x50";
	struct world *w = world_holding(SHORT_MS, 0);
	struct wire s = {client_of(w, WRITE), -1};

	(void)state;
	set_state(w, WRITE, 0, SERVER_OPEN);
	be_told_yes(&s, w);
	write_all(s.client, client_hello, HELLO_BYTES);
	expect(s.server, client_hello, HELLO_BYTES);
	set_state(w, WRITE, 0, SERVER_CLOSED);
	expect(s.client, alert, 7);
	assert_int_equal(read_once(s.client), 0);
	hang_up(&s);
	world_free(w);
}

static void test_any_other_error_is_the_servers_answer(void **state)
{
	static const char denied[] = "E\0\0\0\x1cSFATAL\0C28P01\0Mdenied\0\0";
	enum { DENIED_BYTES = 29 };
	struct world *w = *state;
	struct wire s;

	set_state(w, WRITE, 0, SERVER_OPEN);
	s.client = client_of(w, WRITE);
	say_startup(s.client);
	s.server = tcp_accept(w->server[0]);
	expect(s.server, startup_packet, STARTUP_BYTES);
	write_all(s.server, denied, DENIED_BYTES);
	close(s.server);
	s.server = -1;
	expect(s.client, denied, DENIED_BYTES);
	assert_int_equal(read_once(s.client), 0);
	hang_up(&s);
}

static void test_another_server_is_asked_when_the_first_hangs_up_without_a_word(void **state)
{
	struct world *w = *state;
	struct wire s;
	int first;

	set_state(w, READ, 0, SERVER_OPEN);
	set_state(w, READ, 1, SERVER_OPEN);
	s.client = client_of(w, READ);
	say_startup(s.client);
	first = tcp_accept(w->server[0]);
	expect(first, startup_packet, STARTUP_BYTES);
	close(first);
	be_let_go(w, &s, 1);
	assert_carries(&s);
	assert_int_equal(listener_sum(w, READ).held, 0);
	hang_up(&s);
}

/* Perhaps it is what the client says that PostgreSQL cannot bear. */
static void test_hanging_up_again_and_again_is_the_servers_answer(void **state)
{
	struct world *w = *state;
	int client = client_of(w, WRITE);

	set_state(w, WRITE, 0, SERVER_OPEN);
	say_startup(client);
	for (int i = 0; i < 3; i++) {
		int server = tcp_accept(w->server[0]);

		expect(server, startup_packet, STARTUP_BYTES);
		if (i == 1)
			tcp_reset(server); /* or so */
		else
			close(server);
	}
	assert_int_equal(read_once(client), 0);
	close(client);
	AWAIT(w, listener_sum(w, WRITE).closes[CLOSE_SERVER] == 1);
}

static void test_a_verdict_takes_the_unanswered_to_the_new_primary(void **state)
{
	struct world *w = *state;
	struct wire s;
	int frozen;

	set_state(w, WRITE, 0, SERVER_OPEN);
	s.client = client_of(w, WRITE);
	say_startup(s.client);
	frozen = tcp_accept(w->server[0]);
	expect(frozen, startup_packet, STARTUP_BYTES);
	AWAIT(w, w->heard[MSG_SIGN] == 1); /* it is late */
	assert_int_equal(w->last_sign, SIGN_TIMEOUT);
	set_state(w, WRITE, 0, SERVER_CLOSED);
	AWAIT(w, waiting(w, WRITE) == 1);
	assert_int_equal(read_once(frozen), 0);
	close(frozen);
	set_state(w, WRITE, 1, SERVER_OPEN);
	be_let_go(w, &s, 1);
	assert_carries(&s);
	assert_int_equal(listener_sum(w, WRITE).cuts, 0);
	hang_up(&s);
}

static void test_several_ends_at_once_are_a_sign_and_newcomers_wait_a_moment(void **state)
{
	struct world *w = *state;
	struct wire s[3], late;

	set_state(w, WRITE, 0, SERVER_OPEN);
	for (int i = 0; i < 3; i++)
		s[i] = carry(w, WRITE, 0);
	grow_up(w);
	for (int i = 0; i < 2; i++) {
		close(s[i].server);
		s[i].server = -1;
	}
	AWAIT(w, w->heard[MSG_SIGN] == 1);
	assert_int_equal(w->last_sign, SIGN_ENDED);
	late.client = client_of(w, WRITE);
	say_startup(late.client);
	be_let_go(w, &late, 0); /* nothing was the matter */
	assert_carries(&late);
	for (int i = 0; i < 3; i++)
		hang_up(&s[i]);
	hang_up(&late);
}

static void carry_grown_ups(struct world *w, struct wire *s, int n)
{
	for (int i = 0; i < n; i++)
		s[i] = carry(w, WRITE, 0);
	grow_up(w);
}

static void end_by_server(struct wire *s)
{
	close(s->server);
	s->server = -1;
}

/* Inside TLS it could say that it shuts down, and nobody could hide it. */
static void test_a_sign_takes_back_who_is_on_the_way_and_not_answered(void **state)
{
	struct world *w = *state;
	struct wire s[3], late;
	int silent;

	set_state(w, WRITE, 0, SERVER_OPEN);
	carry_grown_ups(w, s, 3);
	late.client = client_of(w, WRITE);
	write_all(late.client, ssl_request, 8);
	silent = tcp_accept(w->server[0]);
	expect(silent, ssl_request, 8);
	end_by_server(&s[0]);
	end_by_server(&s[1]);
	AWAIT(w, listener_sum(w, WRITE).held == 1);
	assert_int_equal(read_once(silent), 0);
	close(silent);
	late.server = tcp_accept(w->server[0]);
	expect(late.server, ssl_request, 8);
	write_all(late.server, "S", 1);
	expect(late.client, "S", 1);
	assert_carries(&late);
	for (int i = 0; i < 3; i++)
		hang_up(&s[i]);
	hang_up(&late);
}

static void test_what_one_listener_hears_of_a_server_the_others_know(void **state)
{
	struct world *w = *state;
	struct wire s, reader;
	int refused;

	set_state(w, WRITE, 0, SERVER_OPEN);
	set_state(w, READ, 0, SERVER_OPEN);
	s.client = client_of(w, WRITE);
	reader.client = client_of(w, READ);
	say_startup(s.client);
	refused = tcp_accept(w->server[0]);
	expect(refused, startup_packet, STARTUP_BYTES);
	write_all(reader.client, ssl_request, 8);
	reader.server = tcp_accept(w->server[0]);
	expect(reader.server, ssl_request, 8);
	write_all(refused, starting_up, STARTING_UP_BYTES);
	close(refused);
	AWAIT(w, listener_sum(w, READ).held == 1);
	assert_int_equal(read_once(reader.server), 0);
	close(reader.server);
	set_state(w, WRITE, 0, SERVER_CLOSED);
	set_state(w, READ, 0, SERVER_CLOSED);
	close(reader.client);
	close(s.client);
	AWAIT(w, all_sessions(w) == 0);
}

/* An operator who ends a thousand sessions one by one, or idle_session_timeout. */
static void test_ends_that_go_on_keep_newcomers_out_for_a_moment_only(void **state)
{
	enum { MANY = 60, EACH_MS = 20 };
	struct world *w = *state;
	struct wire s[MANY], late;
	struct pollfd called = {.fd = w->server[0], .events = POLLIN};
	int ended = 2;

	set_state(w, WRITE, 0, SERVER_OPEN);
	carry_grown_ups(w, s, MANY);
	end_by_server(&s[0]);
	end_by_server(&s[1]);
	AWAIT(w, w->heard[MSG_SIGN] == 1);
	late.client = client_of(w, WRITE);
	say_startup(late.client);
	while (ended < MANY && poll(&called, 1, EACH_MS) == 0)
		end_by_server(&s[ended++]);
	assert_in_range(ended, 2, MANY - 1);
	be_let_go(w, &late, 0);
	assert_carries(&late);
	for (int i = 0; i < MANY; i++)
		hang_up(&s[i]);
	hang_up(&late);
}

/* A PostgreSQL that says inside TLS that it is shutting down looks like logins that fail. */
static void test_several_young_ends_are_a_reason_to_ask_and_not_to_wait(void **state)
{
	struct world *w = *state;
	struct wire s[3];

	set_state(w, WRITE, 0, SERVER_OPEN);
	for (int i = 0; i < 2; i++)
		s[i] = carry(w, WRITE, 0);
	for (int i = 0; i < 2; i++) {
		close(s[i].server);
		s[i].server = -1;
	}
	AWAIT(w, w->heard[MSG_SIGN] == 1);
	s[2] = carry(w, WRITE, 0);
	assert_int_equal(listener_sum(w, WRITE).held, 0);
	for (int i = 0; i < 3; i++)
		hang_up(&s[i]);
}

static void test_the_end_of_the_only_session_is_a_sign_unless_it_is_young(void **state)
{
	struct world *w = *state;
	struct wire young, old;

	set_state(w, WRITE, 0, SERVER_OPEN);
	young = carry(w, WRITE, 0);
	close(young.server);
	young.server = -1;
	assert_int_equal(read_once(young.client), 0);
	hang_up(&young);
	AWAIT(w, all_sessions(w) == 0);
	assert_int_equal(w->heard[MSG_SIGN], 0);
	old = carry(w, WRITE, 0);
	grow_up(w);
	close(old.server);
	old.server = -1;
	AWAIT(w, w->heard[MSG_SIGN] == 1);
	hang_up(&old);
}

int main(void)
{
#define STORY(f) cmocka_unit_test_setup_teardown(f, setup, teardown)
	const struct CMUnitTest tests[] = {
		STORY(test_a_client_waits_for_the_first_verdict_and_is_carried),
		STORY(test_what_it_said_first_is_forwarded_unchanged_encryption_request_or_not),
		STORY(test_a_client_that_hangs_up_is_forgotten_at_once),
		cmocka_unit_test(test_when_its_time_is_up_it_is_told_why),
		cmocka_unit_test(test_more_than_may_wait_are_told_so),
		STORY(test_listeners_wait_apart),
		STORY(test_stopping_sends_away_who_waits),
		STORY(test_a_crowd_is_let_go_by_and_by),
		STORY(test_who_comes_while_others_wait_goes_behind_them),
		STORY(test_a_server_that_refuses_is_tried_again_until_it_takes),
		STORY(test_a_server_that_is_starting_up_is_not_the_clients_business),
		STORY(test_a_login_that_a_shutdown_ends_is_done_again),
		STORY(test_after_a_no_to_encryption_another_server_can_still_be_asked),
		STORY(test_a_server_that_goes_after_its_no_is_replaced_unnoticed),
		STORY(test_in_a_tls_handshake_another_server_can_still_be_asked),
		STORY(test_a_verdict_takes_a_tls_handshake_to_the_new_primary),
		STORY(test_a_server_without_tls_is_none_for_a_client_that_was_told_yes),
		STORY(test_whoever_speaks_no_tls_after_a_yes_is_that_servers_to_judge),
		cmocka_unit_test(test_a_tls_client_that_has_waited_enough_hears_an_alert),
		STORY(test_any_other_error_is_the_servers_answer),
		STORY(test_another_server_is_asked_when_the_first_hangs_up_without_a_word),
		STORY(test_hanging_up_again_and_again_is_the_servers_answer),
		STORY(test_a_verdict_takes_the_unanswered_to_the_new_primary),
		STORY(test_several_ends_at_once_are_a_sign_and_newcomers_wait_a_moment),
		STORY(test_a_sign_takes_back_who_is_on_the_way_and_not_answered),
		STORY(test_what_one_listener_hears_of_a_server_the_others_know),
		STORY(test_ends_that_go_on_keep_newcomers_out_for_a_moment_only),
		STORY(test_several_young_ends_are_a_reason_to_ask_and_not_to_wait),
		STORY(test_the_end_of_the_only_session_is_a_sign_unless_it_is_young),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
