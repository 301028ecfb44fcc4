#pragma once
/* `isari top [-s SOCKET] [-d SECONDS] [-1]` */
#include "base/addr.h"
#include "wire/top_model.h"

/* argv[0] is "top". Returns the exit code: 0, 1 (no isari, or not allowed), 2 (usage). */
int top_main(int argc, char **argv);

/* What is asked at each turn, and what one of its replies says. Not a model of isari's: -EBADMSG.
 */
#define TOP_QUESTION "show clusters json;show events json;show info"
enum { TOP_QUESTIONS = 3 };
int top_take_reply(struct top_model *m, unsigned question, const char *reply, size_t len);

/* The live view, until the operator leaves. `m` is the first reading, of `read_ms`, and is
 * released. Returns the exit code. */
int top_live(const struct addr *a, int64_t delay_ms, struct top_model *m, int64_t read_ms);
