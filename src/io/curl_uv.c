/* libcurl names sockets and moments; after every action all finished transfers are reported.
 *
 * The sockets are in an epoll set of our own, and uv watches that set. A uv loop has a table with a
 * place for every descriptor number up to the highest that it watches: a proxy with ten thousand
 * sessions has the low numbers taken, and a table of 256 kB would be made for three sockets. What
 * libcurl takes out of the set is out at once: no handle has to be closed before the number may
 * name another socket.
 *
 * The rules that keep a result from being lost, each learnt from an adapter that lost one:
 * - reports are read after *every* action, whatever the number of running transfers;
 * - the timer is libcurl's: only its timer callback starts or stops it, activity on a socket does
 *   not;
 * - libcurl is never called from inside its own callbacks: a timeout of 0 becomes a timer of 1 ms
 *   (a uv timer of 0 that re-arms itself spins inside one loop turn before libuv 1.48);
 * - an error of a socket (a reset) is passed on as CURL_CSELECT_ERR and as nothing else;
 * - one event is fetched at a time: with the second one in hand, what the first one led to could
 *   have closed its socket and opened another of the same number;
 * - curl_multi_cleanup comes first and may still call both callbacks, then the handles are closed,
 *   then the set and the memory go. */
#include "io/curl_uv.h"
#include "base/assert.h"
#include "base/mem.h"
#include <errno.h>
#include <stdbool.h>
#include <stdlib.h>
#include <sys/epoll.h>
#include <unistd.h>

struct curl_uv {
	CURLM *multi;
	uv_timer_t timer;
	uv_poll_t poll; /* of the set */
	int epoll_fd;
	unsigned open_handles; /* until their close callbacks */
	unsigned n_transfers;
	bool reporting; /* inside report_finished: curl_uv_close has to wait for its end */
	bool closing;
	void (*on_closed)(void *arg);
	void *arg;
};

static void on_handle_closed(uv_handle_t *h)
{
	struct curl_uv *a = h->data;

	if (--a->open_handles > 0)
		return;
	close(a->epoll_fd);
	if (a->on_closed)
		a->on_closed(a->arg);
	free(a);
}

/* ---- reports --------------------------------------------------------------------------------- */

static void tear_down(struct curl_uv *a)
{
	curl_multi_cleanup(a->multi);
	a->multi = NULL;
	uv_close((uv_handle_t *)&a->timer, on_handle_closed);
	uv_close((uv_handle_t *)&a->poll, on_handle_closed);
}

static void report_one(struct curl_uv *a, CURL *easy, CURLcode result)
{
	struct curl_uv_transfer *t = NULL;

	curl_easy_getinfo(easy, CURLINFO_PRIVATE, (char **)&t);
	curl_multi_remove_handle(a->multi, easy);
	a->n_transfers--;
	t->done(t, result);
}

static void report_finished(struct curl_uv *a)
{
	CURLMsg *m;
	int left;

	a->reporting = true;
	while ((m = curl_multi_info_read(a->multi, &left)) != NULL)
		if (m->msg == CURLMSG_DONE)
			report_one(a, m->easy_handle, m->data.result); /* `m` is gone after this */
	a->reporting = false;
	if (a->closing)
		tear_down(a);
}

static void act(struct curl_uv *a, curl_socket_t fd, int flags)
{
	int running; /* says nothing: it is 0 when the last running transfer has timed out */

	curl_multi_socket_action(a->multi, fd, flags, &running);
	report_finished(a);
}

/* ---- what uv tells libcurl ------------------------------------------------------------------- */

static int flags_of(uint32_t events)
{
	if (events & EPOLLERR)
		return CURL_CSELECT_ERR;
	return (events & (EPOLLIN | EPOLLHUP) ? CURL_CSELECT_IN : 0) |
	       (events & EPOLLOUT ? CURL_CSELECT_OUT : 0);
}

/* If there are more it is called again: uv_poll is level-triggered, and so is the set, which takes
 * its sockets in turn. */
static void on_poll(uv_poll_t *poll, int status, int events)
{
	struct curl_uv *a = poll->data;
	struct epoll_event ev;

	(void)status;
	(void)events;
	if (epoll_wait(a->epoll_fd, &ev, 1, 0) == 1)
		act(a, ev.data.fd, flags_of(ev.events)); /* `a` may be closing after this */
}

static void on_timer(uv_timer_t *timer)
{
	act(timer->data, CURL_SOCKET_TIMEOUT, 0);
}

/* ---- what libcurl tells uv ------------------------------------------------------------------- */

/* libcurl does not say whether a socket is new to us, but the kernel does. Without kernel memory a
 * transfer ends by its own timeout, and the others go on. */
static void watch(struct curl_uv *a, curl_socket_t fd, uint32_t events)
{
	struct epoll_event ev = {.events = events, .data.fd = fd};

	if (epoll_ctl(a->epoll_fd, EPOLL_CTL_ADD, fd, &ev) < 0 && errno == EEXIST)
		(void)epoll_ctl(a->epoll_fd, EPOLL_CTL_MOD, fd, &ev);
}

/* Out of the set even if libcurl only pauses: an end or an error would be told again and again. */
static void unwatch(struct curl_uv *a, curl_socket_t fd)
{
	(void)epoll_ctl(a->epoll_fd, EPOLL_CTL_DEL, fd, NULL);
}

static int on_curl_socket(CURL *easy, curl_socket_t fd, int what, void *arg, void *socket_arg)
{
	struct curl_uv *a = arg;

	(void)easy;
	(void)socket_arg;
	switch (what) {
	case CURL_POLL_IN: watch(a, fd, EPOLLIN); break;
	case CURL_POLL_OUT: watch(a, fd, EPOLLOUT); break;
	case CURL_POLL_INOUT: watch(a, fd, EPOLLIN | EPOLLOUT); break;
	default: unwatch(a, fd); /* CURL_POLL_NONE, CURL_POLL_REMOVE */
	}
	return 0;
}

static int on_curl_timer(CURLM *multi, long timeout_ms, void *arg)
{
	struct curl_uv *a = arg;

	(void)multi;
	if (timeout_ms < 0)
		uv_timer_stop(&a->timer);
	else
		uv_timer_start(&a->timer, on_timer, timeout_ms > 0 ? (uint64_t)timeout_ms : 1, 0);
	return 0;
}

/* ---- the adapter ----------------------------------------------------------------------------- */

static int open_set(struct curl_uv *a, uv_loop_t *loop)
{
	a->epoll_fd = epoll_create1(EPOLL_CLOEXEC);
	if (a->epoll_fd < 0)
		return -errno;
	if (uv_poll_init(loop, &a->poll, a->epoll_fd) == 0)
		return 0;
	close(a->epoll_fd);
	return -ENOMEM;
}

static void set_callbacks(struct curl_uv *a)
{
	curl_multi_setopt(a->multi, CURLMOPT_SOCKETFUNCTION, on_curl_socket);
	curl_multi_setopt(a->multi, CURLMOPT_SOCKETDATA, a);
	curl_multi_setopt(a->multi, CURLMOPT_TIMERFUNCTION, on_curl_timer);
	curl_multi_setopt(a->multi, CURLMOPT_TIMERDATA, a);
}

struct curl_uv *curl_uv_new(uv_loop_t *loop)
{
	struct curl_uv *a = xcalloc(1, sizeof(*a));

	a->multi = curl_multi_init();
	if (a->multi == NULL || open_set(a, loop) < 0) {
		curl_multi_cleanup(a->multi); /* NULL is fine */
		free(a);
		return NULL;
	}
	uv_timer_init(loop, &a->timer);
	a->timer.data = a->poll.data = a;
	a->open_handles = 2;
	uv_poll_start(&a->poll, UV_READABLE, on_poll);
	set_callbacks(a);
	return a;
}

void curl_uv_close(struct curl_uv *a, void (*on_closed)(void *arg), void *arg)
{
	REQUIRE(!a->closing && a->n_transfers == 0);
	a->closing = true;
	a->on_closed = on_closed;
	a->arg = arg;
	if (!a->reporting)
		tear_down(a);
}

int curl_uv_start(struct curl_uv *a, struct curl_uv_transfer *t)
{
	CURLMcode rc;

	REQUIRE(!a->closing);
	curl_easy_setopt(t->easy, CURLOPT_PRIVATE, t);
	rc = curl_multi_add_handle(a->multi, t->easy);
	if (rc != CURLM_OK)
		return rc == CURLM_OUT_OF_MEMORY ? -ENOMEM : -EIO;
	a->n_transfers++;
	return 0;
}

void curl_uv_stop(struct curl_uv *a, struct curl_uv_transfer *t)
{
	curl_multi_remove_handle(a->multi, t->easy);
	a->n_transfers--;
}
