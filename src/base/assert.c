/* Say which promise was broken, and stop. */
#include "base/assert.h"
#include <stdio.h>
#include <stdlib.h>

void assert_failed(const char *kind, const char *condition, const char *file, int line)
{
	fprintf(stderr, "isari: %s failed: %s at %s:%d\n", kind, condition, file, line);
	abort();
}
