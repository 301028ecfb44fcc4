/* THE table of `show stat`'s columns: name, which rows carry a value, what kind of value
 * HAProxy 2.6 says that it is, and the value. Tools read columns by position and need the same
 * number of cells everywhere, so: 103 columns, "-", and our own numeric ones. Not here: which rows
 * there are (stat_row.c), what descriptions say (stat_descriptions.c), how it is written
 * (show_stat.c). */
#include "admin/stat_columns.h"
#include "admin/phrases.h"
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

/* The FRONTEND row has its listener's name for that; the others the one for the backend. */
static const char *proxy_name(const struct stat_row *r)
{
	return r->kind == STAT_FRONTEND ? r->listener->frontend_name : r->listener->backend_name;
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

/* A frontend's limit is its own; a backend's is HAProxy's fullconn, a tenth of what is configured.
 */
static int64_t session_limit(const struct stat_row *r)
{
	unsigned maxconn = r->listener->maxconn;

	if (r->kind == STAT_BACKEND)
		return maxconn < 20 ? 1 : maxconn / 10;
	return r->counts.limit == GAUGE_UNLIMITED ? NO_VALUE : r->counts.limit;
}

/* HAProxy's sockets of level user show neither this nor addresses. */
static const char *algorithm(const struct stat_row *r)
{
	if (r->facts->level < LEVEL_OPERATOR)
		return NULL;
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

static const struct member_report *member_of(const struct stat_row *r)
{
	return &r->facts->report->members[r->member->id];
}

static int64_t known(uint64_t value)
{
	return value ? (int64_t)value : NO_VALUE;
}

/* What a silent member said once is not known any more, here as everywhere. */
static int64_t timeline(const struct stat_row *r)
{
	if (r->kind != STAT_SERVER)
		return known(r->facts->report->clusters[r->listener->cluster].timeline);
	return phrase_is_current(r->facts, member_of(r)) ? known(member_of(r)->timeline) : NO_VALUE;
}

static int64_t lag_bytes(const struct stat_row *r)
{
	return phrase_has_lag(r->facts, member_of(r)) ? (int64_t)member_of(r)->lag_bytes : NO_VALUE;
}

#define IF_SERVER(of_server, else_of_backend) \
	(r->kind == STAT_SERVER ? (int64_t)(of_server) : (int64_t)(else_of_backend))

TEXT(status, r->status)
TEXT(check_status, r->checked ? r->check.status : NULL)
TEXT(check_desc, r->checked ? r->check.desc : NULL)
TEXT(last_check, r->checked ? r->check.last : NULL)
TEXT(address, r->facts->level < LEVEL_OPERATOR ? NULL : r->addr)
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
NUMBER(weight, IF_SERVER(r->server->weight, r->servers.usable_weight))
NUMBER(active, IF_SERVER(!r->backup, r->servers.active))
NUMBER(backups, IF_SERVER(r->backup, r->servers.backups))
NUMBER(check_failures, r->server->check_failures)
NUMBER(downs, IF_SERVER(r->server->downs, r->standing->downs))
NUMBER(last_change, IF_SERVER(r->server->last_change_ms_ago, r->standing->since_ms_ago) / 1000)
NUMBER(downtime, IF_SERVER(r->server->down_ms, r->standing->down_ms) / 1000)
NUMBER(proxy_id, stat_row_iid(r))
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

/* clang-format off */
enum {
	F = STAT_FRONTEND, B = STAT_BACKEND, S = STAT_SERVER,
	BS = B | S, FB = F | B, FBS = F | B | S
};

#define N(name, rows, kind, tags, fn, ...) \
	{name, rows, TYPED_##kind, tags, .number = fn, __VA_ARGS__}
#define T(name, rows, tags, fn)        {name, rows, TYPED_STR, tags, .text = fn}
#define K(name, rows, kind, tags, txt) {name, rows, TYPED_##kind, tags, .constant = txt}
#define KT(name, rows, tags, txt)      {name, rows, TYPED_STR, tags, .constant = txt}
#define BLANK(name)                    {name, .rows = 0}
const struct stat_column stat_columns[] = {
	T("pxname", FBS, "KNS", proxy_name),
	T("svname", FBS, "KNS", server_name),
	N("qcur", BS, U32, "MGP", waiting_now), /* nobody waits for one server: 0 in its row */
	N("qmax", BS, U32, "MMP", waiting_max),
	N("scur", FBS, U32, "MGP", sessions_now),
	N("smax", FBS, U32, "MMP", sessions_max),
	N("slim", FBS, U32, "CLP", session_limit),
	N("stot", FBS, U64, "MCP", sessions),
	N("bin", FBS, U64, "MCP", bytes_in),
	N("bout", FBS, U64, "MCP", bytes_out),
	K("dreq", FB, U64, "MCP", "0"),
	K("dresp", FBS, U64, "MCP", "0"),
	N("ereq", F, U64, "MCP", request_errors),
	N("econ", BS, U64, "MCP", connect_errors),
	N("eresp", BS, U64, "MCP", response_errors),
	N("wretr", BS, U64, "MCP", connect_retries),
	N("wredis", BS, U64, "MCP", redispatches),
	T("status", FBS, "SGP", status),
	N("weight", BS, U32, "MaP", weight),
	N("act", BS, U32, "SGP", active, .backend_tags = "MGP"),
	N("bck", BS, U32, "SGP", backups, .backend_tags = "MGP"),
	N("chkfail", S, U64, "MCP", check_failures),
	N("chkdown", BS, U64, "MCP", downs),
	N("lastchg", BS, U32, "MAP", last_change),
	N("downtime", BS, U32, "MCP", downtime),
	BLANK("qlimit"),
	K("pid", FBS, U32, "KGP", "1"),
	N("iid", FBS, U32, "KGS", proxy_id),
	N("sid", FBS, U32, "KGS", server_id),
	BLANK("throttle"),
	N("lbtot", BS, U64, "MCP", selected),
	BLANK("tracked"),
	N("type", FBS, U32, "CGS", row_type),
	N("rate", FBS, U32, "MRP", rate, .backend_tags = "MGP"),
	K("rate_lim", F, U32, "CLP", "0"),
	N("rate_max", FBS, U32, "MMP", rate_max, .backend_tags = "MGP"),
	T("check_status", S, "MOP", check_status),
	N("check_code", S, U32, "MOP", check_code),
	N("check_duration", S, U64, "MDP", check_duration),
	BLANK("hrsp_1xx"), BLANK("hrsp_2xx"), BLANK("hrsp_3xx"), BLANK("hrsp_4xx"),
	BLANK("hrsp_5xx"), BLANK("hrsp_other"), BLANK("hanafail"),
	K("req_rate", F, U32, "MRP", "0"),
	K("req_rate_max", F, U32, "MMP", "0"),
	K("req_tot", F, U64, "MCP", "0"),
	N("cli_abrt", BS, U64, "MCP", client_aborts),
	N("srv_abrt", BS, U64, "MCP", server_aborts),
	K("comp_in", FB, U64, "MCP", "0"),
	K("comp_out", FB, U64, "MCP", "0"),
	K("comp_byp", FB, U64, "MCP", "0"),
	K("comp_rsp", FB, U64, "MCP", "0"),
	N("lastsess", BS, S32, "MAP", last_session),
	T("last_chk", S, "MOP", last_check),
	BLANK("last_agt"),
	N("qtime", BS, U32, "MaP", held_ms),
	N("ctime", BS, U32, "MaP", connect_ms),
	K("rtime", BS, U32, "MaP", "0"),
	N("ttime", BS, U32, "MaP", session_ms),
	BLANK("agent_status"), BLANK("agent_code"), BLANK("agent_duration"),
	T("check_desc", S, "MOP", check_desc),
	BLANK("agent_desc"),
	N("check_rise", S, U32, "CGS", check_rise),
	N("check_fall", S, U32, "CGS", check_fall),
	N("check_health", S, U32, "CGS", check_health),
	BLANK("agent_rise"), BLANK("agent_fall"), BLANK("agent_health"),
	T("addr", S, "CGS", address),
	BLANK("cookie"),
	KT("mode", FBS, "CGS", "tcp"),
	T("algo", B, "CGS", algorithm),
	N("conn_rate", F, U32, "MRP", rate),
	N("conn_rate_max", F, U32, "MMP", rate_max),
	N("conn_tot", F, U64, "MCP", sessions),
	BLANK("intercepted"),
	N("dcon", F, U64, "MCP", limit_denied),
	K("dses", F, U64, "MCP", "0"),
	K("wrew", FBS, U64, "MCP", "0"),
	N("connect", BS, U64, "MCP", attempts),
	K("reuse", BS, U64, "MCP", "0"),
	BLANK("cache_lookups"), BLANK("cache_hits"),
	K("srv_icur", S, U32, "MGP", "0"),
	BLANK("src_ilim"),
	N("qtime_max", BS, U32, "MMP", held_ms_max),
	N("ctime_max", BS, U32, "MMP", connect_ms_max),
	K("rtime_max", BS, U32, "MMP", "0"),
	N("ttime_max", BS, U32, "MMP", session_ms_max),
	N("eint", FBS, U64, "MCP", internal_errors),
	K("idle_conn_cur", S, U32, "MGP", "0"),
	K("safe_conn_cur", S, U32, "MGP", "0"),
	K("used_conn_cur", S, U32, "MGP", "0"),
	K("need_conn_est", S, U32, "MGP", "1"),
	N("uweight", BS, U32, "MaP", weight),
	K("agg_server_status", B, U32, "MGP", "0"),
	K("agg_server_check_status", B, U32, "MGP", "0"),
	K("agg_check_status", B, U32, "MGP", "0"),
	{"-", FBS, TYPED_STR, .tags = NULL, .constant = "-"}, /* no field, but a column */
	/* ours: numbers only */
	N("isari_timeline", FBS, U64, "MGC", timeline),
	N("isari_lag_bytes", S, U64, "MGC", lag_bytes),
};
/* clang-format on */

const unsigned n_stat_columns = sizeof(stat_columns) / sizeof(stat_columns[0]);

bool stat_value(const struct stat_column *c, const struct stat_row *r, struct typed_value *v)
{
	*v = (struct typed_value){.kind = c->kind, .text = c->constant};
	if (!(c->rows & r->kind))
		return false;
	if (c->text)
		v->text = c->text(r);
	else if (c->number)
		v->number = c->number(r);
	return c->number ? v->number != NO_VALUE : v->text != NULL;
}
