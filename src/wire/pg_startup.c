/* The first packet of a PostgreSQL connection (protocol.html, "Start-up" and "Message Formats"):
 *   length:4 (itself included)  code:4  then, by code, parameters, a cancel key, or nothing.
 * The length is judged as soon as it is there, the code too: garbage never waits for its end.
 * Not here: what a StartupMessage of an unknown version means; the server says that. */
#include "wire/pg_startup.h"
#include "base/str.h"
#include <stdbool.h>
#include <string.h>
#include <strings.h>

enum {
	CODE_CANCEL = 1234 << 16 | 5678,
	CODE_SSL = 1234 << 16 | 5679,
	CODE_GSSENC = 1234 << 16 | 5680,
	TLS_HANDSHAKE = 0x16, /* a TLS record's type; as a length it would be 369 million */
	CANCEL_HEAD_BYTES = 12,
};

static uint32_t read_u32(const unsigned char *p)
{
	return (uint32_t)p[0] << 24 | (uint32_t)p[1] << 16 | (uint32_t)p[2] << 8 | p[3];
}

static enum startup_kind invalid(struct startup *s, const char *why)
{
	s->why = why;
	return STARTUP_INVALID;
}

/* As PostgreSQL's parse_bool: any beginning of true, false, yes, no; on, off, 1, 0. */
static bool is_true(const char *value)
{
	size_t n = strlen(value);

	return n > 0 && (strncasecmp(value, "true", n) == 0 || strncasecmp(value, "yes", n) == 0 ||
			 strcasecmp(value, "on") == 0 || strcmp(value, "1") == 0);
}

static enum startup_replication read_replication(const char *value)
{
	if (strcmp(value, "database") == 0)
		return REPLICATION_LOGICAL;
	return is_true(value) ? REPLICATION_PHYSICAL : REPLICATION_NONE;
}

static void take_parameter(struct startup *s, const char *name, const char *value)
{
	size_t n = strlen(value);

	if (strcmp(name, "user") == 0)
		str_copy_printable(s->user, sizeof(s->user), value, n);
	else if (strcmp(name, "database") == 0)
		str_copy_printable(s->database, sizeof(s->database), value, n);
	else if (strcmp(name, "application_name") == 0)
		str_copy_printable(s->application_name, sizeof(s->application_name), value, n);
	else if (strcmp(name, "replication") == 0)
		s->replication = read_replication(value);
}

/* name NUL value NUL ... NUL. A layout that is not so ends the reading, not the session: the server
 * will refuse it in its own words. As there, the last of two equal names counts. */
static void take_parameters(struct startup *s, const char *p, const char *end)
{
	while (p < end && *p) {
		const char *name_end = memchr(p, '\0', (size_t)(end - p));
		const char *value_end =
			name_end ? memchr(name_end + 1, '\0', (size_t)(end - name_end - 1)) : NULL;

		if (value_end == NULL)
			return;
		take_parameter(s, p, name_end + 1);
		p = value_end + 1;
	}
}

static enum startup_kind take_message(struct startup *s, const unsigned char *p, size_t packet)
{
	s->protocol = read_u32(p + 4);
	if (s->protocol >> 16 == 3)
		take_parameters(s, (const char *)p + STARTUP_MIN_BYTES, (const char *)p + packet);
	if (s->database[0] == '\0') /* PostgreSQL's default */
		memcpy(s->database, s->user, sizeof(s->database));
	return STARTUP_MESSAGE;
}

static enum startup_kind take_cancel(struct startup *s, const unsigned char *p, size_t packet)
{
	s->cancel_pid = read_u32(p + 8);
	s->cancel_key_len = packet - CANCEL_HEAD_BYTES;
	memcpy(s->cancel_key, p + CANCEL_HEAD_BYTES, s->cancel_key_len);
	return STARTUP_CANCEL;
}

/* What the code says of the length, before the rest has come. NULL: fine. */
static const char *code_fault(uint32_t code, size_t packet)
{
	switch (code) {
	case CODE_SSL:
		return packet == STARTUP_MIN_BYTES ? NULL : "an SSLRequest of a wrong length";
	case CODE_GSSENC:
		return packet == STARTUP_MIN_BYTES ? NULL : "a GSSENCRequest of a wrong length";
	case CODE_CANCEL:
		return packet > CANCEL_HEAD_BYTES &&
				       packet <= CANCEL_HEAD_BYTES + CANCEL_KEY_MAX_BYTES
			       ? NULL
			       : "a CancelRequest of a wrong length";
	default: return NULL;
	}
}

static enum startup_kind take_packet(struct startup *s, const unsigned char *p, size_t packet)
{
	switch (read_u32(p + 4)) {
	case CODE_SSL: return STARTUP_SSL;
	case CODE_GSSENC: return STARTUP_GSSENC;
	case CODE_CANCEL: return take_cancel(s, p, packet);
	default: return take_message(s, p, packet);
	}
}

static enum startup_kind parse(struct startup *s, const unsigned char *p, size_t len)
{
	size_t packet;
	const char *fault;

	if (len > 0 && p[0] == TLS_HANDSHAKE)
		return STARTUP_DIRECT_TLS;
	if (len < 4)
		return STARTUP_NEED_MORE;
	packet = read_u32(p);
	if (packet < STARTUP_MIN_BYTES)
		return invalid(s, "a startup packet that is too short");
	if (packet > STARTUP_MAX_BYTES)
		return invalid(s, "no startup packet, or one that is too long");
	if (len < STARTUP_MIN_BYTES)
		return STARTUP_NEED_MORE;
	fault = code_fault(read_u32(p + 4), packet);
	if (fault)
		return invalid(s, fault);
	if (len < packet)
		return STARTUP_NEED_MORE;
	s->consumed = packet;
	return take_packet(s, p, packet);
}

enum startup_kind pg_startup_parse(const void *bytes, size_t len, struct startup *s)
{
	memset(s, 0, sizeof(*s)); /* the padding too: equal answers are equal bytes */
	s->kind = parse(s, bytes, len);
	return s->kind;
}
