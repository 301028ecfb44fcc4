/* Stories of the edge set: each edge once, nothing for the dead, and a guest that is never
 * forgotten. */
#include "io/clock.h"
#include "io/edge.h"
#include "io/loop.h"
#include "io/sockets.h"
#include <pthread.h>
#include <stdlib.h>

struct party {
	struct edge edge;
	uv_loop_t loop;
};

struct guest_of_set {
	struct edge_source source;
	struct party *party;
	unsigned calls;
	uint32_t events;
	struct guest_of_set **victim; /* dropped and freed when this one is called */
};

enum kind { GUEST, SWAPPER, ORDERED, HURRIED, N_KINDS };

static edge_handler on_ready, on_swap, on_ordered, on_hurried;

static edge_handler *const handlers[N_KINDS] = {
	[GUEST] = on_ready, [SWAPPER] = on_swap, [ORDERED] = on_ordered, [HURRIED] = on_hurried};

static int setup(void **state)
{
	struct party *p = calloc(1, sizeof(*p));

	assert_int_equal(loop_open(&p->loop), 0);
	assert_int_equal(edge_open(&p->edge, &p->loop, handlers, N_KINDS), 0);
	*state = p;
	return 0;
}

static int teardown(void **state)
{
	struct party *p = *state;

	edge_close(&p->edge);
	loop_close(&p->loop, "edge_test");
	free(p);
	return 0;
}

static void on_ready(struct edge_source *source, uint32_t events)
{
	struct guest_of_set *g = (struct guest_of_set *)source;

	g->calls++;
	g->events |= events;
	if (g->victim && *g->victim) {
		close(edge_drop(&g->party->edge, &(*g->victim)->source));
		free(*g->victim);
		*g->victim = NULL;
	}
}

static struct guest_of_set *join(struct party *p, int fd)
{
	struct guest_of_set *g = calloc(1, sizeof(*g));

	g->party = p;
	make_nonblocking(fd);
	edge_source_init(&g->source, GUEST);
	assert_int_equal(edge_add(&p->edge, &g->source, fd), 0);
	return g;
}

static void leave(struct party *p, struct guest_of_set *g)
{
	if (g)
		close(edge_drop(&p->edge, &g->source));
	free(g);
}

static void turn(struct party *p, int max_ms)
{
	int64_t now_us = clock_us();

	edge_wait(&p->edge, now_us, now_us + max_ms * (int64_t)1000);
	edge_dispatch(&p->edge, INT64_MAX);
}

/* The handle lies on the caller's stack. */
static void close_and_run(struct party *p, uv_handle_t *handle)
{
	uv_close(handle, NULL);
	edge_mark_guest(&p->edge);
	turn(p, 0);
	assert_false(uv_loop_alive(&p->loop));
}

/* A UNIX socket tells its writer of each of its peer's reads, unless that is not wanted. */
static void test_room_is_told_to_who_wants_to_know(void **state)
{
	struct party *p = *state;
	struct guest_of_set *g;
	char byte;
	int fds[2];

	assert_int_equal(socketpair(AF_UNIX, SOCK_STREAM, 0, fds), 0);
	g = join(p, fds[1]);
	turn(p, 20000);
	edge_want_write(&p->edge, &g->source, false);
	g->calls = 0;
	write_all(fds[1], "x", 1);
	assert_int_equal(read_all(fds[0], &byte, 1), 1);
	turn(p, 0);
	assert_int_equal(g->calls, 0);
	edge_want_write(&p->edge, &g->source, true);
	turn(p, 20000); /* there is room already, and that is told as well */
	assert_int_equal(g->calls, 1);
	write_all(fds[1], "y", 1);
	assert_int_equal(read_all(fds[0], &byte, 1), 1);
	turn(p, 20000);
	assert_int_equal(g->calls, 2);
	leave(p, g);
	close(fds[0]);
}

static void test_an_edge_is_told_once_and_new_bytes_are_a_new_edge(void **state)
{
	struct party *p = *state;
	struct guest_of_set *g;
	int a, b;

	tcp_pair(&a, &b);
	g = join(p, b);
	turn(p, 20000);
	assert_int_equal(g->events, EDGE_WRITE);
	g->events = g->calls = 0;
	write_all(a, "x", 1);
	turn(p, 20000);
	assert_int_equal(g->events & EDGE_READ, EDGE_READ);
	turn(p, 0); /* unread, but told already */
	assert_int_equal(g->calls, 1);
	write_all(a, "y", 1);
	turn(p, 20000);
	assert_int_equal(g->calls, 2);
	leave(p, g);
	close(a);
}

static void test_the_end_and_a_reset_are_told_as_such(void **state)
{
	struct party *p = *state;
	struct guest_of_set *g, *h;
	int a, b, c, d;

	tcp_pair(&a, &b);
	tcp_pair(&c, &d);
	g = join(p, b);
	h = join(p, d);
	shutdown(a, SHUT_WR);
	tcp_reset(c);
	while (!(g->events & EDGE_EOF) || !(h->events & EDGE_ERROR))
		turn(p, 20000);
	assert_int_equal(g->events & (EDGE_HANGUP | EDGE_ERROR), 0);
	assert_int_equal(h->events & EDGE_ENDING, EDGE_ENDING);
	leave(p, g);
	leave(p, h);
	close(a);
}

/* Both are in one batch; the first one called frees the other. */
static void test_a_source_dropped_in_the_batch_is_never_called(void **state)
{
	struct party *p = *state;
	struct guest_of_set *g, *h;
	int a, b, c, d;

	tcp_pair(&a, &b);
	tcp_pair(&c, &d);
	g = join(p, b);
	h = join(p, d);
	g->victim = &h;
	h->victim = &g;
	assert_int_equal(edge_wait(&p->edge, clock_us(), clock_us() + 20000000), 2);
	edge_dispatch(&p->edge, INT64_MAX);
	assert_true((g == NULL) != (h == NULL));
	assert_int_equal((g ? g : h)->calls, 1);
	leave(p, g);
	leave(p, h);
	close(a);
	close(c);
}

struct swapper {
	struct edge_source source;
	struct party *party;
	struct guest_of_set *other;
	int fresh;
};

static void on_swap(struct edge_source *source, uint32_t events)
{
	struct swapper *s = (struct swapper *)source;

	(void)events;
	if (s->fresh < 0)
		return;
	close(edge_drop(&s->party->edge, &s->other->source));
	assert_int_equal(edge_add(&s->party->edge, &s->other->source, s->fresh), 0);
	s->fresh = -1;
}

/* The second server of a session is called with the same source: it must not hear of the first
 * one's end. */
static void test_a_reused_source_gets_no_event_of_its_old_socket(void **state)
{
	struct party *p = *state;
	struct swapper s = {.party = p};
	int a, b, c, d, e;

	tcp_pair(&a, &b);
	tcp_pair(&c, &d);
	tcp_pair(&e, &s.fresh);
	make_nonblocking(s.fresh);
	make_nonblocking(b);
	edge_source_init(&s.source, SWAPPER);
	assert_int_equal(edge_add(&p->edge, &s.source, b), 0); /* first in the batch */
	s.other = join(p, d);
	tcp_reset(c);
	while (s.fresh >= 0)
		turn(p, 20000);
	while (s.other->calls == 0)
		turn(p, 20000);
	assert_int_equal(s.other->events & EDGE_ENDING, 0);
	leave(p, s.other);
	close(edge_drop(&p->edge, &s.source));
	close(a);
	close(e);
}

static void on_timer(uv_timer_t *timer)
{
	*(bool *)timer->data = true;
	uv_close((uv_handle_t *)timer, NULL);
}

static void test_the_guests_timer_ends_a_long_sleep(void **state)
{
	struct party *p = *state;
	bool fired = false;
	uv_timer_t timer;

	uv_timer_init(&p->loop, &timer);
	timer.data = &fired;
	turn(p, 0);
	uv_update_time(&p->loop);
	uv_timer_start(&timer, on_timer, 5, 0);
	edge_mark_guest(&p->edge);
	while (!fired)
		turn(p, 3600 * 1000);
	assert_true(fired);
	turn(p, 0); /* the closed handle lies on our stack */
	assert_false(uv_loop_alive(&p->loop));
}

static void on_async(uv_async_t *async)
{
	*(unsigned *)async->data += 1;
}

static void *send_async(void *async)
{
	uv_async_send(async);
	return NULL;
}

/* The owner's times were counted before the guest ran, and it may have made work. */
static void test_nobody_sleeps_on_what_the_guest_did_before(void **state)
{
	struct party *p = *state;
	unsigned woken = 0;
	uint64_t n_sleeps;
	uv_async_t async;

	assert_int_equal(uv_async_init(&p->loop, &async, on_async), 0);
	async.data = &woken;
	turn(p, 0);
	n_sleeps = p->edge.n_sleeps;
	uv_async_send(&async);
	edge_mark_guest(&p->edge);
	turn(p, 20000);
	n_sleeps = p->edge.n_sleeps - n_sleeps;
	close_and_run(p, (uv_handle_t *)&async);
	assert_int_equal(woken, 1);
	assert_int_equal(n_sleeps, 0);
}

static void test_another_thread_wakes_the_guest(void **state)
{
	struct party *p = *state;
	unsigned woken = 0;
	pthread_t thread;
	uv_async_t async;

	assert_int_equal(uv_async_init(&p->loop, &async, on_async), 0);
	async.data = &woken;
	turn(p, 0);
	pthread_create(&thread, NULL, send_async, &async);
	while (woken == 0)
		turn(p, 3600 * 1000);
	pthread_join(thread, NULL);
	assert_int_equal(woken, 1);
	close_and_run(p, (uv_handle_t *)&async);
}

struct order {
	struct edge_source source;
	unsigned *woken, seen;
	bool called;
};

static void on_ordered(struct edge_source *source, uint32_t events)
{
	struct order *o = (struct order *)source;

	o->called = true;
	if (events & EDGE_READ)
		o->seen = *o->woken;
}

/* A verdict that arrives together with data takes effect before them. */
static void test_the_guest_runs_before_the_sockets_of_its_batch(void **state)
{
	struct party *p = *state;
	unsigned woken = 0;
	struct order o = {.woken = &woken};
	uv_async_t async;
	int a, b;

	assert_int_equal(uv_async_init(&p->loop, &async, on_async), 0);
	async.data = &woken;
	tcp_pair(&a, &b);
	make_nonblocking(b);
	edge_source_init(&o.source, ORDERED);
	assert_int_equal(edge_add(&p->edge, &o.source, b), 0);
	turn(p, 0);
	o.called = false;
	write_all(a, "x", 1);
	while (recv(b, &(char){0}, 1, MSG_PEEK) != 1)
		;
	uv_async_send(&async);
	while (!o.called)
		turn(p, 20000);
	assert_int_equal(o.seen, 1);
	close(edge_drop(&p->edge, &o.source));
	close(a);
	close_and_run(p, (uv_handle_t *)&async);
}

/* A thread of ours that has nothing to do sleeps: polls are counted, not timed. */
static void test_dense_traffic_spins_and_silence_never_does(void **state)
{
	struct party *p = *state;
	struct guest_of_set *g;
	uint64_t spins;
	int pair[2]; /* no TCP: it may hold small writes back */

	assert_int_equal(socketpair(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0, pair), 0);
	g = join(p, pair[1]);
	for (unsigned i = 0; i < 10; i++)
		turn(p, 1);
	spin_init(&p->edge.spin, 1000);
	for (unsigned i = 0; i < 10; i++)
		turn(p, 1);
	assert_int_equal(p->edge.spin.spins, 0);
	while (p->edge.spin.spins == 0) {
		for (unsigned i = 0; i < 50; i++) {
			write_all(pair[0], "x", 1);
			turn(p, 20000);
			assert_int_equal(recv(pair[1], &(char){0}, 1, 0), 1);
		}
		turn(p, 2);
	}
	turn(p, 3); /* what was dense is long ago now */
	spins = p->edge.spin.spins;
	for (unsigned i = 0; i < 10; i++)
		turn(p, 1);
	assert_int_equal(p->edge.spin.spins, spins);
	leave(p, g);
	close(pair[0]);
}

/* As on a kernel that knows no sleeps below a millisecond: never too early. */
static void test_a_sleep_ends_when_it_is_due_on_any_kernel(void **state)
{
	struct party *p = *state;
	bool exact = p->edge.exact;

	turn(p, 0);
	for (unsigned i = 0; i < 10; i++) {
		int64_t now_us = clock_us();

		p->edge.exact = i % 2 && exact;
		assert_int_equal(edge_wait(&p->edge, now_us, now_us + 300), 0);
		assert_true(p->edge.now_us >= now_us + 300);
		assert_int_equal(p->edge.now_ms, p->edge.now_us / 1000);
	}
}

struct hurried {
	struct edge_source source;
	struct edge *edge;
	unsigned n_calls, n_late;
};

static void on_hurried(struct edge_source *source, uint32_t events)
{
	struct hurried *h = (struct hurried *)source;

	(void)events;
	h->n_calls++;
	h->n_late += h->edge->late;
}

/* An edge is told once: who comes too late in a turn hears of it all the same, and that it is late.
 */
static void test_when_the_time_is_over_every_source_still_hears(void **state)
{
	enum { N = 24 };
	struct party *p = *state;
	struct hurried h[N];
	int far[N];
	unsigned n_late = 0;

	for (unsigned i = 0; i < N; i++) {
		int pair[2];

		h[i] = (struct hurried){.edge = &p->edge};
		assert_int_equal(socketpair(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0, pair), 0);
		edge_source_init(&h[i].source, HURRIED);
		make_nonblocking(pair[1]);
		assert_int_equal(edge_add(&p->edge, &h[i].source, pair[1]), 0);
		far[i] = pair[0];
	}
	assert_int_equal(edge_wait(&p->edge, clock_us(), 0), N);
	edge_dispatch(&p->edge, 0);
	for (unsigned i = 0; i < N; i++) {
		assert_int_equal(h[i].n_calls, 1);
		n_late += h[i].n_late;
	}
	assert_in_range(n_late, 1, N - 1); /* the first one never is */
	assert_int_equal(p->edge.n_late, n_late);
	assert_int_equal(h[0].n_late, 0);
	assert_false(p->edge.late);
	for (unsigned i = 0; i < N; i++) {
		write_all(far[i], "x", 1);
		h[i].n_late = 0;
	}
	turn(p, 0);
	for (unsigned i = 0; i < N; i++) {
		assert_int_equal(h[i].n_calls, 2);
		assert_int_equal(h[i].n_late, 0);
		close(edge_drop(&p->edge, &h[i].source));
		close(far[i]);
	}
}

static void test_each_kind_of_source_has_its_handler(void **state)
{
	struct party *p = *state;
	struct hurried h = {.edge = &p->edge};
	struct guest_of_set *g;
	int a, b, c, d;

	tcp_pair(&a, &b);
	tcp_pair(&c, &d);
	g = join(p, b);
	make_nonblocking(d);
	edge_source_init(&h.source, HURRIED);
	assert_int_equal(edge_add(&p->edge, &h.source, d), 0);
	turn(p, 20000);
	assert_int_equal(g->calls, 1);
	assert_int_equal(h.n_calls, 1);
	leave(p, g);
	close(edge_drop(&p->edge, &h.source));
	close(a);
	close(c);
}

/* Such numbers are had only by asking for them; the descriptor stays the caller's. */
static void test_a_number_that_does_not_fit_is_refused(void **state)
{
	struct party *p = *state;
	struct edge_source source;

	edge_source_init(&source, GUEST);
	assert_int_equal(edge_add(&p->edge, &source, EDGE_MOST_FD), -EBADF);
	assert_int_equal(edge_add(&p->edge, &source, EDGE_MOST_FD + 1), -EMFILE);
	assert_int_equal(edge_drop(&p->edge, &source), -1);
}

int main(void)
{
#define STORY(f) cmocka_unit_test_setup_teardown(f, setup, teardown)
	const struct CMUnitTest tests[] = {
		STORY(test_room_is_told_to_who_wants_to_know),
		STORY(test_an_edge_is_told_once_and_new_bytes_are_a_new_edge),
		STORY(test_the_end_and_a_reset_are_told_as_such),
		STORY(test_a_source_dropped_in_the_batch_is_never_called),
		STORY(test_a_reused_source_gets_no_event_of_its_old_socket),
		STORY(test_each_kind_of_source_has_its_handler),
		STORY(test_a_number_that_does_not_fit_is_refused),
		STORY(test_the_guests_timer_ends_a_long_sleep),
		STORY(test_nobody_sleeps_on_what_the_guest_did_before),
		STORY(test_another_thread_wakes_the_guest),
		STORY(test_the_guest_runs_before_the_sockets_of_its_batch),
		STORY(test_dense_traffic_spins_and_silence_never_does),
		STORY(test_a_sleep_ends_when_it_is_due_on_any_kernel),
		STORY(test_when_the_time_is_over_every_source_still_hears),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
