/* One line of an operator: its commands run one after the other on fresh facts.
 *
 * `show sess` has to wait for the workers: its client is parked, all parked clients share one
 * question, and the last worker's answer (or the deadline) lets them go on. A client that leaves
 * meanwhile is simply forgotten. Not here: who is connected (operators.c), what commands say
 * (admin/), gathering and what comes of it (operators_act.c). */
#include "admin/commands.h"
#include "base/mem.h"
#include "control/operators_state.h"
#include "control/snapshot.h"
#include "io/clock.h"
#include "io/log.h"
#include <stdlib.h>
#include <string.h>

enum { SESSIONS_DEADLINE_MS = 1000 };

static void obey(struct admin_client *c, const struct admin_order *o)
{
	switch (o->type) {
	case ORDER_PROMPT: c->prompt = !c->prompt; break;
	case ORDER_QUIT: c->quit = true; break;
	case ORDER_TIMEOUT: line_client_set_timeout(c->line, o->timeout_ms); break;
	default: operators_obey(c->socket->ops, o); break;
	}
}

/* ---- running a line ---- */

/* Run the command in work; false: it needs the sessions first, and nothing was written. */
static bool run_command(struct admin_client *c, const struct asking *sessions)
{
	struct snapshot s;
	struct admin_order order;

	operators_gather(c->socket->ops, &s);
	s.facts.level = c->socket->level;
	if (sessions) {
		s.facts.have_sessions = true;
		s.facts.sessions = sessions->list;
		s.facts.n_sessions = sessions->n;
	}
	commands_run(&s.facts, (const char *const *)c->command.words, c->command.n_words, &c->out,
		     &order);
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

/* ---- sessions ---- */

static struct admin_client *first_waiting(struct operators *ops)
{
	LIST_FOREACH (node, &ops->clients) {
		struct admin_client *c = LIST_ENTRY(node, struct admin_client, node);
		if (c->waiting)
			return c;
	}
	return NULL;
}

/* Let every parked client go on. Any of them, and others, may leave while one does: look again each
 * time. */
static void end_asking(struct operators *ops)
{
	struct asking answer = ops->asking;
	struct admin_client *c;
	struct list resumed = LIST_INIT(resumed);

	uv_timer_stop(&ops->deadline);
	ops->asking.open = false;
	ops->asking.list = NULL;
	ops->asking.n = 0;
	while ((c = first_waiting(ops)) != NULL) {
		c->waiting = false;
		run_command(c, &answer);
		list_unlink(&c->node);
		list_append(&resumed, &c->node);
	}
	while (!list_empty(&resumed)) {
		c = LIST_ENTRY(resumed.next, struct admin_client, node);
		list_unlink(&c->node);
		list_append(&ops->clients, &c->node);
		operators_continue_line(c);
	}
	free(answer.list);
}

static void on_deadline(uv_timer_t *timer)
{
	end_asking(timer->data);
}

static void park(struct admin_client *c)
{
	struct operators *ops = c->socket->ops;
	struct asking *a = &ops->asking;
	const struct operators_hooks *hooks = &ops->setup.hooks;

	c->waiting = true;
	if (a->open)
		return;
	a->open = true;
	a->request++;
	uv_update_time(ops->setup.loop);
	uv_timer_start(&ops->deadline, on_deadline, SESSIONS_DEADLINE_MS, 0);
	a->n_missing = hooks->ask_sessions(hooks->arg, a->request);
	if (a->n_missing == 0)
		end_asking(ops);
}

void operators_sessions(struct operators *ops, uint64_t request, struct session_info *list,
			size_t n)
{
	struct asking *a = &ops->asking;

	if (!a->open || request != a->request) {
		free(list);
		return;
	}
	if (n > 0) {
		a->list = xrealloc(a->list, (a->n + n) * sizeof(*list));
		memcpy(a->list + a->n, list, n * sizeof(*list));
		a->n += n;
	}
	free(list);
	if (--a->n_missing == 0)
		end_asking(ops);
}
