#pragma once
/* The log in HAProxy's words (log.format: haproxy-tcp): a sentence whenever a server's status, as
 * `show stat` has it, has changed. Owner: the control thread. Not here: the sentences
 * (admin/server_sentence.h), isari's own events (control/announce.h). */
#include "core/counters.h"
#include "core/monitor.h"

struct server_news;

/* `board` outlives it. */
struct server_news *server_news_new(const struct config *config, const struct scoreboard *board);
void server_news_free(struct server_news *n);

/* After each step; `changed`: a view or anything else has. Nothing in the other formats. `config`:
 * of the shape that it was made with. */
void server_news_say(struct server_news *n, const struct config *config, const struct monitor *m,
		     bool changed, int64_t now_ms);
