/* Closing by verdict, in slices: the doomed are dead for forwarding already (their lane's epoch has
 * passed), so there is time to close them without stalling the others. A leg that is blocked in a
 * write is closed like any other. Worker thread only. */
#include "io/clock.h"
#include "proxy/worker_state.h"

struct slice {
	unsigned left;
	int64_t until_us;
};

static bool slice_over(const struct slice *slice)
{
	return slice->left == 0 || clock_us() >= slice->until_us;
}

static void cut_list(struct list *doomed, enum close_reason reason, struct slice *slice)
{
	while (!list_empty(doomed) && !slice_over(slice)) {
		session_close(LIST_ENTRY(doomed->next, struct session, node), reason);
		slice->left--;
	}
}

static void cut_lanes(struct worker *w, struct slice *slice)
{
	LIST_FOREACH_SAFE (node, &w->dooming) {
		struct lane *lane = LIST_ENTRY(node, struct lane, dooming);

		cut_list(&lane->doomed, lane->reason, slice);
		if (!list_empty(&lane->doomed))
			return;
		list_unlink(&lane->dooming);
	}
}

/* Those whose state is a list of the worker's; CLOSING is over. */
static bool is_early(unsigned state)
{
	return state != SESSION_CLOSING;
}

static bool has_early_sessions(const struct worker *w)
{
	for (unsigned i = 0; i < N_SESSION_STATES; i++)
		if (is_early(i) && !list_empty(&w->states[i]))
			return true;
	for (unsigned i = 0; i < w->config->n_listeners; i++)
		if (!list_empty(&w->listeners[i].held))
			return true;
	return false;
}

static void cut_early(struct worker *w, struct slice *slice)
{
	for (unsigned i = 0; i < N_SESSION_STATES; i++)
		if (is_early(i))
			cut_list(&w->states[i], CLOSE_STOPPING, slice);
	for (unsigned i = 0; i < w->config->n_listeners; i++)
		cut_list(&w->listeners[i].held, CLOSE_STOPPING, slice);
}

unsigned cut_most(const struct worker *w)
{
	return clock_us() - w->edge.now_us < SLICE_US ? SLICE_SESSIONS : SLICE_LEAST;
}

bool cut_has_work(const struct worker *w)
{
	return !list_empty(&w->dooming) || (w->stopping && has_early_sessions(w));
}

void cut_run(struct worker *w)
{
	struct slice slice;

	if (!cut_has_work(w))
		return;
	slice = (struct slice){.left = cut_most(w), .until_us = clock_us() + SLICE_US};
	cut_lanes(w, &slice);
	if (w->stopping)
		cut_early(w, &slice);
}

void cut_all(struct worker *w)
{
	for (unsigned i = 0; i < w->config->n_listeners; i++)
		for (unsigned k = 0; k < w->listeners[i].n_lanes; k++)
			lane_doom(w, &w->listeners[i].lanes[k], CLOSE_STOPPING);
}

struct wanted {
	uint64_t id;
	struct session *found;
};

static void compare_id(void *arg, struct session *s)
{
	struct wanted *wanted = arg;

	if (s->id == wanted->id)
		wanted->found = s;
}

bool cut_session(struct worker *w, uint64_t id)
{
	struct wanted wanted = {.id = id};

	worker_each_session(w, compare_id, &wanted);
	if (wanted.found)
		session_close(wanted.found, CLOSE_OPERATOR);
	return wanted.found != NULL;
}
