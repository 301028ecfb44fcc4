/* `show servers state`, `show servers conn` and `show backend`: HAProxy's volatile state of
 * servers, which tools save, compare and parse by position. */
#include "admin/command.h"
#include "admin/proxies.h"
#include "admin/replies.h"
#include "admin/stat_row.h"
#include <inttypes.h>
#include <string.h>

/* SRV_OP_STATE, SRV_ADMF and CHK_RES of HAProxy. */
enum { OP_STOPPED = 0, OP_RUNNING = 2, OP_STOPPING = 3 };
enum { ADMIN_FORCED_MAINT = 0x01, ADMIN_FORCED_DRAIN = 0x08 };
enum { RESULT_UNKNOWN = 0, RESULT_FAILED = 2, RESULT_PASSED = 3 };
enum { CHECK_ENABLED = 6, CHECK_PAUSED = 14 };

static int op_state(const struct stat_row *r)
{
	if (r->server->why == WHY_HEALTH_STOPPING)
		return OP_STOPPING;
	return strcmp(r->status, "UP") == 0 || strcmp(r->status, "DRAIN") == 0 ? OP_RUNNING
									       : OP_STOPPED;
}

static unsigned admin_flags(const struct stat_row *r)
{
	static const unsigned flags[N_ADMIN_STATES] = {
		[ADMIN_DRAIN] = ADMIN_FORCED_DRAIN, [ADMIN_MAINT] = ADMIN_FORCED_MAINT};

	return flags[r->server->admin];
}

/* HCHK_STATUS of HAProxy. */
static int check_number(const char *status)
{
	static const struct {
		const char *word;
		int number;
	} numbers[] = {{"INI", 1},    {"SOCKERR", 5}, {"L4TOUT", 7}, {"L4CON", 8}, {"L6TOUT", 10},
		       {"L6RSP", 11}, {"L7TOUT", 12}, {"L7RSP", 13}, {"L7OK", 15}, {"L7STS", 17}};

	for (size_t i = 0; i < sizeof(numbers) / sizeof(numbers[0]); i++)
		if (strcmp(numbers[i].word, status) == 0)
			return numbers[i].number;
	return 0;
}

static int check_result(const char *status)
{
	if (strcmp(status, "INI") == 0)
		return RESULT_UNKNOWN;
	return strcmp(status, "L7OK") == 0 ? RESULT_PASSED : RESULT_FAILED;
}

static uint64_t check_health(const struct stat_row *r)
{
	const struct probe_config *p = &r->cluster->probe;

	return op_state(r) == OP_STOPPED ? 0 : p->rise + p->fall - 1;
}

/* Without its port; "-" where there is none: a UNIX socket, or a name that has no address yet. */
static const char *address_of(const struct stat_row *r)
{
	if (r->member->socket_path)
		return "-";
	if (*r->ip)
		return r->ip;
	return addr_is_numeric(r->member->host) ? r->member->host : "-";
}

static const char *name_of(const struct stat_row *r)
{
	return r->member->socket_path || addr_is_numeric(r->member->host) ? "-" : r->member->host;
}

static const char *check_address(const struct stat_row *r)
{
	return strcmp(r->member->rest_host, r->member->host) == 0 ? "-" : r->member->rest_host;
}

/* HAProxy asks no more in maintenance, and keeps the last result. We go on, and the view says
 * nothing of the role then; the member does. */
static struct stat_check check_of(const struct stat_row *r)
{
	struct server_report s = *r->server;

	if (!r->checked && s.check_outcome == OUTCOME_ANSWERED)
		s.check_status =
			r->facts->report->members[s.member].roles & r->listener->serve ? 200 : 503;
	return stat_check_of(&s);
}

static void put_state(const struct stat_row *r, struct buf *out)
{
	struct stat_check check = check_of(r);

	buf_printf(out, "%u %s %u %s %s %d %u %u %u %" PRId64 " ", r->listener->backend_iid,
		   r->listener->backend_name, r->sid, r->member->name, address_of(r), op_state(r),
		   admin_flags(r), r->server->weight, r->member->weight,
		   r->server->last_change_ms_ago / 1000);
	buf_printf(out, "%d %d %" PRIu64 " %d 0 0 0 %s %u - 0 %u %s - %u\n",
		   check_number(check.status), check_result(check.status), check_health(r),
		   r->checked ? CHECK_ENABLED : CHECK_PAUSED, name_of(r), r->member->port,
		   r->member->rest_port, check_address(r), r->member->rest_port);
}

/* A TCP session's connection belongs to the session, so, as in HAProxy, none is idle or lent. */
static void put_conn(const struct stat_row *r, struct buf *out)
{
	buf_printf(out, "%s/%s %u/%u %s %u - 5000 0 1 1 0 0 -1 0", r->listener->backend_name,
		   r->member->name, r->listener->backend_iid, r->sid, address_of(r),
		   r->member->port);
	for (unsigned i = 0; i < r->facts->process->threads; i++)
		buf_puts(out, " 0");
	buf_putc(out, '\n');
}

typedef void put_fn(const struct stat_row *r, struct buf *out);

static void put_listener(const struct command_call *c, unsigned listener, put_fn *put)
{
	const struct config *config = c->facts->config;
	unsigned n = config_listener_cluster(config, &config->listeners[listener])->n_members;
	struct stat_row r;

	for (unsigned i = 0; i < n; i++) {
		stat_row_server(&r, c->facts, listener, i);
		put(&r, c->out);
	}
}

static void put_servers(const struct command_call *c, int only, put_fn *put)
{
	for (unsigned l = 0; l < c->facts->config->n_listeners; l++)
		if (only < 0 || (unsigned)only == l)
			put_listener(c, l, put);
}

/* The backend that is named, if any: -1 is all. False: the reply is written. */
static bool take_backend(const struct command_call *c, int *backend)
{
	*backend = c->n_args ? proxies_backend(c->facts->config, c->args[0]) : -1;
	if (c->n_args == 0 || *backend >= 0)
		return true;
	reply_error(c->out, REPLY_CANT_FIND_BACKEND);
	return false;
}

void show_servers_state(const struct command_call *c)
{
	int backend;

	if (!take_backend(c, &backend))
		return;
	buf_puts(c->out, "1\n"
			 "# be_id be_name srv_id srv_name srv_addr srv_op_state srv_admin_state "
			 "srv_uweight srv_iweight srv_time_since_last_change srv_check_status "
			 "srv_check_result srv_check_health srv_check_state srv_agent_state "
			 "bk_f_forced_id srv_f_forced_id srv_fqdn srv_port srvrecord srv_use_ssl "
			 "srv_check_port srv_check_addr srv_agent_addr srv_agent_port\n");
	put_servers(c, backend, put_state);
}

void show_servers_conn(const struct command_call *c)
{
	int backend;

	if (!take_backend(c, &backend))
		return;
	buf_printf(c->out,
		   "# bkname/svname bkid/svid addr port - purge_delay used_cur used_max need_est "
		   "unsafe_nb safe_nb idle_lim idle_cur idle_per_thr[%u]\n",
		   c->facts->process->threads);
	put_servers(c, backend, put_conn);
}

void show_backend(const struct command_call *c)
{
	const struct config *config = c->facts->config;

	buf_puts(c->out, "# name\n");
	for (size_t i = 0; i < config->n_listeners; i++)
		buf_printf(c->out, "%s\n", config->listeners[i].backend_name);
}
