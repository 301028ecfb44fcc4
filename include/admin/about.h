#pragma once
/* What HAProxy's tools want to hear of the program itself, the same in every reply and page. Its
 * version: ADMIN_VERSION, admin/command.h. */
#include "base/buf.h"
#include <stdint.h>

void about_release_date(struct buf *out);                /* 2026/11/20 */
void about_uptime(int64_t uptime_ms, struct buf *out);   /* 0d 0h00m22s */
void about_node(const char *host_name, struct buf *out); /* never empty, without colon and blank */
