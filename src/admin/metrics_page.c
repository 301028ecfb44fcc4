/* The page of metrics: which parts were asked for, one after the other. Not here: which metrics
 * there are (metrics_*.c), writing a table of them out (metrics_table.c). */
#include "admin/metrics_page.h"
#include "admin/metrics.h"
#include "admin/stat_row.h"
#include "admin/web_fields.h"
#include <errno.h>
#include <string.h>

/* ---- what is asked for ---- */

enum {
	SCOPE_GLOBAL = 1 << 0,
	SCOPE_FRONTEND = 1 << 1,
	SCOPE_BACKEND = 1 << 2,
	SCOPE_SERVER = 1 << 3,
	SCOPE_ISARI = 1 << 4,
	SCOPE_ALL = (1 << 5) - 1,
};

struct wish {
	unsigned scopes;
	bool scoped, no_maint;
};

static int take_scope(struct wish *w, const char *name)
{
	static const struct {
		const char *name;
		unsigned scopes;
	} scopes[] = {
		{"global", SCOPE_GLOBAL}, {"frontend", SCOPE_FRONTEND}, {"backend", SCOPE_BACKEND},
		{"server", SCOPE_SERVER}, {"isari", SCOPE_ISARI},       {"*", SCOPE_ALL},
		{"listener", 0}, /* HAProxy's, which has neither by default */
		{"sticktable", 0},
	};

	w->scoped = true;
	if (!*name) { /* "scope=" takes back what stood before it */
		w->scopes = 0;
		return 0;
	}
	for (size_t i = 0; i < sizeof(scopes) / sizeof(scopes[0]); i++) {
		if (strcmp(scopes[i].name, name) != 0)
			continue;
		w->scopes |= scopes[i].scopes;
		return 0;
	}
	return -EINVAL;
}

/* Fields that we do not know are somebody else's: a proxy's, a browser's. */
static int read_query(const char *query, struct wish *w)
{
	const char *end = query + strlen(query);
	struct web_field f;

	*w = (struct wish){0};
	while (web_next_field(&query, end, &f)) {
		if (strcmp(f.name, "no-maint") == 0)
			w->no_maint = true;
		if (strcmp(f.name, "scope") == 0 && (!f.has_value || take_scope(w, f.value) < 0))
			return -EINVAL;
	}
	if (!w->scoped)
		w->scopes = SCOPE_ALL;
	return 0;
}

/* ---- the page ---- */

static unsigned kinds_of(unsigned scopes)
{
	return (scopes & SCOPE_FRONTEND ? STAT_FRONTEND : 0u) |
	       (scopes & SCOPE_BACKEND ? STAT_BACKEND : 0u) |
	       (scopes & SCOPE_SERVER ? STAT_SERVER : 0u);
}

static void put_isari(const struct metrics *m)
{
	metrics_clusters(m);
	metrics_members(m);
	metrics_listeners(m);
	metrics_own(m);
}

int metrics_page(const struct admin_facts *f, const char *query, struct buf *out)
{
	struct metrics m = {.facts = f, .out = out};
	struct wish w;
	int rc = read_query(query, &w);

	if (rc < 0)
		return rc;
	m.no_maint = w.no_maint;
	metrics_label(&m);
	if (w.scopes & SCOPE_GLOBAL)
		metrics_haproxy_process(&m);
	if (kinds_of(w.scopes))
		metrics_haproxy_rows(&m, kinds_of(w.scopes));
	if (w.scopes & SCOPE_ISARI)
		put_isari(&m);
	metrics_fini(&m);
	return 0;
}
