#pragma once
/* HTTP as people, monitoring and applications ask it: a request and the facts in, an answer and
 * maybe an order out. The table of paths is in web.c. Pure. Not here: sockets and limits
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

struct web_answer {
	unsigned status;    /* of HTTP */
	const char *type;   /* Content-Type; static */
	const char *allow;  /* of 405: the methods; static; NULL: no such header */
	unsigned refresh_s; /* the Refresh header; 0: none */
	bool live;          /* not an answer but a stream of events: web_live fills each */
	char location[64];  /* of 303; empty: none */
	struct buf body;    /* the caller releases it */
};

/* Every request gets an answer; `a` is filled whatever it was. With ORDER_NEED_SESSIONS nothing was
 * written: ask again with have_sessions. */
void web_answer(const struct admin_facts *f, const struct web_request *q, struct web_answer *a,
		struct admin_order *order);
