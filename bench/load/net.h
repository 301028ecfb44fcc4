#pragma once
/* Addresses, sockets, clock and limits of load and load_server. */
#include <stdint.h>
#include <sys/socket.h>
#include <sys/un.h>

struct address {
	union {
		struct sockaddr any;
		struct sockaddr_storage storage;
		struct sockaddr_un local;
	} at;
	socklen_t size;
};

/* host:port, [v6]:port or /path; 0 or -EINVAL. */
int address_parse(struct address *a, const char *text, size_t n);
/* A listening descriptor, non-blocking, whose children have TCP_NODELAY; or -errno. */
int address_listen(const struct address *a);
/* Start to connect; a non-blocking descriptor, or -errno. source: 0, or 1..SOURCES to come from
 * that address of the target's own /24. */
int address_connect(const struct address *a, unsigned source);

enum { SOURCES = 50 };

int64_t now_ns(void);
/* As many descriptors as the system gives us; how many that are. */
uint64_t raise_descriptors(void);
int run_on_cpu(int cpu);
/* Its end will be a reset: no TIME_WAIT, on neither side. */
void close_with_reset(int fd);
