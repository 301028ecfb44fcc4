/* Moments as HAProxy writes them. */
#include "admin/dates.h"
#include "base/str.h"
#include <stdlib.h>

/* From "2026-11-20T07:20:38.387Z". */
void date_put(const struct process_facts *p, int64_t wall_ms, struct buf *out)
{
	static const char *const months[] = {"Jan", "Feb", "Mar", "Apr", "May", "Jun",
					     "Jul", "Aug", "Sep", "Oct", "Nov", "Dec"};
	char utc[STR_UTC_BYTES];
	long month;

	str_utc(wall_ms + (int64_t)p->utc_offset_s * 1000, utc, sizeof(utc));
	month = strtol(utc + 5, NULL, 10);
	buf_printf(out, "[%.2s/%s/%.4s:%.12s]", utc + 8, months[(month + 11) % 12], utc, utc + 11);
}
