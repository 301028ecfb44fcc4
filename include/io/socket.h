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
void socket_shutdown_write(int fd); /* the peer reads the end; reading goes on */

void socket_close(int fd); /* -1 is fine */
void socket_reset(int fd); /* the peer gets an RST, what is unsent is dropped; -1 is fine */

/* What the peer of a TCP socket has not acknowledged (of any other: nothing). */
struct socket_debt {
	bool queued;        /* bytes, sent or still waiting for its window */
	bool asked;         /* it owes an answer: bytes are out, or a probe of its closed window */
	int64_t unheard_ms; /* asked: since its last acknowledgement of anything */
};

struct socket_debt socket_debt(int fd);

struct endpoint socket_peer(int fd);
struct endpoint socket_local(int fd);
char *endpoint_format(const struct endpoint *e, char *out,
		      size_t n); /* "10.0.0.1:5000", "unix", "-"; returns out */
