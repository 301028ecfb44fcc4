/* `reload`: the configuration file was edited. Not here: reading it, and what comes of it; the
 * caller does that, and has its words in lines. */
#include "admin/command.h"
#include "admin/commands.h"
#include "admin/replies.h"
#include "wire/json_out.h"
#include <string.h>

void reload(const struct command_call *c)
{
	c->order->type = ORDER_RELOAD;
	c->order->json = c->n_args > 0 && strcmp(c->args[0], "json") == 0;
}

static void put_lines(struct json_out *j, char *lines)
{
	for (char *line = strsep(&lines, "\n"); line; line = strsep(&lines, "\n"))
		if (*line)
			json_out_str(j, NULL, line);
}

/* The first line says how it went, each further one a change or a reason. */
void reload_reply(struct buf *words, bool json, struct buf *out)
{
	bool failed = reply_is_error(words->data);
	struct json_out j;

	if (!json) {
		buf_append(out, words->data, words->len);
		return;
	}
	json_out_init(&j, out);
	json_out_object(&j, NULL);
	json_out_bool(&j, REPLY_JSON_RELOADED, !failed);
	json_out_array(&j, failed ? "reasons" : "changes");
	put_lines(&j, words->data + strcspn(words->data, "\n"));
	json_out_end(&j);
	json_out_end(&j);
	buf_putc(out, '\n');
}
