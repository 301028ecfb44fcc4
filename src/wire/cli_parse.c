/* HAProxy's command language: commands, words, backslashes. Two passes over the same bytes, as
 * there: first the end of the command (an escaped `;` is none), then its words, unescaped where
 * they lie. Not here: what a command does (admin/). */
#include "wire/cli_parse.h"
#include <stddef.h>
#include <string.h>

/* The next byte of `stops` that no backslash precedes, or the end of the string. */
static char *find_unescaped(char *p, const char *stops)
{
	for (; *p; p++) {
		if (*p == '\\' && p[1])
			p++;
		else if (strchr(stops, *p))
			break;
	}
	return p;
}

/* A backslash at the very end escapes nothing and vanishes. */
static void unescape(char *word)
{
	char *to = word;

	for (const char *from = word; *from; from++) {
		if (*from == '\\' && *++from == '\0')
			break;
		*to++ = *from;
	}
	*to = '\0';
}

static void split_words(char *p, struct cli_command *c)
{
	c->n_words = 0;
	for (p += strspn(p, " \t"); *p && c->n_words < CLI_MAX_WORDS; p += strspn(p, " \t")) {
		char *end = find_unescaped(p, " \t");

		c->words[c->n_words++] = p;
		p = *end ? end + 1 : end;
		*end = '\0';
		unescape(c->words[c->n_words - 1]);
	}
	c->words[c->n_words] = NULL;
}

bool cli_take_payload(char *line)
{
	size_t len = strlen(line);

	if (len < 2 || strcmp(line + len - 2, "<<") != 0)
		return false;
	line[len - 2] = '\0';
	return true;
}

bool cli_next_command(char **rest, struct cli_command *c)
{
	char *command = *rest, *end;

	if (command == NULL)
		return false;
	end = find_unescaped(command, ";");
	*rest = *end ? end + 1 : NULL;
	*end = '\0';
	split_words(command, c);
	return true;
}
