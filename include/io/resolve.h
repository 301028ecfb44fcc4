#pragma once
/* Names to numeric addresses, without blocking the loop (uv_getaddrinfo). */
#include <stdbool.h>
#include <stdint.h>
#include <uv.h>

enum { RESOLVE_IP_BYTES = 46 };

/* Calls back exactly once, later: status 0 and the first address (IPv4 preferred over IPv6), or a
 * negative errno. Numeric hosts answer too, without a lookup. Returns 0, or -errno and no call
 * back. */
int resolve_start(uv_loop_t *loop, const char *host,
		  void (*done)(void *arg, int status, const char *ip), void *arg);
/* Is this numeric address one of this machine's? Where any may be bound (ip_nonlocal_bind): yes. */
bool resolve_is_ours(const char *ip);
