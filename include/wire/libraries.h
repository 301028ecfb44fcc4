#pragma once
/* The versions of the libraries this floor runs on, one line each. Pure. */
#include "base/buf.h"

void wire_libraries(struct buf *out);
