/* Old view, new view: whose sessions are cut, and why. Not here: the cutting (proxy/cut.c). Pure.
 *
 * The generation decides, not the state: a worker takes only the latest view, so a server may have
 * been closed and opened again between two views that it saw. Its older sessions are dead all the
 * same. */
#include "core/fence.h"
#include "base/assert.h"

/* A server that is open again may no longer say why it was closed. No cut is ever CLOSE_CLIENT (0).
 */
static enum close_reason reason_of(const struct view_server *s)
{
	return s->cut == CLOSE_CLIENT ? CLOSE_FENCED : s->cut;
}

static size_t compare_listener(const struct view_listener *before, const struct view_listener *now,
			       void (*doom)(void *arg, const struct doomed *d), void *arg)
{
	size_t n = 0;

	REQUIRE(before->listener == now->listener && before->n_servers == now->n_servers);
	for (unsigned i = 0; i < now->n_servers; i++) {
		const struct view_server *s = &now->servers[i];

		if (s->generation == before->servers[i].generation)
			continue;
		doom(arg, &(struct doomed){now->listener, i, reason_of(s)});
		n++;
	}
	return n;
}

size_t fence_compare(const struct view *old_view, const struct view *new_view,
		     void (*doom)(void *arg, const struct doomed *d), void *arg)
{
	size_t n = 0;

	if (old_view == NULL) /* the first view: nobody was carried before it */
		return 0;
	REQUIRE(old_view->n_listeners == new_view->n_listeners);
	for (size_t i = 0; i < new_view->n_listeners; i++)
		n += compare_listener(&old_view->listeners[i], &new_view->listeners[i], doom, arg);
	return n;
}
