/* Order the questions that are due. One request in flight per member, and beside it at most one
 * ping of its data port while its REST is silent (rules 1, 5 and 11). */
#include "base/assert.h"
#include "base/str.h"
#include "core/monitor_state.h"

static struct probe_order *order(struct monitor *m, const struct member_state *s, enum question q,
				 int64_t timeout_ms)
{
	struct probe_order *p = &m->probes[m->n_probes++];

	INSIST(m->n_probes <= 2 * m->config->n_members);
	p->member = s->config->id;
	p->question = q;
	p->timeout_ms = timeout_ms;
	str_copy(p->ip, sizeof(p->ip), q == ASK_PORT ? s->ip : s->rest_ip);
	return p;
}

/* The probing as configured, but never so rarely that a lease could end between two proofs. */
static struct probe_config pace_of(const struct cluster_state *c)
{
	struct probe_config p = c->config->probe;
	int64_t third = monitor_lease_ms(c) / 3;

	p.interval_ms = p.interval_ms < third ? p.interval_ms : third;
	return p;
}

static enum question first_pending(unsigned pending)
{
	return (enum question)__builtin_ctz(pending);
}

static void ask_rest(struct monitor *m, struct cluster_state *c, struct member_state *s,
		     int64_t now_ms)
{
	struct asking *a = &s->asking;
	struct probe_config p = pace_of(c);

	if (a->in_flight || !s->address_known)
		return;
	if (!a->pending) {
		if (now_ms < a->round_ms + schedule_gap_ms(&p, &c->doubt, a, now_ms))
			return;
		schedule_begin_round(a, &p, &m->rng, now_ms);
	}
	a->question = first_pending(a->pending);
	a->pending &= a->pending - 1;
	a->in_flight = true;
	a->asked_ms = now_ms;
	order(m, s, a->question, p.timeout_ms);
}

static bool wants_ping(const struct member_state *s)
{
	return s->health.rest_silent && !s->health.gone && s->address_known;
}

static void ask_port(struct monitor *m, struct cluster_state *c, struct member_state *s,
		     int64_t now_ms)
{
	struct asking *a = &s->asking;

	if (!wants_ping(s) || a->port_in_flight || now_ms - a->port_asked_ms < SCHEDULE_PING_MS)
		return;
	a->port_in_flight = true;
	a->port_asked_ms = now_ms;
	order(m, s, ASK_PORT, c->config->probe.ping_timeout_ms);
}

/* A question without an answer for longer than Patroni ever needs is doubt, before any timeout.
 * From a member that is always slow it is no surprise. */
static void notice_late(struct cluster_state *c, struct member_state *s, int64_t now_ms)
{
	if (!schedule_late(&s->asking, now_ms))
		return;
	if (!s->health.rest_silent && !s->slow)
		doubt_surprise(&c->doubt, now_ms);
	health_late(&s->health, now_ms);
}

static bool unsettled(const struct cluster_state *c)
{
	const struct member_state *leader;

	if (c->leader.member < 0)
		return true;
	leader = &c->members[c->leader.member - (int)c->config->first_member];
	if (!leader->proof.fresh || leader->proof.voided)
		return true;
	for (unsigned i = 0; i < c->config->n_members; i++)
		if (health_in_doubt(&c->members[i].health, c->config->probe.fall))
			return true;
	return false;
}

void monitor_ask(struct monitor *m, int64_t now_ms)
{
	for (size_t i = 0; i < m->config->n_clusters; i++) {
		struct cluster_state *c = &m->clusters[i];

		for (unsigned k = 0; k < c->config->n_members; k++)
			notice_late(c, &c->members[k], now_ms);
		doubt_update(&c->doubt, unsettled(c), now_ms);
		for (unsigned k = 0; k < c->config->n_members; k++) {
			ask_rest(m, c, &c->members[k], now_ms);
			ask_port(m, c, &c->members[k], now_ms);
		}
	}
}

static int64_t sooner(int64_t a, int64_t b)
{
	return a < b ? a : b;
}

/* Never further than this, so that a loop that slept is noticed soon (rule 12). */
enum { LONGEST_SLEEP_MS = 1000 };

int64_t monitor_next_ms(const struct monitor *m, int64_t now_ms)
{
	int64_t next = now_ms + LONGEST_SLEEP_MS;

	for (size_t i = 0; i < m->config->n_clusters; i++) {
		const struct cluster_state *c = &m->clusters[i];
		struct probe_config p = pace_of(c);

		for (unsigned k = 0; k < c->config->n_members; k++) {
			const struct member_state *s = &c->members[k];

			if (s->proof.stands || s->lost != WHY_NONE)
				next = sooner(next, s->proof.until_ms > now_ms ? s->proof.until_ms
									       : next);
			if (s->address_known)
				next = sooner(next, schedule_next_ms(&p, &c->doubt, &s->asking,
								     wants_ping(s), now_ms));
		}
	}
	return next;
}
