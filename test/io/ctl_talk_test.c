/* The lasting conversation with a stats socket, against servers of every temper. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "base/buf.h"
#include "io/ctl_talk.h"
#include "io/loop.h"
#include <errno.h>
#include <signal.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

enum { PATIENCE_MS = 10000, SHORT_MS = 60 };

/* A server for one client at a time, and the talk with it, in one loop. */
struct world {
	uv_loop_t loop;
	char directory[32], path[64];
	uv_pipe_t listener, *client;
	bool listening;
	uv_timer_t patience;
	char scratch[4096];
	struct buf heard; /* by the server */
	bool mute;        /* it never answers */

	struct ctl_talk *talk;
	struct buf replies; /* each in brackets */
	struct buf ends;    /* the reasons */
	unsigned n_up, n_down, n_replies;
	bool close_on_reply;
};

static void on_patience_over(uv_timer_t *timer)
{
	(void)timer;
	fail_msg("waited in vain");
}

static void on_alloc(uv_handle_t *h, size_t suggested, uv_buf_t *buf)
{
	struct world *w = h->data;

	(void)suggested;
	*buf = uv_buf_init(w->scratch, sizeof(w->scratch));
}

static void say(struct world *w, const char *text)
{
	uv_buf_t b = uv_buf_init((char *)(uintptr_t)text, (unsigned)strlen(text));

	int rc = uv_try_write((uv_stream_t *)w->client, &b, 1);

	assert_true(rc == (int)b.len || rc == UV_EPIPE);
}

static void on_client_closed(uv_handle_t *h)
{
	free(h);
}

static void hang_up(struct world *w)
{
	if (w->client)
		uv_close((uv_handle_t *)w->client, on_client_closed);
	w->client = NULL;
}

static void on_server_read(uv_stream_t *s, ssize_t n, const uv_buf_t *buf)
{
	struct world *w = s->data;
	bool first = w->heard.len == 0;

	if (n <= 0) {
		if (n < 0)
			hang_up(w);
		return;
	}
	buf_append(&w->heard, buf->base, (size_t)n);
	if (first && !w->mute)
		say(w, "\n> \n> "); /* to prompt and set timeout */
}

static void on_connection(uv_stream_t *s, int status)
{
	struct world *w = s->data;

	assert_int_equal(status, 0);
	hang_up(w);
	w->client = calloc(1, sizeof(*w->client));
	uv_pipe_init(&w->loop, w->client, 0);
	w->client->data = w;
	buf_clear(&w->heard);
	assert_int_equal(uv_accept(s, (uv_stream_t *)w->client), 0);
	uv_read_start((uv_stream_t *)w->client, on_alloc, on_server_read);
}

static void serve(struct world *w)
{
	unlink(w->path);
	uv_pipe_init(&w->loop, &w->listener, 0);
	w->listener.data = w;
	assert_int_equal(uv_pipe_bind(&w->listener, w->path), 0);
	assert_int_equal(uv_listen((uv_stream_t *)&w->listener, 4, on_connection), 0);
	w->listening = true;
}

static void stop_serving(struct world *w)
{
	if (w->listening)
		uv_close((uv_handle_t *)&w->listener, NULL);
	w->listening = false;
	hang_up(w);
}

static void on_up(void *arg)
{
	((struct world *)arg)->n_up++;
}

static void on_reply(void *arg, const char *reply, size_t len)
{
	struct world *w = arg;

	w->n_replies++;
	buf_printf(&w->replies, "[%.*s]", (int)len, reply);
	if (w->close_on_reply) {
		ctl_talk_close(w->talk);
		w->talk = NULL;
	}
}

static void on_down(void *arg, const char *why)
{
	struct world *w = arg;

	w->n_down++;
	buf_printf(&w->ends, "[%s]", why);
}

static void talk_to(struct world *w, const struct addr *a, int64_t timeout_ms)
{
	w->talk = ctl_talk_open(&w->loop, &(struct ctl_talk_options){.addr = *a,
								     .timeout_ms = timeout_ms,
								     .idle_ms = 20000,
								     .arg = w,
								     .on_up = on_up,
								     .on_reply = on_reply,
								     .on_down = on_down});
}

static void talk(struct world *w, int64_t timeout_ms)
{
	struct addr a = {.kind = ADDR_UNIX};

	strcpy(a.host, w->path);
	talk_to(w, &a, timeout_ms);
}

static void run_until(struct world *w, const unsigned *counter, unsigned value)
{
	while (*counter < value)
		uv_run(&w->loop, UV_RUN_ONCE);
}

static int begin(void **state)
{
	struct world *w = calloc(1, sizeof(*w));

	strcpy(w->directory, "/tmp/isari-talk-XXXXXX");
	assert_non_null(mkdtemp(w->directory));
	snprintf(w->path, sizeof(w->path), "%s/socket", w->directory);
	assert_int_equal(loop_open(&w->loop), 0);
	uv_timer_init(&w->loop, &w->patience);
	uv_timer_start(&w->patience, on_patience_over, PATIENCE_MS, 0);
	buf_puts(&w->replies, "");
	buf_puts(&w->ends, "");
	*state = w;
	return 0;
}

static int end(void **state)
{
	struct world *w = *state;

	if (w->talk)
		ctl_talk_close(w->talk);
	stop_serving(w);
	uv_close((uv_handle_t *)&w->patience, NULL);
	loop_close(&w->loop, "test");
	unlink(w->path);
	rmdir(w->directory);
	buf_fini(&w->heard);
	buf_fini(&w->replies);
	buf_fini(&w->ends);
	free(w);
	return 0;
}

static void run_until_heard(struct world *w, const char *text)
{
	while (!w->heard.data || !strstr(w->heard.data, text))
		uv_run(&w->loop, UV_RUN_ONCE);
}

static void replies_come_one_by_one_and_in_order(void **state)
{
	struct world *w = *state;

	serve(w);
	talk(w, PATIENCE_MS);
	run_until(w, &w->n_up, 1);
	assert_string_equal(w->heard.data, "prompt\nset timeout cli 21\n");
	assert_int_equal(ctl_talk_send(w->talk, "a;b", 2), 0);
	assert_int_equal(ctl_talk_send(w->talk, "c", 1), 0);
	run_until_heard(w, "a;b\nc\n");
	say(w, "one\ntwo\n\n> \n> three\n\n> ");
	run_until(w, &w->n_replies, 3);
	assert_string_equal(w->replies.data, "[one\ntwo][][three]");
	assert_int_equal(w->n_down, 0);
}

static void replies_may_come_byte_by_byte(void **state)
{
	static const char bytes[] = "x > y\n\n> z\n> ";
	struct world *w = *state;

	serve(w);
	talk(w, PATIENCE_MS);
	run_until(w, &w->n_up, 1);
	assert_int_equal(ctl_talk_send(w->talk, "a;b", 2), 0);
	for (size_t i = 0; i < sizeof(bytes) - 1; i++) {
		char one[2] = {bytes[i], '\0'};
		say(w, one);
		uv_run(&w->loop, UV_RUN_NOWAIT);
	}
	run_until(w, &w->n_replies, 2);
	assert_string_equal(w->replies.data, "[x > y][z]");
}

static void a_server_that_leaves_is_found_again(void **state)
{
	struct world *w = *state;

	serve(w);
	talk(w, PATIENCE_MS);
	run_until(w, &w->n_up, 1);
	assert_int_equal(ctl_talk_send(w->talk, "a", 1), 0);
	run_until_heard(w, "a\n");
	say(w, "half a rep");
	hang_up(w);
	run_until(w, &w->n_down, 1);
	assert_int_equal(ctl_talk_send(w->talk, "a", 1), -ENOTCONN);
	run_until(w, &w->n_up, 2);
	assert_int_equal(ctl_talk_send(w->talk, "b", 1), 0);
	run_until_heard(w, "b\n");
	say(w, "whole\n\n> ");
	run_until(w, &w->n_replies, 1);
	assert_string_equal(w->replies.data, "[whole]");
	assert_string_equal(w->ends.data, "[it closed the connection]");
}

static void who_comes_later_is_found(void **state)
{
	struct world *w = *state;

	talk(w, PATIENCE_MS);
	run_until(w, &w->n_down, 1);
	assert_string_equal(w->ends.data, "[no such file or directory]");
	serve(w);
	run_until(w, &w->n_up, 1);
}

static void silence_is_an_end(void **state)
{
	struct world *w = *state;

	w->mute = true;
	serve(w);
	talk(w, SHORT_MS);
	run_until(w, &w->n_down, 1);
	w->mute = false;
	run_until(w, &w->n_up, 1);
	assert_int_equal(ctl_talk_send(w->talk, "a", 1), 0);
	run_until(w, &w->n_down, 2);
	assert_string_equal(w->ends.data, "[no answer][no answer]");
}

static void nothing_asked_is_no_silence(void **state)
{
	struct world *w = *state;
	uint64_t until;

	serve(w);
	talk(w, SHORT_MS);
	run_until(w, &w->n_up, 1);
	until = uv_hrtime() + 4 * SHORT_MS * 1000000ull;
	while (uv_hrtime() < until)
		uv_run(&w->loop, UV_RUN_NOWAIT);
	assert_int_equal(w->n_down, 0);
}

static void the_receiver_may_close_it(void **state)
{
	struct world *w = *state;

	w->close_on_reply = true;
	serve(w);
	talk(w, PATIENCE_MS);
	run_until(w, &w->n_up, 1);
	assert_int_equal(ctl_talk_send(w->talk, "a;b", 2), 0);
	run_until_heard(w, "a;b\n");
	say(w, "one\n\n> two\n\n> ");
	run_until(w, &w->n_replies, 1);
	uv_run(&w->loop, UV_RUN_NOWAIT);
	assert_string_equal(w->replies.data, "[one]");
}

static void it_may_be_closed_at_any_moment(void **state)
{
	struct world *w = *state;
	struct addr name = {.kind = ADDR_TCP, .host = "localhost", .port = 1};

	serve(w);
	for (int turns = 0; turns < 6; turns++) {
		talk(w, PATIENCE_MS);
		for (int i = 0; i < turns; i++)
			uv_run(&w->loop, UV_RUN_NOWAIT);
		ctl_talk_close(w->talk);
		uv_run(&w->loop, UV_RUN_NOWAIT);
		uv_run(&w->loop, UV_RUN_NOWAIT);
		hang_up(w);
		talk_to(w, &name, PATIENCE_MS); /* a lookup goes on in its thread */
		ctl_talk_close(w->talk);
		uv_run(&w->loop, UV_RUN_NOWAIT);
	}
	w->talk = NULL;
}

static void a_refused_port_is_an_end(void **state)
{
	struct world *w = *state;
	struct addr a = {.kind = ADDR_TCP, .host = "127.0.66.1", .port = 1};

	talk_to(w, &a, PATIENCE_MS);
	run_until(w, &w->n_down, 1);
	assert_string_equal(w->ends.data, "[connection refused]");
}

static void a_reply_ends_at_its_prompt(void **state)
{
	static const struct {
		const char *text;
		long len;
		size_t after;
	} rows[] = {
		{"", -1, 0},       {"\n>", -1, 0},          {"\n> ", 0, 3},
		{"a\n\n> ", 1, 5}, {"a\nb\n> c\n> ", 3, 6}, {"a> b", -1, 0},
	};

	(void)state;
	for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
		size_t after = 0;

		assert_int_equal(ctl_reply_end(rows[i].text, strlen(rows[i].text), &after),
				 rows[i].len);
		assert_int_equal(after, rows[i].after);
	}
}

#define story(f) cmocka_unit_test_setup_teardown(f, begin, end)

int main(void)
{
	const struct CMUnitTest tests[] = {
		story(replies_come_one_by_one_and_in_order),
		story(replies_may_come_byte_by_byte),
		story(a_server_that_leaves_is_found_again),
		story(who_comes_later_is_found),
		story(silence_is_an_end),
		story(nothing_asked_is_no_silence),
		story(the_receiver_may_close_it),
		story(it_may_be_closed_at_any_moment),
		story(a_refused_port_is_an_end),
		story(a_reply_ends_at_its_prompt),
	};

	signal(SIGPIPE, SIG_IGN); /* as in `isari top` */
	return cmocka_run_group_tests(tests, NULL, NULL);
}
