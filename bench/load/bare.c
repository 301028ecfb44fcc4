/* The least that a relay can do with epoll: two descriptors, a recv and a send for what comes, no
 * limit, no log, no deadline, no care for slow readers. What a proxy costs beside it is its own
 * doing; what this costs, nobody who uses these calls can go below.
 *
 *	bare LISTEN TARGET
 *
 * For round trips and short connections only: bytes that a full destination refuses end the pair.
 */
#include "net.h"
#include <errno.h>
#include <signal.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/epoll.h>
#include <unistd.h>

enum { BATCH = 256, SCRATCH = 64 * 1024 };

struct side {
	int fd; /* -1: closed */
	bool connected;
	struct side *other;
	struct side *next_dead; /* of a pair's first side: freed after the batch */
};

struct relay {
	int epoll_fd, listening;
	struct address target;
	struct side *dead;
	char scratch[SCRATCH];
};

static void watch(const struct relay *r, int fd, uint32_t events, void *who)
{
	struct epoll_event ev = {.events = events, .data.ptr = who};

	if (epoll_ctl(r->epoll_fd, EPOLL_CTL_ADD, fd, &ev) < 0)
		exit(1);
}

static void begin(const struct relay *r, int client)
{
	int server = address_connect(&r->target, 0);
	struct side *pair = calloc(2, sizeof(*pair));

	if (server < 0 || pair == NULL) {
		fprintf(stderr, "bare: cannot connect: %s\n",
			strerror(server < 0 ? -server : ENOMEM));
		exit(1);
	}
	pair[0] = (struct side){.fd = client, .connected = true, .other = &pair[1]};
	pair[1] = (struct side){.fd = server, .other = &pair[0]};
	for (int i = 0; i < 2; i++)
		watch(r, pair[i].fd, EPOLLIN | EPOLLOUT | EPOLLRDHUP | EPOLLET, &pair[i]);
}

static void end(struct relay *r, struct side *s, bool reset)
{
	struct side *first = s < s->other ? s : s->other;

	if (reset)
		close_with_reset(s->other->fd);
	else
		close(s->other->fd);
	close(s->fd);
	s->fd = s->other->fd = -1;
	first->next_dead = r->dead;
	r->dead = first;
}

static void pass(struct relay *r, struct side *s)
{
	ssize_t n = recv(s->fd, r->scratch, SCRATCH, 0);

	if (n < 0 && errno == EAGAIN)
		return;
	if (n <= 0 || send(s->other->fd, r->scratch, (size_t)n, MSG_NOSIGNAL) != n)
		end(r, s, n != 0);
}

static void on_event(struct relay *r, struct side *s, uint32_t events)
{
	bool came = s->connected == false && events & EPOLLOUT;

	if (s->fd < 0)
		return;
	s->connected |= came;
	if (came && s->other->connected) /* the server: what its client has said waits */
		pass(r, s->other);
	if (s->fd >= 0 && events & EPOLLIN && s->other->connected)
		pass(r, s);
}

static void accept_all(const struct relay *r)
{
	for (;;) {
		int fd = accept4(r->listening, NULL, NULL, SOCK_NONBLOCK | SOCK_CLOEXEC);

		if (fd < 0)
			return;
		begin(r, fd);
	}
}

static void bury(struct relay *r)
{
	while (r->dead) {
		struct side *first = r->dead;

		r->dead = first->next_dead;
		free(first);
	}
}

static void turn(struct relay *r)
{
	struct epoll_event events[BATCH];
	int n = epoll_wait(r->epoll_fd, events, BATCH, -1);

	for (int i = 0; i < n; i++)
		if (events[i].data.ptr)
			on_event(r, events[i].data.ptr, events[i].events);
		else
			accept_all(r);
	bury(r);
}

int main(int argc, char **argv)
{
	static struct relay r;
	struct address here;

	if (argc != 3 || address_parse(&here, argv[1], strlen(argv[1])) < 0 ||
	    address_parse(&r.target, argv[2], strlen(argv[2])) < 0) {
		fprintf(stderr, "usage: bare LISTEN TARGET\n");
		return 2;
	}
	signal(SIGPIPE, SIG_IGN);
	(void)raise_descriptors();
	r.epoll_fd = epoll_create1(EPOLL_CLOEXEC);
	r.listening = address_listen(&here);
	if (r.epoll_fd < 0 || r.listening < 0) {
		fprintf(stderr, "bare: cannot listen on %s: %s\n", argv[1], strerror(-r.listening));
		return 1;
	}
	watch(&r, r.listening, EPOLLIN, NULL);
	for (;;)
		turn(&r);
}
