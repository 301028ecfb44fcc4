#pragma once
/* Edge-triggered readiness for the sockets of one thread, with the thread's uv loop as a guest.
 * Each socket is registered once (IN|OUT|RDHUP, edge-triggered) and, but for edge_want_write, never
 * modified: whoever gets an event remembers it until the call that it announced has said EAGAIN.
 * The guest's backend descriptor is one more entry; the guest runs first in a batch, so that news
 * from other threads precede the data.
 *
 * A turn: edge_wait, then edge_dispatch. Inside a batch any source may be dropped: events that were
 * already fetched for it are forgotten, so its memory and its number may be used again at once.
 *
 * Time is read twice in a turn: once by the owner when it is about to wait, once by edge_wait after
 * that; now and then while a batch is long. The guest costs nothing while it has no event: when its
 * next timer is due is asked only after it ran. */
#include "io/spin.h"
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

enum {
	EDGE_BATCH = 256,
	EDGE_MOST_FD = (1 << 23) - 1, /* the kernel gives the lowest free number */
};

/* Of sources there are many, of their kinds few: who hears a kind's events stands in a table. */
struct edge_source {
	int fd : 24;       /* -1: not in the set */
	unsigned kind : 8; /* its handler's place in the table */
};

_Static_assert(sizeof(struct edge_source) == 4, "two of them are in every session");

typedef void edge_handler(struct edge_source *source, uint32_t events);

struct edge {
	int epoll_fd, alarm_fd;
	int64_t alarm_us; /* when it goes off; in the past: it is off */
	unsigned n_kinds;
	edge_handler *const *handlers; /* by kind; of the set's owner */
	uv_loop_t *guest;
	bool guest_dirty;       /* a handle was started or closed outside a guest callback */
	bool exact;             /* the kernel can sleep for less than a millisecond */
	int64_t guest_due_us;   /* when its next timer is due; INT64_MAX: none */
	int64_t now_us, now_ms; /* after the last wait; one reading of the clock */
	struct spin spin;       /* off, unless its owner starts it */
	uint64_t n_sleeps, n_late;
	bool late;        /* the time for this batch is over */
	int n_events, at; /* the batch in progress */
	struct epoll_event events[EDGE_BATCH];
};

int edge_open(struct edge *e, uv_loop_t *guest, edge_handler *const handlers[], unsigned n_kinds);
void edge_close(struct edge *e); /* the guest loop stays with its owner */

void edge_source_init(struct edge_source *s, unsigned kind);
/* The set watches `fd` (non-blocking) from now on; what is ready already comes as the first event.
 * On failure (-EMFILE: above EDGE_MOST_FD) the descriptor stays the caller's. */
int edge_add(struct edge *e, struct edge_source *s, int fd);
/* Whether it hears that it may be written to. TCP says so only after it was full; a UNIX socket
 * each time its peer has read, which is a turn for nothing with each message. */
void edge_want_write(struct edge *e, struct edge_source *s, bool wanted);
/* Out of the batch; the descriptor is the caller's again (-1 when there was none) and must be
 * closed now: that takes it out of the kernel's set. */
int edge_drop(struct edge *e, struct edge_source *s);

/* Sleep until an event, the guest's next timer, or `due_us`, whichever is first; a time that has
 * passed only looks. A busy thread may poll for a moment first: io/spin.h. `now_us`: of clock_us,
 * just read. Returns how many events wait (may be 0). */
int edge_wait(struct edge *e, int64_t now_us, int64_t due_us);
void edge_read_clock(struct edge *e); /* now_us and now_ms, where there was no wait yet */
/* Every source of the batch hears its event; those after `until_us` while `late` is set: they had
 * better only remember it. */
void edge_dispatch(struct edge *e, int64_t until_us);
/* After uv_*_start or uv_close outside the guest's own callbacks: it runs before the next sleep.
 * The guest's clock stands still between its runs: uv_update_time comes before uv_timer_start. */
void edge_mark_guest(struct edge *e);
/* Poll for up to `most_us` before sleeping, while that pays; never on a machine with one processor,
 * where whoever is waited for could not run meanwhile. */
void edge_spin(struct edge *e, int64_t most_us);
/* The calling thread's sleeps end when they are to, not up to 50 us later: once, at its start. */
void edge_sleep_exactly(void);
