/* The clocks. Nothing else in isari asks the kernel for the time. */
#include "io/clock.h"

static struct timespec now(clockid_t id)
{
	struct timespec t;

	clock_gettime(id, &t);
	return t;
}

int64_t clock_ms(void)
{
	struct timespec t = now(CLOCK_BOOTTIME);

	return (int64_t)t.tv_sec * 1000 + t.tv_nsec / 1000000;
}

int64_t clock_us(void)
{
	struct timespec t = now(CLOCK_BOOTTIME);

	return (int64_t)t.tv_sec * 1000000 + t.tv_nsec / 1000;
}

struct timespec clock_wall(void)
{
	return now(CLOCK_REALTIME);
}
