/* ErrorResponse: 'E' length:4 { type:1 text NUL }... NUL. The length counts itself, not the 'E'.
 * Not here: when to say it, and that an SSLRequest must be answered first (proxy/). */
#include "wire/pg_error.h"
#include "base/assert.h"
#include <string.h>

/* A TLS record of type alert (21), version 1.2, 2 bytes: fatal (2), internal_error (80). RFC 8446
 * §6. */
const unsigned char tls_alert_internal_error[TLS_ALERT_BYTES] = {0x15, 0x03, 0x03, 0x00,
								 0x02, 0x02, 0x50};

enum { HEAD_BYTES = 5, FIELD_FRAME_BYTES = 2 /* type and NUL */, END_BYTES = 1 };

/* How many bytes of `text` fit, without splitting a UTF-8 character. */
static size_t fitting(const char *text, size_t room)
{
	size_t n = strlen(text);

	if (n <= room)
		return n;
	for (n = room; n > 0 && ((unsigned char)text[n] & 0xc0) == 0x80; n--)
		;
	return n;
}

static size_t put_field(unsigned char *out, size_t at, size_t end, char type, const char *text)
{
	size_t n;

	if (at + FIELD_FRAME_BYTES > end)
		return at;
	n = fitting(text, end - at - FIELD_FRAME_BYTES);
	out[at++] = (unsigned char)type;
	memcpy(out + at, text, n);
	out[at + n] = '\0';
	return at + n + 1;
}

static void put_head(unsigned char *out, size_t packet)
{
	size_t length = packet - 1;

	out[0] = 'E';
	out[1] = (unsigned char)(length >> 24);
	out[2] = (unsigned char)(length >> 16);
	out[3] = (unsigned char)(length >> 8);
	out[4] = (unsigned char)length;
}

enum {
	SMALLEST_BYTES = HEAD_BYTES + 7 + 7 + 7 + FIELD_FRAME_BYTES + END_BYTES
}; /* no text in 'M' */

size_t pg_error_write(const struct pg_error *e, void *packet, size_t n)
{
	unsigned char *out = packet;
	size_t at = HEAD_BYTES, end;

	REQUIRE(strlen(e->sqlstate) == 5);
	if (n < SMALLEST_BYTES)
		return 0;
	end = n - END_BYTES;
	at = put_field(out, at, end, 'S', "FATAL");
	at = put_field(out, at, end, 'V', "FATAL");
	at = put_field(out, at, end, 'C', e->sqlstate);
	at = put_field(out, at, end, 'M', e->message);
	if (e->hint)
		at = put_field(out, at, end, 'H', e->hint);
	out[at++] = '\0';
	put_head(out, at);
	return at;
}

/* Fields are a type and a text with its NUL, and a NUL ends them all. */
bool pg_error_sqlstate(const void *packet, size_t n, char out[PG_SQLSTATE_BYTES + 1])
{
	const char *bytes = packet, *nul;

	for (size_t at = HEAD_BYTES; at < n && bytes[at]; at = (size_t)(nul - bytes) + 1) {
		const char *text = bytes + at + 1;

		nul = memchr(text, '\0', n - at - 1);
		if (nul == NULL)
			return false;
		if (bytes[at] == 'C' && nul - text == PG_SQLSTATE_BYTES) {
			memcpy(out, text, PG_SQLSTATE_BYTES + 1);
			return true;
		}
	}
	return false;
}
