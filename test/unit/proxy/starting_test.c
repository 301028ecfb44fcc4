/* Stories of the first packet and the first answer: however they are cut, the client hears its
 * server's words whole, in order, and of no other server's; and of a server's kernel's refusal
 * nothing. */
#include "unit/proxy/holding.h"

static int setup(void **state)
{
	struct world *w = world_new(&(struct options){.hold_ms = LONG_MS});

	w->state[READ][0] = w->state[READ][1] = SERVER_OPEN;
	w->state[WRITE][0] = SERVER_OPEN;
	publish(w);
	*state = w;
	return 0;
}

static int teardown(void **state)
{
	world_free(*state);
	return 0;
}

/* Whatever has reached the worker before this is done when the bystander has its answer. */
static void settle(const struct wire *bystander)
{
	for (int i = 0; i < 2; i++)
		assert_carries(bystander);
}

/* Readers alternate: the first one goes to the first server. */
static struct wire ask(struct world *w, unsigned listener)
{
	struct wire s = {client_of(w, listener), -1};

	say_startup(s.client);
	s.server = tcp_accept(w->server[0]);
	expect(s.server, startup_packet, STARTUP_BYTES);
	return s;
}

static bool has_nothing(int fd)
{
	char byte;

	return recv(fd, &byte, 1, MSG_PEEK | MSG_DONTWAIT) < 0 && errno == EAGAIN;
}

static const char denied[] = "E\0\0\0\x1cSFATAL\0C28P01\0Mdenied\0\0";
enum { DENIED_BYTES = 29 };

/* ---- the answer, in pieces ---- */

/* Wherever it is cut. */
static void test_not_ready_in_two_pieces_is_still_not_the_clients_business(void **state)
{
	struct world *w = *state;

	for (size_t cut = 1; cut < STARTING_UP_BYTES; cut += 5) {
		struct wire bystander = carry(w, WRITE, 0), s = ask(w, READ), other;

		write_all(s.server, starting_up, cut);
		settle(&bystander);
		assert_true(has_nothing(s.client));
		write_all(s.server, starting_up + cut, STARTING_UP_BYTES - cut);
		assert_int_equal(read_once(s.server), 0);
		close(s.server);
		be_let_go(w, &s, 1);
		assert_carries(&s);
		other = carry(w, READ, 1); /* its turn */
		hang_up(&other);
		hang_up(&s);
		hang_up(&bystander);
	}
}

static void test_any_other_error_in_pieces_arrives_whole_and_once(void **state)
{
	struct world *w = *state;
	struct wire bystander = carry(w, WRITE, 0), s = ask(w, WRITE);

	for (size_t i = 0; i < DENIED_BYTES; i++) {
		write_all(s.server, denied + i, 1);
		settle(&bystander);
	}
	shutdown(s.server, SHUT_WR);
	expect(s.client, denied, DENIED_BYTES);
	assert_int_equal(read_once(s.client), 0);
	hang_up(&s);
	hang_up(&bystander);
}

static void test_an_error_that_breaks_off_is_heard_as_far_as_it_came(void **state)
{
	struct world *w = *state;
	struct wire bystander = carry(w, WRITE, 0), s = ask(w, WRITE);

	write_all(s.server, denied, 10);
	settle(&bystander);
	close(s.server);
	s.server = -1;
	expect(s.client, denied, 10);
	assert_int_equal(read_once(s.client), 0);
	hang_up(&s);
	hang_up(&bystander);
}

/* What was begun dies with the server that began it. */
static void test_a_verdict_between_the_pieces_takes_the_client_elsewhere(void **state)
{
	struct world *w = *state;
	struct wire bystander = carry(w, WRITE, 0), s = ask(w, READ);

	write_all(s.server, denied, 10);
	settle(&bystander);
	set_state(w, READ, 0, SERVER_CLOSED);
	close(s.server);
	be_let_go(w, &s, 1);
	assert_carries(&s);
	hang_up(&s);
	hang_up(&bystander);
}

static void test_a_client_that_goes_between_the_pieces_leaves_nothing(void **state)
{
	struct world *w = *state;
	struct wire bystander = carry(w, WRITE, 0), s = ask(w, WRITE);

	write_all(s.server, denied, 10);
	settle(&bystander);
	tcp_reset(s.client);
	AWAIT(w, listener_sum(w, WRITE).closes[CLOSE_CLIENT_RESET] == 1);
	close(s.server);
	hang_up(&bystander);
}

static void test_a_client_that_ends_between_the_pieces_hears_them_all(void **state)
{
	struct world *w = *state;
	struct wire bystander = carry(w, WRITE, 0), s = ask(w, WRITE);

	write_all(s.server, denied, 10);
	settle(&bystander);
	shutdown(s.client, SHUT_WR);
	expect(s.client, denied, 10);
	assert_int_equal(read_once(s.server), 0);
	write_all(s.server, denied + 10, DENIED_BYTES - 10);
	expect(s.client, denied + 10, DENIED_BYTES - 10);
	hang_up(&s);
	hang_up(&bystander);
}

/* ---- the answer, and more ---- */

static void test_an_answer_of_any_length_arrives_in_order(void **state)
{
	enum { BYTES = 100 * 1024 };
	struct world *w = *state;
	struct wire s = ask(w, WRITE);
	char *said = malloc(BYTES), *heard = malloc(BYTES);

	for (size_t i = 0; i < BYTES; i++)
		said[i] = (char)(i * 31 / 7);
	memcpy(said, auth_ok, AUTH_OK_BYTES);
	write_all(s.server, said, BYTES);
	assert_int_equal(read_all(s.client, heard, BYTES), BYTES);
	assert_memory_equal(heard, said, BYTES);
	assert_carries(&s);
	AWAIT(w, listener_sum(w, WRITE).bytes_out == BYTES + 4); /* counted once they are sent */
	AWAIT(w, listener_sum(w, WRITE).bytes_in == STARTUP_BYTES + 4);
	free(said);
	free(heard);
	hang_up(&s);
}

static void test_an_answer_and_the_end_behind_it_are_both_heard(void **state)
{
	struct world *w = *state;
	struct wire s = ask(w, WRITE);

	write_all(s.server, denied, DENIED_BYTES);
	close(s.server);
	s.server = -1;
	expect(s.client, denied, DENIED_BYTES);
	assert_int_equal(read_once(s.client), 0);
	hang_up(&s);
	AWAIT(w, listener_sum(w, WRITE).closes[CLOSE_SERVER] == 1);
}

/* ---- the packet ---- */

static void test_a_packet_in_two_pieces_is_sent_when_it_is_whole(void **state)
{
	struct world *w = *state;
	struct wire bystander = carry(w, WRITE, 0), s = {client_of(w, WRITE), -1};

	write_all(s.client, startup_packet, 6);
	settle(&bystander);
	assert_int_equal(server_sum(w, WRITE, 0).sessions, 1); /* the bystander's */
	write_all(s.client, startup_packet + 6, STARTUP_BYTES - 6);
	be_let_go(w, &s, 0);
	assert_carries(&s);
	hang_up(&s);
	hang_up(&bystander);
}

/* Another server may take over as long as the first one has not spoken: what lies behind the packet
 * is not for it yet. */
static void test_what_the_client_says_behind_its_packet_waits_for_the_answer(void **state)
{
	static const char both[] = "\0\0\0\x11\0\3\0\0user\0me\0\0Q\0\0\0\x05;";
	enum { BOTH_BYTES = sizeof(both) };
	struct world *w = *state;
	struct wire bystander = carry(w, WRITE, 0), s = {client_of(w, READ), -1};
	int first;

	write_all(s.client, both, BOTH_BYTES);
	first = tcp_accept(w->server[0]);
	expect(first, startup_packet, STARTUP_BYTES);
	settle(&bystander);
	assert_true(has_nothing(first));
	tcp_reset(first);
	be_let_go(w, &s, 1);
	expect(s.server, both + STARTUP_BYTES, BOTH_BYTES - STARTUP_BYTES);
	assert_carries(&s);
	hang_up(&s);
	hang_up(&bystander);
}

/* The same when it comes later than the packet was sent on. */
static void test_what_it_says_meanwhile_waits_as_well(void **state)
{
	struct world *w = *state;
	struct wire bystander = carry(w, WRITE, 0), s = ask(w, WRITE);

	write_all(s.client, "meanwhile", 9);
	settle(&bystander);
	assert_true(has_nothing(s.server));
	take_on(&s);
	expect(s.server, "meanwhile", 9);
	assert_carries(&s);
	hang_up(&s);
	hang_up(&bystander);
}

static void test_what_it_says_behind_its_request_for_encryption_waits_for_the_no(void **state)
{
	struct world *w = *state;
	struct wire bystander = carry(w, WRITE, 0), s = {client_of(w, WRITE), -1};

	write_all(s.client, ssl_request, 8);
	s.server = tcp_accept(w->server[0]);
	expect(s.server, ssl_request, 8);
	say_startup(s.client);
	settle(&bystander);
	assert_true(has_nothing(s.server));
	write_all(s.server, "N", 1);
	expect(s.client, "N", 1);
	expect(s.server, startup_packet, STARTUP_BYTES);
	take_on(&s);
	assert_carries(&s);
	hang_up(&s);
	hang_up(&bystander);
}

static void test_a_client_that_ends_behind_its_packet_hears_the_answer(void **state)
{
	struct world *w = *state;
	struct wire s = {client_of(w, WRITE), -1};

	say_startup(s.client);
	shutdown(s.client, SHUT_WR);
	s.server = tcp_accept(w->server[0]);
	expect(s.server, startup_packet, STARTUP_BYTES);
	assert_int_equal(read_once(s.server), 0);
	write_all(s.server, denied, DENIED_BYTES);
	expect(s.client, denied, DENIED_BYTES);
	hang_up(&s);
}

/* ---- a server that is there at once, or not ---- */

static void test_a_refusal_found_at_once_costs_the_client_nothing(void **state)
{
	struct world *w = *state;
	struct wire s = {client_of(w, READ), -1};

	close(w->server[0]);
	w->server[0] = -1;
	say_startup(s.client);
	be_let_go(w, &s, 1);
	assert_carries(&s);
	assert_int_equal(server_sum(w, READ, 0).connect_errors, 1);
	assert_int_equal(server_sum(w, READ, 0).connected, 0);
	assert_int_equal(server_sum(w, READ, 1).connected, 1);
	AWAIT(w, w->heard[MSG_SIGN] == 1);
	hang_up(&s);
}

/* Its queue is full for a while, so nobody is connected to it when connect() comes back. */
static void test_a_server_that_is_there_later_gets_the_packet_later(void **state)
{
	struct world *w = *state;
	struct sockaddr_in sin = loopback_of(w->server_port[0]);
	struct wire s[2];
	int stuffing;

	assert_int_equal(listen(w->server[0], 0), 0);
	stuffing = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);
	assert_int_equal(connect(stuffing, (struct sockaddr *)&sin, sizeof(sin)), 0);
	s[0].client = client_of(w, WRITE);
	say_startup(s[0].client);
	AWAIT(w, server_sum(w, WRITE, 0).sessions == 1);
	assert_int_equal(server_sum(w, WRITE, 0).connected, 0);
	assert_int_equal(listen(w->server[0], 4096), 0);
	close(tcp_accept(w->server[0])); /* the stuffing's */
	close(stuffing);
	s[1].client = client_of(w, WRITE); /* it overtakes, and is in no hurry any more */
	say_startup(s[1].client);
	be_let_go(w, &s[1], 0);
	be_let_go(w, &s[0], 0); /* when its greeting is sent again */
	for (int i = 0; i < 2; i++) {
		assert_carries(&s[i]);
		hang_up(&s[i]);
	}
	assert_int_equal(server_sum(w, WRITE, 0).connected, 2);
}

int main(void)
{
#define STORY(f) cmocka_unit_test_setup_teardown(f, setup, teardown)
	const struct CMUnitTest tests[] = {
		STORY(test_not_ready_in_two_pieces_is_still_not_the_clients_business),
		STORY(test_any_other_error_in_pieces_arrives_whole_and_once),
		STORY(test_an_error_that_breaks_off_is_heard_as_far_as_it_came),
		STORY(test_a_verdict_between_the_pieces_takes_the_client_elsewhere),
		STORY(test_a_client_that_goes_between_the_pieces_leaves_nothing),
		STORY(test_a_client_that_ends_between_the_pieces_hears_them_all),
		STORY(test_an_answer_of_any_length_arrives_in_order),
		STORY(test_an_answer_and_the_end_behind_it_are_both_heard),
		STORY(test_a_packet_in_two_pieces_is_sent_when_it_is_whole),
		STORY(test_what_the_client_says_behind_its_packet_waits_for_the_answer),
		STORY(test_what_it_says_meanwhile_waits_as_well),
		STORY(test_what_it_says_behind_its_request_for_encryption_waits_for_the_no),
		STORY(test_a_client_that_ends_behind_its_packet_hears_the_answer),
		STORY(test_a_refusal_found_at_once_costs_the_client_nothing),
		STORY(test_a_server_that_is_there_later_gets_the_packet_later),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
