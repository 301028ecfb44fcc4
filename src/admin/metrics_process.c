/* haproxy_process_*: names, types and help as HAProxy 2.6's exporter has them. Each is a field of
 * `show info` under another name; those about zlib, which HAProxy gives as NaN, are left out. */
#include "admin/info_fields.h"
#include "admin/metrics.h"
#include "base/assert.h"
#include <stdlib.h>
#include <string.h>

/* Not a number but a label. */
#define BUILD_INFO "Build info"

struct process_metric {
	const char *name; /* without haproxy_process_ */
	enum prom_type type;
	const char *field;
};

/* clang-format off */
static const struct process_metric table[] = {
	{"nbthread", PROM_GAUGE, "Nbthread"},
	{"nbproc", PROM_GAUGE, "Nbproc"},
	{"relative_process_id", PROM_GAUGE, "Process_num"},
	{"uptime_seconds", PROM_GAUGE, "Uptime_sec"},
	{"pool_failures_total", PROM_COUNTER, "PoolFailed"},
	{"max_fds", PROM_GAUGE, "Ulimit-n"},
	{"max_sockets", PROM_GAUGE, "Maxsock"},
	{"max_connections", PROM_GAUGE, "Maxconn"},
	{"hard_max_connections", PROM_GAUGE, "Hard_maxconn"},
	{"current_connections", PROM_GAUGE, "CurrConns"},
	{"connections_total", PROM_COUNTER, "CumConns"},
	{"requests_total", PROM_COUNTER, "CumReq"},
	{"max_ssl_connections", PROM_GAUGE, "MaxSslConns"},
	{"current_ssl_connections", PROM_GAUGE, "CurrSslConns"},
	{"ssl_connections_total", PROM_COUNTER, "CumSslConns"},
	{"max_pipes", PROM_GAUGE, "Maxpipes"},
	{"pipes_used_total", PROM_COUNTER, "PipesUsed"},
	{"pipes_free_total", PROM_COUNTER, "PipesFree"},
	{"current_connection_rate", PROM_GAUGE, "ConnRate"},
	{"limit_connection_rate", PROM_GAUGE, "ConnRateLimit"},
	{"max_connection_rate", PROM_GAUGE, "MaxConnRate"},
	{"current_session_rate", PROM_GAUGE, "SessRate"},
	{"limit_session_rate", PROM_GAUGE, "SessRateLimit"},
	{"max_session_rate", PROM_GAUGE, "MaxSessRate"},
	{"current_ssl_rate", PROM_GAUGE, "SslRate"},
	{"limit_ssl_rate", PROM_GAUGE, "SslRateLimit"},
	{"max_ssl_rate", PROM_GAUGE, "MaxSslRate"},
	{"current_frontend_ssl_key_rate", PROM_GAUGE, "SslFrontendKeyRate"},
	{"max_frontend_ssl_key_rate", PROM_GAUGE, "SslFrontendMaxKeyRate"},
	{"frontend_ssl_reuse", PROM_GAUGE, "SslFrontendSessionReuse_pct"},
	{"current_backend_ssl_key_rate", PROM_GAUGE, "SslBackendKeyRate"},
	{"max_backend_ssl_key_rate", PROM_GAUGE, "SslBackendMaxKeyRate"},
	{"ssl_cache_lookups_total", PROM_COUNTER, "SslCacheLookups"},
	{"ssl_cache_misses_total", PROM_COUNTER, "SslCacheMisses"},
	{"http_comp_bytes_in_total", PROM_COUNTER, "CompressBpsIn"},
	{"http_comp_bytes_out_total", PROM_COUNTER, "CompressBpsOut"},
	{"limit_http_comp", PROM_GAUGE, "CompressBpsRateLim"},
	{"current_tasks", PROM_GAUGE, "Tasks"},
	{"current_run_queue", PROM_GAUGE, "Run_queue"},
	{"idle_time_percent", PROM_GAUGE, "Idle_pct"},
	{"stopping", PROM_GAUGE, "Stopping"},
	{"jobs", PROM_GAUGE, "Jobs"},
	{"unstoppable_jobs", PROM_GAUGE, "Unstoppable Jobs"},
	{"listeners", PROM_GAUGE, "Listeners"},
	{"active_peers", PROM_GAUGE, "ActivePeers"},
	{"connected_peers", PROM_GAUGE, "ConnectedPeers"},
	{"dropped_logs_total", PROM_COUNTER, "DroppedLogs"},
	{"busy_polling_enabled", PROM_GAUGE, "BusyPolling"},
	{"failed_resolutions", PROM_COUNTER, "FailedResolutions"},
	{"bytes_out_total", PROM_COUNTER, "TotalBytesOut"},
	{"spliced_bytes_out_total", PROM_COUNTER, "TotalSplicdedBytesOut"},
	{"bytes_out_rate", PROM_GAUGE, "BytesOutRate"},
	{"recv_logs_total", PROM_COUNTER, "CumRecvLogs"},
	{"build_info", PROM_GAUGE, BUILD_INFO},
	{"max_memory_bytes", PROM_GAUGE, "Memmax_bytes"},
	{"pool_allocated_bytes", PROM_GAUGE, "PoolAlloc_bytes"},
	{"pool_used_bytes", PROM_GAUGE, "PoolUsed_bytes"},
	{"start_time_seconds", PROM_GAUGE, "Start_time_sec"},
};
/* clang-format on */

static const struct info_field *find_field(const char *name)
{
	for (unsigned i = 0; i < n_info_fields; i++)
		if (strcmp(info_fields[i].field.name, name) == 0)
			return &info_fields[i];
	INSIST(false); /* the tables belong together */
	return NULL;
}

static void put_version(const struct metrics *m, const char *name, const char *version)
{
	struct buf labels = {0};

	prom_label(&labels, "version", version);
	prom_sample(m->out, name, labels.data, PROM_INTEGER(1));
	buf_fini(&labels);
}

static void put_metric(const struct metrics *m, const struct process_metric *p,
		       const struct info *info)
{
	struct buf name = {0};
	struct typed_field field;
	struct typed_value v;

	info_value(find_field(p->field), info, false, &field, &v);
	buf_printf(&name, "haproxy_process_%s", p->name);
	prom_family(m->out, name.data, p->type, field.desc);
	if (strcmp(p->field, BUILD_INFO) == 0)
		put_version(m, name.data, v.text);
	else /* a constant is there as text only */
		prom_sample(m->out, name.data, NULL,
			    PROM_INTEGER(v.text ? strtoll(v.text, NULL, 10) : v.number));
	buf_fini(&name);
}

void metrics_haproxy_process(const struct metrics *m)
{
	struct info info;

	info_gather(&info, m->facts);
	for (size_t i = 0; i < sizeof(table) / sizeof(table[0]); i++)
		put_metric(m, &table[i], &info);
}
