/* Latencies and the one line of JSON that a load prints.
 * Not here: what is measured. */
#include "stats.h"

#include <stdio.h>
#include <string.h>

static unsigned slot_of(uint64_t ns)
{
	unsigned top = 63 - (unsigned)__builtin_clzll(ns | 1);
	if (top < HIST_BITS)
		return (unsigned)ns;
	unsigned shift = top - HIST_BITS;
	return (shift << HIST_BITS) + (unsigned)(ns >> shift);
}

static double lower_edge(unsigned slot)
{
	if (slot < 2U << HIST_BITS)
		return slot;
	unsigned shift = (slot >> HIST_BITS) - 1;
	return (double)((uint64_t)(slot - (shift << HIST_BITS)) << shift);
}

void hist_add(struct hist *h, int64_t ns)
{
	uint64_t t = ns > 0 ? (uint64_t)ns : 0;
	h->slots[slot_of(t)]++;
	h->n++;
	if (t > h->max_ns)
		h->max_ns = t;
}

void hist_clear(struct hist *h)
{
	memset(h, 0, sizeof(*h));
}

/* Within a slot the values are taken as evenly spread. */
double hist_us(const struct hist *h, double part)
{
	double want = part * (double)h->n, seen = 0;
	for (unsigned i = 0; i < HIST_SLOTS; i++) {
		double here = h->slots[i];
		if (here > 0 && seen + here >= want) {
			double low = lower_edge(i), high = lower_edge(i + 1);
			double ns = low + (high - low) * (want - seen) / here;
			return (ns < (double)h->max_ns ? ns : (double)h->max_ns) / 1000;
		}
		seen += here;
	}
	return (double)h->max_ns / 1000;
}

void json_open(const char *mode)
{
	printf("{\"mode\": \"%s\"", mode);
}

void json_count(const char *name, uint64_t value)
{
	printf(", \"%s\": %llu", name, (unsigned long long)value);
}

void json_real(const char *name, double value)
{
	printf(", \"%s\": %.3f", name, value);
}

void json_flag(const char *name, bool value)
{
	printf(", \"%s\": %s", name, value ? "true" : "false");
}

void json_latency(const char *prefix, const struct hist *h)
{
	printf(", \"%sp50_us\": %.3f, \"%sp99_us\": %.3f, \"%smax_us\": %.3f", prefix,
	       hist_us(h, 0.5), prefix, hist_us(h, 0.99), prefix, (double)h->max_ns / 1000);
}

void json_close(void)
{
	puts("}");
	fflush(stdout);
}
