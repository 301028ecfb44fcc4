/* Stories of a view that brings another configuration: sessions go on, what the file says now
 * counts when it is due, and nobody goes by the old one any more. */
#include "unit/core/config_copy.h"
#include "unit/proxy/holding.h"

/* The next configuration, to be changed before take_config. */
static struct config *next_of(const struct world *w)
{
	return config_copy(w->config);
}

/* When this returns the workers have taken it, and the old one is gone: with it, under a sanitizer,
 * whoever still went by it would be found out. */
static void take_config(struct world *w, struct config *next)
{
	struct config *before = w->config;

	config_finish(next);
	scoreboard_take_config(w->board, before, next);
	w->config = next;
	publish(w);
	AWAIT(w, atomic_load(&before->refs) == 1);
	config_unref(before);
}

static struct world *world_at_work(const struct options *o)
{
	struct world *w = world_new(o);

	w->state[WRITE][0] = SERVER_OPEN;
	w->state[READ][1] = SERVER_OPEN;
	publish(w);
	return w;
}

static void test_sessions_of_both_workers_go_on(void **state)
{
	struct world *w = world_at_work(&(struct options){.n_workers = 2});
	struct wire s[6];

	(void)state;
	for (unsigned i = 0; i < 6; i++)
		s[i] = carry(w, i % 2 ? READ : WRITE, i % 2);
	for (unsigned round = 0; round < 20; round++) {
		struct config *next = next_of(w);

		next->listeners[READ].balance = (enum balance)(round % 3);
		next->listeners[WRITE].coalesce_us = round % 2 ? 250 : 0;
		next->spin_us = round % 2 ? 50 : 0;
		take_config(w, next);
		for (unsigned i = 0; i < 6; i++)
			assert_carries(&s[i]);
	}
	assert_int_equal(w->doomed, 0);
	for (unsigned i = 0; i < 6; i++)
		hang_up(&s[i]);
	world_free(w);
}

static void test_a_session_on_its_way_to_a_server_arrives(void **state)
{
	struct world *w = world_at_work(&(struct options){0});
	struct wire s = {client_of(w, WRITE), -1};

	(void)state;
	say_startup(s.client);
	take_config(w, next_of(w));
	s.server = tcp_accept(w->server[0]);
	expect(s.server, startup_packet, STARTUP_BYTES);
	take_config(w, next_of(w)); /* it has been asked and has not answered */
	take_on(&s);
	take_config(w, next_of(w));
	assert_carries(&s);
	hang_up(&s);
	world_free(w);
}

static void test_a_view_closes_by_verdict_and_brings_a_file_at_once(void **state)
{
	struct world *w = world_at_work(&(struct options){0});
	struct wire s = carry(w, WRITE, 0), other = carry(w, READ, 1);

	(void)state;
	w->state[WRITE][0] = SERVER_CLOSED;
	w->generation[WRITE][0]++;
	take_config(w, next_of(w));
	assert_int_equal(w->doomed, 1);
	expect_error(s.client, "57P01", "server lost the role");
	assert_carries(&other);
	hang_up(&s);
	hang_up(&other);
	world_free(w);
}

static void test_an_idle_timeout_counts_for_who_is_idle_already(void **state)
{
	struct world *w = world_at_work(&(struct options){0});
	struct wire s = carry(w, WRITE, 0), other = carry(w, READ, 1);
	struct config *next = next_of(w);

	(void)state;
	next->listeners[WRITE].timeouts.client_idle_ms = 20;
	take_config(w, next);
	AWAIT(w, listener_sum(w, WRITE).closes[CLOSE_CLIENT_IDLE] == 1);
	assert_carries(&other);
	hang_up(&s);
	s = carry(w, WRITE, 0);
	next = next_of(w);
	next->listeners[WRITE].timeouts.client_idle_ms = 0;
	take_config(w, next);
	assert_carries(&s);
	hang_up(&s);
	hang_up(&other);
	world_free(w);
}

static void test_another_hold_counts_for_who_waits_already(void **state)
{
	struct world *w = world_holding(LONG_MS, 0);
	struct config *next;
	int client = wait_for_server(w, WRITE), patient = wait_for_server(w, READ);

	(void)state;
	next = next_of(w);
	next->listeners[WRITE].hold_ms = 30;
	take_config(w, next);
	expect_error(client, "57P03", "has no");
	assert_int_equal(waiting(w, READ), 1);
	close(client);
	client = wait_for_server(w, WRITE); /* for 30 ms, or for as long as the next file says */
	next = next_of(w);
	next->listeners[WRITE].hold_ms = 0;
	take_config(w, next);
	expect_error(client, "57P03", "has no");
	close(client);
	close(patient);
	AWAIT(w, waiting(w, READ) == 0);
	world_free(w);
}

static void test_a_session_keeps_the_protocol_it_began_with(void **state)
{
	struct world *w = world_holding(LONG_MS, 0);
	struct config *next = next_of(w);
	struct wire tcp, greeted, fresh;

	(void)state;
	greeted = (struct wire){wait_for_server(w, WRITE), -1};
	next->listeners[WRITE].protocol = next->listeners[READ].protocol = PROTOCOL_TCP;
	take_config(w, next);
	tcp = (struct wire){client_of(w, READ), -1}; /* says nothing, and waits for a server */
	AWAIT(w, waiting(w, READ) == 1);
	next = next_of(w);
	next->listeners[READ].protocol = PROTOCOL_POSTGRESQL;
	take_config(w, next);
	set_state(w, READ, 1, SERVER_OPEN);
	tcp.server = tcp_accept(w->server[1]);
	write_all(tcp.server, "hello", 5);
	expect(tcp.client, "hello", 5);
	assert_carries(&tcp);
	set_state(w, WRITE, 0, SERVER_OPEN);
	be_let_go(w, &greeted, 0);
	assert_carries(&greeted);
	fresh = carry(w, READ, 1);
	hang_up(&fresh);
	hang_up(&greeted);
	hang_up(&tcp);
	world_free(w);
}

/* A listener's limit is shared by all workers, the process's bounds each one's memory as well. */
static void test_limits_grow_and_shrink(void **state)
{
	struct world *w = world_at_work(&(struct options){.maxconn = 2, .listener_maxconn = 2});
	struct wire a = carry(w, WRITE, 0), b = carry(w, WRITE, 0), c;
	struct config *next = next_of(w);
	int refused = client_of(w, WRITE);

	(void)state;
	say_startup(refused);
	expect_error(refused, "53300", "maxconn (2 sessions)");
	close(refused);
	next->maxconn = 3;
	next->listeners[WRITE].maxconn = 3;
	take_config(w, next);
	c = carry(w, WRITE, 0);
	next = next_of(w);
	next->maxconn = 1;
	take_config(w, next);
	assert_carries(&a);
	assert_carries(&b);
	assert_carries(&c);
	refused = client_of(w, READ);
	say_startup(refused);
	expect_error(refused, "53300", "maxconn (1 sessions)");
	close(refused);
	hang_up(&a);
	hang_up(&b);
	hang_up(&c);
	world_free(w);
}

static void test_a_limit_that_an_operator_has_set_stays(void **state)
{
	struct world *w = world_at_work(&(struct options){.listener_maxconn = 5});
	struct config *next = next_of(w);

	(void)state;
	NOTE(&w->board->gauges[WRITE], limit, 77);
	next->listeners[WRITE].maxconn = next->listeners[READ].maxconn = 6;
	take_config(w, next);
	assert_int_equal(NOTED(&w->board->gauges[WRITE], limit), 77);
	assert_int_equal(NOTED(&w->board->gauges[READ], limit), 6);
	world_free(w);
}

/* Bytes are on their way, so it is watched; then nobody is to be watched any more. */
static void test_a_watched_session_outlives_the_end_of_watching(void **state)
{
	struct world *w = world_at_work(&(struct options){.user_timeout_ms = 1000});
	struct wire s = carry(w, WRITE, 0);
	struct config *next = next_of(w);
	char *much = calloc(1, 1 << 16);

	(void)state;
	for (unsigned i = 0; i < 64; i++) /* more than the sockets hold: nobody reads it */
		(void)send(s.client, much, 1 << 16, MSG_DONTWAIT);
	next->listeners[WRITE].keepalive.user_timeout_ms = 0;
	take_config(w, next);
	poll(NULL, 0, 600); /* two looks would have been due */
	assert_int_equal(listener_sum(w, WRITE).ended, 0);
	free(much);
	hang_up(&s);
	world_free(w);
}

static void test_the_turns_are_counted_on_when_polling_is_set_anew(void **state)
{
	struct world *w = world_at_work(&(struct options){.spin_us = 50});
	struct wire s = carry(w, WRITE, 0);
	uint64_t before;

	(void)state;
	for (unsigned i = 0; i < 50; i++)
		assert_carries(&s);
	before = NOTED(&w->board->workers[0], spins);
	for (unsigned i = 1; i < 5; i++) {
		struct config *next = next_of(w);

		next->spin_us = 50 + i;
		take_config(w, next);
		assert_carries(&s);
		assert_true(NOTED(&w->board->workers[0], spins) >= before);
		before = NOTED(&w->board->workers[0], spins);
	}
	hang_up(&s);
	world_free(w);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_sessions_of_both_workers_go_on),
		cmocka_unit_test(test_a_session_on_its_way_to_a_server_arrives),
		cmocka_unit_test(test_a_view_closes_by_verdict_and_brings_a_file_at_once),
		cmocka_unit_test(test_an_idle_timeout_counts_for_who_is_idle_already),
		cmocka_unit_test(test_another_hold_counts_for_who_waits_already),
		cmocka_unit_test(test_a_session_keeps_the_protocol_it_began_with),
		cmocka_unit_test(test_limits_grow_and_shrink),
		cmocka_unit_test(test_a_limit_that_an_operator_has_set_stays),
		cmocka_unit_test(test_a_watched_session_outlives_the_end_of_watching),
		cmocka_unit_test(test_the_turns_are_counted_on_when_polling_is_set_anew),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
