#pragma once
/* What HAProxy's log says when a server comes or goes, word by word, for alerts that look for these
 * sentences. Pure. Not here: when one is due (control/server_news.h), the sessions' lines
 * (wire/haproxy_log.h). */
#include "admin/stat_row.h"

struct server_change {
	const struct listener_config *listener;
	const char *server;
	const char *before, *now; /* stat_server_status(); before: NULL, not known yet */
	const struct server_report *report;
	unsigned active, backups; /* of its listener, that are up */
	unsigned sessions;        /* on it */
	unsigned waiting;         /* at its listener, for any server */
};

enum { SERVER_SENTENCE_BYTES = 512 };

/* Cut where `n` ends; returns `out`. */
char *server_sentence(const struct server_change *c, char *out, size_t n);
/* When the last one has gone. */
char *server_sentence_none(const struct listener_config *l, char *out, size_t n);
