/* Any bytes as a client's first ones. Besides the sanitizers:
 * a prefix is answered NEED_MORE or as the whole; a packet is consumed whole and within
 * PostgreSQL's bound; the special codes are never taken for a startup; what is INVALID says why. */
#include "base/assert.h"
#include "wire/pg_startup.h"
#include <stdbool.h>
#include <stdlib.h>
#include <string.h>

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static uint32_t read_u32(const uint8_t *p)
{
	return (uint32_t)p[0] << 24 | (uint32_t)p[1] << 16 | (uint32_t)p[2] << 8 | p[3];
}

/* In a block of exactly its size: one byte too far is seen. */
static struct startup parse_exact(const uint8_t *data, size_t len)
{
	struct startup s;
	uint8_t *copy = malloc(len ? len : 1);

	INSIST(copy != NULL);
	memcpy(copy, data, len);
	INSIST(pg_startup_parse(copy, len, &s) == s.kind);
	free(copy);
	return s;
}

static void check_answer(const struct startup *s, const uint8_t *data, size_t size)
{
	bool packet = s->kind >= STARTUP_MESSAGE && s->kind <= STARTUP_CANCEL;

	INSIST((s->kind == STARTUP_INVALID) == (s->why != NULL));
	INSIST(packet ? s->consumed >= STARTUP_MIN_BYTES : s->consumed == 0);
	INSIST(s->consumed <= STARTUP_MAX_BYTES && s->consumed <= size);
	INSIST(s->cancel_key_len <= CANCEL_KEY_MAX_BYTES);
	if (packet)
		INSIST(s->consumed == read_u32(data));
	if (s->kind == STARTUP_MESSAGE)
		INSIST(read_u32(data + 4) < 80877102 || read_u32(data + 4) > 80877104);
}

static void check_printable(const char *text, size_t n)
{
	size_t len = strnlen(text, n);

	INSIST(len < n);
	for (size_t i = 0; i < len; i++)
		INSIST(text[i] >= 0x20 && text[i] < 0x7f);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	struct startup whole = parse_exact(data, size);
	/* Every prefix of what is short; of the rest those around the ends that matter. */
	size_t step = size < 512 ? 1 : size / 61;

	check_answer(&whole, data, size);
	check_printable(whole.user, sizeof(whole.user));
	check_printable(whole.database, sizeof(whole.database));
	check_printable(whole.application_name, sizeof(whole.application_name));
	for (size_t len = 0; len < size; len += len < 32 ? 1 : step) {
		struct startup part = parse_exact(data, len);

		INSIST(part.kind == STARTUP_NEED_MORE || memcmp(&part, &whole, sizeof(part)) == 0);
	}
	if (whole.consumed > 0) {
		struct startup exact = parse_exact(data, whole.consumed);

		INSIST(memcmp(&exact, &whole, sizeof(exact)) == 0);
		INSIST(parse_exact(data, whole.consumed - 1).kind == STARTUP_NEED_MORE);
	}
	return 0;
}
