/* One epoll set per thread: session sockets edge-triggered, the uv loop as a guest.
 * Not here: what a ready socket means (proxy/, io/pump.c). Every function: the thread that owns the
 * set.
 *
 * A sleep with a time limit makes the kernel set up a timer and take it down again, for each
 * message: 1.5 us of 15, measured on a virtual machine. So times that are far are left to one
 * alarm (a timerfd, moved once a second), and only near ones limit a sleep.
 *
 * Registered once and never modified (but for UNIX sockets), a socket costs one epoll_ctl in its
 * life; uv_poll would cost two for every change of direction. An event is an edge: it is not
 * repeated, so nobody may lose one. */
#include "io/edge.h"
#include "base/assert.h"
#include "io/clock.h"
#include <errno.h>
#include <string.h>
#include <sys/prctl.h>
#include <sys/timerfd.h>
#include <unistd.h>

enum {
	TIMER_SLACK_NS = 1000,
	CLOCK_EACH = 8, /* events between two looks at the clock */
	NEAR_US = 20000,
	FOR_EVER = -1,
};

/* Kernels before 5.11 do not know it, and some sandboxes forbid what they do not know. */
static bool can_sleep_exactly(int epoll_fd)
{
	const struct timespec none = {0};
	struct epoll_event ev;

	return epoll_pwait2(epoll_fd, &ev, 1, &none, NULL) >= 0;
}

void edge_read_clock(struct edge *e)
{
	e->now_us = clock_us();
	e->now_ms = e->now_us / 1000;
}

/* In the set a NULL pointer stands for the guest, and the set itself for the alarm. An alarm is an
 * edge: moving it is enough, nobody reads it. */
static int watch_own(struct edge *e)
{
	struct epoll_event guest = {.events = EPOLLIN, .data.ptr = NULL};
	struct epoll_event alarm = {.events = EPOLLIN | EPOLLET, .data.ptr = e};

	if (epoll_ctl(e->epoll_fd, EPOLL_CTL_ADD, uv_backend_fd(e->guest), &guest) < 0 ||
	    epoll_ctl(e->epoll_fd, EPOLL_CTL_ADD, e->alarm_fd, &alarm) < 0)
		return -errno;
	return 0;
}

int edge_open(struct edge *e, uv_loop_t *guest, edge_handler *const handlers[], unsigned n_kinds)
{
	int rc;

	memset(e, 0, sizeof(*e));
	e->guest = guest;
	e->handlers = handlers;
	e->n_kinds = n_kinds;
	e->guest_dirty = true; /* uv registers its own descriptors only while it runs */
	e->guest_due_us = INT64_MAX;
	edge_read_clock(e);
	e->epoll_fd = epoll_create1(EPOLL_CLOEXEC);
	e->alarm_fd = timerfd_create(CLOCK_BOOTTIME, TFD_NONBLOCK | TFD_CLOEXEC);
	rc = e->epoll_fd < 0 || e->alarm_fd < 0 ? -errno : watch_own(e);
	if (rc < 0)
		edge_close(e);
	else
		e->exact = can_sleep_exactly(e->epoll_fd);
	return rc;
}

static void close_fd(int *fd)
{
	if (*fd >= 0)
		close(*fd);
	*fd = -1;
}

void edge_close(struct edge *e)
{
	close_fd(&e->alarm_fd);
	close_fd(&e->epoll_fd);
}

void edge_source_init(struct edge_source *s, unsigned kind)
{
	s->fd = -1;
	s->kind = (uint8_t)kind;
}

int edge_add(struct edge *e, struct edge_source *s, int fd)
{
	struct epoll_event ev = {.events = EPOLLIN | EPOLLOUT | EPOLLRDHUP | EPOLLET,
				 .data.ptr = s};

	REQUIRE(s->fd < 0 && fd >= 0 && s->kind < e->n_kinds);
	if (fd > EDGE_MOST_FD)
		return -EMFILE;
	if (epoll_ctl(e->epoll_fd, EPOLL_CTL_ADD, fd, &ev) < 0)
		return -errno;
	s->fd = fd & EDGE_MOST_FD;
	return 0;
}

void edge_want_write(struct edge *e, struct edge_source *s, bool wanted)
{
	struct epoll_event ev = {.events = EPOLLIN | EPOLLRDHUP | EPOLLET, .data.ptr = s};
	int rc;

	ev.events |= wanted ? EPOLLOUT : 0;
	rc = epoll_ctl(e->epoll_fd, EPOLL_CTL_MOD, s->fd, &ev);
	INSIST(rc == 0);
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

/* `now_us`: read before it ran, so that what its timers wait for counts from no later than its own
 * clock. A guest that has nothing open waits for nothing, though uv calls that "at once". */
static void run_guest(struct edge *e, int64_t now_us)
{
	int ms;

	e->guest_dirty = false;
	uv_run(e->guest, UV_RUN_NOWAIT);
	ms = uv_loop_alive(e->guest) ? uv_backend_timeout(e->guest) : -1;
	e->guest_due_us = ms < 0 ? INT64_MAX : now_us + ms * (int64_t)1000;
}

/* Awake before the time is up is harmless, if it is seldom: it is another turn. */
static void set_alarm(struct edge *e, int64_t now_us, int64_t due_us)
{
	int64_t us = due_us - now_us;
	const struct itimerspec t = {
		.it_value = {.tv_sec = us / 1000000, .tv_nsec = us % 1000000 * 1000}};

	if (e->alarm_us > now_us && e->alarm_us <= due_us)
		return;
	e->alarm_us = due_us;
	(void)timerfd_settime(e->alarm_fd, 0, &t, NULL);
}

/* Never awake before the time is up: near it, that would be one turn after the other. */
static int sleep_at_most(struct edge *e, int64_t us)
{
	const struct timespec t = {.tv_sec = us / 1000000, .tv_nsec = us % 1000000 * 1000};

	if (e->exact)
		return epoll_pwait2(e->epoll_fd, e->events, EDGE_BATCH, &t, NULL);
	return epoll_wait(e->epoll_fd, e->events, EDGE_BATCH, (int)((us + 999) / 1000));
}

static int look(struct edge *e)
{
	return epoll_wait(e->epoll_fd, e->events, EDGE_BATCH, 0);
}

/* What is there at once says nothing about spinning. */
static int poll_for(struct edge *e, int64_t now_us, int64_t most_us)
{
	int n = look(e);

	if (n != 0)
		return n;
	do {
		n = look(e);
		edge_read_clock(e);
	} while (n == 0 && e->now_us - now_us < most_us);
	if (n != 0)
		spin_hit(&e->spin, e->now_us - now_us);
	else
		spin_miss(&e->spin, e->now_us - now_us);
	return n;
}

static int await(struct edge *e, int64_t now_us, int64_t due_us)
{
	int64_t spin_us = spin_wants(&e->spin, now_us, due_us);
	int n = spin_us > 0 ? poll_for(e, now_us, spin_us) : 0;

	if (n != 0)
		return n;
	if (spin_us > 0)
		now_us = e->now_us;
	if (due_us <= now_us)
		return look(e);
	e->n_sleeps++;
	if (due_us - now_us < NEAR_US)
		return sleep_at_most(e, due_us - now_us);
	set_alarm(e, now_us, due_us);
	return epoll_wait(e->epoll_fd, e->events, EDGE_BATCH, FOR_EVER);
}

int edge_wait(struct edge *e, int64_t now_us, int64_t due_us)
{
	int n;

	if (e->guest_dirty) {
		run_guest(e, now_us);
		due_us = now_us; /* what it made of its news may be due at once */
	}
	if (due_us > e->guest_due_us)
		due_us = e->guest_due_us;
	n = await(e, now_us, due_us);
	INSIST(n >= 0 || errno == EINTR);
	edge_read_clock(e);
	e->n_events = n < 0 ? 0 : n;
	e->at = 0;
	if (e->n_events > 0)
		spin_batch(&e->spin, e->now_us);
	return e->n_events;
}

static bool guest_is_ready(const struct edge *e)
{
	if (e->guest_dirty || e->now_us >= e->guest_due_us)
		return true;
	for (int i = 0; i < e->n_events; i++)
		if (e->events[i].data.ptr == NULL)
			return true;
	return false;
}

void edge_dispatch(struct edge *e, int64_t until_us)
{
	if (guest_is_ready(e))
		run_guest(e, e->now_us);
	e->late = false;
	while (e->at < e->n_events) {
		struct epoll_event ev = e->events[e->at++];
		struct edge_source *s = ev.data.ptr;

		if (s && ev.data.ptr != e && ev.events) {
			e->n_late += e->late;
			e->handlers[s->kind](s, ev.events);
		}
		if (!e->late && e->at % CLOCK_EACH == 0)
			e->late = clock_us() >= until_us;
	}
	e->late = false;
	e->n_events = e->at = 0;
}

void edge_mark_guest(struct edge *e)
{
	e->guest_dirty = true;
}

void edge_sleep_exactly(void)
{
	(void)prctl(PR_SET_TIMERSLACK, TIMER_SLACK_NS, 0, 0, 0);
}

void edge_spin(struct edge *e, int64_t most_us)
{
	uint64_t spins = e->spin.spins, spun_us = e->spin.spun_us;

	spin_init(&e->spin, sysconf(_SC_NPROCESSORS_ONLN) > 1 ? most_us : 0);
	e->spin.spins = spins; /* since the start, however often this is set */
	e->spin.spun_us = spun_us;
}
