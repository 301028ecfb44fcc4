/* Finding the command that a line means, and what every line may get: help, no such command, no
 * permission. Not here: which commands there are (command_table.c). */
#include "admin/commands.h"
#include "admin/command_table.h"
#include "admin/replies.h"
#include <string.h>

static size_t first_always_listed(void)
{
	return n_commands - COMMANDS_ALWAYS_LISTED;
}

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
	for (size_t i = 0; i < n_commands; i++) {
		if (common_words(&command_table[i], words, n_words) ==
		    count_words(&command_table[i]))
			return &command_table[i];
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
	for (size_t i = 0; i < first_always_listed(); i++)
		any = any || command_matches(&command_table[i], words, n_words);
	for (size_t i = 0; i < n_commands; i++) {
		if (!any || i >= first_always_listed() ||
		    command_matches(&command_table[i], words, n_words))
			list_command(&command_table[i], out);
	}
}

void help(const struct command_call *c)
{
	buf_puts(c->out, "The following commands are valid at this level:\n");
	list_commands(c->args, c->n_args, c->out);
}

void prompt(const struct command_call *c)
{
	c->order->type = ORDER_PROMPT;
}

void quit(const struct command_call *c)
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
