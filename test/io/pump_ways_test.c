/* Stories of the three ways of a pump: a stream gathers, large reads take a pipe, a byte of the
 * other direction leads back to copying; and no byte is lost, doubled or overtaken by a change. */
#include "base/rng.h"
#include "io/coalesce.h"
#include "io/edge.h"
#include "io/pump.h"
#include "io/sockets.h"
#include <fcntl.h>
#include <netinet/tcp.h>
#include <poll.h>
#include <signal.h>
#include <stdlib.h>
#include <sys/ioctl.h>

enum { DEADLINE_US = 250, MANY_BYTES = 4 * 1024 * 1024 };

struct line {
	int client, source, sink, server; /* client -> source, pump, sink -> server */
	struct pump pump;
	struct pump_desk desk;
	char *data;         /* MANY_BYTES of noise: what the client sends, again and again */
	uint64_t sent, got; /* by the client, by the server */
};

/* Whatever is sent at a time fits into the queue of the receiver. */
static void make_roomy(int fd)
{
	const int bytes = 4 * PUMP_SCRATCH_BYTES;

	assert_int_equal(setsockopt(fd, SOL_SOCKET, SO_RCVBUF, &bytes, sizeof(bytes)), 0);
}

static int setup(void **state)
{
	struct line *l = calloc(1, sizeof(*l));
	struct rng r;

	tcp_pair(&l->client, &l->source);
	tcp_pair(&l->sink, &l->server);
	make_roomy(l->source);
	make_nonblocking(l->client);
	make_nonblocking(l->source);
	make_nonblocking(l->sink);
	assert_int_equal(pump_desk_init(&l->desk), 0);
	l->desk.coalesce_us = DEADLINE_US;
	l->desk.now_us = 1000000;
	l->data = malloc(MANY_BYTES);
	rng_seed(&r, 11);
	for (size_t i = 0; i < MANY_BYTES; i++)
		l->data[i] = (char)rng_next(&r);
	*state = l;
	return 0;
}

static int teardown(void **state)
{
	struct line *l = *state;

	pump_fini(&l->pump, &l->desk);
	assert_int_equal(l->desk.residue_bytes, 0);
	assert_int_equal(pump_desk_due_us(&l->desk), INT64_MAX);
	pump_desk_fini(&l->desk);
	for (size_t i = 0; i < 4; i++)
		close(((int[]){l->client, l->source, l->sink, l->server})[i]);
	free(l->data);
	free(l);
	return 0;
}

static int queued(int fd)
{
	int n = 0;

	assert_int_equal(ioctl(fd, FIONREAD, &n), 0);
	return n;
}

/* What the client's socket takes of the next `n` bytes of its noise. */
static size_t send_some(struct line *l, size_t n)
{
	size_t at = l->sent % MANY_BYTES;
	ssize_t w = send(l->client, l->data + at, n < MANY_BYTES - at ? n : MANY_BYTES - at,
			 MSG_NOSIGNAL);

	assert_true(w > 0 || errno == EAGAIN);
	l->sent += w > 0 ? (size_t)w : 0;
	return w > 0 ? (size_t)w : 0;
}

/* `n` bytes are sent, and lie in the source's queue with what lay there. */
static void send_all(struct line *l, size_t n)
{
	int before = queued(l->source);

	for (size_t done = 0; done < n;)
		done += send_some(l, n - done);
	while (queued(l->source) < before + (int)n)
		poll(NULL, 0, 1);
}

/* The server reads at most `n` bytes; they are the client's, in order. */
static void receive_some(struct line *l, size_t n)
{
	static char bytes[256 * 1024];

	while (n > 0) {
		size_t at = l->got % MANY_BYTES, most = MANY_BYTES - at;
		ssize_t r;

		most = most < n ? most : n;
		most = most < sizeof(bytes) ? most : sizeof(bytes);
		r = recv(l->server, bytes, most, MSG_DONTWAIT);
		if (r <= 0)
			return;
		assert_memory_equal(bytes, l->data + at, (size_t)r);
		l->got += (size_t)r;
		n -= (size_t)r;
	}
}

static enum pump_result run(struct line *l)
{
	return pump_run(&l->pump, l->source, l->sink, &l->desk);
}

/* One piece from end to end. */
static enum pump_result pass(struct line *l, size_t n)
{
	enum pump_result r;

	send_all(l, n);
	pump_source_ready(&l->pump, EDGE_READ);
	r = run(l);
	receive_some(l, SIZE_MAX);
	return r;
}

static int mark(const struct line *l)
{
	int bytes = 0;
	socklen_t len = sizeof(bytes);

	assert_int_equal(getsockopt(l->source, SOL_SOCKET, SO_RCVLOWAT, &bytes, &len), 0);
	return bytes;
}

/* Pieces as PostgreSQL's COPY writes them, until the pump lets them gather. */
static void become_a_stream(struct line *l)
{
	for (size_t n = 0; n < COALESCE_AFTER_BYTES; n += 8192) {
		assert_false(pump_coalesces(&l->pump));
		(void)pass(l, 8192);
	}
	assert_true(pump_coalesces(&l->pump));
}

/* ---- gathering ---- */

static void a_long_run_of_bytes_gathers(void **state)
{
	struct line *l = *state;

	become_a_stream(l);
	assert_true(mark(l) > 8192); /* the kernel doubles or caps it as it likes */
	assert_int_equal(pump_desk_due_us(&l->desk), l->desk.now_us + DEADLINE_US);
	assert_int_equal(l->got, l->sent);
}

static void a_piece_below_the_mark_waits_for_the_deadline_and_no_longer(void **state)
{
	struct line *l = *state;
	struct pollfd p = {.fd = l->source, .events = POLLIN};

	become_a_stream(l);
	send_all(l, 10000);
	assert_int_equal(poll(&p, 1, 0), 0); /* the kernel does not wake anybody for it */
	assert_null(pump_desk_overdue(&l->desk));
	assert_false(pump_has_work(&l->pump));
	l->desk.now_us += DEADLINE_US;
	assert_ptr_equal(pump_desk_overdue(&l->desk), &l->pump);
	assert_int_equal(run(l), PUMP_IDLE);
	receive_some(l, SIZE_MAX);
	assert_int_equal(l->got, l->sent);
	assert_true(pump_coalesces(&l->pump));
}

static void a_byte_of_the_other_direction_ends_it(void **state)
{
	struct line *l = *state;

	become_a_stream(l);
	pump_interrupt(&l->pump, l->source, &l->desk);
	assert_false(pump_coalesces(&l->pump));
	assert_int_equal(mark(l), 1);
	assert_int_equal(pump_desk_due_us(&l->desk), INT64_MAX);
	assert_null(l->pump.extra); /* an idle pump owns nothing */
	become_a_stream(l);         /* from nothing */
}

static void a_deadline_that_brings_nothing_twice_ends_it(void **state)
{
	struct line *l = *state;

	become_a_stream(l);
	for (int i = 0; i < 2; i++) {
		assert_true(pump_coalesces(&l->pump));
		l->desk.now_us += DEADLINE_US;
		assert_ptr_equal(pump_desk_overdue(&l->desk), &l->pump);
		assert_int_equal(run(l), PUMP_IDLE);
	}
	assert_false(pump_coalesces(&l->pump));
	assert_int_equal(mark(l), 1);
}

static void little_pieces_end_it(void **state)
{
	struct line *l = *state;

	become_a_stream(l);
	for (int i = 0; i < 2; i++) {
		assert_true(pump_coalesces(&l->pump));
		(void)pass(l, 100);
	}
	assert_false(pump_coalesces(&l->pump));
}

static void a_pause_begins_the_run_anew(void **state)
{
	struct line *l = *state;

	for (int i = 0; i < 100; i++) {
		l->desk.now_us += 2 * COALESCE_PAUSE_US;
		(void)pass(l, 8192);
	}
	assert_false(pump_coalesces(&l->pump));
}

static void without_a_deadline_nothing_gathers(void **state)
{
	struct line *l = *state;

	l->desk.coalesce_us = 0;
	for (int i = 0; i < 100; i++)
		(void)pass(l, 8192);
	assert_false(pump_coalesces(&l->pump));
	assert_int_equal(mark(l), 1);
}

/* A stream that polls while it cannot move costs more than it ever saved. */
static void a_blocked_stream_has_no_deadline(void **state)
{
	struct line *l = *state;

	become_a_stream(l);
	while (!l->pump.blocked) {
		(void)send_some(l, 100000);
		pump_source_ready(&l->pump, EDGE_READ);
		(void)run(l);
	}
	assert_true(pump_coalesces(&l->pump));
	assert_int_equal(pump_desk_due_us(&l->desk), INT64_MAX);
	assert_false(pump_has_work(&l->pump));
	receive_some(l, SIZE_MAX);
	pump_sink_ready(&l->pump, EDGE_WRITE);
	assert_true(pump_has_work(&l->pump));
}

static void the_end_of_a_stream_is_passed_on(void **state)
{
	struct line *l = *state;
	struct pollfd p = {.fd = l->source, .events = POLLIN | POLLRDHUP};

	become_a_stream(l);
	(void)send_some(l, 5000);
	shutdown(l->client, SHUT_WR);
	assert_int_equal(poll(&p, 1, 20000), 1); /* whatever the mark */
	pump_source_ready(&l->pump, EDGE_READ | EDGE_EOF);
	assert_int_equal(run(l), PUMP_EOF);
	assert_null(l->pump.extra);
	receive_some(l, SIZE_MAX);
	assert_int_equal(l->got, l->sent);
}

/* Each has its own deadline, and the first comes first. */
static void several_streams_are_due_in_their_order(void **state)
{
	struct line *l = *state;
	struct coalesce c[4];
	static const int64_t due[] = {400, 100, 300, 200};

	for (size_t i = 0; i < 4; i++) {
		coalesce_init(&c[i]);
		coalesce_arm(&c[i], &l->desk.streams, due[i]);
	}
	for (size_t i = 0; i < 4; i++) {
		struct coalesce *first = LIST_ENTRY(l->desk.streams.next, struct coalesce, node);

		assert_int_equal(pump_desk_due_us(&l->desk), (int64_t)(i + 1) * 100);
		coalesce_disarm(first);
	}
}

/* ---- pipes ---- */

/* The source is never empty, until what comes next is to go through a pipe. */
static void become_a_burst(struct line *l)
{
	l->desk.coalesce_us = 0;
	while (l->pump.burst * 16 < PUMP_BURST_BYTES) {
		assert_int_equal(l->desk.pipes.n_made, 0);
		if (queued(l->source) < 100000)
			send_all(l, 100000);
		pump_source_ready(&l->pump, EDGE_READ);
		pump_sink_ready(&l->pump, EDGE_WRITE);
		(void)run(l);
		receive_some(l, SIZE_MAX);
	}
}

static void a_source_that_is_never_empty_takes_a_pipe_and_gives_it_back(void **state)
{
	struct line *l = *state;

	become_a_burst(l);
	assert_int_equal(pass(l, 100000), PUMP_MORE);
	assert_true(l->desk.n_unseen > 0);
	assert_int_equal(l->desk.n_reads, 0);
	assert_int_equal(l->desk.pipes.n_made, 1);
	while (run(l) == PUMP_MORE)
		receive_some(l, SIZE_MAX);
	assert_int_equal(l->desk.pipes.n_idle, 1);
	assert_null(l->pump.extra);
	receive_some(l, SIZE_MAX);
	assert_int_equal(l->got, l->sent);
}

static void what_must_be_seen_is_copied(void **state)
{
	struct line *l = *state;

	become_a_burst(l);
	l->desk.unseen_most = 1000;
	(void)pass(l, 100000);
	assert_int_equal(l->desk.n_unseen, 0);
	assert_true(l->desk.n_reads > 0);
}

static void no_more_passes_unseen_than_may(void **state)
{
	struct line *l = *state;

	become_a_burst(l);
	l->desk.unseen_most = 70000;
	l->desk.budget = PUMP_ALONE_BYTES;
	send_all(l, 100000);
	pump_source_ready(&l->pump, EDGE_READ);
	(void)run(l);
	assert_in_range(l->desk.n_unseen, 1, 70000);
}

static void without_a_pipe_bytes_are_copied(void **state)
{
	struct line *l = *state;

	l->desk.pipes.n_made = PIPES_MOST;
	l->desk.coalesce_us = 0;
	while (l->got < 4 * PUMP_BURST_BYTES) {
		if (queued(l->source) < 100000)
			send_all(l, 100000);
		pump_source_ready(&l->pump, EDGE_READ);
		pump_sink_ready(&l->pump, EDGE_WRITE);
		(void)run(l);
		assert_int_equal(l->desk.n_unseen, 0);
		receive_some(l, SIZE_MAX);
	}
	l->desk.pipes.n_made = 0;
}

static void little_that_comes_through_a_pipe_leads_back_to_copying(void **state)
{
	struct line *l = *state;

	become_a_burst(l);
	for (int i = 0; i == 0 || l->pump.piping; i++) {
		assert_true(i < 10);
		send_all(l, 1000);
		pump_source_ready(&l->pump, EDGE_READ);
		(void)run(l);
		receive_some(l, SIZE_MAX);
	}
	(void)pass(l, 1000);
	assert_int_equal(l->desk.n_unseen, 0);
	assert_int_equal(l->got, l->sent);
}

static void a_source_that_knows_no_pipe_is_copied(void **state)
{
	struct line *l = *state;
	int fds[2];
	char bytes[1000] = "";

	/* A sequenced-packet socket can be received from, and not spliced from. */
	assert_int_equal(socketpair(AF_UNIX, SOCK_SEQPACKET | SOCK_NONBLOCK, 0, fds), 0);
	l->pump.piping = true;
	assert_int_equal(send(fds[0], bytes, sizeof(bytes), 0), sizeof(bytes));
	pump_source_ready(&l->pump, EDGE_READ);
	while (pump_run(&l->pump, fds[1], l->sink, &l->desk) == PUMP_MORE)
		;
	assert_int_equal(l->pump.bytes, sizeof(bytes));
	close(fds[0]);
	close(fds[1]);
}

/* What was spliced in lies in memory then; what still lies in the source must not overtake it. */
static void a_sink_that_takes_nothing_from_a_pipe_gets_it_in_order(void **state)
{
	struct line *l = *state;
	struct pipe *p = pipes_take(&l->desk.pipes);

	assert_true(fcntl(p->in, F_SETPIPE_SZ, 4 * 4096) > 0);
	pipes_give_back(&l->desk.pipes, p);
	assert_int_equal(fcntl(l->sink, F_SETFL, O_NONBLOCK | O_APPEND), 0); /* splice refuses it */
	l->pump.piping = true;
	l->desk.coalesce_us = 0;
	l->desk.budget = PUMP_ALONE_BYTES;
	send_all(l, 200000);
	pump_source_ready(&l->pump, EDGE_READ);
	assert_int_equal(run(l), PUMP_MORE);
	assert_true(l->pump.unpiped);
	while (run(l) == PUMP_MORE)
		receive_some(l, SIZE_MAX);
	while (l->got < l->sent) {
		pump_sink_ready(&l->pump, EDGE_WRITE);
		(void)run(l);
		receive_some(l, SIZE_MAX);
	}
	assert_int_equal(l->pump.bytes, l->sent);
}

static void what_a_pipe_holds_can_be_taken_out(void **state)
{
	struct line *l = *state;
	struct pipe *p = pipes_take(&l->desk.pipes);
	static char out[PIPE_BYTES];

	send_all(l, 50000);
	assert_int_equal(pipe_fill(p, l->source, PIPE_BYTES), 50000);
	pipe_empty(p, out);
	assert_memory_equal(out, l->data, 50000);
	assert_int_equal(p->held, 0);
	pipes_give_back(&l->desk.pipes, p);
	assert_int_equal(l->desk.pipes.n_idle, 1);
}

static void a_pipe_that_holds_bytes_dies_with_its_session(void **state)
{
	struct line *l = *state;

	become_a_burst(l);
	while (!l->pump.blocked) {
		(void)send_some(l, 1000000);
		pump_source_ready(&l->pump, EDGE_READ);
		(void)run(l);
	}
	assert_false(pump_is_empty(&l->pump));
	pump_fini(&l->pump, &l->desk);
	assert_int_equal(l->desk.pipes.n_made, l->desk.pipes.n_idle);
}

/* ---- all ways, changed at random ---- */

struct flips {
	unsigned gathered, spliced, copied, changes;
	int last;
};

static void note_way(struct flips *f, const struct line *l)
{
	int way = l->desk.n_unseen ? 2 : pump_coalesces(&l->pump) ? 1 : 0;

	if (l->desk.n_unseen + l->desk.n_reads == 0)
		return;
	f->spliced += way == 2;
	f->gathered += way == 1;
	f->copied += way == 0;
	f->changes += way != f->last;
	f->last = way;
}

static void act_at_random(struct line *l, struct rng *r, struct flips *f)
{
	switch (rng_below(r, 16)) {
	case 0: pump_interrupt(&l->pump, l->source, &l->desk); break;
	case 1: l->desk.budget = rng_below(r, 2) ? PUMP_ALONE_BYTES : PUMP_SHARED_BYTES; break;
	case 2: l->desk.unseen_most = rng_below(r, 3) ? SIZE_MAX : rng_below(r, 200000); break;
	case 3: l->desk.coalesce_us = rng_below(r, 4) ? DEADLINE_US : 0; break;
	case 4: l->desk.residue_max = rng_below(r, 8) ? PUMP_RESIDUE_MAX : 0; break;
	case 5: (void)send_some(l, 1 + rng_below(r, 300)); break;
	case 6:
		l->desk.now_us += (int64_t)rng_below(r, 600);
		while (pump_desk_overdue(&l->desk))
			;
		break;
	case 7:
	case 8: receive_some(l, rng_below(r, 1000)); break;
	case 9:
	case 10:
	case 11: receive_some(l, rng_below(r, 400000)); break;
	default: (void)send_some(l, 1 + rng_below(r, 300000)); break;
	}
	pump_source_ready(&l->pump, EDGE_READ);
	if (rng_below(r, 4))
		pump_sink_ready(&l->pump, EDGE_WRITE);
	(void)run(l);
	note_way(f, l);
}

static void the_ways_change_at_random_offsets_and_every_byte_arrives(void **state)
{
	enum { ENOUGH_BYTES = 200 * 1024 * 1024 };
	struct line *l = *state;
	struct flips f = {0};
	struct rng r;

	rng_seed(&r, 4242);
	while (l->sent < ENOUGH_BYTES)
		act_at_random(l, &r, &f);
	shutdown(l->client, SHUT_WR);
	while (l->got < l->sent) {
		pump_source_ready(&l->pump, EDGE_READ);
		pump_sink_ready(&l->pump, EDGE_WRITE);
		(void)run(l);
		receive_some(l, SIZE_MAX);
	}
	assert_int_equal(l->pump.bytes, l->sent);
	print_message("%u gathered, %u spliced, %u copied, %u changes\n", f.gathered, f.spliced,
		      f.copied, f.changes);
	assert_true(f.gathered > 10 && f.spliced > 10 && f.copied > 10 && f.changes > 100);
}

int main(void)
{
#define STORY(name) cmocka_unit_test_setup_teardown(name, setup, teardown)
	const struct CMUnitTest tests[] = {
		STORY(a_long_run_of_bytes_gathers),
		STORY(a_piece_below_the_mark_waits_for_the_deadline_and_no_longer),
		STORY(a_byte_of_the_other_direction_ends_it),
		STORY(a_deadline_that_brings_nothing_twice_ends_it),
		STORY(little_pieces_end_it),
		STORY(a_pause_begins_the_run_anew),
		STORY(without_a_deadline_nothing_gathers),
		STORY(a_blocked_stream_has_no_deadline),
		STORY(the_end_of_a_stream_is_passed_on),
		STORY(several_streams_are_due_in_their_order),
		STORY(a_source_that_is_never_empty_takes_a_pipe_and_gives_it_back),
		STORY(what_must_be_seen_is_copied),
		STORY(no_more_passes_unseen_than_may),
		STORY(without_a_pipe_bytes_are_copied),
		STORY(little_that_comes_through_a_pipe_leads_back_to_copying),
		STORY(a_source_that_knows_no_pipe_is_copied),
		STORY(a_sink_that_takes_nothing_from_a_pipe_gets_it_in_order),
		STORY(what_a_pipe_holds_can_be_taken_out),
		STORY(a_pipe_that_holds_bytes_dies_with_its_session),
		STORY(the_ways_change_at_random_offsets_and_every_byte_arrives),
	};

	signal(SIGPIPE, SIG_IGN);
	return cmocka_run_group_tests(tests, NULL, NULL);
}
