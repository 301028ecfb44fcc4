/* One command to a stats socket and its reply. Blocking, bounded by the socket's own timeouts.
 * Happy path: connect, send, half-close, read to EOF. Not here: what a reply means
 * (admin/replies.h). */
#include "io/ctl_client.h"
#include "base/str.h"
#include <errno.h>
#include <netdb.h>
#include <stdio.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/time.h>
#include <sys/un.h>
#include <unistd.h>

static int set_timeouts(int fd, int64_t timeout_ms)
{
	struct timeval tv = {.tv_sec = timeout_ms / 1000, .tv_usec = timeout_ms % 1000 * 1000};

	/* SO_SNDTIMEO bounds connect() as well */
	if (setsockopt(fd, SOL_SOCKET, SO_RCVTIMEO, &tv, sizeof(tv)) < 0 ||
	    setsockopt(fd, SOL_SOCKET, SO_SNDTIMEO, &tv, sizeof(tv)) < 0)
		return -errno;
	return 0;
}

/* A connected socket or -errno. */
static int connect_to(int family, const struct sockaddr *sa, socklen_t len, int64_t timeout_ms)
{
	int fd = socket(family, SOCK_STREAM | SOCK_CLOEXEC, 0);

	if (fd < 0)
		return -errno;
	int rc = set_timeouts(fd, timeout_ms);
	if (rc == 0 && connect(fd, sa, len) < 0)
		rc = errno == EINPROGRESS || errno == EAGAIN ? -ETIMEDOUT : -errno;
	if (rc < 0) {
		close(fd);
		return rc;
	}
	return fd;
}

static int connect_unix(const char *path, int64_t timeout_ms)
{
	struct sockaddr_un sa = {.sun_family = AF_UNIX};

	if (!str_copy(sa.sun_path, sizeof(sa.sun_path), path))
		return -ENAMETOOLONG;
	return connect_to(AF_UNIX, (const struct sockaddr *)&sa, sizeof(sa), timeout_ms);
}

static int connect_tcp(const struct addr *a, int64_t timeout_ms)
{
	struct addrinfo hints = {.ai_socktype = SOCK_STREAM}, *list;
	char port[8];
	int fd = -EHOSTUNREACH;

	snprintf(port, sizeof(port), "%u", a->port);
	if (getaddrinfo(strcmp(a->host, "*") == 0 ? NULL : a->host, port, &hints, &list) != 0)
		return -EHOSTUNREACH;
	for (const struct addrinfo *ai = list; ai && fd < 0; ai = ai->ai_next)
		fd = connect_to(ai->ai_family, ai->ai_addr, ai->ai_addrlen, timeout_ms);
	freeaddrinfo(list);
	return fd;
}

static int send_all(int fd, const char *data, size_t len)
{
	while (len > 0) {
		ssize_t n = send(fd, data, len, MSG_NOSIGNAL);
		if (n < 0 && errno == EINTR)
			continue;
		if (n < 0)
			return errno == EAGAIN ? -ETIMEDOUT : -errno;
		data += n;
		len -= (size_t)n;
	}
	return 0;
}

static int read_all(int fd, struct buf *reply)
{
	char chunk[16384];

	for (;;) {
		ssize_t n = recv(fd, chunk, sizeof(chunk), 0);
		if (n < 0 && errno == EINTR)
			continue;
		if (n < 0)
			return errno == EAGAIN ? -ETIMEDOUT : -errno;
		if (n == 0)
			return 0;
		buf_append(reply, chunk, (size_t)n);
	}
}

static const char *remedy(int rc)
{
	switch (rc) {
	case -ENOENT: return "; is isari running, and is stats.socket this path?";
	case -ECONNREFUSED: return "; is isari running?";
	case -EACCES:
	case -EPERM: return "; your user may not open it, see mode, user and group of stats.socket";
	case -ETIMEDOUT: return "; isari is there but busy or stopped";
	default: return "";
	}
}

static int fail(struct err *e, int rc, const char *what, const struct addr *a)
{
	char where[sizeof(a->host) + 16];

	return err_set(e, rc, "cannot %s %s: %s%s", what, addr_format(a, where, sizeof(where)),
		       strerror(-rc), remedy(rc));
}

static int exchange(int fd, const char *line, struct buf *reply)
{
	struct buf request = {0};

	buf_printf(&request, "%s\n", line);
	int rc = send_all(fd, request.data, request.len);
	buf_fini(&request);
	if (rc < 0)
		return rc;
	shutdown(fd, SHUT_WR);
	return read_all(fd, reply);
}

int ctl_client_ask(const struct addr *a, const char *line, int64_t timeout_ms, struct buf *reply,
		   struct err *e)
{
	int fd = a->kind == ADDR_UNIX ? connect_unix(a->host, timeout_ms)
				      : connect_tcp(a, timeout_ms);

	if (fd < 0)
		return fail(e, fd, "connect to", a);
	int rc = exchange(fd, line, reply);
	close(fd);
	return rc < 0 ? fail(e, rc, "talk to", a) : 0;
}
