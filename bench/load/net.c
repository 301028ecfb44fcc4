/* Addresses, sockets, clock and limits of load and load_server.
 * Not here: what is done when a socket is ready. */
#include "net.h"

#include <arpa/inet.h>
#include <errno.h>
#include <netdb.h>
#include <netinet/in.h>
#include <netinet/tcp.h>
#include <sched.h>
#include <stdio.h>
#include <string.h>
#include <sys/resource.h>
#include <time.h>
#include <unistd.h>

enum { BACKLOG = 4096, SOURCE_FIRST = 200 };

#ifndef IP_BIND_ADDRESS_NO_PORT
#define IP_BIND_ADDRESS_NO_PORT 24
#endif

static int parse_path(struct address *a, const char *text, size_t n)
{
	if (n >= sizeof(a->at.local.sun_path))
		return -EINVAL;
	a->at.local.sun_family = AF_UNIX;
	memcpy(a->at.local.sun_path, text, n);
	a->size = sizeof(a->at.local);
	return 0;
}

static int resolve(struct address *a, const char *host, const char *port)
{
	const struct addrinfo hints = {.ai_socktype = SOCK_STREAM, .ai_flags = AI_NUMERICSERV};
	struct addrinfo *list;
	if (getaddrinfo(host, port, &hints, &list) != 0)
		return -EINVAL;
	memcpy(&a->at.storage, list->ai_addr, list->ai_addrlen);
	a->size = list->ai_addrlen;
	freeaddrinfo(list);
	return 0;
}

int address_parse(struct address *a, const char *text, size_t n)
{
	char host[256];
	memset(a, 0, sizeof(*a));
	if (n > 0 && text[0] == '/')
		return parse_path(a, text, n);
	if (n >= sizeof(host))
		return -EINVAL;
	memcpy(host, text, n);
	host[n] = 0;
	char *colon = strrchr(host, ':');
	if (!colon)
		return -EINVAL;
	*colon = 0;
	if (host[0] != '[')
		return resolve(a, host, colon + 1);
	host[strcspn(host, "]")] = 0;
	return resolve(a, host + 1, colon + 1);
}

static int failed(int fd)
{
	int error = -errno;
	close(fd);
	return error;
}

/* Small messages must not wait for one another. */
static void no_delay(int fd, int family)
{
	const int on = 1;
	if (family != AF_UNIX)
		setsockopt(fd, IPPROTO_TCP, TCP_NODELAY, &on, sizeof(on));
}

int address_listen(const struct address *a)
{
	const int on = 1, family = a->at.any.sa_family;
	int fd = socket(family, SOCK_STREAM | SOCK_NONBLOCK | SOCK_CLOEXEC, 0);
	if (fd < 0)
		return -errno;
	if (family == AF_UNIX)
		unlink(a->at.local.sun_path);
	setsockopt(fd, SOL_SOCKET, SO_REUSEADDR, &on, sizeof(on));
	no_delay(fd, family);
	if (bind(fd, &a->at.any, a->size) < 0 || listen(fd, BACKLOG) < 0)
		return failed(fd);
	return fd;
}

static int bind_source(int fd, const struct address *a, unsigned source)
{
	const int on = 1;
	struct sockaddr_in from;
	if (a->at.any.sa_family != AF_INET)
		return 0; /* the others have ports enough */
	memcpy(&from, &a->at.any, sizeof(from));
	from.sin_port = 0;
	from.sin_addr.s_addr =
		htonl((ntohl(from.sin_addr.s_addr) & 0xffffff00) | (SOURCE_FIRST - 1 + source));
	setsockopt(fd, IPPROTO_IP, IP_BIND_ADDRESS_NO_PORT, &on, sizeof(on));
	return bind(fd, (const struct sockaddr *)&from, sizeof(from));
}

int address_connect(const struct address *a, unsigned source)
{
	int fd = socket(a->at.any.sa_family, SOCK_STREAM | SOCK_NONBLOCK | SOCK_CLOEXEC, 0);
	if (fd < 0)
		return -errno;
	no_delay(fd, a->at.any.sa_family);
	if (source && bind_source(fd, a, source) < 0)
		return failed(fd);
	if (connect(fd, &a->at.any, a->size) < 0 && errno != EINPROGRESS)
		return failed(fd);
	return fd;
}

int64_t now_ns(void)
{
	struct timespec t;
	clock_gettime(CLOCK_MONOTONIC, &t);
	return t.tv_sec * 1000000000LL + t.tv_nsec;
}

uint64_t raise_descriptors(void)
{
	struct rlimit r;
	FILE *f = fopen("/proc/sys/fs/nr_open", "re");
	unsigned long most = 0;
	if (f && fscanf(f, "%lu", &most) == 1)
		setrlimit(RLIMIT_NOFILE, &(struct rlimit){most, most}); /* may be forbidden */
	if (f)
		fclose(f);
	getrlimit(RLIMIT_NOFILE, &r);
	r.rlim_cur = r.rlim_max;
	setrlimit(RLIMIT_NOFILE, &r);
	return r.rlim_cur;
}

int run_on_cpu(int cpu)
{
	cpu_set_t set;
	CPU_ZERO(&set);
	CPU_SET((size_t)cpu, &set);
	return sched_setaffinity(0, sizeof(set), &set) < 0 ? -errno : 0;
}

void close_with_reset(int fd)
{
	setsockopt(fd, SOL_SOCKET, SO_LINGER, &(struct linger){1, 0}, sizeof(struct linger));
	close(fd);
}
