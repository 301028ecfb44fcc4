#pragma once
/* Addresses as operators write them: `host:port`, `[v6]:port`, `*:port`, `/path/to/socket`.
 * Text only; turning a name into a number is io/resolve.h. */
#include "base/err.h"
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

enum addr_kind { ADDR_TCP, ADDR_UNIX };

struct addr {
	enum addr_kind kind;
	uint16_t port;  /* ADDR_TCP */
	char host[256]; /* name, number, "*" (any), or the socket's path (at most 107 bytes) */
};

/* `default_port` 0: the port must be written. Returns 0 or -EINVAL with the reason in `e`. */
int addr_parse(struct addr *a, const char *text, uint16_t default_port, struct err *e);
char *addr_format(const struct addr *a, char *out,
		  size_t n); /* parse(format(a)) == a; returns out */
/* Names in any case, IPv6 numbers in any spelling. */
bool addr_equal(const struct addr *a, const struct addr *b);
/* Both cannot be listened on: equal, or a wildcard and an address of its family, on one port.
 * "*" is every address of both families, 0.0.0.0 and :: of their own. */
bool addr_overlaps(const struct addr *a, const struct addr *b);
bool addr_is_numeric(const char *host); /* an IPv4 or IPv6 literal */
