/* The next configuration in the order of the one in force. Not here: what differs (config_diff.c).
 */
#include "base/mem.h"
#include "core/config_diff.h"
#include <stdlib.h>
#include <string.h>

/* Is item `i` of the next what item `k` of the one in force is? */
typedef bool same_fn(const struct config *next, size_t i, const struct config *now, size_t k);

static bool same_cluster(const struct config *next, size_t i, const struct config *now, size_t k)
{
	return strcmp(next->clusters[i].name, now->clusters[k].name) == 0;
}

static bool same_member(const struct config *next, size_t i, const struct config *now, size_t k)
{
	return strcmp(next->members[i].name, now->members[k].name) == 0;
}

static bool same_listener(const struct config *next, size_t i, const struct config *now, size_t k)
{
	return strcmp(next->listeners[i].name, now->listeners[k].name) == 0;
}

static bool same_socket(const struct config *next, size_t i, const struct config *now, size_t k)
{
	return addr_equal(&next->stats_sockets[i].addr, &now->stats_sockets[k].addr);
}

struct range {
	size_t first, n;
};

struct plan { /* of one kind of item */
	const struct config *next, *now;
	same_fn *same;
	size_t *from; /* whose item comes where: place to index in `next` */
};

static size_t find(const struct plan *p, struct range in, size_t k)
{
	for (size_t i = in.first; i < in.first + in.n; i++)
		if (p->same(p->next, i, p->now, k))
			return i;
	return SIZE_MAX;
}

static bool is_new(const struct plan *p, size_t i, struct range known)
{
	for (size_t k = known.first; k < known.first + known.n; k++)
		if (p->same(p->next, i, p->now, k))
			return false;
	return true;
}

/* First those that both have, in the old order, then the new ones. Returns the place behind. */
static size_t arrange(const struct plan *p, size_t place, struct range in, struct range known)
{
	for (size_t k = known.first; k < known.first + known.n; k++) {
		size_t i = find(p, in, k);

		if (i != SIZE_MAX)
			p->from[place++] = i;
	}
	for (size_t i = in.first; i < in.first + in.n; i++)
		if (is_new(p, i, known))
			p->from[place++] = i;
	return place;
}

static void permute(void *items, size_t size, size_t n, const size_t *from)
{
	char *copy = xcalloc(n + 1, size), *to = items;

	if (n > 0)
		memcpy(copy, items, n * size);
	for (size_t i = 0; i < n; i++)
		memcpy(to + i * size, copy + from[i] * size, size);
	free(copy);
}

static struct range members_of(const struct cluster_config *cluster)
{
	return (struct range){cluster->first_member, cluster->n_members};
}

static const struct cluster_config *cluster_named(const struct config *c, const char *name)
{
	for (size_t i = 0; i < c->n_clusters; i++)
		if (strcmp(c->clusters[i].name, name) == 0)
			return &c->clusters[i];
	return NULL;
}

/* After the clusters: those still say where their members stood. */
static void align_members(struct config *next, const struct config *now, size_t *from)
{
	struct plan p = {next, now, same_member, from};
	size_t place = 0;

	for (size_t i = 0; i < next->n_clusters; i++) {
		const struct cluster_config *c = &next->clusters[i];
		const struct cluster_config *before = cluster_named(now, c->name);
		struct range known = before ? members_of(before) : (struct range){0};

		for (unsigned k = 0; k < c->n_members; k++)
			next->members[c->first_member + k].cluster = (unsigned)i;
		place = arrange(&p, place, members_of(c), known);
	}
	permute(next->members, sizeof(*next->members), next->n_members, from);
}

static void align_clusters(struct config *next, const struct config *now, size_t *from)
{
	struct plan p = {next, now, same_cluster, from};

	arrange(&p, 0, (struct range){0, next->n_clusters}, (struct range){0, now->n_clusters});
	permute(next->clusters, sizeof(*next->clusters), next->n_clusters, from);
	for (size_t i = 0; i < next->n_listeners; i++) {
		unsigned place = 0;

		while (from[place] != next->listeners[i].cluster)
			place++;
		next->listeners[i].cluster = place;
	}
}

static void align_listeners(struct config *next, const struct config *now, size_t *from)
{
	struct plan p = {next, now, same_listener, from};

	arrange(&p, 0, (struct range){0, next->n_listeners}, (struct range){0, now->n_listeners});
	permute(next->listeners, sizeof(*next->listeners), next->n_listeners, from);
}

static void align_sockets(struct config *next, const struct config *now, size_t *from)
{
	struct plan p = {next, now, same_socket, from};

	arrange(&p, 0, (struct range){0, next->n_stats_sockets},
		(struct range){0, now->n_stats_sockets});
	permute(next->stats_sockets, sizeof(*next->stats_sockets), next->n_stats_sockets, from);
}

void config_align(struct config *next, const struct config *now)
{
	size_t most =
		next->n_members + next->n_clusters + next->n_listeners + next->n_stats_sockets;
	size_t *from = xcalloc(most + 1, sizeof(*from));

	align_clusters(next, now, from);
	align_members(next, now, from);
	align_listeners(next, now, from);
	align_sockets(next, now, from);
	free(from);
	config_finish(next);
}
