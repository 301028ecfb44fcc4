#pragma once
/* The failover journal at its edge: feeds it with what the monitor, the workers and the clocks say,
 * counts what clients felt, and logs each failover when it is over. Owner: the control thread. */
#include "core/counters.h"
#include "core/journal.h"
#include "core/messages.h"
#include "core/meters.h"

struct failovers;

/* Both outlive it. */
struct failovers *failovers_new(const struct config *config, const struct scoreboard *board);
void failovers_free(struct failovers *f);
/* Of the same shape; outlives it, too. What was counted so far stays counted. */
void failovers_take_config(struct failovers *f, const struct config *config);
/* What is over is counted there, too; `m` outlives it. */
void failovers_count_in(struct failovers *f, struct meters *m);

/* Before the update is acted upon: what is counted starts from here. */
void failovers_take(struct failovers *f, const struct monitor *m, const struct update *up,
		    int64_t now_ms);
void failovers_in_force(struct failovers *f, uint64_t generation, int64_t now_ms);
void failovers_session(struct failovers *f, const struct message *m);  /* MSG_FIRST_SESSION */
void failovers_released(struct failovers *f, const struct message *m); /* MSG_HOLD_EMPTIED */
/* From time to time, once a second at least: count, close, log. */
void failovers_say(struct failovers *f, int64_t now_ms);

const struct journal *failovers_journal(const struct failovers *f);
