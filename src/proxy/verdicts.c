/* What control has judged takes effect here: a new view, and the duty to stand still after a pause
 * of our own. Not here: closing the doomed (cut.c). Worker thread only. */
#include "core/fence.h"
#include "io/clock.h"
#include "proxy/worker_state.h"

struct taking {
	struct worker *worker;
	const struct view *old;
	unsigned doomed;
};

static void on_doom(void *arg, const struct doomed *d)
{
	struct taking *t = arg;
	struct lane *lane = &t->worker->listeners[d->listener].lanes[d->server];

	t->doomed += lane_doom(t->worker, lane, d->reason);
}

static void each_lane(struct worker *w,
		      void (*fn)(struct taking *t, struct lane *lane, const struct view_server *v),
		      struct taking *t)
{
	for (unsigned i = 0; i < w->config->n_listeners; i++)
		for (unsigned k = 0; k < w->listeners[i].n_lanes; k++)
			fn(t, &w->listeners[i].lanes[k], &w->view->listeners[i].servers[k]);
}

static void remember_motion(struct taking *t, struct lane *lane, const struct view_server *v)
{
	(void)v;
	lane->moved = lane_moves(t->worker, lane);
}

static const struct view_server *before(const struct taking *t, const struct lane *lane)
{
	return &t->old->listeners[lane->listener->config->id].servers[lane->server];
}

static void apply_state(struct taking *t, struct lane *lane, const struct view_server *v)
{
	lane_take_address(lane, before(t, lane), v);
	lane->state = v->state;
	if (v->state == SERVER_CLOSED) /* whatever the generations say: it carries nobody */
		t->doomed +=
			lane_doom(t->worker, lane, v->cut == CLOSE_CLIENT ? CLOSE_FENCED : v->cut);
	if (!lane->moved && lane_moves(t->worker, lane))
		lane_resume(lane);
}

/* Calls on their way may be for a server that takes nobody any more. */
static void recheck(struct list *on_their_way)
{
	LIST_FOREACH (node, on_their_way)
		session_wake(LIST_ENTRY(node, struct session, node));
}

static void acknowledge(struct worker *w, unsigned doomed)
{
	struct message *m = message_new(MSG_VIEW_TAKEN);

	m->u.view_taken.generation = w->view->generation;
	m->u.view_taken.count = doomed;
	worker_tell_control(w, m);
}

void verdicts_take_view(struct worker *w)
{
	struct view *old = w->view, *now = slot_take(&w->views);
	struct taking t = {.worker = w, .old = old};

	if (now == NULL)
		return;
	each_lane(w, remember_motion, &t);
	w->view = now;
	settings_take(w, now->config);
	w->suspended = w->suspended && now->made_ms < w->suspended_ms;
	fence_compare(old, now, on_doom, &t);
	each_lane(w, apply_state, &t);
	recheck(&w->states[SESSION_CONNECTING]);
	recheck(&w->states[SESSION_STARTING]);
	hold_new_view(w, old);
	send_back_new_view(w);
	view_unref(old);
	acknowledge(w, t.doomed);
}

static void stand_still(struct worker *w, int64_t slept_ms)
{
	struct message *m;

	w->suspended = true;
	w->suspended_ms = clock_ms();
	m = message_new(MSG_PAUSED);
	m->u.paused.slept_ms = slept_ms;
	worker_tell_control(w, m);
}

/* Any loop that sleeps counts: while control's does, nobody notices that a lease ends. */
static int64_t control_overdue_ms(const struct worker *w, int64_t now)
{
	int64_t due =
		atomic_load_explicit(&w->setup.scoreboard->control_due_ms, memory_order_relaxed);

	return due > 0 && !w->suspended ? now - due : 0;
}

static bool check_pause(struct worker *w, int64_t now)
{
	int64_t slept = now - w->turn_ms - w->planned_ms;

	if (slept <= PAUSE_MS)
		slept = control_overdue_ms(w, now);
	if (slept <= PAUSE_MS)
		return false;
	w->turn_ms = now;
	stand_still(w, slept);
	return true;
}

bool verdicts_check_pause(struct worker *w)
{
	return check_pause(w, clock_ms());
}

bool verdicts_check_sleep(struct worker *w)
{
	return check_pause(w, worker_now(w));
}
