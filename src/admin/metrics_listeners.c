/* isari_listener_*: who waits, who was cut and why, and the limits that they meet. Sessions and
 * bytes have HAProxy's names already (metrics_haproxy.c). */
#include "admin/metrics.h"

static const struct prom_value absent = {.kind = PROM_ABSENT};

static const struct listener_config *config(const struct metrics *m, unsigned i)
{
	return &m->facts->config->listeners[i];
}

#define VALUE(name, expression)                                            \
	static struct prom_value name(const struct metrics *m, unsigned i) \
	{                                                                  \
		const struct row_facts *row = &m->facts->rows[i];          \
                                                                           \
		return (expression);                                       \
	}
#define CONFIGURED(name, expression)                                       \
	static struct prom_value name(const struct metrics *m, unsigned i) \
	{                                                                  \
		const struct listener_config *l = config(m, i);            \
                                                                           \
		return (expression);                                       \
	}

VALUE(waiting, PROM_INTEGER(row->waiting_now))
VALUE(waiting_since, PROM_MS(row->waiting_ms > 0 ? row->waiting_ms : 0))
VALUE(held, PROM_INTEGER(row->sum.held))
VALUE(released, PROM_INTEGER(row->sum.released))
VALUE(held_ms, PROM_MS(row->sum.held_ms))
VALUE(cuts, PROM_INTEGER(row->sum.cuts))
VALUE(no_server, PROM_INTEGER(row->sum.no_server))
VALUE(denied, PROM_INTEGER(row->sum.denied))
VALUE(connected, PROM_INTEGER(row->sum.connected))
VALUE(connect_ms, PROM_MS(row->sum.connect_ms))
VALUE(ended, PROM_INTEGER(row->sum.ended))
VALUE(session_ms, PROM_MS(row->sum.session_ms))
VALUE(cancels, PROM_INTEGER(row->sum.cancels))
VALUE(cancels_refused, PROM_INTEGER(row->sum.cancels_refused))
VALUE(coalesced, PROM_INTEGER(row->sum.coalesced))
VALUE(spliced, PROM_INTEGER(row->sum.spliced))
CONFIGURED(hold, PROM_MS(l->hold_ms))
CONFIGURED(hold_max, PROM_INTEGER(l->hold_max))
CONFIGURED(max_lag, l->has_max_lag ? PROM_INTEGER(l->max_lag_bytes) : absent)

/* ---- one sample per word ---- */

static const char *role_word(unsigned k)
{
	return role_name((enum role)k);
}

static struct prom_value serves(const struct metrics *m, unsigned i, unsigned k)
{
	return PROM_INTEGER(config(m, i)->serve >> k & 1);
}

static const char *state_word(unsigned k)
{
	return server_state_name((enum server_state)k);
}

static struct prom_value servers(const struct metrics *m, unsigned i, unsigned k)
{
	const struct report *r = m->facts->report;
	unsigned n = 0;

	for (size_t s = 0; s < r->n_servers; s++)
		n += r->servers[s].listener == i && r->servers[s].state == (enum server_state)k;
	return PROM_INTEGER(n);
}

static const char *reason_word(unsigned k)
{
	return close_reason_key((enum close_reason)k);
}

static struct prom_value closes(const struct metrics *m, unsigned i, unsigned k)
{
	return PROM_INTEGER(m->facts->rows[i].sum.closes[k]);
}

/* A session that one of these ended could have gone on, as far as its client knew. */
static const enum close_reason cut_reasons[] = {
	CLOSE_DEMOTED,       CLOSE_UNREACHABLE, CLOSE_LAGGING,  CLOSE_FENCED,    CLOSE_LEASE,
	CLOSE_WRONG_CLUSTER, CLOSE_MAINT,       CLOSE_OPERATOR, CLOSE_SENT_BACK, CLOSE_STOPPING};

static const char *cut_word(unsigned k)
{
	return close_reason_key(cut_reasons[k]);
}

static struct prom_value cuts_by(const struct metrics *m, unsigned i, unsigned k)
{
	return PROM_INTEGER(m->facts->rows[i].sum.closes[cut_reasons[k]]);
}

static bool listener_info(const struct metrics *m, unsigned i, struct buf *labels)
{
	prom_label(labels, "frontend", config(m, i)->frontend_name);
	prom_label(labels, "backend", config(m, i)->backend_name);
	return true;
}

/* clang-format off */
static const struct metric table[] = {
	{"isari_listener_info", PROM_GAUGE,
	 "Its names in haproxy_*: label proxy of the frontend, and of the backend and its servers.",
	 .info = listener_info},
	{"isari_listener_serves", PROM_GAUGE, "Roles that it is configured to serve.",
	 .each = {"role", N_ROLES, role_word, serves}},
	{"isari_listener_servers", PROM_GAUGE,
	 "Its servers by state; only those that are open take new sessions.",
	 .each = {"state", N_SERVER_STATES, state_word, servers}},
	{"isari_listener_held", PROM_GAUGE, "Clients that wait for a server now.",
	 .value = waiting},
	{"isari_listener_held_oldest_seconds", PROM_GAUGE,
	 "How long the first of them has; 0 while nobody waits.", .value = waiting_since},
	{"isari_listener_held_total", PROM_COUNTER, "Clients that had to wait for a server.",
	 .value = held},
	{"isari_listener_released_total", PROM_COUNTER,
	 "Clients that waited and were let go to a server.", .value = released},
	{"isari_listener_released_wait_seconds_total", PROM_COUNTER,
	 "How long clients waited, summed over released.", .value = held_ms},
	{"isari_listener_held_limit", PROM_GAUGE, "Configured: how many may wait at a time.",
	 .value = hold_max},
	{"isari_listener_hold_limit_seconds", PROM_GAUGE,
	 "Configured: how long a client may wait; 0 means it is refused at once.", .value = hold},
	{"isari_listener_lag_limit_bytes", PROM_GAUGE,
	 "Configured: a replica that lags more takes no new sessions; no sample without a limit.",
	 .value = max_lag},
	{"isari_listener_no_server_total", PROM_COUNTER,
	 "Clients told that no server is available.", .value = no_server},
	{"isari_listener_denied_total", PROM_COUNTER, "Connections refused by a limit.",
	 .value = denied},
	{"isari_listener_session_cuts_total", PROM_COUNTER,
	 "Sessions cut by verdict, policy or operator.", .value = cuts},
	{"isari_listener_cuts_total", PROM_COUNTER, "The same, by reason.",
	 .each = {"reason", sizeof(cut_reasons) / sizeof(cut_reasons[0]), cut_word, cuts_by}},
	{"isari_listener_closes_total", PROM_COUNTER, "Sessions that ended, by reason.",
	 .each = {"reason", N_CLOSE_REASONS, reason_word, closes}},
	{"isari_listener_sessions_ended_total", PROM_COUNTER, "Sessions that ended.",
	 .value = ended},
	{"isari_listener_session_seconds_total", PROM_COUNTER,
	 "How long sessions lived, summed over ended ones.", .value = session_ms},
	{"isari_listener_connects_total", PROM_COUNTER, "Server connections established.",
	 .value = connected},
	{"isari_listener_connect_seconds_total", PROM_COUNTER,
	 "How long that took, summed over them.", .value = connect_ms},
	{"isari_listener_cancels_total", PROM_COUNTER, "CancelRequests passed on.",
	 .value = cancels},
	{"isari_listener_cancels_refused_total", PROM_COUNTER,
	 "CancelRequests closed unheard: too many at a time.", .value = cancels_refused},
	{"isari_listener_coalesced_bytes_total", PROM_COUNTER,
	 "Bytes in both directions that were moved while a stream gathered.", .value = coalesced},
	{"isari_listener_spliced_bytes_total", PROM_COUNTER,
	 "Bytes in both directions that were moved without a copy.", .value = spliced},
};
/* clang-format on */

void metrics_listeners(const struct metrics *m)
{
	metrics_put(m, &m->listeners, table, sizeof(table) / sizeof(table[0]));
}
