/* `show info` and `show version`: HAProxy 2.6's lines, all of them and in its order. Tools split
 * each line at its colon, so no value holds one. What isari has nothing to say about is 0. */
#include "admin/command.h"
#include <inttypes.h>
#include <stdio.h>
#include <string.h>

struct info {
	const struct admin_facts *facts;
	const struct process_facts *process;
	struct counters_sum total; /* over all listeners */
	unsigned n_listeners;      /* bound sockets, stats sockets included */
};

static void info_gather(struct info *i, const struct admin_facts *f)
{
	const struct config *config = f->config;

	*i = (struct info){.facts = f, .process = f->process};
	i->n_listeners = (unsigned)config->n_stats_sockets;
	for (size_t l = 0; l < config->n_listeners; l++) {
		i->total.sessions += f->rows[l].sum.sessions;
		i->total.bytes_out += f->rows[l].sum.bytes_out;
		i->n_listeners += (unsigned)config->listeners[l].n_binds;
	}
}

#define NUMBER(name, value)                                     \
	static void name(const struct info *i, struct buf *out) \
	{                                                       \
		buf_printf(out, "%" PRIu64, (uint64_t)(value)); \
	}

NUMBER(threads, i->process->threads)
NUMBER(pid, i->process->pid)
NUMBER(uptime_s, i->process->uptime_ms / 1000)
NUMBER(nofile, i->process->nofile)
NUMBER(maxconn, i->facts->config->maxconn)
NUMBER(sessions_now, i->process->sessions_now)
NUMBER(sessions, i->total.sessions)
NUMBER(rate, i->process->rate)
NUMBER(rate_max, i->process->rate_max)
NUMBER(tasks, (uint64_t)i->process->handles + i->process->sessions_now)
NUMBER(idle_pct, i->process->idle_pct)
NUMBER(stopping, i->process->stopping)
NUMBER(jobs, (uint64_t)i->process->sessions_now + i->process->operators + i->n_listeners)
NUMBER(listeners, i->n_listeners)
NUMBER(dropped_logs, i->process->dropped_logs)
NUMBER(bytes_out, i->total.bytes_out)
NUMBER(bytes_out_rate, i->process->bytes_out_per_s)
NUMBER(start_time, i->process->start_wall_s)

/* "Nov 20 2026" of the compiler as 2026/11/20; a reproducible build sets it by
 * SOURCE_DATE_EPOCH. */
static void release_date(const struct info *i, struct buf *out)
{
	static const char date[] = __DATE__, months[] = "JanFebMarAprMayJunJulAugSepOctNovDec";
	unsigned month = 0;

	(void)i;
	while (month < 11 && strncmp(months + 3 * month, date, 3) != 0)
		month++;
	buf_printf(out, "%s/%02u/%c%c", date + 7, month + 1, date[4] == ' ' ? '0' : date[4],
		   date[5]);
}

static void uptime(const struct info *i, struct buf *out)
{
	int64_t s = i->process->uptime_ms / 1000;

	buf_printf(out, "%" PRId64 "d %" PRId64 "h%02" PRId64 "m%02" PRId64 "s", s / 86400,
		   s / 3600 % 24, s / 60 % 60, s % 60);
}

/* Never empty and without a colon, or hatop and others give up. */
static void node(const struct info *i, struct buf *out)
{
	const char *name = i->process->node;

	if (!*name)
		name = "isari";
	for (; *name; name++)
		buf_putc(out, *name == ':' || *name == ' ' ? '-' : *name);
}

struct info_line {
	const char *name, *constant;
	void (*value)(const struct info *i, struct buf *out);
};

/* clang-format off */
static const struct info_line lines[] = {
	{"Name", "HAProxy", NULL}, /* tools refuse any other */
	{"Version", ADMIN_VERSION, NULL},
	{"Release_date", NULL, release_date},
	{"Nbthread", NULL, threads},
	{"Nbproc", "1", NULL},
	{"Process_num", "1", NULL},
	{"Pid", NULL, pid},
	{"Uptime", NULL, uptime},
	{"Uptime_sec", NULL, uptime_s},
	{"Memmax_MB", "0", NULL},
	{"PoolAlloc_MB", "0", NULL},
	{"PoolUsed_MB", "0", NULL},
	{"PoolFailed", "0", NULL},
	{"Ulimit-n", NULL, nofile},
	{"Maxsock", NULL, nofile},
	{"Maxconn", NULL, maxconn},
	{"Hard_maxconn", NULL, maxconn},
	{"CurrConns", NULL, sessions_now},
	{"CumConns", NULL, sessions},
	{"CumReq", "0", NULL}, /* requests are HTTP's */
	{"MaxSslConns", "0", NULL},
	{"CurrSslConns", "0", NULL},
	{"CumSslConns", "0", NULL},
	{"Maxpipes", "0", NULL},
	{"PipesUsed", "0", NULL},
	{"PipesFree", "0", NULL},
	{"ConnRate", NULL, rate},
	{"ConnRateLimit", "0", NULL},
	{"MaxConnRate", NULL, rate_max},
	{"SessRate", NULL, rate},
	{"SessRateLimit", "0", NULL},
	{"MaxSessRate", NULL, rate_max},
	{"SslRate", "0", NULL},
	{"SslRateLimit", "0", NULL},
	{"MaxSslRate", "0", NULL},
	{"SslFrontendKeyRate", "0", NULL},
	{"SslFrontendMaxKeyRate", "0", NULL},
	{"SslFrontendSessionReuse_pct", "0", NULL},
	{"SslBackendKeyRate", "0", NULL},
	{"SslBackendMaxKeyRate", "0", NULL},
	{"SslCacheLookups", "0", NULL},
	{"SslCacheMisses", "0", NULL},
	{"CompressBpsIn", "0", NULL},
	{"CompressBpsOut", "0", NULL},
	{"CompressBpsRateLim", "0", NULL},
	{"Tasks", NULL, tasks},
	{"Run_queue", "0", NULL},
	{"Idle_pct", NULL, idle_pct},
	{"node", NULL, node},
	{"Stopping", NULL, stopping},
	{"Jobs", NULL, jobs},
	{"Unstoppable Jobs", "0", NULL},
	{"Listeners", NULL, listeners},
	{"ActivePeers", "0", NULL},
	{"ConnectedPeers", "0", NULL},
	{"DroppedLogs", NULL, dropped_logs},
	{"BusyPolling", "0", NULL},
	{"FailedResolutions", "0", NULL},
	{"TotalBytesOut", NULL, bytes_out},
	{"TotalSplicdedBytesOut", "0", NULL}, /* HAProxy's spelling */
	{"BytesOutRate", NULL, bytes_out_rate},
	{"DebugCommandsIssued", "0", NULL},
	{"CumRecvLogs", "0", NULL},
	{"Build info", ADMIN_VERSION, NULL},
	{"Memmax_bytes", "0", NULL},
	{"PoolAlloc_bytes", "0", NULL},
	{"PoolUsed_bytes", "0", NULL},
	{"Start_time_sec", NULL, start_time},
	{"Tainted", "0", NULL},
};
/* clang-format on */

void show_info(const struct command_call *c)
{
	struct info info;

	info_gather(&info, c->facts);
	for (size_t n = 0; n < sizeof(lines) / sizeof(lines[0]); n++) {
		buf_printf(c->out, "%s: ", lines[n].name);
		if (lines[n].constant)
			buf_puts(c->out, lines[n].constant);
		else
			lines[n].value(&info, c->out);
		buf_putc(c->out, '\n');
	}
}

void show_version(const struct command_call *c)
{
	buf_puts(c->out, ADMIN_VERSION "\n");
}
