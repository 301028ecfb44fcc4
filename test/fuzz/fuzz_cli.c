/* Any text as a command line. Besides the sanitizers:
 * words stay inside the line, within the bound and without unescaped blanks; written anew with
 * every byte escaped they are read the same; a line ends after as many commands as it has
 * separators, and one. */
#include "base/assert.h"
#include "base/buf.h"
#include "wire/cli_parse.h"
#include "wire/csv.h"
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

/* Nothing but the mark is cut off, from a copy. */
static void check_payload(const char *line)
{
	size_t len = strlen(line);
	char *copy = strdup(line);
	bool taken;

	INSIST(copy != NULL);
	taken = cli_take_payload(copy);
	INSIST(strlen(copy) + (taken ? 2 : 0) == len && memcmp(copy, line, strlen(copy)) == 0);
	free(copy);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static void write_escaped(struct buf *b, const char *word)
{
	for (; *word; word++) {
		buf_putc(b, '\\');
		buf_putc(b, *word);
	}
	buf_putc(b, ' ');
}

/* An empty word ("\" at the end of a line) has no other spelling: such commands are not written
 * anew. */
static int has_empty_word(const struct cli_command *c)
{
	for (unsigned i = 0; i < c->n_words; i++)
		if (c->words[i][0] == '\0')
			return 1;
	return 0;
}

static void check_rereads_equal(const struct cli_command *c)
{
	struct buf b = {0};
	struct cli_command again;
	char *rest;

	buf_puts(&b, "");
	for (unsigned i = 0; i < c->n_words; i++)
		write_escaped(&b, c->words[i]);
	rest = b.data;
	INSIST(cli_next_command(&rest, &again) && rest == NULL);
	INSIST(again.n_words == c->n_words);
	for (unsigned i = 0; i < c->n_words; i++)
		INSIST(strcmp(again.words[i], c->words[i]) == 0);
	buf_fini(&b);
}

static void check_command(const struct cli_command *c, const char *line, size_t size)
{
	INSIST(c->n_words <= CLI_MAX_WORDS && c->words[c->n_words] == NULL);
	for (unsigned i = 0; i < c->n_words; i++) {
		INSIST(c->words[i] >= line && c->words[i] + strlen(c->words[i]) <= line + size);
		INSIST(i == 0 || c->words[i] > c->words[i - 1]);
	}
	if (!has_empty_word(c))
		check_rereads_equal(c);
}

/* A cell reads back as what was written (RFC 4180). */
static void check_csv(const char *cell)
{
	struct buf b = {0};
	size_t at = 0;
	int quoted;

	csv_append_cell(&b, cell);
	quoted = b.data != NULL && b.data[0] == '"';
	INSIST(quoted == (cell[strcspn(cell, ",\"\r\n")] != '\0'));
	at += (size_t)quoted;
	for (const char *p = cell; *p; p++) {
		INSIST(b.data[at] == *p);
		at += *p == '"' ? 2 : 1;
	}
	INSIST(b.len == at + (size_t)quoted);
	buf_fini(&b);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	char *line = malloc(size + 1), *rest = line;
	size_t separators = 0, commands = 0;
	struct cli_command c;

	INSIST(line != NULL);
	memcpy(line, data, size);
	line[size] = '\0';
	check_csv(line);
	check_payload(line);
	for (const char *p = line; *p; p++) {
		if (*p == '\\' && p[1])
			p++;
		else
			separators += *p == ';';
	}
	for (; cli_next_command(&rest, &c); commands++)
		check_command(&c, line, size);
	INSIST(commands == separators + 1);
	free(line);
	return 0;
}
