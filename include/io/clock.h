#pragma once
/* The two clocks. Judgements use clock_ms only: CLOCK_BOOTTIME, so that a suspended machine counts
 * as a pause. */
#include <stdint.h>
#include <time.h>

int64_t clock_ms(void);
int64_t clock_us(void);
struct timespec clock_wall(void); /* for log lines and people */
