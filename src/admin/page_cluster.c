/* A cluster on the status page: the verdict with since when, why, who was cut and what waits; then
 * its nodes and its listeners. */
#include "admin/page.h"
#include "admin/phrases.h"
#include "base/str.h"
#include <inttypes.h>

/* ---- the verdict ---- */

/* Where no listener wants a primary, there being none harms nobody. */
static bool wants_primary(const struct admin_facts *f, const struct cluster_report *r)
{
	return f->config->clusters[r->cluster].roles_served & ROLE_BIT(ROLE_PRIMARY);
}

enum page_tone page_verdict(const struct admin_facts *f, const struct cluster_report *r,
			    struct buf *out)
{
	if (r->primary < 0) {
		buf_puts(out, phrase_no_primary(r));
		return wants_primary(f, r) ? TONE_ALARM : TONE_NOTE;
	}
	buf_printf(out, "%s is primary", f->config->members[r->primary].name);
	if (phrase_doubt(f, r) == WHY_NONE)
		return TONE_FINE;
	buf_puts(out, ", in doubt");
	return TONE_WARNING;
}

/* Only this is announced when it changes: ages change all the time. */
static void put_title(struct page *p, const struct cluster_report *r, enum page_tone tone,
		      const char *verdict)
{
	html_begin(&p->h, "h2", NULL);
	html_attrf(&p->h, "id", "cluster-%u", r->cluster);
	html_attr(&p->h, "aria-live", "polite");
	html_attr(&p->h, "aria-atomic", "true");
	html_leaf(&p->h, "span", "badge", page_tone_word(tone));
	html_text(&p->h, " ");
	html_leaf(&p->h, "span", "whose", p->f->config->clusters[r->cluster].name);
	html_text(&p->h, ": ");
	html_leaf(&p->h, "strong", NULL, verdict);
	html_end(&p->h);
}

/* ---- since when, why ---- */

static void put_since(struct page *p, const struct cluster_report *r)
{
	char since[32];

	page_field(p, "Since", NULL);
	html_leaf(&p->h, "b", NULL, str_duration(r->since_ms_ago, since, sizeof(since)));
	html_text(&p->h, ", ");
	page_time(p, p->wall_ms - r->since_ms_ago);
	if (r->timeline)
		html_textf(&p->h, ", timeline %" PRIu64, r->timeline);
	if (r->in_doubt)
		html_text(&p->h, ", asked fast");
	page_field_end(p);
}

static void put_why(struct page *p, const struct cluster_report *r)
{
	struct buf why = {0};

	phrase_cluster_why(p->f, r, &why);
	page_field_text(p, "Why", "why", "%s", why.len ? why.data : "-");
	buf_fini(&why);
}

/* ---- what happened last, who was cut, what waits ---- */

static const struct failover *last_failover(const struct page *p, unsigned cluster)
{
	const struct journal *j = p->f->journal;

	for (unsigned i = j->n; i-- > 0;)
		if (j->entries[i].cluster == cluster && j->entries[i].from >= 0)
			return &j->entries[i];
	return NULL;
}

/* Why the one before is primary no more. */
static void put_before(struct page *p, const struct failover *e)
{
	char gap[32];

	page_field(p, "Before", NULL);
	html_leaf(&p->h, "b", NULL, page_member(p, e->from, ""));
	if (e->why != WHY_NONE)
		html_textf(&p->h, " %s", why_text(e->why));
	if (failover_gap_ms(e) >= 0)
		html_textf(&p->h, "; %s for %s", e->interruption ? "in doubt" : "no primary",
			   str_duration(failover_gap_ms(e), gap, sizeof(gap)));
	page_field_end(p);
}

struct clients { /* of all listeners of a cluster */
	uint64_t cuts, waiting;
	int64_t longest_ms; /* -1: nobody waits */
};

static struct clients clients_of(const struct page *p, unsigned cluster)
{
	struct clients c = {.longest_ms = -1};

	for (size_t i = 0; i < p->f->config->n_listeners; i++) {
		const struct row_facts *row = &p->f->rows[i];

		if (p->f->config->listeners[i].cluster != cluster)
			continue;
		c.cuts += row->sum.cuts;
		c.waiting += row->waiting_now;
		if (row->waiting_ms > c.longest_ms)
			c.longest_ms = row->waiting_ms;
	}
	return c;
}

static void put_cut(struct page *p, const struct failover *e, const struct clients *c)
{
	char ago[32];

	page_field(p, "Cut", NULL);
	if (e) {
		html_begin(&p->h, "b", NULL);
		page_count(p, e->counted.cut, "session");
		html_end(&p->h);
		html_textf(&p->h, " of %s, %s ago; ", page_member(p, e->from, ""),
			   page_ago(p, e, ago, sizeof(ago)));
	}
	if (c->cuts)
		html_textf(&p->h, "%" PRIu64 " since the start", c->cuts);
	else
		html_text(&p->h, "nobody since the start");
	page_field_end(p);
}

static void put_waiting(struct page *p, const struct clients *c)
{
	char longest[32];

	page_field(p, "Waiting", c->waiting ? "pressing" : NULL);
	if (c->waiting) {
		html_begin(&p->h, "b", NULL);
		page_count(p, c->waiting, "client");
		html_end(&p->h);
	} else {
		html_text(&p->h, "nobody");
	}
	if (c->waiting && c->longest_ms >= 0)
		html_textf(&p->h, ", longest %s",
			   str_duration(c->longest_ms, longest, sizeof(longest)));
	page_field_end(p);
}

static void put_verdict(struct page *p, const struct cluster_report *r)
{
	struct clients clients = clients_of(p, r->cluster);
	const struct failover *last = last_failover(p, r->cluster);
	struct buf verdict = {0};
	enum page_tone tone = page_verdict(p->f, r, &verdict);

	html_begin(&p->h, "div", "verdict");
	html_attr(&p->h, "data-tone", page_tone_class(tone));
	put_title(p, r, tone, verdict.data);
	html_begin(&p->h, "dl", "facts");
	put_since(p, r);
	put_why(p, r);
	if (last && last->to >= 0) /* else the reason above is the same */
		put_before(p, last);
	put_cut(p, last, &clients);
	put_waiting(p, &clients);
	html_end(&p->h);
	html_end(&p->h);
	buf_fini(&verdict);
}

/* ---- the whole ---- */

static void put_identity(struct page *p, const struct cluster_report *r)
{
	html_begin(&p->h, "p", "identity");
	if (*r->scope)
		html_textf(&p->h, "Patroni scope %s. ", r->scope);
	if (r->system_id)
		html_textf(&p->h, "System identifier %" PRIu64 ". ", r->system_id);
	html_textf(&p->h, "Changes of primary: %" PRIu64 ".", r->primary_changes);
	html_end(&p->h);
}

void page_cluster(struct page *p, const struct cluster_report *r)
{
	html_begin(&p->h, "section", "cluster");
	html_attrf(&p->h, "aria-labelledby", "cluster-%u", r->cluster);
	put_verdict(p, r);
	page_cluster_alerts(p, r);
	page_nodes(p, r);
	for (unsigned i = 0; i < p->f->config->n_listeners; i++)
		if (p->f->config->listeners[i].cluster == r->cluster)
			page_listener(p, i);
	put_identity(p, r);
	html_end(&p->h);
}
