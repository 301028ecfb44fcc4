/* The failover journal on the status page, newest first: who, when and why, what clients felt, and
 * the phases (page_phases.c). The older ones are one row each. */
#include "admin/page.h"
#include "admin/phrases.h"
#include "base/str.h"
#include <inttypes.h>
#include <string.h>

enum { SHOWN_WHOLE = 5 };

/* ---- what happened ---- */

static void put_change(struct page *p, const struct failover *e)
{
	struct buf change = {0};

	phrase_change(p->f, e, "\u2192", &change);
	html_text(&p->h, change.data);
	buf_fini(&change);
}

static void put_gap(struct page *p, const struct failover *e)
{
	char gap[32];

	page_field(p, e->interruption ? "In doubt for" : "No primary for", NULL);
	if (failover_gap_ms(e) >= 0)
		html_text(&p->h, str_duration(failover_gap_ms(e), gap, sizeof(gap)));
	else
		html_text(&p->h, e->to < 0 ? "still none" : "-");
	page_field_end(p);
}

static void put_timelines(struct page *p, const struct failover *e)
{
	page_field(p, "Timeline", NULL);
	if (e->from_timeline)
		html_textf(&p->h, "%" PRIu64, e->from_timeline);
	if (e->from_timeline && e->to_timeline)
		html_text(&p->h, " \u2192 ");
	if (e->to_timeline)
		html_textf(&p->h, "%" PRIu64, e->to_timeline);
	if (!e->from_timeline && !e->to_timeline)
		html_text(&p->h, "-");
	page_field_end(p);
}

static void put_counts(struct page *p, const struct failover *e)
{
	const struct tally *n = &e->counted;

	page_field_text(p, "Sessions cut", NULL, "%" PRIu64, n->cut);
	page_field_text(p, "Clients held", NULL, "%" PRIu64, n->held);
	page_field_text(p, "Released", NULL, "%" PRIu64, n->released);
	page_field_text(p, "Refused", n->refused ? "bad" : NULL, "%" PRIu64, n->refused);
	if (!e->closed)
		page_field_text(p, "Waiting", e->waiting ? "pressing" : NULL, "%u", e->waiting);
}

/* ---- one ---- */

static void put_head(struct page *p, const struct failover *e)
{
	html_begin(&p->h, "h3", NULL);
	html_begin(&p->h, "span", "change");
	html_leaf(&p->h, "span", "whose", p->f->config->clusters[e->cluster].name);
	html_text(&p->h, ": ");
	put_change(p, e);
	html_end(&p->h);
	html_text(&p->h, " ");
	html_leaf(&p->h, "span", "role", phrase_failover_kind(e));
	if (!e->closed) {
		html_text(&p->h, " ");
		html_leaf(&p->h, "span", "role", "so far");
	}
	html_end(&p->h);
}

static void put_when(struct page *p, const struct failover *e)
{
	char ago[32];

	html_begin(&p->h, "p", "when");
	page_time(p, failover_began_wall_ms(e));
	html_textf(&p->h, ", %s ago", page_ago(p, e, ago, sizeof(ago)));
	if (e->why != WHY_NONE)
		html_textf(&p->h, ": %s %s", page_member(p, e->from, ""), why_text(e->why));
	html_end(&p->h);
}

/* The newest is open. */
static void put_phases(struct page *p, const struct failover *e, bool is_open)
{
	html_begin(&p->h, "details", "how");
	html_attrf(&p->h, "id", "phases-%u-%" PRId64, e->cluster, failover_began_wall_ms(e));
	html_attr(&p->h, "data-newest", is_open ? "yes" : "no"); /* for the script */
	if (is_open)
		html_flag(&p->h, "open");
	html_leaf(&p->h, "summary", NULL, "Phases");
	page_phases(p, e);
	html_end(&p->h);
}

static void put_failover(struct page *p, const struct failover *e, bool is_newest)
{
	html_begin(&p->h, "article", "failover");
	html_attrf(&p->h, "id", "failover-%u-%" PRId64, e->cluster, failover_began_wall_ms(e));
	put_head(p, e);
	put_when(p, e);
	html_begin(&p->h, "dl", "numbers");
	put_gap(p, e);
	put_timelines(p, e);
	put_counts(p, e);
	html_end(&p->h);
	put_phases(p, e, is_newest);
	html_end(&p->h);
}

/* ---- the older ones ---- */

static void put_row(struct page *p, const struct failover *e)
{
	const struct tally *n = &e->counted;
	char gap[32];

	html_begin(&p->h, "tr", NULL);
	html_begin(&p->h, "th", NULL);
	html_attr(&p->h, "scope", "row");
	page_time(p, failover_began_wall_ms(e));
	html_end(&p->h);
	html_begin(&p->h, "td", NULL);
	html_textf(&p->h, "%s: ", p->f->config->clusters[e->cluster].name);
	put_change(p, e);
	html_end(&p->h);
	html_leaf(&p->h, "td", "number",
		  failover_gap_ms(e) < 0 ? "-"
					 : str_duration(failover_gap_ms(e), gap, sizeof(gap)));
	html_leaff(&p->h, "td", "number", "%" PRIu64, n->cut);
	html_leaff(&p->h, "td", "number", "%" PRIu64, n->held);
	html_leaff(&p->h, "td", "number", "%" PRIu64, n->refused);
	html_end(&p->h);
}

static void put_titles(struct page *p)
{
	static const char *const titles[] = {"Began", "Change", "Gap", "Cut", "Held", "Refused"};

	html_begin(&p->h, "thead", NULL);
	html_begin(&p->h, "tr", NULL);
	for (size_t i = 0; i < sizeof(titles) / sizeof(titles[0]); i++) {
		html_begin(&p->h, "th", i > 1 ? "number" : NULL);
		html_attr(&p->h, "scope", "col");
		html_text(&p->h, titles[i]);
		html_end(&p->h);
	}
	html_end(&p->h);
	html_end(&p->h);
}

static void put_older(struct page *p, unsigned n)
{
	html_begin(&p->h, "details", "older");
	html_attr(&p->h, "id", "older");
	html_leaff(&p->h, "summary", NULL, "Before that: %u", n);
	html_begin(&p->h, "table", "log");
	html_leaf(&p->h, "caption", NULL, "Older changes");
	put_titles(p);
	html_begin(&p->h, "tbody", NULL);
	while (n-- > 0)
		put_row(p, &p->f->journal->entries[n]);
	html_end(&p->h);
	html_end(&p->h);
	html_end(&p->h);
}

void page_failovers(struct page *p)
{
	const struct journal *j = p->f->journal;
	unsigned older = j->n > SHOWN_WHOLE ? j->n - SHOWN_WHOLE : 0;

	html_begin(&p->h, "section", "failovers");
	html_attr(&p->h, "aria-labelledby", "failovers");
	html_begin(&p->h, "h2", NULL);
	html_attr(&p->h, "id", "failovers");
	html_text(&p->h, "Failovers");
	html_end(&p->h);
	if (j->n == 0)
		html_leaf(&p->h, "p", NULL, "No cluster has had a primary since isari started.");
	for (unsigned i = j->n; i-- > older;)
		put_failover(p, &j->entries[i], i + 1 == j->n);
	if (older)
		put_older(p, older);
	html_end(&p->h);
}
