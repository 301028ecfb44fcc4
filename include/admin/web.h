#pragma once
/* HTTP as people, monitoring and applications ask it: a request and the facts in, an answer and
 * maybe orders out. The table of paths is in web.c. Pure. Not here: sockets and limits
 * (io/http_server.h). */
#include "admin/facts.h"
#include "base/buf.h"

enum web_method { WEB_GET, WEB_HEAD, WEB_POST, WEB_OTHER };

struct web_request {
	enum web_method method;
	const char *target; /* as it was sent: path, and what follows a '?' or ';' */
	/* Headers; NULL: not sent. */
	const char *host, *origin, *fetch_site, *content_type;
	const char *body; /* of a POST; may be NULL when there is none */
	size_t body_len;
};

/* Facts that are gathered only for who asks. Nothing was written: ask again with them. */
enum web_needs { WEB_NEEDS_NOTHING, WEB_NEEDS_SESSIONS, WEB_NEEDS_MEMORY };

struct web_answer {
	enum web_needs needs;
	bool live; /* not an answer but a stream of events, each filled by web_live; `isari.live`
		      beside the status page */
	unsigned status;   /* of HTTP */
	const char *type;  /* Content-Type; static; NULL: there is no body */
	const char *allow; /* of 405: the methods; static; NULL: no such header */
	bool may_be_kept;  /* by the browser for a while: an asset */
	char location[64]; /* of 303; empty: none */
	struct buf body;
	/* To be done before the answer goes out. */
	struct admin_order *orders;
	size_t n_orders;
};

/* Every request gets an answer; `a` is filled whatever it was. The facts' level: admin where
 * stats.http_admin is set. */
void web_answer(const struct admin_facts *f, const struct web_request *q, struct web_answer *a);
void web_answer_fini(struct web_answer *a);

/* One event of the stream: the part of the status page that changes. */
void web_live(const struct admin_facts *f, struct buf *out);

/* Of every answer, ended by one without a name. */
struct web_header {
	const char *name, *value;
};
extern const struct web_header web_headers[];
