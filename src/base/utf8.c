/* Decoding UTF-8: no overlong forms, no surrogates, nothing above U+10FFFF. */
#include "base/utf8.h"

static size_t decode_long(const unsigned char *s, uint32_t *code)
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
	*code = UTF8_REPLACEMENT;
	return 1;
}

size_t utf8_decode(const char *s, uint32_t *code)
{
	if ((unsigned char)*s >= 0x80)
		return decode_long((const unsigned char *)s, code);
	*code = (unsigned char)*s;
	return 1;
}
