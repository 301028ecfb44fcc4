/* Every key that may differ between two configurations: how its value reads in the file, and
 * whether a running process can take another one. Adding a key is one row in the table of its
 * section. */
#include "core/config_values.h"
#include <string.h>

/* ---- how values read ---- */

static const void *at(const struct value *v, const void *base)
{
	return (const char *)base + v->offset;
}

static void say_count(const struct value *v, const void *base, struct buf *out)
{
	buf_printf(out, "%u", *(const unsigned *)at(v, base));
}

/* 0 stands for none. */
static void say_limit(const struct value *v, const void *base, struct buf *out)
{
	unsigned n = *(const unsigned *)at(v, base);

	if (n > 0)
		buf_printf(out, "%u", n);
	else
		buf_puts(out, "null");
}

static void say_threads(const struct value *v, const void *base, struct buf *out)
{
	unsigned n = *(const unsigned *)at(v, base);

	if (n > 0)
		buf_printf(out, "%u", n);
	else
		buf_puts(out, "auto");
}

static void say_port(const struct value *v, const void *base, struct buf *out)
{
	buf_printf(out, "%u", *(const uint16_t *)at(v, base));
}

/* In the largest unit that keeps it whole. */
static void say_ms(const struct value *v, const void *base, struct buf *out)
{
	long long ms = *(const int64_t *)at(v, base);

	if (ms == 0)
		buf_puts(out, "0");
	else if (ms % 60000 == 0)
		buf_printf(out, "%lldm", ms / 60000);
	else if (ms % 1000 == 0)
		buf_printf(out, "%llds", ms / 1000);
	else
		buf_printf(out, "%lldms", ms);
}

static void say_us(const struct value *v, const void *base, struct buf *out)
{
	long long us = *(const int64_t *)at(v, base);

	buf_printf(out, us ? "%lldus" : "%lld", us);
}

static void say_text(const struct value *v, const void *base, struct buf *out)
{
	const char *text = *(const char *const *)at(v, base);

	buf_puts(out, text ? text : "null");
}

static void say_flag(const struct value *v, const void *base, struct buf *out)
{
	buf_puts(out, *(const bool *)at(v, base) ? "true" : "false");
}

/* Of an enum, which is an unsigned for our compilers. */
static void say_word(const struct value *v, const void *base, struct buf *out)
{
	unsigned word;

	memcpy(&word, at(v, base), sizeof(word));
	buf_puts(out, v->words[word]);
}

static void say_roles(const struct value *v, const void *base, struct buf *out)
{
	unsigned roles = *(const unsigned *)at(v, base);
	const char *comma = "";

	for (unsigned r = 0; r < N_ROLES; r++) {
		if (!(roles & ROLE_BIT(r)))
			continue;
		buf_printf(out, "%s%s", comma, role_name((enum role)r));
		comma = ", ";
	}
}

static void say_addr(const struct addr *a, struct buf *out)
{
	char text[sizeof(a->host) + 16];

	buf_puts(out, addr_format(a, text, sizeof(text)));
}

static void say_binds(const struct value *v, const void *base, struct buf *out)
{
	const struct listener_config *l = base;

	(void)v;
	for (size_t i = 0; i < l->n_binds; i++) {
		if (i > 0)
			buf_puts(out, ", ");
		say_addr(&l->binds[i], out);
	}
}

static void say_max_lag(const struct value *v, const void *base, struct buf *out)
{
	const struct listener_config *l = base;

	(void)v;
	if (l->has_max_lag)
		buf_printf(out, "%llu", (unsigned long long)l->max_lag_bytes);
	else
		buf_puts(out, "null");
}

static void say_rest(const struct value *v, const void *base, struct buf *out)
{
	const struct member_config *m = base;
	const struct addr a = {.kind = ADDR_TCP, .port = m->rest_port};
	struct addr named = a;

	(void)v;
	strncpy(named.host, m->rest_host, sizeof(named.host) - 1);
	buf_puts(out, m->rest_tls ? "https://" : "http://");
	say_addr(&named, out);
}

static void say_sql(const struct value *v, const void *base, struct buf *out)
{
	const struct sql_config *sql = at(v, base);

	if (!sql->wanted) {
		buf_puts(out, "null");
		return;
	}
	buf_printf(out, "{user: %s, dbname: %s, passfile: %s, sslmode: %s}", sql->user, sql->dbname,
		   sql->passfile ? sql->passfile : "null", sql->sslmode ? sql->sslmode : "null");
}

static void say_http(const struct value *v, const void *base, struct buf *out)
{
	const struct config *c = base;

	(void)v;
	if (c->http.wanted)
		say_addr(&c->http.addr, out);
	else
		buf_puts(out, "null");
}

static void say_mode(const struct value *v, const void *base, struct buf *out)
{
	buf_printf(out, "%04o", *(const unsigned *)at(v, base));
}

/* The value is the name itself. */
static void say_name(const struct value *v, const void *base, struct buf *out)
{
	(void)v;
	buf_puts(out, base);
}

/* ---- the keys ---- */

static const char *const balances[] = {"roundrobin", "leastconn", "random"};
static const char *const policies[] = {"close", "keep"};
static const char *const fallbacks[] = {"null", "primary"};
static const char *const protocols[] = {"postgresql", "tcp"};
static const char *const levels[] = {"user", "operator", "admin"};
static const char *const log_levels[] = {"debug", "info", "warning", "error"};
static const char *const log_formats[] = {"text", "json", "haproxy-tcp"};

#define VALUE(name, sayer, type, field, ...)                                                \
	{                                                                                   \
		.key = (name), .say = (sayer), .offset = offsetof(type, field), __VA_ARGS__ \
	}
#define WHOLE(name, sayer, ...)                            \
	{                                                  \
		.key = (name), .say = (sayer), __VA_ARGS__ \
	}
#define CLUSTER(name, sayer, ...) VALUE(name, sayer, struct cluster_config, __VA_ARGS__)

const struct value config_cluster_values[] = {
	CLUSTER("scope", say_text, scope),
	CLUSTER("probe.interval", say_ms, probe.interval_ms),
	CLUSTER("probe.fast_interval", say_ms, probe.fast_interval_ms),
	CLUSTER("probe.timeout", say_ms, probe.timeout_ms),
	CLUSTER("probe.fall", say_count, probe.fall),
	CLUSTER("probe.rise", say_count, probe.rise),
	CLUSTER("probe.lease", say_ms, probe.lease_ms),
	CLUSTER("probe.ping_timeout", say_ms, probe.ping_timeout_ms),
	CLUSTER("probe.sql", say_sql, probe.sql),
	{0},
};

#define MEMBER(name, sayer, ...) VALUE(name, sayer, struct member_config, __VA_ARGS__)

/* Another address is another server: monitor_config.c. */
const struct value config_member_values[] = {
	MEMBER("host", say_text, host),          MEMBER("port", say_port, port),
	MEMBER("socket", say_text, socket_path), WHOLE("rest", say_rest),
	MEMBER("weight", say_count, weight),     {0},
};

#define LISTENER(name, sayer, ...) VALUE(name, sayer, struct listener_config, __VA_ARGS__)

const struct value config_listener_values[] = {
	WHOLE("bind", say_binds, .fixed = true),
	LISTENER("serve", say_roles, serve),
	LISTENER("balance", say_word, balance, .words = balances),
	LISTENER("fallback", say_word, fallback, .words = fallbacks),
	WHOLE("max_lag", say_max_lag),
	LISTENER("hold", say_ms, hold_ms),
	LISTENER("hold_max", say_count, hold_max),
	LISTENER("maxconn", say_count, maxconn),
	LISTENER("server_maxconn", say_limit, server_maxconn),
	LISTENER("on_demotion", say_word, on_demotion, .words = policies),
	LISTENER("on_unreachable", say_word, on_unreachable, .words = policies),
	LISTENER("on_lag", say_word, on_lag, .words = policies),
	LISTENER("protocol", say_word, protocol, .words = protocols),
	LISTENER("coalesce", say_us, coalesce_us),
	LISTENER("timeouts.connect", say_ms, timeouts.connect_ms),
	LISTENER("timeouts.startup", say_ms, timeouts.startup_ms),
	LISTENER("timeouts.client_idle", say_ms, timeouts.client_idle_ms),
	LISTENER("timeouts.server_idle", say_ms, timeouts.server_idle_ms),
	LISTENER("keepalive.idle", say_ms, keepalive.idle_ms),
	LISTENER("keepalive.interval", say_ms, keepalive.interval_ms),
	LISTENER("keepalive.count", say_count, keepalive.count),
	LISTENER("keepalive.user_timeout", say_ms, keepalive.user_timeout_ms),
	LISTENER("stats_name.frontend", say_text, frontend_name),
	LISTENER("stats_name.backend", say_text, backend_name),
	{0},
};

const struct value config_its_cluster[] = {WHOLE("cluster", say_name, .fixed = true), {0}};

#define SOCKET(name, sayer, ...) VALUE(name, sayer, struct stats_socket_config, __VA_ARGS__)

const struct value config_socket_values[] = {
	SOCKET("mode", say_mode, mode, .fixed = true),
	SOCKET("user", say_text, user, .fixed = true),
	SOCKET("group", say_text, group, .fixed = true),
	SOCKET("level", say_word, level, .words = levels),
	{0},
};

#define PROCESS(name, sayer, ...) VALUE(name, sayer, struct config, __VA_ARGS__)

const struct value config_process_values[] = {
	PROCESS("threads", say_threads, threads, .fixed = true),
	PROCESS("spin", say_us, spin_us),
	PROCESS("maxconn", say_count, maxconn),
	WHOLE("stats.http", say_http, .fixed = true),
	PROCESS("stats.http_admin", say_flag, http.admin),
	PROCESS("log.level", say_word, log.level, .words = log_levels),
	PROCESS("log.format", say_word, log.format, .words = log_formats),
	PROCESS("log.tag", say_text, log.tag),
	PROCESS("log.sessions", say_flag, log.sessions),
	PROCESS("drain_timeout", say_ms, drain_timeout_ms),
	{0},
};
