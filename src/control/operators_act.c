/* The two ends of every operator's command, however it came: the facts it is given, and what is
 * done for it. Not here: what a command says (admin/), who sent it (operators_line.c). */
#include "control/operators_state.h"
#include "io/clock.h"
#include "io/log.h"

/* ---- facts ---- */

static void fill_process(const struct operators *ops, int64_t now_ms, struct process_facts *p)
{
	size_t n = sizeof(p->node);

	if (uv_os_gethostname(p->node, &n) < 0)
		p->node[0] = '\0';
	p->pid = (int)uv_os_getpid();
	p->start_wall_s = ops->started_wall_s;
	p->uptime_ms = now_ms - ops->started_ms;
	p->threads = ops->setup.threads;
	p->nofile = ops->setup.nofile;
	p->sessions_now =
		atomic_load_explicit(&ops->setup.scoreboard->sessions, memory_order_relaxed);
	p->handles = ops->setup.loop->active_handles;
	p->operators = ops->n_clients;
	p->dropped_logs = log_dropped();
	p->stopping = ops->stopping;
}

void operators_gather(struct operators *ops, struct snapshot *s)
{
	const struct operators_hooks *hooks = &ops->setup.hooks;
	int64_t now_ms = clock_ms();

	snapshot_init(s, ops->setup.config, &ops->history, now_ms);
	fill_process(ops, now_ms, &s->process);
	hooks->report(hooks->arg, &s->report);
	s->facts.view = ops->view;
	s->facts.journal = hooks->journal(hooks->arg);
}

/* ---- orders ---- */

static void log_order(const struct operators *ops, const struct admin_order *o, const char *what)
{
	const struct config *config = ops->setup.config;
	const struct listener_config *listener = &config->listeners[o->listener];
	const struct cluster_config *cluster = config_listener_cluster(config, listener);
	struct log_line l;

	if (!log_begin(&l, SEVERITY_INFO, "operator"))
		return;
	log_str(&l, "order", what);
	log_str(&l, "listener", listener->name);
	log_str(&l, "server", config->members[cluster->first_member + o->server].name);
	log_end(&l);
}

static void hint(const struct operators *ops, unsigned cluster)
{
	const struct operators_setup *setup = &ops->setup;
	struct log_line l;

	if (log_begin(&l, SEVERITY_INFO, "operator")) {
		log_str(&l, "order", "probe");
		log_str(&l, "cluster", setup->config->clusters[cluster].name);
		log_end(&l);
	}
	setup->hooks.hint(setup->hooks.arg, cluster);
}

static void hint_all(const struct operators *ops, int only)
{
	for (size_t i = 0; i < ops->setup.config->n_clusters; i++)
		if (only < 0 || (size_t)only == i)
			hint(ops, (unsigned)i);
}

void operators_obey(struct operators *ops, const struct admin_order *o)
{
	const struct operators_hooks *hooks = &ops->setup.hooks;

	switch (o->type) {
	case ORDER_SET_SERVER:
		log_order(ops, o, admin_state_name(o->state));
		hooks->set_server(hooks->arg, o->listener, o->server, o->state);
		break;
	case ORDER_HINT: hint_all(ops, o->cluster); break;
	case ORDER_SHUTDOWN_SERVER:
		log_order(ops, o, "shutdown sessions");
		hooks->shutdown_server(hooks->arg, o->listener, o->server);
		break;
	default: break; /* nothing to do, or a matter between the operator and its connection */
	}
}
