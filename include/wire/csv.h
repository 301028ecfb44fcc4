#pragma once
/* CSV cells as HAProxy writes them and RFC 4180 reads them. Pure. */
#include "base/buf.h"

/* Append one cell, quoted only where it must be; separators and line ends are the caller's. */
void csv_append_cell(struct buf *b, const char *cell);
