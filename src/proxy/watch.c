/* Peers that vanished while bytes were on their way to them: keepalive asks only idle connections,
 * and TCP_USER_TIMEOUT also ends a live peer whose window stays closed (a reader that pauses, a
 * COPY that waits for a lock), so the kernel is asked instead: is anything unacknowledged, and when
 * did the peer last acknowledge?
 *
 * A session is put on its listener's list when its bytes move, and looked at half a user_timeout
 * later; with nothing on its way it leaves the list, so idle sessions cost nothing. Two looks in a
 * row must find bytes on their way, the second one with no sign of life for user_timeout. Worker
 * thread only. */
#include "proxy/worker_state.h"

static int64_t patience_ms(const struct session *s)
{
	return s->worker->listeners[s->listener].config->keepalive.user_timeout_ms;
}

static void look_again_later(struct session *s)
{
	list_unlink(&s->timed);
	s->deadline_ms = worker_now(s->worker) + patience_ms(s) / 2;
	list_append(&s->worker->listeners[s->listener].watched, &s->timed);
}

void watch_moved(struct session *s)
{
	if (!list_empty(&s->timed) || patience_ms(s) == 0)
		return;
	s->suspect = false;
	look_again_later(s);
}

static void look(struct session *s)
{
	int64_t client_ms = socket_unheard_ms(s->client.fd);
	int64_t server_ms = socket_unheard_ms(s->server.fd);

	if (client_ms < 0 && server_ms < 0) {
		list_unlink(&s->timed);
	} else if (s->suspect && client_ms >= patience_ms(s)) {
		session_close(s, CLOSE_CLIENT_LOST);
	} else if (s->suspect && server_ms >= patience_ms(s)) {
		session_close(s, CLOSE_SERVER_LOST);
	} else {
		s->suspect = true;
		look_again_later(s);
	}
}

static struct session *first_of(const struct list *watched)
{
	return list_empty(watched) ? NULL : LIST_ENTRY(watched->next, struct session, timed);
}

void watch_run(struct worker *w)
{
	for (unsigned i = 0; i < w->config->n_listeners; i++) {
		struct session *s;

		for (unsigned n = 0; n < SLICE_SESSIONS; n++) {
			s = first_of(&w->listeners[i].watched);
			if (s == NULL || worker_now(w) < s->deadline_ms)
				break;
			look(s);
		}
	}
}
