/* One session of load: connect, start, read, send, close.
 * Not here: the epoll set they share (clients.c), what is said after the start. */
#include "client.h"

#include <errno.h>
#include <string.h>
#include <sys/epoll.h>
#include <unistd.h>

enum { HEAD = 5, AUTH_HEAD = 9 };

/* ---- coming and going ------------------------------------------------------------------------ */

void client_queue(struct client *c)
{
	if (!c->queued)
		TAILQ_INSERT_TAIL(&c->all->ready, c, ready);
	c->queued = true;
}

static void unqueue(struct client *c)
{
	if (c->queued)
		TAILQ_REMOVE(&c->all->ready, c, ready);
	c->queued = false;
}

void client_settled(struct client *c)
{
	if (c->unsettled)
		c->all->n_unsettled--;
	c->unsettled = false;
}

static int send_startup(struct client *c)
{
	size_t sent;
	int err = client_send(c, c->all->startup, c->all->n_startup, &sent);
	if (err < 0 || sent == 0)
		return err;
	if (sent < c->all->n_startup)
		return clients_fail(c->all, "session %u: no room for a startup packet", c->number);
	c->state = CLIENT_STARTING;
	return 0;
}

static int cannot_connect(struct client *c, int error)
{
	const char *remedy = error == EADDRNOTAVAIL ? " (no port is left: use --sources)" : "";
	return clients_fail(c->all, "session %u: cannot connect: %s%s", c->number, strerror(error),
			    remedy);
}

/* On loopback the connection usually stands at once, so the start is tried without waiting. */
static int connect_now(struct client *c)
{
	struct clients *a = c->all;
	struct epoll_event e = {.events = EPOLLIN | EPOLLOUT | EPOLLRDHUP | EPOLLET, .data.ptr = c};
	unsigned sources = (unsigned)a->o->sources;
	int fd = address_connect(c->target, sources > 1 ? 1 + a->n_opened % sources : 0);
	if (fd == -EAGAIN) { /* a UNIX socket whose backlog is full */
		client_queue(c);
		return 0;
	}
	if (fd < 0)
		return cannot_connect(c, -fd);
	a->n_opened++;
	c->fd = fd;
	if (epoll_ctl(a->ep, EPOLL_CTL_ADD, fd, &e) < 0)
		return clients_fail(a, "epoll_ctl: %s", strerror(errno));
	return send_startup(c);
}

int client_open(struct client *c, struct clients *a)
{
	c->all = a;
	c->fd = -1;
	c->state = CLIENT_CONNECTING;
	c->readable = c->hung_up = c->blocked = false;
	c->n_head = 0;
	c->left = 0;
	c->unsettled = true;
	a->n_unsettled++;
	return connect_now(c);
}

void client_close(struct client *c)
{
	if (c->state == CLIENT_CLOSED)
		return;
	unqueue(c);
	client_settled(c);
	c->state = CLIENT_CLOSED;
	if (c->fd < 0)
		return;
	if (c->all->o->no_reset && send(c->fd, "X\0\0\0\4", HEAD, MSG_NOSIGNAL) == HEAD)
		close(c->fd);
	else
		close_with_reset(c->fd);
}

/* ---- what the other side says ---------------------------------------------------------------- */

const char *error_field(const char *data, size_t n, char field)
{
	if (n < HEAD + 1 || data[0] != 'E' || get32(data + 1) + 1 > n)
		return NULL;
	const char *p = data + HEAD, *end = data + 1 + get32(data + 1);
	while (p < end && *p) {
		size_t room = (size_t)(end - p - 1);
		if (*p == field)
			return memchr(p + 1, 0, room) ? p + 1 : NULL;
		p += 1 + strnlen(p + 1, room) + 1;
	}
	return NULL;
}

int client_wrong(struct client *c, const char *what, uint64_t at, const char *data, size_t n)
{
	const char *state = error_field(data, n, 'C'), *text = error_field(data, n, 'M');
	if (state && text)
		return clients_fail(c->all, "session %u, %s, byte %llu: the server says %s: %s",
				    c->number, what, (unsigned long long)at, state, text);
	return clients_fail(c->all, "session %u, %s: byte %llu is wrong", c->number, what,
			    (unsigned long long)at);
}

static int gone(struct client *c, int error)
{
	unqueue(c);
	if (c->state == CLIENT_CONNECTING)
		return cannot_connect(c, error ? error : ECONNRESET);
	c->state = CLIENT_GONE;
	if (c->deeds->gone)
		return c->deeds->gone(c, error);
	return clients_fail(c->all, "session %u: the other side ended it: %s", c->number,
			    error ? strerror(error) : "end of file");
}

/* ---- the start ------------------------------------------------------------------------------- */

static size_t least(size_t a, size_t b)
{
	return a < b ? a : b;
}

static int on_start_message(struct client *c)
{
	char type = c->head[0];
	if (type == 'R' && get32(c->head + HEAD) != 0)
		return clients_fail(c->all, "session %u: a password is wanted", c->number);
	if (!strchr("RSKNZ", type))
		return clients_fail(c->all, "session %u: message '%c' at the start", c->number,
				    type);
	if (type != 'Z')
		return 0;
	c->state = CLIENT_OPEN;
	return c->deeds->ready(c);
}

/* Some bytes of a message of the start, *used of them: its head, or its body, of which no more than
 * four bytes are kept. */
static int take_start(struct client *c, const char *data, size_t n, size_t *used)
{
	if (c->n_head == 0 && data[0] == 'E')
		return client_wrong(c, "start", 0, data, n);
	size_t body = c->n_head < HEAD ? 0 : c->left;
	size_t m = least(n, body ? body : HEAD - c->n_head);
	size_t kept = least(m, AUTH_HEAD - c->n_head);
	memcpy(c->head + c->n_head, data, kept);
	c->n_head += (unsigned)kept;
	c->left = body ? c->left - (uint32_t)m : get32(c->head + 1) - 4;
	*used = m;
	if (c->n_head < HEAD || c->left > 0)
		return 0;
	c->n_head = 0;
	return on_start_message(c);
}

static int hear_start(struct client *c, const char *data, size_t n)
{
	while (n && c->state == CLIENT_STARTING) {
		size_t used = 0;
		int err = take_start(c, data, n, &used);
		if (err < 0)
			return err;
		data += used;
		n -= used;
	}
	return n ? client_wrong(c, "after ReadyForQuery", 0, data, n) : 0;
}

/* ---- reading and sending --------------------------------------------------------------------- */

static size_t most_of(const struct client *c)
{
	size_t most = TAILQ_EMPTY(&c->all->ready) ? SCRATCH : PASS;
	return c->recv_most && c->recv_most < most ? c->recv_most : most;
}

static int hear(struct client *c)
{
	char *scratch = c->all->scratch;
	size_t most = most_of(c);
	ssize_t n = recv(c->fd, scratch, most, c->recv_flags);
	c->readable = n > 0 && ((size_t)n == most || c->hung_up);
	if (n < 0 && errno == EAGAIN)
		return 0;
	if (n <= 0)
		return gone(c, n < 0 ? errno : 0);
	if (c->readable)
		client_queue(c);
	if (c->state == CLIENT_STARTING)
		return hear_start(c, scratch, (size_t)n);
	return c->deeds->input(c, scratch, (size_t)n);
}

int client_send(struct client *c, const void *data, size_t n, size_t *sent)
{
	ssize_t m = send(c->fd, data, n, MSG_NOSIGNAL);
	*sent = m > 0 ? (size_t)m : 0;
	c->blocked = *sent < n;
	if (m >= 0 || errno == EAGAIN)
		return 0;
	if (c->state == CLIENT_CONNECTING || (errno != EPIPE && errno != ECONNRESET))
		return gone(c, errno);
	c->readable = true; /* the other side may have said why */
	client_queue(c);
	return 0;
}

static int run_open(struct client *c)
{
	if (c->deeds->output && !c->blocked && c->state == CLIENT_OPEN) {
		int err = c->deeds->output(c);
		if (err < 0)
			return err;
	}
	return c->readable && !c->deaf && c->state >= CLIENT_STARTING ? hear(c) : 0;
}

int client_run(struct client *c)
{
	if (c->state == CLIENT_CLOSED || c->state == CLIENT_GONE)
		return 0;
	if (c->state == CLIENT_CONNECTING) {
		int err = c->fd < 0 ? connect_now(c) : send_startup(c);
		if (err < 0)
			return err;
	}
	return run_open(c);
}

int client_on_event(struct client *c, uint32_t events)
{
	if (events & EPOLLOUT)
		c->blocked = false;
	if (events & (EPOLLRDHUP | EPOLLHUP | EPOLLERR))
		c->hung_up = true;
	if (events & (EPOLLIN | EPOLLRDHUP | EPOLLHUP | EPOLLERR))
		c->readable = true;
	return client_run(c);
}
