#pragma once
/* A server of text lines on a UNIX or TCP socket: the stats socket's transport. Knows nothing of
 * commands. HAProxy's framing: lines end with \n or \r\n; without prompt mode every line already
 * received is answered and then the server closes; a client's half-close does not drop its answers.
 * Owner: the loop's thread.
 *
 * Limits (a client that never reads, sends nothing, or sends no newline harms nobody):
 * below, and idle clients are closed after 10 s (settable). A client's next line waits until it has
 * read its replies but for 64 KiB; whoever connects while all places are taken waits for one. */
#include "base/addr.h"
#include "base/err.h"
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <uv.h>

enum {
	LINE_MAX_CLIENTS = 16, /* per server */
	LINE_MAX_BYTES = 16 * 1024,
	LINE_REPLY_MAX_BYTES = 16 * 1024 * 1024, /* unread; 20,000 sessions take about 6 MB */
};

struct line_server;
struct line_client;

struct line_server_options {
	struct addr addr;
	unsigned mode;            /* of a UNIX socket */
	const char *user, *group; /* NULL: leave; needed during open only */
	void *arg;
	/* One line, without its end, valid during the call. The receiver answers with
	 * line_client_reply, now or later; the next line of this client is delivered after that. */
	void (*on_line)(void *arg, struct line_client *c, char *line);
	/* The client is gone, or all it asked is answered: forget it (a late line_client_reply is
	 * not allowed). Called once for each client that had on_line called; never from inside
	 * on_line, but line_client_reply and line_client_quit may lead to it. */
	void (*on_gone)(void *arg, struct line_client *c);
};

/* Binds at once: a stale UNIX socket (nobody accepts) is replaced, one in use is an error with a
 * sentence. The parent directory is made when it is missing and can be. */
int line_server_open(uv_loop_t *loop, const struct line_server_options *o, struct line_server **s,
		     struct err *e);
/* Unlinks its socket. */
void line_server_close(struct line_server *s, void (*on_closed)(void *arg), void *arg);

void line_client_reply(struct line_client *c, const char *text, size_t len);
/* What the owner of the protocol keeps per client: prompt, level ... freed by on_gone. */
void line_client_set_data(struct line_client *c, void *data);
void *line_client_data(const struct line_client *c);
/* Interactive: do not close after the answers. */
void line_client_keep_open(struct line_client *c, bool keep);
void line_client_quit(struct line_client *c); /* close after what is queued */
void line_client_set_timeout(struct line_client *c, int64_t idle_ms);
