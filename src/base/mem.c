/* Allocation that ends the process when memory is gone, and bounded pools that say no instead. */
#include "base/mem.h"
#include "base/assert.h"
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

static void out_of_memory(size_t size) __attribute__((noreturn, cold));

static void out_of_memory(size_t size)
{
	fprintf(stderr, "isari: out of memory (%zu bytes asked for)\n", size);
	exit(1);
}

void *xmalloc(size_t size)
{
	void *p = malloc(size ? size : 1);

	if (p == NULL)
		out_of_memory(size);
	return p;
}

void *xcalloc(size_t n, size_t size)
{
	void *p = calloc(n ? n : 1, size ? size : 1);

	if (p == NULL)
		out_of_memory(n * size);
	return p;
}

void *xrealloc(void *old, size_t size)
{
	void *p = realloc(old, size ? size : 1);

	if (p == NULL)
		out_of_memory(size);
	return p;
}

void *xcalloc_aligned(size_t alignment, size_t n, size_t size)
{
	size_t bytes = 0;
	void *p = NULL;

	if (__builtin_mul_overflow(n, size, &bytes) ||
	    posix_memalign(&p, alignment, bytes ? bytes : 1) != 0)
		out_of_memory(bytes);
	return memset(p, 0, bytes);
}

char *xstrdup(const char *s)
{
	return xstrndup(s, strlen(s));
}

char *xstrndup(const char *s, size_t n)
{
	size_t len = strnlen(s, n);
	char *p = xmalloc(len + 1);

	memcpy(p, s, len);
	p[len] = '\0';
	return p;
}

char *xasprintf(const char *format, ...)
{
	va_list ap;
	char *p;
	int n;

	va_start(ap, format);
	n = vasprintf(&p, format, ap);
	va_end(ap);
	if (n < 0)
		out_of_memory(0);
	return p;
}

/* ---- pool ---- */

enum { OBJECTS_PER_SLAB = 256 };

struct free_object {
	struct free_object *next;
};

struct slab {
	struct slab *next;
	max_align_t objects[];
};

struct pool {
	size_t object_bytes, max_objects, in_use, n_slabs;
	struct slab *slabs;
	struct free_object *free;
};

struct pool *pool_new(size_t object_bytes, size_t max_objects)
{
	struct pool *p = xcalloc(1, sizeof(*p));

	REQUIRE(object_bytes > 0);
	p->object_bytes = (object_bytes + sizeof(max_align_t) - 1) / sizeof(max_align_t) *
			  sizeof(max_align_t);
	p->max_objects = max_objects;
	return p;
}

void pool_free(struct pool *p)
{
	REQUIRE(p->in_use == 0);
	while (p->slabs) {
		struct slab *s = p->slabs;

		p->slabs = s->next;
		free(s);
	}
	free(p);
}

static int pool_grow(struct pool *p)
{
	struct slab *s = malloc(sizeof(*s) + OBJECTS_PER_SLAB * p->object_bytes);

	if (s == NULL)
		return -1;
	s->next = p->slabs;
	p->slabs = s;
	p->n_slabs++;
	for (size_t i = OBJECTS_PER_SLAB; i-- > 0;) {
		struct free_object *o = (void *)((char *)s->objects + i * p->object_bytes);

		o->next = p->free;
		p->free = o;
	}
	return 0;
}

void *pool_get(struct pool *p)
{
	struct free_object *o;

	if (p->in_use >= p->max_objects || (p->free == NULL && pool_grow(p) < 0))
		return NULL;
	o = p->free;
	p->free = o->next;
	p->in_use++;
	return memset(o, 0, p->object_bytes);
}

void pool_put(struct pool *p, void *object)
{
	struct free_object *o = object;

	REQUIRE(p->in_use > 0);
	p->in_use--;
	o->next = p->free;
	p->free = o;
}

size_t pool_in_use(const struct pool *p)
{
	return p->in_use;
}

size_t pool_bytes(const struct pool *p)
{
	return p->n_slabs * (sizeof(struct slab) + OBJECTS_PER_SLAB * p->object_bytes);
}
