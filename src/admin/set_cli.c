/* What an operator sets for its own connection: how long it may be silent, how replies say that
 * they are errors, and less rights than its socket gives. */
#include "admin/replies.h"
#include "admin/take.h"
#include "base/str.h"
#include <limits.h>
#include <string.h>

/* A number without a unit is in seconds, as in HAProxy. */
static int parse_timeout(const char *text, int64_t *ms)
{
	uint64_t seconds;

	if (str_to_uint(text, 1, INT_MAX / 1000, &seconds) == 0) {
		*ms = (int64_t)seconds * 1000;
		return 0;
	}
	int rc = str_to_duration_ms(text, ms);
	return rc < 0 || *ms < 1 || *ms > INT_MAX ? -1 : 0;
}

void set_timeout(const struct command_call *c)
{
	if (strcmp(take_word(c, 0), "cli") != 0)
		reply_error(c->out, REPLY_SET_TIMEOUT);
	else if (!*take_word(c, 1))
		reply_error(c->out, REPLY_NO_INTEGER);
	else if (parse_timeout(c->args[1], &c->order->timeout_ms) < 0)
		reply_error(c->out, REPLY_BAD_TIMEOUT);
	else
		c->order->type = ORDER_TIMEOUT;
}

void set_severity_output(const struct command_call *c)
{
	static const char *const words[] = {[SEVERITY_OUTPUT_NONE] = "none",
					    [SEVERITY_OUTPUT_NUMBER] = "number",
					    [SEVERITY_OUTPUT_STRING] = "string"};

	for (unsigned i = 0; i < sizeof(words) / sizeof(words[0]); i++)
		if (strcmp(words[i], take_word(c, 0)) == 0) {
			c->order->type = ORDER_SEVERITY;
			c->order->severity = (enum severity_output)i;
			return;
		}
	reply_error(c->out, REPLY_SET_SEVERITY);
}

/* Who may run these has that level or a higher one: it is never raised. */
void lower_to_operator(const struct command_call *c)
{
	c->order->type = ORDER_LEVEL;
	c->order->level = LEVEL_OPERATOR;
}

void lower_to_user(const struct command_call *c)
{
	c->order->type = ORDER_LEVEL;
	c->order->level = LEVEL_USER;
}
