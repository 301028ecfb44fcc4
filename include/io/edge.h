#pragma once
/* Edge-triggered readiness for the sockets of one thread, with the thread's uv loop as a guest.
 * Each socket is registered once (IN|OUT|RDHUP, edge-triggered) and never modified: whoever gets an
 * event remembers it until the call that it announced has said EAGAIN. The guest's backend
 * descriptor is one more entry; the guest runs first in a batch, so that news from other threads
 * precede the data.
 *
 * A turn: edge_wait, then edge_dispatch. Inside a batch any source may be dropped: events that were
 * already fetched for it are forgotten, so its memory and its number may be used again at once. */
#include <stdbool.h>
#include <stdint.h>
#include <sys/epoll.h>
#include <uv.h>

enum {
	EDGE_READ = EPOLLIN,
	EDGE_WRITE = EPOLLOUT,
	EDGE_EOF = EPOLLRDHUP,  /* the peer sends no more */
	EDGE_HANGUP = EPOLLHUP, /* both directions have ended */
	EDGE_ERROR = EPOLLERR,  /* reset, refused, timed out */
	EDGE_ENDING =
		EDGE_EOF | EDGE_HANGUP | EDGE_ERROR, /* no further edge may come: read to the end */
};

enum { EDGE_BATCH = 256 };

struct edge_source {
	void (*on_ready)(struct edge_source *source, uint32_t events);
	int fd; /* -1: not in the set */
};

struct edge {
	int epoll_fd;
	uv_loop_t *guest;
	bool guest_dirty;     /* a handle was started outside a guest callback */
	int64_t guest_due_ms; /* when its next timer is due; INT64_MAX: none */
	int64_t now_ms;       /* after the last wait */
	int n_events, at;     /* the batch in progress */
	struct epoll_event events[EDGE_BATCH];
};

int edge_open(struct edge *e, uv_loop_t *guest);
void edge_close(struct edge *e); /* the guest loop stays with its owner */

void edge_source_init(struct edge_source *s, void (*on_ready)(struct edge_source *, uint32_t));
/* The set watches `fd` (non-blocking) from now on; what is ready already comes as the first event.
 * On failure the descriptor stays the caller's. */
int edge_add(struct edge *e, struct edge_source *s, int fd);
/* Out of the batch; the descriptor is the caller's again (-1 when there was none) and must be
 * closed now: that takes it out of the kernel's set. */
int edge_drop(struct edge *e, struct edge_source *s);

/* Sleep until an event, the guest's next timer, or `max_ms`. Returns how many events wait (may be
 * 0). */
int edge_wait(struct edge *e, int max_ms);
void edge_dispatch(struct edge *e);
void edge_mark_guest(struct edge *e); /* after uv_*_start outside the guest's own callbacks */
