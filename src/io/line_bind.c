/* Make a listening socket, UNIX or TCP.
 * A UNIX socket nobody can reach before its owner and mode are right: until listen() every connect
 * is refused. */
#include "io/line_bind.h"
#include "base/str.h"
#include <arpa/inet.h>
#include <errno.h>
#include <grp.h>
#include <libgen.h>
#include <netinet/in.h>
#include <pwd.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/un.h>
#include <unistd.h>

enum { BACKLOG = 64 };

static const char *remedy(int error)
{
	switch (error) {
	case EACCES:
	case EPERM: return "allow it to isari's user, or choose another address";
	case EADDRINUSE: return "stop the other process, or choose another address";
	default: return "choose another address";
	}
}

/* ---- UNIX ------------------------------------------------------------------------------------ */

static struct sockaddr_un unix_address(const char *path)
{
	struct sockaddr_un sa = {.sun_family = AF_UNIX};

	str_copy(sa.sun_path, sizeof(sa.sun_path), path);
	return sa;
}

static int unix_socket(void)
{
	int fd = socket(AF_UNIX, SOCK_STREAM | SOCK_NONBLOCK | SOCK_CLOEXEC, 0);

	return fd < 0 ? -errno : fd;
}

/* What a client would get from the socket at `path`: 0 (it is served) or -errno. */
static int try_connect(const char *path)
{
	struct sockaddr_un sa = unix_address(path);
	int fd = unix_socket(), rc;

	if (fd < 0)
		return fd;
	rc = connect(fd, (struct sockaddr *)&sa, sizeof(sa)) < 0 ? -errno : 0;
	close(fd);
	return rc;
}

static int make_parent(const char *path, struct err *e)
{
	char copy[sizeof(((struct addr *)0)->host)];
	const char *parent;

	str_copy(copy, sizeof(copy), path);
	parent = dirname(copy);
	if (mkdir(parent, 0755) < 0 && errno != EEXIST)
		return err_set(e, -errno, "cannot make the directory %s: %s; %s", parent,
			       strerror(errno), remedy(errno));
	return 0;
}

/* Afterwards nothing is at `path`. Only a socket that refuses is removed; a file is somebody's
 * data. */
static int remove_stale(const char *path, struct err *e)
{
	struct stat st;
	int rc;

	if (lstat(path, &st) < 0)
		return errno == ENOENT
			       ? 0
			       : err_set(e, -errno, "cannot look at %s: %s", path, strerror(errno));
	if (!S_ISSOCK(st.st_mode))
		return err_set(e, -EEXIST,
			       "%s exists and is not a socket; remove it or choose another path",
			       path);
	rc = try_connect(path);
	if (rc == 0 || rc == -EAGAIN)
		return err_set(e, -EADDRINUSE,
			       "%s is in use by another process; stop it or choose another path",
			       path);
	if (rc != -ECONNREFUSED)
		return err_set(e, rc, "cannot tell whether %s is in use: %s", path, strerror(-rc));
	if (unlink(path) < 0 && errno != ENOENT)
		return err_set(e, -errno, "cannot remove the stale socket %s: %s", path,
			       strerror(errno));
	return 0;
}

static int find_user(const char *name, uid_t *uid, struct err *e)
{
	struct passwd pw, *found = NULL;
	uint64_t number;
	char buf[4096];

	if (getpwnam_r(name, &pw, buf, sizeof(buf), &found) == 0 && found)
		*uid = found->pw_uid;
	else if (str_to_uint(name, 0, UINT32_MAX - 1, &number) == 0)
		*uid = (uid_t)number;
	else
		return err_set(e, -ENOENT, "there is no user '%s'; name another, or leave it out",
			       name);
	return 0;
}

static int find_group(const char *name, gid_t *gid, struct err *e)
{
	struct group gr, *found = NULL;
	uint64_t number;
	char buf[16384]; /* a group's members are part of the answer */

	if (getgrnam_r(name, &gr, buf, sizeof(buf), &found) == 0 && found)
		*gid = found->gr_gid;
	else if (str_to_uint(name, 0, UINT32_MAX - 1, &number) == 0)
		*gid = (gid_t)number;
	else
		return err_set(e, -ENOENT, "there is no group '%s'; name another, or leave it out",
			       name);
	return 0;
}

/* The owner first: chown clears bits of the mode. */
static int permit(const char *path, unsigned mode, const char *user, const char *group,
		  struct err *e)
{
	uid_t uid = (uid_t)-1;
	gid_t gid = (gid_t)-1;
	int rc = 0;

	if (user)
		rc = find_user(user, &uid, e);
	if (rc == 0 && group)
		rc = find_group(group, &gid, e);
	if (rc < 0)
		return rc;
	if ((user || group) && chown(path, uid, gid) < 0)
		return err_set(e, -errno, "cannot give %s to its user and group: %s", path,
			       strerror(errno));
	if (chmod(path, (mode_t)mode) < 0)
		return err_set(e, -errno, "cannot set the mode of %s: %s", path, strerror(errno));
	return 0;
}

static int open_unix(struct line_bind *b, const char *path, unsigned mode, const char *user,
		     const char *group, struct err *e)
{
	struct sockaddr_un sa = unix_address(path);
	struct stat st;
	int rc = make_parent(path, e);

	if (rc == 0)
		rc = remove_stale(path, e);
	if (rc < 0)
		return rc;
	b->fd = unix_socket();
	if (b->fd < 0)
		return err_set(e, b->fd, "cannot make a socket: %s", strerror(-b->fd));
	if (bind(b->fd, (struct sockaddr *)&sa, sizeof(sa)) < 0)
		return err_set(e, -errno, "cannot bind %s: %s; %s", path, strerror(errno),
			       remedy(errno));
	rc = permit(path, mode, user, group, e);
	if (rc == 0 && (listen(b->fd, BACKLOG) < 0 || lstat(path, &st) < 0))
		rc = err_set(e, -errno, "cannot listen on %s: %s", path, strerror(errno));
	if (rc < 0) {
		unlink(path); /* ours: the bind made it */
		return rc;
	}
	b->dev = st.st_dev;
	b->ino = st.st_ino;
	return 0;
}

/* ---- TCP ------------------------------------------------------------------------------------- */

static int open_tcp_at(struct line_bind *b, const struct sockaddr *sa, socklen_t len, bool any)
{
	int one = 1, zero = 0;

	b->fd = socket(sa->sa_family, SOCK_STREAM | SOCK_NONBLOCK | SOCK_CLOEXEC, 0);
	if (b->fd < 0)
		return -errno;
	setsockopt(b->fd, SOL_SOCKET, SO_REUSEADDR, &one, sizeof(one));
	if (sa->sa_family == AF_INET6) /* "*" is both families, an address is its own */
		setsockopt(b->fd, IPPROTO_IPV6, IPV6_V6ONLY, any ? &zero : &one, sizeof(one));
	if (bind(b->fd, sa, len) < 0 || listen(b->fd, BACKLOG) < 0)
		return -errno;
	return 0;
}

static int open_tcp(struct line_bind *b, const struct addr *a, struct err *e)
{
	struct sockaddr_in v4 = {.sin_family = AF_INET, .sin_port = htons(a->port)};
	struct sockaddr_in6 v6 = {.sin6_family = AF_INET6, .sin6_port = htons(a->port)};
	bool any = strcmp(a->host, "*") == 0;
	char text[300];
	int rc;

	if (any || inet_pton(AF_INET6, a->host, &v6.sin6_addr) == 1) {
		rc = open_tcp_at(b, (struct sockaddr *)&v6, sizeof(v6), any);
		if (any &&
		    (rc == -EAFNOSUPPORT || rc == -EADDRNOTAVAIL)) { /* a kernel without IPv6 */
			if (b->fd >= 0)
				close(b->fd);
			rc = open_tcp_at(b, (struct sockaddr *)&v4, sizeof(v4), any);
		}
	} else if (inet_pton(AF_INET, a->host, &v4.sin_addr) == 1) {
		rc = open_tcp_at(b, (struct sockaddr *)&v4, sizeof(v4), any);
	} else {
		return err_set(e, -EINVAL, "'%.100s' is no numeric address (nor * for all)",
			       a->host);
	}
	if (rc < 0)
		return err_set(e, rc, "cannot listen on %.260s: %s; %s",
			       addr_format(a, text, sizeof(text)), strerror(-rc), remedy(-rc));
	return 0;
}

int line_bind_open(struct line_bind *b, const struct addr *a, unsigned mode, const char *user,
		   const char *group, struct err *e)
{
	int rc;

	memset(b, 0, sizeof(*b));
	b->fd = -1;
	if (a->kind == ADDR_UNIX)
		rc = open_unix(b, a->host, mode, user, group, e);
	else
		rc = open_tcp(b, a, e);
	if (rc < 0 && b->fd >= 0)
		close(b->fd);
	return rc;
}

void line_bind_unlink(const struct line_bind *b, const struct addr *a)
{
	struct stat st;

	if (a->kind == ADDR_UNIX && lstat(a->host, &st) == 0 && st.st_dev == b->dev &&
	    st.st_ino == b->ino)
		unlink(a->host);
}
