/* A false PostgreSQL for load: cheap enough that what is measured is what stands before it.
 *
 *   load_server --listen ADDR[,ADDR...] [--cpu C]       ADDR: host:port or /path
 *
 * One thread, one epoll set; each socket is registered once, edge-triggered. Stdout says `ready`
 * when all addresses listen. SIGTERM and SIGINT end it.
 * Not here: what is answered (server_session.c), how (server_output.c). */
#include "server.h"
#include "net.h"

#include <errno.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/epoll.h>
#include <sys/signalfd.h>
#include <sys/timerfd.h>
#include <unistd.h>

enum { EVENTS = 128, ACCEPTS = 64, LISTENERS = 16, TICK_NS = 1000000 };

struct listener {
	int fd;
	struct address address;
};

struct life {
	struct server server;
	struct listener listeners[LISTENERS];
	unsigned n_listeners;
	int signals;
	bool ended;
};

/* ---- sessions -------------------------------------------------------------------------------- */

void session_queue(struct session *s)
{
	if (!s->queued)
		TAILQ_INSERT_TAIL(&s->server->ready, s, ready);
	s->queued = true;
}

static void unqueue(struct session *s)
{
	if (s->queued)
		TAILQ_REMOVE(&s->server->ready, s, ready);
	s->queued = false;
}

void session_close(struct session *s)
{
	unqueue(s);
	LIST_REMOVE(s, every);
	stream_free(s);
	close(s->fd);
	free(s->out.rest);
	free(s->held);
	free(s);
}

uint64_t server_random(struct server *v)
{
	v->rng ^= v->rng << 13;
	v->rng ^= v->rng >> 7;
	v->rng ^= v->rng << 17;
	return v->rng;
}

static void run(struct session *s)
{
	if (session_run(s) < 0)
		session_close(s);
}

/* Nothing is measured by a server that cannot take its clients. */
static void die(const char *what)
{
	perror(what);
	exit(1);
}

static void watch(struct server *v, int fd, uint32_t events, void *who)
{
	struct epoll_event e = {.events = events, .data.ptr = who};
	if (epoll_ctl(v->ep, EPOLL_CTL_ADD, fd, &e) < 0)
		die("load_server: epoll_ctl");
}

static bool accept_one(struct server *v, int listener)
{
	int fd = accept4(listener, NULL, NULL, SOCK_NONBLOCK | SOCK_CLOEXEC);
	if (fd < 0 && (errno == EAGAIN || errno == ECONNABORTED))
		return false;
	if (fd < 0)
		die("load_server: accept");
	struct session *s = calloc(1, sizeof(*s));
	if (!s)
		die("load_server: a session");
	s->server = v;
	s->fd = fd;
	LIST_INSERT_HEAD(&v->every, s, every);
	watch(v, fd, EPOLLIN | EPOLLOUT | EPOLLRDHUP | EPOLLET, s);
	return true;
}

/* ---- pace ------------------------------------------------------------------------------------ */

static void set_timer(struct server *v, long ns)
{
	struct itimerspec t = {.it_interval.tv_nsec = ns, .it_value.tv_nsec = ns};
	timerfd_settime(v->timer, 0, &t, NULL);
}

void server_pace(struct server *v, struct stream *st)
{
	if (LIST_EMPTY(&v->paced))
		set_timer(v, TICK_NS);
	LIST_INSERT_HEAD(&v->paced, st, paced);
}

static void tick(struct server *v)
{
	uint64_t n;
	struct stream *st;
	if (read(v->timer, &n, sizeof(n)) < 0)
		return;
	if (LIST_EMPTY(&v->paced))
		set_timer(v, 0);
	LIST_FOREACH (st, &v->paced, paced)
		session_queue(st->session);
}

/* ---- the loop -------------------------------------------------------------------------------- */

/* What is not a session: a listener, the timer, a signal; told apart by where it lies. */
static bool is_ours(struct life *l, void *who)
{
	for (unsigned i = 0; i < l->n_listeners; i++) {
		int left = ACCEPTS;
		if (who != &l->listeners[i])
			continue;
		while (left-- && accept_one(&l->server, l->listeners[i].fd))
			;
		return true;
	}
	if (who == &l->signals)
		l->ended = true;
	if (who == &l->server.timer)
		tick(&l->server);
	return who == &l->signals || who == &l->server.timer;
}

static void on_event(struct life *l, const struct epoll_event *e)
{
	struct session *s = e->data.ptr;
	if (is_ours(l, s))
		return;
	if (e->events & EPOLLOUT)
		s->out.blocked = false;
	if (e->events & EPOLLRDHUP)
		s->hung_up = true;
	if (e->events & (EPOLLIN | EPOLLRDHUP))
		s->readable = true;
	if (e->events & (EPOLLHUP | EPOLLERR))
		session_close(s);
	else
		run(s);
}

static void turn(struct life *l)
{
	struct epoll_event events[EVENTS];
	struct server *v = &l->server;
	int n = epoll_wait(v->ep, events, EVENTS, TAILQ_EMPTY(&v->ready) ? -1 : 0);
	for (int i = 0; i < n; i++)
		on_event(l, &events[i]);
	struct session *s = TAILQ_FIRST(&v->ready);
	if (!s)
		return;
	unqueue(s);
	run(s);
}

/* ---- start and end --------------------------------------------------------------------------- */

static int listen_at(struct life *l, const char *text, size_t n)
{
	struct listener *t = &l->listeners[l->n_listeners];
	if (l->n_listeners == LISTENERS || address_parse(&t->address, text, n) < 0)
		return -EINVAL;
	t->fd = address_listen(&t->address);
	if (t->fd < 0)
		return t->fd;
	l->n_listeners++;
	watch(&l->server, t->fd, EPOLLIN, t);
	return 0;
}

static int listen_at_all(struct life *l, const char *list)
{
	for (;;) {
		size_t n = strcspn(list, ",");
		int err = listen_at(l, list, n);
		if (err < 0) {
			fprintf(stderr, "load_server: %.*s: %s\n", (int)n, list, strerror(-err));
			return 1;
		}
		if (!list[n])
			return 0;
		list += n + 1;
	}
}

static void open_server(struct life *l)
{
	struct server *v = &l->server;
	sigset_t set;
	sigemptyset(&set);
	sigaddset(&set, SIGTERM);
	sigaddset(&set, SIGINT);
	sigprocmask(SIG_BLOCK, &set, NULL);
	v->ep = epoll_create1(EPOLL_CLOEXEC);
	v->timer = timerfd_create(CLOCK_MONOTONIC, TFD_NONBLOCK | TFD_CLOEXEC);
	l->signals = signalfd(-1, &set, SFD_CLOEXEC);
	v->rng = (uint64_t)now_ns() | 1;
	TAILQ_INIT(&v->ready);
	LIST_INIT(&v->paced);
	LIST_INIT(&v->every);
	watch(v, v->timer, EPOLLIN, &v->timer);
	watch(v, l->signals, EPOLLIN, &l->signals);
}

static void close_server(struct life *l)
{
	while (!LIST_EMPTY(&l->server.every))
		session_close(LIST_FIRST(&l->server.every));
	images_fini(&l->server.images);
	for (unsigned i = 0; i < l->n_listeners; i++)
		if (l->listeners[i].address.at.any.sa_family == AF_UNIX)
			unlink(l->listeners[i].address.at.local.sun_path);
}

static int usage(void)
{
	fprintf(stderr, "usage: load_server --listen ADDR[,ADDR...] [--cpu C]\n");
	return 2;
}

int main(int argc, char **argv)
{
	const char *list = NULL;
	for (int i = 1; i < argc; i += 2) {
		if (i + 1 < argc && strcmp(argv[i], "--listen") == 0)
			list = argv[i + 1];
		else if (i + 1 >= argc || strcmp(argv[i], "--cpu") != 0)
			return usage();
		else if (run_on_cpu(atoi(argv[i + 1])) < 0)
			die("load_server: --cpu");
	}
	if (!list)
		return usage();
	struct life *l = calloc(1, sizeof(*l));
	raise_descriptors();
	open_server(l);
	if (listen_at_all(l, list) != 0)
		return 1;
	puts("ready");
	fflush(stdout);
	while (!l->ended)
		turn(l);
	close_server(l);
	free(l);
	return 0;
}
