/* isari_member_* and isari_probe_*: what members claim, what we judge, and how they answer. What is
 * not known has no sample. */
#include "admin/metrics.h"
#include "admin/phrases.h"
#include <stdio.h>
#include <string.h>

static const struct prom_value absent = {.kind = PROM_ABSENT};

static const struct member_report *report(const struct metrics *m, unsigned i)
{
	return &m->facts->report->members[i];
}

#define VALUE(name, expression)                                            \
	static struct prom_value name(const struct metrics *m, unsigned i) \
	{                                                                  \
		const struct member_report *r = report(m, i);              \
                                                                           \
		return (expression);                                       \
	}
#define KNOWN(known, value) ((known) ? (value) : absent)

VALUE(up, PROM_INTEGER(r->up))
VALUE(timeline, KNOWN(r->timeline &&phrase_is_current(m->facts, r), PROM_INTEGER(r->timeline)))
VALUE(lag, KNOWN(phrase_has_lag(m->facts, r), PROM_INTEGER(r->lag_bytes)))
VALUE(answer_age, KNOWN(r->last_answer_age_ms >= 0, PROM_MS(r->last_answer_age_ms)))
VALUE(proof_left, KNOWN(r->proof_left_ms >= 0, PROM_MS(r->proof_left_ms)))
VALUE(status, KNOWN(r->http_status, PROM_INTEGER(r->http_status)))
VALUE(sessions, PROM_INTEGER(phrase_member_sessions(m->facts, r->member)))

/* ---- one sample per word ---- */

static const char *role_word(unsigned k)
{
	return role_name((enum role)k);
}

static struct prom_value role(const struct metrics *m, unsigned i, unsigned k)
{
	return PROM_INTEGER(report(m, i)->roles >> k & 1);
}

static const char *state_word(unsigned k)
{
	return pg_state_name((enum pg_state)k);
}

/* What a member said once and does not confirm is not known. */
static struct prom_value state(const struct metrics *m, unsigned i, unsigned k)
{
	const struct member_report *r = report(m, i);
	enum pg_state known = phrase_is_current(m->facts, r) ? r->state : PG_UNKNOWN;

	return PROM_INTEGER(known == (enum pg_state)k);
}

static struct prom_value flag(const struct metrics *m, unsigned i, unsigned k)
{
	const struct member_report *r = report(m, i);

	return PROM_INTEGER(phrase_is_current(m->facts, r) && (r->flags >> k & 1));
}

/* ---- in words ---- */

static bool member_info(const struct metrics *m, unsigned i, struct buf *labels)
{
	const struct member_config *config = &m->facts->config->members[i];
	const struct member_report *r = report(m, i);
	bool is_current = phrase_is_current(m->facts, r);
	char version[PHRASE_VERSION_BYTES];

	prom_label(labels, "host", config->socket_path ? config->socket_path : config->host);
	prom_label(labels, "claim", is_current ? claim_name(r->claim) : "");
	prom_label(labels, "state", is_current ? pg_state_name(r->state) : "");
	prom_label(labels, "outcome", outcome_name(r->outcome));
	prom_label(labels, "why", why_text(r->why));
	prom_label(labels, "patroni_name", r->patroni_name);
	prom_label(labels, "version", r->patroni_version);
	prom_label(labels, "server_version", phrase_server_version(r->server_version, version));
	return true;
}

/* ---- how they answer ---- */

static const struct question_meter *meter(const struct metrics *m, unsigned i)
{
	static const struct question_meter none;

	return m->facts->meters ? &m->facts->meters->members[i / N_VIAS].via[i % N_VIAS] : &none;
}

static struct prom_value asked(const struct metrics *m, unsigned i)
{
	return PROM_INTEGER(meter(m, i)->asked);
}

/* OUTCOME_NONE is none. */
static const char *outcome_word(unsigned k)
{
	return outcome_name((enum outcome)(k + 1));
}

static struct prom_value outcome(const struct metrics *m, unsigned i, unsigned k)
{
	return PROM_INTEGER(meter(m, i)->outcomes[k + 1]);
}

static const struct hist *answer_time(const struct metrics *m, unsigned i)
{
	return m->facts->meters ? &meter(m, i)->answer_ms : NULL;
}

/* clang-format off */
static const struct metric members[] = {
	{"isari_member_up", PROM_GAUGE,
	 "1 while the member answers and belongs to the cluster, else 0.", .value = up},
	{"isari_member_role", PROM_GAUGE, "Roles that it serves by our judgement.",
	 .each = {"role", N_ROLES, role_word, role}},
	{"isari_member_state", PROM_GAUGE, "State of its PostgreSQL as its Patroni says.",
	 .each = {"state", N_PG_STATES, state_word, state}},
	{"isari_member_tag", PROM_GAUGE, "Tags and states that its Patroni says of it.",
	 .each = {"tag", N_PHRASE_FLAGS, phrase_flag, flag}},
	{"isari_member_timeline", PROM_GAUGE, "Timeline as it says.", .value = timeline},
	{"isari_member_lag_bytes", PROM_GAUGE,
	 "Behind the primary's last position that we saw.", .value = lag},
	{"isari_member_last_answer_age_seconds", PROM_GAUGE,
	 "Since its Patroni's last whole answer; no sample before the first.", .value = answer_age},
	{"isari_member_proof_left_seconds", PROM_GAUGE,
	 "How long its last proof to be primary still holds; no sample without one.",
	 .value = proof_left},
	{"isari_member_http_status", PROM_GAUGE, "HTTP status of its Patroni's last answer.",
	 .value = status},
	{"isari_member_sessions", PROM_GAUGE, "Sessions on it, of all listeners.",
	 .value = sessions},
	{"isari_member_info", PROM_GAUGE,
	 "What it claims, what became of the last question, and why it is (not) what it could be.",
	 .info = member_info},
};

static const struct metric questions[] = {
	{"isari_probes_total", PROM_COUNTER,
	 "Questions put to its Patroni (rest) or its PostgreSQL (port).", .value = asked},
	{"isari_probe_outcomes_total", PROM_COUNTER, "What became of them.",
	 .each = {"outcome", N_OUTCOMES - 1, outcome_word, outcome}},
	{"isari_probe_seconds", PROM_HISTOGRAM, "How long answers took.", .hist = answer_time,
	 .hist_decimals = 3},
};
/* clang-format on */

void metrics_members(const struct metrics *m)
{
	metrics_put(m, &m->members, members, sizeof(members) / sizeof(members[0]));
	metrics_put(m, &m->questions, questions, sizeof(questions) / sizeof(questions[0]));
}
