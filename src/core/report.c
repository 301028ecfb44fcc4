/* Release what a report carries. Filling it in is the monitor's (monitor.h). Pure, any thread. */
#include "core/report.h"
#include <stdlib.h>

void report_fini(struct report *r)
{
	free(r->clusters);
	free(r->members);
	free(r->servers);
	*r = (struct report){0};
}
