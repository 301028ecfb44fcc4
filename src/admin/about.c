/* Version, age and name of the program in the forms that HAProxy's tools parse. */
#include "admin/about.h"
#include <inttypes.h>
#include <string.h>

/* "Nov 20 2026" of the compiler as 2026/11/20; a reproducible build sets it by
 * SOURCE_DATE_EPOCH. */
void about_release_date(struct buf *out)
{
	static const char date[] = __DATE__, months[] = "JanFebMarAprMayJunJulAugSepOctNovDec";
	unsigned month = 0;

	while (month < 11 && strncmp(months + 3 * month, date, 3) != 0)
		month++;
	buf_printf(out, "%s/%02u/%c%c", date + 7, month + 1, date[4] == ' ' ? '0' : date[4],
		   date[5]);
}

void about_uptime(int64_t uptime_ms, struct buf *out)
{
	int64_t s = uptime_ms / 1000;

	buf_printf(out, "%" PRId64 "d %" PRId64 "h%02" PRId64 "m%02" PRId64 "s", s / 86400,
		   s / 3600 % 24, s / 60 % 60, s % 60);
}

/* hatop and others give up on an empty one, and split lines at colons. */
void about_node(const char *host_name, struct buf *out)
{
	const char *name = *host_name ? host_name : "isari";

	for (; *name; name++)
		buf_putc(out, *name == ':' || *name == ' ' ? '-' : *name);
}
