#pragma once
/* One line per event, on standard error: key=value, JSON, or syslog's lines. Any thread. A sink
 * that cannot be written (full pipe, full or stalled disk) never blocks: the line is dropped and
 * counted, and the next line that passes says so.
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

enum log_shape {
	LOG_TEXT,   /* time=... level=info event=... key=value */
	LOG_JSON,   /* the same as an object */
	LOG_SYSLOG, /* Nov 20 09:30:00 host tag[pid]: level=info event=..., or a sentence. In the
		     * journal, which has time and sender itself, only what follows the colon */
};

struct log_line {
	size_t len, start; /* start: of what follows the prefix */
	enum log_shape shape;
	char text[1024]; /* longer lines are cut, and stay well-formed */
};

/* Lines of one thread that are written together, for those who have many at once. */
enum { LOG_NOTICE_BYTES = 256 }; /* the longest log_lines_dropped line, which may precede them */

struct log_batch { /* all zero: empty */
	size_t len;
	unsigned n_lines;
	char text[4096 - LOG_NOTICE_BYTES]; /* of PIPE_BUF */
};

struct log_options {
	enum severity least;
	enum log_shape shape;
	const char *tag; /* LOG_SYSLOG: who speaks, as in "haproxy[1234]: "; NULL: isari */
};

/* Process-wide sink (a documented exception to "no globals"). A pipe or a terminal is opened a
 * second time, so that only our own writes are non-blocking; a regular file gets a thread that
 * writes it; `fd` is never closed. Call before threads start. When it is the journal's (systemd
 * says so in $JOURNAL_STREAM) each line begins with its priority, <3> to <7>. */
void log_open(int fd, const struct log_options *o);
/* Other options for the same sink, at any time. */
void log_set(const struct log_options *o);
/* What waits for a slow file is given a second; then standard error, as at the start. Call after
 * threads ended. */
void log_close(void);

enum log_shape log_shape(void);
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

/* For LOG_SYSLOG: a line that is a sentence, as tools for another program's log expect it. Of its
 * bytes those that are not printable ASCII become '?'. Ends like any other. */
bool log_begin_sentence(struct log_line *l, enum severity s, const char *sentence);

uint64_t log_dropped(void);
