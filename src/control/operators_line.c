/* One line of an operator: its commands run one after the other on fresh facts.
 *
 * `show sess` has to wait for the workers: its client is parked and goes on when they have answered
 * (operators_sessions.c). A client that leaves meanwhile is simply forgotten. Not here: who is
 * connected (operators.c), what commands say (admin/), gathering (operators_act.c) and what comes
 * of it (operators_obey.c). */
#include "admin/commands.h"
#include "base/mem.h"
#include "control/operators_state.h"
#include "control/snapshot.h"
#include "io/clock.h"
#include "io/log.h"
#include <stdlib.h>
#include <string.h>

static void reload(struct admin_client *c, bool json)
{
	struct buf words = {0};

	operators_reload(c->socket->ops, &words);
	reload_reply(&words, json, &c->out);
	buf_fini(&words);
}

static void obey(struct admin_client *c, const struct admin_order *o)
{
	switch (o->type) {
	case ORDER_PROMPT: c->prompt = !c->prompt; break;
	case ORDER_QUIT: c->quit = true; break;
	case ORDER_TIMEOUT: line_client_set_timeout(c->line, o->timeout_ms); break;
	case ORDER_LEVEL: c->level = o->level; break;
	case ORDER_SEVERITY: c->severity = o->severity; break;
	case ORDER_RELOAD: reload(c, o->json); break;
	default: operators_obey(c->socket->ops, o); break;
	}
}

/* A reload may have taken rights from the socket. */
static enum access_level level_of(const struct admin_client *c)
{
	return c->level < c->socket->level ? c->level : c->socket->level;
}

/* ---- running a line ---- */

static void run_words(struct admin_client *c, const struct admin_facts *f,
		      struct admin_order *order)
{
	commands_run(f, (const char *const *)c->command.words, c->command.n_words, &c->out, order);
}

/* Run the command in work; false: it needs the sessions first, and nothing was written. */
static bool run_command(struct admin_client *c, const struct asking *sessions)
{
	struct snapshot s;
	struct admin_order order;

	operators_gather(c->socket->ops, &s);
	s.facts.level = level_of(c);
	s.facts.severity = c->severity;
	if (sessions) {
		s.facts.have_sessions = true;
		s.facts.sessions = sessions->list;
		s.facts.n_sessions = sessions->n;
	}
	run_words(c, &s.facts, &order);
	if (order.type == ORDER_NEED_MEMORY) {
		operators_gather_memory(c->socket->ops, &s);
		run_words(c, &s.facts, &order);
	}
	snapshot_fini(&s);
	if (order.type == ORDER_NEED_SESSIONS)
		return false;
	obey(c, &order);
	if (!c->quit)
		commands_end_reply(&c->out, c->prompt);
	return true;
}

/* The client may be gone, or busy with its next line, when this returns. After a `quit` with
 * replies before it in the same line the client is closed like any that is not interactive; on_line
 * takes no more of its lines. */
static void finish_line(struct admin_client *c)
{
	struct buf out = c->out;

	c->out = (struct buf){0};
	free(c->text);
	c->text = c->rest = NULL;
	line_client_keep_open(c->line, c->prompt && !c->quit);
	if (out.len > 0)
		line_client_reply(c->line, out.data, out.len);
	else
		line_client_quit(c->line);
	buf_fini(&out);
}

static void park(struct admin_client *c);

void operators_continue_line(struct admin_client *c)
{
	while (!c->quit && cli_next_command(&c->rest, &c->command)) {
		if (!run_command(c, NULL)) {
			park(c);
			return;
		}
	}
	finish_line(c);
}

/* ---- payloads ---- */

/* None of our commands takes one; who sends it all the same means no commands by it. */
static void await_payload(struct admin_client *c)
{
	line_client_keep_open(c->line, true);
	line_client_reply(c->line, "+ ", c->prompt ? 2 : 0);
}

void operators_take_line(struct admin_client *c, const char *text)
{
	if (c->payload) {
		c->payload = *text != '\0';
	} else {
		c->text = c->rest = xstrdup(text);
		c->payload = cli_take_payload(c->text);
	}
	if (c->payload)
		await_payload(c);
	else
		operators_continue_line(c);
}

/* ---- sessions ---- */

static struct admin_client *client_of(struct sessions_wait *w)
{
	return LIST_ENTRY(w, struct admin_client, wait);
}

static void take_sessions(struct sessions_wait *w, const struct asking *answer)
{
	run_command(client_of(w), answer);
}

static void go_on(struct sessions_wait *w)
{
	operators_continue_line(client_of(w));
}

static void park(struct admin_client *c)
{
	c->wait.take = take_sessions;
	c->wait.go_on = go_on;
	operators_await_sessions(c->socket->ops, &c->wait);
}
