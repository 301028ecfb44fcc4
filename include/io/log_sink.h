#pragma once
/* The sink behind io/log.h: for io/log*.c only. Its opening and its count of dropped lines are part
 * of io/log.h. */
#include "io/log_line.h"

const struct log_style *log_sink_style(void);
/* Whole lines, written together or dropped together. */
void log_sink_write(const char *lines, size_t len, unsigned n_lines);
