/* What every operator's command is given, however it came: the facts of this moment. Not here: what
 * a command says (admin/), what is done for it (operators_obey.c), who sent it (operators_line.c).
 */
#include "control/operators_state.h"
#include "io/clock.h"
#include "io/log.h"
#include "io/memory.h"
#include "io/splice.h"

static void fill_process(const struct operators *ops, int64_t now_ms, struct process_facts *p)
{
	size_t n = sizeof(p->node);
	struct timespec wall = clock_wall();

	if (uv_os_gethostname(p->node, &n) < 0)
		p->node[0] = '\0';
	p->pid = (int)uv_os_getpid();
	p->start_wall_s = ops->started_wall_s;
	p->uptime_ms = now_ms - ops->started_ms;
	p->wall_ms = (int64_t)wall.tv_sec * 1000 + wall.tv_nsec / 1000000;
	p->utc_offset_s = clock_utc_offset_s(wall.tv_sec);
	p->threads = ops->setup.threads;
	p->nofile = ops->setup.nofile;
	p->sessions_now =
		atomic_load_explicit(&ops->setup.scoreboard->sessions, memory_order_relaxed);
	p->maxconn = NOTED(ops->setup.scoreboard, maxconn);
	for (unsigned i = 0; i < N_RATE_KINDS; i++)
		p->rate_limit[i] = NOTED(ops->setup.scoreboard, rate.per_second[i]);
	p->handles = ops->setup.loop->active_handles;
	p->operators = ops->n_clients;
	p->dropped_logs = log_dropped();
	p->pipes_max = ops->setup.threads * PIPES_MOST;
	p->stopping = ops->stopping;
}

static void fill_reloads(const struct operators *ops, int64_t now_ms, struct process_facts *p)
{
	bool any = ops->reloads.n + ops->reloads.failures > 0;

	p->reload_ok = !ops->reloads.failed;
	p->reloads = ops->reloads.n;
	p->reload_failures = ops->reloads.failures;
	p->reload_ms_ago = any ? now_ms - ops->reloads.at_ms : -1;
}

void operators_gather(struct operators *ops, struct snapshot *s)
{
	const struct operators_hooks *hooks = &ops->setup.hooks;
	int64_t now_ms = clock_ms();

	snapshot_init(s, ops->setup.config, &ops->history, now_ms);
	fill_process(ops, now_ms, &s->process);
	fill_reloads(ops, now_ms, &s->process);
	hooks->report(hooks->arg, &s->report);
	s->facts.view = ops->view;
	s->facts.journal = hooks->journal(hooks->arg);
	s->facts.meters = ops->setup.meters;
}

void operators_gather_memory(const struct operators *ops, struct snapshot *s)
{
	struct memory_use use;

	memory_read(&use);
	s->memory = (struct memory_facts){
		.resident = use.resident,
		.resident_max = use.resident_max,
		.heap_used = use.heap_used,
		.heap_held = use.heap_held,
		.listing_bytes = ops->asking.n * sizeof(*ops->asking.list),
	};
	s->facts.memory = &s->memory;
}

void operators_reload(struct operators *ops, struct buf *reply)
{
	ops->setup.hooks.reload(ops->setup.hooks.arg, reply);
}
