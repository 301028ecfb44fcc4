/* Memory of this process. Not here: ours by purpose (sessions, slow readers), which their owners
 * count. */
#include "io/memory.h"
#include <malloc.h>
#include <stdio.h>
#include <sys/resource.h>
#include <unistd.h>

/* The second number of statm, in pages. */
static uint64_t resident_bytes(void)
{
	FILE *f = fopen("/proc/self/statm", "re");
	unsigned long pages;

	if (f == NULL)
		return 0;
	if (fscanf(f, "%*u %lu", &pages) != 1)
		pages = 0;
	fclose(f);
	return (uint64_t)pages * (uint64_t)sysconf(_SC_PAGESIZE);
}

void memory_read(struct memory_use *m)
{
	struct mallinfo2 heap = mallinfo2();
	struct rusage u = {0};

	getrusage(RUSAGE_SELF, &u);
	*m = (struct memory_use){
		.resident = resident_bytes(),
		.resident_max = (uint64_t)u.ru_maxrss * 1024,
		.heap_used = heap.uordblks + heap.hblkhd,
		.heap_held = heap.arena + heap.hblkhd,
	};
}
