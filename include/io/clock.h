#pragma once
/* The two clocks. Judgements use clock_ms only: CLOCK_BOOTTIME, so that a suspended machine counts
 * as a pause. */
#include <stddef.h>
#include <stdint.h>
#include <time.h>

int64_t clock_ms(void);
int64_t clock_us(void);
struct timespec clock_wall(void); /* for log lines and people */

int clock_utc_offset_s(time_t wall_s); /* of the local time then */

/* The local time in the words of two old formats, milliseconds or seconds since 1970 in. Both
 * return `out`. */
enum { CLOCK_SYSLOG_BYTES = 16, CLOCK_HAPROXY_BYTES = 32 };
char *clock_syslog_text(time_t wall_s, char *out, size_t n);    /* "Nov  2 09:30:00" */
char *clock_haproxy_text(int64_t wall_ms, char *out, size_t n); /* "02/Nov/2026:09:30:00.123" */
