/* What two readings of `isari top` differ in, per second. */
#include "admin/top.h"
#include <string.h>

static const struct top_listener *find(const struct top_model *m, const char *name)
{
	for (size_t i = 0; i < m->n_listeners; i++)
		if (strcmp(m->listeners[i].name, name) == 0)
			return &m->listeners[i];
	return NULL;
}

static double per_second(int64_t now, int64_t before, int64_t elapsed_ms)
{
	if (now < 0 || before < 0 || now < before || elapsed_ms <= 0)
		return -1;
	return (double)(now - before) * 1000 / (double)elapsed_ms;
}

static void keep(struct top_listener *l, const struct top_listener *was)
{
	l->rate = was->rate;
	l->in_per_second = was->in_per_second;
	l->out_per_second = was->out_per_second;
}

/* Of a counter that went back, isari's own rate is kept. */
static void differ(struct top_listener *l, const struct top_listener *was, int64_t elapsed_ms)
{
	double rate = per_second(l->sessions_total, was->sessions_total, elapsed_ms);

	l->in_per_second = per_second(l->bytes_in, was->bytes_in, elapsed_ms);
	l->out_per_second = per_second(l->bytes_out, was->bytes_out, elapsed_ms);
	if (rate >= 0)
		l->rate = rate;
}

void top_rates(struct top_model *now, const struct top_model *before, int64_t elapsed_ms,
	       int64_t least_ms)
{
	if (now->process.pid != before->process.pid)
		return;
	for (size_t i = 0; i < now->n_listeners; i++) {
		struct top_listener *l = &now->listeners[i];
		const struct top_listener *was = find(before, l->name);

		if (was && elapsed_ms < least_ms)
			keep(l, was);
		else if (was)
			differ(l, was, elapsed_ms);
	}
}
