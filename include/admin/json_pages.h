#pragma once
/* What an operator sees, as JSON: one object in one line without its newline. The stats socket
 * (`show clusters json` ...) and HTTP (/api/...) give out the same. A field that is not known is
 * null; times are milliseconds; names and reasons are the words that the log says. */
#include "admin/facts.h"
#include "base/buf.h"

void json_clusters(const struct admin_facts *f, struct buf *out);
void json_members(const struct admin_facts *f, struct buf *out);  /* of all clusters, in one list */
void json_events(const struct admin_facts *f, struct buf *out);   /* newest first */
void json_sessions(const struct admin_facts *f, struct buf *out); /* wants have_sessions */
void json_workers(const struct admin_facts *f, struct buf *out);
void json_memory(const struct admin_facts *f, struct buf *out);
