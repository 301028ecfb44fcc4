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
command_fn probe;
command_fn set_server;
command_fn set_timeout;
command_fn shutdown_sessions_server;

/* What `show info` and `show version` call us: tools want HAProxy's number first. */
#define ADMIN_VERSION "2.6.0-isari-" ISARI_VERSION
