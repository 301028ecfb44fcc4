#pragma once
/* A TCP connection to a numeric address, without blocking. The deadline is the owner's: it watches
 * the socket (it becomes writable, or an error waits) and closes it when it has waited
 * long enough. */
#include <stdint.h>

/* A descriptor on its way (without delay, and without keepalive), or negative errno: refused at
 * once, no descriptor left, no such address. */
int dialer_start(const char *ip, uint16_t port);
/* Once, when the socket is reported writable or gone. 0: connected; else negative errno: why it
 * failed. */
int dialer_finish(int fd);
