/* What goes on inside, by HAProxy's words for it: `show activity`, `show threads`, `show pools`,
 * `show fd`. People read these, not tools; what has no counterpart here is left out. */
#include "admin/command.h"
#include <inttypes.h>
#include <stddef.h>
#include <stdlib.h>

/* ---- show activity ---- */

/* HAProxy's lines that have a counterpart here, under its names, and then ours. */
#define OF(field) offsetof(struct worker_numbers, field)
static const struct {
	const char *name;
	size_t field;
} activities[] = {
	{"long_rq", OF(long_turns)},  {"loops", OF(turns)},
	{"poll_io", OF(sleeps)},      {"longest_us", OF(longest_turn_us)},
	{"late", OF(late)},           {"spins", OF(spins)},
	{"spun_us", OF(spun_us)},     {"sessions", OF(sessions)},
	{"coalesced", OF(coalesced)}, {"spliced", OF(spliced)},
};

static uint64_t field_of(const struct worker_numbers *w, size_t field)
{
	return *(const uint64_t *)((const char *)w + field);
}

/* "loops: 421 [ 209 212 ]", the sum first; without the list when there is one thread. */
static void put_activity(const struct admin_facts *f, const char *name, size_t field,
			 struct buf *out)
{
	uint64_t sum = 0;

	for (unsigned i = 0; i < f->n_workers; i++)
		sum += field_of(&f->workers[i], field);
	buf_printf(out, "%s: %" PRIu64, name, sum);
	if (f->n_workers > 1)
		buf_puts(out, " [");
	for (unsigned i = 0; f->n_workers > 1 && i < f->n_workers; i++)
		buf_printf(out, " %" PRIu64, field_of(&f->workers[i], field));
	buf_puts(out, f->n_workers > 1 ? " ]\n" : "\n");
}

/* Control answers, which is no worker: thread 0. */
void show_activity(const struct command_call *c)
{
	const struct process_facts *p = c->facts->process;

	buf_printf(c->out, "thread_id: 0 (1..%u)\n", c->facts->n_workers);
	buf_printf(c->out, "date_now: %" PRId64 ".%06d\n", p->wall_ms / 1000,
		   (int)(p->wall_ms % 1000) * 1000);
	for (size_t i = 0; i < sizeof(activities) / sizeof(activities[0]); i++)
		put_activity(c->facts, activities[i].name, activities[i].field, c->out);
}

/* ---- show threads ---- */

void show_threads(const struct command_call *c)
{
	for (unsigned i = 0; i < c->facts->n_workers; i++) {
		const struct worker_numbers *w = &c->facts->workers[i];

		buf_printf(c->out,
			   "  Thread %u : sessions=%" PRIu64 " view=%" PRIu64 "\n"
			   "             turns=%" PRIu64 " long=%" PRIu64 " longest_us=%" PRIu64
			   " sleeps=%" PRIu64 " spun_us=%" PRIu64 " late=%" PRIu64 "\n",
			   i + 1, w->sessions, w->generation, w->turns, w->long_turns,
			   w->longest_turn_us, w->sleeps, w->spun_us, w->late);
	}
}

/* ---- show pools ---- */

/* Each worker has its own pool of sessions, and gives nothing back to the others. */
static void put_pool(const struct worker_numbers *all, unsigned users, struct buf *out)
{
	uint64_t size = all->session_bytes ? all->session_bytes : 1;

	buf_printf(out,
		   "  - Pool session (%" PRIu64 " bytes) : %" PRIu64 " allocated (%" PRIu64
		   " bytes), %" PRIu64 " used (~0 by thread caches), needed_avg %" PRIu64
		   ", 0 failures, %u users\n",
		   size, all->pool_bytes / size, all->pool_bytes, all->pool_used_bytes / size,
		   all->pool_used_bytes / size, users);
}

void show_pools(const struct command_call *c)
{
	const struct admin_facts *f = c->facts;
	struct worker_numbers all = {0};

	for (unsigned i = 0; i < f->n_workers; i++) {
		all.session_bytes = f->workers[i].session_bytes;
		all.pool_bytes += f->workers[i].pool_bytes;
		all.pool_used_bytes += f->workers[i].pool_used_bytes;
	}
	buf_puts(c->out, "Dumping pools usage.\n");
	put_pool(&all, f->n_workers, c->out);
	buf_printf(c->out,
		   "Total: 1 pools, %" PRIu64 " bytes allocated, %" PRIu64
		   " used (~0 by thread caches).\n",
		   all.pool_bytes, all.pool_used_bytes);
}

/* ---- show fd ---- */

enum { EVERY_FD = -1 };

static void put_fd(const struct admin_facts *f, const struct session_info *s, int fd, long only,
		   const char *side, struct buf *out)
{
	const struct listener_config *l = &f->config->listeners[s->listener];

	if (fd >= 0 && (only == EVERY_FD || only == fd))
		buf_printf(out, " %6d : side=%s fe=%s be=%s sess=0x%" PRIx64 " state=%s\n", fd,
			   side, l->frontend_name, l->backend_name, s->id, s->state);
}

/* Those of sessions: the others are few, and always the same. */
void show_fd(const struct command_call *c)
{
	const struct admin_facts *f = c->facts;
	long only = c->n_args ? strtol(c->args[0], NULL, 10) : EVERY_FD;

	if (!f->have_sessions) {
		c->order->type = ORDER_NEED_SESSIONS;
		return;
	}
	for (size_t i = 0; i < f->n_sessions; i++) {
		const struct session_info *s = &f->sessions[i];

		if (s->listener >= f->config->n_listeners)
			continue;
		put_fd(f, s, s->client_fd, only, "client", c->out);
		put_fd(f, s, s->server_fd, only, "server", c->out);
	}
}
