/* Finding the command that a line means, and what every line may get: help, no such command, no
 * permission. Not here: which commands there are (command_table.c). */
#include "admin/commands.h"
#include "admin/command_table.h"
#include "admin/replies.h"
#include "admin/severity.h"
#include "base/assert.h"
#include "base/str.h"
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

/* ---- help ---- */

enum { MOST_COMMANDS = 256 };

/* What was probably meant. */
struct near {
	size_t exact;     /* so many of the words are some command's */
	const char *next; /* the word after them of those that come nearest; NULL: none does */
};

/* The word of some command nearest to the one that is none's, among those that begin like it. */
static const char *nearest_word(const char *const *words, size_t n_words, size_t exact)
{
	const char *candidates[MOST_COMMANDS + 1];
	size_t n = 0;

	REQUIRE(n_commands <= MOST_COMMANDS);
	for (size_t i = 0; i < n_commands; i++) {
		const struct command *c = &command_table[i];

		if (exact < count_words(c) && common_words(c, words, n_words) == exact)
			candidates[n++] = c->words[exact];
	}
	candidates[n] = NULL;
	return str_nearest(words[exact], candidates);
}

static struct near find_near(const char *const *words, size_t n_words)
{
	struct near near = {0};

	for (size_t i = 0; i < n_commands; i++) {
		size_t n = common_words(&command_table[i], words, n_words);

		near.exact = n > near.exact ? n : near.exact;
	}
	if (near.exact < n_words)
		near.next = nearest_word(words, n_words, near.exact);
	return near;
}

static bool is_near(const struct command *c, const char *const *words, size_t n_words,
		    const struct near *near)
{
	if (common_words(c, words, n_words) < near->exact)
		return false;
	if (near->next == NULL)
		return near->exact > 0;
	return near->exact < count_words(c) && strcmp(c->words[near->exact], near->next) == 0;
}

static void list_command(const struct command *c, struct buf *out)
{
	buf_printf(out, "  %-40s: %s\n", c->usage, c->help);
}

/* Commands of every level are listed, as HAProxy does. Words that are near to none list all. */
static void list_commands(const char *const *words, size_t n_words, struct buf *out)
{
	struct near near = find_near(words, n_words);
	bool any = near.exact > 0 || near.next;

	for (size_t i = 0; i < n_commands; i++) {
		const struct command *c = &command_table[i];

		if (!any || i >= first_always_listed() || is_near(c, words, n_words, &near))
			list_command(c, out);
	}
}

void help(const struct command_call *c)
{
	buf_puts(c->out, "The following commands are valid at this level:\n");
	list_commands(c->args, c->n_args, c->out);
}

static void say_unknown(const char *const *words, size_t n_words, struct buf *out)
{
	struct near near = find_near(words, n_words);

	reply_error(out, near.exact > 0 || near.next ? REPLY_UNKNOWN_NEAR : REPLY_UNKNOWN);
	list_commands(words, n_words, out);
}

/* ---- running ---- */

void prompt(const struct command_call *c)
{
	c->order->type = ORDER_PROMPT;
}

void quit(const struct command_call *c)
{
	c->order->type = ORDER_QUIT;
}

static void run(const struct command *c, const struct admin_facts *f, const char *const *words,
		size_t n_words, struct buf *out, struct admin_order *order)
{
	size_t own = count_words(c);

	c->run(&(struct command_call){.facts = f,
				      .args = words + own,
				      .n_args = n_words - own,
				      .out = out,
				      .order = order});
}

void commands_run(const struct admin_facts *f, const char *const *words, size_t n_words,
		  struct buf *out, struct admin_order *order)
{
	const struct command *c = find_command(words, n_words);
	size_t at = out->len;

	*order = (struct admin_order){.type = ORDER_NONE};
	if (!c)
		say_unknown(words, n_words, out);
	else if (f->level < c->level) /* before its arguments are looked at */
		reply_error(out, REPLY_DENIED);
	else
		run(c, f, words, n_words, out, order);
	severity_mark(c, f->severity, out, at);
}

void commands_end_reply(struct buf *out, bool prompt_mode)
{
	buf_puts(out, prompt_mode ? "\n> " : "\n");
}
