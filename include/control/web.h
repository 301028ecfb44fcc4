#pragma once
/* Operators, monitoring and applications over HTTP: requests get their facts and answers, those who
 * watch the status page get it again whenever it changes. Part of control/operators.h. Not here:
 * what an answer says (admin/web.h), HTTP itself (io/http_server.h). Owner: the control thread. */
#include "base/err.h"

struct operators;
struct web;

/* Binds stats.http at once. A failure is one sentence in `e`, and then nothing stays open. */
int web_open(struct operators *ops, struct web **web, struct err *e);
void web_view(struct web *w); /* a new view was published */
/* Everybody is cut. Calls back once, later. */
void web_close(struct web *w, void (*on_closed)(void *arg), void *arg);
