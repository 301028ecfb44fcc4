#pragma once
/* The parts of the status page and what they have in common. For src/admin/status_page.c and
 * src/admin/page_*.c only. */
#include "admin/facts.h"
#include "wire/html.h"

struct page {
	struct html h;
	const struct admin_facts *f;
	int64_t wall_ms; /* when the facts were gathered */
};

/* How bad something is: by word, by shape and by colour, in this order. */
enum page_tone { TONE_FINE, TONE_NOTE, TONE_WARNING, TONE_ALARM };
const char *page_tone_class(enum page_tone t); /* "fine" ... */
const char *page_tone_word(enum page_tone t);  /* "OK" ... */

/* ---- parts, top down ---- */

/* What was wanted by a form, to be confirmed, or what became of it; nothing when the target says
 * nothing of either. */
void page_order(struct page *p, const char *target);
/* "n1 is primary", "no primary (ambiguous)" and how bad that is. */
enum page_tone page_verdict(const struct admin_facts *f, const struct cluster_report *r,
			    struct buf *out);
void page_process_alerts(struct page *p);
void page_cluster(struct page *p, const struct cluster_report *r);
void page_cluster_alerts(struct page *p, const struct cluster_report *r);
void page_nodes(struct page *p, const struct cluster_report *r);
void page_listener(struct page *p, unsigned listener);
void page_servers(struct page *p, unsigned listener);
void page_failovers(struct page *p);
void page_phases(struct page *p, const struct failover *e);
void page_footer(struct page *p); /* for those who read HAProxy's page */

/* ---- words ---- */

const char *page_member(const struct page *p, int member, const char *nobody);
/* In a <dl>: a name, and what the caller puts between these two. */
void page_field(struct page *p, const char *name, const char *class);
void page_field_end(struct page *p);
void page_field_text(struct page *p, const char *name, const char *class, const char *format, ...)
	__attribute__((format(printf, 4, 5)));
void page_hidden(struct page *p, const char *name, const char *value); /* of a form */
void page_time(struct page *p, int64_t wall_ms); /* <time> in UTC, to the second */
/* How long ago it began. */
char *page_ago(const struct page *p, const struct failover *e, char *out, size_t n);
/* "12 kB": str_bytes with a blank. Returns `out`. */
enum { PAGE_BYTES_TEXT = 24 };
char *page_bytes(uint64_t bytes, char out[static PAGE_BYTES_TEXT]);
/* "1 client", "2 clients" */
void page_count(struct page *p, uint64_t n, const char *one);
