/* Connecting without blocking. Not here: names (resolve.c), waiting (edge.c), another try
 * (proxy/connect.c). */
#include "io/dialer.h"
#include "base/str.h"
#include <arpa/inet.h>
#include <errno.h>
#include <netdb.h>
#include <stdio.h>
#include <string.h>
#include <sys/un.h>
#include <unistd.h>

/* getaddrinfo with AI_NUMERICHOST never asks anybody; it also knows scopes (fe80::1%eth0). */
int dialer_address_ip(struct dialer_address *a, const char *ip, uint16_t port)
{
	const struct addrinfo hints = {.ai_family = AF_UNSPEC,
				       .ai_socktype = SOCK_STREAM,
				       .ai_flags = AI_NUMERICHOST | AI_NUMERICSERV};
	struct addrinfo *found;
	char service[8];

	*a = (struct dialer_address){0};
	snprintf(service, sizeof(service), "%u", port);
	if (getaddrinfo(ip, service, &hints, &found) != 0)
		return -EINVAL;
	memcpy(&a->to, found->ai_addr, found->ai_addrlen);
	a->len = found->ai_addrlen;
	freeaddrinfo(found);
	return 0;
}

int dialer_address_socket(struct dialer_address *a, const char *path)
{
	struct sockaddr_un *un = (struct sockaddr_un *)&a->to;

	*a = (struct dialer_address){0};
	if (path[0] != '/' || !str_copy(un->sun_path, sizeof(un->sun_path), path))
		return -EINVAL;
	un->sun_family = AF_UNIX;
	a->len = sizeof(*un);
	return 0;
}

bool dialer_is_local(const struct dialer_address *a)
{
	return a->len > 0 && a->to.ss_family == AF_UNIX;
}

/* A UNIX socket is never in progress (unix(7)): EAGAIN is its full queue, and says nothing of us.
 */
static int call(int fd, const struct dialer_address *a)
{
	if (connect(fd, (const struct sockaddr *)&a->to, a->len) == 0 || errno == EINPROGRESS)
		return 0;
	return dialer_is_local(a) && errno == EAGAIN ? -EBUSY : -errno;
}

int dialer_start(const struct dialer_address *a)
{
	int fd, rc;

	if (a->len == 0)
		return -EHOSTUNREACH;
	fd = socket(a->to.ss_family, SOCK_STREAM | SOCK_NONBLOCK | SOCK_CLOEXEC, 0);
	if (fd < 0)
		return -errno;
	rc = call(fd, a);
	if (rc == 0)
		return fd;
	close(fd);
	return rc;
}

int dialer_finish(int fd)
{
	socklen_t len = sizeof(int);
	int error = 0;

	if (getsockopt(fd, SOL_SOCKET, SO_ERROR, &error, &len) < 0)
		return -errno;
	return -error;
}
