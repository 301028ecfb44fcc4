#pragma once
/* A line of HAProxy's command language into words. Pure, in place on the caller's line.
 * As HAProxy 2.6: `;` ends a command, blanks separate words, a backslash takes the meaning from the
 * next byte and goes away; there are no quotes. Not here: what the words mean, line ends and
 * prompts. */
#include <stdbool.h>

enum { CLI_MAX_WORDS = 64 }; /* HAProxy's MAX_CLI_ARGS; what follows is not looked at */

struct cli_command {
	unsigned n_words; /* 0: an empty command ("a;" is two, the second one empty) */
	char *words[CLI_MAX_WORDS + 1]; /* into the line; words[n_words] is NULL */
};

/* Does the line end with "<<"? Then that is cut off, and lines of payload follow, up to an empty
 * one. */
bool cli_take_payload(char *line);

/* Take the first command off *rest. `*rest` is then what follows its `;`, or NULL after the last.
 * Returns false when *rest was NULL: no command is left. A line holds at least one, maybe empty. */
bool cli_next_command(char **rest, struct cli_command *c);
