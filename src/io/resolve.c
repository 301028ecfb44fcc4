/* Names to numbers in libuv's thread pool, so that a slow name server stops no loop. */
#include "io/resolve.h"
#include "base/addr.h"
#include "base/mem.h"
#include "base/str.h"
#include "io/dialer.h"
#include <errno.h>
#include <stdbool.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

struct resolve {
	uv_getaddrinfo_t lookup;
	uv_timer_t later; /* for numbers, which need no lookup but a call back that comes later */
	void (*done)(void *arg, int status, const char *ip);
	void *arg;
	char ip[RESOLVE_IP_BYTES];
};

static const struct addrinfo *first_of(const struct addrinfo *list, int family)
{
	while (list && list->ai_family != family)
		list = list->ai_next;
	return list;
}

static int choose(const struct addrinfo *list, char *ip)
{
	const struct addrinfo *a = first_of(list, AF_INET);

	if (a)
		return uv_ip4_name((const struct sockaddr_in *)a->ai_addr, ip, RESOLVE_IP_BYTES);
	a = first_of(list, AF_INET6);
	if (a)
		return uv_ip6_name((const struct sockaddr_in6 *)a->ai_addr, ip, RESOLVE_IP_BYTES);
	return UV_EAI_NONAME;
}

static void finish(struct resolve *r, int status)
{
	r->done(r->arg, status, status == 0 ? r->ip : NULL);
	free(r);
}

static void on_lookup(uv_getaddrinfo_t *lookup, int status, struct addrinfo *list)
{
	struct resolve *r = lookup->data;

	if (status == 0)
		status = choose(list, r->ip);
	uv_freeaddrinfo(list);
	finish(r, status);
}

static void on_later_closed(uv_handle_t *h)
{
	finish(h->data, 0);
}

static int answer_number(struct resolve *r, uv_loop_t *loop, const char *host)
{
	if (!str_copy(r->ip, sizeof(r->ip), host))
		return -EINVAL;
	uv_timer_init(loop, &r->later);
	r->later.data = r;
	uv_close((uv_handle_t *)&r->later,
		 on_later_closed); /* a handle's close is called back in this loop turn */
	return 0;
}

static int look_up(struct resolve *r, uv_loop_t *loop, const char *host)
{
	const struct addrinfo hints = {.ai_socktype = SOCK_STREAM};

	r->lookup.data = r;
	return uv_getaddrinfo(loop, &r->lookup, on_lookup, host, NULL, &hints);
}

int resolve_start(uv_loop_t *loop, const char *host,
		  void (*done)(void *arg, int status, const char *ip), void *arg)
{
	struct resolve *r = xcalloc(1, sizeof(*r));
	int rc;

	r->done = done;
	r->arg = arg;
	rc = addr_is_numeric(host) ? answer_number(r, loop, host) : look_up(r, loop, host);
	if (rc < 0)
		free(r);
	return rc;
}

bool resolve_is_ours(const char *ip)
{
	struct dialer_address a;
	bool ours;
	int fd;

	if (dialer_address_ip(&a, ip, 0) < 0)
		return false;
	fd = socket(a.to.ss_family, SOCK_DGRAM | SOCK_CLOEXEC, 0);
	if (fd < 0)
		return true; /* nobody knows */
	ours = bind(fd, (const struct sockaddr *)&a.to, a.len) == 0 || errno != EADDRNOTAVAIL;
	close(fd);
	return ours;
}
