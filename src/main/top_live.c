/* `isari top` while somebody looks: a loop of keys, replies and time around admin/top.h.
 *
 * The happy path: every `delay` the questions go out, their replies become the next model, and the
 * screen is drawn. A key draws it as well, at once. When isari is away the last model stays on the
 * screen with its age, and the conversation begins again by itself. The view ends by a key, by
 * SIGTERM, SIGINT or SIGHUP, and when the terminal is gone. */
#include "main/top_live.h"
#include "io/clock.h"
#include "io/loop.h"
#include <errno.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

static const int handled_signals[LIVE_SIGNALS] = {SIGTERM,  SIGINT,  SIGHUP,
						  SIGWINCH, SIGTSTP, SIGCONT};

/* ---- the screen ---- */

static void quit(struct live *v);
static void on_terminal(uv_poll_t *poll, int status, int events);

/* What a dumb terminal shows ends with the cursor on a line of its own. */
static void describe(const struct live *v, struct top_frame *f)
{
	*f = (struct top_frame){.style = v->style, .now_ms = clock_ms()};
	terminal_size(v->terminal, &f->width, &f->height);
	if (v->style == TOP_PLAIN && f->height > 1)
		f->height--;
	f->age_ms = f->now_ms - v->read_ms;
	f->lost = v->lost ? v->why : NULL;
}

static void after_show(struct live *v, int rc)
{
	if (rc < 0) {
		quit(v);
		return;
	}
	v->drawing = rc > 0;
	uv_poll_start(&v->keys, UV_READABLE | (v->drawing ? UV_WRITABLE : 0), on_terminal);
}

void live_draw(struct live *v)
{
	struct top_frame f;
	struct buf out = {0};

	if (v->quitting)
		return;
	v->again = v->drawing;
	if (v->drawing)
		return;
	describe(v, &f);
	if (v->clear && v->style != TOP_PLAIN)
		buf_puts(&out, "\x1b[2J");
	v->clear = false;
	top_draw(&v->model, &v->state, &f, &out);
	after_show(v, terminal_show(v->terminal, out.data, out.len));
	buf_fini(&out);
}

static void on_tick(uv_timer_t *timer)
{
	struct live *v = timer->data;

	live_ask(v);
	live_draw(v);
}

/* ---- keys ---- */

/* Stopped as by the shell, and back; where nobody could start us again the kernel does not stop
 * us. */
static void suspend(struct live *v)
{
	uv_signal_t *stop = NULL;

	for (int i = 0; i < LIVE_SIGNALS; i++)
		if (handled_signals[i] == SIGTSTP)
			stop = &v->signals[i];
	terminal_leave(v->terminal);
	uv_signal_stop(stop); /* its default is to stop us */
	raise(SIGTSTP);
	uv_signal_start(stop, stop->signal_cb, SIGTSTP);
	v->drawing = false;
	v->clear = true;
	if (terminal_enter(v->terminal) < 0)
		quit(v);
}

static void obey(struct live *v, const struct top_act *act)
{
	switch (act->type) {
	case TOP_ACT_NONE: break;
	case TOP_ACT_QUIT: quit(v); break;
	case TOP_ACT_SUSPEND: suspend(v); break;
	case TOP_ACT_REPAINT: v->clear = true; break;
	case TOP_ACT_COMMAND: live_send_command(v, act->command); break;
	}
}

static void take_keys(struct live *v, const char *bytes, size_t n)
{
	struct top_frame f;
	struct top_act act;
	int key;

	describe(v, &f);
	while (n > 0 && !v->quitting) {
		size_t len = top_key_read(bytes, n, &key);

		top_key_take(&v->state, &v->model, &f, key, &act);
		obey(v, &act);
		bytes += len;
		n -= len;
	}
	live_draw(v);
}

static void on_terminal(uv_poll_t *poll, int status, int events)
{
	struct live *v = poll->data;
	char bytes[256];
	ssize_t n;

	if (status < 0) {
		quit(v);
		return;
	}
	if (events & UV_READABLE) {
		n = terminal_read(v->terminal, bytes, sizeof(bytes));
		if (n < 0)
			quit(v);
		else if (n > 0)
			take_keys(v, bytes, (size_t)n);
	}
	if (v->quitting || !v->drawing || !(events & UV_WRITABLE))
		return;
	after_show(v, terminal_flush(v->terminal));
	if (!v->drawing && v->again)
		live_draw(v);
}

/* ---- signals, begin and end ---- */

static void on_signal(uv_signal_t *s, int sig)
{
	struct live *v = s->data;

	switch (sig) {
	case SIGTSTP: suspend(v); break;
	case SIGCONT:
		/* whoever stopped us may have left the terminal to the shell */
		if (terminal_enter(v->terminal) < 0)
			quit(v);
		break;
	case SIGWINCH: break;
	default: quit(v); return;
	}
	v->clear = true;
	live_draw(v);
}

static enum top_style style_of_terminal(void)
{
	const char *term = getenv("TERM"), *no_colour = getenv("NO_COLOR");

	if (!term || !*term || strcmp(term, "dumb") == 0)
		return TOP_PLAIN;
	return no_colour && *no_colour ? TOP_MONO : TOP_COLOUR;
}

static void open_signals(struct live *v)
{
	for (int i = 0; i < LIVE_SIGNALS; i++) {
		uv_signal_init(&v->loop, &v->signals[i]);
		v->signals[i].data = v;
		uv_signal_start(&v->signals[i], on_signal, handled_signals[i]);
	}
}

static void close_signals(struct live *v)
{
	for (int i = 0; i < LIVE_SIGNALS; i++)
		uv_close((uv_handle_t *)&v->signals[i], NULL);
}

static void quit(struct live *v)
{
	if (v->quitting)
		return;
	v->quitting = true;
	live_stop_asking(v);
	uv_close((uv_handle_t *)&v->keys, NULL);
	uv_close((uv_handle_t *)&v->tick, NULL);
	close_signals(v);
}

static void open_handles(struct live *v, const struct addr *a)
{
	uv_poll_init(&v->loop, &v->keys, terminal_descriptor(v->terminal));
	v->keys.data = v;
	uv_poll_start(&v->keys, UV_READABLE, on_terminal);
	uv_timer_init(&v->loop, &v->tick);
	v->tick.data = v;
	uv_timer_start(&v->tick, on_tick, (uint64_t)v->delay_ms, (uint64_t)v->delay_ms);
	live_start_asking(v, a);
}

static int run(struct live *v, const struct addr *a)
{
	int rc = terminal_open(&v->terminal, v->style != TOP_PLAIN);

	if (rc < 0) {
		fprintf(stderr, "isari top: cannot use this terminal: %s; try isari top -1\n",
			strerror(-rc));
		close_signals(v);
		return EXIT_FAILURE;
	}
	open_handles(v, a);
	live_draw(v);
	uv_run(&v->loop, UV_RUN_DEFAULT);
	terminal_close(v->terminal);
	return EXIT_SUCCESS;
}

int top_live(const struct addr *a, int64_t delay_ms, struct top_model *m, int64_t read_ms)
{
	struct live v = {.delay_ms = delay_ms, .model = *m, .read_ms = read_ms};
	int rc = EXIT_FAILURE;

	signal(SIGPIPE, SIG_IGN);
	top_state_init(&v.state);
	v.style = style_of_terminal();
	if (loop_open(&v.loop) == 0) {
		open_signals(&v); /* those that end us, before the terminal is changed */
		rc = run(&v, a);
		loop_close(&v.loop, "top");
	}
	top_model_fini(&v.model);
	top_model_fini(&v.next);
	return rc;
}
