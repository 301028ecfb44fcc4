#pragma once
/* The operator's terminal: raw keys in, whole frames out, and as it was again at every end of the
 * process but SIGKILL: exit(), a fatal signal and an assertion included. One per process.
 *
 * Frames never block: the terminal is opened anew for us, so that it does not become non-blocking
 * for the shell. Where that is not allowed (after `su`, in some containers) it is used as it was
 * given, and a stalled terminal stalls its reader, who is the only one that it harms. */
#include <stdbool.h>
#include <stddef.h>
#include <sys/types.h>

struct terminal;

/* Both standard input and output are terminals. */
bool terminal_is_there(void);
/* Raw keys, the other screen, no cursor. `escapes`: false for terminals that know no escape codes.
 * 0 or -errno, with nothing changed. */
int terminal_open(struct terminal **t, bool escapes);
/* As it was before; the frame that is under way is dropped. */
void terminal_close(struct terminal *t);
/* For a while, as on Ctrl-Z: as it was before, and later ours again. */
void terminal_leave(struct terminal *t);
int terminal_enter(struct terminal *t);

/* Columns and rows; 80x24 where the kernel knows none. */
void terminal_size(const struct terminal *t, unsigned *columns, unsigned *rows);
/* The size of standard output, or 0 and 0: it is no terminal. */
void terminal_output_size(unsigned *columns, unsigned *rows);

/* The descriptor to be polled, for keys and, after a 1 of terminal_show, for room. */
int terminal_descriptor(const struct terminal *t);
/* Bytes read, 0: none now, -errno (-EIO: it was hung up). */
ssize_t terminal_read(struct terminal *t, char *bytes, size_t n);
/* One frame in one write where the terminal takes it. 0: all of it; 1: it is under way, call
 * terminal_flush when the descriptor is writable and give no other frame until then; or -errno. */
int terminal_show(struct terminal *t, const char *frame, size_t n);
int terminal_flush(struct terminal *t);
