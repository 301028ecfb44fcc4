#pragma once
/* A row of the table of commands. For src/admin/command*.c only; others use admin/commands.h. */
#include "admin/command.h"

enum { MAX_COMMAND_WORDS = 4 };

struct command {
	/* all must match; the rest of the line are arguments */
	const char *words[MAX_COMMAND_WORDS];
	const char *usage, *help;
	enum access_level level;
	command_fn *run;
};

/* Sorted, but for the last ones, which every list ends with. */
extern const struct command command_table[];
extern const size_t n_commands;
enum { COMMANDS_ALWAYS_LISTED = 3 };

command_fn help, prompt, quit; /* commands.c */
