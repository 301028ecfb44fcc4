/* Commands that change a server: `set server`, `set weight`, and the older words for the same.
 * Nothing here can let a member into a listener whose role it does not have: what would is refused
 * with the reason. Addresses are the configuration's. Not here: the change itself. */
#include "admin/replies.h"
#include "admin/take.h"
#include "base/str.h"
#include <limits.h>
#include <stdlib.h>
#include <string.h>

enum { WEIGHT_MOST = 256 };

static void order_state(const struct command_call *c, enum admin_state state)
{
	c->order->type = ORDER_SET_SERVER;
	c->order->state = state;
}

/* ---- weight ---- */

static const struct member_config *member_of(const struct command_call *c)
{
	const struct config *config = c->facts->config;
	const struct listener_config *l = &config->listeners[c->order->listener];

	return &config->members[config_listener_cluster(config, l)->first_member +
				c->order->server];
}

/* "n%" is of the configured weight, not of the one in force. */
static long weight_of(const struct command_call *c, long n, bool percent)
{
	long weight;

	if (!percent)
		return n;
	if (n > WEIGHT_MOST * 100L)
		return WEIGHT_MOST;
	weight = (long)member_of(c)->weight * n / 100;
	return weight < WEIGHT_MOST ? weight : WEIGHT_MOST;
}

static void take_weight(const struct command_call *c, const char *text)
{
	char *end;
	long n = strtol(text, &end, 10);
	bool percent = *end == '%';

	if (*text == '\0')
		reply_error(c->out, REPLY_REQUIRE_WEIGHT);
	else if (end == text)
		reply_error(c->out, REPLY_BAD_WEIGHT);
	else if (end[percent] != '\0')
		reply_error(c->out, REPLY_WEIGHT_GARBAGE);
	else if (percent && n < 0)
		reply_error(c->out, REPLY_WEIGHT_NEGATIVE);
	else if (n < 0 || weight_of(c, n, percent) > WEIGHT_MOST)
		reply_error(c->out, REPLY_WEIGHT_RANGE);
	else {
		c->order->type = ORDER_WEIGHT;
		c->order->value = (unsigned)weight_of(c, n, percent);
	}
}

void set_weight(const struct command_call *c)
{
	if (take_server(c, 0))
		take_weight(c, take_word(c, 1));
}

static void set_server_weight(const struct command_call *c)
{
	take_weight(c, take_word(c, 2));
}

/* ---- state and health ---- */

static void set_server_state(const struct command_call *c)
{
	int state = admin_state_parse(take_word(c, 2));

	if (state < 0)
		reply_error(c->out, REPLY_SET_STATE);
	else
		order_state(c, (enum admin_state)state);
}

static void set_server_health(const struct command_call *c)
{
	int health = health_order_parse(take_word(c, 2));

	if (health < 0) {
		reply_error(c->out, REPLY_SET_HEALTH);
	} else if (health == HEALTH_AS_ANSWERED) {
		reply_error(c->out, REPLY_HEALTH_UP);
	} else {
		c->order->type = ORDER_HEALTH;
		c->order->health = (enum health_order)health;
	}
}

/* ---- addresses: only said to be as they are ---- */

static const char *address_of(const struct command_call *c)
{
	const struct view *v = c->facts->view;
	const char *ip = v ? v->listeners[c->order->listener].servers[c->order->server].ip : "";

	return *ip ? ip : member_of(c)->host;
}

/* haproxyadmin and others send the address they believe in; when it is right they are told so. */
static void set_server_addr(const struct command_call *c)
{
	bool with_port = strcmp(take_word(c, 3), "port") == 0;
	uint64_t port = member_of(c)->port;

	if (!*take_word(c, 2)) {
		reply_error(c->out, REPLY_REQUIRE_ADDR);
	} else if (strcmp(take_word(c, 2), address_of(c)) != 0 ||
		   (with_port && (str_to_uint(take_word(c, 4), 0, UINT16_MAX, &port) < 0 ||
				  port != member_of(c)->port))) {
		reply_error(c->out, REPLY_FIXED_ADDR);
	} else {
		buf_puts(c->out, "no need to change the addr");
		if (with_port)
			buf_puts(c->out, ", no need to change the port");
		buf_puts(c->out, " by 'stats socket command'\n");
	}
}

static void refuse_setting(const struct command_call *c, enum reply_error without,
			   enum reply_error with)
{
	reply_error(c->out, *take_word(c, 2) ? with : without);
}

static void set_server_check_addr(const struct command_call *c)
{
	refuse_setting(c, REPLY_REQUIRE_CHECK_ADDR, REPLY_FIXED_ADDR);
}

static void set_server_check_port(const struct command_call *c)
{
	refuse_setting(c, REPLY_REQUIRE_CHECK_PORT, REPLY_FIXED_ADDR);
}

static void set_server_fqdn(const struct command_call *c)
{
	refuse_setting(c, REPLY_REQUIRE_FQDN, REPLY_FIXED_ADDR);
}

static void set_server_ssl(const struct command_call *c)
{
	reply_error(c->out, REPLY_SET_SSL);
}

/* ---- agents: there are none ---- */

static void set_server_agent(const struct command_call *c)
{
	reply_error(c->out, REPLY_NO_AGENT);
}

static void set_server_agent_addr(const struct command_call *c)
{
	refuse_setting(c, REPLY_REQUIRE_AGENT_ADDR, REPLY_NO_AGENT);
}

static void set_server_agent_port(const struct command_call *c)
{
	refuse_setting(c, REPLY_REQUIRE_AGENT_PORT, REPLY_NO_AGENT);
}

/* ---- the commands ---- */

static const struct {
	const char *word;
	command_fn *run;
} settings[] = {
	{"addr", set_server_addr},
	{"agent", set_server_agent},
	{"agent-addr", set_server_agent_addr},
	{"agent-port", set_server_agent_port},
	{"agent-send", set_server_agent},
	{"check-addr", set_server_check_addr},
	{"check-port", set_server_check_port},
	{"fqdn", set_server_fqdn},
	{"health", set_server_health},
	{"ssl", set_server_ssl},
	{"state", set_server_state},
	{"weight", set_server_weight},
};

void set_server(const struct command_call *c)
{
	if (!take_server(c, 0))
		return;
	for (size_t i = 0; i < sizeof(settings) / sizeof(settings[0]); i++)
		if (strcmp(settings[i].word, take_word(c, 1)) == 0) {
			settings[i].run(c);
			return;
		}
	reply_error(c->out, REPLY_SET_SERVER);
}

void enable_server(const struct command_call *c)
{
	if (take_server(c, 0))
		order_state(c, ADMIN_READY);
}

void disable_server(const struct command_call *c)
{
	if (take_server(c, 0))
		order_state(c, ADMIN_MAINT);
}

/* They are never off. */
void enable_health(const struct command_call *c)
{
	(void)take_server(c, 0);
}

void disable_health(const struct command_call *c)
{
	if (take_server(c, 0))
		reply_error(c->out, REPLY_HEALTH_OFF);
}

void enable_agent(const struct command_call *c)
{
	if (take_server(c, 0))
		reply_error(c->out, REPLY_ENABLE_AGENT);
}

void disable_agent(const struct command_call *c)
{
	(void)take_server(c, 0);
}
