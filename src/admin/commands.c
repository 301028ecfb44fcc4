/* THE table of commands: its words, what help says, the level it needs, and the function that runs
 * it. Everything else about commands derives from it. Not here: what a command answers (show_*.c,
 * set.c). */
#include "admin/commands.h"
#include "admin/command.h"
#include "admin/replies.h"
#include <string.h>

enum { MAX_COMMAND_WORDS = 4 };

struct command {
	const char
		*words[MAX_COMMAND_WORDS]; /* all must match; the rest of the line are arguments */
	const char *usage, *help;
	enum access_level level;
	command_fn *run;
};

static command_fn help, prompt, quit;

/* Sorted, but for the last three, which every list ends with. */
static const struct command commands[] = {
	{{"probe"},
	 "probe [<cluster>]",
	 "ask all nodes now, and often for a while",
	 LEVEL_OPERATOR,
	 probe},
	{{"set", "server"},
	 "set server <bk>/<srv> [opts]",
	 "change a server's state: ready, drain or maint",
	 LEVEL_ADMIN,
	 set_server},
	{{"set", "timeout"},
	 "set timeout [cli] <delay>",
	 "change a timeout setting",
	 LEVEL_USER,
	 set_timeout},
	{{"show", "clusters"},
	 "show clusters",
	 "report each cluster's primary and nodes, and why",
	 LEVEL_USER,
	 show_clusters},
	{{"show", "events"},
	 "show events",
	 "report the last failovers and how long each phase took",
	 LEVEL_OPERATOR,
	 show_events},
	{{"show", "info"},
	 "show info",
	 "report information about the running process",
	 LEVEL_USER,
	 show_info},
	{{"show", "sess"},
	 "show sess",
	 "report the list of current sessions",
	 LEVEL_OPERATOR,
	 show_sess},
	{{"show", "stat"},
	 "show stat [<proxy> <type> <sid>]",
	 "report counters for each proxy and server",
	 LEVEL_USER,
	 show_stat},
	{{"show", "version"},
	 "show version",
	 "show version of the current process",
	 LEVEL_USER,
	 show_version},
	{{"show", "workers"},
	 "show workers",
	 "report what each worker thread carries, and its turns",
	 LEVEL_USER,
	 show_workers},
	{{"shutdown", "sessions", "server"},
	 "shutdown sessions server <bk>/<srv>",
	 "kill sessions on a server",
	 LEVEL_ADMIN,
	 shutdown_sessions_server},
	{{"help"}, "help [<command>]", "list matching or all commands", LEVEL_USER, help},
	{{"prompt"}, "prompt", "toggle interactive mode with prompt", LEVEL_USER, prompt},
	{{"quit"}, "quit", "disconnect", LEVEL_USER, quit},
};

enum { N_COMMANDS = sizeof(commands) / sizeof(commands[0]), FIRST_ALWAYS_LISTED = N_COMMANDS - 3 };

static size_t count_words(const struct command *c)
{
	size_t n = 0;
	while (n < MAX_COMMAND_WORDS && c->words[n])
		n++;
	return n;
}

/* How many leading words are the command's: exact, no abbreviations, as in HAProxy. */
static size_t common_words(const struct command *c, const char *const *words, size_t n_words)
{
	size_t n = 0;
	while (n < n_words && n < count_words(c) && strcmp(c->words[n], words[n]) == 0)
		n++;
	return n;
}

static const struct command *find_command(const char *const *words, size_t n_words)
{
	for (size_t i = 0; i < N_COMMANDS; i++) {
		if (common_words(&commands[i], words, n_words) == count_words(&commands[i]))
			return &commands[i];
	}
	return NULL;
}

/* Does a command start with all of these words, as far as it has so many? */
static bool command_matches(const struct command *c, const char *const *words, size_t n_words)
{
	size_t n = n_words < count_words(c) ? n_words : count_words(c);
	return common_words(c, words, n_words) == n;
}

static void list_command(const struct command *c, struct buf *out)
{
	buf_printf(out, "  %-40s: %s\n", c->usage, c->help);
}

/* Commands of every level are listed, as HAProxy does. Words that match nothing list all. */
static void list_commands(const char *const *words, size_t n_words, struct buf *out)
{
	bool any = false;
	for (size_t i = 0; i < FIRST_ALWAYS_LISTED; i++)
		any = any || command_matches(&commands[i], words, n_words);
	for (size_t i = 0; i < N_COMMANDS; i++) {
		if (!any || i >= FIRST_ALWAYS_LISTED ||
		    command_matches(&commands[i], words, n_words))
			list_command(&commands[i], out);
	}
}

static void help(const struct command_call *c)
{
	buf_puts(c->out, "The following commands are valid at this level:\n");
	list_commands(c->args, c->n_args, c->out);
}

static void prompt(const struct command_call *c)
{
	c->order->type = ORDER_PROMPT;
}

static void quit(const struct command_call *c)
{
	c->order->type = ORDER_QUIT;
}

void commands_run(const struct admin_facts *f, const char *const *words, size_t n_words,
		  struct buf *out, struct admin_order *order)
{
	*order = (struct admin_order){.type = ORDER_NONE};
	const struct command *c = find_command(words, n_words);
	if (!c) {
		reply_error(out, REPLY_UNKNOWN);
		list_commands(NULL, 0, out);
	} else if (f->level < c->level) {
		reply_error(out, REPLY_DENIED);
	} else {
		size_t own = count_words(c);
		c->run(&(struct command_call){.facts = f,
					      .args = words + own,
					      .n_args = n_words - own,
					      .out = out,
					      .order = order});
	}
}

void commands_end_reply(struct buf *out, bool prompt_mode)
{
	buf_puts(out, prompt_mode ? "\n> " : "\n");
}
