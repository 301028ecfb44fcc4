/* The door to the log: is a line wanted, and alone or with others of its thread. Not here: what it
 * looks like (log_line.c), where it goes (log_sink.c). Any thread. */
#include "io/log.h"
#include "io/log_sink.h"
#include <stdio.h>
#include <string.h>

enum {
	LINE_BYTES = sizeof(((struct log_line *)0)->text),
	BATCH_BYTES = sizeof(((struct log_batch *)0)->text),
};

_Static_assert(LINE_BYTES <= BATCH_BYTES, "a batch holds any line");

enum log_shape log_shape(void)
{
	return log_sink_style()->shape;
}

bool log_begin(struct log_line *l, enum severity s, const char *event)
{
	const struct log_style *style = log_sink_style();

	if (s < style->least)
		return false;
	log_line_begin(l, style, s, event);
	return true;
}

bool log_begin_sentence(struct log_line *l, enum severity s, const char *sentence)
{
	const struct log_style *style = log_sink_style();

	if (s < style->least)
		return false;
	log_line_sentence(l, style, s, sentence);
	return true;
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
	char text[LINE_BYTES];
	struct log_line l;
	va_list ap;

	if (!log_begin(&l, s, event))
		return;
	va_start(ap, format);
	vsnprintf(text, sizeof(text), format, ap);
	va_end(ap);
	log_str(&l, "msg", text);
	log_end(&l);
}
