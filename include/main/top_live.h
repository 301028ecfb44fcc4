#pragma once
/* The live view of `isari top`, in two files: the terminal, keys and signals (top_live.c), and the
 * conversation with isari (top_asking.c). For src/main/top_*.c only; others use main/top.h. */
#include "admin/top.h"
#include "io/ctl_talk.h"
#include "io/terminal.h"
#include "main/top.h"
#include <uv.h>

enum { LIVE_SIGNALS = 6, LIVE_MAX_AWAITED = 8 };

struct live {
	uv_loop_t loop;
	uv_poll_t keys;
	uv_timer_t tick;
	uv_signal_t signals[LIVE_SIGNALS];
	struct terminal *terminal;
	struct ctl_talk *talk;
	int64_t delay_ms;

	struct top_state state;
	enum top_style style;
	struct top_model model, next; /* what is shown; what is being read */
	int64_t read_ms;
	bool up, lost, garbled; /* garbled: what is being read is no isari's */
	char why[128];          /* it is lost */

	unsigned awaited[LIVE_MAX_AWAITED]; /* replies, in their order */
	size_t n_awaited;
	char command[TOP_COMMAND_BYTES]; /* whose reply is awaited; empty: none */
	bool unsent;                     /* it goes out as soon as the conversation has begun */

	bool drawing, again; /* a frame is under way; and another one is wanted after it */
	bool clear;          /* the next one clears the screen first */
	bool quitting;
};

void live_draw(struct live *v); /* now, or when the frame that is under way is done */

/* top_asking.c */
void live_start_asking(struct live *v, const struct addr *a);
void live_stop_asking(struct live *v);
void live_ask(struct live *v); /* the questions, unless they are out */
void live_send_command(struct live *v, const char *command); /* its reply becomes a message */
