#pragma once
/* The process: one struct holds everything, nothing is global. Main thread, which becomes the
 * control thread. */
#include "control/control.h"
#include "core/config.h"
#include "core/counters.h"
#include "main/options.h"
#include "proxy/worker.h"
#include <uv.h>

struct process {
	const struct options *options;
	uv_loop_t loop;
	struct config *config;
	struct scoreboard *scoreboard;
	struct control *control;
	struct worker **workers;
	struct worker_door *doors;
	unsigned n_workers, n_started;
	uint64_t nofile;
	unsigned max_clients; /* maxconn, and those who are refused for it */
	uv_signal_t on_term, on_int, on_hup;
	unsigned n_terms; /* the second one does not wait */
	bool pid_written;
};

/* boot.c: config, limits, sockets (all, before any thread), threads. 0, or -errno after one
 * sentence on standard error; process_fini cleans up either way. */
int process_boot(struct process *p, const struct options *options);
/* Runs until stopped. */
void process_run(struct process *p);
void process_fini(struct process *p);

/* signals.c: SIGTERM drains, a second one or SIGINT ends at once, SIGHUP reads the configuration
 * again; SIGPIPE never kills. */
void signals_open(struct process *p);
void signals_close(struct process *p);
