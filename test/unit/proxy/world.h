#pragma once
/* A small world for real workers: two members that are sockets of the test, two listeners (write:
 * primary, read: replica), views made by hand, and a control side that notes what the
 * workers say. */
#include "base/mem.h"
#include "base/str.h"
#include "core/counters.h"
#include "io/clock.h"
#include "io/loop.h"
#include "io/mailbox.h"
#include "io/sockets.h"
#include "proxy/worker.h"
#include <poll.h>
#include <stdio.h>
#include <stdlib.h>
#include <time.h>
#include <uv.h>

enum { WRITE, READ, N_LISTENERS = 2, N_SERVERS = 2, MAX_WORKERS = 2 };

struct options {
	unsigned n_workers, maxconn, listener_maxconn, server_maxconn, max_clients;
	int64_t startup_ms, connect_ms, client_idle_ms, user_timeout_ms;
	int64_t hold_ms; /* 0: nobody waits */
	int64_t spin_us, data_us, coalesce_us;
	unsigned hold_max;
	enum protocol protocol;
	const char *unix_path;   /* the write listener's second address */
	const char *unix_server; /* n1 is reached by this; else by its port */
	bool log_sessions;
};

struct world {
	struct config *config;
	struct scoreboard *board;
	uv_loop_t loop;
	struct mailbox control;
	struct worker *workers[MAX_WORKERS];
	unsigned n_workers, max_clients;
	int64_t data_us;
	bool stopped;
	uint16_t port[N_LISTENERS];
	int server[N_SERVERS]; /* listening; -1: nobody there */
	uint16_t server_port[N_SERVERS];
	/* the next view */
	enum server_state state[N_LISTENERS][N_SERVERS];
	unsigned generation[N_LISTENERS][N_SERVERS];
	bool drain_back[N_LISTENERS][N_SERVERS];
	enum close_reason cut;
	uint64_t view_generation;
	/* what control heard */
	unsigned heard[MSG_ADOPT + 1];
	uint64_t taken[MAX_WORKERS];
	unsigned doomed;
	unsigned last_sign_member;
	int last_sign;
	unsigned first_member; /* of the last MSG_FIRST_SESSION */
	uint64_t first_generation;
	struct session_info *infos;
	size_t n_infos;
};

static const char startup_packet[] = "\0\0\0\x11\0\3\0\0user\0me\0";
enum { STARTUP_BYTES = 17 };
static const char ssl_request[] = "\0\0\0\x08\x04\xd2\x16\x2f";
static const char gss_request[] = "\0\0\0\x08\x04\xd2\x16\x30";
static const char cancel_request[] = "\0\0\0\x10\x04\xd2\x16\x2e\0\0\0\x2a\0\0\0\x07";

/* ---- control's ear ---- */

static void note(struct world *w, struct message *m)
{
	w->heard[m->type]++;
	if (m->type == MSG_VIEW_TAKEN) {
		w->taken[m->worker] = m->u.view_taken.generation;
		w->doomed += m->u.view_taken.count;
	} else if (m->type == MSG_SIGN) {
		w->last_sign_member = m->u.sign.member;
		w->last_sign = m->u.sign.sign;
	} else if (m->type == MSG_FIRST_SESSION) {
		w->first_member = m->u.first_session.member;
		w->first_generation = m->u.first_session.generation;
	} else if (m->type == MSG_SESSIONS) {
		free(w->infos);
		w->infos = m->u.sessions.list;
		w->n_infos = m->u.sessions.n;
		m->u.sessions.list = NULL;
	}
}

static void on_message(void *arg, struct list *node)
{
	struct message *m = LIST_ENTRY(node, struct message, node);

	note(arg, m);
	message_free(m);
}

static inline int64_t test_now_ms(void)
{
	struct timespec t;

	clock_gettime(CLOCK_MONOTONIC, &t);
	return (int64_t)t.tv_sec * 1000 + t.tv_nsec / 1000000;
}

/* Wait for a condition, hearing messages meanwhile; 20 s mean that it will never come. */
#define AWAIT(w, condition)                                  \
	do {                                                 \
		int64_t until_ = test_now_ms() + 20000;      \
		while (!(condition)) {                       \
			uv_run(&(w)->loop, UV_RUN_NOWAIT);   \
			if (condition)                       \
				break;                       \
			assert_true(test_now_ms() < until_); \
			poll(NULL, 0, 1);                    \
		}                                            \
	} while (0)

/* ---- building ---- */

static inline bool is_free(uint16_t port)
{
	struct sockaddr_in sin = {.sin_family = AF_INET,
				  .sin_port = htons(port),
				  .sin_addr.s_addr = htonl(INADDR_LOOPBACK)};
	int fd = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);
	bool free = bind(fd, (struct sockaddr *)&sin, sizeof(sin)) == 0;

	close(fd);
	return free;
}

/* Below the range from which the kernel takes the ports of clients: those come and go. */
static inline uint16_t free_port(void)
{
	static unsigned step;
	uint16_t port;

	do
		port = (uint16_t)(20000 + ((unsigned)clock_us() + 7919 * step++) % 12000);
	while (!is_free(port));
	return port;
}

static inline void add_members(struct config *c, const struct options *o)
{
	c->n_members = N_SERVERS;
	c->members = xcalloc(c->n_members, sizeof(*c->members));
	for (unsigned i = 0; i < N_SERVERS; i++) {
		c->members[i].name = xasprintf("n%u", i + 1);
		c->members[i].host = xstrdup("127.0.0.1");
		c->members[i].rest_host = xstrdup("127.0.0.1");
		c->members[i].weight = 100;
	}
	c->members[0].socket_path = o->unix_server ? xstrdup(o->unix_server) : NULL;
	c->n_clusters = 1;
	c->clusters = xcalloc(1, sizeof(*c->clusters));
	c->clusters[0].name = xstrdup("main");
	probe_config_defaults(&c->clusters[0].probe);
}

static inline void add_listener(struct world *w, unsigned i, const struct options *o)
{
	struct listener_config *l = &w->config->listeners[i];
	bool two = i == WRITE && o->unix_path;

	listener_config_defaults(l);
	l->name = xstrdup(i == WRITE ? "write" : "read");
	l->serve = ROLE_BIT(i == WRITE ? ROLE_PRIMARY : ROLE_REPLICA);
	l->n_binds = two ? 2 : 1;
	l->binds = xcalloc(l->n_binds, sizeof(*l->binds));
	w->port[i] = free_port();
	l->binds[0] = (struct addr){.kind = ADDR_TCP, .port = w->port[i]};
	str_copy(l->binds[0].host, sizeof(l->binds[0].host), "127.0.0.1");
	if (two) {
		l->binds[1].kind = ADDR_UNIX;
		str_copy(l->binds[1].host, sizeof(l->binds[1].host), o->unix_path);
	}
	l->protocol = o->protocol;
	l->maxconn = o->listener_maxconn ? o->listener_maxconn : l->maxconn;
	l->server_maxconn = o->server_maxconn;
	l->hold_ms = o->hold_ms;
	l->hold_max = o->hold_max ? o->hold_max : l->hold_max;
	l->timeouts.client_idle_ms = o->client_idle_ms;
	if (o->coalesce_us)
		l->coalesce_us = o->coalesce_us;
	if (o->user_timeout_ms)
		l->keepalive.user_timeout_ms = o->user_timeout_ms;
	l->timeouts.connect_ms = o->connect_ms ? o->connect_ms : 5000;
	l->timeouts.startup_ms = o->startup_ms ? o->startup_ms : l->timeouts.startup_ms;
}

static inline void build_config(struct world *w, const struct options *o)
{
	struct config *c = w->config = config_new();

	c->log.sessions = o->log_sessions;
	c->spin_us = o->spin_us;
	c->maxconn = o->maxconn ? o->maxconn : c->maxconn;
	add_members(c, o);
	c->n_listeners = N_LISTENERS;
	c->listeners = xcalloc(c->n_listeners, sizeof(*c->listeners));
	for (unsigned i = 0; i < N_LISTENERS; i++)
		add_listener(w, i, o);
	config_finish(c);
}

static inline void build_workers(struct world *w)
{
	for (unsigned i = 0; i < w->n_workers; i++) {
		struct worker_setup setup = {.index = i,
					     .n_workers = w->n_workers,
					     .config = w->config,
					     .scoreboard = w->board,
					     .max_clients = w->max_clients,
					     .data_us = w->data_us,
					     .control = &w->control,
					     .peers = w->workers};
		struct err e = {""};

		if (worker_new(&setup, &w->workers[i], &e) < 0)
			fail_msg("%s", e.text);
	}
	for (unsigned i = 0; i < w->n_workers; i++)
		assert_int_equal(worker_start(w->workers[i]), 0);
}

static inline struct world *world_new(const struct options *o)
{
	struct world *w = calloc(1, sizeof(*w));

	w->n_workers = o->n_workers ? o->n_workers : 1;
	w->max_clients = o->max_clients;
	w->data_us = o->data_us;
	w->cut = CLOSE_DEMOTED;
	for (unsigned i = 0; i < N_SERVERS; i++)
		w->server[i] = i == 0 && o->unix_server ? unix_listen(o->unix_server, 4096)
							: tcp_listen(&w->server_port[i]);
	for (unsigned i = 0; i < N_LISTENERS; i++)
		for (unsigned k = 0; k < N_SERVERS; k++)
			w->state[i][k] = SERVER_CLOSED;
	build_config(w, o);
	w->board = scoreboard_new(w->config, w->n_workers);
	assert_int_equal(loop_open(&w->loop), 0);
	assert_int_equal(mailbox_open(&w->control, &w->loop, on_message, w), 0);
	build_workers(w);
	return w;
}

static inline void tell(struct world *w, unsigned worker, enum message_type type)
{
	worker_send(w->workers[worker], message_new(type));
}

static inline void world_stop(struct world *w)
{
	if (w->stopped)
		return;
	w->stopped = true;
	for (unsigned i = 0; i < w->n_workers; i++)
		tell(w, i, MSG_STOP);
	for (unsigned i = 0; i < w->n_workers; i++)
		worker_join(w->workers[i]);
}

/* Every gauge is back at nothing when no session is left: each story checks it. */
static inline void assert_nobody_is_counted(const struct world *w)
{
	assert_int_equal(atomic_load(&w->board->sessions), 0);
	for (unsigned i = 0; i < w->board->n_rows; i++)
		assert_int_equal(atomic_load(&w->board->gauges[i].now), 0);
	for (unsigned i = 0; i < N_LISTENERS; i++) {
		assert_int_equal(atomic_load(&w->board->holds[i].now), 0);
		assert_int_equal(scoreboard_held_since_ms(w->board, i), 0);
	}
	for (unsigned i = 0; i < w->n_workers; i++)
		assert_int_equal(worker_sessions(w->workers[i]), 0);
}

static inline void world_free(struct world *w)
{
	world_stop(w);
	assert_nobody_is_counted(w);
	for (unsigned i = 0; i < w->n_workers; i++)
		worker_free(w->workers[i]);
	mailbox_close(&w->control, NULL);
	loop_close(&w->loop, "the world");
	scoreboard_free(w->board);
	config_unref(w->config);
	for (unsigned i = 0; i < N_SERVERS; i++)
		if (w->server[i] >= 0)
			close(w->server[i]);
	free(w->infos);
	free(w);
}

/* ---- views ---- */

static inline void fill_view(const struct world *w, struct view *v)
{
	v->generation = w->view_generation;
	for (unsigned i = 0; i < N_LISTENERS; i++)
		for (unsigned k = 0; k < N_SERVERS; k++) {
			struct view_server *s = &v->listeners[i].servers[k];

			s->state = w->state[i][k];
			s->generation = w->generation[i][k];
			s->drain_back = w->drain_back[i][k];
			s->cut = w->cut;
			s->port = w->server_port[k];
			str_copy(s->ip, sizeof(s->ip), "127.0.0.1");
		}
}

static inline void publish_unheard(struct world *w)
{
	struct view *v = view_new(w->config);

	w->view_generation++;
	v->made_ms = clock_ms();
	fill_view(w, v);
	view_finish(v);
	for (unsigned i = 0; i < w->n_workers; i++)
		worker_publish(w->workers[i], view_ref(v));
	view_unref(v);
}

/* Publish, and wait until every worker goes by it. */
static inline void publish(struct world *w)
{
	publish_unheard(w);
	for (unsigned i = 0; i < w->n_workers; i++)
		AWAIT(w, w->taken[i] == w->view_generation);
}

static inline void set_state(struct world *w, unsigned listener, unsigned server,
			     enum server_state to)
{
	if (to == SERVER_CLOSED && w->state[listener][server] != SERVER_CLOSED)
		w->generation[listener][server]++;
	w->state[listener][server] = to;
	publish(w);
}

/* ---- sums ---- */

static inline struct counters_sum listener_sum(const struct world *w, unsigned listener)
{
	struct counters_sum sum;

	scoreboard_sum(w->board, listener, &sum);
	return sum;
}

static inline struct counters_sum server_sum(const struct world *w, unsigned listener,
					     unsigned server)
{
	struct counters_sum sum;

	scoreboard_sum(w->board, counters_server_row(w->config, listener, server), &sum);
	return sum;
}

static inline unsigned all_sessions(const struct world *w)
{
	unsigned n = 0;

	for (unsigned i = 0; i < w->n_workers; i++)
		n += worker_sessions(w->workers[i]);
	return n;
}

/* ---- clients ---- */

struct wire { /* one carried session, both far ends */
	int client, server;
};

static inline int client_of(const struct world *w, unsigned listener)
{
	return tcp_connect(w->port[listener]);
}

static inline void say_startup(int client)
{
	write_all(client, startup_packet, STARTUP_BYTES);
}

static inline void expect(int fd, const void *data, size_t n)
{
	char got[256];

	assert_true(n <= sizeof(got));
	assert_int_equal(read_all(fd, got, n), (ssize_t)n);
	assert_memory_equal(got, data, n);
}

/* AuthenticationOk: a server has taken the session on when it says its first word. */
static const char auth_ok[] = "R\0\0\0\x08\0\0\0\0";
enum { AUTH_OK_BYTES = 9 };

static inline void take_on(const struct wire *s)
{
	write_all(s->server, auth_ok, AUTH_OK_BYTES);
	expect(s->client, auth_ok, AUTH_OK_BYTES);
}

static inline struct wire carry(struct world *w, unsigned listener, unsigned server)
{
	struct wire s;

	s.client = client_of(w, listener);
	say_startup(s.client);
	s.server = tcp_accept(w->server[server]);
	expect(s.server, startup_packet, STARTUP_BYTES);
	take_on(&s);
	return s;
}

static inline void assert_carries(const struct wire *s)
{
	write_all(s->client, "ping", 4);
	expect(s->server, "ping", 4);
	write_all(s->server, "pong", 4);
	expect(s->client, "pong", 4);
}

static inline void hang_up(struct wire *s)
{
	if (s->client >= 0)
		close(s->client);
	if (s->server >= 0)
		close(s->server);
	s->client = s->server = -1;
}

/* An ErrorResponse and then a clean end. */
static inline void expect_error(int client, const char *sqlstate, const char *words)
{
	char got[2048], field[8];
	ssize_t n = read_all(client, got, sizeof(got));

	assert_true(n > 5);
	assert_int_equal(got[0], 'E');
	snprintf(field, sizeof(field), "C%s", sqlstate);
	assert_non_null(memmem(got, (size_t)n, field, strlen(field)));
	if (memmem(got, (size_t)n, words, strlen(words)) == NULL)
		fail_msg("no '%s' in the error", words);
	assert_int_equal(read_once(client), 0);
}
