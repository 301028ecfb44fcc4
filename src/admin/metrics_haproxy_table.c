/* The table of haproxy_frontend_*, haproxy_backend_* and haproxy_server_*: names, labels and help
 * as HAProxy 2.6's exporter has them for TCP, for dashboards and rules that know them. Not here:
 * how a number comes about (stat_columns.c, stat_row.c), writing it (metrics_haproxy.c). */
#include "admin/metrics_haproxy.h"
#include <string.h>

/* ---- one sample per state ---- */

/* As the exporter orders them; NULL ends each. */
static const char *const proxy_states[] = {"DOWN", "UP", NULL};
static const char *const server_states[] = {"DOWN", "UP", "MAINT", "DRAIN", "NOLB", NULL};
static const char *const check_states[] = {
	"HANA",  "SOCKERR", "L4OK",  "L4TOUT", "L4CON",   "L6OK",     "L6TOUT", "L6RSP", "L7TOUT",
	"L7RSP", "L7OK",    "L7OKC", "L7STS",  "PROCERR", "PROCTOUT", "PROCOK", NULL};

static void put_state(const struct rows *rows, const struct row *r, const char *name,
		      const char *const *states, const char *state)
{
	for (; *states; states++)
		prom_sample_with(rows->m->out, name, r->labels.data, "state", *states,
				 PROM_INTEGER(strcmp(*states, state) == 0));
}

static void put_status(const struct rows *rows, const struct row *r, const char *name)
{
	const char *status = r->stat.status;

	if (rows->kind == STAT_SERVER)
		put_state(rows, r, name, server_states, status);
	else /* a frontend that is paused is UP, as at HAProxy */
		put_state(rows, r, name, proxy_states,
			  strcmp(status, "STOP") == 0 || strcmp(status, "DOWN") == 0 ? "DOWN"
										     : "UP");
}

/* Who is in maintenance is not checked, and has no such sample. */
static void put_check_status(const struct rows *rows, const struct row *r, const char *name)
{
	if (r->stat.checked)
		put_state(rows, r, name, check_states, r->stat.check.status);
}

/* ---- backends: how many of their servers are in which state ---- */

static unsigned count(const struct row *r, const char *state,
		      const char *(*state_of)(const struct server_report *s))
{
	const struct report *report = r->stat.facts->report;
	unsigned n = 0;

	for (size_t s = 0; s < report->n_servers; s++)
		n += report->servers[s].listener == r->stat.listener->id &&
		     strcmp(state_of(&report->servers[s]), state) == 0;
	return n;
}

static void put_counts(const struct rows *rows, const struct row *r, const char *name,
		       const char *const *states,
		       const char *(*state_of)(const struct server_report *s))
{
	for (; *states; states++)
		prom_sample_with(rows->m->out, name, r->labels.data, "state", *states,
				 PROM_INTEGER(count(r, *states, state_of)));
}

static void put_agg_server_status(const struct rows *rows, const struct row *r, const char *name)
{
	put_counts(rows, r, name, server_states, stat_server_status);
}

/* Who is in maintenance is not checked. */
static const char *check_of(const struct server_report *s)
{
	return s->admin == ADMIN_MAINT ? "" : stat_check_of(s).status;
}

static void put_agg_check_status(const struct rows *rows, const struct row *r, const char *name)
{
	put_counts(rows, r, name, check_states, check_of);
}

/* ---- servers: what only a check that was made has ---- */

/* 0 where the answer had no code, as from a port that refused. */
static void put_check_code(const struct rows *rows, const struct row *r, const char *name)
{
	bool has_code = r->stat.check.has_code;

	if (r->stat.checked)
		prom_sample(rows->m->out, name, r->labels.data,
			    PROM_INTEGER(has_code ? r->stat.server->check_status : 0));
}

/* Of the last one, also in maintenance. */
static void put_check_duration_seconds(const struct rows *rows, const struct row *r,
				       const char *name)
{
	if (r->stat.server->check_outcome != OUTCOME_NONE)
		prom_sample(rows->m->out, name, r->labels.data,
			    PROM_US(r->stat.server->check_ms * 1000));
}

/* ---- the table ---- */

enum {
	F = STAT_FRONTEND,
	B = STAT_BACKEND,
	S = STAT_SERVER,
	BS = B | S,
	FB = F | B,
	FBS = F | B | S
};

/* clang-format off */
const struct family haproxy_families[] = {
	{"current_queue", BS, PROM_GAUGE, .column = "qcur"},
	{"max_queue", BS, PROM_GAUGE, .column = "qmax"},
	{"current_sessions", FBS, PROM_GAUGE, .column = "scur"},
	{"max_sessions", FBS, PROM_GAUGE, .column = "smax"},
	{"limit_sessions", FBS, PROM_GAUGE, .column = "slim"},
	{"sessions_total", FBS, PROM_COUNTER, .column = "stot"},
	{"bytes_in_total", FBS, PROM_COUNTER, .column = "bin"},
	{"bytes_out_total", FBS, PROM_COUNTER, .column = "bout"},
	{"requests_denied_total", FB, PROM_COUNTER, .column = "dreq"},
	{"responses_denied_total", FBS, PROM_COUNTER, .column = "dresp"},
	{"connection_errors_total", BS, PROM_COUNTER, .column = "econ"},
	{"response_errors_total", BS, PROM_COUNTER, .column = "eresp"},
	{"retry_warnings_total", BS, PROM_COUNTER, .column = "wretr"},
	{"redispatch_warnings_total", BS, PROM_COUNTER, .column = "wredis"},
	{"request_errors_total", F, PROM_COUNTER, .column = "ereq"},
	{"status", FBS, PROM_GAUGE, .put = put_status,
	 .help = "Current status of the service, per state label value."},
	{"weight", BS, PROM_GAUGE, .column = "weight"},
	{"check_failures_total", S, PROM_COUNTER, .column = "chkfail"},
	{"active_servers", B, PROM_GAUGE, .column = "act"},
	{"backup_servers", B, PROM_GAUGE, .column = "bck"},
	{"check_up_down_total", BS, PROM_COUNTER, .column = "chkdown"},
	{"check_last_change_seconds", BS, PROM_GAUGE, .column = "lastchg"},
	{"downtime_seconds_total", BS, PROM_COUNTER, .column = "downtime"},
	{"queue_limit", S, PROM_GAUGE, .column = "qlimit",
	 .help = "Limit on the number of connections in queue, for servers only (maxqueue "
	 "argument)"},
	{"current_throttle", S, PROM_GAUGE, .column = "throttle",
	 .help = "Throttling ratio applied to a server's maxconn and weight during the slowstart "
	 "period (0 to 100%)"},
	{"loadbalanced_total", BS, PROM_COUNTER, .column = "lbtot"},
	{"limit_session_rate", F, PROM_GAUGE, .column = "rate_lim"},
	{"max_session_rate", FBS, PROM_GAUGE, .column = "rate_max"},
	{"check_status", S, PROM_GAUGE, .put = put_check_status,
	 .help = "Status of last health check, per state label value."},
	{"check_code", S, PROM_GAUGE, .put = put_check_code,
	 .help = "layer5-7 code, if available of the last health check."},
	{"check_duration_seconds", S, PROM_GAUGE, .put = put_check_duration_seconds,
	 .help = "Total duration of the latest server health check, in seconds."},
	{"client_aborts_total", BS, PROM_COUNTER, .column = "cli_abrt"},
	{"server_aborts_total", BS, PROM_COUNTER, .column = "srv_abrt"},
	{"last_session_seconds", BS, PROM_GAUGE, .column = "lastsess"},
	{"queue_time_average_seconds", BS, PROM_GAUGE, .column = "qtime", .is_ms = true,
	 .help = "Avg. queue time for last 1024 successful connections."},
	{"connect_time_average_seconds", BS, PROM_GAUGE, .column = "ctime", .is_ms = true,
	 .help = "Avg. connect time for last 1024 successful connections."},
	{"response_time_average_seconds", BS, PROM_GAUGE, .column = "rtime", .is_ms = true,
	 .help = "Avg. response time for last 1024 successful connections."},
	{"total_time_average_seconds", BS, PROM_GAUGE, .column = "ttime", .is_ms = true,
	 .help = "Avg. total time for last 1024 successful connections."},
	{"connections_rate_max", F, PROM_GAUGE, .column = "conn_rate_max"},
	{"connections_total", F, PROM_COUNTER, .column = "conn_tot"},
	{"denied_connections_total", F, PROM_COUNTER, .column = "dcon"},
	{"denied_sessions_total", F, PROM_COUNTER, .column = "dses"},
	{"failed_header_rewriting_total", FBS, PROM_COUNTER, .column = "wrew"},
	{"connection_attempts_total", BS, PROM_COUNTER, .column = "connect"},
	{"connection_reuses_total", BS, PROM_COUNTER, .column = "reuse"},
	{"idle_connections_current", S, PROM_GAUGE, .column = "srv_icur"},
	{"idle_connections_limit", S, PROM_GAUGE, .column = "src_ilim",
	 .help = "Limit on the number of available idle connections on this server (server "
	 "'pool_max_conn' directive)"},
	{"max_queue_time_seconds", BS, PROM_GAUGE, .column = "qtime_max", .is_ms = true,
	 .help = "Maximum observed time spent in the queue"},
	{"max_connect_time_seconds", BS, PROM_GAUGE, .column = "ctime_max", .is_ms = true,
	 .help = "Maximum observed time spent waiting for a connection to complete"},
	{"max_response_time_seconds", BS, PROM_GAUGE, .column = "rtime_max", .is_ms = true,
	 .help = "Maximum observed time spent waiting for a server response"},
	{"max_total_time_seconds", BS, PROM_GAUGE, .column = "ttime_max", .is_ms = true,
	 .help = "Maximum observed total request+response time "
	 "(request+queue+connect+response+processing)"},
	{"internal_errors_total", FBS, PROM_COUNTER, .column = "eint"},
	{"unsafe_idle_connections_current", S, PROM_GAUGE, .column = "idle_conn_cur"},
	{"safe_idle_connections_current", S, PROM_GAUGE, .column = "safe_conn_cur"},
	{"used_connections_current", S, PROM_GAUGE, .column = "used_conn_cur"},
	{"need_connections_current", S, PROM_GAUGE, .column = "need_conn_est"},
	{"uweight", BS, PROM_GAUGE, .column = "uweight"},
	{"agg_server_status", B, PROM_GAUGE, .put = put_agg_server_status,
	 .help = "Backend's aggregated gauge of servers' status"},
	{"agg_server_check_status", B, PROM_GAUGE, .put = put_agg_server_status,
	 .help = "Backend's aggregated gauge of servers' state check status"},
	{"agg_check_status", B, PROM_GAUGE, .put = put_agg_check_status,
	 .help = "Backend's aggregated gauge of servers' state check status"},
};
/* clang-format on */

const size_t n_haproxy_families = sizeof(haproxy_families) / sizeof(haproxy_families[0]);
