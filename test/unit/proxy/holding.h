#pragma once
/* A world whose clients wait for a server. */
#include "proxy/worker_state.h"
#include "unit/proxy/world.h"

enum { LONG_MS = 20000, SHORT_MS = 200 };

static inline struct world *world_holding(int64_t hold_ms, unsigned hold_max)
{
	return world_new(&(struct options){.hold_ms = hold_ms, .hold_max = hold_max});
}

static inline unsigned waiting(const struct world *w, unsigned listener)
{
	return atomic_load(&w->board->holds[listener].now);
}

static inline int wait_for_server(struct world *w, unsigned listener)
{
	unsigned before = waiting(w, listener);
	int client = client_of(w, listener);

	say_startup(client);
	AWAIT(w, waiting(w, listener) == before + 1);
	return client;
}

static inline void be_let_go(struct world *w, struct wire *s, unsigned server)
{
	s->server = tcp_accept(w->server[server]);
	expect(s->server, startup_packet, STARTUP_BYTES);
	take_on(s);
}

static inline void grow_up(struct world *w)
{
	int64_t until_ms = test_now_ms() + GROWN_UP_MS + 1;

	AWAIT(w, test_now_ms() > until_ms);
}

static const char starting_up[] = "E\0\0\0\x1eSFATAL\0C57P03\0Mstarting\0\0";
enum { STARTING_UP_BYTES = 31 };
