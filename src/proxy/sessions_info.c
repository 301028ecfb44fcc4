/* A worker's sessions as plain values, for operators. A copy: nothing of it is the worker's any
 * more. */
#include "base/assert.h"
#include "base/str.h"
#include "proxy/worker_state.h"

struct filling {
	struct session_info *list;
	size_t n, room;
};

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

static void add(void *arg, struct session *s)
{
	struct filling *f = arg;

	INSIST(f->n < f->room);
	describe(s, &f->list[f->n++]);
}

struct message *sessions_info_answer(struct worker *w, uint64_t request)
{
	struct message *m = message_new(MSG_SESSIONS);
	struct filling f = {.room = pool_in_use(w->pool)};

	f.list = xcalloc(f.room, sizeof(*f.list));
	worker_each_session(w, add, &f);
	m->u.sessions.request = request;
	m->u.sessions.list = f.list;
	m->u.sessions.n = f.n;
	return m;
}
