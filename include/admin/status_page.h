#pragma once
/* The status page: which node is primary, since when and why, who was cut and what waits, for a
 * person who was just woken up. Whole and useful without JavaScript; with it, the part that changes
 * is replaced while one looks. Pure: facts in, HTML out. Not here: paths and headers (web.c). */
#include "admin/facts.h"
#include "admin/web.h"
#include "base/buf.h"

/* The whole document. Of the request only the target counts: it may hold
 * `;norefresh`, `;st=` (what became of an order) and, to be confirmed, `s=`, `b=` and `action=` of
 * HAProxy's form in its query. */
void status_page(const struct admin_facts *f, const struct web_request *q, struct buf *out);

/* What is inside the document's element "live": one line, for one `data:` of the event stream. */
void status_fragment(const struct admin_facts *f, struct buf *out);

/* Served beside the page, which names them relative to itself: isari.css, isari.js, isari.svg,
 * and isari.live for the stream of fragments. The page needs nothing else, so it works under
 * `default-src 'none'; style-src 'self'; script-src 'self'; connect-src 'self'; img-src 'self';
 * form-action 'self'`. */
extern const char status_css[], status_js[], status_icon[];
