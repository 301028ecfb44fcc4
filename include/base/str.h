#pragma once
/* Text to value and back: the units that operators write. Whole string or nothing: trailing bytes,
 * overflow and negative numbers are refused with -EINVAL or -ERANGE. */
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

int str_to_uint(const char *s, uint64_t min, uint64_t max, uint64_t *out);
int str_to_duration_ms(const char *s,
		       int64_t *ms); /* "100ms" "3s" "5m" "2h" "1d"; "0" alone is 0 */
int str_to_duration_us(const char *s, int64_t *us); /* the same, and "250us" */
int str_to_size_bytes(const char *s,
		      uint64_t *bytes); /* "64kB" "16MB" "1GB", units of 1024; plain: bytes */

/* "850ms", "3.2s", "4m05s", "2h03m", "5d04h": for people. Returns `out`. */
char *str_duration(int64_t ms, char *out, size_t n);

/* "987 B", "9876 kB", "12 MB": units of 1024, so that few digits are left, `between` them and the
 * unit. Returns `out`. */
char *str_bytes(uint64_t bytes, const char *between, char *out, size_t n);

/* "2026-11-20T10:58:47.123Z": milliseconds since 1970, as in the log. Returns `out`. */
enum { STR_UTC_BYTES = 32 };
char *str_utc(int64_t wall_ms, char *out, size_t n);

/* The candidate nearest to `word` (NULL-terminated list), or NULL when none is near enough to be
 * meant. */
const char *str_nearest(const char *word, const char *const *candidates);

/* Copy at most n-1 bytes, control bytes and non-ASCII as '?'; for names that strangers send us. */
void str_copy_printable(char *out, size_t n, const char *in, size_t in_len);
/* snprintf-like copy: always terminated, true when all of it fitted. */
bool str_copy(char *out, size_t n, const char *in);
