#pragma once
/* The sink behind io/log.h: for log.c only. Its opening and its count of dropped lines are part of
 * io/log.h. */
#include "io/log.h"

bool log_sink_takes(enum severity s);
bool log_sink_is_json(void);
/* Whole lines, written together or dropped together. */
void log_sink_write(const char *lines, size_t len, unsigned n_lines);

/* log.c, for the notice of what was dropped: whatever the level. */
void log_line_begin(struct log_line *l, enum severity s, const char *event);
void log_line_end(struct log_line *l);
