/* Operators at the stats sockets: who is connected, with which level, from the binding of the
 * sockets to their end. Not here: running their lines (operators_line.c), what commands say
 * (admin/), framing (io/line_server.h). */
#include "base/mem.h"
#include "control/operators_state.h"
#include "io/clock.h"
#include <stdlib.h>

enum { SECOND_MS = 1000 };

/* ---- clients ---- */

static struct admin_client *client_new(struct admin_socket *socket, struct line_client *line)
{
	struct admin_client *c = xcalloc(1, sizeof(*c));

	c->socket = socket;
	c->line = line;
	c->level = socket->level;
	list_init(&c->wait.node);
	list_append(&socket->ops->clients, &c->node);
	socket->ops->n_clients++;
	line_client_set_data(line, c);
	return c;
}

static void on_line(void *arg, struct line_client *line, char *text)
{
	struct admin_client *c = line_client_data(line);

	if (!c)
		c = client_new(arg, line);
	if (c->quit) {
		line_client_quit(line);
		return;
	}
	operators_take_line(c, text);
}

static void on_gone(void *arg, struct line_client *line)
{
	struct admin_socket *socket = arg;
	struct admin_client *c = line_client_data(line);

	list_unlink(&c->node);
	list_unlink(&c->wait.node);
	socket->ops->n_clients--;
	buf_fini(&c->out);
	free(c->text);
	free(c);
}

/* ---- life ---- */

static int64_t cpu_ms(void)
{
	uv_rusage_t u = {0};

	uv_getrusage(&u);
	return (u.ru_utime.tv_sec + u.ru_stime.tv_sec) * 1000 +
	       (u.ru_utime.tv_usec + u.ru_stime.tv_usec) / 1000;
}

static void on_second(uv_timer_t *timer)
{
	struct operators *ops = timer->data;

	/* control and the workers */
	history_second(&ops->history, clock_ms(), cpu_ms(), ops->setup.threads + 1);
}

static int open_socket(struct operators *ops, const struct stats_socket_config *config,
		       struct err *e)
{
	struct admin_socket *s = &ops->sockets[ops->n_sockets];
	struct line_server_options o = {
		.addr = config->addr,
		.mode = config->mode,
		.user = config->user,
		.group = config->group,
		.arg = s,
		.on_line = on_line,
		.on_gone = on_gone,
	};

	*s = (struct admin_socket){.ops = ops, .level = config->level};
	struct err why;
	int rc = line_server_open(ops->setup.loop, &o, &s->server, &why);
	if (rc < 0)
		return err_set(e, rc, "stats.socket: %s", why.text);
	ops->n_sockets++;
	return 0;
}

int operators_open(const struct operators_setup *setup, struct operators **out, struct err *e)
{
	struct operators *ops = xcalloc(1, sizeof(*ops));
	const struct config *config = setup->config;
	int rc = 0;

	ops->setup = *setup;
	config_ref(setup->config);
	list_init(&ops->clients);
	list_init(&ops->asking.waiting);
	ops->started_ms = clock_ms();
	ops->started_wall_s = clock_wall().tv_sec;
	history_init(&ops->history, setup->scoreboard, (unsigned)config->n_listeners,
		     ops->started_ms);
	uv_timer_init(setup->loop, &ops->second);
	uv_timer_init(setup->loop, &ops->deadline);
	ops->second.data = ops->deadline.data = ops;
	ops->sockets = xcalloc(config->n_stats_sockets, sizeof(*ops->sockets));
	for (size_t i = 0; i < config->n_stats_sockets && rc == 0; i++)
		rc = open_socket(ops, &config->stats_sockets[i], e);
	if (rc == 0 && config->http.wanted)
		rc = web_open(ops, &ops->web, e);
	if (rc < 0) {
		operators_close(ops, NULL, NULL);
		return rc;
	}
	uv_timer_start(&ops->second, on_second, SECOND_MS, SECOND_MS);
	*out = ops;
	return 0;
}

void operators_view(struct operators *ops, struct view *view, int64_t now_ms)
{
	history_view(&ops->history, view, now_ms);
	view_unref(ops->view);
	ops->view = view_ref(view);
	if (ops->web)
		web_view(ops->web);
}

void operators_take_config(struct operators *ops, struct config *config)
{
	struct config *before = ops->setup.config;

	ops->setup.config = config_ref(config);
	config_unref(before);
	for (size_t i = 0; i < ops->n_sockets; i++)
		ops->sockets[i].level = config->stats_sockets[i].level;
}

void operators_reloaded(struct operators *ops, bool ok)
{
	ops->reloads.failed = !ok;
	ops->reloads.at_ms = clock_ms();
	ops->reloads.n += ok;
	ops->reloads.failures += !ok;
}

void operators_stopping(struct operators *ops)
{
	ops->stopping = true;
}

static void part_closed(struct operators *ops)
{
	if (--ops->n_closing > 0)
		return;
	void (*on_closed)(void *arg) = ops->on_closed;
	void *arg = ops->arg;

	history_fini(&ops->history);
	view_unref(ops->view);
	config_unref(ops->setup.config);
	free(ops->asking.list);
	free(ops->sockets);
	free(ops);
	if (on_closed)
		on_closed(arg);
}

static void timer_closed(uv_handle_t *handle)
{
	part_closed(handle->data);
}

static void server_closed(void *arg)
{
	part_closed(arg);
}

void operators_close(struct operators *ops, void (*on_closed)(void *arg), void *arg)
{
	ops->on_closed = on_closed;
	ops->arg = arg;
	ops->n_closing = (unsigned)ops->n_sockets + 2 + (ops->web != NULL);
	ops->asking.open = false;
	uv_close((uv_handle_t *)&ops->second, timer_closed);
	uv_close((uv_handle_t *)&ops->deadline, timer_closed);
	for (size_t i = 0; i < ops->n_sockets; i++)
		line_server_close(ops->sockets[i].server, server_closed, ops);
	if (ops->web)
		web_close(ops->web, server_closed, ops);
}
