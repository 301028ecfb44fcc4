/* Ask, wait, stamp, answer.
 *
 * Happy path: prober_ask starts a GET (or asks the data port) and a timer; the answer stops the
 * timer, the body is read, the observation goes up. If the request cannot even be started, the
 * timer delivers OWN_FAULT on the next turn; if the library never calls back, it delivers TIMEOUT
 * after the deadline plus a grace. */
#include "control/prober.h"
#include "base/assert.h"
#include "base/mem.h"
#include "base/str.h"
#include "io/clock.h"
#include "io/http_get.h"
#include "io/log.h"
#include "io/pg_ask.h"
#include "io/pg_ping.h"
#include "wire/patroni_json.h"
#include <stdlib.h>

enum { GRACE_MS = 250 }; /* for the library's own timeout to come first */

struct probe { /* a question to one member's REST, or to its data port */
	struct prober *prober;
	uv_timer_t deadline;
	bool in_flight;
	struct http_get *get;
	struct pg_ping *ping;
	struct pg_ask *ask;
	bool sql_complained; /* the log has said that it cannot be asked in SQL */
	struct observation o;
};

struct prober {
	struct prober_setup setup;
	struct http_client *http;
	struct probe *probes; /* 2 * n_members: REST, port */
	size_t n_probes;
	size_t n_open; /* handles and clients still to close */
	void (*on_closed)(void *arg);
	void *closed_arg;
};

static void finish(struct probe *p, enum outcome outcome)
{
	struct observation o;

	INSIST(p->in_flight);
	p->in_flight = false;
	p->get = NULL;
	p->ping = NULL;
	p->ask = NULL;
	uv_timer_stop(&p->deadline);
	p->o.outcome = outcome;
	p->o.answered_ms = clock_ms();
	o = p->o; /* the receiver may ask again at once */
	p->prober->setup.on_answer(p->prober->setup.arg, &o);
}

/* ---- REST ---- */

static enum outcome outcome_of_http(enum http_result r)
{
	switch (r) {
	case HTTP_OK: return OUTCOME_ANSWERED;
	case HTTP_REFUSED: return OUTCOME_REFUSED;
	case HTTP_UNREACHABLE: return OUTCOME_UNREACHABLE;
	case HTTP_CONNECT_TIMEOUT: return OUTCOME_CONNECT_TIMEOUT;
	case HTTP_TIMEOUT: return OUTCOME_TIMEOUT;
	case HTTP_RESET: return OUTCOME_RESET;
	case HTTP_INVALID: return OUTCOME_BAD_HTTP;
	case HTTP_TOO_BIG: return OUTCOME_TOO_BIG;
	case HTTP_TLS: return OUTCOME_TLS;
	case HTTP_OWN_FAULT:
	case HTTP_CANCELED: break;
	}
	return OUTCOME_OWN_FAULT;
}

/* Status 200 must come with a body we understand; for any other status the code alone is the
 * answer. */
static enum outcome read_body(struct observation *o, const char *body, size_t len)
{
	int rv = o->question == ASK_CONFIG ? patroni_json_read_config(body, len, o)
					   : patroni_json_read(body, len, o);

	return rv < 0 && o->http_status == 200 ? OUTCOME_BAD_JSON : OUTCOME_ANSWERED;
}

static void on_http(void *arg, enum http_result result, int status, const char *body, size_t len)
{
	struct probe *p = arg;
	enum outcome outcome = outcome_of_http(result);

	p->get = NULL;
	p->o.http_status = result == HTTP_OK ? status : 0;
	if (outcome == OUTCOME_ANSWERED)
		outcome = read_body(&p->o, body, len);
	finish(p, outcome);
}

static int start_get(struct probe *p, const struct probe_order *order)
{
	const struct member_config *m = &p->prober->setup.config->members[order->member];
	struct http_request r = {.tls = m->rest_tls,
				 .host = m->rest_host,
				 .ip = order->ip,
				 .port = m->rest_port,
				 .path = question_path(order->question),
				 .timeout_ms = order->timeout_ms};

	return http_get_start(p->prober->http, &r, on_http, p, &p->get);
}

/* ---- the data port, by a bare SSLRequest ---- */

static enum outcome outcome_of_ping(enum ping_result r)
{
	switch (r) {
	case PING_ALIVE: return OUTCOME_ANSWERED;
	case PING_REFUSED: return OUTCOME_REFUSED;
	case PING_UNREACHABLE: return OUTCOME_UNREACHABLE;
	case PING_TIMEOUT: return OUTCOME_TIMEOUT;
	case PING_RESET: return OUTCOME_RESET;
	case PING_GARBAGE: return OUTCOME_BAD_HTTP;
	case PING_OWN_FAULT: break;
	}
	return OUTCOME_OWN_FAULT;
}

static void on_ping(void *arg, enum ping_result result)
{
	struct probe *p = arg;

	p->ping = NULL;
	finish(p, outcome_of_ping(result));
}

/* The way that sessions go. */
static int start_ping(struct probe *p, const struct probe_order *order)
{
	const struct member_config *m = &p->prober->setup.config->members[order->member];
	struct dialer_address to;
	int rc = m->socket_path ? dialer_address_socket(&to, m->socket_path)
				: dialer_address_ip(&to, order->ip, m->port);

	if (rc < 0)
		return rc;
	return pg_ping_start(p->prober->setup.loop, &to, order->timeout_ms, on_ping, p, &p->ping);
}

/* ---- the data port, over SQL ---- */

/* Who denies us an answer, or cannot prove who it is, is alive: a witness that is not set up well
 * must not end sessions. */
static enum outcome outcome_of_sql(enum sql_result r)
{
	switch (r) {
	case SQL_PRIMARY:
	case SQL_STANDBY:
	case SQL_DENIED:
	case SQL_TLS: return OUTCOME_ANSWERED;
	case SQL_NOT_READY:
	case SQL_REFUSED: return OUTCOME_REFUSED;
	case SQL_UNREACHABLE: return OUTCOME_UNREACHABLE;
	case SQL_TIMEOUT: return OUTCOME_TIMEOUT;
	case SQL_RESET: return OUTCOME_RESET;
	case SQL_GARBAGE: return OUTCOME_BAD_HTTP;
	case SQL_OWN_FAULT: break;
	}
	return OUTCOME_OWN_FAULT;
}

static enum claim claim_of_sql(enum sql_result r)
{
	if (r == SQL_PRIMARY)
		return CLAIM_PRIMARY;
	return r == SQL_STANDBY ? CLAIM_REPLICA : CLAIM_UNKNOWN;
}

/* Once, until it can be asked again: the question is put twice a second. */
static void complain(struct probe *p, const char *detail)
{
	const struct config *config = p->prober->setup.config;
	const struct member_config *m = &config->members[p->o.member];
	struct log_line l;

	if (p->sql_complained || !log_begin(&l, SEVERITY_WARNING, "sql_denied"))
		return;
	p->sql_complained = true;
	log_str(&l, "cluster", config->clusters[m->cluster].name);
	log_str(&l, "member", m->name);
	log_str(&l, "why", detail);
	log_str(&l, "msg", "it counts as alive, and its role stays unknown: mend probe.sql");
	log_end(&l);
}

static void on_sql(void *arg, enum sql_result result, const char *detail)
{
	struct probe *p = arg;

	p->ask = NULL;
	p->o.claim = claim_of_sql(result);
	if (result == SQL_DENIED || result == SQL_TLS)
		complain(p, detail);
	if (p->o.claim != CLAIM_UNKNOWN)
		p->sql_complained = false;
	finish(p, outcome_of_sql(result));
}

static int start_sql(struct probe *p, const struct probe_order *order)
{
	const struct config *config = p->prober->setup.config;
	const struct member_config *m = &config->members[order->member];
	const struct sql_config *sql = &config->clusters[m->cluster].probe.sql;
	struct sql_question q = {.ip = order->ip,
				 .host = m->host,
				 .socket = m->socket_path,
				 .port = m->port,
				 .user = sql->user,
				 .dbname = sql->dbname,
				 .passfile = sql->passfile,
				 .sslmode = sql->sslmode,
				 .timeout_ms = order->timeout_ms};

	return pg_ask_start(p->prober->setup.loop, &q, on_sql, p, &p->ask);
}

/* ---- asking ---- */

static int start(struct probe *p, const struct probe_order *order)
{
	const struct config *config = p->prober->setup.config;
	unsigned cluster = config->members[order->member].cluster;

	if (order->question != ASK_PORT)
		return start_get(p, order);
	return config->clusters[cluster].probe.sql.wanted ? start_sql(p, order)
							  : start_ping(p, order);
}

static void abandon(struct probe *p)
{
	if (p->get)
		http_get_cancel(p->get);
	if (p->ping)
		pg_ping_cancel(p->ping);
	if (p->ask)
		pg_ask_cancel(p->ask);
	p->get = NULL;
	p->ping = NULL;
	p->ask = NULL;
}

static void say_lost(const struct probe *p)
{
	const struct config *config = p->prober->setup.config;
	const struct member_config *m = &config->members[p->o.member];
	struct log_line l;

	if (!log_begin(&l, SEVERITY_WARNING, "probe_lost"))
		return;
	log_str(&l, "cluster", config->clusters[m->cluster].name);
	log_str(&l, "member", m->name);
	log_str(&l, "question", question_path(p->o.question));
	log_str(&l, "msg", "it had to be given up by our own deadline");
	log_end(&l);
}

static void on_deadline(uv_timer_t *timer)
{
	struct probe *p = timer->data;

	if (!p->get && !p->ping && !p->ask) { /* it could not be started */
		finish(p, OUTCOME_OWN_FAULT);
		return;
	}
	say_lost(p);
	abandon(p);
	finish(p, OUTCOME_TIMEOUT);
}

void prober_ask(struct prober *pr, const struct probe_order *order)
{
	bool port = order->question == ASK_PORT;
	struct probe *p = &pr->probes[2 * order->member + port];
	int rv;

	INSIST(!p->in_flight);
	p->in_flight = true;
	p->o = (struct observation){.member = order->member, .question = order->question};
	uv_update_time(
		pr->setup.loop); /* or the deadline would start in the past after a long turn */
	p->o.asked_ms = clock_ms();
	rv = start(p, order);
	uv_timer_start(&p->deadline, on_deadline,
		       rv < 0 ? 1 : (uint64_t)(order->timeout_ms + GRACE_MS), 0);
}

/* ---- birth and death ---- */

struct prober *prober_new(const struct prober_setup *setup)
{
	struct prober *pr = xcalloc(1, sizeof(*pr));

	pr->setup = *setup;
	pr->http = http_client_new(setup->loop);
	INSIST(pr->http != NULL);
	pr->n_probes = 2 * setup->config->n_members;
	pr->probes = xcalloc(pr->n_probes, sizeof(*pr->probes));
	for (size_t i = 0; i < pr->n_probes; i++) {
		struct probe *p = &pr->probes[i];

		p->prober = pr;
		uv_timer_init(setup->loop, &p->deadline);
		p->deadline.data = p;
	}
	return pr;
}

void prober_take_config(struct prober *pr, struct config *config)
{
	pr->setup.config = config;
	for (size_t i = 0; i < pr->n_probes; i++)
		pr->probes[i].sql_complained = false; /* it may have been mended */
}

static void one_closed(struct prober *pr)
{
	if (--pr->n_open > 0)
		return;
	pr->on_closed(pr->closed_arg);
	free(pr->probes);
	free(pr);
}

static void on_timer_closed(uv_handle_t *h)
{
	one_closed(((struct probe *)h->data)->prober);
}

static void on_http_closed(void *arg)
{
	one_closed(arg);
}

void prober_close(struct prober *pr, void (*on_closed)(void *arg), void *arg)
{
	pr->on_closed = on_closed;
	pr->closed_arg = arg;
	pr->n_open = pr->n_probes + 1;
	for (size_t i = 0; i < pr->n_probes; i++) {
		abandon(&pr->probes[i]);
		uv_close((uv_handle_t *)&pr->probes[i].deadline, on_timer_closed);
	}
	http_client_close(pr->http, on_http_closed, pr);
}
