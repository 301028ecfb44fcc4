/* THE table of commands: its words, what help says, the level it needs, and the function that runs
 * it. Everything else about commands derives from it. Not here: how a command is found
 * (commands.c), what it answers (show_*.c, set.c). */
#include "admin/command_table.h"

/* clang-format off */
const struct command command_table[] = {
	{{"probe"}, "probe [<cluster>]",
	 "ask all nodes now, and often for a while", LEVEL_OPERATOR, probe},
	{{"set", "server"}, "set server <bk>/<srv> [opts]",
	 "change a server's state: ready, drain or maint", LEVEL_ADMIN, set_server},
	{{"set", "timeout"}, "set timeout [cli] <delay>",
	 "change a timeout setting", LEVEL_USER, set_timeout},
	{{"show", "clusters"}, "show clusters",
	 "report each cluster's primary and nodes, and why", LEVEL_USER, show_clusters},
	{{"show", "events"}, "show events",
	 "report the last failovers and how long each phase took", LEVEL_OPERATOR, show_events},
	{{"show", "info"}, "show info",
	 "report information about the running process", LEVEL_USER, show_info},
	{{"show", "sess"}, "show sess",
	 "report the list of current sessions", LEVEL_OPERATOR, show_sess},
	{{"show", "stat"}, "show stat [<proxy> <type> <sid>]",
	 "report counters for each proxy and server", LEVEL_USER, show_stat},
	{{"show", "version"}, "show version",
	 "show version of the current process", LEVEL_USER, show_version},
	{{"show", "workers"}, "show workers",
	 "report what each worker thread carries, and its turns", LEVEL_USER, show_workers},
	{{"shutdown", "sessions", "server"}, "shutdown sessions server <bk>/<srv>",
	 "kill sessions on a server", LEVEL_ADMIN, shutdown_sessions_server},
	{{"help"}, "help [<command>]",
	 "list matching or all commands", LEVEL_USER, help},
	{{"prompt"}, "prompt",
	 "toggle interactive mode with prompt", LEVEL_USER, prompt},
	{{"quit"}, "quit",
	 "disconnect", LEVEL_USER, quit},
};
/* clang-format on */

const size_t n_commands = sizeof(command_table) / sizeof(command_table[0]);
