/* The clocks. Nothing else in isari asks the kernel for the time. */
#include "io/clock.h"
#include <stdio.h>

static struct timespec now(clockid_t id)
{
	struct timespec t;

	clock_gettime(id, &t);
	return t;
}

int64_t clock_ms(void)
{
	struct timespec t = now(CLOCK_BOOTTIME);

	return (int64_t)t.tv_sec * 1000 + t.tv_nsec / 1000000;
}

int64_t clock_us(void)
{
	struct timespec t = now(CLOCK_BOOTTIME);

	return (int64_t)t.tv_sec * 1000000 + t.tv_nsec / 1000;
}

struct timespec clock_wall(void)
{
	return now(CLOCK_REALTIME);
}

/* ---- local time ---- */

/* Whatever the locale is called: tools parse these. */
static const char month_names[12][4] = {"Jan", "Feb", "Mar", "Apr", "May", "Jun",
					"Jul", "Aug", "Sep", "Oct", "Nov", "Dec"};

int clock_utc_offset_s(time_t wall_s)
{
	struct tm t;

	localtime_r(&wall_s, &t);
	return (int)t.tm_gmtoff;
}

char *clock_syslog_text(time_t wall_s, char *out, size_t n)
{
	struct tm t;

	localtime_r(&wall_s, &t);
	snprintf(out, n, "%s %2d %02d:%02d:%02d", month_names[t.tm_mon], t.tm_mday, t.tm_hour,
		 t.tm_min, t.tm_sec);
	return out;
}

char *clock_haproxy_text(int64_t wall_ms, char *out, size_t n)
{
	time_t wall_s = (time_t)(wall_ms / 1000);
	struct tm t;

	localtime_r(&wall_s, &t);
	snprintf(out, n, "%02d/%s/%04d:%02d:%02d:%02d.%03d", t.tm_mday, month_names[t.tm_mon],
		 t.tm_year + 1900, t.tm_hour, t.tm_min, t.tm_sec, (int)(wall_ms % 1000));
	return out;
}
