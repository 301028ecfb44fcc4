#pragma once
/* Between the files of the access log: access_log.c says a session's end in pairs, and
 * access_log_haproxy.c in HAProxy's words. */
#include "io/log.h"
#include "proxy/session.h"

/* False: such lines are not wanted. Else it is to be ended. */
bool access_log_haproxy(struct log_line *line, const struct session *s, enum session_state was);

/* A session that is none to anybody who reads the log is for debugging. */
enum severity access_log_severity(const struct session *s);

/* Servers called after the first one. */
static inline unsigned access_log_retries(const struct session *s)
{
	return s->calls > 1 ? s->calls - 1U : 0;
}
