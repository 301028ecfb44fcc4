/* Ctrl-C: a CancelRequest reaches the node that runs the query, whichever the listener's balance
 * would have picked.
 *
 * It names a process and its key, not a node. Happy path: the session with that key passed in plain
 * text, so one of our workers knows it; they are asked one after the other, and a courier takes the
 * packet to that session's server, whichever listener it came by. When nobody knows the key, it
 * passed inside TLS or through another isari: then a courier goes to every server of the listener
 * that may hold sessions; all but one find no such key and say nothing (a key is 32 random bits at
 * least). The couriers deliver, each server closes as PostgreSQL does when it has signalled, and
 * then the client's side is closed: that is what its driver waits for. Failure modes: a server
 * refuses or is silent, or a worker gives no answer because it stops (CANCEL_MS ends it).
 *
 * Whoever can connect can send CancelRequests, without a password, and each costs us a look at all
 * sessions and each server a process that it forks and a lock on its list of backends. So a worker
 * takes BURST at once and then one per EACH_MS, and has MOST_COURIERS on their way at a time; the
 * others are closed unheard, and counted: their clients may try again. No session to anybody: not
 * held, not limited by any maxconn, counted as a cancel only. What no proxy can see is a
 * CancelRequest inside TLS (PQcancelCreate of libpq 17 with sslmode=require): it is a session like
 * any other, and reaches the server that the balance picks. Worker thread only. */
#include "core/counters.h"
#include "io/dialer.h"
#include "proxy/worker_state.h"
#include "wire/pg_startup.h"
#include <stdlib.h>
#include <string.h>

enum {
	CANCEL_MS = 5000,
	BURST = 50,
	EACH_MS = 10,
	MOST_COURIERS = 64, /* what a flood of requests may cost the servers at a time */
	PACKET_HEAD_BYTES = 8,
	PACKET_MOST_BYTES = PACKET_HEAD_BYTES + 4 + CANCEL_KEY_MAX_BYTES,
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

void cancel_courier_ready(struct edge_source *source, uint32_t events)
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

static void send_courier(struct cancel *cancel, const struct lane *lane)
{
	struct worker *w = cancel->asker->worker;
	struct courier *c = &cancel->couriers[cancel->n++];
	int fd = dialer_start(&lane->to);

	c->cancel = cancel;
	edge_source_init(&c->source, SOURCE_COURIER);
	if (fd < 0)
		return;
	if (edge_add(&w->edge, &c->source, fd) < 0) {
		socket_close(fd);
		return;
	}
	cancel->n_under_way++;
	w->n_couriers++;
}

/* ---- to whom ---- */

static bool has_room(const struct worker *w, unsigned n)
{
	return w->n_couriers + n <= MOST_COURIERS;
}

static void refuse(struct session *s)
{
	COUNT(s->worker->listeners[s->listener].count, cancels_refused, 1);
	session_close(s, CLOSE_LIMIT);
}

static void expect_couriers(struct session *s)
{
	if (s->cancel->n_under_way == 0)
		session_close(s, CLOSE_NO_SERVER);
}

static void tell_one(struct session *s, const struct lane *lane)
{
	if (!has_room(s->worker, 1)) {
		refuse(s);
		return;
	}
	send_courier(s->cancel, lane);
	expect_couriers(s);
}

/* A server that is drained, or whose Patroni is silent, still runs queries. One that is closed has
 * no sessions of ours, and those of another isari it loses as well. */
static void tell_all(struct session *s)
{
	const struct worker_listener *l = listener_of(s);

	if (!has_room(s->worker, l->n_lanes)) {
		refuse(s);
		return;
	}
	for (unsigned i = 0; i < l->n_lanes; i++)
		if (l->lanes[i].state != SERVER_CLOSED)
			send_courier(s->cancel, &l->lanes[i]);
	expect_couriers(s);
}

/* ---- whose key is it ---- */

static const struct lane *lane_with_key(const struct lane *lane, uint64_t key)
{
	LIST_FOREACH (node, &lane->sessions)
		if (LIST_ENTRY(node, struct session, node)->stream.key == key)
			return lane;
	return NULL;
}

/* The server of the session with this key; NULL: it is none of this worker's. */
static const struct lane *find_key(const struct worker *w, uint64_t key)
{
	for (unsigned i = 0; i < w->config->n_listeners; i++)
		for (unsigned k = 0; k < w->listeners[i].n_lanes; k++)
			if (lane_with_key(&w->listeners[i].lanes[k], key))
				return &w->listeners[i].lanes[k];
	return NULL;
}

static void ask(const struct worker *w, unsigned whom, const struct find_key *question,
		unsigned asker)
{
	struct message *m = message_new(MSG_FIND_KEY);

	m->worker = asker;
	m->u.find_key = *question;
	worker_send(w->setup.peers[whom], m);
}

static unsigned next_worker(const struct worker *w)
{
	return (w->index + 1) % w->setup.n_workers;
}

/* The answer has come; the client may have hung up meanwhile. */
static void hear_answer(struct worker *w, const struct find_key *answer)
{
	LIST_FOREACH_SAFE (node, &w->states[SESSION_CANCELLING]) {
		struct session *s = LIST_ENTRY(node, struct session, node);

		if (s->id != answer->session)
			continue;
		if (answer->server < 0)
			tell_all(s);
		else
			tell_one(s, &w->listeners[answer->listener].lanes[answer->server]);
		return;
	}
}

void cancel_find_key(struct worker *w, unsigned asker, const struct find_key *question)
{
	struct find_key answer = *question;
	const struct lane *lane;

	if (w->stopping) /* the others may be gone */
		return;
	if (asker == w->index) {
		hear_answer(w, question);
		return;
	}
	lane = find_key(w, question->key);
	if (lane) {
		answer.listener = (unsigned)(lane->listener - w->listeners);
		answer.server = (int)lane->server;
	}
	ask(w, lane ? asker : next_worker(w), &answer, asker);
}

/* ---- a request ---- */

static bool take_turn(struct worker *w)
{
	int64_t now = worker_now(w);

	if (w->cancel_due_ms < now)
		w->cancel_due_ms = now;
	if (w->cancel_due_ms - now >= BURST * EACH_MS)
		return false;
	w->cancel_due_ms += EACH_MS;
	return true;
}

static struct cancel *cancel_new(struct session *s, const char *packet, size_t len)
{
	unsigned n_servers = s->worker->listeners[s->listener].n_lanes;
	struct cancel *cancel = NULL;

	if (len <= PACKET_MOST_BYTES && take_turn(s->worker))
		cancel = calloc(1, sizeof(*cancel) + n_servers * sizeof(struct courier));
	if (cancel == NULL)
		return NULL;
	cancel->asker = s;
	cancel->len = len;
	memcpy(cancel->packet, packet, len);
	return cancel;
}

void cancel_begin(struct session *s, const char *packet, size_t len)
{
	struct worker *w = s->worker;
	struct find_key question = {.session = s->id, .server = -1};
	const struct lane *lane;

	s->is_cancel = true;
	session_release_admission(s);
	session_move(s, SESSION_CANCELLING);
	session_set_deadline(s, CANCEL_MS);
	s->cancel = cancel_new(s, packet, len);
	if (s->cancel == NULL) {
		refuse(s);
		return;
	}
	question.key = pg_stream_key(packet + PACKET_HEAD_BYTES, len - PACKET_HEAD_BYTES);
	lane = find_key(w, question.key);
	if (lane)
		tell_one(s, lane);
	else if (w->setup.n_workers > 1)
		ask(w, next_worker(w), &question, w->index);
	else
		tell_all(s);
}

void cancel_end(struct session *s)
{
	if (!s->is_cancel || s->cancel == NULL)
		return;
	for (unsigned i = 0; i < s->cancel->n; i++)
		courier_end(&s->cancel->couriers[i]);
	free(s->cancel);
	s->cancel = NULL;
}
