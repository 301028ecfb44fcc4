#pragma once
/* A listening socket in an edge set. TCP: SO_REUSEPORT, so that every thread has its own queue.
 * UNIX: one socket; a path that a dead process left behind is replaced. */
#include "base/addr.h"
#include "base/err.h"
#include "io/edge.h"
#include "io/socket.h"
#include "io/sockopt.h"
#include <sys/types.h>

enum { LISTENER_TURN = 16 }; /* accepted per turn: the data of those who are in come first */

struct listener {
	struct edge_source source; /* its owner's handler calls listener_accept */
	int fd;
	char *path; /* UNIX: removed at close if it is still ours */
	dev_t path_dev;
	ino_t path_ino;
};

enum listener_turn {
	LISTENER_IDLE,      /* the queue is empty: the next event tells */
	LISTENER_MORE,      /* come again, no event will */
	LISTENER_EXHAUSTED, /* no descriptor or memory left: come again in 10 ms or later */
};

/* Bind and listen. `exclusive`: fail too when another process shares the port by SO_REUSEPORT; the
 * first socket of a set asks for that. Failure: negative errno and the reason, without
 * the address. */
int listener_open(struct listener *l, const struct addr *a, const struct sockopt *o, bool exclusive,
		  struct err *e);
int listener_watch(struct listener *l, struct edge *edge, unsigned kind); /* of edge_source */
/* At most `most` new sockets (non-blocking, close-on-exec), each handed to on_accept, which owns
 * it, with its client's address. */
typedef void listener_on_accept(void *arg, int fd, const struct endpoint *client);
enum listener_turn listener_accept(struct listener *l, unsigned most, listener_on_accept *on_accept,
				   void *arg);
/* Nobody can connect until listener_resume. TCP: refused, and whoever is queued is reset: accept
 * them first. UNIX: they queue, and the owner does not accept. */
void listener_pause(struct listener *l);
int listener_resume(struct listener *l); /* negative errno */
void listener_close(struct listener *l,
		    struct edge *edge); /* `edge` NULL: never watched; twice is fine */
