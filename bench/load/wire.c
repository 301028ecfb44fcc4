/* Messages of PostgreSQL's protocol and the prebuilt images of answers and copies.
 * Not here: sockets; when something is said. */
#include "wire.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

enum {
	ROUND = 256 * 1024, /* about this much of a copy, then the same again */
	HEAD = 5,           /* type and length of a message */
	ROW_HEAD = 11,      /* of a DataRow with one column */
	ROW = 8192,
	ECHO_END = 20, /* CommandComplete "SELECT 1", ReadyForQuery */
};

char *put_message(char *to, char type, const void *body, size_t n)
{
	to[0] = type;
	put32(to + 1, (uint32_t)n + 4);
	memcpy(to + HEAD, body, n);
	return to + HEAD + n;
}

char *put_done(char *to, const char *tag)
{
	to = put_message(to, 'C', tag, strlen(tag) + 1);
	return put_message(to, 'Z', "I", 1);
}

size_t put_startup(char *to, size_t size, const char *user, const char *database)
{
	int n = snprintf(to + 8, size - 8, "user%c%s%cdatabase%c%s%c", 0, user, 0, 0, database, 0);
	size_t all = 8 + (size_t)n + 1;
	if (all > size)
		return 0;
	to[all - 1] = 0;
	put32(to, (uint32_t)all);
	put32(to + 4, 3 << 16);
	return all;
}

/* ---- images ---------------------------------------------------------------------------------- */

/* splitmix64: the same bytes on both sides, without a pattern that a lost piece could hide in. */
static void fill(char *to, size_t n, uint64_t seed)
{
	for (size_t i = 0; i < n; i += sizeof(uint64_t)) {
		uint64_t z = seed += 0x9e3779b97f4a7c15;
		z = (z ^ z >> 30) * 0xbf58476d1ce4e5b9;
		z = (z ^ z >> 27) * 0x94d049bb133111eb;
		z ^= z >> 31;
		memcpy(to + i, &z, n - i < sizeof(z) ? n - i : sizeof(z));
	}
}

static void build_row(char *to, size_t size)
{
	to[0] = 'D';
	put32(to + 1, (uint32_t)size - 1);
	memcpy(to + HEAD, "\0\1", 2);
	put32(to + HEAD + 2, (uint32_t)(size - ROW_HEAD));
}

/* Rows of ROW bytes; the last one takes what would be too little for a row of its own. */
static void build_echo(struct image *im)
{
	size_t left = im->size - ECHO_END;
	char *to = im->bytes;
	fill(to, left, im->key);
	while (left) {
		size_t row = left < ROW + ROW_HEAD ? left : ROW;
		build_row(to, row);
		to += row;
		left -= row;
	}
	put_done(to, "SELECT 1");
}

static void build_copy(struct image *im)
{
	size_t message = HEAD + im->key;
	fill(im->bytes, im->size, im->key);
	for (size_t at = 0; at < im->size; at += message) {
		im->bytes[at] = 'd';
		put32(im->bytes + at + 1, (uint32_t)message - 1);
	}
}

static size_t image_size(enum image_kind kind, size_t key)
{
	if (kind == IMAGE_ECHO)
		return key;
	return key + HEAD > ROUND ? key + HEAD : ROUND / (key + HEAD) * (key + HEAD);
}

static struct image *image_new(struct images *is, enum image_kind kind, size_t key)
{
	struct image *im = &is->list[is->next++ % (sizeof(is->list) / sizeof(*is->list))];
	free(im->bytes);
	*im = (struct image){.kind = kind, .key = key, .size = image_size(kind, key)};
	im->bytes = malloc(im->size);
	if (!im->bytes)
		abort(); /* nobody is served by a load that has no memory */
	(kind == IMAGE_ECHO ? build_echo : build_copy)(im);
	return im;
}

static struct image *image_of(struct images *is, enum image_kind kind, size_t key)
{
	for (size_t i = 0; i < sizeof(is->list) / sizeof(*is->list); i++) {
		struct image *im = &is->list[i];
		if (im->key == key && im->kind == kind && im->bytes)
			return im;
	}
	return image_new(is, kind, key);
}

void images_fini(struct images *is)
{
	for (size_t i = 0; i < sizeof(is->list) / sizeof(*is->list); i++)
		free(is->list[i].bytes);
}

const char *echo_image(struct images *is, size_t n, const char tag[TAG])
{
	struct image *im = image_of(is, IMAGE_ECHO, n);
	memcpy(im->bytes + ROW_HEAD, tag, TAG);
	return im->bytes;
}

/* ---- copies ---------------------------------------------------------------------------------- */

static char *put_end(char *to, enum copy_way way, uint64_t bytes)
{
	char tag[32];
	to = put_message(to, 'c', "", 0);
	snprintf(tag, sizeof(tag), "COPY %llu", (unsigned long long)bytes);
	return way == COPY_DOWN ? put_done(to, tag) : to;
}

int copy_init(struct copy *c, struct images *is, enum copy_way way, uint64_t bytes, size_t chunk)
{
	if (chunk < CHUNK_MIN || chunk > CHUNK_MAX || bytes == 0)
		return -EINVAL;
	size_t odd = (size_t)(bytes % chunk);
	*c = (struct copy){.images = is, .chunk = chunk};
	if (way == COPY_DOWN)
		c->head = (uint64_t)(put_message(c->first, 'H', "\0\0", 3) - c->first);
	c->rounds = c->head + bytes / chunk * (HEAD + chunk);
	c->n_rest = odd ? HEAD + odd : 0;
	c->rest[0] = 'd';
	put32(c->rest + 1, (uint32_t)odd + 4);
	c->n_last = (uint8_t)(put_end(c->last, way, bytes) - c->last);
	c->total = c->rounds + c->n_rest + c->n_last;
	return 0;
}

static const char *piece(const char *from, size_t at, size_t size, size_t *n)
{
	if (*n > size - at)
		*n = size - at;
	return from + at;
}

static const char *piece_of_round(const struct copy *c, uint64_t at, size_t *n)
{
	struct image *im = image_of(c->images, IMAGE_COPY, c->chunk);
	uint64_t round = at / im->size;
	memcpy(im->bytes + HEAD, &round, sizeof(round));
	return piece(im->bytes, (size_t)(at % im->size), im->size, n);
}

/* The last, shorter message: a head of its own, the text of any other. */
static const char *piece_of_rest(const struct copy *c, size_t at, size_t *n)
{
	if (at < HEAD)
		return piece(c->rest, at, HEAD, n);
	struct image *im = image_of(c->images, IMAGE_COPY, c->chunk);
	uint64_t round = c->rounds / im->size;
	memcpy(im->bytes + HEAD, &round, sizeof(round));
	return piece(im->bytes, at, c->n_rest, n);
}

const char *copy_piece(const struct copy *c, uint64_t at, size_t *n)
{
	if (at < c->head)
		return piece(c->first, (size_t)at, (size_t)c->head, n);
	if (at < c->rounds) {
		if (*n > c->rounds - at)
			*n = (size_t)(c->rounds - at);
		return piece_of_round(c, at - c->head, n);
	}
	if (at < c->rounds + c->n_rest)
		return piece_of_rest(c, (size_t)(at - c->rounds), n);
	return piece(c->last, (size_t)(at - c->rounds - c->n_rest), c->n_last, n);
}

static size_t same(const char *a, const char *b, size_t n)
{
	size_t i = 0;
	if (memcmp(a, b, n) == 0)
		return n;
	while (a[i] == b[i])
		i++;
	return i;
}

size_t copy_compare(const struct copy *c, uint64_t at, const char *data, size_t n)
{
	size_t good = 0;
	while (good < n && at + good < c->total) {
		size_t most = n - good;
		const char *want = copy_piece(c, at + good, &most);
		size_t right = same(want, data + good, most);
		good += right;
		if (right < most)
			break;
	}
	return good;
}
