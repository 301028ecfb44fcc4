/* One epoll set per thread: session sockets edge-triggered, the uv loop as a guest.
 * Not here: what a ready socket means (proxy/, io/pump.c). Every function: the thread that owns the
 * set.
 *
 * Registered once and never modified, a socket costs one epoll_ctl in its life; uv_poll would cost
 * two for every change of direction. An event is an edge: it is not repeated, so nobody may lose
 * one. */
#include "io/edge.h"
#include "base/assert.h"
#include "io/clock.h"
#include <errno.h>
#include <string.h>
#include <unistd.h>

int edge_open(struct edge *e, uv_loop_t *guest)
{
	/* A NULL pointer stands for the guest; sources are never NULL. */
	struct epoll_event ev = {.events = EPOLLIN, .data.ptr = NULL};

	memset(e, 0, sizeof(*e));
	e->guest = guest;
	e->guest_dirty = true; /* uv registers its own descriptors only while it runs */
	e->guest_due_ms = INT64_MAX;
	e->now_ms = clock_ms();
	e->epoll_fd = epoll_create1(EPOLL_CLOEXEC);
	if (e->epoll_fd < 0)
		return -errno;
	if (epoll_ctl(e->epoll_fd, EPOLL_CTL_ADD, uv_backend_fd(guest), &ev) < 0) {
		int rc = -errno;

		close(e->epoll_fd);
		return rc;
	}
	return 0;
}

void edge_close(struct edge *e)
{
	close(e->epoll_fd);
	e->epoll_fd = -1;
}

void edge_source_init(struct edge_source *s, void (*on_ready)(struct edge_source *, uint32_t))
{
	s->on_ready = on_ready;
	s->fd = -1;
}

int edge_add(struct edge *e, struct edge_source *s, int fd)
{
	struct epoll_event ev = {.events = EPOLLIN | EPOLLOUT | EPOLLRDHUP | EPOLLET,
				 .data.ptr = s};

	REQUIRE(s->fd < 0 && fd >= 0);
	if (epoll_ctl(e->epoll_fd, EPOLL_CTL_ADD, fd, &ev) < 0)
		return -errno;
	s->fd = fd;
	return 0;
}

/* An event that was fetched together with the one in hand may name a source that is gone, or worse,
 * the same source with a newer socket. */
static void forget_events(struct edge *e, const struct edge_source *s)
{
	for (int i = e->at; i < e->n_events; i++)
		if (e->events[i].data.ptr == s)
			e->events[i].events = 0;
}

int edge_drop(struct edge *e, struct edge_source *s)
{
	int fd = s->fd;

	if (fd < 0)
		return -1;
	forget_events(e, s);
	s->fd = -1;
	return fd;
}

static void run_guest(struct edge *e)
{
	e->guest_dirty = false;
	uv_run(e->guest, UV_RUN_NOWAIT);
}

/* The guest's own timeout counts from its cached clock, which only moves when it runs. */
static int guest_timeout(struct edge *e)
{
	int ms;

	uv_update_time(e->guest);
	ms = uv_backend_timeout(e->guest);
	e->guest_due_ms = ms < 0 ? INT64_MAX : clock_ms() + ms;
	return ms;
}

int edge_wait(struct edge *e, int max_ms)
{
	int ms, n;

	if (e->guest_dirty)
		run_guest(e);
	ms = guest_timeout(e);
	if (ms < 0 || ms > max_ms)
		ms = max_ms;
	n = epoll_wait(e->epoll_fd, e->events, EDGE_BATCH, ms);
	INSIST(n >= 0 || errno == EINTR);
	e->now_ms = clock_ms();
	e->n_events = n < 0 ? 0 : n;
	e->at = 0;
	return e->n_events;
}

static bool guest_is_ready(const struct edge *e)
{
	if (e->guest_dirty || e->now_ms >= e->guest_due_ms)
		return true;
	for (int i = 0; i < e->n_events; i++)
		if (e->events[i].data.ptr == NULL)
			return true;
	return false;
}

void edge_dispatch(struct edge *e)
{
	if (guest_is_ready(e))
		run_guest(e);
	while (e->at < e->n_events) {
		struct epoll_event ev = e->events[e->at++];
		struct edge_source *s = ev.data.ptr;

		if (s && ev.events)
			s->on_ready(s, ev.events);
	}
	e->n_events = e->at = 0;
}

void edge_mark_guest(struct edge *e)
{
	e->guest_dirty = true;
}
