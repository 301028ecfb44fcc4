#pragma once
/* What can be known of a session's bytes while they pass, as long as they are plain text: is its
 * client at the end of a message, is it idle, and which key cancels its queries. Pure: bytes in, a
 * small value that lives in the session.
 *
 * A zeroed struct is an opaque stream: nothing is known, and nothing will be. That is also what a
 * stream becomes for ever with encryption, with anything that isn't protocol 3, and with bulk:
 * messages are walked head by head, a head costs about ten nanoseconds, and for a question and its
 * answer that is nothing beside four system calls; but walking thousands of short rows can cost a
 * third of moving them. So a read's first heads are free, the others are counted, and when there
 * are too many between two ReadyForQuery the stream is given up (its key stays known).
 *
 * Whole is as sliced: however the bytes are cut, the answers between two slices are the same, but
 * that a giving up may come earlier or later. */
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

enum pg_stream_phase {
	STREAM_OPAQUE,
	STREAM_GREETING, /* the client's next packet is a StartupMessage, or asks for encryption */
	STREAM_ASKED,    /* it asked; one byte is the answer, and N leads back to GREETING. There a
			  * single N is no NoticeResponse, which only a StartupMessage can cause */
	STREAM_PLAIN     /* messages in both directions */
};

enum {
	STREAM_FREE_HEADS = 16,   /* of one read */
	STREAM_MOST_HEADS = 4096, /* the others, until the next ReadyForQuery */
};

struct pg_stream {
	uint64_t key; /* pg_stream_key of its BackendKeyData; 0: none yet. GREETING: the packet's
			 head so far */
	uint32_t down_left, up_left; /* what is still to come of a message's body, or its length so
					far */
	uint16_t walked;             /* heads that were not free since the last ReadyForQuery */
	uint8_t awaited;             /* ReadyForQuery asked for; UINT8_MAX: lost count */
	uint8_t down_type, up_type;
	uint8_t phase : 2;
	uint8_t down_have : 3, up_have : 3; /* bytes of the next head (GREETING: of the packet) */
	uint8_t ready : 1;       /* the last ReadyForQuery answered the last question, with I */
	uint8_t up_unsynced : 1; /* the client began what no Sync has ended yet */
};

/* The client's first bytes come next, through pg_stream_up. */
void pg_stream_begin(struct pg_stream *s);
/* What was read from the client, from the server; in order, and each byte once. */
void pg_stream_up(struct pg_stream *s, const void *bytes, size_t n);
void pg_stream_down(struct pg_stream *s, const void *bytes, size_t n);
/* Bytes passed unseen. */
void pg_stream_lose(struct pg_stream *s);
/* How many may, before anything is lost: the rest of a message whose body says nothing to us, or
 * SIZE_MAX when nothing is known anyway. */
size_t pg_stream_up_unseen_most(const struct pg_stream *s);
size_t pg_stream_down_unseen_most(const struct pg_stream *s);
/* So many did: at most as many. */
void pg_stream_up_unseen(struct pg_stream *s, size_t n);
void pg_stream_down_unseen(struct pg_stream *s, size_t n);
/* Do these bytes end with a ReadyForQuery? A guess, for streams that are not followed. */
bool pg_stream_ends_answer(const void *bytes, size_t n);

/* Everything that came from the server ends with the end of a message, so an ErrorResponse may
 * follow. */
bool pg_stream_at_boundary(const struct pg_stream *s);
/* ReadyForQuery, outside a transaction, is the server's last word to everything that the client
 * ever asked, and the client has sent nothing since. */
bool pg_stream_is_idle(const struct pg_stream *s);

/* The same number for a BackendKeyData's body and for a CancelRequest's bytes after its code: a
 * process id and a key of 4 to 256 bytes. Never 0. */
uint64_t pg_stream_key(const void *pid_and_key, size_t n);
