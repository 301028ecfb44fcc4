#pragma once
/* Memory. The x-family never returns NULL: out of memory ends the process with a sentence (boot,
 * reload and control data). What clients can cause comes from a pool, which is bounded and can. */
#include <stddef.h>

void *xmalloc(size_t size) __attribute__((malloc, returns_nonnull));
void *xcalloc(size_t n, size_t size) __attribute__((malloc, returns_nonnull));
void *xrealloc(void *p, size_t size) __attribute__((returns_nonnull));
/* Zeroed, for objects that must not share a cache line; freed with free(). */
void *xcalloc_aligned(size_t alignment, size_t n, size_t size)
	__attribute__((malloc, returns_nonnull));
char *xstrdup(const char *s) __attribute__((malloc, returns_nonnull));
char *xstrndup(const char *s, size_t n) __attribute__((malloc, returns_nonnull));
char *xasprintf(const char *format, ...) __attribute__((format(printf, 1, 2), returns_nonnull));

/* A bounded pool of equal objects, one thread's. Memory grows by slabs and is reused. Objects are
 * aligned as pointers are. */
struct pool;

struct pool *pool_new(size_t object_bytes, size_t max_objects);
/* Another bound; who is out already stays out. */
void pool_set_most(struct pool *p, size_t max_objects);
void pool_free(struct pool *p); /* every object must be back */
void *pool_get(struct pool *p); /* zeroed; NULL when max_objects are out or memory is gone */
void pool_put(struct pool *p, void *object);
/* Object number i of pool_objects(), whether it is out or free: a free one is all zero but for its
 * first pointer. For who looks at all of them a few at a time, while some come and go. */
void *pool_at(const struct pool *p, size_t i);
size_t pool_objects(const struct pool *p);
size_t pool_in_use(const struct pool *p);
size_t pool_bytes(const struct pool *p); /* memory held, used or not */
