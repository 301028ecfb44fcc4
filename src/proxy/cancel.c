/* Ctrl-C: a CancelRequest reaches the node that runs the query, whichever the listener's balance
 * would have picked.
 *
 * It names a process and its key, not a node, and the key may have passed inside TLS or through
 * another isari. So a courier goes to every server of the listener that may hold sessions; all but
 * one find no such key and say nothing (a key is 32 random bits at least). Happy path: the couriers
 * deliver, each server closes as PostgreSQL does when it has signalled, and then the client's side
 * is closed: that is what its driver waits for. Failure modes: a server refuses or is silent
 * (CANCEL_MS ends it), too many at once (MOST_COURIERS: the client is closed and may try again). No
 * session to anybody: not held, not limited by any maxconn, counted as a cancel only. Worker thread
 * only. */
#include "core/counters.h"
#include "io/dialer.h"
#include "proxy/worker_state.h"
#include "wire/pg_startup.h"
#include <stdlib.h>
#include <string.h>

enum {
	CANCEL_MS = 5000,
	MOST_COURIERS =
		64, /* of one worker at a time: what a flood of requests may cost the servers */
	PACKET_MOST_BYTES = 12 + CANCEL_KEY_MAX_BYTES,
};

struct courier {
	struct edge_source source;
	struct cancel *cancel;
	bool told; /* the packet is delivered */
};

struct cancel {
	struct session *asker;
	unsigned n_under_way, n;
	size_t len;
	unsigned char packet[PACKET_MOST_BYTES];
	struct courier couriers[];
};

static void courier_end(struct courier *c)
{
	struct worker *w = c->cancel->asker->worker;

	if (c->source.fd < 0)
		return;
	socket_close(edge_drop(&w->edge, &c->source));
	c->cancel->n_under_way--;
	w->n_couriers--;
}

static void courier_tell(struct courier *c)
{
	const struct session *asker = c->cancel->asker;

	c->told = true;
	if (dialer_finish(c->source.fd) < 0 ||
	    socket_write(c->source.fd, c->cancel->packet, c->cancel->len) !=
		    (ssize_t)c->cancel->len)
		courier_end(c);
	else
		COUNT(asker->worker->listeners[asker->listener].count, cancels, 1);
}

/* The server says nothing and closes; whatever it says is of no interest to anybody. */
static void courier_listen(struct courier *c)
{
	char ignored[64];

	if (socket_read(c->source.fd, ignored, sizeof(ignored)) != -EAGAIN)
		courier_end(c);
}

static void on_courier(struct edge_source *source, uint32_t events)
{
	struct courier *c = LIST_ENTRY(source, struct courier, source);
	struct cancel *cancel = c->cancel;

	if (!c->told && (events & (EDGE_WRITE | EDGE_ENDING)))
		courier_tell(c);
	if (c->source.fd >= 0 && (events & (EDGE_READ | EDGE_ENDING)))
		courier_listen(c);
	if (cancel->n_under_way == 0)
		session_close(cancel->asker, CLOSE_SERVER);
}

static void send_courier(struct cancel *cancel, const struct view_server *v)
{
	struct worker *w = cancel->asker->worker;
	struct courier *c = &cancel->couriers[cancel->n++];
	int fd = dialer_start(v->ip, v->port);

	c->cancel = cancel;
	edge_source_init(&c->source, on_courier);
	if (fd < 0)
		return;
	if (edge_add(&w->edge, &c->source, fd) < 0) {
		socket_close(fd);
		return;
	}
	cancel->n_under_way++;
	w->n_couriers++;
}

/* A server that is drained, or whose Patroni is silent, still runs queries. */
static void send_couriers(struct cancel *cancel)
{
	const struct session *s = cancel->asker;
	const struct view_listener *l = &s->worker->view->listeners[s->listener];

	for (unsigned i = 0; i < l->n_servers; i++)
		if (l->servers[i].state != SERVER_CLOSED && l->servers[i].ip[0])
			send_courier(cancel, &l->servers[i]);
}

void cancel_begin(struct session *s, const char *packet, size_t len)
{
	struct worker *w = s->worker;
	unsigned n_servers = w->listeners[s->listener].n_lanes;
	struct cancel *cancel = NULL;

	s->is_cancel = true;
	session_release_admission(s);
	session_move(s, SESSION_CANCELLING);
	session_set_deadline(s, CANCEL_MS);
	if (len <= PACKET_MOST_BYTES && w->n_couriers + n_servers <= MOST_COURIERS)
		cancel = calloc(1, sizeof(*cancel) + n_servers * sizeof(struct courier));
	if (cancel) {
		cancel->asker = s;
		cancel->len = len;
		memcpy(cancel->packet, packet, len);
		s->cancel = cancel;
		send_couriers(cancel);
	}
	if (cancel == NULL || cancel->n_under_way == 0)
		session_close(s, CLOSE_NO_SERVER);
}

void cancel_end(struct session *s)
{
	if (s->cancel == NULL)
		return;
	for (unsigned i = 0; i < s->cancel->n; i++)
		courier_end(&s->cancel->couriers[i]);
	free(s->cancel);
	s->cancel = NULL;
}
