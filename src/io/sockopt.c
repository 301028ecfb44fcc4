/* TCP options, one table's worth. Not here: how a connection ends (socket.c). */
#include "io/sockopt.h"
#include <errno.h>
#include <netinet/in.h>
#include <netinet/tcp.h>
#include <stddef.h>
#include <sys/socket.h>

static int set_int(int fd, int level, int name, int value)
{
	return setsockopt(fd, level, name, &value, sizeof(value)) < 0 ? -errno : 0;
}

static int seconds(int64_t ms)
{
	int64_t s = (ms + 999) / 1000;

	return s < 1 ? 1 : s > 32767 ? 32767 : (int)s; /* the kernel's MAX_TCP_KEEPIDLE */
}

int sockopt_no_delay(int fd)
{
	return set_int(fd, IPPROTO_TCP, TCP_NODELAY, 1);
}

int sockopt_stream(int fd, const struct sockopt *o)
{
	int rc = sockopt_no_delay(fd);

	return rc < 0 ? rc : sockopt_keepalive(fd, o);
}

int sockopt_keepalive(int fd, const struct sockopt *o)
{
	const struct {
		int level, name, value;
	} options[] = {
		{IPPROTO_TCP, TCP_KEEPIDLE, seconds(o->keepalive_idle_ms)},
		{IPPROTO_TCP, TCP_KEEPINTVL, seconds(o->keepalive_interval_ms)},
		{IPPROTO_TCP, TCP_KEEPCNT,
		 o->keepalive_count < 127 ? (int)o->keepalive_count : 127},
		{SOL_SOCKET, SO_KEEPALIVE, 1},
	};

	for (size_t i = 0; i < sizeof(options) / sizeof(options[0]); i++) {
		int rc = set_int(fd, options[i].level, options[i].name, options[i].value);

		if (rc < 0)
			return rc;
	}
	return 0;
}

int sockopt_reuse_address(int fd)
{
	return set_int(fd, SOL_SOCKET, SO_REUSEADDR, 1);
}

int sockopt_reuse_port(int fd)
{
	return set_int(fd, SOL_SOCKET, SO_REUSEPORT, 1);
}

int sockopt_v6_only(int fd, bool only)
{
	return set_int(fd, IPPROTO_IPV6, IPV6_V6ONLY, only);
}
