/* Addresses as text.
 * inet_pton only reads text; nothing here touches a socket. */
#include "base/addr.h"
#include "base/str.h"
#include <arpa/inet.h>
#include <ctype.h>
#include <errno.h>
#include <stdio.h>
#include <string.h>
#include <strings.h>

enum { UNIX_PATH_MAX_BYTES = 107 }; /* sun_path less its NUL (unix(7)) */

static int parse_unix(struct addr *a, const char *text, struct err *e)
{
	if (strlen(text) > UNIX_PATH_MAX_BYTES)
		return err_set(e, -EINVAL, "a socket's path has at most %d bytes",
			       UNIX_PATH_MAX_BYTES);
	a->kind = ADDR_UNIX;
	str_copy(a->host, sizeof(a->host), text);
	return 0;
}

static int parse_port(struct addr *a, const char *text, struct err *e)
{
	uint64_t port;

	if (str_to_uint(text, 1, 65535, &port) < 0)
		return err_set(e, -EINVAL, "the port must be 1..65535, not '%.20s'", text);
	a->port = (uint16_t)port;
	return 0;
}

static bool host_is_sane(const char *host)
{
	if (strcmp(host, "*") == 0)
		return true;
	for (const char *p = host; *p; p++)
		if (!isalnum((unsigned char)*p) && strchr(".-_:%", *p) == NULL)
			return false;
	return *host != '\0';
}

/* No top-level domain is a number, so a name that ends in one is a slip in an IPv4 address. */
static bool looks_like_ipv4(const char *host)
{
	const char *last = strrchr(host, '.');

	last = last ? last + 1 : host;
	return *last && last[strspn(last, "0123456789")] == '\0';
}

static int check_host(const char *host, bool bracketed, struct err *e)
{
	if (!host_is_sane(host))
		return err_set(e, -EINVAL, "'%.60s' is no host name and no address", host);
	if (bracketed && strchr(host, ':') == NULL)
		return err_set(e, -EINVAL, "brackets are for IPv6 addresses");
	if (strchr(host, ':') && !addr_is_numeric(host))
		return err_set(e, -EINVAL, "'%.60s' is no IPv6 address", host);
	if (looks_like_ipv4(host) && !addr_is_numeric(host))
		return err_set(e, -EINVAL, "'%.60s' is no IPv4 address", host);
	return 0;
}

/* Where the host ends and the port begins; `*port` is NULL when none is written. */
static int split(const char **host, const char **host_end, const char **port, bool bare_ok,
		 struct err *e)
{
	const char *text = *host, *first = strchr(text, ':'), *last = strrchr(text, ':');

	*port = NULL;
	if (text[0] == '[') {
		*host = text + 1;
		*host_end = strchr(text, ']');
		if (*host_end == NULL)
			return err_set(e, -EINVAL, "the ']' of the IPv6 address is missing");
		if ((*host_end)[1] == ':')
			*port = *host_end + 2;
		else if ((*host_end)[1])
			return err_set(e, -EINVAL, "after ']' comes ':port'");
		return 0;
	}
	if (first != last && !bare_ok)
		return err_set(e, -EINVAL, "write an IPv6 address as [address]:port");
	*host_end = text + strlen(text);
	if (first && first == last) {
		*host_end = first;
		*port = first + 1;
	}
	return 0;
}

int addr_parse(struct addr *a, const char *text, uint16_t default_port, struct err *e)
{
	const char *host = text, *host_end = NULL, *port = NULL;
	int rv;

	memset(a, 0, sizeof(*a));
	if (text[0] == '/')
		return parse_unix(a, text, e);
	a->kind = ADDR_TCP;
	rv = split(&host, &host_end, &port, default_port != 0, e);
	if (rv < 0)
		return rv;
	if ((size_t)(host_end - host) >= sizeof(a->host))
		return err_set(e, -EINVAL, "the host is too long");
	memcpy(a->host, host, (size_t)(host_end - host));
	if (a->host[0] && port == NULL && default_port == 0)
		return err_set(e, -EINVAL, "the port is missing (host:port)");
	rv = check_host(a->host, text[0] == '[', e);
	if (rv < 0)
		return rv;
	if (port)
		return parse_port(a, port, e);
	a->port = default_port;
	return 0;
}

char *addr_format(const struct addr *a, char *out, size_t n)
{
	if (a->kind == ADDR_UNIX)
		snprintf(out, n, "%s", a->host);
	else if (strchr(a->host, ':'))
		snprintf(out, n, "[%s]:%u", a->host, a->port);
	else
		snprintf(out, n, "%s:%u", a->host, a->port);
	return out;
}

static bool is_ipv4(const char *host)
{
	unsigned char bytes[4];

	return inet_pton(AF_INET, host, bytes) == 1;
}

/* "fe80::1%eth0" is an address and a zone; `zone` gets what follows the '%', or "". */
static bool ipv6_bytes(const char *host, unsigned char bytes[16], const char **zone)
{
	char number[48];
	size_t len = strcspn(host, "%");

	*zone = host[len] ? host + len + 1 : "";
	if (len >= sizeof(number) || (host[len] && **zone == '\0'))
		return false;
	memcpy(number, host, len);
	number[len] = '\0';
	return inet_pton(AF_INET6, number, bytes) == 1;
}

bool addr_is_numeric(const char *host)
{
	unsigned char bytes[16];
	const char *zone;

	return is_ipv4(host) || ipv6_bytes(host, bytes, &zone);
}

/* Names are equal in any case, IPv6 numbers in any spelling. */
static bool host_equal(const char *a, const char *b)
{
	unsigned char bytes_a[16], bytes_b[16];
	const char *zone_a, *zone_b;

	if (strcasecmp(a, b) == 0)
		return true;
	return ipv6_bytes(a, bytes_a, &zone_a) && ipv6_bytes(b, bytes_b, &zone_b) &&
	       memcmp(bytes_a, bytes_b, sizeof(bytes_a)) == 0 && strcmp(zone_a, zone_b) == 0;
}

bool addr_equal(const struct addr *a, const struct addr *b)
{
	if (a->kind != b->kind || a->port != b->port)
		return false;
	return a->kind == ADDR_UNIX ? strcmp(a->host, b->host) == 0 : host_equal(a->host, b->host);
}

/* "*" takes both families, 0.0.0.0 and :: their own. */
static bool is_wildcard_for(const struct addr *wildcard, const struct addr *a)
{
	static const struct addr v6 = {.kind = ADDR_TCP, .host = "::"};
	struct addr portless = *wildcard;
	bool a_is_v6 = strchr(a->host, ':') != NULL, a_is_any = strcmp(a->host, "*") == 0;

	portless.port = 0;
	if (strcmp(wildcard->host, "*") == 0)
		return true;
	if (strcmp(wildcard->host, "0.0.0.0") == 0)
		return a_is_any || !a_is_v6;
	return addr_equal(&portless, &v6) && (a_is_any || a_is_v6);
}

bool addr_overlaps(const struct addr *a, const struct addr *b)
{
	if (a->kind != b->kind || a->port != b->port)
		return false;
	if (addr_equal(a, b))
		return true;
	return a->kind == ADDR_TCP && (is_wildcard_for(a, b) || is_wildcard_for(b, a));
}
