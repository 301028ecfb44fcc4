#pragma once
/* The configuration from a file. */
#include "base/buf.h"
#include "core/config.h"

/* One reference, or NULL and the reason in `faults`: one line about the file itself, or a line for
 * each fault in it. */
struct config *load_config(const char *file, struct buf *faults);
