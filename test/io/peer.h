#pragma once
/* The other side of a test: a loopback server whose every connection is a thread running one
 * function, and waiting for a condition on the loop under test. Nothing here sleeps: a peer that
 * "hangs" waits for its client to leave. */
#include <arpa/inet.h>
#include <errno.h>
#include <netinet/in.h>
#include <poll.h>
#include <pthread.h>
#include <setjmp.h>
#include <signal.h>
#include <stdarg.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/un.h>
#include <unistd.h>
#include <uv.h>

#include <cmocka.h>

enum { PEER_MAX_CONNECTIONS = 256, WAIT_LIMIT_MS = 20000 };

struct peer {
	int listener;
	uint16_t port;
	void (*serve)(struct peer *p, int fd,
		      int n); /* n: 0 for the first connection; fd is closed after it */
	void *arg;
	pthread_t acceptor;
	pthread_t threads[PEER_MAX_CONNECTIONS];
	_Atomic int n_accepted;
};

struct peer_connection {
	struct peer *peer;
	int fd, n;
};

static inline void peer_write(int fd, const char *data, size_t n)
{
	while (n > 0) {
		ssize_t w = send(fd, data, n, MSG_NOSIGNAL);

		if (w <= 0)
			return; /* the client left: part of many stories */
		data += w;
		n -= (size_t)w;
	}
}

static inline void peer_puts(int fd, const char *s)
{
	peer_write(fd, s, strlen(s));
}

/* Until the client closes: how a peer keeps silent without a clock. */
static inline void peer_wait_for_end(int fd)
{
	char sink[4096];

	while (recv(fd, sink, sizeof(sink), 0) > 0)
		;
}

/* Read the request to its empty line. */
static inline void peer_read_request(int fd, char *out, size_t n)
{
	size_t len = 0;

	out[0] = '\0';
	while (len + 1 < n && strstr(out, "\r\n\r\n") == NULL) {
		ssize_t r = recv(fd, out + len, n - 1 - len, 0);

		if (r <= 0)
			return;
		len += (size_t)r;
		out[len] = '\0';
	}
}

static inline void peer_reset(int fd)
{
	struct linger now = {.l_onoff = 1, .l_linger = 0};

	setsockopt(fd, SOL_SOCKET, SO_LINGER, &now, sizeof(now)); /* close() sends RST */
}

static inline void *peer_connection_main(void *arg)
{
	struct peer_connection *c = arg;

	c->peer->serve(c->peer, c->fd, c->n);
	close(c->fd);
	free(c);
	return NULL;
}

static inline void *peer_acceptor_main(void *arg)
{
	struct peer *p = arg;
	int fd;

	while ((fd = accept(p->listener, NULL, NULL)) >= 0) {
		struct peer_connection *c = malloc(sizeof(*c));

		*c = (struct peer_connection){p, fd, p->n_accepted};
		if (p->n_accepted == PEER_MAX_CONNECTIONS)
			abort();
		pthread_create(&p->threads[p->n_accepted], NULL, peer_connection_main, c);
		p->n_accepted++;
	}
	return NULL;
}

static inline int peer_listen(uint16_t *port, int backlog)
{
	struct sockaddr_in sa = {.sin_family = AF_INET, .sin_addr.s_addr = htonl(INADDR_LOOPBACK)};
	socklen_t len = sizeof(sa);
	int fd = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);

	assert_int_equal(bind(fd, (struct sockaddr *)&sa, sizeof(sa)), 0);
	assert_int_equal(listen(fd, backlog), 0);
	assert_int_equal(getsockname(fd, (struct sockaddr *)&sa, &len), 0);
	*port = ntohs(sa.sin_port);
	return fd;
}

static inline void peer_start(struct peer *p, void (*serve)(struct peer *, int, int), void *arg)
{
	memset(p, 0, sizeof(*p));
	p->serve = serve;
	p->arg = arg;
	p->listener = peer_listen(&p->port, 128);
	pthread_create(&p->acceptor, NULL, peer_acceptor_main, p);
}

/* The same behind a UNIX socket. */
static inline int peer_listen_at(const char *path, int backlog)
{
	struct sockaddr_un un = {.sun_family = AF_UNIX};
	int fd = socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0);

	assert_true(strlen(path) < sizeof(un.sun_path));
	strcpy(un.sun_path, path);
	unlink(path);
	assert_int_equal(bind(fd, (struct sockaddr *)&un, sizeof(un)), 0);
	assert_int_equal(listen(fd, backlog), 0);
	return fd;
}

static inline void peer_start_at(struct peer *p, const char *path,
				 void (*serve)(struct peer *, int, int), void *arg)
{
	memset(p, 0, sizeof(*p));
	p->serve = serve;
	p->arg = arg;
	p->listener = peer_listen_at(path, 128);
	pthread_create(&p->acceptor, NULL, peer_acceptor_main, p);
}

static inline void peer_stop(struct peer *p)
{
	shutdown(p->listener, SHUT_RDWR); /* wakes accept() */
	pthread_join(p->acceptor, NULL);
	for (int i = 0; i < p->n_accepted; i++)
		pthread_join(p->threads[i], NULL);
	close(p->listener);
}

/* A port that lets nobody in any more: its queue is full and nobody accepts. */
struct full_port {
	int listener, fds[4];
	uint16_t port;
};

static inline void full_port_open(struct full_port *f)
{
	struct sockaddr_in sa = {.sin_family = AF_INET, .sin_addr.s_addr = htonl(INADDR_LOOPBACK)};

	f->listener = peer_listen(&f->port, 0);
	sa.sin_port = htons(f->port);
	for (int i = 0; i < 4; i++) {
		f->fds[i] = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0);
		connect(f->fds[i], (struct sockaddr *)&sa, sizeof(sa));
	}
}

static inline void full_port_close(struct full_port *f)
{
	for (int i = 0; i < 4; i++)
		close(f->fds[i]);
	close(f->listener);
}

/* A port where nobody listens, now. */
static inline uint16_t peer_free_port(void)
{
	uint16_t port;

	close(peer_listen(&port, 1));
	return port;
}

static inline void wait_expired(uv_timer_t *t)
{
	*(bool *)t->data = true;
}

/* Run the loop until *counter reaches `target`; false when that takes absurdly long. */
static inline bool wait_until(uv_loop_t *loop, const int *counter, int target)
{
	bool expired = false;
	uv_timer_t limit;

	uv_timer_init(loop, &limit);
	limit.data = &expired;
	uv_update_time(loop);
	uv_timer_start(&limit, wait_expired, WAIT_LIMIT_MS, 0);
	while (*counter < target && !expired)
		uv_run(loop, UV_RUN_ONCE);
	uv_close((uv_handle_t *)&limit, NULL);
	uv_run(loop, UV_RUN_NOWAIT); /* its close callback: it lives on this stack */
	return *counter >= target;
}
