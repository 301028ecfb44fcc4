/* Who comes in: connections are accepted here and given to MHD.
 *
 * MHD could do it itself, but not without descriptors: it would spin while nobody is connected, and
 * otherwise be deaf until somebody leaves, which those who watch a stream may not do for days. Here
 * whoever comes then, or when all places are taken, waits in the kernel's queue, and is looked for
 * again after a moment or when a place is free.
 * Not here: making the listening socket (line_bind.c). */
#include "io/clock.h"
#include "io/http_state.h"
#include "io/socket.h"
#include <errno.h>
#include <sys/socket.h>

enum {
	MOST = 10,      /* in one turn of the loop */
	RETRY_MS = 100, /* without a descriptor */
};

/* -1: there is nobody left, or no place, or no descriptor. */
static int accept_one(struct http_server *s, struct sockaddr_storage *from, socklen_t *len)
{
	int fd;

	if (http_server_is_full(s))
		return -1;
	do {
		*len = sizeof(*from);
		fd = accept4(s->listening_fd, (struct sockaddr *)from, len,
			     SOCK_NONBLOCK | SOCK_CLOEXEC);
	} while (fd < 0 && (errno == EINTR || errno == ECONNABORTED));
	if (fd < 0 && errno != EAGAIN)
		s->door_opens_ms = clock_ms() + RETRY_MS;
	return fd;
}

/* MHD closes what it does not take (too many from one address). */
static void take_those_who_wait(struct http_server *s)
{
	struct sockaddr_storage from;
	socklen_t len;
	int fd;

	for (unsigned n = 0; n < MOST && (fd = accept_one(s, &from, &len)) >= 0; n++)
		(void)MHD_add_connection(s->daemon, fd, (struct sockaddr *)&from, len);
}

/* An error of the watch (status < 0) has stopped it: accepting tells what is wrong, and tending the
 * door starts it anew. */
static void on_knock(uv_poll_t *door, int status, int events)
{
	struct http_server *s = door->data;

	(void)events;
	if (status < 0)
		s->door_is_open = false;
	take_those_who_wait(s);
	http_server_drive(s);
}

void http_door_tend(struct http_server *s)
{
	bool opens = !http_server_is_full(s) && s->door_opens_ms <= clock_ms();

	if (opens == s->door_is_open)
		return;
	if (opens)
		opens = uv_poll_start(&s->door, UV_READABLE, on_knock) == 0;
	else
		uv_poll_stop(&s->door);
	s->door_is_open = opens;
}

int64_t http_door_due_ms(const struct http_server *s)
{
	return s->door_is_open || http_server_is_full(s) ? 0 : s->door_opens_ms;
}
