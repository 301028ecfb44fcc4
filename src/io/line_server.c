/* Who may talk: a listening socket and a limited number of places.
 * Not here: the conversations (line_client.c), making the socket (line_bind.c). */
#include "io/line_server.h"
#include "base/assert.h"
#include "base/mem.h"
#include "io/line_bind.h"
#include "io/line_client.h"
#include <stdlib.h>
#include <unistd.h>

enum { BACKLOG = 64 };

struct line_server {
	struct line_room room; /* first: on_left gets back to the server from it */
	union line_stream listener;
	struct line_bind bound;
	bool waiting; /* a connection that was not accepted yet, because all places are taken */
	bool closing;
	bool listener_closed;
	void (*on_closed)(void *arg);
	void *on_closed_arg;
};

static void check_closed(struct line_server *s)
{
	if (!s->listener_closed || s->room.n_clients > 0)
		return;
	if (s->on_closed)
		s->on_closed(s->on_closed_arg);
	free(s);
}

/* Not accepting stops the listener until we do: whoever comes too early waits in the kernel's
 * queue. */
static void accept_waiting(struct line_server *s)
{
	if (!s->waiting || s->closing || s->room.n_clients >= LINE_MAX_CLIENTS)
		return;
	s->waiting = false;
	line_client_accept(&s->room, &s->listener.stream);
}

static void on_connection(uv_stream_t *listener, int status)
{
	struct line_server *s = listener->data;

	if (status < 0)
		return; /* out of descriptors: uv has turned the client away */
	s->waiting = true;
	accept_waiting(s);
}

static void on_left(struct line_room *room)
{
	struct line_server *s = (struct line_server *)room;

	accept_waiting(s);
	check_closed(s);
}

static void on_listener_closed(uv_handle_t *h)
{
	struct line_server *s = h->data;

	s->listener_closed = true;
	check_closed(s);
}

static int listen_on(struct line_server *s)
{
	int fd = s->bound.fd, rc;

	if (s->room.options.addr.kind == ADDR_UNIX)
		rc = uv_pipe_open(&s->listener.pipe, fd);
	else
		rc = uv_tcp_open(&s->listener.tcp, fd);
	if (rc < 0) {
		close(fd);
		return rc;
	}
	return uv_listen(&s->listener.stream, BACKLOG, on_connection);
}

int line_server_open(uv_loop_t *loop, const struct line_server_options *o, struct line_server **out,
		     struct err *e)
{
	struct line_server *s = xcalloc(1, sizeof(*s));
	int rc = line_bind_open(&s->bound, &o->addr, o->mode, o->user, o->group, e);

	if (rc < 0) {
		free(s);
		return rc;
	}
	s->room.options = *o;
	list_init(&s->room.clients);
	s->room.on_left = on_left;
	line_stream_init(loop, &s->listener, o->addr.kind);
	s->listener.handle.data = s;
	rc = listen_on(s);
	if (rc < 0) {
		line_server_close(s, NULL, NULL);
		return err_set(e, rc, "cannot listen on %.200s: %s", o->addr.host, uv_strerror(rc));
	}
	*out = s;
	return 0;
}

void line_server_close(struct line_server *s, void (*on_closed)(void *arg), void *arg)
{
	REQUIRE(!s->closing);
	s->closing = true;
	s->on_closed = on_closed;
	s->on_closed_arg = arg;
	line_bind_unlink(&s->bound, &s->room.options.addr);
	line_room_close(&s->room);
	uv_close(&s->listener.handle, on_listener_closed);
}
