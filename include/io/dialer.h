#pragma once
/* A connection to a numeric address or a UNIX socket, without blocking. The address is read once,
 * so that a connection costs two or three system calls and nothing else. The deadline is the
 * owner's: it watches the socket (it becomes writable, or an error waits) and closes it when it has
 * waited long enough. */
#include <stdbool.h>
#include <stdint.h>
#include <sys/socket.h>

struct dialer_address {
	struct sockaddr_storage to;
	socklen_t len; /* 0: none is known */
};

/* 0, or -EINVAL: no such address, and none is known now. */
int dialer_address_ip(struct dialer_address *a, const char *ip, uint16_t port);
int dialer_address_socket(struct dialer_address *a, const char *path);
bool dialer_is_local(const struct dialer_address *a); /* a UNIX socket */

/* A descriptor on its way (without keepalive, and with Nagle's delay), or negative errno: refused
 * at once, no descriptor left, no address known (-EHOSTUNREACH). A UNIX socket answers at once: it
 * is connected, or -ENOENT and -ECONNREFUSED (nobody listens), -EACCES, or -EBUSY: its queue is
 * full, where TCP would knock again. */
int dialer_start(const struct dialer_address *a);
/* Once, when the socket is reported writable or gone. 0: connected; else negative errno: why it
 * failed. */
int dialer_finish(int fd);
