/* Peers that vanished while bytes were on their way to them: keepalive asks only idle connections,
 * and TCP_USER_TIMEOUT also ends a live peer whose window stays closed (a reader that pauses, a
 * COPY that waits for a lock), so the kernel is asked instead: is anything unacknowledged, and when
 * did the peer last acknowledge?
 *
 * A session is put on its listener's list when its bytes move, and looked at LOOKS times in a
 * user_timeout; with nothing on its way it leaves the list, so idle sessions cost nothing. A leg is
 * lost when every look of one user_timeout found it in debt, and it gave no sign of life for as
 * long. A reader whose window is closed stays watched: it may vanish as well. The first look also
 * gives the server leg its keepalive (the client's comes from its listening socket), so that
 * short sessions need not pay for it. A UNIX socket needs none of this: its peer cannot vanish but
 * with its process, which the kernel tells at once. Worker thread only. */
#include "proxy/worker_state.h"

enum { LOOKS = 4 };

static int64_t patience_ms(const struct session *s)
{
	return listener_of(s)->config->keepalive.user_timeout_ms;
}

static void look_again_later(struct session *s)
{
	list_unlink(&s->timed);
	s->deadline_ms = worker_now(s->worker) + patience_ms(s) / LOOKS;
	list_append(&listener_of(s)->watched, &s->timed);
}

static void keep_alive(struct session *s)
{
	if (!s->kept_alive && !dialer_is_local(&s->lane->to))
		(void)sockopt_keepalive(s->server.fd, &listener_of(s)->sockopt);
	s->kept_alive = true;
}

void watch_moved(struct session *s)
{
	if (patience_ms(s) == 0)
		keep_alive(s);
	else if (list_empty(&s->timed)) {
		s->client_doubts = s->server_doubts = 0;
		look_again_later(s);
	}
}

/* True: nobody is there any more. */
static bool doubt(const struct session *s, const struct socket_debt *debt, uint8_t *doubts)
{
	if (!debt->asked)
		*doubts = 0;
	else if (*doubts < LOOKS)
		++*doubts;
	else
		return debt->unheard_ms >= patience_ms(s);
	return false;
}

static void look(struct session *s)
{
	struct socket_debt client = socket_debt(s->client.fd), server = socket_debt(s->server.fd);

	keep_alive(s);
	if (patience_ms(s) == 0) /* it had one when it was put on the list */
		list_unlink(&s->timed);
	else if (doubt(s, &client, &s->client_doubts))
		session_close(s, CLOSE_CLIENT_LOST);
	else if (doubt(s, &server, &s->server_doubts))
		session_close(s, CLOSE_SERVER_LOST);
	else if (client.queued || server.queued)
		look_again_later(s);
	else
		list_unlink(&s->timed);
}

static struct session *first_due(const struct worker *w, const struct list *watched)
{
	struct session *s;

	if (list_empty(watched))
		return NULL;
	s = LIST_ENTRY(watched->next, struct session, timed);
	return worker_now(w) >= s->deadline_ms ? s : NULL;
}

void watch_run(struct worker *w)
{
	w->watch_behind = false;
	for (unsigned i = 0; i < w->config->n_listeners; i++) {
		struct list *watched = &w->listeners[i].watched;
		struct session *s;

		for (unsigned n = 0; n < SLICE_SESSIONS && (s = first_due(w, watched)); n++)
			look(s);
		w->watch_behind |= first_due(w, watched) != NULL;
	}
}
