#pragma once
/* One log line per change that the monitor notes, with the same words as everywhere. Control
 * thread. */
#include "core/monitor.h"

void announce(const struct config *config, const struct change *change);
