/* The status page: the document around the part that changes, and that part's frame.
 * Not here: what a cluster, a listener or a failover looks like (page_*.c). */
#include "admin/status_page.h"
#include "admin/page.h"
#include "base/str.h"
#include <string.h>

enum { REFRESH_S = 5 }; /* without JavaScript */

static void page_init(struct page *p, const struct admin_facts *f, struct buf *out)
{
	*p = (struct page){.f = f, .wall_ms = f->process->wall_ms};
	html_init(&p->h, out);
}

/* ---- what all clusters together come to ---- */

/* The worst cluster; the first of several that are equally bad. NULL: there is none. */
static const struct cluster_report *worst(const struct admin_facts *f)
{
	const struct cluster_report *found = NULL;
	enum page_tone tone, worst_tone = TONE_FINE;
	struct buf verdict = {0};

	for (size_t i = 0; i < f->report->n_clusters; i++) {
		tone = page_verdict(f, &f->report->clusters[i], &verdict);
		if (found && tone <= worst_tone)
			continue;
		found = &f->report->clusters[i];
		worst_tone = tone;
	}
	buf_fini(&verdict);
	return found;
}

/* For the browser's tab: "main: n1 is primary - isari on db1". */
static void say_title(const struct admin_facts *f, struct buf *out)
{
	const struct cluster_report *r = worst(f);

	if (r) {
		buf_printf(out, "%s: ", f->config->clusters[r->cluster].name);
		page_verdict(f, r, out);
		buf_puts(out, " - ");
	}
	buf_printf(out, "isari on %s", f->process->node);
}

static void put_overview_item(struct page *p, const struct cluster_report *r)
{
	struct buf verdict = {0};
	enum page_tone tone = page_verdict(p->f, r, &verdict);

	html_begin(&p->h, "li", NULL);
	html_attr(&p->h, "data-tone", page_tone_class(tone));
	html_leaf(&p->h, "span", "badge", page_tone_word(tone));
	html_text(&p->h, " ");
	html_begin(&p->h, "a", NULL);
	html_attrf(&p->h, "href", "#cluster-%u", r->cluster);
	html_textf(&p->h, "%s: %s", p->f->config->clusters[r->cluster].name, verdict.data);
	html_end(&p->h);
	html_end(&p->h);
	buf_fini(&verdict);
}

/* With one cluster, its verdict is the overview. */
static void put_overview(struct page *p)
{
	const struct report *r = p->f->report;

	if (r->n_clusters < 2)
		return;
	html_begin(&p->h, "nav", "overview");
	html_attr(&p->h, "aria-label", "Clusters");
	html_begin(&p->h, "ul", NULL);
	for (size_t i = 0; i < r->n_clusters; i++)
		put_overview_item(p, &r->clusters[i]);
	html_end(&p->h);
	html_end(&p->h);
}

/* ---- the part that changes ---- */

static void put_main(struct page *p)
{
	struct buf title = {0};
	char at[STR_UTC_BYTES];

	say_title(p->f, &title);
	html_begin(&p->h, "main", NULL);
	html_attr(&p->h, "id", "main");
	html_attr(&p->h, "tabindex", "-1"); /* of the link that skips to it */
	html_attr(&p->h, "data-title", title.data);
	html_attr(&p->h, "data-at", str_utc(p->wall_ms, at, sizeof(at)));
	put_overview(p);
	page_process_alerts(p);
	for (size_t i = 0; i < p->f->report->n_clusters; i++)
		page_cluster(p, &p->f->report->clusters[i]);
	page_failovers(p);
	html_end(&p->h);
	buf_fini(&title);
}

static void put_live(struct page *p)
{
	put_main(p);
	page_footer(p);
}

void status_fragment(const struct admin_facts *f, struct buf *out)
{
	struct page p;

	page_init(&p, f, out);
	put_live(&p);
	html_fini(&p.h);
}

/* ---- the document ---- */

static void put_link(struct page *p, const char *rel, const char *target)
{
	html_void(&p->h, "link", NULL);
	html_attr(&p->h, "rel", rel);
	html_attr(&p->h, "href", target);
}

static void put_meta(struct page *p, const char *name, const char *content)
{
	html_void(&p->h, "meta", NULL);
	html_attr(&p->h, "name", name);
	html_attr(&p->h, "content", content);
}

static void put_refresh(struct page *p)
{
	html_begin(&p->h, "noscript", NULL);
	html_void(&p->h, "meta", NULL);
	html_attr(&p->h, "http-equiv", "refresh");
	html_attrf(&p->h, "content", "%d", REFRESH_S);
	html_end(&p->h);
}

static void put_document_head(struct page *p, bool refresh)
{
	struct buf title = {0};

	say_title(p->f, &title);
	html_begin(&p->h, "head", NULL);
	html_void(&p->h, "meta", NULL);
	html_attr(&p->h, "charset", "utf-8");
	put_meta(p, "viewport", "width=device-width, initial-scale=1");
	put_meta(p, "color-scheme", "light dark");
	put_meta(p, "robots", "noindex");
	html_leaf(&p->h, "title", NULL, title.data);
	put_link(p, "icon", "isari.svg");
	put_link(p, "stylesheet", "isari.css");
	html_begin(&p->h, "script", NULL);
	html_attr(&p->h, "src", "isari.js");
	html_flag(&p->h, "defer");
	html_end(&p->h);
	if (refresh)
		put_refresh(p);
	html_end(&p->h);
	buf_fini(&title);
}

/* The script keeps its second line: live, or for how long there has been no contact. */
static void put_banner(struct page *p)
{
	html_begin(&p->h, "a", "skip");
	html_attr(&p->h, "href", "#main");
	html_text(&p->h, "Skip to the clusters");
	html_end(&p->h);
	html_begin(&p->h, "header", "banner");
	html_begin(&p->h, "h1", NULL);
	html_text(&p->h, "isari");
	html_leaff(&p->h, "span", "node-name", " on %s", p->f->process->node);
	html_end(&p->h);
	html_begin(&p->h, "p", NULL);
	html_attr(&p->h, "id", "contact");
	html_text(&p->h, "As of ");
	page_time(p, p->wall_ms);
	html_end(&p->h);
	html_begin(&p->h, "p", NULL);
	html_attr(&p->h, "id", "lost");
	html_attr(&p->h, "role", "alert");
	html_end(&p->h);
	html_end(&p->h);
}

static void put_body(struct page *p, const char *target)
{
	html_begin(&p->h, "body", NULL);
	put_banner(p);
	page_order(p, target);
	html_begin(&p->h, "div", NULL);
	html_attr(&p->h, "id", "live");
	put_live(p);
	html_end(&p->h);
	html_end(&p->h);
}

/* Somebody who is asked a question is not to lose it. */
static bool wants_refresh(const char *target)
{
	const char *options = strpbrk(target, "?;");

	return !options || (!strstr(options, "norefresh") && !strstr(options, "action="));
}

void status_page(const struct admin_facts *f, const struct web_request *q, struct buf *out)
{
	struct page p;

	page_init(&p, f, out);
	html_doctype(&p.h);
	html_begin(&p.h, "html", NULL);
	html_attr(&p.h, "lang", "en");
	put_document_head(&p, wants_refresh(q->target));
	put_body(&p, q->target);
	html_end(&p.h);
	html_fini(&p.h);
	buf_putc(out, '\n');
}
