/* A loop ends clean or not at all; and the clocks go forward. */
#include "io/clock.h"
#include "io/loop.h"
#include "peer.h"
#include <sys/wait.h>

static void on_closed(uv_handle_t *h)
{
	++*(int *)h->data;
}

static void test_close_callbacks_are_run_before_the_end(void **state)
{
	int closed = 0;
	uv_timer_t timers[3];
	uv_loop_t loop;

	(void)state;
	assert_int_equal(loop_open(&loop), 0);
	for (int i = 0; i < 3; i++) {
		uv_timer_init(&loop, &timers[i]);
		timers[i].data = &closed;
		uv_close((uv_handle_t *)&timers[i], on_closed);
	}
	loop_close(&loop, "loop test");
	assert_int_equal(closed, 3);
}

static void close_next(uv_handle_t *h)
{
	uv_timer_t *next = h->data;

	if (next)
		uv_close((uv_handle_t *)next, close_next);
}

static void test_a_close_callback_may_close_the_next(void **state)
{
	uv_timer_t first, second;
	uv_loop_t loop;

	(void)state;
	assert_int_equal(loop_open(&loop), 0);
	uv_timer_init(&loop, &first);
	uv_timer_init(&loop, &second);
	first.data = &second;
	second.data = NULL;
	uv_close((uv_handle_t *)&first, close_next);
	loop_close(&loop, "loop test");
	assert_true(uv_is_closing((uv_handle_t *)&second));
}

/* In a child: the process that leaks is stopped, after it said what leaked. */
static void leak(int out)
{
	uv_timer_t timer;
	uv_loop_t loop;

	dup2(out, STDERR_FILENO);
	signal(SIGABRT, SIG_DFL);
	loop_open(&loop);
	uv_timer_init(&loop, &timer);
	loop_close(&loop, "the leaking test");
	_exit(0);
}

static void test_a_handle_that_was_never_closed_is_named_and_fatal(void **state)
{
	char text[1024] = "";
	size_t len = 0;
	int fds[2], status;
	ssize_t n;
	pid_t pid;

	(void)state;
	assert_int_equal(pipe(fds), 0);
	pid = fork();
	if (pid == 0)
		leak(fds[1]);
	close(fds[1]);
	while ((n = read(fds[0], text + len, sizeof(text) - 1 - len)) > 0)
		len += (size_t)n;
	close(fds[0]);
	assert_int_equal(waitpid(pid, &status, 0), pid);
	assert_true(WIFSIGNALED(status) && WTERMSIG(status) == SIGABRT);
	assert_non_null(strstr(text, "loop of the leaking test: a timer handle was never closed"));
}

static void test_the_clocks_agree_and_go_forward(void **state)
{
	int64_t ms = clock_ms(), us = clock_us();

	(void)state;
	assert_true(us / 1000 >= ms);
	assert_true(clock_us() >= us);
	assert_true(clock_ms() >= ms);
	assert_in_range(clock_wall().tv_sec, 1577836800, INT64_MAX); /* after 2020 */
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_close_callbacks_are_run_before_the_end),
		cmocka_unit_test(test_a_close_callback_may_close_the_next),
		cmocka_unit_test(test_a_handle_that_was_never_closed_is_named_and_fatal),
		cmocka_unit_test(test_the_clocks_agree_and_go_forward),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
