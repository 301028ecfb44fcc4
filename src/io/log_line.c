/* What a log line looks like. Not here: where it goes (log_sink.c), whether it is wanted (log.c).
 *
 * What goes wrong: a line is too long (values are cut with "...", keys that find no room are left
 * out; the line stays well-formed). Output is pure ASCII. */
#include "io/log_line.h"
#include "base/assert.h"
#include "base/json_text.h"
#include "base/str.h"
#include "io/clock.h"
#include <stdio.h>
#include <string.h>
#include <time.h>

enum {
	TAIL_BYTES = sizeof("...\"}\n") -
		     1, /* always kept free: the end of a cut value and of the line */
	LINE_BYTES = sizeof(((struct log_line *)0)->text),
};

static size_t room(const struct log_line *l)
{
	return sizeof(l->text) - TAIL_BYTES - l->len;
}

static void put(struct log_line *l, const char *s, size_t n)
{
	memcpy(l->text + l->len, s, n);
	l->len += n;
}

/* ---- pairs ---- */

static bool is_bare(const char *value)
{
	for (const char *p = value; *p; p++)
		if (!json_text_is_plain(*p) || *p == ' ' || *p == '=')
			return false;
	return *value != '\0';
}

static const char *put_plain(struct log_line *l, const char *value)
{
	size_t n = 0, most = room(l);

	while (n < most && json_text_is_plain(value[n]))
		n++;
	put(l, value, n);
	return value + n;
}

/* Characters are taken whole, so that a cut never splits an escape; "..." says that there was
 * more. */
static void put_value(struct log_line *l, const char *value, bool quoted)
{
	char one[JSON_TEXT_ONE_BYTES];

	if (quoted)
		put(l, "\"", 1);
	while (*(value = put_plain(l, value))) {
		size_t n = json_text_one(value, one), len = strlen(one);

		if (len > room(l)) {
			put(l, "...", 3);
			break;
		}
		put(l, one, len);
		value += n;
	}
	if (quoted)
		put(l, "\"", 1);
}

/* False: no room for this key and a useful part of its value. Once a value was cut nothing follows
 * it. */
static bool put_key(struct log_line *l, const char *key)
{
	enum { USEFUL_BYTES = 16 };
	size_t n = strlen(key);
	bool first = l->len == l->start;

	if (l->len + n + USEFUL_BYTES > sizeof(l->text) - TAIL_BYTES)
		return false;
	if (l->shape == LOG_JSON) {
		put(l, first ? "{\"" : ",\"", 2);
		put(l, key, n);
		put(l, "\":", 2);
	} else {
		if (!first)
			put(l, " ", 1);
		put(l, key, n);
		put(l, "=", 1);
	}
	return true;
}

void log_str(struct log_line *l, const char *key, const char *value)
{
	if (value && put_key(l, key))
		put_value(l, value, l->shape == LOG_JSON || !is_bare(value));
}

void log_int(struct log_line *l, const char *key, int64_t value)
{
	char text[24], *end = text + sizeof(text), *p = end;
	uint64_t left = value < 0 ? 0 - (uint64_t)value : (uint64_t)value;
	size_t n;

	do
		*--p = (char)('0' + left % 10);
	while (left /= 10);
	if (value < 0)
		*--p = '-';
	n = (size_t)(end - p);
	/* A number is never cut: half of one is a lie. */
	if (n <= room(l) && strlen(key) + 4 + n <= room(l) && put_key(l, key))
		put(l, p, n);
}

void log_fmt(struct log_line *l, const char *key, const char *format, ...)
{
	char text[LINE_BYTES];
	va_list ap;

	va_start(ap, format);
	vsnprintf(text, sizeof(text), format, ap);
	va_end(ap);
	log_str(l, key, text);
}

/* ---- the beginning and the end ---- */

/* sd-daemon's levels. There is none for "notice": what isari says is either news or a warning. */
static void put_priority(struct log_line *l, enum severity s)
{
	static const char *const priorities[] = {"<7>", "<6>", "<4>", "<3>"};

	put(l, priorities[s], 3);
}

/* As syslog has it since 1983: local, without a year, the day's tens blank. */
static void put_syslog_head(struct log_line *l, const struct log_style *style)
{
	char when[CLOCK_SYSLOG_BYTES];

	clock_syslog_text(clock_wall().tv_sec, when, sizeof(when));
	put(l, when, strlen(when));
	put(l, style->from, strlen(style->from));
}

static void begin(struct log_line *l, const struct log_style *style, enum severity s)
{
	l->len = 0;
	l->shape = style->shape;
	if (style->journal)
		put_priority(l, s);
	else if (style->shape == LOG_SYSLOG)
		put_syslog_head(l, style);
	l->start = l->len;
}

static void put_time(struct log_line *l)
{
	struct timespec t = clock_wall();
	char text[STR_UTC_BYTES];

	log_str(l, "time",
		str_utc(t.tv_sec * (int64_t)1000 + t.tv_nsec / 1000000, text, sizeof(text)));
}

void log_line_begin(struct log_line *l, const struct log_style *style, enum severity s,
		    const char *event)
{
	static const char *const names[] = {"debug", "info", "warning", "error"};

	begin(l, style, s);
	if (style->shape != LOG_SYSLOG)
		put_time(l);
	log_str(l, "level", names[s]);
	log_str(l, "event", event);
}

void log_line_sentence(struct log_line *l, const struct log_style *style, enum severity s,
		       const char *sentence)
{
	begin(l, style, s);
	l->shape = LOG_SYSLOG; /* there are no braces to close */
	for (; *sentence && room(l) > 0; sentence++)
		l->text[l->len++] = *sentence >= ' ' && *sentence < 0x7F ? *sentence : '?';
}

void log_line_end(struct log_line *l)
{
	INSIST(l->len + 2 <= sizeof(l->text));
	if (l->shape == LOG_JSON)
		put(l, "}", 1);
	put(l, "\n", 1);
}
