#pragma once
/* A thread that writes a regular file, so that nobody else waits for its disk: a write to a file
 * cannot be made non-blocking. In between is a bounded ring of bytes: what finds no room in it is
 * the caller's to count. What the file does not take (the disk is full) stays in the ring and is
 * tried again. */
#include <stdbool.h>
#include <stddef.h>

enum {
	LOG_WRITER_RING_BYTES = 4 * 1024 * 1024, /* ten thousand sessions that end at once */
	LOG_WRITER_RETRY_MS = 200,
};

struct log_writer;

/* NULL: there is no thread to be had. `fd` stays the caller's. */
struct log_writer *log_writer_start(int fd);
/* All of it, or (false) nothing for want of room. Any thread; never waits for the disk. */
bool log_writer_put(struct log_writer *w, const char *bytes, size_t n);
/* What is in the ring is given `most_ms` to get out. False: the disk stands still, the thread is
 * left to itself and frees `w` if it ever comes back. */
bool log_writer_stop(struct log_writer *w, long most_ms);
