#pragma once
/* What this process has of memory, as the kernel and the allocator say. */
#include <stdint.h>

struct memory_use {
	uint64_t resident, resident_max; /* bytes; 0: the kernel does not say */
	uint64_t heap_used, heap_held;   /* bytes that malloc gave out, and that it holds */
};

/* Looks at every free piece of every heap: fractions of a millisecond, more when there are very
 * many. For when somebody asks. */
void memory_read(struct memory_use *m);
