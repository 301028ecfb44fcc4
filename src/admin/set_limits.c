/* Limits of sessions and of how many come in a second, and `clear counters`. Numbers are read more
 * strictly than HAProxy reads them ("10x" is 10 there): nobody means that. */
#include "admin/replies.h"
#include "admin/take.h"
#include "base/str.h"
#include <string.h>

/* ---- maxconn ---- */

static bool is_negative(const char *text)
{
	uint64_t n;

	return text[0] == '-' && str_to_uint(text + 1, 0, UINT32_MAX, &n) == 0;
}

/* A number, 0 .. GAUGE_UNLIMITED - 1, as argument `at`. */
static bool take_number(const struct command_call *c, size_t at, enum reply_error none)
{
	uint64_t n;
	int rc = str_to_uint(take_word(c, at), 0, GAUGE_UNLIMITED - 1, &n);

	if (rc < 0) {
		bool range = is_negative(take_word(c, at)) ||
			     (*take_word(c, at) &&
			      strspn(take_word(c, at), "0123456789") == strlen(take_word(c, at)));

		reply_error(c->out, range ? REPLY_RANGE : none);
		return false;
	}
	c->order->value = (unsigned)n;
	return true;
}

/* 0: nobody comes in. */
void set_maxconn_frontend(const struct command_call *c)
{
	if (take_frontend(c, 0) && take_number(c, 1, REPLY_INTEGER))
		c->order->type = ORDER_MAXCONN_LISTENER;
}

/* 0: no limit. */
void set_maxconn_server(const struct command_call *c)
{
	if (!take_server(c, 0))
		return;
	if (!*take_word(c, 1)) {
		reply_error(c->out, REPLY_REQUIRE_MAXCONN);
	} else if (take_number(c, 1, REPLY_BAD_MAXCONN)) {
		c->order->type = ORDER_MAXCONN_SERVER;
		if (c->order->value == 0)
			c->order->value = GAUGE_UNLIMITED;
	}
}

/* 0: as at the start, which is also the most: descriptors and memory were reckoned with it. */
void set_maxconn_global(const struct command_call *c)
{
	unsigned most = c->facts->config->maxconn;

	if (!take_number(c, 0, REPLY_NO_INTEGER))
		return;
	if (c->order->value > most) {
		reply_error(c->out, REPLY_RANGE);
		return;
	}
	c->order->type = ORDER_MAXCONN;
	if (c->order->value == 0)
		c->order->value = most;
}

/* ---- the rate ---- */

static int rate_parse(const char *word)
{
	static const char *const words[N_RATE_KINDS] = {
		[RATE_CONNECTIONS] = "connections", [RATE_SESSIONS] = "sessions"};

	for (int i = 0; i < N_RATE_KINDS; i++)
		if (strcmp(words[i], word) == 0)
			return i;
	return -1;
}

/* TLS is the servers' own and compression is HTTP's: there is no rate of them here to limit. */
static bool is_foreign_rate(const char *word)
{
	return strcmp(word, "ssl-sessions") == 0 || strcmp(word, "http-compression") == 0;
}

void set_rate_limit(const struct command_call *c)
{
	int rate = rate_parse(take_word(c, 0));
	bool foreign = is_foreign_rate(take_word(c, 0));

	if ((rate < 0 && !foreign) || strcmp(take_word(c, 1), "global") != 0) {
		reply_error(c->out, REPLY_SET_RATE);
		return;
	}
	if (!take_number(c, 2, REPLY_NO_INTEGER))
		return;
	if (foreign && c->order->value > 0) {
		reply_error(c->out, REPLY_FOREIGN_RATE);
	} else if (!foreign) {
		c->order->type = ORDER_RATE;
		c->order->rate = (enum rate_kind)rate;
	}
}

/* ---- counters ---- */

void clear_counters(const struct command_call *c)
{
	bool all = strcmp(take_word(c, 0), "all") == 0;

	if (all && c->facts->level < LEVEL_ADMIN)
		reply_error(c->out, REPLY_DENIED);
	else
		c->order->type = all ? ORDER_CLEAR_ALL : ORDER_CLEAR_MAXIMA;
}
