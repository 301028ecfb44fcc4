/* Escaping for JSON, a character at a time. */
#include "base/json_text.h"
#include <stdint.h>
#include <stdio.h>
#include <string.h>

bool json_text_is_plain(char c)
{
	return c >= ' ' && c < 0x7F && c != '"' && c != '\\';
}

/* Decode one UTF-8 sequence; what is none is U+FFFD and one byte long. */
static size_t decode(const unsigned char *s, uint32_t *code)
{
	static const struct {
		unsigned char mask, lead;
		uint32_t least;
	} forms[] = {{0xE0, 0xC0, 0x80}, {0xF0, 0xE0, 0x800}, {0xF8, 0xF0, 0x10000}};

	for (size_t i = 0; i < 3; i++) {
		uint32_t c = s[0] & (unsigned char)~forms[i].mask;
		size_t n = 1;

		if ((s[0] & forms[i].mask) != forms[i].lead)
			continue;
		for (; n < i + 2 && (s[n] & 0xC0) == 0x80; n++)
			c = c << 6 | (s[n] & 0x3F);
		if (n < i + 2 || c < forms[i].least || c > 0x10FFFF || (c >= 0xD800 && c < 0xE000))
			break;
		*code = c;
		return n;
	}
	*code = 0xFFFD;
	return 1;
}

size_t json_text_one(const char *s, char out[static JSON_TEXT_ONE_BYTES])
{
	static const char plain[] = "\"\\\n\r\t", letter[] = "\"\\nrt";
	unsigned char c = (unsigned char)*s;
	const char *special = strchr(plain, c);
	uint32_t code = c;
	size_t n = 1;

	if (special) {
		snprintf(out, JSON_TEXT_ONE_BYTES, "\\%c", letter[special - plain]);
		return 1;
	}
	if (c >= ' ' && c < 0x7F) {
		snprintf(out, JSON_TEXT_ONE_BYTES, "%c", c);
		return 1;
	}
	if (c >= 0x80)
		n = decode((const unsigned char *)s, &code);
	if (code < 0x10000)
		snprintf(out, JSON_TEXT_ONE_BYTES, "\\u%04x", (unsigned)code);
	else
		snprintf(out, JSON_TEXT_ONE_BYTES, "\\u%04x\\u%04x",
			 (unsigned)(0xD800 + ((code - 0x10000) >> 10)),
			 (unsigned)(0xDC00 + ((code - 0x10000) & 0x3FF)));
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
