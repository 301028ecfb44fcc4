/* Which severity a reply has, in syslog's numbers, as HAProxy gives them. */
#include "admin/severity.h"
#include "admin/replies.h"
#include <stdio.h>
#include <string.h>

enum reply_severity { NO_MESSAGE, ERROR = 3, WARNING, NOTICE, INFO };

static bool begins(const char *text, const char *with)
{
	return strncmp(text, with, strlen(with)) == 0;
}

/* Replies of commands that change something, but for errors. */
static enum reply_severity milder(const char *reply)
{
	static const struct {
		const char *begin;
		enum reply_severity severity;
	} known[] = {
		{"All sockets are already ", NOTICE},
		{"Frontend was ", NOTICE},
		{"no need to change the addr", WARNING},
	};

	for (size_t i = 0; i < sizeof(known) / sizeof(known[0]); i++)
		if (begins(reply, known[i].begin))
			return known[i].severity;
	return NO_MESSAGE;
}

/* Its reply is a sentence or a help text. */
static bool is_talk(const struct command *c)
{
	static command_fn *const talks[] = {help, show_version, show_cli_level};

	for (size_t i = 0; i < sizeof(talks) / sizeof(talks[0]); i++)
		if (c->run == talks[i])
			return true;
	return false;
}

static enum reply_severity severity_of(const struct command *c, const char *reply)
{
	enum reply_severity severity = milder(reply);

	if (c == NULL)
		return INFO;
	if (severity != NO_MESSAGE)
		return severity;
	if (reply_is_error(reply))
		return ERROR;
	return is_talk(c) ? INFO : NO_MESSAGE;
}

static void insert(struct buf *out, size_t at, const char *text)
{
	size_t n = strlen(text), len = out->len;

	buf_puts(out, text); /* makes the room */
	memmove(out->data + at + n, out->data + at, len - at);
	memcpy(out->data + at, text, n);
}

void severity_mark(const struct command *c, enum severity_output how, struct buf *out, size_t at)
{
	static const char *const words[] = {
		[ERROR] = "err", [WARNING] = "warning", [NOTICE] = "notice", [INFO] = "info"};
	enum reply_severity severity;
	char mark[16];

	if (how == SEVERITY_OUTPUT_NONE || out->len == at)
		return;
	severity = severity_of(c, out->data + at);
	if (severity == NO_MESSAGE)
		return;
	if (how == SEVERITY_OUTPUT_NUMBER)
		snprintf(mark, sizeof(mark), "[%d]: ", (int)severity);
	else
		snprintf(mark, sizeof(mark), "[%s]: ", words[severity]);
	insert(out, at, mark);
}
