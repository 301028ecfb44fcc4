#pragma once
/* The versions of the libraries this floor runs on, one line each. Any thread. */
#include "base/buf.h"

void io_libraries(struct buf *out);
