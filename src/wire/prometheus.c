/* Prometheus' text format. Written piece by piece without printf: a page is thousands of samples,
 * and the thread that writes it has better things to do. */
#include "wire/prometheus.h"
#include "base/assert.h"
#include "base/utf8.h"
#include <stddef.h>
#include <string.h>

enum { DIGITS = 20 };

/* ---- numbers ---- */

static void put_digits(struct buf *out, uint64_t n, unsigned at_least)
{
	char text[DIGITS], *p = text + sizeof(text);

	REQUIRE(at_least <= sizeof(text));
	while (n > 0 || text + sizeof(text) - p < (ptrdiff_t)at_least) {
		*--p = (char)('0' + n % 10);
		n /= 10;
	}
	buf_append(out, p, (size_t)(text + sizeof(text) - p));
}

static uint64_t power_of_ten(unsigned n)
{
	uint64_t power = 1;

	while (n-- > 0)
		power *= 10;
	return power;
}

static void put_number(struct buf *out, int64_t n, unsigned decimals)
{
	uint64_t unit = power_of_ten(decimals);
	uint64_t size = n < 0 ? 0 - (uint64_t)n : (uint64_t)n;

	if (n < 0)
		buf_putc(out, '-');
	put_digits(out, size / unit, 1);
	if (decimals == 0)
		return;
	buf_putc(out, '.');
	put_digits(out, size % unit, decimals);
}

/* ---- labels ---- */

static void put_escaped(struct buf *out, const char *text)
{
	while (*text) {
		uint32_t code;
		size_t n = utf8_decode(text, &code);

		switch (*text) {
		case '\n': buf_puts(out, "\\n"); break;
		case '\\': buf_puts(out, "\\\\"); break;
		case '"': buf_puts(out, "\\\""); break;
		default: buf_append(out, n == 1 && code == UTF8_REPLACEMENT ? "?" : text, n);
		}
		text += n;
	}
}

void prom_label(struct buf *labels, const char *name, const char *value)
{
	if (labels->len > 0)
		buf_putc(labels, ',');
	buf_puts(labels, name);
	buf_puts(labels, "=\"");
	put_escaped(labels, value);
	buf_putc(labels, '"');
}

/* ---- families and samples ---- */

void prom_family(struct buf *out, const char *name, enum prom_type type, const char *help)
{
	static const char *const words[] = {
		[PROM_GAUGE] = "gauge", [PROM_COUNTER] = "counter", [PROM_HISTOGRAM] = "histogram"};

	REQUIRE(strpbrk(help, "\\\n") == NULL); /* they would need escaping */
	buf_puts(out, "# HELP ");
	buf_puts(out, name);
	buf_putc(out, ' ');
	buf_puts(out, help);
	buf_puts(out, "\n# TYPE ");
	buf_puts(out, name);
	buf_putc(out, ' ');
	buf_puts(out, words[type]);
	buf_putc(out, '\n');
}

static void put_labels(struct buf *out, const char *labels, const char *label, const char *value)
{
	bool some = labels && *labels;

	if (!some && !label)
		return;
	buf_putc(out, '{');
	if (some)
		buf_puts(out, labels);
	if (label) {
		if (some)
			buf_putc(out, ',');
		buf_puts(out, label);
		buf_puts(out, "=\"");
		buf_puts(out, value);
		buf_putc(out, '"');
	}
	buf_putc(out, '}');
}

void prom_sample_with(struct buf *out, const char *name, const char *labels, const char *label,
		      const char *value, struct prom_value v)
{
	if (v.kind == PROM_ABSENT)
		return;
	buf_puts(out, name);
	put_labels(out, labels, label, value);
	buf_putc(out, ' ');
	if (v.kind == PROM_NAN)
		buf_puts(out, "NaN");
	else
		put_number(out, v.n, v.decimals);
	buf_putc(out, '\n');
}

void prom_sample(struct buf *out, const char *name, const char *labels, struct prom_value v)
{
	prom_sample_with(out, name, labels, NULL, NULL, v);
}

/* ---- histograms ---- */

static void put_bucket(struct buf *out, const char *name, const char *labels, const char *le,
		       uint64_t n)
{
	prom_sample_with(out, name, labels, "le", le, PROM_INTEGER(n));
}

/* "0.5", "10": as short as Prometheus itself would write a bound, so that a label stays the same
 * label whoever wrote it. */
static void format_bound(struct buf *out, int64_t bound, unsigned decimals)
{
	buf_clear(out);
	put_number(out, bound, decimals);
	if (decimals == 0)
		return;
	while (out->data[out->len - 1] == '0')
		out->data[--out->len] = '\0';
	if (out->data[out->len - 1] == '.')
		out->data[--out->len] = '\0';
}

void prom_histogram(struct buf *out, const char *name, const char *labels, const struct hist *h,
		    unsigned decimals)
{
	struct buf full = {0}, le = {0};
	uint64_t below = 0;

	buf_printf(&full, "%s_bucket", name);
	for (unsigned i = 0; i < h->n_bounds; i++) {
		below += h->counts[i];
		format_bound(&le, h->bounds[i], decimals);
		put_bucket(out, full.data, labels, le.data, below);
	}
	put_bucket(out, full.data, labels, "+Inf", h->n);
	buf_clear(&full);
	buf_printf(&full, "%s_sum", name);
	prom_sample(out, full.data, labels, (struct prom_value){PROM_NUMBER, h->sum, decimals});
	buf_clear(&full);
	buf_printf(&full, "%s_count", name);
	prom_sample(out, full.data, labels, PROM_INTEGER(h->n));
	buf_fini(&full);
	buf_fini(&le);
}
