/* What differs between two configurations, as lines for people. Two values are the same when they
 * read the same (config_values.c).
 * Not here: what a change does (monitor.h, and the workers), the order of things (config_align.c).
 */
#include "core/config_diff.h"
#include "core/config_values.h"
#include <string.h>

struct differ {
	struct config_diff *out;
	struct buf path; /* "listeners.write" */
};

/* ---- the lines ---- */

static void add_line(struct differ *d, const struct value *v, const char *before, const char *after)
{
	struct buf *out = v->fixed ? &d->out->restarts : &d->out->changes;

	*(v->fixed ? &d->out->n_restarts : &d->out->n_changes) += 1;
	buf_printf(out, "%s%s: %s%s -> %s\n", d->path.data, v->key,
		   v->fixed ? "needs a restart: " : "", before, after);
}

static void compare_values(struct differ *d, const struct value *table, const void *now,
			   const void *next)
{
	struct buf before = {0}, after = {0};

	for (const struct value *v = table; v->key; v++) {
		buf_clear(&before);
		buf_clear(&after);
		buf_puts(&before, "");
		buf_puts(&after, "");
		v->say(v, now, &before);
		v->say(v, next, &after);
		if (strcmp(before.data, after.data) != 0)
			add_line(d, v, before.data, after.data);
	}
	buf_fini(&before);
	buf_fini(&after);
}

/* What only one of both has. */
static void add_odd(struct differ *d, const char *name, bool is_new)
{
	d->out->n_restarts++;
	buf_printf(&d->out->restarts, "%s%s: needs a restart: %s\n", d->path.data, name,
		   is_new ? "it is new" : "it is not in the file any more");
}

static size_t enter(struct differ *d, const char *name)
{
	size_t mark = d->path.len;

	buf_printf(&d->path, "%s.", name);
	return mark;
}

static void leave(struct differ *d, size_t mark)
{
	d->path.len = mark;
	d->path.data[mark] = '\0';
}

/* ---- lists of things with a name ---- */

/* Aligned, so what both have stands first in the next one, in the old order; what is missing is
 * skipped. Without a `compare` for what both have. */
struct things {
	size_t n_now, n_next;
	const char *(*name)(const struct config *c, size_t first, size_t i);
	void (*compare)(struct differ *d, const struct config *now, size_t k,
			const struct config *next, size_t i);
	size_t first_now, first_next;
};

static void compare_things(struct differ *d, const struct config *now, const struct config *next,
			   const struct things *t)
{
	size_t i = 0;

	for (size_t k = 0; k < t->n_now; k++) {
		const char *name = t->name(now, t->first_now, k);
		size_t mark;

		if (i >= t->n_next || strcmp(name, t->name(next, t->first_next, i)) != 0) {
			add_odd(d, name, false);
			continue;
		}
		mark = enter(d, name);
		t->compare(d, now, t->first_now + k, next, t->first_next + i++);
		leave(d, mark);
	}
	for (; i < t->n_next; i++)
		add_odd(d, t->name(next, t->first_next, i), true);
}

static const char *member_name(const struct config *c, size_t first, size_t i)
{
	return c->members[first + i].name;
}

static void compare_member(struct differ *d, const struct config *now, size_t k,
			   const struct config *next, size_t i)
{
	compare_values(d, config_member_values, &now->members[k], &next->members[i]);
}

static const char *cluster_name(const struct config *c, size_t first, size_t i)
{
	return c->clusters[first + i].name;
}

static void compare_cluster(struct differ *d, const struct config *now, size_t k,
			    const struct config *next, size_t i)
{
	const struct cluster_config *a = &now->clusters[k], *b = &next->clusters[i];
	struct things members = {a->n_members,   b->n_members,    member_name,
				 compare_member, a->first_member, b->first_member};
	size_t mark;

	compare_values(d, config_cluster_values, a, b);
	mark = enter(d, "members");
	compare_things(d, now, next, &members);
	leave(d, mark);
}

static const char *listener_name(const struct config *c, size_t first, size_t i)
{
	return c->listeners[first + i].name;
}

static void compare_listener(struct differ *d, const struct config *now, size_t k,
			     const struct config *next, size_t i)
{
	const struct listener_config *a = &now->listeners[k], *b = &next->listeners[i];

	compare_values(d, config_its_cluster, config_listener_cluster(now, a)->name,
		       config_listener_cluster(next, b)->name);
	compare_values(d, config_listener_values, a, b);
}

/* Their name is their address. */
static void compare_sockets(struct differ *d, const struct config *now, const struct config *next)
{
	size_t i = 0;
	char text[sizeof(((struct addr *)0)->host) + 16];

	for (size_t k = 0; k < now->n_stats_sockets; k++) {
		const struct stats_socket_config *a = &now->stats_sockets[k];
		size_t mark;

		addr_format(&a->addr, text, sizeof(text));
		if (i >= next->n_stats_sockets ||
		    !addr_equal(&a->addr, &next->stats_sockets[i].addr)) {
			add_odd(d, text, false);
			continue;
		}
		mark = enter(d, text);
		compare_values(d, config_socket_values, a, &next->stats_sockets[i++]);
		leave(d, mark);
	}
	for (; i < next->n_stats_sockets; i++)
		add_odd(d, addr_format(&next->stats_sockets[i].addr, text, sizeof(text)), true);
}

void config_diff(const struct config *now, const struct config *next, struct config_diff *out)
{
	const struct things clusters = {
		now->n_clusters, next->n_clusters, cluster_name, compare_cluster, 0, 0};
	const struct things listeners = {
		now->n_listeners, next->n_listeners, listener_name, compare_listener, 0, 0};
	struct differ d = {.out = out};
	size_t mark;

	*out = (struct config_diff){0};
	buf_puts(&out->changes, "");
	buf_puts(&out->restarts, "");
	buf_puts(&d.path, "");
	compare_values(&d, config_process_values, now, next);
	buf_puts(&d.path, "stats.socket ");
	compare_sockets(&d, now, next);
	leave(&d, 0);
	mark = enter(&d, "clusters");
	compare_things(&d, now, next, &clusters);
	leave(&d, mark);
	mark = enter(&d, "listeners");
	compare_things(&d, now, next, &listeners);
	leave(&d, mark);
	buf_fini(&d.path);
}

void config_diff_fini(struct config_diff *d)
{
	buf_fini(&d->changes);
	buf_fini(&d->restarts);
}
