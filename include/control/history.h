#pragma once
/* What neither the scoreboard nor a view remembers: sessions per second, moving averages, how long
 * a listener was down, how busy we are. Time comes in as an argument. Owner: the control thread. */
#include "admin/facts.h"
#include "core/counters.h"
#include "core/view.h"

/* HAProxy's frequency counter: the last full second, faded out over the running one. */
struct rate {
	uint64_t base;     /* the counter when the running second began */
	uint64_t previous; /* growth in the second before it */
	uint64_t max;
};

/* A mean over about the last 1024 events. */
struct average {
	uint64_t sum, n; /* the counters when they were last looked at */
	uint64_t seen;   /* events in `value`, at most 1024 */
	double value;
};

/* What `clear counters all` has made of a row: its counters go on, as others (the journal, rates)
 * count by them too, and what they were is subtracted from what is shown. */
struct row_history {
	struct counters_sum cleared;
	struct rate sessions;
	struct average connect_ms, session_ms, held_ms;
};

struct listener_history {
	bool up;
	int64_t changed_ms, down_ms;
	uint64_t downs;
};

struct history {
	const struct scoreboard *board;
	unsigned n_listeners;
	struct row_history *rows;
	struct listener_history *listeners;
	struct rate sessions, bytes_out; /* over all listeners */
	int64_t second_began_ms, cpu_ms;
	unsigned idle_pct;
};

void history_init(struct history *h, const struct scoreboard *board, unsigned n_listeners,
		  int64_t now_ms);
void history_fini(struct history *h);
/* Once a second; later is fine. `cpu_ms`: processor time the process has used so far, `n_threads`
 * could use. */
void history_second(struct history *h, int64_t now_ms, int64_t cpu_ms, unsigned n_threads);
void history_view(struct history *h, const struct view *v, int64_t now_ms);

/* HAProxy's `clear counters`: the maxima, or (`all`) whatever is summed up as well. */
void history_clear(struct history *h, struct scoreboard *board, bool all);

/* Everything about one row, the scoreboard's numbers included. */
void history_row(struct history *h, unsigned row, int64_t now_ms, struct row_facts *out);
void history_listener(const struct history *h, unsigned listener, int64_t now_ms,
		      struct listener_facts *out);
/* The rates of the whole process. */
void history_process(struct history *h, int64_t now_ms, struct process_facts *out);
