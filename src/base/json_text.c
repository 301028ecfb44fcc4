/* Escaping for JSON, a character at a time. */
#include "base/json_text.h"
#include "base/utf8.h"
#include <stdio.h>
#include <string.h>

bool json_text_is_plain(char c)
{
	return c >= ' ' && c < 0x7F && c != '"' && c != '\\';
}

size_t json_text_one(const char *s, char out[static JSON_TEXT_ONE_BYTES])
{
	static const char plain[] = "\"\\\n\r\t", letter[] = "\"\\nrt";
	unsigned char c = (unsigned char)*s;
	const char *special = strchr(plain, c);
	uint32_t code;
	size_t n;

	if (special) {
		snprintf(out, JSON_TEXT_ONE_BYTES, "\\%c", letter[special - plain]);
		return 1;
	}
	if (c >= ' ' && c < 0x7F) {
		snprintf(out, JSON_TEXT_ONE_BYTES, "%c", c);
		return 1;
	}
	n = utf8_decode(s, &code);
	if (code < 0x10000)
		snprintf(out, JSON_TEXT_ONE_BYTES, "\\u%04x", (unsigned)code);
	else
		snprintf(out, JSON_TEXT_ONE_BYTES, "\\u%04x\\u%04x",
			 (unsigned)(0xD800 | ((code - 0x10000) >> 10 & 0x3FF)),
			 (unsigned)(0xDC00 | ((code - 0x10000) & 0x3FF)));
	return n;
}

void json_text_append(struct buf *b, const char *s)
{
	char one[JSON_TEXT_ONE_BYTES];

	buf_putc(b, '"');
	while (*s) {
		size_t n = 0;

		while (s[n] && json_text_is_plain(s[n]))
			n++;
		buf_append(b, s, n);
		s += n;
		if (*s == '\0')
			break;
		s += json_text_one(s, one);
		buf_puts(b, one);
	}
	buf_putc(b, '"');
}
