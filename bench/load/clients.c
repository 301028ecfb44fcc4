/* The epoll set that all sessions of load share, and whose turn it is.
 * Not here: one session (client.c), what is measured. */
#include "client.h"

#include <errno.h>
#include <stdarg.h>
#include <stdio.h>
#include <string.h>
#include <sys/epoll.h>
#include <unistd.h>

enum { EVENTS = 64, WAIT_MS = 100 };

int clients_fail(struct clients *a, const char *format, ...)
{
	va_list ap;
	va_start(ap, format);
	vsnprintf(a->error, sizeof(a->error), format, ap);
	va_end(ap);
	return -1;
}

int clients_init(struct clients *a, const struct options *o)
{
	a->o = o;
	TAILQ_INIT(&a->ready);
	a->heard_ns = now_ns();
	a->ep = epoll_create1(EPOLL_CLOEXEC);
	if (a->ep < 0)
		return clients_fail(a, "epoll: %s", strerror(errno));
	if (address_parse(&a->target, o->target, strlen(o->target)) < 0)
		return clients_fail(a, "--target %s: not an address", o->target);
	a->n_startup = put_startup(a->startup, sizeof(a->startup), o->user, o->database);
	if (a->n_startup == 0)
		return clients_fail(a, "--user, --database: too long");
	return 0;
}

void clients_fini(struct clients *a)
{
	close(a->ep);
	images_fini(&a->images);
}

int clients_watch_stdin(struct clients *a)
{
	struct epoll_event e = {.events = EPOLLIN, .data.ptr = a};
	if (epoll_ctl(a->ep, EPOLL_CTL_ADD, STDIN_FILENO, &e) < 0)
		a->stdin_ended = true; /* a file: there is nothing to wait for */
	return 0;
}

static int on_stdin(struct clients *a)
{
	char rest[256];
	if (read(STDIN_FILENO, rest, sizeof(rest)) > 0)
		return 0;
	a->stdin_ended = true;
	epoll_ctl(a->ep, EPOLL_CTL_DEL, STDIN_FILENO, NULL);
	return 0;
}

static bool is_urgent(const struct clients *a, const void *who)
{
	return who != a && ((const struct client *)who)->urgent;
}

/* The urgent ones first: whose latency is measured does not wait for those that make the noise. */
static int serve(struct clients *a, const struct epoll_event *events, int n, bool urgent)
{
	for (int i = 0; i < n; i++) {
		void *who = events[i].data.ptr;
		if (is_urgent(a, who) != urgent)
			continue;
		int err = who == a ? on_stdin(a) : client_on_event(who, events[i].events);
		if (err < 0)
			return err;
	}
	return 0;
}

static int serve_queued(struct clients *a)
{
	struct client *c = TAILQ_FIRST(&a->ready);
	if (!c)
		return 0;
	TAILQ_REMOVE(&a->ready, c, ready);
	c->queued = false;
	return client_run(c);
}

static int on_silence(struct clients *a)
{
	if (a->heard) {
		a->heard = false;
		a->heard_ns = now_ns();
	}
	if (a->patient || (double)(now_ns() - a->heard_ns) < a->o->timeout * 1e9)
		return 0;
	return clients_fail(a, "nothing was heard for %g s (%u sessions are still being opened)",
			    a->o->timeout, a->n_unsettled);
}

static int wait_ms(const struct clients *a, int64_t until_ns)
{
	if (!TAILQ_EMPTY(&a->ready))
		return 0;
	int64_t ms = (until_ns - now_ns() + 999999) / 1000000;
	return ms < 0 ? 0 : ms < WAIT_MS ? (int)ms : WAIT_MS;
}

int clients_turn(struct clients *a, int64_t until_ns)
{
	struct epoll_event events[EVENTS];
	int n = epoll_wait(a->ep, events, EVENTS, wait_ms(a, until_ns));
	if (n < 0 && errno != EINTR)
		return clients_fail(a, "epoll_wait: %s", strerror(errno));
	if (n <= 0 && TAILQ_EMPTY(&a->ready))
		return on_silence(a);
	if (n > 0)
		a->heard = true;
	int err = serve(a, events, n, true);
	err = err < 0 ? err : serve(a, events, n, false);
	return err < 0 ? err : serve_queued(a);
}

int clients_run_until(struct clients *a, int64_t until_ns)
{
	int err = 0;
	while (err == 0 && now_ns() < until_ns)
		err = clients_turn(a, until_ns);
	return err;
}

int clients_settle(struct clients *a, unsigned most)
{
	int err = 0;
	while (err == 0 && a->n_unsettled && (most == 0 || a->n_unsettled >= most))
		err = clients_turn(a, INT64_MAX);
	return err;
}
