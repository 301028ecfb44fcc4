#pragma once
/* A growing byte buffer for text we print: replies, pages, log lines. Always NUL-terminated. */
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

struct buf {
	char *data; /* never NULL after the first append */
	size_t len, cap;
};

void buf_fini(struct buf *b); /* a zeroed struct is a valid empty buffer */
void buf_clear(struct buf *b);
void buf_append(struct buf *b, const void *data, size_t n);
void buf_puts(struct buf *b, const char *s);
void buf_putc(struct buf *b, char c);
void buf_printf(struct buf *b, const char *format, ...) __attribute__((format(printf, 2, 3)));
void buf_vprintf(struct buf *b, const char *format, va_list ap)
	__attribute__((format(printf, 2, 0)));
/* A page has thousands of numbers: these have no format to read. */
void buf_uint(struct buf *b, uint64_t value);
void buf_int(struct buf *b, int64_t value);
void buf_consume(struct buf *b, size_t n); /* drop the first n bytes */
char *buf_take(struct buf *b);             /* the caller owns the string; the buffer is empty */
