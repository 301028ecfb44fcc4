/* Binding, listening, accepting. Not here: limits and which thread carries the session
 * (proxy/accept.c). */
#include "io/listener.h"
#include "base/assert.h"
#include "base/mem.h"
#include "base/str.h"
#include "io/socket.h"
#include <errno.h>
#include <netdb.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/un.h>
#include <unistd.h>

enum { BACKLOG = 4096 }; /* the kernel cuts it to net.core.somaxconn */

static int fail(struct err *e, int error)
{
	static const struct {
		int error;
		const char *why;
	} known[] = {
		{EADDRINUSE, "the address is already in use: stop the other process or choose "
			     "another"},
		{EADDRNOTAVAIL, "this machine does not have the address: choose one of its own"},
		{EACCES, "permission denied (ports below 1024 and socket directories need it)"},
		{ENOENT, "the directory of the socket does not exist: make it first"},
		{EISDIR, "it is a directory: name the socket in it, such as "
			 "/run/isari/.s.PGSQL.5432"},
		{ENOTSOCK, "a file that is not a socket is in the way: choose another path"},
	};

	for (size_t i = 0; i < sizeof(known) / sizeof(known[0]); i++)
		if (known[i].error == error)
			return err_set(e, -error, "%s", known[i].why);
	return err_set(e, -error, "%s", strerror(error));
}

/* ---- UNIX ---- */

static void fill_path(struct sockaddr_un *un, const char *path)
{
	*un = (struct sockaddr_un){.sun_family = AF_UNIX};
	str_copy(un->sun_path, sizeof(un->sun_path), path);
}

/* 0: nobody answers at the path, it was removed. A live listener, or a file of another
 * kind, stays. */
static int remove_stale(const struct sockaddr_un *un)
{
	struct stat st;
	int fd, rc;

	if (lstat(un->sun_path, &st) < 0)
		return errno == ENOENT ? 0 : -errno;
	if (S_ISDIR(st.st_mode))
		return -EISDIR;
	if (!S_ISSOCK(st.st_mode))
		return -ENOTSOCK;
	fd = socket(AF_UNIX, SOCK_STREAM | SOCK_NONBLOCK | SOCK_CLOEXEC, 0);
	if (fd < 0)
		return -errno;
	rc = connect(fd, (const struct sockaddr *)un, sizeof(*un)) < 0 ? errno : 0;
	close(fd);
	if (rc != ECONNREFUSED)
		return -EADDRINUSE; /* connected, or its queue is full: somebody lives there */
	return unlink(un->sun_path) < 0 ? -errno : 0;
}

static int bind_unix(struct listener *l, const char *path)
{
	struct sockaddr_un un;
	struct stat st;
	int rc;

	fill_path(&un, path);
	rc = remove_stale(&un);
	if (rc < 0)
		return rc;
	l->fd = socket(AF_UNIX, SOCK_STREAM | SOCK_NONBLOCK | SOCK_CLOEXEC, 0);
	if (l->fd < 0 || bind(l->fd, (struct sockaddr *)&un, sizeof(un)) < 0)
		return -errno;
	l->path = xstrdup(path);
	if (lstat(path, &st) < 0)
		return -errno;
	l->path_dev = st.st_dev;
	l->path_ino = st.st_ino;
	/* Like PostgreSQL's own socket: everybody may knock, the server decides who comes in. */
	return chmod(path, 0777) < 0 ? -errno : 0;
}

/* ---- TCP ---- */

static int open_tcp(int family, int *fd)
{
	*fd = socket(family, SOCK_STREAM | SOCK_NONBLOCK | SOCK_CLOEXEC, 0);
	return *fd < 0 ? -errno : 0;
}

/* Bind one address; `v6_only` false makes `*` answer IPv4 as well. */
static int bind_tcp(const struct sockaddr *sa, socklen_t len, bool v6_only, bool share, int *fd)
{
	int rc = open_tcp(sa->sa_family, fd);

	if (rc == 0)
		rc = sockopt_reuse_address(*fd);
	if (rc == 0 && share)
		rc = sockopt_reuse_port(*fd);
	if (rc == 0 && sa->sa_family == AF_INET6)
		rc = sockopt_v6_only(*fd, v6_only);
	if (rc == 0 && bind(*fd, sa, len) < 0)
		rc = -errno;
	return rc;
}

/* Bound alone for a moment: a socket of another process on this port, sharing or not, is in the
 * way. */
static int require_alone(const struct sockaddr *sa, socklen_t len, bool v6_only)
{
	int fd, rc = bind_tcp(sa, len, v6_only, false, &fd);

	if (rc == 0 && listen(fd, 1) < 0)
		rc = -errno;
	socket_close(fd);
	return rc;
}

static int bind_address(struct listener *l, const struct addrinfo *ai, bool v6_only, bool exclusive)
{
	int rc = exclusive ? require_alone(ai->ai_addr, ai->ai_addrlen, v6_only) : 0;

	return rc < 0 ? rc : bind_tcp(ai->ai_addr, ai->ai_addrlen, v6_only, true, &l->fd);
}

/* `host` NULL: any address of `family`. Names are for the few like "localhost"; this runs
 * at boot. */
static int bind_host(struct listener *l, const char *host, int family, uint16_t port,
		     bool exclusive)
{
	const struct addrinfo hints = {.ai_family = family,
				       .ai_socktype = SOCK_STREAM,
				       .ai_flags = AI_PASSIVE | AI_NUMERICSERV};
	struct addrinfo *found;
	char service[8];
	int rc;

	snprintf(service, sizeof(service), "%u", port);
	if (getaddrinfo(host, service, &hints, &found) != 0)
		return -EADDRNOTAVAIL;
	rc = bind_address(l, found, host != NULL, exclusive);
	freeaddrinfo(found);
	return rc;
}

static int bind_any(struct listener *l, uint16_t port, bool exclusive)
{
	int rc = bind_host(l, NULL, AF_INET6, port, exclusive);

	if (rc != -EAFNOSUPPORT && rc != -EADDRNOTAVAIL)
		return rc;
	socket_close(l->fd); /* a machine without IPv6 */
	l->fd = -1;
	return bind_host(l, NULL, AF_INET, port, exclusive);
}

static int bind_inet(struct listener *l, const struct addr *a, const struct sockopt *o,
		     bool exclusive)
{
	int rc = strcmp(a->host, "*") == 0 ? bind_any(l, a->port, exclusive)
					   : bind_host(l, a->host, AF_UNSPEC, a->port, exclusive);

	return rc < 0 ? rc : sockopt_stream(l->fd, o);
}

/* ---- the object ---- */

int listener_open(struct listener *l, const struct addr *a, const struct sockopt *o, bool exclusive,
		  struct err *e)
{
	int rc;

	*l = (struct listener){.fd = -1, .source = {.fd = -1}};
	rc = a->kind == ADDR_UNIX ? bind_unix(l, a->host) : bind_inet(l, a, o, exclusive);
	if (rc == 0 && listen(l->fd, BACKLOG) < 0)
		rc = -errno;
	if (rc == 0)
		return 0;
	listener_close(l, NULL);
	return fail(e, -rc);
}

int listener_watch(struct listener *l, struct edge *edge, unsigned kind)
{
	edge_source_init(&l->source, kind);
	return edge_add(edge, &l->source, l->fd);
}

/* What accept4 reports about a single connection concerns nobody else. */
static bool is_about_one(int error)
{
	static const int errors[] = {EINTR,        ECONNABORTED, EPROTO,    EPERM,
				     ENETDOWN,     ENOPROTOOPT,  EHOSTDOWN, ENONET,
				     EHOSTUNREACH, ENETUNREACH,  ETIMEDOUT};

	for (size_t i = 0; i < sizeof(errors) / sizeof(errors[0]); i++)
		if (errors[i] == error)
			return true;
	return false;
}

/* The kernel gives the client's address away with the socket; asking later is a call of its own. */
static int accept_one(int fd, struct endpoint *client)
{
	struct sockaddr_storage ss;
	socklen_t len = sizeof(ss);
	int accepted = accept4(fd, (struct sockaddr *)&ss, &len, SOCK_NONBLOCK | SOCK_CLOEXEC);

	if (accepted >= 0)
		*client = endpoint_of(&ss);
	return accepted;
}

enum listener_turn listener_accept(struct listener *l, unsigned most, listener_on_accept *on_accept,
				   void *arg)
{
	struct endpoint client;

	for (unsigned i = 0; i < most && l->fd >= 0; i++) {
		int fd = accept_one(l->fd, &client);

		if (fd >= 0)
			on_accept(arg, fd, &client);
		else if (errno == EAGAIN)
			return LISTENER_IDLE;
		else if (!is_about_one(errno))
			return LISTENER_EXHAUSTED; /* EMFILE, ENFILE, ENOBUFS, ENOMEM */
	}
	return l->fd < 0 ? LISTENER_IDLE : LISTENER_MORE;
}

/* Linux takes a TCP socket that listens back to where it was when it was bound. */
void listener_pause(struct listener *l)
{
	if (!l->path)
		(void)shutdown(l->fd, SHUT_RD);
}

int listener_resume(struct listener *l)
{
	return !l->path && listen(l->fd, BACKLOG) < 0 ? -errno : 0;
}

static void remove_path(const struct listener *l)
{
	struct stat st;

	if (lstat(l->path, &st) == 0 && st.st_dev == l->path_dev && st.st_ino == l->path_ino)
		(void)unlink(l->path);
}

void listener_close(struct listener *l, struct edge *edge)
{
	if (edge)
		(void)edge_drop(edge, &l->source);
	socket_close(l->fd);
	l->fd = -1;
	if (l->path) {
		remove_path(l);
		free(l->path);
		l->path = NULL;
	}
}
