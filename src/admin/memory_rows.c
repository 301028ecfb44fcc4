/* THE table of `show memory`: what the process has, and what of it is ours and for what. */
#include "admin/memory_rows.h"
#include <stddef.h>

static int64_t of_workers(const struct admin_facts *f, size_t offset)
{
	uint64_t sum = 0;

	for (unsigned i = 0; i < f->n_workers; i++)
		sum += *(const uint64_t *)((const char *)&f->workers[i] + offset);
	return (int64_t)sum;
}

#define OF_WORKERS(name, field)                                               \
	static int64_t name(const struct admin_facts *f)                      \
	{                                                                     \
		return of_workers(f, offsetof(struct worker_numbers, field)); \
	}
/* What the kernel does not say, or nobody has read, is 0. */
#define OF_PROCESS(name)                                                             \
	static int64_t name(const struct admin_facts *f)                             \
	{                                                                            \
		return f->memory && f->memory->name ? (int64_t)f->memory->name : -1; \
	}

OF_PROCESS(resident)
OF_PROCESS(resident_max)
OF_PROCESS(heap_used)
OF_PROCESS(heap_held)
OF_WORKERS(pool, pool_bytes)
OF_WORKERS(pool_used, pool_used_bytes)
OF_WORKERS(slow, slow_bytes)
OF_WORKERS(pipes, pipes)
OF_WORKERS(pipes_used, pipes_used)

static int64_t sessions(const struct admin_facts *f)
{
	return f->process->sessions_now;
}

/* Of ours; what the kernel has for its sockets is the kernel's. */
static int64_t each(const struct admin_facts *f)
{
	return of_workers(f, offsetof(struct worker_numbers, session_bytes)) /
	       (f->n_workers ? f->n_workers : 1);
}

static int64_t listing(const struct admin_facts *f)
{
	return f->memory ? (int64_t)f->memory->listing_bytes : -1;
}

static int64_t generation(const struct admin_facts *f)
{
	return f->view ? (int64_t)f->view->generation : -1;
}

/* An old one lives for as long as a worker goes by it. */
static int64_t views(const struct admin_facts *f)
{
	int64_t n = f->view ? 1 : 0;

	for (unsigned i = 0; i < f->n_workers; i++) {
		bool seen = f->view && f->workers[i].generation == f->view->generation;

		for (unsigned k = 0; k < i; k++)
			seen = seen || f->workers[k].generation == f->workers[i].generation;
		n += !seen;
	}
	return n;
}

static int64_t dropped_logs(const struct admin_facts *f)
{
	return (int64_t)f->process->dropped_logs;
}

const struct memory_row memory_rows[] = {
	{"resident_bytes", "resident", true, resident},
	{"resident_max_bytes", "resident, at most so far", true, resident_max},
	{"heap_used_bytes", "heap in use", true, heap_used},
	{"heap_held_bytes", "heap held", true, heap_held},
	{"sessions", "sessions", false, sessions},
	{"bytes_per_session", "each of them", true, each},
	{"session_pool_bytes", "held for sessions", true, pool},
	{"session_pool_used_bytes", "of these, in use", true, pool_used},
	{"slow_reader_bytes", "kept for who reads slowly", true, slow},
	{"pipes", "pipes", false, pipes},
	{"pipes_used", "of these, in use", false, pipes_used},
	{"listing_bytes", "list of sessions being collected", true, listing},
	{"views", "views alive", false, views},
	{"view_generation", "view published last", false, generation},
	{"log_lines_dropped", "log lines dropped", false, dropped_logs},
};

const unsigned n_memory_rows = sizeof(memory_rows) / sizeof(memory_rows[0]);
