#pragma once
/* One function per command, called from the table in commands.c after the words and the level were
 * checked. Those that change something only check their arguments and fill the order: the caller
 * acts. */
#include "admin/facts.h"
#include "base/buf.h"

struct command_call {
	const struct admin_facts *facts;
	const char *const *args; /* the words after the command's own */
	size_t n_args;
	struct buf *out;
	struct admin_order *order;
};

typedef void command_fn(const struct command_call *c);

command_fn show_stat;
command_fn show_info;
command_fn show_version;
command_fn show_clusters;
command_fn show_events;
command_fn show_sess;
command_fn show_workers;
command_fn show_members;
command_fn show_memory;
command_fn show_backend;
command_fn show_servers_state;
command_fn show_servers_conn;
command_fn show_table;
command_fn show_errors;
command_fn show_cli_sockets;
command_fn show_cli_level;
command_fn show_resolvers;
command_fn show_pools;
command_fn show_env;
command_fn show_startup_logs;
command_fn show_activity;
command_fn show_threads;
command_fn show_fd;
command_fn show_schema_json;
command_fn get_weight;
command_fn probe;
command_fn reload;
command_fn set_server, set_weight; /* set_server.c ... */
command_fn enable_server, disable_server;
command_fn enable_health, disable_health;
command_fn enable_agent, disable_agent;
command_fn enable_frontend, disable_frontend, shutdown_frontend;         /* set_frontend.c */
command_fn set_maxconn_frontend, set_maxconn_server, set_maxconn_global; /* set_limits.c ... */
command_fn set_rate_limit;
command_fn clear_counters;
command_fn set_timeout, set_severity_output; /* set_cli.c ... */
command_fn lower_to_operator, lower_to_user;
command_fn shutdown_session, shutdown_sessions_server; /* shutdown.c */

/* What `show info` and `show version` call us: tools want HAProxy's number first. */
#define ADMIN_VERSION "2.6.0-isari-" ISARI_VERSION
