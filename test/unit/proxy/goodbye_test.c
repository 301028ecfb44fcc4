/* Stories of the last word: who hears it, who is only reset, and who is sent back to where he
 * belongs. */
#include "unit/proxy/world.h"

static const char ready_for_query[] = "Z\0\0\0\5I";
static const char in_transaction[] = "Z\0\0\0\5T";
static const char query[] = "Q\0\0\0\x0dselect 1\0";
enum { READY_BYTES = 6, QUERY_BYTES = 14 };

static int setup(void **state)
{
	struct world *w = world_new(&(struct options){0});

	w->state[WRITE][0] = SERVER_OPEN;
	w->state[READ][0] = SERVER_OPEN;
	publish(w);
	*state = w;
	return 0;
}

static int teardown(void **state)
{
	world_free(*state);
	return 0;
}

static void from_server(const struct wire *s, const char *bytes, size_t n)
{
	write_all(s->server, bytes, n);
	expect(s->client, bytes, n);
}

static void from_client(const struct wire *s, const char *bytes, size_t n)
{
	write_all(s->client, bytes, n);
	expect(s->server, bytes, n);
}

static struct wire log_in(struct world *w, unsigned listener, unsigned server)
{
	struct wire s = carry(w, listener, server);

	from_server(&s, ready_for_query, READY_BYTES);
	return s;
}

static void fall(struct world *w, unsigned listener)
{
	set_state(w, listener, 0, SERVER_CLOSED);
}

static void assert_reset(struct wire *s)
{
	assert_int_equal(read_once(s->client), -ECONNRESET);
	assert_int_equal(read_once(s->server), -ECONNRESET);
	hang_up(s);
}

/* ---- who hears it ---- */

static void test_a_session_in_plain_text_hears_which_node_and_why(void **state)
{
	struct world *w = *state;
	struct wire s = log_in(w, WRITE, 0);

	fall(w, WRITE);
	expect_error(s.client, "57P01",
		     "Mterminating connection to n1 of cluster \"main\": server lost the role");
	assert_int_equal(read_once(s.server), -ECONNRESET);
	AWAIT(w, listener_sum(w, WRITE).cuts == 1);
	hang_up(&s);
}

static void test_whoever_waits_for_an_answer_hears_it_at_once(void **state)
{
	struct world *w = *state;
	struct wire s = log_in(w, WRITE, 0);

	from_client(&s, query, QUERY_BYTES);
	from_server(&s, "D\0\0\0\6\0\0", 7); /* rows have come, and more were to come */
	fall(w, WRITE);
	expect_error(s.client, "57P01", "server lost the role");
	hang_up(&s);
}

/* Unread bytes would make our close a reset, and a reset may destroy the word. */
static void test_what_the_client_sent_meanwhile_neither_arrives_nor_destroys_the_word(void **state)
{
	struct world *w = *state;
	struct wire s = log_in(w, WRITE, 0);
	char got[8];

	set_state(w, WRITE, 0, SERVER_PAUSED);
	write_all(s.client, query, QUERY_BYTES);
	fall(w, WRITE);
	assert_int_equal(read_all(s.server, got, sizeof(got)), -ECONNRESET);
	expect_error(s.client, "57P01", "server lost the role");
	hang_up(&s);
}

/* ---- who is only reset ---- */

static void test_never_in_the_middle_of_a_message(void **state)
{
	static const char row[] = "D\0\0\0\x0b\0\1\0\0\0\1Z";

	for (size_t cut = 1; cut < sizeof(row) - 1; cut++) {
		struct world *w = *state;
		struct wire s = log_in(w, WRITE, 0);

		from_client(&s, query, QUERY_BYTES);
		from_server(&s, row, cut);
		fall(w, WRITE);
		assert_reset(&s);
		set_state(w, WRITE, 0, SERVER_OPEN);
	}
}

/* Whole messages only, but a part of the last one is still with us: the client acknowledges
 * nothing. */
static void test_never_to_a_client_that_is_behind(void **state)
{
	enum { ROW = 15000 };
	static const char row[ROW] = "D\0\0\x3a\x97";
	struct world *w = *state;
	struct wire s = log_in(w, WRITE, 0);
	uint64_t sent = 0, before = listener_sum(w, WRITE).bytes_out, passed;
	char got[ROW];
	ssize_t n;

	tcp_vanish(s.client);
	do {
		write_all(s.server, row, ROW);
		sent += ROW;
		AWAIT(w, (passed = listener_sum(w, WRITE).bytes_out - before,
			  passed == sent || passed % ROW != 0));
	} while (passed == sent);
	fall(w, WRITE);
	AWAIT(w, all_sessions(w) == 0);
	assert_int_equal(setsockopt(s.client, SOL_SOCKET, SO_DETACH_FILTER, &(int){0}, sizeof(int)),
			 0);
	write_all(s.client, "x", 1); /* it missed the reset; this asks for another one */
	do
		n = recv(s.client, got, sizeof(got), 0);
	while (n > 0);
	assert_int_equal(n, -1);
	assert_int_equal(errno, ECONNRESET);
	hang_up(&s);
}

static void test_inside_tls_nothing_is_said(void **state)
{
	struct world *w = *state;
	struct wire s = {client_of(w, WRITE), -1};

	write_all(s.client, ssl_request, 8);
	s.server = tcp_accept(w->server[0]);
	expect(s.server, ssl_request, 8);
	from_server(&s, "S", 1);
	from_client(&s, "\x16\3\1\0\1x", 6); /* a ClientHello of one byte */
	from_server(&s, "\x16\3\3", 3);
	fall(w, WRITE);
	assert_reset(&s);
}

static void test_after_a_no_to_encryption_everything_is_plain_text(void **state)
{
	struct world *w = *state;
	struct wire s = {client_of(w, WRITE), -1};

	write_all(s.client, gss_request, 8);
	s.server = tcp_accept(w->server[0]);
	expect(s.server, gss_request, 8);
	from_server(&s, "N", 1);
	from_client(&s, ssl_request, 8);
	from_server(&s, "N", 1);
	from_client(&s, startup_packet, STARTUP_BYTES);
	from_server(&s, auth_ok, AUTH_OK_BYTES);
	fall(w, WRITE);
	expect_error(s.client, "57P01", "server lost the role");
	hang_up(&s);
}

static void test_plain_tcp_is_no_protocol_of_ours(void **state)
{
	struct world *w;
	struct wire s;

	(void)state;
	w = world_new(&(struct options){.protocol = PROTOCOL_TCP});
	w->state[WRITE][0] = SERVER_OPEN;
	publish(w);
	s.client = client_of(w, WRITE);
	s.server = tcp_accept(w->server[0]);
	from_client(&s, startup_packet, STARTUP_BYTES);
	from_server(&s, auth_ok, AUTH_OK_BYTES);
	fall(w, WRITE);
	assert_reset(&s);
	world_free(w);
}

/* ---- back to the replicas ---- */

static void send_back(struct world *w)
{
	w->state[READ][0] = SERVER_KEPT;
	w->state[READ][1] = SERVER_OPEN;
	w->drain_back[READ][0] = true;
	publish(w);
}

static void test_only_the_idle_are_sent_back_and_the_others_when_they_are_done(void **state)
{
	struct world *w = *state;
	struct wire idle = log_in(w, READ, 0), busy = log_in(w, READ, 0), open = log_in(w, READ, 0),
		    writer = log_in(w, WRITE, 0), again;

	from_client(&busy, query, QUERY_BYTES);
	from_client(&open, query, QUERY_BYTES);
	from_server(&open, in_transaction, READY_BYTES);
	send_back(w);
	expect_error(idle.client, "57P01",
		     "Mterminating connection to n1 of cluster \"main\": sent back to a replica");
	assert_int_equal(read_once(idle.server), 0); /* nothing is wrong with the server */
	again = log_in(w, READ, 1);
	from_server(&busy, ready_for_query, READY_BYTES);
	expect_error(busy.client, "57P01", "sent back to a replica");
	from_client(&open, query, QUERY_BYTES); /* it was looked at with the others */
	from_server(&open, ready_for_query, READY_BYTES);
	expect_error(open.client, "57P01", "sent back to a replica");
	AWAIT(w, listener_sum(w, READ).closes[CLOSE_SENT_BACK] == 3);
	from_client(&writer, query, QUERY_BYTES);
	from_client(&again, query, QUERY_BYTES);
	hang_up(&idle);
	hang_up(&busy);
	hang_up(&open);
	hang_up(&again);
	hang_up(&writer);
}

static void test_they_are_sent_back_a_few_at_a_time(void **state)
{
	enum { CROWD = 40, AT_A_TIME = 8, EVERY_MS = 100 };
	struct world *w = *state;
	struct wire crowd[CROWD];
	int64_t began_ms;
	uint64_t gone = 0;

	for (int i = 0; i < CROWD; i++)
		crowd[i] = log_in(w, READ, 0);
	began_ms = test_now_ms();
	send_back(w);
	while (gone < CROWD) {
		AWAIT(w, listener_sum(w, READ).closes[CLOSE_SENT_BACK] > gone);
		gone = listener_sum(w, READ).closes[CLOSE_SENT_BACK];
		assert_true((int64_t)gone <=
			    AT_A_TIME * ((test_now_ms() - began_ms) / EVERY_MS + 1));
	}
	for (int i = 0; i < CROWD; i++) {
		expect_error(crowd[i].client, "57P01", "sent back to a replica");
		hang_up(&crowd[i]);
	}
}

static void test_nobody_is_sent_back_once_the_last_resort_is_needed_again(void **state)
{
	struct world *w = *state;
	struct wire s = log_in(w, READ, 0), gone = log_in(w, READ, 0);

	from_client(&s, query, QUERY_BYTES);
	send_back(w);
	expect_error(gone.client, "57P01", "sent back to a replica");
	w->drain_back[READ][0] = false;
	set_state(w, READ, 0, SERVER_OPEN);
	from_server(&s, ready_for_query, READY_BYTES);
	poll(NULL, 0, 300); /* three times as long as it took the other one */
	from_client(&s, query, QUERY_BYTES);
	hang_up(&s);
	hang_up(&gone);
}

int main(void)
{
#define STORY(f) cmocka_unit_test_setup_teardown(f, setup, teardown)
	const struct CMUnitTest tests[] = {
		STORY(test_a_session_in_plain_text_hears_which_node_and_why),
		STORY(test_whoever_waits_for_an_answer_hears_it_at_once),
		STORY(test_what_the_client_sent_meanwhile_neither_arrives_nor_destroys_the_word),
		STORY(test_never_in_the_middle_of_a_message),
		STORY(test_never_to_a_client_that_is_behind),
		STORY(test_inside_tls_nothing_is_said),
		STORY(test_after_a_no_to_encryption_everything_is_plain_text),
		cmocka_unit_test(test_plain_tcp_is_no_protocol_of_ours),
		STORY(test_only_the_idle_are_sent_back_and_the_others_when_they_are_done),
		STORY(test_they_are_sent_back_a_few_at_a_time),
		STORY(test_nobody_is_sent_back_once_the_last_resort_is_needed_again),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
