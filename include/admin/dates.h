#pragma once
/* Moments as HAProxy writes them, but in UTC: a pure floor knows no time zone. */
#include "base/buf.h"
#include <stdint.h>

void date_put(int64_t wall_ms, struct buf *out); /* [20/Nov/2026:07:20:38.387] */
