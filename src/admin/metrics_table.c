/* A table of metrics as samples: one per metric and subject; and the subjects with their labels.
 * Not here: which metrics there are (metrics_*.c), the format (wire/prometheus.h). */
#include "admin/metrics.h"
#include "base/mem.h"
#include <stdlib.h>

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

void metrics_label(struct metrics *m)
{
	label_clusters(m);
	label_members(m);
	label_questions(m);
	label_listeners(m);
	label_workers(m);
}

void metrics_fini(struct metrics *m)
{
	subjects_fini(&m->clusters);
	subjects_fini(&m->members);
	subjects_fini(&m->questions);
	subjects_fini(&m->listeners);
	subjects_fini(&m->workers);
	subjects_fini(&m->process);
}
