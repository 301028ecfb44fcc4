/* A growing buffer of text. */
#include "base/buf.h"
#include "base/assert.h"
#include "base/mem.h"
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

static void buf_reserve(struct buf *b, size_t more)
{
	size_t need = b->len + more + 1;
	size_t cap = b->cap ? b->cap : 256;

	if (need <= b->cap)
		return;
	while (cap < need)
		cap *= 2;
	b->data = xrealloc(b->data, cap);
	b->cap = cap;
}

void buf_fini(struct buf *b)
{
	free(b->data);
	*b = (struct buf){0};
}

void buf_clear(struct buf *b)
{
	b->len = 0;
	if (b->data)
		b->data[0] = '\0';
}

void buf_append(struct buf *b, const void *data, size_t n)
{
	buf_reserve(b, n);
	if (n > 0)
		memcpy(b->data + b->len, data, n);
	b->len += n;
	b->data[b->len] = '\0';
}

void buf_puts(struct buf *b, const char *s)
{
	buf_append(b, s, strlen(s));
}

void buf_putc(struct buf *b, char c)
{
	buf_append(b, &c, 1);
}

void buf_vprintf(struct buf *b, const char *format, va_list ap)
{
	size_t room = b->cap - b->len;
	va_list again;
	int n;

	va_copy(again, ap);
	n = vsnprintf(room ? b->data + b->len : NULL, room, format, ap);
	INSIST(n >= 0);
	if ((size_t)n >= room) { /* seldom: pages are long, and the room doubles */
		buf_reserve(b, (size_t)n);
		vsnprintf(b->data + b->len, (size_t)n + 1, format, again);
	}
	b->len += (size_t)n;
	va_end(again);
}

static void append_digits(struct buf *b, uint64_t value, bool negative)
{
	char text[24], *p = text + sizeof(text);

	do
		*--p = (char)('0' + value % 10);
	while ((value /= 10) > 0);
	if (negative)
		*--p = '-';
	buf_append(b, p, (size_t)(text + sizeof(text) - p));
}

void buf_uint(struct buf *b, uint64_t value)
{
	append_digits(b, value, false);
}

void buf_int(struct buf *b, int64_t value)
{
	append_digits(b, value < 0 ? 0 - (uint64_t)value : (uint64_t)value, value < 0);
}

void buf_printf(struct buf *b, const char *format, ...)
{
	va_list ap;

	va_start(ap, format);
	buf_vprintf(b, format, ap);
	va_end(ap);
}

void buf_consume(struct buf *b, size_t n)
{
	REQUIRE(n <= b->len);
	if (n == 0)
		return;
	memmove(b->data, b->data + n, b->len - n);
	b->len -= n;
	b->data[b->len] = '\0';
}

char *buf_take(struct buf *b)
{
	char *s;

	buf_append(b, "", 0); /* the NUL, if nothing was ever appended */
	s = b->data;
	*b = (struct buf){0};
	return s;
}
