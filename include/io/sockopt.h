#pragma once
/* Options of TCP sockets. Set on a listening socket they are inherited by every accepted one. */
#include <stdbool.h>
#include <stdint.h>

struct sockopt {
	int64_t keepalive_idle_ms, keepalive_interval_ms; /* rounded up to whole seconds */
	unsigned keepalive_count;
};

int sockopt_stream(int fd, const struct sockopt *o); /* no delay, keepalive */
int sockopt_no_delay(int fd);
int sockopt_keepalive(int fd, const struct sockopt *o);
int sockopt_reuse_address(int fd);
int sockopt_reuse_port(int fd);
int sockopt_v6_only(int fd, bool only);
