/* `show stat`: HAProxy 2.6's CSV, column by column. One row per column: its name, which rows carry
 * a value, and the value. Tools read columns by position and need the same number of cells
 * everywhere, so: 103 columns, "-", our own numeric ones, and a comma at the end. Blank and 0 are
 * different things to them. Not here: which rows there are (stat_row.c). */
#include "admin/command.h"
#include "admin/replies.h"
#include "admin/stat_row.h"
#include "wire/csv.h"
#include <inttypes.h>
#include <stdlib.h>
#include <string.h>

#define NO_VALUE INT64_MIN /* a cell of this row that is blank all the same */

#define NUMBER(name, value)                           \
	static int64_t name(const struct stat_row *r) \
	{                                             \
		return (int64_t)(value);              \
	}
#define TEXT(name, value)                                 \
	static const char *name(const struct stat_row *r) \
	{                                                 \
		return (value);                           \
	}

static const char *server_name(const struct stat_row *r)
{
	switch (r->kind) {
	case STAT_FRONTEND: return "FRONTEND";
	case STAT_BACKEND: return "BACKEND";
	case STAT_SERVER: break;
	}
	return r->member->name;
}

/* A frontend's limit is its own; a backend's is HAProxy's fullconn, a tenth of it. */
static int64_t session_limit(const struct stat_row *r)
{
	unsigned maxconn = r->listener->maxconn;

	switch (r->kind) {
	case STAT_FRONTEND: return maxconn;
	case STAT_BACKEND: return maxconn < 20 ? 1 : maxconn / 10;
	case STAT_SERVER: break;
	}
	return r->listener->server_maxconn ? r->listener->server_maxconn : NO_VALUE;
}

static const char *algorithm(const struct stat_row *r)
{
	static const char *const names[] = {[BALANCE_ROUNDROBIN] = "roundrobin",
					    [BALANCE_LEASTCONN] = "leastconn",
					    [BALANCE_RANDOM] = "random"};

	return names[r->listener->balance];
}

static int64_t row_type(const struct stat_row *r)
{
	switch (r->kind) {
	case STAT_FRONTEND: return 0;
	case STAT_BACKEND: return 1;
	case STAT_SERVER: break;
	}
	return 2;
}

static int64_t check_code(const struct stat_row *r)
{
	return r->checked && r->check.has_code ? r->server->check_status : NO_VALUE;
}

static int64_t check_duration(const struct stat_row *r)
{
	return r->checked && r->server->check_outcome != OUTCOME_NONE ? r->server->check_ms
								      : NO_VALUE;
}

static int64_t check_health(const struct stat_row *r)
{
	bool up = strcmp(r->status, "DOWN") != 0;

	if (!r->checked)
		return NO_VALUE;
	return up ? (int64_t)r->cluster->probe.rise + r->cluster->probe.fall - 1 : 0;
}

static int64_t last_session(const struct stat_row *r)
{
	return r->counts.last_session_ms_ago < 0 ? -1 : r->counts.last_session_ms_ago / 1000;
}

static int64_t timeline(const struct stat_row *r)
{
	const struct report *report = r->facts->report;
	uint64_t tl = r->kind == STAT_SERVER ? report->members[r->member->id].timeline
					     : report->clusters[r->listener->cluster].timeline;

	return tl ? (int64_t)tl : NO_VALUE;
}

static int64_t lag_bytes(const struct stat_row *r)
{
	const struct member_report *m = &r->facts->report->members[r->member->id];

	return m->lag_known ? (int64_t)m->lag_bytes : NO_VALUE;
}

#define IF_SERVER(of_server, else_of_backend) \
	(r->kind == STAT_SERVER ? (int64_t)(of_server) : (int64_t)(else_of_backend))

TEXT(proxy_name, r->listener->name)
TEXT(status, r->status)
TEXT(check_status, r->checked ? r->check.status : "")
TEXT(check_desc, r->checked ? r->check.desc : "")
TEXT(last_check, r->checked ? r->check.last : "")
TEXT(address, r->addr)
NUMBER(sessions_now, r->counts.sessions_now)
NUMBER(sessions_max, r->counts.sessions_max)
NUMBER(sessions, r->counts.sum.sessions)
NUMBER(bytes_in, r->counts.sum.bytes_in)
NUMBER(bytes_out, r->counts.sum.bytes_out)
NUMBER(request_errors, r->counts.sum.request_errors)
NUMBER(connect_errors, r->counts.sum.connect_errors)
NUMBER(response_errors, r->counts.sum.response_errors)
NUMBER(connect_retries, r->counts.sum.connect_retries)
NUMBER(redispatches, r->counts.sum.redispatches)
NUMBER(weight, IF_SERVER(r->member->weight, r->usable_weight))
NUMBER(active, IF_SERVER(!r->backup, r->active))
NUMBER(backups, IF_SERVER(r->backup, r->backups))
NUMBER(check_failures, r->server->check_failures)
NUMBER(downs, IF_SERVER(r->server->downs, r->standing->downs))
NUMBER(last_change, IF_SERVER(r->server->last_change_ms_ago, r->standing->since_ms_ago) / 1000)
NUMBER(downtime, IF_SERVER(r->server->down_ms, r->standing->down_ms) / 1000)
NUMBER(proxy_id, STAT_FIRST_IID + r->listener->id)
NUMBER(server_id, r->sid)
NUMBER(selected, r->counts.sum.selected)
NUMBER(rate, r->counts.rate)
NUMBER(rate_max, r->counts.rate_max)
NUMBER(client_aborts, r->counts.sum.client_aborts)
NUMBER(server_aborts, r->counts.sum.server_aborts)
NUMBER(connect_ms, r->counts.connect_ms_avg)
NUMBER(session_ms, r->counts.session_ms_avg)
NUMBER(check_rise, r->checked ? (int64_t)r->cluster->probe.rise : NO_VALUE)
NUMBER(check_fall, r->checked ? (int64_t)r->cluster->probe.fall : NO_VALUE)
NUMBER(limit_denied, r->counts.sum.denied)
NUMBER(attempts, r->attempts)
NUMBER(connect_ms_max, r->counts.connect_ms_max)
NUMBER(session_ms_max, r->counts.session_ms_max)
NUMBER(waiting_now, r->counts.waiting_now)
NUMBER(waiting_max, r->counts.waiting_max)
NUMBER(held_ms, r->counts.held_ms_avg)
NUMBER(held_ms_max, r->counts.held_ms_max)
NUMBER(internal_errors, r->counts.sum.internal_errors)

struct column {
	const char *name;
	unsigned rows; /* stat_kinds that carry a value; all others are blank */
	const char *constant;
	int64_t (*number)(const struct stat_row *r);
	const char *(*text)(const struct stat_row *r);
};

enum {
	F = STAT_FRONTEND,
	B = STAT_BACKEND,
	S = STAT_SERVER,
	BS = B | S,
	FB = F | B,
	FBS = F | B | S
};

/* clang-format off */
#define N(name, rows, fn) {name, rows, .number = fn}
#define T(name, rows, fn) {name, rows, .text = fn}
#define K(name, rows, txt) {name, rows, .constant = txt}
#define BLANK(name)       {name, 0, NULL, NULL, NULL}
static const struct column columns[] = {
	T("pxname", FBS, proxy_name),
	T("svname", FBS, server_name),
	N("qcur", BS, waiting_now), /* nobody waits for one server: 0 in its row */
	N("qmax", BS, waiting_max),
	N("scur", FBS, sessions_now),
	N("smax", FBS, sessions_max),
	N("slim", FBS, session_limit),
	N("stot", FBS, sessions),
	N("bin", FBS, bytes_in),
	N("bout", FBS, bytes_out),
	K("dreq", FB, "0"),
	K("dresp", FBS, "0"),
	N("ereq", F, request_errors),
	N("econ", BS, connect_errors),
	N("eresp", BS, response_errors),
	N("wretr", BS, connect_retries),
	N("wredis", BS, redispatches),
	T("status", FBS, status),
	N("weight", BS, weight),
	N("act", BS, active),
	N("bck", BS, backups),
	N("chkfail", S, check_failures),
	N("chkdown", BS, downs),
	N("lastchg", BS, last_change),
	N("downtime", BS, downtime),
	BLANK("qlimit"),
	K("pid", FBS, "1"),
	N("iid", FBS, proxy_id),
	N("sid", FBS, server_id),
	BLANK("throttle"),
	N("lbtot", BS, selected),
	BLANK("tracked"),
	N("type", FBS, row_type),
	N("rate", FBS, rate),
	K("rate_lim", F, "0"),
	N("rate_max", FBS, rate_max),
	T("check_status", S, check_status),
	N("check_code", S, check_code),
	N("check_duration", S, check_duration),
	BLANK("hrsp_1xx"), BLANK("hrsp_2xx"), BLANK("hrsp_3xx"), BLANK("hrsp_4xx"),
	BLANK("hrsp_5xx"), BLANK("hrsp_other"), BLANK("hanafail"),
	K("req_rate", F, "0"),
	K("req_rate_max", F, "0"),
	K("req_tot", F, "0"),
	N("cli_abrt", BS, client_aborts),
	N("srv_abrt", BS, server_aborts),
	K("comp_in", FB, "0"),
	K("comp_out", FB, "0"),
	K("comp_byp", FB, "0"),
	K("comp_rsp", FB, "0"),
	N("lastsess", BS, last_session),
	T("last_chk", S, last_check),
	BLANK("last_agt"),
	N("qtime", BS, held_ms),
	N("ctime", BS, connect_ms),
	K("rtime", BS, "0"),
	N("ttime", BS, session_ms),
	BLANK("agent_status"), BLANK("agent_code"), BLANK("agent_duration"),
	T("check_desc", S, check_desc),
	BLANK("agent_desc"),
	N("check_rise", S, check_rise),
	N("check_fall", S, check_fall),
	N("check_health", S, check_health),
	BLANK("agent_rise"), BLANK("agent_fall"), BLANK("agent_health"),
	T("addr", S, address),
	BLANK("cookie"),
	K("mode", FBS, "tcp"),
	T("algo", B, algorithm),
	N("conn_rate", F, rate),
	N("conn_rate_max", F, rate_max),
	N("conn_tot", F, sessions),
	BLANK("intercepted"),
	N("dcon", F, limit_denied),
	K("dses", F, "0"),
	K("wrew", FBS, "0"),
	N("connect", BS, attempts),
	K("reuse", BS, "0"),
	BLANK("cache_lookups"), BLANK("cache_hits"),
	K("srv_icur", S, "0"),
	BLANK("src_ilim"),
	N("qtime_max", BS, held_ms_max),
	N("ctime_max", BS, connect_ms_max),
	K("rtime_max", BS, "0"),
	N("ttime_max", BS, session_ms_max),
	N("eint", FBS, internal_errors),
	K("idle_conn_cur", S, "0"),
	K("safe_conn_cur", S, "0"),
	K("used_conn_cur", S, "0"),
	K("need_conn_est", S, "1"),
	N("uweight", BS, weight),
	K("agg_server_status", B, "0"),
	K("agg_server_check_status", B, "0"),
	K("agg_check_status", B, "0"),
	K("-", FBS, "-"),
	/* ours: numbers only */
	N("isari_timeline", FBS, timeline),
	N("isari_lag_bytes", S, lag_bytes),
};
#undef N
#undef T
#undef K
#undef BLANK
/* clang-format on */

enum { N_COLUMNS = sizeof(columns) / sizeof(columns[0]) };

static void put_header(struct buf *out)
{
	buf_puts(out, "# ");
	for (size_t i = 0; i < N_COLUMNS; i++)
		buf_printf(out, "%s,", columns[i].name);
	buf_putc(out, '\n');
}

static void put_cell(const struct column *c, const struct stat_row *r, struct buf *out)
{
	if (!(c->rows & r->kind))
		return;
	if (c->constant) {
		buf_puts(out, c->constant);
	} else if (c->text) {
		csv_append_cell(out, c->text(r));
	} else {
		int64_t n = c->number(r);
		if (n != NO_VALUE)
			buf_printf(out, "%" PRId64, n);
	}
}

static void put_row(const struct stat_row *r, struct buf *out)
{
	for (size_t i = 0; i < N_COLUMNS; i++) {
		put_cell(&columns[i], r, out);
		buf_putc(out, ',');
	}
	buf_putc(out, '\n');
}

/* `<iid|name> <type> <sid>`; -1 is all. Counts only when all three are there, as in HAProxy. */
struct stat_filter {
	long listener; /* -1: all; one that does not exist: none */
	long type, sid;
};

static bool find_listener(const struct config *config, const char *name, long *listener)
{
	for (size_t i = 0; i < config->n_listeners; i++) {
		if (strcmp(config->listeners[i].name, name) == 0) {
			*listener = (long)i;
			return true;
		}
	}
	return false;
}

static bool parse_filter(const struct command_call *c, struct stat_filter *f)
{
	*f = (struct stat_filter){-1, -1, -1};
	if (c->n_args < 3)
		return true;
	f->type = strtol(c->args[1], NULL, 10);
	f->sid = strtol(c->args[2], NULL, 10);
	long iid = strtol(c->args[0], NULL, 10);
	if (iid == 0)
		return find_listener(c->facts->config, c->args[0], &f->listener);
	if (iid != -1)
		f->listener = iid < STAT_FIRST_IID ? (long)c->facts->config->n_listeners
						   : iid - STAT_FIRST_IID;
	return true;
}

/* FRONTEND, servers, BACKEND: tools walk the rows backwards, and drop the last one. */
static void put_listener(const struct command_call *c, const struct stat_filter *f,
			 unsigned listener)
{
	const struct config *config = c->facts->config;
	unsigned n_servers =
		config_listener_cluster(config, &config->listeners[listener])->n_members;
	struct stat_row r;

	if (f->type & STAT_FRONTEND) {
		stat_row_frontend(&r, c->facts, listener);
		put_row(&r, c->out);
	}
	for (unsigned s = 0; (f->type & STAT_SERVER) && s < n_servers; s++) {
		if (f->sid != -1 && f->sid != (long)(STAT_FIRST_SID + s))
			continue;
		stat_row_server(&r, c->facts, listener, s);
		put_row(&r, c->out);
	}
	if (f->type & STAT_BACKEND) {
		stat_row_backend(&r, c->facts, listener);
		put_row(&r, c->out);
	}
}

void show_stat(const struct command_call *c)
{
	struct stat_filter f;

	if (!parse_filter(c, &f)) {
		reply_error(c->out, REPLY_NO_PROXY);
		return;
	}
	put_header(c->out);
	for (unsigned l = 0; l < c->facts->config->n_listeners; l++) {
		if (f.listener == -1 || f.listener == (long)l)
			put_listener(c, &f, l);
	}
}
