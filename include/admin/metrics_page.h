#pragma once
/* /metrics for Prometheus: HAProxy's names (2.4 and later) and labels for what HAProxy has, so that
 * its dashboards and rules go on, and isari_* for what it hasn't. Pure. */
#include "admin/facts.h"
#include "base/buf.h"

/* `query`: what stood after the '?', or "". HAProxy's: `scope=global&scope=server` (also frontend,
 * backend, listener, isari, * for all and empty for none), `no-maint` (without servers in
 * maintenance). -EINVAL with nothing written for a scope that there is not. */
int metrics_page(const struct admin_facts *f, const char *query, struct buf *out);
