/* Is a member there? (rule 5: silence is doubt, the data port is the second witness.) */
#include "core/health.h"

void health_answer(struct health *h, unsigned rise)
{
	h->silent = 0;
	h->rest_silent = false;
	h->gone = false;
	h->port = PORT_UNKNOWN;
	if (h->answers < rise)
		h->answers++;
	if (h->answers >= rise)
		h->up = true;
}

void health_late(struct health *h, int64_t now_ms)
{
	if (!h->rest_silent)
		h->silent_since_ms = now_ms;
	h->rest_silent = true;
}

void health_silence(struct health *h, unsigned fall, int64_t now_ms)
{
	health_late(h, now_ms);
	h->answers = 0;
	if (h->silent < fall)
		h->silent++;
	if (h->silent >= fall)
		h->up = false;
}

/* What was silent so often is down by another `fall`; an answer alone brings it up again. */
void health_take_fall(struct health *h, unsigned fall)
{
	if (h->silent >= fall)
		h->up = false;
}

void health_port(struct health *h, enum port port)
{
	if (!h->rest_silent)
		return;
	h->port = port;
	if (port == PORT_SILENT || port == PORT_REFUSED) {
		h->gone = true;
		h->up = false;
		h->answers = 0;
	}
}

bool health_in_doubt(const struct health *h, unsigned fall)
{
	if (h->gone)
		return false;
	return (h->rest_silent && h->silent < fall) || (!h->up && h->answers > 0);
}
