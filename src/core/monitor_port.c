/* Take the second witness in: what PostgreSQL's own port says while its member's Patroni is silent
 * (rule 5), and with probe.sql also while Patroni answers that it could not ask (rule 2).
 *
 * It never makes a primary: only a proof does, and only Patroni knows who holds the lock. It keeps
 * one no longer than the lease. It unmakes one when it is silent, refuses, or says over SQL that it
 * is in recovery: that is a clear no (rule 3). A replica's "not in recovery" is no more than a sign
 * of life.
 * Not here: when it is asked (monitor_ask.c), how (control/prober.c). */
#include "core/monitor_state.h"

static enum port port_of(enum outcome o)
{
	switch (o) {
	case OUTCOME_ANSWERED: return PORT_ALIVE;
	case OUTCOME_TIMEOUT:
	case OUTCOME_CONNECT_TIMEOUT:
	case OUTCOME_UNREACHABLE: return PORT_SILENT;
	case OUTCOME_OWN_FAULT: return PORT_UNKNOWN;
	default: return PORT_REFUSED; /* somebody is there, and it takes no sessions */
	}
}

/* Of the two words the later one counts, and a promotion may lie between them: only a question that
 * was put after the last proof had been given. */
static bool contradicts_proof(const struct member_state *s, const struct observation *o)
{
	return o->outcome == OUTCOME_ANSWERED && o->claim == CLAIM_REPLICA &&
	       (s->proof.stands || s->proof.silenced) && o->asked_ms >= s->proof.answered_ms;
}

static void take_contradiction(struct cluster_state *c, struct member_state *s, int64_t now_ms)
{
	s->why = WHY_IN_RECOVERY;
	monitor_refute(c, s, WHY_IN_RECOVERY);
	doubt_surprise(&c->doubt, now_ms);
}

bool monitor_is_unsure(const struct cluster_state *c, const struct member_state *s)
{
	return c->config->probe.sql.wanted && s->proof.stands && s->why == WHY_STATE_UNKNOWN &&
	       !s->health.rest_silent;
}

/* Its Patroni answers, so it is not gone, and who holds the lock is not in question: whoever is
 * there stays, until the lease. But nobody new is sent where no session is to be had. */
static void take_port_of_unsure(struct member_state *s, enum port port)
{
	if (port != PORT_ALIVE && s->proof.unwritable == WHY_NONE)
		s->proof.unwritable = WHY_STATE_UNKNOWN;
	if (port == PORT_ALIVE && s->proof.unwritable == WHY_STATE_UNKNOWN)
		s->proof.unwritable = WHY_NONE;
}

static void take_port_of_silent(struct cluster_state *c, struct member_state *s, enum port port,
				int64_t now_ms)
{
	bool was_gone = s->health.gone;

	health_port(&s->health, port);
	if (!s->health.gone || was_gone)
		return;
	s->why = port == PORT_REFUSED ? WHY_PORT_REFUSED : WHY_PORT_SILENT;
	s->roles = 0; /* to be asked again when it is back */
	monitor_withdraw(c, s, s->why);
	doubt_surprise(&c->doubt, now_ms);
}

static void take_port(struct cluster_state *c, struct member_state *s, const struct observation *o,
		      int64_t now_ms)
{
	enum port port = port_of(o->outcome);

	if (port == PORT_UNKNOWN)
		return;
	if (contradicts_proof(s, o))
		take_contradiction(c, s, now_ms);
	if (monitor_is_unsure(c, s))
		take_port_of_unsure(s, port);
	else if (s->health.rest_silent && o->asked_ms >= s->health.silent_since_ms)
		take_port_of_silent(c, s, port, now_ms); /* of the silence that there is now */
}

void monitor_observe_port(struct monitor *m, struct cluster_state *c, struct member_state *s,
			  const struct observation *o, int64_t now_ms)
{
	bool stale = s->asking.port_stale;

	s->asking.port_in_flight = s->asking.port_stale = false;
	if (!stale && o->asked_ms >= m->void_before_ms)
		take_port(c, s, o, now_ms);
}
