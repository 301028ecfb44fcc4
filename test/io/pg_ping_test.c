/* Every way a PostgreSQL port can answer or not: exactly one outcome, in bounded time. */
#include "io/loop.h"
#include "io/pg_ping.h"
#include "peer.h"
#include <fcntl.h>
#include <sys/stat.h>

enum { TIMEOUT_MS = 200, LONG_MS = 5000 };

struct outcome {
	int calls;
	enum ping_result result;
};

struct story {
	char answer;              /* 0: none */
	bool reset;               /* RST instead of silence or FIN */
	bool close;               /* without a byte */
	int silent_before;        /* this many connections get nothing */
	_Atomic bool bad_request; /* what came was no SSLRequest */
	_Atomic bool was_reset;   /* the ping ended with RST */
	_Atomic bool heard_end;
};

static void serve(struct peer *p, int fd, int n)
{
	struct story *s = p->arg;
	char request[8] = {0};

	if (n < s->silent_before) {
		peer_wait_for_end(fd);
		return;
	}
	if (s->reset)
		peer_reset(fd);
	if (recv(fd, request, 8, MSG_WAITALL) != 8 ||
	    memcmp(request, "\0\0\0\10\x04\xd2\x16\x2f", 8) != 0)
		s->bad_request = true;
	if (s->close || s->reset)
		return;
	if (s->answer)
		peer_write(fd, &s->answer, 1);
	s->was_reset = recv(fd, request, 1, 0) < 0;
	s->heard_end = true;
}

static void on_ping(void *arg, enum ping_result result)
{
	struct outcome *o = arg;

	o->calls++;
	o->result = result;
}

static enum ping_result ping_address(const struct dialer_address *to, int64_t timeout_ms)
{
	struct outcome o = {0};
	struct pg_ping *p;
	uv_loop_t loop;

	assert_int_equal(loop_open(&loop), 0);
	assert_int_equal(pg_ping_start(&loop, to, timeout_ms, on_ping, &o, &p), 0);
	assert_int_equal(o.calls, 0); /* never from inside */
	assert_true(wait_until(&loop, &o.calls, 1));
	loop_close(&loop, "ping test");
	assert_int_equal(o.calls, 1);
	return o.result;
}

static enum ping_result ping(const char *ip, uint16_t port, int64_t timeout_ms)
{
	struct dialer_address to;

	assert_int_equal(dialer_address_ip(&to, ip, port), 0);
	return ping_address(&to, timeout_ms);
}

static enum ping_result ping_story(struct story *s, int64_t timeout_ms)
{
	enum ping_result result;
	struct peer p;

	peer_start(&p, serve, s);
	result = ping("127.0.0.1", p.port, timeout_ms);
	peer_stop(&p);
	assert_false(s->bad_request);
	return result;
}

static void test_s_n_and_e_are_alive_and_the_end_is_no_reset(void **state)
{
	(void)state;
	for (const char *c = "SNE"; *c; c++) {
		struct story s = {.answer = *c};

		assert_int_equal(ping_story(&s, LONG_MS), PING_ALIVE);
		assert_true(s.heard_end);
		assert_false(s.was_reset);
	}
}

static void test_nobody_listens(void **state)
{
	(void)state;
	assert_int_equal(ping("127.0.0.1", peer_free_port(), LONG_MS), PING_REFUSED);
}

static void test_accepted_and_then_silence(void **state)
{
	struct story s = {.silent_before = 2};

	(void)state;
	assert_int_equal(ping_story(&s, TIMEOUT_MS), PING_TIMEOUT);
}

static void test_never_accepted(void **state)
{
	struct full_port f;

	(void)state;
	full_port_open(&f);
	assert_int_equal(ping("127.0.0.1", f.port, TIMEOUT_MS), PING_TIMEOUT);
	full_port_close(&f);
}

static void test_the_second_attempt_at_half_time_answers(void **state)
{
	struct story s = {.silent_before = 1, .answer = 'N'};

	(void)state;
	assert_int_equal(ping_story(&s, 2 * TIMEOUT_MS), PING_ALIVE);
	assert_true(s.heard_end);
}

static void test_closed_without_a_byte(void **state)
{
	struct story s = {.close = true};

	(void)state;
	assert_int_equal(ping_story(&s, LONG_MS), PING_RESET);
}

static void test_reset(void **state)
{
	struct story s = {.reset = true};

	(void)state;
	assert_int_equal(ping_story(&s, LONG_MS), PING_RESET);
}

static void test_garbage(void **state)
{
	struct story s = {.answer = 'H'}; /* HTTP/1.0 400 */
	struct story nul = {.answer = 1};

	(void)state;
	assert_int_equal(ping_story(&s, LONG_MS), PING_GARBAGE);
	assert_int_equal(ping_story(&nul, LONG_MS), PING_GARBAGE);
}

static void test_no_route(void **state)
{
	enum ping_result r = ping("255.255.255.255", 5432, LONG_MS); /* connect() itself fails */

	(void)state;
	assert_int_equal(r, PING_UNREACHABLE);
}

static void test_ipv6_works_or_is_refused(void **state)
{
	(void)state;
	assert_int_not_equal(ping("::1", peer_free_port(), LONG_MS), PING_ALIVE);
}

static void test_nobody_is_asked_without_an_address(void **state)
{
	struct dialer_address none = {0};
	struct outcome o = {0};
	struct pg_ping *p;
	uv_loop_t loop;

	(void)state;
	assert_int_equal(loop_open(&loop), 0);
	assert_true(pg_ping_start(&loop, &none, LONG_MS, on_ping, &o, &p) < 0);
	loop_close(&loop, "ping test");
	assert_int_equal(o.calls, 0);
}

/* 0, 1, 2 ... turns of the loop: between connect, answer, half time and close. */
static void test_cancelled_after_any_number_of_turns(void **state)
{
	struct story s = {.silent_before = 1, .answer = 'S'};

	(void)state;
	for (int turns = 0; turns < 6; turns++) {
		struct dialer_address to;
		struct outcome o = {0};
		struct pg_ping *p;
		struct peer peer;
		uv_loop_t loop;

		peer_start(&peer, serve, &s);
		assert_int_equal(loop_open(&loop), 0);
		assert_int_equal(dialer_address_ip(&to, "127.0.0.1", peer.port), 0);
		assert_int_equal(pg_ping_start(&loop, &to, 50, on_ping, &o, &p), 0);
		for (int i = 0; i < turns && o.calls == 0; i++)
			uv_run(&loop, UV_RUN_ONCE);
		if (o.calls == 0) {
			pg_ping_cancel(p);
			o.calls = 1;
		}
		loop_close(&loop, "ping test");
		assert_int_equal(o.calls, 1);
		peer_stop(&peer);
	}
}

static void test_many_at_once_each_answer_once(void **state)
{
	enum { N = 50 };
	struct story s = {.answer = 'N'};
	struct outcome o[N] = {0};
	struct dialer_address to;
	struct pg_ping *pings[N];
	struct peer p;
	uv_loop_t loop;

	(void)state;
	peer_start(&p, serve, &s);
	assert_int_equal(loop_open(&loop), 0);
	assert_int_equal(dialer_address_ip(&to, "127.0.0.1", p.port), 0);
	for (int i = 0; i < N; i++)
		assert_int_equal(pg_ping_start(&loop, &to, LONG_MS, on_ping, &o[i], &pings[i]), 0);
	for (int i = 0; i < N; i++)
		assert_true(wait_until(&loop, &o[i].calls, 1));
	loop_close(&loop, "ping test");
	for (int i = 0; i < N; i++) {
		assert_int_equal(o[i].calls, 1);
		assert_int_equal(o[i].result, PING_ALIVE);
	}
	peer_stop(&p);
}

/* ---- by a UNIX socket ------------------------------------------------------------------------ */

static char directory[] = "/tmp/isari-ping-XXXXXX", path[64];

static struct dialer_address the_socket(void)
{
	struct dialer_address to;

	assert_int_equal(dialer_address_socket(&to, path), 0);
	return to;
}

static enum ping_result ping_socket_story(struct story *s, int64_t timeout_ms)
{
	struct dialer_address to = the_socket();
	enum ping_result result;
	struct peer p;

	peer_start_at(&p, path, serve, s);
	result = ping_address(&to, timeout_ms);
	peer_stop(&p);
	unlink(path);
	assert_false(s->bad_request);
	return result;
}

static void test_by_its_socket_it_is_alive_silent_or_has_hung_up(void **state)
{
	struct story alive = {.answer = 'N'}, silent = {.silent_before = 2},
		     second = {.silent_before = 1, .answer = 'N'}, closed = {.close = true},
		     garbage = {.answer = 'H'};

	(void)state;
	assert_int_equal(ping_socket_story(&alive, LONG_MS), PING_ALIVE);
	assert_true(alive.heard_end);
	assert_false(alive.was_reset);
	assert_int_equal(ping_socket_story(&silent, TIMEOUT_MS), PING_TIMEOUT);
	assert_int_equal(ping_socket_story(&second, 2 * TIMEOUT_MS), PING_ALIVE);
	assert_int_equal(ping_socket_story(&closed, LONG_MS), PING_RESET);
	assert_int_equal(ping_socket_story(&garbage, LONG_MS), PING_GARBAGE);
}

static void test_a_socket_that_is_not_there_or_dead_refuses(void **state)
{
	struct dialer_address to = the_socket();

	(void)state;
	assert_int_equal(ping_address(&to, LONG_MS), PING_REFUSED);
	close(peer_listen_at(path, 1)); /* the file is left */
	assert_int_equal(ping_address(&to, LONG_MS), PING_REFUSED);
	unlink(path);
}

static void test_a_full_queue_is_silence_and_room_in_it_by_half_time_an_answer(void **state)
{
	struct dialer_address to = the_socket();
	int listener = peer_listen_at(path, 0), first = dialer_start(&to), second = -1;
	struct outcome o = {0};
	struct pg_ping *p;
	uv_loop_t loop;

	(void)state;
	assert_true(first >= 0); /* it takes the only place */
	assert_int_equal(ping_address(&to, TIMEOUT_MS), PING_TIMEOUT);

	assert_int_equal(loop_open(&loop), 0);
	assert_int_equal(pg_ping_start(&loop, &to, LONG_MS / 5, on_ping, &o, &p), 0);
	uv_run(&loop, UV_RUN_NOWAIT); /* the first attempt has found it taken */
	close(accept(listener, NULL, NULL));
	fcntl(listener, F_SETFL, O_NONBLOCK);
	while (second < 0) { /* the second one comes */
		uv_run(&loop, UV_RUN_ONCE);
		second = accept4(listener, NULL, NULL, SOCK_NONBLOCK);
	}
	peer_write(second, "N", 1);
	assert_true(wait_until(&loop, &o.calls, 1));
	loop_close(&loop, "ping test");
	assert_int_equal(o.result, PING_ALIVE);
	close(first);
	close(second);
	close(listener);
	unlink(path);
}

static void test_a_socket_that_is_not_ours_to_open_says_nothing(void **state)
{
	struct dialer_address to = the_socket();
	int listener = peer_listen_at(path, 5);
	uid_t me = geteuid();

	(void)state;
	assert_int_equal(chmod(path, 0), 0);
	if (me == 0)
		assert_int_equal(seteuid(65534), 0); /* root may open everything */
	assert_int_equal(ping_address(&to, TIMEOUT_MS), PING_OWN_FAULT);
	assert_int_equal(seteuid(me), 0);
	close(listener);
	unlink(path);
}

static int make_directory(void **state)
{
	(void)state;
	if (mkdtemp(directory) == NULL || chmod(directory, 0755) < 0)
		return -1;
	snprintf(path, sizeof(path), "%s/.s.PGSQL.5432", directory);
	return 0;
}

static int remove_directory(void **state)
{
	(void)state;
	return rmdir(directory);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_s_n_and_e_are_alive_and_the_end_is_no_reset),
		cmocka_unit_test(test_nobody_listens),
		cmocka_unit_test(test_accepted_and_then_silence),
		cmocka_unit_test(test_never_accepted),
		cmocka_unit_test(test_the_second_attempt_at_half_time_answers),
		cmocka_unit_test(test_closed_without_a_byte),
		cmocka_unit_test(test_reset),
		cmocka_unit_test(test_garbage),
		cmocka_unit_test(test_no_route),
		cmocka_unit_test(test_ipv6_works_or_is_refused),
		cmocka_unit_test(test_nobody_is_asked_without_an_address),
		cmocka_unit_test(test_by_its_socket_it_is_alive_silent_or_has_hung_up),
		cmocka_unit_test(test_a_socket_that_is_not_there_or_dead_refuses),
		cmocka_unit_test(
			test_a_full_queue_is_silence_and_room_in_it_by_half_time_an_answer),
		cmocka_unit_test(test_a_socket_that_is_not_ours_to_open_says_nothing),
		cmocka_unit_test(test_cancelled_after_any_number_of_turns),
		cmocka_unit_test(test_many_at_once_each_answer_once),
	};

	signal(SIGPIPE, SIG_IGN);
	return cmocka_run_group_tests(tests, make_directory, remove_directory);
}
