/* A worker's sessions as plain values, for operators. A copy: nothing of it is the worker's any
 * more.
 *
 * Made a few sessions at a time, as there may be ten thousand and others want to be served: who
 * comes or goes meanwhile is listed or not, nobody twice. */
#include "base/str.h"
#include "proxy/worker_state.h"
#include <stdlib.h>

enum { LOOKS = 256 }; /* of one turn, about half a millisecond */

static void describe(const struct session *s, struct session_info *out)
{
	static const char *const words[N_SESSION_STATES] = {
		[SESSION_GREETING] = "greeting",     [SESSION_REFUSING] = "refusing",
		[SESSION_CANCELLING] = "cancelling", [SESSION_HELD] = "held",
		[SESSION_CONNECTING] = "connecting", [SESSION_STARTING] = "starting",
		[SESSION_RELAYING] = "relaying"};
	struct endpoint local = socket_local(s->server.fd);
	int64_t now = worker_now(s->worker);

	*out = (struct session_info){
		.id = s->id,
		.listener = s->listener,
		.server = s->lane && s->state != SESSION_HELD ? (int)s->lane->server : -1,
		.age_ms = now - s->started_ms,
		.idle_ms = now - s->active_ms,
		.bytes_in = s->up.bytes,
		.bytes_out = s->down.bytes,
		.client_fd = s->client.fd,
		.server_fd = s->server.fd};
	str_copy(out->state, sizeof(out->state), words[s->state]);
	endpoint_format(&s->peer, out->client, sizeof(out->client));
	endpoint_format(&local, out->server_local, sizeof(out->server_local));
}

/* Closed in this turn, or not out of the pool. */
static bool is_over(const struct session *s)
{
	return s->worker == NULL || s->state == SESSION_CLOSING;
}

void sessions_info_begin(struct worker *w, uint64_t request)
{
	struct listing *l = &w->listing;

	free(l->list); /* nobody waits for an older one any more */
	*l = (struct listing){.open = true, .request = request, .end = pool_objects(w->pool)};
	l->list = xcalloc(l->end, sizeof(*l->list)); /* of which only the used part is memory */
}

static void answer(struct worker *w)
{
	struct message *m = message_new(MSG_SESSIONS);

	m->u.sessions.request = w->listing.request;
	m->u.sessions.list = w->listing.list;
	m->u.sessions.n = w->listing.n;
	w->listing = (struct listing){0};
	worker_tell_control(w, m);
}

void sessions_info_run(struct worker *w)
{
	struct listing *l = &w->listing;
	size_t until = l->at + LOOKS < l->end ? l->at + LOOKS : l->end;

	if (!l->open)
		return;
	for (; l->at < until; l->at++) {
		const struct session *s = pool_at(w->pool, l->at);

		if (!is_over(s))
			describe(s, &l->list[l->n++]);
	}
	if (l->at == l->end)
		answer(w);
}

bool sessions_info_has_work(const struct worker *w)
{
	return w->listing.open;
}

void sessions_info_fini(struct worker *w)
{
	free(w->listing.list);
}
