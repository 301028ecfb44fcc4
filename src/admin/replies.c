/* Error replies: their texts, and how to see one in what the server said. */
#include "admin/replies.h"
#include <string.h>

#define REPLY_TEXT(symbol, text) text,
static const char *const reply_texts[] = {REPLY_ERROR_LIST(REPLY_TEXT)};

void reply_error(struct buf *out, enum reply_error e)
{
	buf_puts(out, reply_texts[e]);
	buf_putc(out, '\n');
}

static bool line_is_error(const char *line, size_t len)
{
	static const char refused[] = "{\"" REPLY_JSON_RELOADED "\":false,";

	if (strncmp(line, refused, sizeof(refused) - 1) == 0)
		return true;
	for (size_t i = 0; i < N_REPLY_ERRORS; i++) {
		if (strcspn(reply_texts[i], "\n") == len && memcmp(line, reply_texts[i], len) == 0)
			return true;
	}
	return false;
}

bool reply_is_error(const char *reply)
{
	return line_is_error(reply, strcspn(reply, "\n"));
}

/* An error is always the first line of its reply: the first of all, or one after an empty line. */
bool reply_has_error(const char *text)
{
	bool first = true;
	while (*text) {
		size_t len = strcspn(text, "\n");
		if (first && line_is_error(text, len))
			return true;
		first = len == 0;
		text += len;
		text += *text == '\n';
	}
	return false;
}
