/* Order the questions that are due. One request in flight per member, and beside it at most one to
 * its data port while its REST is silent, or unsure and there is SQL to ask in (rules 1, 2, 5 and
 * 11). */
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

/* The probing as configured, but never so rarely that a lease could end between two proofs; and
 * whoever holds the lock already will be writable any moment. */
static struct probe_config pace_of(const struct cluster_state *c, const struct member_state *s)
{
	struct probe_config p = c->config->probe;
	int64_t third = monitor_lease_ms(c) / 3;

	p.interval_ms = p.interval_ms < third ? p.interval_ms : third;
	if (s->why == WHY_PROMOTING && p.fast_interval_ms > SCHEDULE_PROMOTING_MS)
		p.fast_interval_ms = SCHEDULE_PROMOTING_MS;
	return p;
}

static enum question first_pending(unsigned pending)
{
	return (enum question)__builtin_ctz(pending);
}

static bool is_idle(const struct member_state *s)
{
	return s->address_known && !s->asking.in_flight && !s->asking.pending;
}

static int64_t gap_of(const struct cluster_state *c, const struct member_state *s, int64_t now_ms)
{
	struct probe_config p = pace_of(c, s);

	return schedule_gap_ms(&p, &c->doubt, &s->asking, now_ms);
}

static bool is_due(const struct cluster_state *c, const struct member_state *s, int64_t now_ms)
{
	return is_idle(s) && now_ms >= s->asking.round_ms + gap_of(c, s, now_ms);
}

/* All members are asked in one sweep, so that their positions are of one moment (lag.h): whoever is
 * due takes along everybody who has waited half as long as it may. But for who is asked more often
 * than all others. */
static bool sweep_begins(const struct cluster_state *c, int64_t now_ms)
{
	for (unsigned k = 0; k < c->config->n_members; k++)
		if (c->members[k].why != WHY_PROMOTING && is_due(c, &c->members[k], now_ms))
			return true;
	return false;
}

static void begin_round(struct monitor *m, const struct cluster_state *c, struct member_state *s,
			bool sweep, int64_t now_ms)
{
	struct probe_config p = pace_of(c, s);
	bool joins = sweep && is_idle(s) && now_ms >= s->asking.round_ms + gap_of(c, s, now_ms) / 2;

	if (joins || is_due(c, s, now_ms))
		schedule_begin_round(&s->asking, &p, &m->rng, now_ms);
}

static void ask_rest(struct monitor *m, struct cluster_state *c, struct member_state *s,
		     int64_t now_ms)
{
	struct asking *a = &s->asking;
	struct probe_config p = pace_of(c, s);

	if (a->in_flight || !s->address_known || !a->pending)
		return;
	a->question = first_pending(a->pending);
	a->pending &= a->pending - 1;
	a->in_flight = true;
	a->asked_ms = now_ms;
	order(m, s, a->question, p.timeout_ms);
}

/* A bare answer of the port would tell nothing of a PostgreSQL that Patroni could not ask. */
static bool wants_port(const struct cluster_state *c, const struct member_state *s)
{
	if (!s->address_known)
		return false;
	return (s->health.rest_silent && !s->health.gone) || monitor_is_unsure(c, s);
}

static void ask_port(struct monitor *m, struct cluster_state *c, struct member_state *s,
		     int64_t now_ms)
{
	struct asking *a = &s->asking;

	if (!wants_port(c, s) || a->port_in_flight || now_ms - a->port_asked_ms < SCHEDULE_PING_MS)
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
		bool sweep;

		for (unsigned k = 0; k < c->config->n_members; k++)
			notice_late(c, &c->members[k], now_ms);
		doubt_update(&c->doubt, unsettled(c), now_ms);
		sweep = sweep_begins(c, now_ms);
		for (unsigned k = 0; k < c->config->n_members; k++) {
			begin_round(m, c, &c->members[k], sweep, now_ms);
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

		for (unsigned k = 0; k < c->config->n_members; k++) {
			const struct member_state *s = &c->members[k];
			struct probe_config p = pace_of(c, s);

			if (s->proof.stands || s->lost != WHY_NONE)
				next = sooner(next, s->proof.until_ms > now_ms ? s->proof.until_ms
									       : next);
			if (s->address_known)
				next = sooner(next, schedule_next_ms(&p, &c->doubt, &s->asking,
								     wants_port(c, s), now_ms));
		}
	}
	return next;
}

struct doubt *monitor_ask_at_once(struct cluster_state *c, int64_t now_ms)
{
	for (unsigned i = 0; i < c->config->n_members && !c->doubt.in_doubt; i++) {
		struct asking *a = &c->members[i].asking;

		if (now_ms - a->round_ms >= SCHEDULE_PROMOTING_MS)
			a->round_ms = now_ms - c->config->probe.interval_ms;
	}
	return &c->doubt;
}
