#pragma once
/* Latencies and the one line of JSON that a load prints. */
#include <stdbool.h>
#include <stdint.h>

/* Log-linear: 256 steps per doubling, so a percentile is right to 0.4 % and better. */
enum { HIST_BITS = 8, HIST_SLOTS = (64 - HIST_BITS) << HIST_BITS };

struct hist {
	uint64_t n, max_ns;
	uint32_t slots[HIST_SLOTS];
};

void hist_add(struct hist *h, int64_t ns);
void hist_clear(struct hist *h);
double hist_us(const struct hist *h, double part); /* part: 0.5 is the median */

/* One flat object on stdout. */
void json_open(const char *mode);
void json_count(const char *name, uint64_t value);
void json_real(const char *name, double value);
void json_flag(const char *name, bool value);
void json_latency(const char *prefix, const struct hist *h); /* p50_us, p99_us, max_us */
void json_close(void);
