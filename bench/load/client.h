#pragma once
/* Sessions of load: a socket, non-blocking and registered once, edge-triggered, with the start of
 * PostgreSQL's protocol behind it. What is then said is the deed of whoever opened it.
 *
 * All functions that return int: 0, or negative with a sentence in clients->error: the run ends. */
#include "load.h"
#include "net.h"
#include "wire.h"

#include <sys/queue.h>

enum {
	SCRATCH = 256 * 1024,
	PASS = 64 * 1024, /* of one session, before the others have their turn */
	OPENING = 64,     /* sessions that are opened at once */
};

struct client;

struct deeds {
	int (*ready)(struct client *c); /* ReadyForQuery, for the first time */
	int (*input)(struct client *c, const char *data, size_t n);
	int (*output)(struct client *c);          /* NULL, or: there may be room to go on sending */
	int (*gone)(struct client *c, int error); /* by the other side; NULL: that is an error */
};

enum client_state { CLIENT_CLOSED, CLIENT_CONNECTING, CLIENT_STARTING, CLIENT_OPEN, CLIENT_GONE };

struct client {
	struct clients *all;
	const struct deeds *deeds;
	const struct address *target;
	TAILQ_ENTRY(client) ready; /* while queued */
	int fd;
	unsigned number;
	enum client_state state;
	bool queued, readable, hung_up;
	bool blocked; /* the socket is full: wait for EPOLLOUT */
	bool deaf;    /* is not to be read */
	bool urgent;  /* comes first among those that are ready at once */
	bool unsettled;
	int recv_flags;
	size_t recv_most; /* 0: as much as there is */
	char head[9];     /* of a message of the start: type, length, first four bytes */
	unsigned n_head;
	uint32_t left;
};

TAILQ_HEAD(queue, client);

struct clients {
	const struct options *o;
	struct address target;
	int ep;
	struct queue ready; /* who has more to do without being told by epoll */
	unsigned n_unsettled, n_opened;
	bool patient; /* nothing need happen */
	bool stdin_ended, heard;
	int64_t heard_ns;
	struct images images;
	size_t n_startup;
	char startup[512];
	char error[400];
	char scratch[SCRATCH];
};

int clients_init(struct clients *a, const struct options *o);
void clients_fini(struct clients *a);
/* Serve whoever is ready, waiting until then at most. */
int clients_turn(struct clients *a, int64_t until_ns);
int clients_run_until(struct clients *a, int64_t until_ns);
/* Until all are settled; with most > 0 until fewer than that many are not. */
int clients_settle(struct clients *a, unsigned most);
int clients_watch_stdin(struct clients *a);
int clients_fail(struct clients *a, const char *format, ...) __attribute__((format(printf, 2, 3)));

/* target, deeds and number are set. The session counts as unsettled until client_settled(). */
int client_open(struct client *c, struct clients *a);
void client_settled(struct client *c);
void client_close(struct client *c);
void client_queue(struct client *c);
/* How much was taken; *sent 0 with c->blocked when there is no room. */
int client_send(struct client *c, const void *data, size_t n, size_t *sent);
/* The other side said this where something else was due, `at` bytes into it. */
int client_wrong(struct client *c, const char *what, uint64_t at, const char *data, size_t n);
/* clients.c says that something happened, or that its turn has come. */
int client_on_event(struct client *c, uint32_t events);
int client_run(struct client *c);
/* SQLSTATE ('C') or text ('M') of the ErrorResponse that begins here, or NULL. */
const char *error_field(const char *data, size_t n, char field);
