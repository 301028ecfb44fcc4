#pragma once
/* One line per event, on standard error, as key=value or JSON. Any thread. A sink that cannot be
 * written (full pipe, full disk) never blocks: the line is dropped and counted, and the next line
 * that passes says so.
 *
 *	struct log_line l;
 *	if (log_begin(&l, SEVERITY_INFO, "primary_changed")) {
 *		log_str(&l, "cluster", name);
 *		log_int(&l, "timeline", tl);
 *		log_end(&l);
 *	}
 */
#include <stdarg.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

enum severity { SEVERITY_DEBUG, SEVERITY_INFO, SEVERITY_WARNING, SEVERITY_ERROR };

struct log_line {
	size_t len;
	bool json;
	char text[1024]; /* longer lines are cut, and stay well-formed */
};

/* Lines of one thread that are written together, for those who have many at once. */
enum { LOG_NOTICE_BYTES = 160 }; /* the longest log_lines_dropped line, which may precede them */

struct log_batch { /* all zero: empty */
	size_t len;
	unsigned n_lines;
	char text[4096 - LOG_NOTICE_BYTES]; /* of PIPE_BUF */
};

/* Process-wide sink (a documented exception to "no globals"). A pipe or a
 * terminal is opened a second time, so that only our own writes are non-blocking; `fd` is never
 * closed. Call before threads start. */
void log_open(int fd, enum severity least, bool json);
bool log_begin(struct log_line *l, enum severity s, const char *event);
/* Quoted and escaped as needed; NULL: left out. */
void log_str(struct log_line *l, const char *key, const char *value);
void log_fmt(struct log_line *l, const char *key, const char *format, ...)
	__attribute__((format(printf, 3, 4)));
void log_int(struct log_line *l, const char *key, int64_t value);
void log_end(struct log_line *l);
void log_end_later(struct log_line *l, struct log_batch *b); /* written when `b` is full or ... */
void log_flush(struct log_batch *b);                         /* ... now */
/* The common case: an event and one sentence under the key "msg". */
void log_msg(enum severity s, const char *event, const char *format, ...)
	__attribute__((format(printf, 3, 4)));
uint64_t log_dropped(void);
