#pragma once
/* Small calls on one non-blocking socket, with errors as values, and the two ways to end a
 * connection. */
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <sys/types.h>

/* One end of a connection, small enough to keep in every session. */
enum endpoint_kind { ENDPOINT_NONE, ENDPOINT_IPV4, ENDPOINT_IPV6, ENDPOINT_UNIX };

struct endpoint {
	uint8_t ip[16];
	uint16_t port;
	uint8_t kind;
};

enum { ENDPOINT_TEXT_BYTES = 56 };

/* Bytes, 0 at the end of the stream, or negative errno (-EAGAIN: nothing now). EINTR is not passed
 * on. */
ssize_t socket_read(int fd, void *data, size_t n);
ssize_t socket_peek(int fd, void *data, size_t n);
ssize_t socket_write(int fd, const void *data, size_t n); /* never SIGPIPE */
/* The last bytes: they leave with the end when the socket is closed, which costs its peer one
 * packet instead of two. */
ssize_t socket_write_last(int fd, const void *data, size_t n);
void socket_shutdown_write(int fd); /* the peer reads the end; reading goes on */

void socket_close(int fd); /* -1 is fine */
/* The peer gets an RST, what is unsent is dropped; -1 is fine. UNIX sockets have neither: what was
 * written is the peer's already, and after it it reads the end (or ECONNRESET, if we had not read
 * all of its bytes). */
void socket_reset(int fd);

/* What the peer of a TCP socket has not acknowledged; that of a UNIX socket has not read. The
 * kernel tells at once when the peer of a UNIX socket is gone: it never owes a sign of life. */
struct socket_debt {
	bool queued;        /* bytes, sent or still waiting for its window */
	bool asked;         /* it owes an answer: bytes are out, or a probe of its closed window */
	int64_t unheard_ms; /* asked: since its last acknowledgement of anything */
};

struct socket_debt socket_debt(int fd);
bool socket_has_queued(int fd); /* that alone, in one call */

struct sockaddr_storage;
struct endpoint endpoint_of(const struct sockaddr_storage *ss);
struct endpoint socket_peer(int fd);
struct endpoint socket_local(int fd);
char *endpoint_format(const struct endpoint *e, char *out,
		      size_t n); /* "10.0.0.1:5000", "unix", "-"; returns out */
