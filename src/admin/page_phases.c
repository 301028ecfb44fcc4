/* The phases of a failover as a table: when each was after the beginning, how long after the one
 * before it, and the same as bars. The bars say nothing that the numbers don't. */
#include "admin/page.h"
#include "admin/phrases.h"
#include <inttypes.h>

struct span { /* of all known moments */
	int64_t first_ms, last_ms;
};

static struct span span_of(const struct failover *e)
{
	struct span s = {failover_began_ms(e), failover_began_ms(e)};

	for (unsigned p = 0; p < N_PHASES; p++) {
		int64_t at = e->at_ms[p];

		if (at >= 0 && at < s.first_ms)
			s.first_ms = at;
		if (at > s.last_ms)
			s.last_ms = at;
	}
	return s;
}

/* In thousandths of the span. */
static unsigned place(const struct span *s, int64_t at_ms)
{
	int64_t all = s->last_ms - s->first_ms;

	return all > 0 ? (unsigned)((at_ms - s->first_ms) * 1000 / all) : 0;
}

static void put_rect(struct page *p, const char *class, unsigned from, unsigned to)
{
	html_begin(&p->h, "rect", class);
	html_attrf(&p->h, "x", "%u.%u%%", from / 10, from % 10);
	html_attrf(&p->h, "width", "%u.%u%%", (to - from) / 10, (to - from) % 10);
	html_attr(&p->h, "height", "100%");
	html_end(&p->h);
}

enum { TICK = 8 }; /* thousandths: what has no length is seen all the same */

/* `since_ms`: the phase before it, or -1: only its moment. */
static void put_bar(struct page *p, const struct span *s, int64_t at_ms, int64_t since_ms)
{
	unsigned at = place(s, at_ms), tick = at > TICK ? at - TICK : 0;

	html_begin(&p->h, "svg", NULL);
	html_attr(&p->h, "width", "100%");
	html_attr(&p->h, "height", "10");
	html_attr(&p->h, "aria-hidden", "true");
	html_attr(&p->h, "focusable", "false");
	if (since_ms >= 0 && since_ms < at_ms)
		put_rect(p, "step", place(s, since_ms), at);
	put_rect(p, "moment", tick, tick + TICK);
	html_end(&p->h);
}

/* A moment, or a step: with its sign, as a later phase may come first. */
static void put_ms(struct page *p, bool is_known, bool is_step, int64_t ms)
{
	html_begin(&p->h, "td", "number");
	if (is_known)
		html_textf(&p->h, is_step ? "%+" PRId64 " ms" : "%" PRId64 " ms", ms);
	else
		html_text(&p->h, "-");
	html_end(&p->h);
}

static void put_phase(struct page *p, const struct failover *e, enum phase phase, int64_t since_ms)
{
	struct span span = span_of(e);
	int64_t at_ms = e->at_ms[phase];

	html_begin(&p->h, "tr", NULL);
	html_begin(&p->h, "th", NULL);
	html_attr(&p->h, "scope", "row");
	html_text(&p->h, phrase_phase(e, phase));
	html_end(&p->h);
	put_ms(p, at_ms >= 0, false, at_ms - failover_began_ms(e));
	put_ms(p, at_ms >= 0 && since_ms >= 0, true, at_ms - since_ms);
	html_begin(&p->h, "td", "bar");
	if (at_ms >= 0)
		put_bar(p, &span, at_ms, since_ms);
	html_end(&p->h);
	html_end(&p->h);
}

static void put_titles(struct page *p)
{
	static const char *const titles[] = {"Phase", "At", "Step"};

	html_begin(&p->h, "thead", NULL);
	html_begin(&p->h, "tr", NULL);
	for (size_t i = 0; i < sizeof(titles) / sizeof(titles[0]); i++) {
		html_begin(&p->h, "th", i ? "number" : NULL);
		html_attr(&p->h, "scope", "col");
		html_text(&p->h, titles[i]);
		html_end(&p->h);
	}
	html_leaf(&p->h, "td", "bar", "");
	html_end(&p->h);
	html_end(&p->h);
}

/* The moment of a question is no step: it lies before, beside or after the others. */
void page_phases(struct page *p, const struct failover *e)
{
	int64_t before_ms = -1;

	html_begin(&p->h, "table", "phases");
	html_leaf(&p->h, "caption", NULL, "Phases, from the beginning");
	put_titles(p);
	html_begin(&p->h, "tbody", NULL);
	for (unsigned phase = 0; phase < N_PHASES; phase++) {
		if (e->from < 0 && e->at_ms[phase] < 0 && phase <= PHASE_GONE)
			continue; /* a start: there was nobody to lose */
		put_phase(p, e, (enum phase)phase, phase == PHASE_ASKED ? -1 : before_ms);
		if (e->at_ms[phase] >= 0 && phase != PHASE_ASKED)
			before_ms = e->at_ms[phase];
	}
	html_end(&p->h);
	html_end(&p->h);
}
