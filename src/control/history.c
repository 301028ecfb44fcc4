/* Sessions per second, moving averages, up and down times of listeners. A second is closed once per
 * second by a timer; what is asked in between is computed on the spot, so a number is never older
 * than the question and the thread wakes no more often than that. */
#include "control/history.h"
#include "base/mem.h"
#include <limits.h>
#include <stdlib.h>

enum { SECOND_MS = 1000, AVERAGE_EVENTS = 1024 };

/* ---- rates ---- */

static void rate_close_second(struct rate *r, uint64_t counter, int64_t elapsed_ms)
{
	r->previous = (counter - r->base) * SECOND_MS / (uint64_t)elapsed_ms;
	r->base = counter;
	if (r->previous > r->max)
		r->max = r->previous;
}

static uint64_t rate_read(struct rate *r, uint64_t counter, int64_t elapsed_ms)
{
	uint64_t left = elapsed_ms < SECOND_MS ? (uint64_t)(SECOND_MS - elapsed_ms) : 0;
	uint64_t now = counter - r->base + r->previous * left / SECOND_MS;

	if (now > r->max)
		r->max = now;
	return now;
}

/* ---- averages ---- */

static void average_add(struct average *a, uint64_t sum, uint64_t n)
{
	uint64_t new_n = n - a->n, new_sum = sum - a->sum;

	if (new_n == 0)
		return;
	uint64_t share = new_n < AVERAGE_EVENTS ? new_n : AVERAGE_EVENTS;
	a->seen = a->seen + share < AVERAGE_EVENTS ? a->seen + share : AVERAGE_EVENTS;
	a->value += ((double)new_sum / (double)new_n - a->value) * (double)share / (double)a->seen;
	a->sum = sum;
	a->n = n;
}

static unsigned saturate(uint64_t n)
{
	return n < UINT_MAX ? (unsigned)n : UINT_MAX;
}

/* ---- the history ---- */

void history_init(struct history *h, const struct scoreboard *board, unsigned n_listeners,
		  int64_t now_ms)
{
	*h = (struct history){
		.board = board,
		.n_listeners = n_listeners,
		.rows = xcalloc(board->n_rows, sizeof(*h->rows)),
		.listeners = xcalloc(n_listeners, sizeof(*h->listeners)),
		.second_began_ms = now_ms,
		.idle_pct = 100,
	};
	for (unsigned i = 0; i < n_listeners; i++)
		h->listeners[i].changed_ms = now_ms;
}

void history_fini(struct history *h)
{
	free(h->rows);
	free(h->listeners);
	*h = (struct history){0};
}

static struct counters_sum sum_listeners(const struct history *h)
{
	struct counters_sum total = {0}, one;

	for (unsigned i = 0; i < h->n_listeners; i++) {
		scoreboard_sum(h->board, i, &one);
		total.sessions += one.sessions;
		total.bytes_out += one.bytes_out;
	}
	return total;
}

static unsigned idle_percent(int64_t cpu_ms, int64_t available_ms)
{
	int64_t busy = cpu_ms * 100 / available_ms;

	return busy < 0 ? 100 : busy > 100 ? 0 : (unsigned)(100 - busy);
}

void history_second(struct history *h, int64_t now_ms, int64_t cpu_ms, unsigned n_threads)
{
	struct counters_sum sum;
	int64_t elapsed = now_ms - h->second_began_ms;

	if (elapsed <= 0)
		return;
	for (unsigned i = 0; i < h->board->n_rows; i++) {
		scoreboard_sum(h->board, i, &sum);
		rate_close_second(&h->rows[i].sessions, sum.sessions, elapsed);
		average_add(&h->rows[i].connect_ms, sum.connect_ms, sum.connected);
		average_add(&h->rows[i].session_ms, sum.session_ms, sum.ended);
		average_add(&h->rows[i].held_ms, sum.held_ms, sum.connected);
	}
	sum = sum_listeners(h);
	rate_close_second(&h->sessions, sum.sessions, elapsed);
	rate_close_second(&h->bytes_out, sum.bytes_out, elapsed);
	h->idle_pct = idle_percent(cpu_ms - h->cpu_ms, elapsed * n_threads);
	h->cpu_ms = cpu_ms;
	h->second_began_ms = now_ms;
}

/* A listener starts down: nobody serves until proven. */
void history_view(struct history *h, const struct view *v, int64_t now_ms)
{
	for (size_t i = 0; i < v->n_listeners && i < h->n_listeners; i++) {
		struct listener_history *l = &h->listeners[i];
		bool up = v->listeners[i].n_open > 0;

		if (up == l->up)
			continue;
		if (up)
			l->down_ms += now_ms - l->changed_ms;
		else
			l->downs++;
		l->up = up;
		l->changed_ms = now_ms;
	}
}

static void read_waiting(const struct history *h, unsigned listener, int64_t now_ms,
			 struct row_facts *out)
{
	const struct gauge *g = &h->board->holds[listener];
	int64_t since_ms = scoreboard_held_since_ms(h->board, listener);

	out->waiting_now = atomic_load_explicit(&g->now, memory_order_relaxed);
	out->waiting_max = atomic_load_explicit(&g->max, memory_order_relaxed);
	if (since_ms > 0)
		out->waiting_ms = now_ms > since_ms ? now_ms - since_ms : 0;
}

/* What was cleared does not count. */
static void subtract(struct counters_sum *sum, const struct counters_sum *cleared)
{
#define SUBTRACT(name, help) sum->name -= cleared->name;
	COUNTER_LIST(SUBTRACT)
#undef SUBTRACT
	for (unsigned i = 0; i < N_CLOSE_REASONS; i++)
		sum->closes[i] -= cleared->closes[i];
}

static void forget_average(struct average *a)
{
	a->seen = 0;
	a->value = 0;
}

static void clear_row(struct row_history *r, const struct scoreboard *board, unsigned row)
{
	scoreboard_sum(board, row, &r->cleared);
	forget_average(&r->connect_ms);
	forget_average(&r->session_ms);
	forget_average(&r->held_ms);
}

void history_clear(struct history *h, struct scoreboard *board, bool all)
{
	for (unsigned i = 0; i < board->n_rows; i++) {
		gauge_forget_maxima(&board->gauges[i]);
		h->rows[i].sessions.max = 0;
		if (all)
			clear_row(&h->rows[i], board, i);
	}
	for (unsigned i = 0; i < h->n_listeners; i++) {
		gauge_forget_maxima(&board->holds[i]);
		if (all)
			h->listeners[i].downs = 0;
	}
	h->sessions.max = h->bytes_out.max = 0;
}

void history_row(struct history *h, unsigned row, int64_t now_ms, struct row_facts *out)
{
	struct row_history *r = &h->rows[row];
	struct gauge *g = &h->board->gauges[row];
	int64_t last_ms = atomic_load_explicit(&g->last_ms, memory_order_relaxed);

	*out = (struct row_facts){
		.sessions_now = atomic_load_explicit(&g->now, memory_order_relaxed),
		.sessions_max = atomic_load_explicit(&g->max, memory_order_relaxed),
		.limit = NOTED(g, limit),
		.last_session_ms_ago = last_ms == 0       ? -1
				       : now_ms > last_ms ? now_ms - last_ms
							  : 0,
		.connect_ms_max = atomic_load_explicit(&g->connect_ms_max, memory_order_relaxed),
		.session_ms_max = atomic_load_explicit(&g->session_ms_max, memory_order_relaxed),
		.held_ms_max = atomic_load_explicit(&g->held_ms_max, memory_order_relaxed),
		.waiting_ms = -1,
	};
	scoreboard_sum(h->board, row, &out->sum);
	average_add(&r->connect_ms, out->sum.connect_ms, out->sum.connected);
	average_add(&r->session_ms, out->sum.session_ms, out->sum.ended);
	average_add(&r->held_ms, out->sum.held_ms, out->sum.connected);
	out->held_ms_avg = saturate((uint64_t)(r->held_ms.value + 0.5));
	out->connect_ms_avg = saturate((uint64_t)(r->connect_ms.value + 0.5));
	out->session_ms_avg = saturate((uint64_t)(r->session_ms.value + 0.5));
	out->rate =
		saturate(rate_read(&r->sessions, out->sum.sessions, now_ms - h->second_began_ms));
	out->rate_max = saturate(r->sessions.max);
	subtract(&out->sum, &r->cleared);
	if (row < h->n_listeners)
		read_waiting(h, row, now_ms, out);
}

void history_listener(const struct history *h, unsigned listener, int64_t now_ms,
		      struct listener_facts *out)
{
	const struct listener_history *l = &h->listeners[listener];

	*out = (struct listener_facts){
		.frontend = (enum frontend_state)NOTED(h->board, frontends[listener]),
		.since_ms_ago = now_ms - l->changed_ms,
		.downs = l->downs,
		.down_ms = l->down_ms + (l->up ? 0 : now_ms - l->changed_ms),
	};
}

void history_process(struct history *h, int64_t now_ms, struct process_facts *out)
{
	struct counters_sum sum = sum_listeners(h);
	int64_t elapsed = now_ms - h->second_began_ms;

	out->rate = saturate(rate_read(&h->sessions, sum.sessions, elapsed));
	out->rate_max = saturate(h->sessions.max);
	out->bytes_out_per_s = rate_read(&h->bytes_out, sum.bytes_out, elapsed);
	out->idle_pct = h->idle_pct;
}
