#pragma once
/* Moments as HAProxy writes them. */
#include "admin/facts.h"
#include "base/buf.h"

/* [20/Nov/2026:07:20:38.387], in local time: milliseconds since 1970 in. */
void date_put(const struct process_facts *p, int64_t wall_ms, struct buf *out);
