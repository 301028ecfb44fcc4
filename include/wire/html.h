#pragma once
/* HTML written element by element into a buffer. Everything that is not markup passes through here
 * and is escaped by construction: there is no way to put text in unescaped. The output is pure
 * ASCII and one line, whatever the text holds: it fits one `data:` of a stream of events.
 * A misuse of the sequence (an attribute after text, an end without a beginning) is the caller's
 * fault and is asserted. Element, attribute and class names are literals of the caller. */
#include "base/buf.h"
#include <stdbool.h>

enum { HTML_DEPTH = 32 };

struct html {
	struct buf *out;
	unsigned depth;
	bool in_tag; /* attributes may follow */
	const char *open[HTML_DEPTH];
};

void html_init(struct html *h, struct buf *out);
/* All elements were ended. */
void html_fini(struct html *h);

void html_doctype(struct html *h);

/* `class`: NULL for none. */
void html_begin(struct html *h, const char *element, const char *class);
void html_end(struct html *h); /* of the innermost element */
/* One without content: meta, link, input, br. */
void html_void(struct html *h, const char *element, const char *class);

/* Of the element that was begun last, before any text. */
void html_attr(struct html *h, const char *name, const char *value);
void html_attrf(struct html *h, const char *name, const char *format, ...)
	__attribute__((format(printf, 3, 4)));
void html_flag(struct html *h, const char *name); /* an attribute without a value */

void html_text(struct html *h, const char *text);
void html_textf(struct html *h, const char *format, ...) __attribute__((format(printf, 2, 3)));

/* A whole element that holds nothing but this text. */
void html_leaf(struct html *h, const char *element, const char *class, const char *text);
void html_leaff(struct html *h, const char *element, const char *class, const char *format, ...)
	__attribute__((format(printf, 4, 5)));
