#pragma once
/* ErrorResponse, written and read. What a client is told when it cannot be carried: a real
 * PostgreSQL ErrorResponse, so that its driver shows the sentence, and libpq goes on to the next
 * host of its list on 57P03. Pure. */
#include <stdbool.h>
#include <stddef.h>

#define SQLSTATE_CANNOT_CONNECT_NOW   "57P03"
#define SQLSTATE_TOO_MANY_CONNECTIONS "53300"
#define SQLSTATE_PROTOCOL_VIOLATION   "08P01"
#define SQLSTATE_ADMIN_SHUTDOWN       "57P01"

enum { PG_ERROR_ENOUGH_BYTES = 1024 }; /* room for any sentence of ours */

struct pg_error {
	const char *sqlstate; /* five characters */
	const char *message;  /* one sentence */
	const char *hint;     /* NULL: none */
};

/* An ErrorResponse of severity FATAL in out[0..n). Texts too long for it are cut, the hint first;
 * the packet is always whole. Returns its length; 0 when n is too small for any (48 bytes are
 * enough). */
size_t pg_error_write(const struct pg_error *e, void *out, size_t n);

enum { PG_SQLSTATE_BYTES = 5 };

/* The SQLSTATE of the ErrorResponse that begins at `packet`, with a NUL; false: it is not whole
 * yet, or has none. */
bool pg_error_sqlstate(const void *packet, size_t n, char out[PG_SQLSTATE_BYTES + 1]);

/* For a client that began with TLS at once, when there is no server: the fatal alert
 * internal_error. PostgreSQL's own text could not be read by it. */
enum { TLS_ALERT_BYTES = 7 };
extern const unsigned char tls_alert_internal_error[TLS_ALERT_BYTES];
