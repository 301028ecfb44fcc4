#pragma once
/* One character out of UTF-8 text, whatever its bytes are: for text that others wrote. */
#include <stddef.h>
#include <stdint.h>

enum { UTF8_REPLACEMENT = 0xFFFD };

/* The character at `s`, which must not be at the terminating NUL; returns how many bytes it has.
 * What is no UTF-8 is UTF8_REPLACEMENT and one byte long. */
size_t utf8_decode(const char *s, uint32_t *code);
