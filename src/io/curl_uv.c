/* libcurl names sockets and moments; uv watches them; after every action all finished transfers are
 * reported.
 *
 * The rules that keep a result from being lost, each learnt from an adapter that lost one:
 * - reports are read after *every* action, whatever the number of running transfers;
 * - the timer is libcurl's: only its timer callback starts or stops it, activity on a socket does
 *   not;
 * - libcurl is never called from inside its own callbacks: a timeout of 0 becomes a timer of 1 ms
 *   (a uv timer of 0 that re-arms itself spins inside one loop turn before libuv 1.48);
 * - an error of the poll handle (a reset; uv has stopped watching by then) is passed on as
 *   CURL_CSELECT_ERR;
 * - curl_multi_cleanup comes first and may still call both callbacks, then the handles are closed,
 *   then memory goes. */
#include "io/curl_uv.h"
#include "base/assert.h"
#include "base/mem.h"
#include <errno.h>
#include <stdbool.h>
#include <stdlib.h>

struct curl_uv {
	uv_loop_t *loop;
	CURLM *multi;
	uv_timer_t timer;
	unsigned open_handles; /* the timer and every watch, until their close callbacks */
	unsigned n_transfers;
	bool reporting; /* inside report_finished: curl_uv_close has to wait for its end */
	bool closing;
	void (*on_closed)(void *arg);
	void *arg;
};

struct watch {
	uv_poll_t poll;
	struct curl_uv *adapter;
	curl_socket_t fd;
};

static void on_handle_closed(struct curl_uv *a)
{
	if (--a->open_handles > 0)
		return;
	if (a->on_closed)
		a->on_closed(a->arg);
	free(a);
}

static void on_timer_closed(uv_handle_t *h)
{
	on_handle_closed(h->data);
}

static void on_watch_closed(uv_handle_t *h)
{
	struct watch *w = h->data;
	struct curl_uv *a = w->adapter;

	free(w);
	on_handle_closed(a);
}

/* ---- reports --------------------------------------------------------------------------------- */

static void tear_down(struct curl_uv *a)
{
	curl_multi_cleanup(a->multi);
	a->multi = NULL;
	uv_close((uv_handle_t *)&a->timer, on_timer_closed);
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

static void on_poll(uv_poll_t *poll, int status, int events)
{
	struct watch *w = poll->data;
	int flags = 0;

	if (events & UV_READABLE)
		flags |= CURL_CSELECT_IN;
	if (events & UV_WRITABLE)
		flags |= CURL_CSELECT_OUT;
	if (status < 0)
		flags |= CURL_CSELECT_ERR;
	act(w->adapter, w->fd, flags); /* `w` may be closing after this */
}

static void on_timer(uv_timer_t *timer)
{
	act(timer->data, CURL_SOCKET_TIMEOUT, 0);
}

/* ---- what libcurl tells uv ------------------------------------------------------------------- */

static struct watch *watch_new(struct curl_uv *a, curl_socket_t fd)
{
	struct watch *w = xcalloc(1, sizeof(*w));

	w->adapter = a;
	w->fd = fd;
	w->poll.data = w;
	if (uv_poll_init_socket(a->loop, &w->poll, fd) != 0) {
		free(w);
		return NULL;
	}
	a->open_handles++;
	curl_multi_assign(a->multi, fd, w);
	return w;
}

static int on_curl_socket(CURL *easy, curl_socket_t fd, int what, void *arg, void *socket_arg)
{
	struct curl_uv *a = arg;
	struct watch *w = socket_arg;
	int events = 0;

	(void)easy;
	if (what == CURL_POLL_REMOVE) {
		if (w) {
			curl_multi_assign(a->multi, fd, NULL);
			uv_close((uv_handle_t *)&w->poll, on_watch_closed);
		}
		return 0;
	}
	if (w == NULL)
		w = watch_new(a, fd);
	if (w == NULL) /* no kernel memory: it ends by its own timeout, the others go on */
		return 0;
	if (what & CURL_POLL_IN)
		events |= UV_READABLE;
	if (what & CURL_POLL_OUT)
		events |= UV_WRITABLE;
	if (events)
		uv_poll_start(&w->poll, events, on_poll);
	else
		uv_poll_stop(&w->poll);
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

struct curl_uv *curl_uv_new(uv_loop_t *loop)
{
	struct curl_uv *a = xcalloc(1, sizeof(*a));

	a->loop = loop;
	a->multi = curl_multi_init();
	if (a->multi == NULL) {
		free(a);
		return NULL;
	}
	uv_timer_init(loop, &a->timer);
	a->timer.data = a;
	a->open_handles = 1;
	curl_multi_setopt(a->multi, CURLMOPT_SOCKETFUNCTION, on_curl_socket);
	curl_multi_setopt(a->multi, CURLMOPT_SOCKETDATA, a);
	curl_multi_setopt(a->multi, CURLMOPT_TIMERFUNCTION, on_curl_timer);
	curl_multi_setopt(a->multi, CURLMOPT_TIMERDATA, a);
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
