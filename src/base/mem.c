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

struct pool {
	size_t object_bytes, max_objects, in_use, n_slabs;
	char **slabs; /* in the order of their making */
	struct free_object *free;
};

struct pool *pool_new(size_t object_bytes, size_t max_objects)
{
	struct pool *p = xcalloc(1, sizeof(*p));

	REQUIRE(object_bytes > 0);
	p->object_bytes = (object_bytes + sizeof(struct free_object) - 1) /
			  sizeof(struct free_object) * sizeof(struct free_object);
	p->max_objects = max_objects;
	return p;
}

void pool_set_most(struct pool *p, size_t max_objects)
{
	p->max_objects = max_objects;
}

void pool_free(struct pool *p)
{
	REQUIRE(p->in_use == 0);
	for (size_t i = 0; i < p->n_slabs; i++)
		free(p->slabs[i]);
	free(p->slabs);
	free(p);
}

static void give_back(struct pool *p, void *object)
{
	struct free_object *o = object;

	o->next = p->free;
	p->free = o;
}

static int pool_grow(struct pool *p)
{
	char **slabs = realloc(p->slabs, (p->n_slabs + 1) * sizeof(*slabs)), *slab;

	if (slabs == NULL)
		return -1;
	p->slabs = slabs;
	slab = calloc(OBJECTS_PER_SLAB, p->object_bytes);
	if (slab == NULL)
		return -1;
	p->slabs[p->n_slabs++] = slab;
	for (size_t i = OBJECTS_PER_SLAB; i-- > 0;)
		give_back(p, slab + i * p->object_bytes);
	return 0;
}

/* A free object is all zero but for this pointer: see pool_at. */
void *pool_get(struct pool *p)
{
	struct free_object *o;

	if (p->in_use >= p->max_objects || (p->free == NULL && pool_grow(p) < 0))
		return NULL;
	o = p->free;
	p->free = o->next;
	p->in_use++;
	o->next = NULL;
	return o;
}

void pool_put(struct pool *p, void *object)
{
	REQUIRE(p->in_use > 0);
	p->in_use--;
	memset(object, 0, p->object_bytes);
	give_back(p, object);
}

void *pool_at(const struct pool *p, size_t i)
{
	REQUIRE(i < pool_objects(p));
	return p->slabs[i / OBJECTS_PER_SLAB] + i % OBJECTS_PER_SLAB * p->object_bytes;
}

size_t pool_objects(const struct pool *p)
{
	return p->n_slabs * OBJECTS_PER_SLAB;
}

size_t pool_in_use(const struct pool *p)
{
	return p->in_use;
}

size_t pool_bytes(const struct pool *p)
{
	return p->n_slabs * (sizeof(*p->slabs) + OBJECTS_PER_SLAB * p->object_bytes);
}
