#pragma once
/* isari.yaml to struct config. Keys and defaults: etc/isari.yaml. */
#include "base/buf.h"
#include "core/config.h"

/* The configuration with one reference, or NULL and every fault of the text in `faults`, one line
 * each: "file:line:column: key: why". `file` is only for these lines. */
struct config *config_yaml_parse(const char *text, size_t len, const char *file,
				 struct buf *faults);
