/* What the outside world can tell a process with one bit. */
#include "io/log.h"
#include "main/process.h"
#include <signal.h>

static void on_term(uv_signal_t *handle, int signum)
{
	struct process *p = handle->data;

	(void)signum;
	if (++p->n_terms == 1) {
		control_drain(p->control);
		return;
	}
	log_msg(SEVERITY_WARNING, "stopping", "second SIGTERM: not waiting for sessions");
	control_stop(p->control);
}

static void on_int(uv_signal_t *handle, int signum)
{
	struct process *p = handle->data;

	(void)signum;
	log_msg(SEVERITY_INFO, "stopping", "SIGINT");
	control_stop(p->control);
}

/* What comes of it is in the log. */
static void on_hup(uv_signal_t *handle, int signum)
{
	struct process *p = handle->data;

	(void)signum;
	control_reload(p->control, NULL);
}

static void open_one(struct process *p, uv_signal_t *handle, uv_signal_cb cb, int signum)
{
	uv_signal_init(&p->loop, handle);
	handle->data = p;
	uv_signal_start(handle, cb, signum);
}

void signals_open(struct process *p)
{
	signal(SIGPIPE, SIG_IGN);
	signal(SIGXFSZ, SIG_IGN); /* a log file at its size limit is a failed write, not our end */
	open_one(p, &p->on_term, on_term, SIGTERM);
	open_one(p, &p->on_int, on_int, SIGINT);
	open_one(p, &p->on_hup, on_hup, SIGHUP);
}

void signals_close(struct process *p)
{
	uv_close((uv_handle_t *)&p->on_term, NULL);
	uv_close((uv_handle_t *)&p->on_int, NULL);
	uv_close((uv_handle_t *)&p->on_hup, NULL);
}
