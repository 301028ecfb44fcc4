#pragma once
/* The texts of error replies, HAProxy 2.6's word for word where it has them: tools compare them.
 * The server sends them, and `isari ctl` knows by them that a command failed. */
#include "base/buf.h"
#include <stdbool.h>

/* X(symbol, text). Without its last newline; of more lines the first tells. */
#define REPLY_ERROR_LIST(X)                                                                     \
	X(REPLY_UNKNOWN, "Unknown command. Please enter one of the following commands only:")   \
	X(REPLY_UNKNOWN_NEAR,                                                                   \
	  "Unknown command, but maybe one of the following ones is a better match:")            \
	X(REPLY_DENIED, "Permission denied")                                                    \
	X(REPLY_NOT_RELOADED, "isari: configuration not reloaded, nothing was changed:")        \
	X(REPLY_NO_CLUSTER, "No such cluster.")                                                 \
	X(REPLY_SESSION_NOT_FOUND, "Session not found.")                                        \
	X(REPLY_CANT_FIND_BACKEND, "Can't find backend.")                                       \
	X(REPLY_NO_TABLE, "No such table")                                                      \
	X(REPLY_NO_VARIABLE, "Variable not found")                                              \
	X(REPLY_NO_RESOLVERS, "Can't find that resolvers section")                              \
	X(REPLY_NO_PROXY, "No such proxy.")                                                     \
	X(REPLY_REQUIRE_SERVER, "Require 'backend/server'.")                                    \
	X(REPLY_NO_BACKEND, "No such backend.")                                                 \
	X(REPLY_NO_SERVER, "No such server.")                                                   \
	X(REPLY_SET_STATE, "'set server <srv> state' expects 'ready', 'drain' and 'maint'.")    \
	X(REPLY_SET_SERVER,                                                                     \
	  "usage: set server <backend>/<server> addr | agent | agent-addr | agent-port | "      \
	  "agent-send | check-addr | check-port | fqdn | health | ssl | state | weight")        \
	X(REPLY_SET_HEALTH, "'set server <srv> health' expects 'up', 'stopping', or 'down'.")   \
	X(REPLY_HEALTH_UP,                                                                      \
	  "isari: role checks cannot be overridden. A server is up when its own answers prove " \
	  "that it is; 'probe' asks for them now.")                                             \
	X(REPLY_HEALTH_OFF,                                                                     \
	  "isari: role checks cannot be overridden. To take a server out, use 'set server "     \
	  "<b>/<s> state drain' or 'maint'.")                                                   \
	X(REPLY_SET_SSL,                                                                        \
	  "'set server <srv> ssl' cannot be set.  default-server should define ssl settings")   \
	X(REPLY_REQUIRE_ADDR,                                                                   \
	  "set server <b>/<s> addr requires an address and optionally a port.")                 \
	X(REPLY_REQUIRE_CHECK_ADDR,                                                             \
	  "set server <b>/<s> check-addr requires an address and optionally a port.")           \
	X(REPLY_REQUIRE_AGENT_ADDR,                                                             \
	  "set server <b>/<s> agent-addr requires an address and optionally a port.")           \
	X(REPLY_REQUIRE_CHECK_PORT, "set server <b>/<s> check-port requires a port.")           \
	X(REPLY_REQUIRE_AGENT_PORT, "set server <b>/<s> agent-port requires a port.")           \
	X(REPLY_REQUIRE_FQDN, "set server <b>/<s> fqdn requires a FQDN.")                       \
	X(REPLY_FIXED_ADDR,                                                                     \
	  "isari: addresses come from the configuration. Change the member there, then "        \
	  "'reload'.")                                                                          \
	X(REPLY_NO_AGENT, "agent checks are not enabled on this server.")                       \
	X(REPLY_ENABLE_AGENT, "Agent was not configured on this server, cannot enable.")        \
	X(REPLY_REQUIRE_WEIGHT, "Require <weight> or <weight%>.")                               \
	X(REPLY_BAD_WEIGHT, "Empty weight string empty or preceded by garbage")                 \
	X(REPLY_WEIGHT_GARBAGE, "Trailing garbage in weight string")                            \
	X(REPLY_WEIGHT_NEGATIVE, "Relative weight must be positive.")                           \
	X(REPLY_WEIGHT_RANGE, "Absolute weight can only be between 0 and 256 inclusive.")       \
	X(REPLY_REQUIRE_FRONTEND, "A frontend name is expected.")                               \
	X(REPLY_NO_FRONTEND, "No such frontend.")                                               \
	X(REPLY_ENABLED, "All sockets are already enabled.")                                    \
	X(REPLY_DISABLED, "All sockets are already disabled.")                                  \
	X(REPLY_SHUT_ENABLE, "Frontend was previously shut down, cannot enable.")               \
	X(REPLY_SHUT_DISABLE, "Frontend was previously shut down, cannot disable.")             \
	X(REPLY_SHUT, "Frontend was already shut down.")                                        \
	X(REPLY_REQUIRE_SESSION, "Session pointer expected (use 'show sess').")                 \
	X(REPLY_NO_SESSION, "No such session (use 'show sess').")                               \
	X(REPLY_INTEGER, "Integer value expected.")                                             \
	X(REPLY_RANGE, "Value out of range.")                                                   \
	X(REPLY_REQUIRE_MAXCONN, "Require <maxconn>.")                                          \
	X(REPLY_BAD_MAXCONN, "maxconn string empty or preceded by garbage")                     \
	X(REPLY_SET_RATE,                                                                       \
	  "'set rate-limit' only supports :\n"                                                  \
	  "   - 'connections global' to set the per-process maximum connection rate\n"          \
	  "   - 'sessions global' to set the per-process maximum session rate\n"                \
	  "   - 'ssl-sessions global' to set the per-process maximum SSL session rate\n"        \
	  "   - 'http-compression global' to set the per-process maximum compression speed in " \
	  "kB/s")                                                                               \
	X(REPLY_FOREIGN_RATE,                                                                   \
	  "isari: TLS is between clients and servers and HTTP is not carried; limit "           \
	  "'connections' or 'sessions'.")                                                       \
	X(REPLY_SET_SEVERITY, "one of 'none', 'number', 'string' is a required argument")       \
	X(REPLY_SET_TIMEOUT, "'set timeout' only supports 'cli'.")                              \
	X(REPLY_NO_INTEGER, "Expects an integer value.")                                        \
	X(REPLY_BAD_TIMEOUT, "Invalid timeout value.")

#define REPLY_ENUM(symbol, text) symbol,
enum reply_error { REPLY_ERROR_LIST(REPLY_ENUM) N_REPLY_ERRORS };

/* The first key of `reload json`: false is an error like the texts above. */
#define REPLY_JSON_RELOADED "reloaded"

void reply_error(struct buf *out, enum reply_error e);

/* Is this one? */
bool reply_is_error(const char *reply);
/* Is any reply in this text an error? There are several, each ended by an empty line, after
 * `a;b`. */
bool reply_has_error(const char *text);
