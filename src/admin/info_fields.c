/* THE table of `show info`: HAProxy 2.6's fields, all of them and in its order, with the kinds and
 * words that it has for them. Tools split each line at its colon, so no value holds one. What isari
 * has nothing to say about is 0. Not here: how it is written (show_info.c). */
#include "admin/info_fields.h"
#include "admin/about.h"
#include "admin/command.h"
#include "base/str.h"

/* ---- what has to be put together ---- */

static void keep(struct buf *text, char *out, size_t n)
{
	str_copy(out, n, text->data);
	buf_clear(text);
}

static void put_texts(struct info *i)
{
	struct buf b = {0};

	about_release_date(&b);
	keep(&b, i->release_date, sizeof(i->release_date));
	about_uptime(i->process->uptime_ms, &b);
	keep(&b, i->uptime, sizeof(i->uptime));
	about_node(i->process->node, &b);
	keep(&b, i->node, sizeof(i->node));
	buf_fini(&b);
}

static void add_workers(struct info *i)
{
	for (unsigned n = 0; n < i->facts->n_workers; n++) {
		const struct worker_numbers *w = &i->facts->workers[n];

		i->pool_bytes += w->pool_bytes;
		i->pool_used_bytes += w->pool_used_bytes;
		i->pipes += w->pipes;
		i->pipes_used += w->pipes_used;
		i->spliced += w->spliced;
	}
}

void info_gather(struct info *i, const struct admin_facts *f)
{
	const struct config *config = f->config;

	*i = (struct info){.facts = f, .process = f->process};
	i->n_listeners = (unsigned)config->n_stats_sockets;
	for (size_t l = 0; l < config->n_listeners; l++) {
		i->total.sessions += f->rows[l].sum.sessions;
		i->total.bytes_out += f->rows[l].sum.bytes_out;
		i->n_listeners += (unsigned)config->listeners[l].n_binds;
	}
	add_workers(i);
	put_texts(i);
}

/* ---- the values ---- */

#define NUMBER(name, value)                       \
	static int64_t name(const struct info *i) \
	{                                         \
		return (int64_t)(value);          \
	}
#define REAL(name, value)                        \
	static double name(const struct info *i) \
	{                                        \
		return (double)(value);          \
	}
#define TEXT(name)                                    \
	static const char *name(const struct info *i) \
	{                                             \
		return i->name;                       \
	}

NUMBER(threads, i->process->threads)
NUMBER(pid, i->process->pid)
NUMBER(uptime_s, i->process->uptime_ms / 1000)
NUMBER(nofile, i->process->nofile)
NUMBER(maxconn, i->process->maxconn)
NUMBER(hard_maxconn, i->facts->config->maxconn)
NUMBER(connection_limit, i->process->rate_limit[RATE_CONNECTIONS])
NUMBER(session_limit, i->process->rate_limit[RATE_SESSIONS])
NUMBER(sessions_now, i->process->sessions_now)
NUMBER(sessions, i->total.sessions)
NUMBER(pipes_max, i->process->pipes_max)
NUMBER(pipes_used, i->pipes_used)
NUMBER(pipes_free, i->pipes - i->pipes_used)
NUMBER(pool_mb, i->pool_bytes >> 20)
NUMBER(pool_used_mb, i->pool_used_bytes >> 20)
NUMBER(pool_bytes, i->pool_bytes)
NUMBER(pool_used_bytes, i->pool_used_bytes)
NUMBER(rate, i->process->rate)
NUMBER(rate_max, i->process->rate_max)
NUMBER(tasks, (uint64_t)i->process->handles + i->process->sessions_now)
NUMBER(idle_pct, i->process->idle_pct)
NUMBER(stopping, i->process->stopping)
NUMBER(jobs, (uint64_t)i->process->sessions_now + i->process->operators + i->n_listeners)
NUMBER(listeners, i->n_listeners)
NUMBER(dropped_logs, i->process->dropped_logs)
NUMBER(busy_polling, i->facts->config->spin_us > 0)
NUMBER(failed_lookups, i->facts->meters ? i->facts->meters->failed_lookups : 0)
NUMBER(bytes_out, i->total.bytes_out)
NUMBER(spliced, i->spliced)
NUMBER(bytes_out_rate, i->process->bytes_out_per_s)
NUMBER(start_time, i->process->start_wall_s)
REAL(uptime_real, (double)i->process->uptime_ms / 1000)
REAL(rate_real, i->process->rate)
REAL(start_real, i->process->start_wall_s)
TEXT(release_date)
TEXT(uptime)
TEXT(node)

static double nothing(const struct info *i)
{
	(void)i;
	return 0;
}

/* ---- the table ---- */

/* clang-format off */
#define FIELD(pos, name, tags, desc) {pos, name, tags, desc}
#define N(pos, name, kind, tags, fn, desc) \
	{FIELD(pos, name, tags, desc), TYPED_##kind, .number = fn}
#define T(pos, name, tags, fn, desc) \
	{FIELD(pos, name, tags, desc), TYPED_STR, .text = fn}
#define K(pos, name, kind, tags, txt, desc) \
	{FIELD(pos, name, tags, desc), TYPED_##kind, .constant = txt}
/* Those that have a fraction, with `float`. */
#define RN(pos, name, kind, tags, real_tags, fn, real_fn, desc) \
	{FIELD(pos, name, tags, desc), TYPED_##kind, real_tags, real_fn, .number = fn}
#define RK(pos, name, kind, tags, real_tags, txt, real_fn, desc) \
	{FIELD(pos, name, tags, desc), TYPED_##kind, real_tags, real_fn, .constant = txt}
const struct info_field info_fields[] = {
	K(0, "Name", STR, "POS", "HAProxy", "Product name"), /* tools refuse any other */
	K(1, "Version", STR, "POS", ADMIN_VERSION, "Product version"),
	T(2, "Release_date", "POS", release_date, "Date of latest source code update"),
	N(3, "Nbthread", U32, "CGS", threads, "Number of started threads (global.nbthread)"),
	K(4, "Nbproc", U32, "CGS", "1",
	  "Number of started worker processes (historical, always 1)"),
	K(5, "Process_num", U32, "KGP", "1", "Relative worker process number (1)"),
	N(6, "Pid", U32, "SGP", pid, "This worker process identifier for the system"),
	T(7, "Uptime", "MDP", uptime,
	  "How long ago this worker process was started (days+hours+minutes+seconds)"),
	RN(8, "Uptime_sec", U32, "MDP", "MDP", uptime_s, uptime_real,
	  "How long ago this worker process was started (seconds)"),
	K(9, "Memmax_MB", U32, "CLP", "0",
	  "Worker process's hard limit on memory usage in MB (-m on command line)"),
	N(10, "PoolAlloc_MB", U32, "MGP", pool_mb, "Amount of memory allocated in pools (in MB)"),
	N(11, "PoolUsed_MB", U32, "MGP", pool_used_mb,
	  "Amount of pool memory currently used (in MB)"),
	K(12, "PoolFailed", U32, "MCP", "0",
	  "Number of failed pool allocations since this worker was started"),
	N(13, "Ulimit-n", U32, "CLP", nofile,
	  "Hard limit on the number of per-process file descriptors"),
	N(14, "Maxsock", U32, "CLP", nofile, "Hard limit on the number of per-process sockets"),
	N(15, "Maxconn", U32, "CLP", maxconn,
	  "Hard limit on the number of per-process connections (configured or imposed by "
	  "Ulimit-n)"),
	N(16, "Hard_maxconn", U32, "CLP", hard_maxconn,
	  "Hard limit on the number of per-process connections (imposed by Memmax_MB or "
	  "Ulimit-n)"),
	N(17, "CurrConns", U32, "MGP", sessions_now,
	  "Current number of connections on this worker process"),
	N(18, "CumConns", U32, "MCP", sessions,
	  "Total number of connections on this worker process since started"),
	K(19, "CumReq", U32, "MCP", "0", /* requests are HTTP's */
	  "Total number of requests on this worker process since started"),
	K(20, "MaxSslConns", U32, "MMP", "0",
	  "Hard limit on the number of per-process SSL endpoints (front+back), 0=unlimited"),
	K(21, "CurrSslConns", U32, "MGP", "0",
	  "Current number of SSL endpoints on this worker process (front+back)"),
	K(22, "CumSslConns", U32, "MCP", "0",
	  "Total number of SSL endpoints on this worker process since started (front+back)"),
	N(23, "Maxpipes", U32, "CLP", pipes_max,
	  "Hard limit on the number of pipes for splicing, 0=unlimited"),
	N(24, "PipesUsed", U32, "MGP", pipes_used,
	  "Current number of pipes in use in this worker process"),
	N(25, "PipesFree", U32, "MGP", pipes_free,
	  "Current number of allocated and available pipes in this worker process"),
	RN(26, "ConnRate", U32, "MRP", "MRP", rate, rate_real,
	  "Number of front connections created on this worker process over the last second"),
	N(27, "ConnRateLimit", U32, "CLP", connection_limit,
	  "Hard limit for ConnRate (global.maxconnrate)"),
	N(28, "MaxConnRate", U32, "MMP", rate_max,
	  "Highest ConnRate reached on this worker process since started (in connections "
	  "per second)"),
	RN(29, "SessRate", U32, "MRP", "MRP", rate, rate_real,
	  "Number of sessions created on this worker process over the last second"),
	N(30, "SessRateLimit", U32, "CLP", session_limit,
	  "Hard limit for SessRate (global.maxsessrate)"),
	N(31, "MaxSessRate", U32, "MRP", rate_max,
	  "Highest SessRate reached on this worker process since started (in sessions per "
	  "second)"),
	RK(32, "SslRate", U32, "MRP", "MRP", "0", nothing,
	  "Number of SSL connections created on this worker process over the last second"),
	K(33, "SslRateLimit", U32, "CLP", "0", "Hard limit for SslRate (global.maxsslrate)"),
	K(34, "MaxSslRate", U32, "MMP", "0",
	  "Highest SslRate reached on this worker process since started (in connections per"
	  " second)"),
	RK(35, "SslFrontendKeyRate", U32, "MGP", "MRP", "0", nothing,
	  "Number of SSL keys created on frontends in this worker process over the last "
	  "second"),
	K(36, "SslFrontendMaxKeyRate", U32, "MMP", "0",
	  "Highest SslFrontendKeyRate reached on this worker process since started (in SSL "
	  "keys per second)"),
	RK(37, "SslFrontendSessionReuse_pct", U32, "MGP", "MRP", "0", nothing,
	  "Percent of frontend SSL connections which did not require a new key"),
	RK(38, "SslBackendKeyRate", U32, "MRP", "MRP", "0", nothing,
	  "Number of SSL keys created on backends in this worker process over the last "
	  "second"),
	K(39, "SslBackendMaxKeyRate", U32, "MMP", "0",
	  "Highest SslBackendKeyRate reached on this worker process since started (in SSL "
	  "keys per second)"),
	K(40, "SslCacheLookups", U32, "MCP", "0",
	  "Total number of SSL session ID lookups in the SSL session cache on this worker "
	  "since started"),
	K(41, "SslCacheMisses", U32, "MCP", "0",
	  "Total number of SSL session ID lookups that didn't find a session in the SSL "
	  "session cache on this worker since started"),
	RK(42, "CompressBpsIn", U32, "MRP", "MRP", "0", nothing,
	  "Number of bytes submitted to the HTTP compressor in this worker process over the"
	  " last second"),
	RK(43, "CompressBpsOut", U32, "MRP", "MRP", "0", nothing,
	  "Number of bytes emitted by the HTTP compressor in this worker process over the "
	  "last second"),
	K(44, "CompressBpsRateLim", U32, "CLP", "0",
	  "Limit of CompressBpsOut beyond which HTTP compression is automatically disabled"),
	N(47, "Tasks", U32, "MGP", tasks,
	  "Total number of tasks in the current worker process (active + sleeping)"),
	K(48, "Run_queue", U32, "MGP", "0",
	  "Total number of active tasks+tasklets in the current worker process"),
	N(49, "Idle_pct", U32, "MaP", idle_pct,
	  "Percentage of last second spent waiting in the current worker thread"),
	T(50, "node", "COS", node, "Node name (global.node)"),
	N(52, "Stopping", U32, "MGP", stopping,
	  "1 if the worker process is currently stopping, otherwise zero"),
	N(53, "Jobs", U32, "MGP", jobs,
	  "Current number of active jobs on the current worker process (frontend "
	  "connections, master connections, listeners)"),
	K(54, "Unstoppable Jobs", U32, "MGP", "0",
	  "Current number of unstoppable jobs on the current worker process (master "
	  "connections)"),
	N(55, "Listeners", U32, "MGP", listeners,
	  "Current number of active listeners on the current worker process"),
	K(56, "ActivePeers", U32, "MGP", "0",
	  "Current number of verified active peers connections on the current worker "
	  "process"),
	K(57, "ConnectedPeers", U32, "MGP", "0",
	  "Current number of peers having passed the connection step on the current worker "
	  "process"),
	N(58, "DroppedLogs", U32, "MGP", dropped_logs,
	  "Total number of dropped logs for current worker process since started"),
	N(59, "BusyPolling", U32, "MGP", busy_polling,
	  "1 if busy-polling is currently in use on the worker process, otherwise zero "
	  "(config.busy-polling)"),
	N(60, "FailedResolutions", U32, "MGP", failed_lookups,
	  "Total number of failed DNS resolutions in current worker process since started"),
	N(61, "TotalBytesOut", U64, "MGP", bytes_out,
	  "Total number of bytes emitted by current worker process since started"),
	N(62, "TotalSplicdedBytesOut", U64, "MGP", spliced, /* HAProxy's spelling */
	  "Total number of bytes emitted by current worker process through a kernel pipe "
	  "since started"),
	N(63, "BytesOutRate", U64, "MRP", bytes_out_rate,
	  "Number of bytes emitted by current worker process over the last second"),
	K(64, "DebugCommandsIssued", U32, "MGP", "0",
	  "Number of debug commands issued on this process (anything > 0 is unsafe)"),
	K(65, "CumRecvLogs", U32, "MCP", "0",
	  "Total number of log messages received by log-forwarding listeners on this worker"
	  " process since started"),
	K(66, "Build info", STR, "POS", ADMIN_VERSION, "Build info"),
	K(67, "Memmax_bytes", U32, "CLP", "0",
	  "Worker process's hard limit on memory usage in byes (-m on command line)"),
	N(68, "PoolAlloc_bytes", U64, "MGP", pool_bytes,
	  "Amount of memory allocated in pools (in bytes)"),
	N(69, "PoolUsed_bytes", U64, "MGP", pool_used_bytes,
	  "Amount of pool memory currently used (in bytes)"),
	RN(70, "Start_time_sec", U32, "MDP", "MDP", start_time, start_real,
	  "Start time in seconds"),
	K(71, "Tainted", STR, "SGP", "0", "Experimental features used"),
};
/* clang-format on */

const unsigned n_info_fields = sizeof(info_fields) / sizeof(info_fields[0]);

void info_value(const struct info_field *f, const struct info *i, bool real, struct typed_field *as,
		struct typed_value *v)
{
	*as = f->field;
	*v = (struct typed_value){.kind = f->kind, .text = f->constant};
	if (real && f->real) {
		as->tags = f->real_tags;
		*v = (struct typed_value){.kind = TYPED_FLT, .real = f->real(i)};
	} else if (f->number) {
		v->number = f->number(i);
	} else if (f->text) {
		v->text = f->text(i);
	}
}
