#pragma once
/* The commands of the stats socket. THE table is in commands.c; help, levels and the
 * unknown-command reply derive from it. Pure: facts and words in, text and an order out. */
#include "admin/facts.h"
#include "base/buf.h"

/* Run one command, already split into words. Appends the reply's text to `out`, without the empty
 * line that ends every reply (commands_end_reply). No word at all is an unknown command, as in
 * HAProxy. */
void commands_run(const struct admin_facts *f, const char *const *words, size_t n_words,
		  struct buf *out, struct admin_order *order);

/* What an operator hears of a reload: the words of whoever did it, in lines, as they are or as
 * JSON. They are cut up on the way. */
void reload_reply(struct buf *words, bool json, struct buf *out);

/* HAProxy's framing: each reply ends with one empty line, and in prompt mode with "> " after it. */
void commands_end_reply(struct buf *out, bool prompt);
