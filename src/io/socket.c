/* Calls on one socket. Not here: waiting for it (edge.c), its options (sockopt.c). Any thread. */
#include "io/socket.h"
#include <arpa/inet.h>
#include <errno.h>
#include <linux/sockios.h>
#include <netinet/in.h>
#include <netinet/tcp.h>
#include <stdio.h>
#include <string.h>
#include <sys/ioctl.h>
#include <sys/socket.h>
#include <unistd.h>

static ssize_t receive(int fd, void *data, size_t n, int flags)
{
	ssize_t got;

	do
		got = recv(fd, data, n, flags);
	while (got < 0 && errno == EINTR);
	return got < 0 ? -errno : got;
}

ssize_t socket_read(int fd, void *data, size_t n)
{
	return receive(fd, data, n, 0);
}

ssize_t socket_peek(int fd, void *data, size_t n)
{
	return receive(fd, data, n, MSG_PEEK);
}

static ssize_t transmit(int fd, const void *data, size_t n, int flags)
{
	ssize_t sent;

	do
		sent = send(fd, data, n, MSG_NOSIGNAL | flags);
	while (sent < 0 && errno == EINTR);
	return sent < 0 ? -errno : sent;
}

ssize_t socket_write(int fd, const void *data, size_t n)
{
	return transmit(fd, data, n, 0);
}

ssize_t socket_write_last(int fd, const void *data, size_t n)
{
	return transmit(fd, data, n, MSG_MORE);
}

void socket_shutdown_write(int fd)
{
	/* ENOTCONN: the peer is gone, which the next read will say. */
	(void)shutdown(fd, SHUT_WR);
}

void socket_close(int fd)
{
	if (fd >= 0)
		close(fd);
}

void socket_reset(int fd)
{
	const struct linger at_once = {.l_onoff = 1, .l_linger = 0};

	if (fd < 0)
		return;
	(void)setsockopt(fd, SOL_SOCKET, SO_LINGER, &at_once, sizeof(at_once));
	close(fd);
}

/* What was sent counts until it is acknowledged. */
bool socket_has_queued(int fd)
{
	int queued = 0;

	(void)ioctl(fd, SIOCOUTQ, &queued);
	return queued > 0;
}

struct socket_debt socket_debt(int fd)
{
	struct tcp_info info = {0};
	socklen_t len = sizeof(info);
	int queued = 0;

	if (getsockopt(fd, IPPROTO_TCP, TCP_INFO, &info, &len) < 0)
		info = (struct tcp_info){0};
	if (info.tcpi_unacked > 0 || info.tcpi_probes > 0)
		return (struct socket_debt){true, true, info.tcpi_last_ack_recv};
	(void)ioctl(fd, SIOCOUTQ, &queued);
	return (struct socket_debt){.queued = queued > 0};
}

struct endpoint endpoint_of(const struct sockaddr_storage *ss)
{
	const struct sockaddr_in *v4 = (const void *)ss;
	const struct sockaddr_in6 *v6 = (const void *)ss;
	struct endpoint e = {.kind = ENDPOINT_NONE};

	if (ss->ss_family == AF_UNIX) {
		e.kind = ENDPOINT_UNIX;
	} else if (ss->ss_family == AF_INET) {
		e.kind = ENDPOINT_IPV4;
		e.port = ntohs(v4->sin_port);
		memcpy(e.ip, &v4->sin_addr, 4);
	} else if (ss->ss_family == AF_INET6) {
		e.port = ntohs(v6->sin6_port);
		if (IN6_IS_ADDR_V4MAPPED(&v6->sin6_addr)) { /* a v4 client of a dual-stack socket */
			e.kind = ENDPOINT_IPV4;
			memcpy(e.ip, v6->sin6_addr.s6_addr + 12, 4);
		} else {
			e.kind = ENDPOINT_IPV6;
			memcpy(e.ip, &v6->sin6_addr, 16);
		}
	}
	return e;
}

struct endpoint socket_peer(int fd)
{
	struct sockaddr_storage ss = {0};
	socklen_t len = sizeof(ss);

	if (getpeername(fd, (struct sockaddr *)&ss, &len) < 0)
		ss.ss_family = AF_UNSPEC;
	return endpoint_of(&ss);
}

struct endpoint socket_local(int fd)
{
	struct sockaddr_storage ss = {0};
	socklen_t len = sizeof(ss);

	if (getsockname(fd, (struct sockaddr *)&ss, &len) < 0)
		ss.ss_family = AF_UNSPEC;
	return endpoint_of(&ss);
}

char *endpoint_format(const struct endpoint *e, char *out, size_t n)
{
	char ip[INET6_ADDRSTRLEN] = "?";

	if (e->kind == ENDPOINT_NONE || e->kind == ENDPOINT_UNIX) {
		snprintf(out, n, "%s", e->kind == ENDPOINT_UNIX ? "unix" : "-");
		return out;
	}
	(void)inet_ntop(e->kind == ENDPOINT_IPV4 ? AF_INET : AF_INET6, e->ip, ip, sizeof(ip));
	if (e->kind == ENDPOINT_IPV4)
		snprintf(out, n, "%s:%u", ip, e->port);
	else
		snprintf(out, n, "[%s]:%u", ip, e->port);
	return out;
}
