/* Numbers, durations, sizes, moments and near misses. */
#include "base/str.h"
#include <ctype.h>
#include <errno.h>
#include <stdio.h>
#include <string.h>
#include <strings.h>

struct unit {
	const char *name;
	uint64_t factor;
};

/* Digits, then exactly one unit of the table. The bare number is allowed where `bare` > 0. */
static int parse_with_unit(const char *s, const struct unit *units, uint64_t bare, uint64_t *out)
{
	uint64_t n = 0, factor = bare;
	const char *p = s;

	for (; isdigit((unsigned char)*p); p++)
		if (__builtin_mul_overflow(n, 10u, &n) ||
		    __builtin_add_overflow(n, (uint64_t)(*p - '0'), &n))
			return -ERANGE;
	if (p == s)
		return -EINVAL;
	if (*p) {
		for (; units->name && strcasecmp(units->name, p) != 0; units++)
			;
		factor = units->name ? units->factor : 0;
	}
	if (factor == 0 && n != 0)
		return -EINVAL;
	if (factor == 0 && *p)
		return -EINVAL;
	if (__builtin_mul_overflow(n, factor, out) || *out > INT64_MAX)
		return -ERANGE;
	return 0;
}

int str_to_uint(const char *s, uint64_t min, uint64_t max, uint64_t *out)
{
	static const struct unit none[] = {{NULL, 0}};
	int rv = parse_with_unit(s, none, 1, out);

	if (rv == 0 && (*out < min || *out > max))
		return -ERANGE;
	return rv;
}

int str_to_duration_ms(const char *s, int64_t *ms)
{
	static const struct unit units[] = {{"ms", 1},       {"s", 1000},      {"m", 60 * 1000},
					    {"h", 3600000u}, {"d", 86400000u}, {NULL, 0}};
	uint64_t v = 0;
	int rv = parse_with_unit(s, units, 0, &v);

	if (rv == 0)
		*ms = (int64_t)v;
	return rv;
}

int str_to_duration_us(const char *s, int64_t *us)
{
	static const struct unit units[] = {
		{"us", 1},         {"ms", 1000},         {"s", 1000000}, {"m", 60000000},
		{"h", 3600000000}, {"d", 86400000000ll}, {NULL, 0}};
	uint64_t v = 0;
	int rv = parse_with_unit(s, units, 0, &v);

	if (rv == 0)
		*us = (int64_t)v;
	return rv;
}

int str_to_size_bytes(const char *s, uint64_t *bytes)
{
	static const struct unit units[] = {{"B", 1},           {"kB", 1u << 10},
					    {"MB", 1u << 20},   {"GB", 1ull << 30},
					    {"TB", 1ull << 40}, {NULL, 0}};

	return parse_with_unit(s, units, 1, bytes);
}

char *str_duration(int64_t ms, char *out, size_t n)
{
	long long s = ms / 1000;

	if (ms < 1000)
		snprintf(out, n, "%lldms", (long long)(ms < 0 ? 0 : ms));
	else if (s < 60)
		snprintf(out, n, "%lld.%llds", s, (long long)(ms % 1000 / 100));
	else if (s < 3600)
		snprintf(out, n, "%lldm%02llds", s / 60, s % 60);
	else if (s < 86400)
		snprintf(out, n, "%lldh%02lldm", s / 3600, s % 3600 / 60);
	else
		snprintf(out, n, "%lldd%02lldh", s / 86400, s % 86400 / 3600);
	return out;
}

char *str_bytes(uint64_t bytes, const char *between, char *out, size_t n)
{
	static const char *const units[] = {"B", "kB", "MB", "GB", "TB", "PB"};
	size_t unit = 0;

	while (bytes >= 10 * 1024 && unit < 5) {
		bytes /= 1024;
		unit++;
	}
	snprintf(out, n, "%llu%s%s", (unsigned long long)bytes, between, units[unit]);
	return out;
}

enum { DAY_MS = 86400000, DAYS_OF_400_YEARS = 146097 };

/* Years that begin in March, so that a leap day is a year's last one: the calendar then repeats
 * every 400 years, and months are 30.6 days long (Howard Hinnant, chrono-compatible date
 * algorithms). */
char *str_utc(int64_t wall_ms, char *out, size_t n)
{
	int64_t ms = wall_ms < 0 ? 0 : wall_ms;
	int64_t days = ms / DAY_MS + 719468; /* since 0000-03-01 */
	int64_t of_era = days % DAYS_OF_400_YEARS;
	int64_t year = (of_era - of_era / 1460 + of_era / 36524 - of_era / 146096) / 365;
	int64_t of_year = of_era - (365 * year + year / 4 - year / 100);
	int64_t month = (5 * of_year + 2) / 153; /* 0: March */
	long long day = of_year - (153 * month + 2) / 5 + 1;
	long long y = year + days / DAYS_OF_400_YEARS * 400 + (month >= 10);
	long long s = ms % DAY_MS / 1000;

	snprintf(out, n, "%04lld-%02lld-%02lldT%02lld:%02lld:%02lld.%03lldZ", y,
		 (long long)(month < 10 ? month + 3 : month - 9), day, s / 3600, s / 60 % 60,
		 s % 60, (long long)(ms % 1000));
	return out;
}

enum { MAX_WORD = 64 };

/* Levenshtein distance; words longer than MAX_WORD are "far". */
static size_t distance(const char *a, const char *b)
{
	size_t la = strlen(a), lb = strlen(b);
	size_t row[MAX_WORD + 1];

	if (la > MAX_WORD || lb > MAX_WORD)
		return SIZE_MAX;
	for (size_t j = 0; j <= lb; j++)
		row[j] = j;
	for (size_t i = 1; i <= la; i++) {
		size_t diagonal = row[0];

		row[0] = i;
		for (size_t j = 1; j <= lb; j++) {
			size_t cost = diagonal + (tolower((unsigned char)a[i - 1]) !=
						  tolower((unsigned char)b[j - 1]));
			size_t shorter = row[j - 1] < row[j] ? row[j - 1] : row[j];

			diagonal = row[j];
			row[j] = cost < shorter + 1 ? cost : shorter + 1;
		}
	}
	return row[lb];
}

/* "warn" is meant for "warning", however much is left out. */
static bool abbreviates(const char *word, const char *candidate)
{
	size_t len = strlen(word);

	return len >= 3 && strncasecmp(word, candidate, len) == 0;
}

const char *str_nearest(const char *word, const char *const *candidates)
{
	const char *best = NULL;
	size_t best_distance = strlen(word) / 4 + 2; /* a slip, and another per four letters */

	for (; *candidates; candidates++) {
		size_t d = distance(word, *candidates);

		if (d > 1 && abbreviates(word, *candidates))
			d = 1;
		if (d < best_distance) {
			best = *candidates;
			best_distance = d;
		}
	}
	return best;
}

void str_copy_printable(char *out, size_t n, const char *in, size_t in_len)
{
	size_t i = 0;

	for (; i + 1 < n && i < in_len && in[i]; i++)
		out[i] = in[i] >= 0x20 && in[i] < 0x7f ? in[i] : '?';
	if (n > 0)
		out[i] = '\0';
}

bool str_copy(char *out, size_t n, const char *in)
{
	int len = snprintf(out, n, "%s", in);

	return len >= 0 && (size_t)len < n;
}
