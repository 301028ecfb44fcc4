#pragma once
/* The configuration from a file. */
#include "base/buf.h"
#include "core/config.h"

/* One reference, or NULL and the reason in `faults`: one line about the file itself, or a line for
 * each fault in it. */
struct config *load_config(const char *file, struct buf *faults);
/* The same while the process runs: only a plain file will do, as reading anything else may take any
 * time. */
struct config *load_config_again(const char *file, struct buf *faults);
