/* Commands that change something: their arguments, checked in HAProxy's order and with its words.
 * Not here: the change itself; the order says what the caller is to do. */
#include "admin/command.h"
#include "admin/replies.h"
#include "admin/stat_row.h"
#include "base/str.h"
#include <limits.h>
#include <string.h>

/* A name of `len` bytes, or its id written "#id" with the first id being `first_id`. -1: none. */
static long find_named(const char *text, size_t len, unsigned first_id, size_t n,
		       const char *(*name)(const void *arg, size_t i), const void *arg)
{
	for (size_t i = 0; i < n; i++) {
		const char *candidate = name(arg, i);
		if (strlen(candidate) == len && memcmp(candidate, text, len) == 0)
			return (long)i;
	}
	char digits[24] = "";
	uint64_t id;
	if (len < 2 || len > sizeof(digits) || text[0] != '#')
		return -1;
	memcpy(digits, text + 1, len - 1);
	if (str_to_uint(digits, first_id, UINT_MAX, &id) < 0 || id - first_id >= n)
		return -1;
	return (long)(id - first_id);
}

static const char *listener_name(const void *config, size_t i)
{
	return ((const struct config *)config)->listeners[i].name;
}

static const char *member_name(const void *members, size_t i)
{
	return ((const struct member_config *)members)[i].name;
}

/* "listener/server" into the order. On failure the reply is written. */
static bool take_server(const struct command_call *c)
{
	const struct config *config = c->facts->config;
	const char *text = c->n_args ? c->args[0] : "";
	const char *slash = strchr(text, '/');
	if (!slash) {
		reply_error(c->out, REPLY_REQUIRE_SERVER);
		return false;
	}
	long listener = find_named(text, (size_t)(slash - text), STAT_FIRST_IID,
				   config->n_listeners, listener_name, config);
	if (listener < 0) {
		reply_error(c->out, REPLY_NO_BACKEND);
		return false;
	}
	const struct cluster_config *cluster =
		config_listener_cluster(config, &config->listeners[listener]);
	long server = find_named(slash + 1, strlen(slash + 1), STAT_FIRST_SID, cluster->n_members,
				 member_name, &config->members[cluster->first_member]);
	if (server < 0) {
		reply_error(c->out, REPLY_NO_SERVER);
		return false;
	}
	c->order->listener = (unsigned)listener;
	c->order->server = (unsigned)server;
	return true;
}

void set_server(const struct command_call *c)
{
	if (!take_server(c))
		return;
	if (c->n_args < 2 || strcmp(c->args[1], "state") != 0) {
		reply_error(c->out, REPLY_SET_SERVER);
		return;
	}
	int state = c->n_args > 2 ? admin_state_parse(c->args[2]) : -1;
	if (state < 0) {
		reply_error(c->out, REPLY_SET_STATE);
		return;
	}
	c->order->type = ORDER_SET_SERVER;
	c->order->state = (enum admin_state)state;
}

void shutdown_sessions_server(const struct command_call *c)
{
	if (take_server(c))
		c->order->type = ORDER_SHUTDOWN_SERVER;
}

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
	if (c->n_args < 1 || strcmp(c->args[0], "cli") != 0) {
		reply_error(c->out, REPLY_SET_TIMEOUT);
	} else if (c->n_args < 2) {
		reply_error(c->out, REPLY_NO_INTEGER);
	} else if (parse_timeout(c->args[1], &c->order->timeout_ms) < 0) {
		reply_error(c->out, REPLY_BAD_TIMEOUT);
	} else {
		c->order->type = ORDER_TIMEOUT;
	}
}
