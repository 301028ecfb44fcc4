#pragma once
/* Prometheus' text exposition format, version 0.0.4: families of samples with labels. Pure. Not
 * here: which metrics there are (admin/metrics_*.c). */
#include "base/buf.h"
#include "base/hist.h"
#include <stdbool.h>
#include <stdint.h>

#define PROM_CONTENT_TYPE "text/plain; version=0.0.4"

enum prom_type { PROM_GAUGE, PROM_COUNTER, PROM_HISTOGRAM };

/* A number with a fixed point: no float is rounded, and none is formatted. */
struct prom_value {
	enum prom_kind {
		PROM_ABSENT, /* there is no such sample */
		PROM_NAN,    /* there is, and it says that nothing is known */
		PROM_NUMBER,
	} kind;
	int64_t n; /* in units of 10^-decimals */
	unsigned decimals;
};

#define PROM_INTEGER(value) ((struct prom_value){PROM_NUMBER, (int64_t)(value), 0})
#define PROM_MS(value)      ((struct prom_value){PROM_NUMBER, (int64_t)(value), 3}) /* as seconds */
#define PROM_US(value)      ((struct prom_value){PROM_NUMBER, (int64_t)(value), 6}) /* as seconds */

/* `# HELP` and `# TYPE`: before the samples of that name, once. */
void prom_family(struct buf *out, const char *name, enum prom_type type, const char *help);

/* Build a set of labels: one more of them. Values are escaped; what is no UTF-8 becomes '?', as the
 * reader would refuse the whole page for it. */
void prom_label(struct buf *labels, const char *name, const char *value);

/* `labels` as built, without braces; "" or NULL for none. */
void prom_sample(struct buf *out, const char *name, const char *labels, struct prom_value v);
/* The same with one more label, whose value needs no escaping. */
void prom_sample_with(struct buf *out, const char *name, const char *labels, const char *label,
		      const char *value, struct prom_value v);

/* All the samples of one histogram: _bucket (cumulative, with +Inf), _sum and _count. Its unit is
 * 10^-decimals of the metric's. */
void prom_histogram(struct buf *out, const char *name, const char *labels, const struct hist *h,
		    unsigned decimals);
