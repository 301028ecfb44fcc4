#pragma once
/* The texts of error replies, HAProxy 2.6's word for word where it has them: tools compare them.
 * The server sends them, and `isari ctl` knows by them that a command failed. */
#include "base/buf.h"
#include <stdbool.h>

/* X(symbol, text). One line each, without its newline. */
#define REPLY_ERROR_LIST(X)                                                                   \
	X(REPLY_UNKNOWN, "Unknown command. Please enter one of the following commands only:") \
	X(REPLY_DENIED, "Permission denied")                                                  \
	X(REPLY_NO_CLUSTER, "No such cluster.")                                               \
	X(REPLY_NO_PROXY, "No such proxy.")                                                   \
	X(REPLY_REQUIRE_SERVER, "Require 'backend/server'.")                                  \
	X(REPLY_NO_BACKEND, "No such backend.")                                               \
	X(REPLY_NO_SERVER, "No such server.")                                                 \
	X(REPLY_SET_STATE, "'set server <srv> state' expects 'ready', 'drain' and 'maint'.")  \
	X(REPLY_SET_SERVER, "usage: set server <backend>/<server> state")                     \
	X(REPLY_SET_TIMEOUT, "'set timeout' only supports 'cli'.")                            \
	X(REPLY_NO_INTEGER, "Expects an integer value.")                                      \
	X(REPLY_BAD_TIMEOUT, "Invalid timeout value.")

#define REPLY_ENUM(symbol, text) symbol,
enum reply_error { REPLY_ERROR_LIST(REPLY_ENUM) N_REPLY_ERRORS };

void reply_error(struct buf *out, enum reply_error e);

/* Is any reply in this text an error? There are several, each ended by an empty line, after
 * `a;b`. */
bool reply_has_error(const char *text);
