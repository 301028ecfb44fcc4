/* Words, numbers and small pieces that the parts of the status page share. */
#include "admin/page.h"
#include "admin/phrases.h"
#include "base/str.h"
#include <inttypes.h>
#include <stdio.h>
#include <string.h>

const char *page_tone_class(enum page_tone t)
{
	static const char *const classes[] = {"fine", "note", "warning", "alarm"};

	return classes[t];
}

const char *page_tone_word(enum page_tone t)
{
	static const char *const words[] = {"OK", "Note", "Warning", "Alarm"};

	return words[t];
}

const char *page_member(const struct page *p, int member, const char *nobody)
{
	return phrase_member(p->f, member, nobody);
}

void page_field(struct page *p, const char *name, const char *class)
{
	html_begin(&p->h, "div", NULL);
	html_leaf(&p->h, "dt", NULL, name);
	html_begin(&p->h, "dd", class);
}

void page_field_end(struct page *p)
{
	html_end(&p->h);
	html_end(&p->h);
}

void page_field_text(struct page *p, const char *name, const char *class, const char *format, ...)
{
	struct buf text = {0};
	va_list ap;

	va_start(ap, format);
	buf_vprintf(&text, format, ap);
	va_end(ap);
	page_field(p, name, class);
	html_text(&p->h, text.data);
	page_field_end(p);
	buf_fini(&text);
}

void page_hidden(struct page *p, const char *name, const char *value)
{
	html_void(&p->h, "input", NULL);
	html_attr(&p->h, "type", "hidden");
	html_attr(&p->h, "name", name);
	html_attr(&p->h, "value", value);
}

void page_time(struct page *p, int64_t wall_ms)
{
	char utc[STR_UTC_BYTES];

	html_begin(&p->h, "time", NULL);
	html_attr(&p->h, "datetime", str_utc(wall_ms, utc, sizeof(utc)));
	html_textf(&p->h, "%.10s %.8s UTC", utc, utc + 11);
	html_end(&p->h);
}

/* By the clock that nobody sets. */
char *page_ago(const struct page *p, const struct failover *e, char *out, size_t n)
{
	return str_duration(p->f->report->now_ms - failover_began_ms(e), out, n);
}

char *page_bytes(uint64_t bytes, char out[static PAGE_BYTES_TEXT])
{
	return str_bytes(bytes, " ", out, PAGE_BYTES_TEXT);
}

void page_count(struct page *p, uint64_t n, const char *one)
{
	html_textf(&p->h, "%" PRIu64 " %s%s", n, one, n == 1 ? "" : "s");
}
