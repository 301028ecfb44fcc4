/* What `show stat ... desc` says of each column that is not always blank: HAProxy 2.6's words, and
 * ours for our own. */
#include "admin/stat_columns.h"
#include <string.h>

/* clang-format off */
static const struct {
	const char *column, *text;
} descriptions[] = {
	{"pxname", "Proxy name"},
	{"svname", "Server name"},
	{"qcur", "Number of current queued connections"},
	{"qmax", "Highest value of queued connections encountered since process started"},
	{"scur", "Number of current sessions on the frontend, backend or server"},
	{"smax", "Highest value of current sessions encountered since process started"},
	{"slim", "Frontend/listener/server's maxconn, backend's fullconn"},
	{"stot", "Total number of sessions since process started"},
	{"bin", "Total number of request bytes since process started"},
	{"bout", "Total number of response bytes since process started"},
	{"dreq", "Total number of denied requests since process started"},
	{"dresp", "Total number of denied responses since process started"},
	{"ereq", "Total number of invalid requests since process started"},
	{"econ",
	 "Total number of failed connections to server since the worker process "
	 "started"},
	{"eresp", "Total number of invalid responses since the worker process started"},
	{"wretr",
	 "Total number of server connection retries since the worker process "
	 "started"},
	{"wredis",
	 "Total number of server redispatches due to connection failures since "
	 "the worker process started"},
	{"status",
	 "Frontend/listen status: OPEN/WAITING/FULL/STOP; backend: UP/DOWN; "
	 "server: last check status"},
	{"weight",
	 "Server's effective weight, or sum of active servers' effective weights"
	 " for a backend"},
	{"act", "Total number of active UP servers with a non-zero weight"},
	{"bck", "Total number of backup UP servers with a non-zero weight"},
	{"chkfail",
	 "Total number of failed individual health checks per server/backend, "
	 "since the worker process started"},
	{"chkdown",
	 "Total number of failed checks causing UP to DOWN server transitions, "
	 "per server/backend, since the worker process started"},
	{"lastchg", "How long ago the last server state changed, in seconds"},
	{"downtime", "Total time spent in DOWN state, for server or backend"},
	{"pid", "Relative worker process number (1)"},
	{"iid", "Frontend or Backend numeric identifier ('id' setting)"},
	{"sid", "Server numeric identifier ('id' setting)"},
	{"lbtot",
	 "Total number of requests routed by load balancing since the worker "
	 "process started (ignores queue pop and stickiness)"},
	{"type", "Type of the object (Listener, Frontend, Backend, Server)"},
	{"rate",
	 "Total number of sessions processed by this object over the last second"
	 " (sessions for listeners/frontends, requests for backends/servers)"},
	{"rate_lim",
	 "Limit on the number of sessions accepted in a second (frontend only, "
	 "'rate-limit sessions' setting)"},
	{"rate_max",
	 "Highest value of sessions per second observed since the worker process"
	 " started"},
	{"check_status",
	 "Status report of the server's latest health check, prefixed with '*' "
	 "if a check is currently in progress"},
	{"check_code", "HTTP/SMTP/LDAP status code reported by the latest server health check"},
	{"check_duration", "Total duration of the latest server health check, in milliseconds"},
	{"req_rate", "Number of HTTP requests processed over the last second on this object"},
	{"req_rate_max",
	 "Highest value of http requests observed since the worker process "
	 "started"},
	{"req_tot",
	 "Total number of HTTP requests processed by this object since the "
	 "worker process started"},
	{"cli_abrt",
	 "Total number of requests or connections aborted by the client since "
	 "the worker process started"},
	{"srv_abrt",
	 "Total number of requests or connections aborted by the server since "
	 "the worker process started"},
	{"comp_in",
	 "Total number of bytes submitted to the HTTP compressor for this object"
	 " since the worker process started"},
	{"comp_out",
	 "Total number of bytes emitted by the HTTP compressor for this object "
	 "since the worker process started"},
	{"comp_byp",
	 "Total number of bytes that bypassed HTTP compression for this object "
	 "since the worker process started (CPU/memory/bandwidth limitation)"},
	{"comp_rsp",
	 "Total number of HTTP responses that were compressed for this object "
	 "since the worker process started"},
	{"lastsess",
	 "How long ago some traffic was seen on this object on this worker "
	 "process, in seconds"},
	{"last_chk",
	 "Short description of the latest health check report for this server "
	 "(see also check_desc)"},
	{"qtime",
	 "Time spent in the queue, in milliseconds, averaged over the 1024 last "
	 "requests (backend/server)"},
	{"ctime",
	 "Time spent waiting for a connection to complete, in milliseconds, "
	 "averaged over the 1024 last requests (backend/server)"},
	{"rtime",
	 "Time spent waiting for a server response, in milliseconds, averaged "
	 "over the 1024 last requests (backend/server)"},
	{"ttime",
	 "Total request+response time "
	 "(request+queue+connect+response+processing), in milliseconds, averaged"
	 " over the 1024 last requests (backend/server)"},
	{"check_desc", "Textual description of the latest health check report for this server"},
	{"check_rise",
	 "Number of successful health checks before declaring a server UP "
	 "(server 'rise' setting)"},
	{"check_fall",
	 "Number of failed health checks before declaring a server DOWN (server "
	 "'fall' setting)"},
	{"check_health", "Current server health check level (0..fall-1=DOWN, fall..rise-1=UP)"},
	{"addr",
	 "Server's address:port, shown only if show-legends is set, or at levels"
	 " oper/admin for the CLI"},
	{"mode", "'mode' setting (tcp/http/health/cli)"},
	{"algo",
	 "Backend's load balancing algorithm, shown only if show-legends is set,"
	 " or at levels oper/admin for the CLI"},
	{"conn_rate",
	 "Number of new connections accepted over the last second on the "
	 "frontend for this worker process"},
	{"conn_rate_max",
	 "Highest value of connections per second observed since the worker "
	 "process started"},
	{"conn_tot",
	 "Total number of new connections accepted on this frontend since the "
	 "worker process started"},
	{"dcon",
	 "Total number of incoming connections blocked on a listener/frontend by"
	 " a tcp-request connection rule since the worker process started"},
	{"dses",
	 "Total number of incoming sessions blocked on a listener/frontend by a "
	 "tcp-request connection rule since the worker process started"},
	{"wrew",
	 "Total number of failed HTTP header rewrites since the worker process "
	 "started"},
	{"connect",
	 "Total number of outgoing connection attempts on this backend/server "
	 "since the worker process started"},
	{"reuse",
	 "Total number of reused connection on this backend/server since the "
	 "worker process started"},
	{"srv_icur", "Current number of idle connections available for reuse on this server"},
	{"qtime_max",
	 "Maximum observed time spent in the queue, in milliseconds "
	 "(backend/server)"},
	{"ctime_max",
	 "Maximum observed time spent waiting for a connection to complete, in "
	 "milliseconds (backend/server)"},
	{"rtime_max",
	 "Maximum observed time spent waiting for a server response, in "
	 "milliseconds (backend/server)"},
	{"ttime_max",
	 "Maximum observed total request+response time "
	 "(request+queue+connect+response+processing), in milliseconds "
	 "(backend/server)"},
	{"eint", "Total number of internal errors since process started"},
	{"idle_conn_cur", "Current number of unsafe idle connections"},
	{"safe_conn_cur", "Current number of safe idle connections"},
	{"used_conn_cur", "Current number of connections in use"},
	{"need_conn_est", "Estimated needed number of connections"},
	{"uweight",
	 "Server's user weight, or sum of active servers' user weights for a "
	 "backend"},
	{"agg_server_status", "Backend's aggregated gauge of servers' status"},
	{"agg_server_check_status", "Backend's aggregated gauge of servers' state check status"},
	{"agg_check_status", "Backend's aggregated gauge of servers' state check status"},
	{"isari_timeline", "PostgreSQL timeline of the server, or of its cluster's primary"},
	{"isari_lag_bytes", "How far the server is behind its cluster's primary, in bytes"},
};
/* clang-format on */

const char *stat_description(const char *column)
{
	for (size_t i = 0; i < sizeof(descriptions) / sizeof(descriptions[0]); i++)
		if (strcmp(descriptions[i].column, column) == 0)
			return descriptions[i].text;
	return "";
}
