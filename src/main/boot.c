/* From a file to a running process, and back to nothing: config, limits, every socket (fail before
 * threads), workers, control, ready. The way back: workers joined, control closed, loop run dry,
 * memory freed. */
#include "base/buf.h"
#include "base/mem.h"
#include "io/http_get.h"
#include "io/http_server.h"
#include "io/log.h"
#include "io/loop.h"
#include "io/pg_ask.h"
#include "io/splice.h"
#include "main/load_config.h"
#include "main/process.h"
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/resource.h>
#include <unistd.h>

enum {
	AUTO_THREADS_MAX = 4, /* one carries about 90,000 round trips a second */
	RESERVED_LEAST = 48,  /* descriptors of our own: questions, stats sockets, listeners ... */
	RESERVED_MOST = 128,  /* ... a quarter of all, within these bounds */
	REFUSING_MOST = 1024, /* clients beyond maxconn that are only told so: an eighth, at most */
};

/* ---- limits ---- */

static uint64_t raise_nofile(void)
{
	struct rlimit lim;

	if (getrlimit(RLIMIT_NOFILE, &lim) < 0)
		return 1024;
	if (lim.rlim_cur < lim.rlim_max) {
		lim.rlim_cur = lim.rlim_max;
		setrlimit(RLIMIT_NOFILE, &lim);
		getrlimit(RLIMIT_NOFILE, &lim);
	}
	return lim.rlim_cur;
}

static uint64_t at_most(uint64_t a, uint64_t b)
{
	return a < b ? a : b;
}

/* Two descriptors a session, one a client that is refused: never promise more than the kernel will
 * give, or the questions to the members would starve. */
static void fit_maxconn(struct process *p, struct config *config)
{
	uint64_t reserved = at_most(RESERVED_MOST, p->nofile / 4);
	uint64_t pipes = at_most((uint64_t)p->n_workers * PIPES_MOST * 2, p->nofile / 16);
	uint64_t left, refusing, room;

	if (reserved < RESERVED_LEAST)
		reserved = RESERVED_LEAST;
	reserved += pipes; /* without one, bytes are copied */
	if (config->http.wanted)
		reserved += at_most(HTTP_MAX_CONNECTIONS, p->nofile / 8);
	left = p->nofile > reserved ? p->nofile - reserved : 3;
	refusing = at_most(REFUSING_MOST, left / 8 + 1);
	room = left > refusing + 2 ? (left - refusing) / 2 : 1;
	if (config->maxconn > room) {
		log_msg(SEVERITY_WARNING, "maxconn_lowered",
			"maxconn %u needs more descriptors than RLIMIT_NOFILE %llu allows: using "
			"%llu; raise the one or lower the other",
			config->maxconn, (unsigned long long)p->nofile, (unsigned long long)room);
		config->maxconn = (unsigned)room;
	}
	p->max_clients = config->maxconn + (unsigned)refusing;
}

static unsigned count_threads(const struct config *config)
{
	unsigned cores = (unsigned)uv_available_parallelism();

	if (config->threads)
		return config->threads;
	return cores < AUTO_THREADS_MAX ? cores : AUTO_THREADS_MAX;
}

/* ---- doors ---- */

/* A boot that failed half way has workers that were never made. */
static void door_publish(void *worker, struct view *view)
{
	struct worker *w = *(struct worker **)worker;

	if (w)
		worker_publish(w, view);
	else
		view_unref(view);
}

static void door_send(void *worker, struct message *message)
{
	struct worker *w = *(struct worker **)worker;

	if (w)
		worker_send(w, message);
	else
		message_free(message);
}

static void on_stopped(void *arg)
{
	struct process *p = arg;

	for (unsigned i = 0; i < p->n_started; i++)
		worker_join(p->workers[i]);
	p->n_started = 0;
	control_close(p->control);
	signals_close(p);
}

/* ---- boot ---- */

static int boot_config(struct process *p)
{
	struct buf faults = {0};

	p->config = load_config(p->options->config_file, &faults);
	if (p->config == NULL)
		fputs(faults.data, stderr);
	buf_fini(&faults);
	return p->config ? 0 : -EINVAL;
}

static enum severity severity_of(enum log_level level)
{
	static const enum severity map[] = {[LOG_LEVEL_DEBUG] = SEVERITY_DEBUG,
					    [LOG_LEVEL_INFO] = SEVERITY_INFO,
					    [LOG_LEVEL_WARNING] = SEVERITY_WARNING,
					    [LOG_LEVEL_ERROR] = SEVERITY_ERROR};

	return map[level];
}

static struct log_options log_options_of(const struct config *config)
{
	static const enum log_shape shapes[] = {[LOG_FORMAT_TEXT] = LOG_TEXT,
						[LOG_FORMAT_JSON] = LOG_JSON,
						[LOG_FORMAT_HAPROXY_TCP] = LOG_SYSLOG};

	return (struct log_options){.least = severity_of(config->log.level),
				    .shape = shapes[config->log.format],
				    .tag = config->log.tag};
}

/* ---- another configuration, later ---- */

static struct config *load_again(void *arg, struct buf *faults)
{
	struct process *p = arg;
	struct config *config = load_config_again(p->options->config_file, faults);

	if (config)
		fit_maxconn(p, config);
	return config;
}

static void on_reloaded(void *arg, const struct config *before, const struct config *now)
{
	struct log_options o = log_options_of(now);

	(void)arg;
	if (before->log.level != now->log.level || before->log.format != now->log.format ||
	    strcmp(before->log.tag, now->log.tag) != 0)
		log_set(&o);
}

static int boot_control(struct process *p, struct err *e)
{
	struct control_setup setup = {.loop = &p->loop,
				      .config = p->config,
				      .scoreboard = p->scoreboard,
				      .workers = p->doors,
				      .n_workers = p->n_workers,
				      .nofile = p->nofile,
				      .reload = {load_again, p},
				      .on_reloaded = on_reloaded,
				      .on_stopped = on_stopped,
				      .arg = p};

	for (unsigned i = 0; i < p->n_workers; i++)
		p->doors[i] = (struct worker_door){&p->workers[i], door_publish, door_send};
	p->control = control_new(&setup, e);
	return p->control ? 0 : -EINVAL;
}

static int boot_workers(struct process *p, struct err *e)
{
	for (unsigned i = 0; i < p->n_workers; i++) {
		struct worker_setup setup = {.index = i,
					     .n_workers = p->n_workers,
					     .config = p->config,
					     .scoreboard = p->scoreboard,
					     .max_clients = p->max_clients,
					     .control = control_mailbox(p->control),
					     .peers = p->workers};
		int rv = worker_new(&setup, &p->workers[i], e);

		if (rv < 0)
			return rv;
	}
	return 0;
}

static int start_workers(struct process *p, struct err *e)
{
	for (; p->n_started < p->n_workers; p->n_started++) {
		int rv = worker_start(p->workers[p->n_started]);

		if (rv < 0)
			return err_set(e, rv, "cannot start a thread: %s", strerror(-rv));
	}
	return 0;
}

static int write_pid(struct process *p, struct err *e)
{
	FILE *f;

	if (p->options->pid_file == NULL)
		return 0;
	f = fopen(p->options->pid_file, "we");
	if (f == NULL || fprintf(f, "%d\n", (int)getpid()) < 0 || fclose(f) != 0)
		return err_set(e, -EINVAL,
			       "cannot write the pid file %s: %s; choose another with -p",
			       p->options->pid_file, strerror(errno));
	p->pid_written = true;
	return 0;
}

static int boot_parts(struct process *p, struct err *e)
{
	int rv = boot_control(p, e);

	if (rv == 0)
		rv = boot_workers(p, e);
	if (rv == 0)
		rv = write_pid(p, e);
	if (rv == 0)
		rv = start_workers(p, e);
	return rv;
}

/* A log for programs has no other lines. */
static void say_failure(const struct process *p, const struct err *e)
{
	if (p->config->log.format != LOG_FORMAT_TEXT)
		log_msg(SEVERITY_ERROR, "not_started", "%s", e->text);
	else
		fprintf(stderr, "isari: %s\n", e->text);
}

int process_boot(struct process *p, const struct options *options)
{
	struct log_options log;
	struct err e = {0};
	int rv;

	*p = (struct process){.options = options};
	rv = boot_config(p);
	if (rv < 0)
		return rv;
	log = log_options_of(p->config);
	log_open(STDERR_FILENO, &log);
	p->nofile = raise_nofile();
	p->n_workers = count_threads(p->config);
	fit_maxconn(p, p->config);
	http_global_init();
	pg_ask_forget_environment();
	loop_open(&p->loop);
	p->workers = xcalloc(p->n_workers, sizeof(struct worker *));
	p->doors = xcalloc(p->n_workers, sizeof(*p->doors));
	p->scoreboard = scoreboard_new(p->config, p->n_workers);
	signals_open(p);
	rv = boot_parts(p, &e);
	if (rv == 0)
		return 0;
	say_failure(p, &e);
	if (p->control)
		control_stop(p->control); /* joins those that run; closes the rest */
	else
		signals_close(p);
	return rv;
}

void process_run(struct process *p)
{
	log_msg(SEVERITY_INFO, "started",
		"isari %s, pid %d, %u workers, %zu listeners, %zu members", ISARI_VERSION,
		(int)getpid(), p->n_workers, p->config->n_listeners, p->config->n_members);
	control_start(p->control);
	uv_run(&p->loop, UV_RUN_DEFAULT);
	log_msg(SEVERITY_INFO, "stopped", "every session is closed");
}

void process_fini(struct process *p)
{
	if (p->config == NULL)
		return;
	loop_close(&p->loop, "control");
	for (unsigned i = 0; i < p->n_workers; i++)
		if (p->workers[i])
			worker_free(p->workers[i]);
	if (p->pid_written)
		unlink(p->options->pid_file);
	scoreboard_free(p->scoreboard);
	free(p->workers);
	free(p->doors);
	config_unref(p->config);
	http_global_fini();
	log_close();
}
