#pragma once
/* How one line is built: for io/log*.c only. Pure but for the time it begins with. */
#include "io/log.h"

enum { LOG_FROM_BYTES = 128 };

/* What all lines have in common; never changed once it is in use. */
struct log_style {
	enum severity least;
	enum log_shape shape;
	bool journal;              /* a priority first, and no time of our own */
	char from[LOG_FROM_BYTES]; /* LOG_SYSLOG: " host tag[pid]: " */
	struct log_style *before;  /* lines of other threads may be in it still */
};

void log_line_begin(struct log_line *l, const struct log_style *style, enum severity s,
		    const char *event);
void log_line_sentence(struct log_line *l, const struct log_style *style, enum severity s,
		       const char *sentence);
void log_line_end(struct log_line *l);
