/* The end of the page: the lines that scrapers of HAProxy's page look for, in its words, and where
 * else to look. */
#include "admin/about.h"
#include "admin/command.h"
#include "admin/page.h"
#include <inttypes.h>

static void put_bold(struct page *p, const char *name, const char *format, ...)
	__attribute__((format(printf, 3, 4)));

/* As it stands there: "<b>uptime = </b> 0d 0h00m30s". */
static void put_bold(struct page *p, const char *name, const char *format, ...)
{
	struct buf value = {0};
	va_list ap;

	va_start(ap, format);
	buf_vprintf(&value, format, ap);
	va_end(ap);
	html_leaff(&p->h, "b", NULL, "%s = ", name);
	html_textf(&p->h, " %s", value.data);
	buf_fini(&value);
}

static void put_version(struct page *p)
{
	struct buf date = {0}, node = {0};

	about_release_date(&date);
	about_node(p->f->process->node, &node);
	html_leaff(&p->h, "p", NULL, "HAProxy version " ADMIN_VERSION ", released %s", date.data);
	html_leaff(&p->h, "p", NULL, "Statistics Report for pid %d on %s", p->f->process->pid,
		   node.data);
	buf_fini(&date);
	buf_fini(&node);
}

static void put_process(struct page *p)
{
	const struct process_facts *process = p->f->process;
	struct buf uptime = {0};

	about_uptime(process->uptime_ms, &uptime);
	html_begin(&p->h, "p", NULL);
	put_bold(p, "pid", "%d (process #1, nbproc = 1, nbthread = %u)", process->pid,
		 process->threads);
	html_void(&p->h, "br", NULL);
	put_bold(p, "uptime", "%s", uptime.data);
	html_void(&p->h, "br", NULL);
	put_bold(p, "maxsock", "%" PRIu64 "; ", process->nofile);
	put_bold(p, "maxconn", "%u", process->maxconn);
	html_void(&p->h, "br", NULL);
	html_textf(&p->h, "current conns = %u; conn rate = %u/sec; idle = %u %%",
		   process->sessions_now, process->rate, process->idle_pct);
	html_end(&p->h);
	buf_fini(&uptime);
}

static void put_links(struct page *p)
{
	static const struct {
		const char *target, *text;
	} links[] = {
		{"./;norefresh", "This page, still"},
		{"./;csv", "CSV"},
		{"metrics", "Metrics"},
		{"api/clusters", "Clusters as JSON"},
		{"api/events", "Failovers as JSON"},
		{"api/sessions", "Sessions as JSON"},
	};

	html_begin(&p->h, "nav", NULL);
	html_attr(&p->h, "aria-label", "Other forms");
	html_begin(&p->h, "ul", "links");
	for (size_t i = 0; i < sizeof(links) / sizeof(links[0]); i++) {
		html_begin(&p->h, "li", NULL);
		html_begin(&p->h, "a", NULL);
		html_attr(&p->h, "href", links[i].target);
		html_text(&p->h, links[i].text);
		html_end(&p->h);
		html_end(&p->h);
	}
	html_end(&p->h);
	html_end(&p->h);
}

void page_footer(struct page *p)
{
	html_begin(&p->h, "footer", NULL);
	put_links(p);
	put_version(p);
	put_process(p);
	html_end(&p->h);
}
