/* Stories of one direction of bytes: intact, in order, held back by a slow reader, ended as the
 * source ended. */
#include "base/rng.h"
#include "io/edge.h"
#include "io/pump.h"
#include "io/sockets.h"
#include <poll.h>
#include <stdlib.h>

struct line {
	int client, source, sink, server; /* client -> source, pump, sink -> server */
	struct pump pump;
	struct pump_desk desk;
};

static int setup(void **state)
{
	struct line *l = calloc(1, sizeof(*l));

	tcp_pair(&l->client, &l->source);
	tcp_pair(&l->sink, &l->server);
	make_nonblocking(l->source);
	make_nonblocking(l->sink);
	assert_int_equal(pump_desk_init(&l->desk), 0);
	*state = l;
	return 0;
}

static int teardown(void **state)
{
	struct line *l = *state;

	pump_fini(&l->pump, &l->desk);
	pump_fini(&l->pump, &l->desk);
	assert_int_equal(l->desk.residue_bytes, 0);
	pump_desk_fini(&l->desk);
	for (size_t i = 0; i < 4; i++)
		close(((int[]){l->client, l->source, l->sink, l->server})[i]);
	free(l);
	return 0;
}

static short await(int fd, short events)
{
	struct pollfd p = {.fd = fd, .events = events};

	assert_int_equal(poll(&p, 1, 20000), 1);
	return p.revents;
}

static void ready(struct line *l, uint32_t events)
{
	await(l->source, events & EDGE_ENDING ? POLLRDHUP : POLLIN);
	pump_source_ready(&l->pump, events);
}

static enum pump_result run(struct line *l)
{
	return pump_run(&l->pump, l->source, l->sink, &l->desk);
}

static void test_bytes_pass_and_an_idle_pump_owns_nothing(void **state)
{
	struct line *l = *state;
	char got[6] = "";

	write_all(l->client, "hello", 5);
	ready(l, EDGE_READ);
	assert_true(pump_has_work(&l->pump));
	assert_int_equal(run(l), PUMP_IDLE);
	assert_int_equal(read_all(l->server, got, 5), 5);
	assert_string_equal(got, "hello");
	assert_int_equal(l->pump.bytes, 5);
	assert_true(pump_is_empty(&l->pump));
}

/* The saved call: after a short read the source is known to be empty. */
static void test_a_short_read_is_not_followed_by_another(void **state)
{
	struct line *l = *state;

	write_all(l->client, "x", 1);
	ready(l, EDGE_READ);
	assert_int_equal(run(l), PUMP_IDLE);
	assert_false(pump_has_work(&l->pump));
	assert_int_equal(run(l), PUMP_IDLE);
	assert_int_equal(l->pump.bytes, 1);
}

static void fill(char *data, size_t n, uint64_t seed)
{
	struct rng r;

	rng_seed(&r, seed);
	for (size_t i = 0; i < n; i++)
		data[i] = (char)rng_next(&r);
}

/* Fill client, pump and sink until everything stands still. Returns the bytes that the client got
 * rid of. */
static size_t stuff(struct line *l, const char *data, size_t n)
{
	size_t sent = 0;

	make_nonblocking(l->client);
	for (;;) {
		ssize_t w = send(l->client, data + sent, n - sent, MSG_NOSIGNAL);

		if (w > 0)
			sent += (size_t)w;
		if (w < 0 && l->pump.blocked)
			return sent;
		pump_source_ready(&l->pump, EDGE_READ);
		(void)run(l);
	}
}

static void test_a_slow_reader_gets_every_byte_in_order(void **state)
{
	enum { BYTES = 24 * 1024 * 1024 };
	struct line *l = *state;
	char *data = malloc(BYTES), *got = malloc(BYTES);
	size_t sent, have = 0;

	fill(data, BYTES, 7);
	sent = stuff(l, data, BYTES);
	assert_true(sent < BYTES);
	assert_false(pump_is_empty(&l->pump));
	assert_true(l->desk.residue_bytes <= PUMP_SHARED_BYTES);
	while (have < sent) {
		ssize_t n = recv(l->server, got + have, 100 * 1000, MSG_DONTWAIT);

		have += n > 0 ? (size_t)n : 0;
		pump_sink_ready(&l->pump, EDGE_WRITE);
		pump_source_ready(&l->pump, EDGE_READ);
		(void)run(l);
	}
	assert_memory_equal(data, got, sent);
	assert_int_equal(l->pump.bytes, sent);
	assert_true(pump_is_empty(&l->pump));
	free(data);
	free(got);
}

static void test_a_blocked_pump_reads_nothing_until_the_sink_is_ready(void **state)
{
	enum { BYTES = 24 * 1024 * 1024 };
	struct line *l = *state;
	char *data = calloc(1, BYTES);
	uint64_t before;

	stuff(l, data, BYTES);
	before = l->pump.bytes;
	pump_source_ready(&l->pump, EDGE_READ);
	assert_false(pump_has_work(&l->pump));
	assert_int_equal(run(l), PUMP_BLOCKED);
	assert_int_equal(l->pump.bytes, before);
	free(data);
}

static void test_the_end_is_passed_on_after_the_last_byte(void **state)
{
	struct line *l = *state;
	char got[8];

	write_all(l->client, "bye", 3);
	shutdown(l->client, SHUT_WR);
	ready(l, EDGE_READ | EDGE_EOF);
	assert_int_equal(run(l), PUMP_EOF);
	assert_int_equal(read_all(l->server, got, sizeof(got)), 3);
	assert_int_equal(run(l), PUMP_IDLE); /* told once */
	assert_true(l->pump.finished);
	write_all(l->server, "x", 1); /* the other direction still lives */
	await(l->sink, POLLIN);
}

static void test_a_half_closed_source_waits_for_a_slow_sink(void **state)
{
	enum { BYTES = 24 * 1024 * 1024 };
	struct line *l = *state;
	char *data = malloc(BYTES), *got = malloc(BYTES);
	enum pump_result r = PUMP_BLOCKED;
	size_t sent, have = 0;

	fill(data, BYTES, 8);
	sent = stuff(l, data, BYTES);
	shutdown(l->client, SHUT_WR);
	pump_source_ready(&l->pump, EDGE_READ | EDGE_EOF);
	while (have < sent || r != PUMP_EOF) {
		ssize_t n = recv(l->server, got + have, BYTES - have, MSG_DONTWAIT);

		have += n > 0 ? (size_t)n : 0;
		pump_sink_ready(&l->pump, EDGE_WRITE);
		if (r != PUMP_EOF)
			r = run(l);
	}
	assert_int_equal(have, sent);
	assert_memory_equal(data, got, sent);
	assert_int_equal(read_once(l->server), 0);
	free(data);
	free(got);
}

static void test_a_reset_source_still_delivers_what_it_had_sent(void **state)
{
	struct line *l = *state;
	char got[16];

	write_all(l->client, "last words", 10);
	await(l->source, POLLIN);
	tcp_reset(l->client);
	l->client = -1;
	await(l->source, POLLRDHUP);
	pump_source_ready(&l->pump, EDGE_READ | EDGE_ENDING);
	assert_int_equal(run(l), PUMP_SOURCE_LOST);
	assert_int_equal(read_all(l->server, got, 10), 10);
	assert_memory_equal(got, "last words", 10);
	assert_int_equal(run(l), PUMP_IDLE);
}

static void test_a_reset_sink_is_told_once(void **state)
{
	struct line *l = *state;

	tcp_reset(l->server);
	l->server = -1;
	await(l->sink, POLLRDHUP);
	write_all(l->client, "x", 1);
	ready(l, EDGE_READ);
	assert_int_equal(run(l), PUMP_SINK_LOST);
	assert_int_equal(run(l), PUMP_IDLE);
}

static void test_a_full_budget_asks_for_another_run(void **state)
{
	struct line *l = *state;
	char data[3000];

	fill(data, sizeof(data), 9);
	l->desk.budget = 1000;
	write_all(l->client, data, sizeof(data));
	while (recv(l->source, data, sizeof(data), MSG_PEEK) != sizeof(data))
		;
	pump_source_ready(&l->pump, EDGE_READ);
	assert_int_equal(run(l), PUMP_MORE);
	assert_int_equal(l->pump.bytes, 1000);
	assert_int_equal(run(l), PUMP_MORE);
	assert_int_equal(run(l), PUMP_MORE); /* full again: only the next read can tell */
	assert_int_equal(run(l), PUMP_IDLE);
	assert_int_equal(l->pump.bytes, sizeof(data));
}

static void test_reads_shrink_when_residues_reach_their_cap(void **state)
{
	struct line *l = *state;
	char data[PUMP_SCARCE_BYTES * 2] = "";

	l->desk.residue_max = 0;
	l->desk.budget = 1;
	write_all(l->client, data, sizeof(data));
	while (recv(l->source, data, sizeof(data), MSG_PEEK) != sizeof(data))
		;
	pump_source_ready(&l->pump, EDGE_READ);
	assert_int_equal(run(l), PUMP_MORE);
	assert_int_equal(l->pump.bytes, 1);
	l->desk.budget = PUMP_SHARED_BYTES;
	l->desk.unseen_most = 0; /* one read a run */
	assert_int_equal(run(l), PUMP_MORE);
	assert_int_equal(l->pump.bytes, 1 + PUMP_SCARCE_BYTES);
}

static void test_a_slow_sink_is_offered_little_at_first(void **state)
{
	enum { BYTES = 24 * 1024 * 1024 };
	struct line *l = *state;
	char *data = calloc(1, BYTES);
	uint64_t before;

	l->pump.unpiped = true; /* a pipe keeps its pages, not ours */
	stuff(l, data, BYTES);
	while (!pump_is_empty(&l->pump)) {
		(void)recv(l->server, data, 1000 * 1000, MSG_DONTWAIT);
		pump_sink_ready(&l->pump, EDGE_WRITE);
		l->pump.readable = false;
		(void)run(l);
	}
	while (recv(l->server, data, BYTES, MSG_DONTWAIT) > 0)
		;
	await(l->sink, POLLOUT);
	before = l->pump.bytes;
	l->desk.unseen_most = 0; /* one read a run */
	pump_source_ready(&l->pump, EDGE_READ);
	(void)run(l);
	assert_true(l->pump.bytes - before <= PUMP_SLOW_BYTES);
	free(data);
}

int main(void)
{
#define STORY(f) cmocka_unit_test_setup_teardown(f, setup, teardown)
	const struct CMUnitTest tests[] = {
		STORY(test_bytes_pass_and_an_idle_pump_owns_nothing),
		STORY(test_a_short_read_is_not_followed_by_another),
		STORY(test_a_slow_reader_gets_every_byte_in_order),
		STORY(test_a_blocked_pump_reads_nothing_until_the_sink_is_ready),
		STORY(test_the_end_is_passed_on_after_the_last_byte),
		STORY(test_a_half_closed_source_waits_for_a_slow_sink),
		STORY(test_a_reset_source_still_delivers_what_it_had_sent),
		STORY(test_a_reset_sink_is_told_once),
		STORY(test_a_full_budget_asks_for_another_run),
		STORY(test_reads_shrink_when_residues_reach_their_cap),
		STORY(test_a_slow_sink_is_offered_little_at_first),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
