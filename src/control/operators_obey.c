/* Doing what operators order, however it came. What is about judging goes to the monitor, what is
 * about sessions and sockets to the workers, limits into the scoreboard that all of them read. Each
 * order is one line in the log. Not here: whether an order may be given (admin/). */
#include "control/operators_state.h"
#include "io/log.h"
#include <inttypes.h>
#include <stdio.h>

/* ---- the log ---- */

/* What an order's line names besides the order. */
enum order_names { NAMES_NOTHING, NAMES_LISTENER, NAMES_SERVER };

static void log_names(const struct operators *ops, const struct admin_order *o,
		      enum order_names names, struct log_line *l)
{
	const struct config *config = ops->setup.config;
	const struct listener_config *listener = &config->listeners[o->listener];
	const struct cluster_config *cluster = config_listener_cluster(config, listener);

	if (names != NAMES_NOTHING)
		log_str(l, "listener", listener->name);
	if (names == NAMES_SERVER)
		log_str(l, "server", config->members[cluster->first_member + o->server].name);
}

static bool log_order(const struct operators *ops, const struct admin_order *o, const char *what,
		      enum order_names names, struct log_line *l)
{
	if (!log_begin(l, SEVERITY_INFO, "operator"))
		return false;
	log_str(l, "order", what);
	log_names(ops, o, names, l);
	return true;
}

static void end_order(const struct admin_order *o, struct log_line *l)
{
	if (o->client)
		log_str(l, "client", o->client);
	log_end(l);
}

static void say(const struct operators *ops, const struct admin_order *o, const char *what,
		enum order_names names)
{
	struct log_line l;

	if (log_order(ops, o, what, names, &l))
		end_order(o, &l);
}

static void say_value(const struct operators *ops, const struct admin_order *o, const char *what,
		      enum order_names names)
{
	struct log_line l;

	if (!log_order(ops, o, what, names, &l))
		return;
	if (o->value == GAUGE_UNLIMITED)
		log_str(&l, "value", "none");
	else
		log_int(&l, "value", o->value);
	end_order(o, &l);
}

/* ---- for the monitor ---- */

static void judge_server(const struct operators *ops, const struct admin_order *o,
			 enum operator_word word)
{
	const struct operators_hooks *hooks = &ops->setup.hooks;
	struct event ev = {.type = EV_OPERATOR};

	ev.u.operator.listener = o->listener;
	ev.u.operator.server = o->server;
	ev.u.operator.word = word;
	ev.u.operator.state = o->state;
	ev.u.operator.weight = o->value;
	ev.u.operator.health = o->health;
	hooks->judge(hooks->arg, &ev);
}

static void set_state(struct operators *ops, const struct admin_order *o)
{
	say(ops, o, admin_state_name(o->state), NAMES_SERVER);
	judge_server(ops, o, OPERATOR_STATE);
}

static void set_weight(struct operators *ops, const struct admin_order *o)
{
	say_value(ops, o, "set weight", NAMES_SERVER);
	judge_server(ops, o, OPERATOR_WEIGHT);
}

static void set_health(struct operators *ops, const struct admin_order *o)
{
	char what[32];

	snprintf(what, sizeof(what), "health %s", health_order_name(o->health));
	say(ops, o, what, NAMES_SERVER);
	judge_server(ops, o, OPERATOR_HEALTH);
}

static void hint(const struct operators *ops, const struct admin_order *o, unsigned cluster)
{
	const struct operators_setup *setup = &ops->setup;
	struct event ev = {.type = EV_HINT};
	struct log_line l;

	if (log_order(ops, o, "probe", NAMES_NOTHING, &l)) {
		log_str(&l, "cluster", setup->config->clusters[cluster].name);
		end_order(o, &l);
	}
	ev.u.hint.cluster = cluster;
	setup->hooks.judge(setup->hooks.arg, &ev);
}

static void hint_all(struct operators *ops, const struct admin_order *o)
{
	for (size_t i = 0; i < ops->setup.config->n_clusters; i++)
		if (o->cluster < 0 || (size_t)o->cluster == i)
			hint(ops, o, (unsigned)i);
}

/* ---- for the workers ---- */

static void tell(const struct operators *ops, const struct message *like)
{
	ops->setup.hooks.tell(ops->setup.hooks.arg, like);
}

static void shutdown_server(struct operators *ops, const struct admin_order *o)
{
	struct message m = {.type = MSG_SHUTDOWN_SERVER};

	say(ops, o, "shutdown sessions", NAMES_SERVER);
	m.u.shutdown_server.listener = o->listener;
	m.u.shutdown_server.server = o->server;
	tell(ops, &m);
}

static void shutdown_session(struct operators *ops, const struct admin_order *o)
{
	struct message m = {.type = MSG_SHUTDOWN_SESSION};
	struct log_line l;

	if (log_order(ops, o, "shutdown session", NAMES_LISTENER, &l)) {
		log_fmt(&l, "session", "0x%" PRIx64, o->session);
		end_order(o, &l);
	}
	m.u.shutdown_session.id = o->session;
	tell(ops, &m);
}

/* The scoreboard has it for those who begin later; the workers' sockets follow now. */
static void set_frontend(struct operators *ops, const struct admin_order *o)
{
	static const char *const words[N_FRONTEND_STATES] = {[FRONTEND_OPEN] = "enable frontend",
							     [FRONTEND_PAUSED] = "disable frontend",
							     [FRONTEND_STOP] = "shutdown frontend"};
	struct message m = {.type = MSG_FRONTEND};

	say(ops, o, words[o->frontend], NAMES_LISTENER);
	NOTE(ops->setup.scoreboard, frontends[o->listener], o->frontend);
	m.u.frontend.listener = o->listener;
	tell(ops, &m);
}

/* ---- limits ---- */

static void set_maxconn(struct operators *ops, const struct admin_order *o)
{
	say_value(ops, o, "set maxconn global", NAMES_NOTHING);
	NOTE(ops->setup.scoreboard, maxconn, o->value);
}

static void set_maxconn_listener(struct operators *ops, const struct admin_order *o)
{
	say_value(ops, o, "set maxconn frontend", NAMES_LISTENER);
	NOTE(&ops->setup.scoreboard->gauges[o->listener], limit, o->value);
}

static void set_maxconn_server(struct operators *ops, const struct admin_order *o)
{
	unsigned row = counters_server_row(ops->setup.config, o->listener, o->server);

	say_value(ops, o, "set maxconn server", NAMES_SERVER);
	NOTE(&ops->setup.scoreboard->gauges[row], limit, o->value);
}

static void set_rate(struct operators *ops, const struct admin_order *o)
{
	static const char *const words[N_RATE_KINDS] = {
		[RATE_CONNECTIONS] = "set rate-limit connections",
		[RATE_SESSIONS] = "set rate-limit sessions"};

	say_value(ops, o, words[o->rate], NAMES_NOTHING);
	NOTE(&ops->setup.scoreboard->rate, per_second[o->rate], o->value);
}

/* ---- counters ---- */

static void clear_maxima(struct operators *ops, const struct admin_order *o)
{
	say(ops, o, "clear counters", NAMES_NOTHING);
	history_clear(&ops->history, ops->setup.scoreboard, false);
}

static void clear_all(struct operators *ops, const struct admin_order *o)
{
	const struct config *config = ops->setup.config;

	say(ops, o, "clear counters all", NAMES_NOTHING);
	history_clear(&ops->history, ops->setup.scoreboard, true);
	for (unsigned i = 0; i < config->n_listeners; i++) {
		unsigned n = config_listener_cluster(config, &config->listeners[i])->n_members;

		for (unsigned k = 0; k < n; k++)
			judge_server(ops, &(struct admin_order){.listener = i, .server = k},
				     OPERATOR_CLEAR);
	}
}

/* ---- all of them ---- */

typedef void obey_fn(struct operators *ops, const struct admin_order *o);

/* What is not here is nothing to do, or a matter between the operator and its connection. */
static obey_fn *const deeds[N_ORDERS] = {
	[ORDER_SET_SERVER] = set_state,
	[ORDER_HINT] = hint_all,
	[ORDER_SHUTDOWN_SERVER] = shutdown_server,
	[ORDER_SHUTDOWN_SESSION] = shutdown_session,
	[ORDER_WEIGHT] = set_weight,
	[ORDER_HEALTH] = set_health,
	[ORDER_FRONTEND] = set_frontend,
	[ORDER_MAXCONN] = set_maxconn,
	[ORDER_MAXCONN_LISTENER] = set_maxconn_listener,
	[ORDER_MAXCONN_SERVER] = set_maxconn_server,
	[ORDER_RATE] = set_rate,
	[ORDER_CLEAR_MAXIMA] = clear_maxima,
	[ORDER_CLEAR_ALL] = clear_all,
};

void operators_obey(struct operators *ops, const struct admin_order *o)
{
	if (deeds[o->type])
		deeds[o->type](ops, o);
}
