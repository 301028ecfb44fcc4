/* One event, one line: how it is built. Not here: where it goes (log_sink.c). Any thread.
 *
 * The happy path: a line is built in the caller's struct log_line and written with one write(),
 * alone or with others of its thread (log_batch).
 * What goes wrong: a line is too long (values are cut with "...", keys that find no room are left
 * out; the line stays well-formed). Output is pure ASCII. */
#include "base/assert.h"
#include "base/json_text.h"
#include "base/str.h"
#include "io/clock.h"
#include "io/log_sink.h"
#include <stdio.h>
#include <string.h>
#include <time.h>

enum {
	TAIL_BYTES = sizeof("...\"}\n") -
		     1, /* always kept free: the end of a cut value and of the line */
	LINE_BYTES = sizeof(((struct log_line *)0)->text),
	BATCH_BYTES = sizeof(((struct log_batch *)0)->text),
};

_Static_assert(LINE_BYTES <= BATCH_BYTES, "a batch holds any line");

static size_t room(const struct log_line *l)
{
	return sizeof(l->text) - TAIL_BYTES - l->len;
}

static void put(struct log_line *l, const char *s, size_t n)
{
	memcpy(l->text + l->len, s, n);
	l->len += n;
}

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

	if (l->len + n + USEFUL_BYTES > sizeof(l->text) - TAIL_BYTES)
		return false;
	if (l->json) {
		put(l, l->len ? ",\"" : "{\"", 2);
		put(l, key, n);
		put(l, "\":", 2);
	} else {
		if (l->len)
			put(l, " ", 1);
		put(l, key, n);
		put(l, "=", 1);
	}
	return true;
}

void log_str(struct log_line *l, const char *key, const char *value)
{
	if (value && put_key(l, key))
		put_value(l, value, l->json || !is_bare(value));
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

__attribute__((format(printf, 3, 0))) static void log_vfmt(struct log_line *l, const char *key,
							   const char *format, va_list ap)
{
	char text[LINE_BYTES];

	vsnprintf(text, sizeof(text), format, ap);
	log_str(l, key, text);
}

void log_fmt(struct log_line *l, const char *key, const char *format, ...)
{
	va_list ap;

	va_start(ap, format);
	log_vfmt(l, key, format, ap);
	va_end(ap);
}

void log_line_begin(struct log_line *l, enum severity s, const char *event)
{
	static const char *const names[] = {"debug", "info", "warning", "error"};
	struct timespec t = clock_wall();
	char text[STR_UTC_BYTES];

	l->len = 0;
	l->json = log_sink_is_json();
	log_str(l, "time",
		str_utc(t.tv_sec * (int64_t)1000 + t.tv_nsec / 1000000, text, sizeof(text)));
	log_str(l, "level", names[s]);
	log_str(l, "event", event);
}

bool log_begin(struct log_line *l, enum severity s, const char *event)
{
	if (!log_sink_takes(s))
		return false;
	log_line_begin(l, s, event);
	return true;
}

void log_line_end(struct log_line *l)
{
	INSIST(l->len + 2 <= sizeof(l->text));
	if (l->json)
		put(l, "}", 1);
	put(l, "\n", 1);
}

void log_end(struct log_line *l)
{
	log_line_end(l);
	log_sink_write(l->text, l->len, 1);
}

void log_end_later(struct log_line *l, struct log_batch *b)
{
	log_line_end(l);
	if (l->len > BATCH_BYTES - b->len)
		log_flush(b);
	memcpy(b->text + b->len, l->text, l->len);
	b->len += l->len;
	b->n_lines++;
}

void log_flush(struct log_batch *b)
{
	if (b->n_lines > 0)
		log_sink_write(b->text, b->len, b->n_lines);
	b->n_lines = 0;
	b->len = 0;
}

void log_msg(enum severity s, const char *event, const char *format, ...)
{
	struct log_line l;
	va_list ap;

	if (!log_begin(&l, s, event))
		return;
	va_start(ap, format);
	log_vfmt(&l, "msg", format, ap);
	va_end(ap);
	log_end(&l);
}
