/* When to ask (rules 1 and 11). */
#include "core/schedule.h"

void doubt_surprise(struct doubt *d, int64_t now_ms)
{
	d->burst_until_ms = now_ms + SCHEDULE_BURST_MS;
	d->since_ms = now_ms;
	d->in_doubt = true;
}

void doubt_sign(struct doubt *d, int64_t now_ms)
{
	d->burst_until_ms = now_ms + SCHEDULE_BURST_MS;
	if (!d->in_doubt)
		d->since_ms = now_ms;
	d->in_doubt = true;
}

void doubt_update(struct doubt *d, bool unsettled, int64_t now_ms)
{
	bool in_doubt = unsettled || now_ms < d->burst_until_ms;

	if (in_doubt && !d->in_doubt)
		d->since_ms = now_ms;
	d->in_doubt = in_doubt;
}

static int64_t fast_gap(const struct probe_config *p, int64_t in_doubt_for_ms)
{
	int64_t gap = p->fast_interval_ms;

	for (int64_t t = SCHEDULE_BACKOFF_MS; t <= in_doubt_for_ms && gap < p->interval_ms;
	     t += SCHEDULE_BACKOFF_STEP_MS)
		gap *= 2;
	return gap < p->interval_ms ? gap : p->interval_ms;
}

int64_t schedule_gap_ms(const struct probe_config *p, const struct doubt *d, const struct asking *a,
			int64_t now_ms)
{
	return d->in_doubt ? fast_gap(p, now_ms - d->since_ms) : a->calm_gap_ms;
}

/* Jitter of up to a fifth, downwards only: never slower than the operator asked for. */
void schedule_begin_round(struct asking *a, const struct probe_config *p, struct rng *rng,
			  int64_t now_ms)
{
	uint64_t fifth = (uint64_t)p->interval_ms / 5 + 1;

	a->round_ms = now_ms;
	a->calm_gap_ms = p->interval_ms - (int64_t)rng_below(rng, fifth);
	a->pending = 1u << ASK_PRIMARY;
}

bool schedule_late(const struct asking *a, int64_t now_ms)
{
	return a->in_flight && now_ms - a->asked_ms >= SCHEDULE_LATE_MS;
}

static int64_t later_of(int64_t a, int64_t b)
{
	return a > b ? a : b;
}

int64_t schedule_next_ms(const struct probe_config *p, const struct doubt *d,
			 const struct asking *a, bool wants_ping, int64_t now_ms)
{
	int64_t next = INT64_MAX;

	if (!a->in_flight)
		next = a->pending ? now_ms : a->round_ms + schedule_gap_ms(p, d, a, now_ms);
	else if (!schedule_late(a, now_ms))
		next = a->asked_ms + SCHEDULE_LATE_MS;
	if (wants_ping && !a->port_in_flight) {
		int64_t ping = a->port_asked_ms + SCHEDULE_PING_MS;

		next = ping < next ? ping : next;
	}
	return later_of(next, now_ms);
}

unsigned schedule_role_questions(unsigned roles_served)
{
	static const struct {
		enum role role;
		enum question question;
	} map[] = {{ROLE_REPLICA, ASK_REPLICA},
		   {ROLE_SYNC, ASK_SYNC},
		   {ROLE_ASYNC, ASK_ASYNC},
		   {ROLE_QUORUM, ASK_QUORUM},
		   {ROLE_STANDBY_LEADER, ASK_STANDBY_LEADER}};
	unsigned bits = 0;

	for (unsigned i = 0; i < sizeof(map) / sizeof(map[0]); i++)
		if (roles_served & ROLE_BIT(map[i].role))
			bits |= 1u << map[i].question;
	return bits;
}
