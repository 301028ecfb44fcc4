#pragma once
/* Replies that say what they are: "[3]: No such server." (`set severity-output`). Tables are not
 * messages and say nothing. */
#include "admin/command_table.h"

/* The reply of `c` (NULL: there is no such command) begins at `at`. */
void severity_mark(const struct command *c, enum severity_output how, struct buf *out, size_t at);
