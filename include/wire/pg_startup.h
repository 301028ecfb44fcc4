#pragma once
/* A client's first bytes: what does it want? Pure: bytes in, a value out.
 * Not here: answering, waiting, or judging who may come in.
 *
 * The buffer holds the connection's bytes from its first one on, as many as have come. The answer
 * for a prefix is STARTUP_NEED_MORE or the answer for the whole; nothing is read beyond `len`.
 * After an SSLRequest or GSSENCRequest the next packet starts a new question, `consumed` bytes
 * further on. */
#include <stddef.h>
#include <stdint.h>

enum {
	STARTUP_MIN_BYTES = 8,     /* length and code */
	STARTUP_MAX_BYTES = 10004, /* MAX_STARTUP_PACKET_LENGTH, and the length word itself */
	CANCEL_KEY_MAX_BYTES = 256 /* 4 until protocol 3.0, up to 256 since 3.2 (PostgreSQL 18) */
};

enum startup_kind {
	STARTUP_NEED_MORE,
	STARTUP_MESSAGE, /* a StartupMessage of any protocol version: the server answers for itself
			  */
	STARTUP_SSL,     /* SSLRequest: one byte is the answer */
	STARTUP_GSSENC,  /* GSSENCRequest: likewise */
	STARTUP_CANCEL,  /* CancelRequest: no answer at all */
	STARTUP_DIRECT_TLS, /* a TLS handshake at once (sslnegotiation=direct, PostgreSQL 17) */
	STARTUP_INVALID,    /* no PostgreSQL client: `why` */
};

enum startup_replication { REPLICATION_NONE, REPLICATION_PHYSICAL, REPLICATION_LOGICAL };

struct startup {
	enum startup_kind kind;
	size_t consumed;   /* bytes of the packet; 0 for NEED_MORE, DIRECT_TLS and INVALID */
	const char *why;   /* INVALID: the sentence's end, "a startup packet ..."; else NULL */
	uint32_t protocol; /* MESSAGE: major << 16 | minor */
	/* MESSAGE of protocol 3: from the parameters, printable, cut to fit; empty where absent. */
	char user[64], database[64], application_name[64];
	enum startup_replication replication;
	/* CANCEL */
	uint32_t cancel_pid;
	size_t cancel_key_len;
	unsigned char cancel_key[CANCEL_KEY_MAX_BYTES];
};

/* Fills *s wholly and returns s->kind. */
enum startup_kind pg_startup_parse(const void *bytes, size_t len, struct startup *s);
