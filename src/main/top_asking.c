/* The conversation of `isari top` with isari: questions and commands out, and what their replies
 * make of the model. Replies come in the order of what was asked; when the conversation ends none
 * of them will. Not here: when it is asked, the screen (top_live.c). */
#include "base/assert.h"
#include "base/mem.h"
#include "base/str.h"
#include "io/clock.h"
#include "main/top_live.h"
#include <stdlib.h>
#include <string.h>

enum { TIMEOUT_MS = 5000 };
enum { REPLY_TO_COMMAND = TOP_QUESTIONS }; /* below: to this question of TOP_QUESTION */

static void await(struct live *v, unsigned what)
{
	INSIST(v->n_awaited < LIVE_MAX_AWAITED);
	v->awaited[v->n_awaited++] = what;
}

static bool awaits(const struct live *v, unsigned what)
{
	for (size_t i = 0; i < v->n_awaited; i++)
		if (v->awaited[i] == what)
			return true;
	return false;
}

/* One reading at a time: a slow isari is not asked twice. */
void live_ask(struct live *v)
{
	if (!v->up || awaits(v, TOP_QUESTIONS - 1) ||
	    ctl_talk_send(v->talk, TOP_QUESTION, TOP_QUESTIONS) < 0)
		return;
	for (unsigned i = 0; i < TOP_QUESTIONS; i++)
		await(v, i);
}

static void say_unchanged(struct live *v)
{
	v->command[0] = '\0';
	v->unsent = false;
	top_say(&v->state, clock_ms(), true, "isari is away: nothing was changed.");
}

static void send_now(struct live *v)
{
	v->unsent = false;
	if (ctl_talk_send(v->talk, v->command, 1) < 0)
		say_unchanged(v);
	else
		await(v, REPLY_TO_COMMAND);
}

/* The first screen is there before the conversation is: who is that quick waits a moment. */
void live_send_command(struct live *v, const char *command)
{
	if (v->command[0]) {
		top_say(&v->state, clock_ms(), true, "The reply to the last command is awaited.");
		return;
	}
	if (v->lost && !v->up) {
		say_unchanged(v);
		return;
	}
	str_copy(v->command, sizeof(v->command), command);
	v->unsent = !v->up;
	if (v->up)
		send_now(v);
}

/* Somebody else may have taken isari's place. */
static void take_garbled(struct live *v)
{
	top_model_fini(&v->next);
	v->garbled = false;
	v->lost = true;
	str_copy(v->why, sizeof(v->why), "another program or version");
	live_draw(v);
}

static void take_reading(struct live *v)
{
	int64_t now = clock_ms();

	if (v->garbled) {
		take_garbled(v);
		return;
	}
	top_rates(&v->next, &v->model, now - v->read_ms, v->delay_ms / 2);
	top_model_fini(&v->model);
	v->model = v->next;
	v->next = (struct top_model){0};
	v->read_ms = now;
	v->lost = false;
	live_draw(v);
}

static void take_command_reply(struct live *v, const char *reply, size_t len)
{
	char *text = xstrndup(reply, len);

	top_replied(&v->state, v->command, text, clock_ms());
	free(text);
	v->command[0] = '\0';
	live_ask(v); /* to show what it did */
	live_draw(v);
}

static void on_reply(void *arg, const char *reply, size_t len)
{
	struct live *v = arg;
	unsigned what;

	if (v->n_awaited == 0)
		return; /* nobody asked */
	what = v->awaited[0];
	memmove(v->awaited, v->awaited + 1, --v->n_awaited * sizeof(v->awaited[0]));
	if (what == REPLY_TO_COMMAND) {
		take_command_reply(v, reply, len);
		return;
	}
	v->garbled = top_take_reply(&v->next, what, reply, len) < 0 || v->garbled;
	if (what == TOP_QUESTIONS - 1)
		take_reading(v);
}

static void on_up(void *arg)
{
	struct live *v = arg;

	v->up = true;
	if (v->unsent)
		send_now(v);
	if (v->lost)
		live_ask(v); /* at the start the first reading is fresh */
}

static void on_down(void *arg, const char *why)
{
	struct live *v = arg;

	v->up = false;
	v->lost = true;
	str_copy(v->why, sizeof(v->why), why);
	v->n_awaited = 0;
	v->garbled = false;
	if (v->unsent)
		say_unchanged(v);
	else if (v->command[0])
		top_replied(&v->state, v->command, NULL, clock_ms());
	v->command[0] = '\0';
	live_draw(v);
}

void live_start_asking(struct live *v, const struct addr *a)
{
	v->talk = ctl_talk_open(&v->loop, &(struct ctl_talk_options){
						  .addr = *a,
						  .timeout_ms = TIMEOUT_MS,
						  .idle_ms = v->delay_ms + 2 * TIMEOUT_MS,
						  .arg = v,
						  .on_up = on_up,
						  .on_reply = on_reply,
						  .on_down = on_down,
					  });
}

void live_stop_asking(struct live *v)
{
	ctl_talk_close(v->talk);
}
