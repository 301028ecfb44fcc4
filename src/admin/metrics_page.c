/* The page of metrics: which parts were asked for, and writing a table of metrics out. Not here:
 * which metrics there are (metrics_*.c), the format (wire/prometheus.h). */
#include "admin/metrics_page.h"
#include "admin/metrics.h"
#include "admin/stat_row.h"
#include "base/mem.h"
#include <errno.h>
#include <stdlib.h>
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

static int hex(char c)
{
	const char *digits = "0123456789abcdef", *at = c ? strchr(digits, c | 0x20) : NULL;

	return at ? (int)(at - digits) : -1;
}

/* In place: "%73erver" is "server". A NUL would end it early, and is no scope. */
static int decode(char *text)
{
	char *to = text;

	for (; *text; text++, to++) {
		*to = *text;
		if (*text != '%')
			continue;
		if (hex(text[1]) < 0 || hex(text[2]) < 0)
			return -EINVAL;
		*to = (char)(hex(text[1]) << 4 | hex(text[2]));
		if (*to == '\0')
			return -EINVAL;
		text += 2;
	}
	*to = '\0';
	return 0;
}

/* Keys that we do not know are somebody else's: a proxy's, a browser's. */
static int take_pair(struct wish *w, char *pair)
{
	char *value = strchr(pair, '=');

	if (value)
		*value++ = '\0';
	if (strcmp(pair, "no-maint") == 0)
		w->no_maint = true;
	if (strcmp(pair, "scope") != 0)
		return 0;
	if (!value || decode(value) < 0)
		return -EINVAL;
	return take_scope(w, value);
}

static int read_query(const char *query, struct wish *w)
{
	char *text = xstrdup(query), *rest = text, *pair;
	int rc = 0;

	*w = (struct wish){0};
	while (rc == 0 && (pair = strsep(&rest, "&")) != NULL)
		rc = take_pair(w, pair);
	if (!w->scoped)
		w->scopes = SCOPE_ALL;
	free(text);
	return rc;
}

/* ---- writing a table ---- */

static void put_each(const struct metrics *m, const struct metric *t, const char *labels,
		     unsigned i)
{
	for (unsigned k = 0; k < t->each.n_words; k++)
		prom_sample_with(m->out, t->name, labels, t->each.label, t->each.word(k),
				 t->each.value(m, i, k));
}

static void put_info(const struct metrics *m, const struct metric *t, const struct buf *labels,
		     unsigned i)
{
	struct buf more = {0};

	buf_append(&more, labels->data, labels->len);
	if (t->info(m, i, &more))
		prom_sample(m->out, t->name, more.data, PROM_INTEGER(1));
	buf_fini(&more);
}

static void put_metric(const struct metrics *m, const struct metric *t, const struct buf *labels,
		       unsigned i)
{
	if (t->value)
		prom_sample(m->out, t->name, labels->data, t->value(m, i));
	else if (t->each.value)
		put_each(m, t, labels->data, i);
	else if (t->info)
		put_info(m, t, labels, i);
	else if (t->hist(m, i))
		prom_histogram(m->out, t->name, labels->data, t->hist(m, i), t->hist_decimals);
}

void metrics_put(const struct metrics *m, const struct subjects *of, const struct metric *table,
		 size_t n)
{
	for (size_t t = 0; t < n; t++) {
		prom_family(m->out, table[t].name, table[t].type, table[t].help);
		for (unsigned i = 0; i < of->n; i++)
			put_metric(m, &table[t], &of->labels[i], i);
	}
}

/* ---- the subjects ---- */

static void subjects_init(struct subjects *s, size_t n)
{
	s->n = (unsigned)n;
	s->labels = xcalloc(n, sizeof(*s->labels));
}

static void subjects_fini(struct subjects *s)
{
	for (unsigned i = 0; i < s->n; i++)
		buf_fini(&s->labels[i]);
	free(s->labels);
}

static void label_clusters(struct metrics *m)
{
	const struct config *config = m->facts->config;

	subjects_init(&m->clusters, config->n_clusters);
	for (size_t i = 0; i < config->n_clusters; i++)
		prom_label(&m->clusters.labels[i], "cluster", config->clusters[i].name);
}

static void label_members(struct metrics *m)
{
	const struct config *config = m->facts->config;

	subjects_init(&m->members, config->n_members);
	for (size_t i = 0; i < config->n_members; i++) {
		const struct member_config *member = &config->members[i];

		prom_label(&m->members.labels[i], "cluster",
			   config->clusters[member->cluster].name);
		prom_label(&m->members.labels[i], "member", member->name);
	}
}

static void label_questions(struct metrics *m)
{
	static const char *const vias[] = {[VIA_REST] = "rest", [VIA_PORT] = "port"};

	subjects_init(&m->questions, N_VIAS * (size_t)m->members.n);
	for (unsigned i = 0; i < m->questions.n; i++) {
		const struct buf *member = &m->members.labels[i / N_VIAS];

		buf_append(&m->questions.labels[i], member->data, member->len);
		prom_label(&m->questions.labels[i], "via", vias[i % N_VIAS]);
	}
}

static void label_listeners(struct metrics *m)
{
	const struct config *config = m->facts->config;

	subjects_init(&m->listeners, config->n_listeners);
	for (size_t i = 0; i < config->n_listeners; i++) {
		const struct listener_config *l = &config->listeners[i];

		prom_label(&m->listeners.labels[i], "cluster",
			   config_listener_cluster(config, l)->name);
		prom_label(&m->listeners.labels[i], "listener", l->name);
	}
}

static void label_workers(struct metrics *m)
{
	struct buf index = {0};

	subjects_init(&m->process, 1);
	subjects_init(&m->workers, m->facts->n_workers);
	for (unsigned i = 0; i < m->workers.n; i++) {
		buf_clear(&index);
		buf_printf(&index, "%u", i);
		prom_label(&m->workers.labels[i], "worker", index.data);
	}
	buf_fini(&index);
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
	label_clusters(&m);
	label_members(&m);
	label_questions(&m);
	label_listeners(&m);
	label_workers(&m);
	if (w.scopes & SCOPE_GLOBAL)
		metrics_haproxy_process(&m);
	if (kinds_of(w.scopes))
		metrics_haproxy_rows(&m, kinds_of(w.scopes));
	if (w.scopes & SCOPE_ISARI)
		put_isari(&m);
	subjects_fini(&m.clusters);
	subjects_fini(&m.members);
	subjects_fini(&m.questions);
	subjects_fini(&m.listeners);
	subjects_fini(&m.workers);
	subjects_fini(&m.process);
	return 0;
}
