#pragma once
/* What load and load_server say to each other: PostgreSQL's protocol 3, as far as they speak it,
 * and answers whose every byte both of them know. So the one sends what the other compares with,
 * and nothing is made per message: pieces of prebuilt images go out.
 *
 * An echo answer of N bytes is rows of pseudo-random text whose first eight bytes are the tag of
 * its question, CommandComplete and ReadyForQuery. A copy is CopyData of CHUNK bytes each; the same
 * messages come again after about 256 kB, but for the number of the round in their first eight
 * bytes: neither a lost, a doubled nor a misplaced piece goes unnoticed. */
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

enum {
	TAG = 8,
	ECHO_MIN = 64,
	ECHO_MAX = 64 * 1024 * 1024,
	QUERY_MIN = 32, /* a question has room for its words and a tag */
	CHUNK_MIN = 16,
	CHUNK_MAX = 4 * 1024 * 1024,
	READY_BYTES = 6,
};

static inline void put32(char *to, uint32_t n)
{
	n = __builtin_bswap32(n);
	__builtin_memcpy(to, &n, sizeof(n));
}

static inline uint32_t get32(const char *from)
{
	uint32_t n;
	__builtin_memcpy(&n, from, sizeof(n));
	return __builtin_bswap32(n);
}

/* Type, length and body into `to`; the end of it. */
char *put_message(char *to, char type, const void *body, size_t n);
/* CommandComplete with this tag, ReadyForQuery; the end of it. */
char *put_done(char *to, const char *tag);
size_t put_startup(char *to, size_t size, const char *user, const char *database);

/* ---- images ------------------------------------------------------------------------------------
 */

enum image_kind { IMAGE_ECHO, IMAGE_COPY };

struct image {
	enum image_kind kind;
	size_t key, size; /* key: N, CHUNK */
	char *bytes;      /* NULL: this place is free */
};

struct images {
	struct image list[16]; /* few sizes are in use at once; the oldest is dropped */
	unsigned next;
};

void images_fini(struct images *is);
/* The answer to `echo n` with this tag, all n bytes; good until the next call. */
const char *echo_image(struct images *is, size_t n, const char tag[TAG]);

/* ---- copies ------------------------------------------------------------------------------------
 */

enum copy_way { COPY_DOWN, COPY_UP };

/* All bytes of one copy on the wire. Down: CopyOutResponse first, CommandComplete and ReadyForQuery
 * last. Up: ends with CopyDone. */
struct copy {
	struct images *images;
	size_t chunk;
	uint64_t head, rounds; /* where the CopyData of full size begin, and end */
	uint64_t total;
	char first[8];
	char rest[5]; /* head of the last CopyData, if it is a shorter one */
	uint8_t n_last;
	char last[40];
	size_t n_rest; /* its length in all, or 0 */
};

int copy_init(struct copy *c, struct images *is, enum copy_way way, uint64_t bytes, size_t chunk);
/* What stands at offset `at`: up to *n bytes, contiguous, at least one before the end; good until
 * the next call. */
const char *copy_piece(const struct copy *c, uint64_t at, size_t *n);
/* How many of these n bytes, received at offset `at`, are right. */
size_t copy_compare(const struct copy *c, uint64_t at, const char *data, size_t n);
