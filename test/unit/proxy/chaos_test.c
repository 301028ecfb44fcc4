/* One story, many endings: clients and servers that come, talk, half-close, reset and vanish at
 * random while verdicts fall. Whatever happened, in the end nobody is carried and nobody is
 * counted. SEED=n replays one run. */
#include "base/rng.h"
#include "unit/proxy/world.h"

enum { MOST = 120, STEPS = 3000 };

struct chaos {
	struct world *w;
	struct rng rng;
	int fds[MOST]; /* clients, and servers' ends; -1: free */
	unsigned begun;
};

static bool chance(struct chaos *c, unsigned percent)
{
	return rng_below(&c->rng, 100) < percent;
}

static int *any(struct chaos *c)
{
	return &c->fds[rng_below(&c->rng, MOST)];
}

static void say_something_first(struct chaos *c, int fd)
{
	static const char garbage[] = "GET / HTTP/1.1\r\n\r\n";
	const struct {
		const char *bytes;
		size_t n;
	} words[] = {{startup_packet, STARTUP_BYTES},
		     {startup_packet, STARTUP_BYTES},
		     {startup_packet, 5},
		     {ssl_request, 8},
		     {cancel_request, 16},
		     {garbage, sizeof(garbage) - 1}};
	size_t i = rng_below(&c->rng, sizeof(words) / sizeof(words[0]));

	(void)send(fd, words[i].bytes, words[i].n, MSG_NOSIGNAL);
}

static void come(struct chaos *c)
{
	int *slot = any(c);

	if (*slot >= 0)
		return;
	*slot = client_of(c->w, (unsigned)rng_below(&c->rng, N_LISTENERS));
	c->begun++;
	if (chance(c, 90))
		say_something_first(c, *slot);
}

static void take_at_server(struct chaos *c)
{
	int *slot = any(c);

	if (*slot < 0)
		*slot = accept4(c->w->server[rng_below(&c->rng, N_SERVERS)], NULL, NULL,
				SOCK_CLOEXEC | SOCK_NONBLOCK);
}

static void talk(struct chaos *c)
{
	static char bytes[300 * 1000];
	int fd = *any(c);

	if (fd < 0)
		return;
	(void)send(fd, bytes, 1 + rng_below(&c->rng, sizeof(bytes)), MSG_NOSIGNAL | MSG_DONTWAIT);
	(void)recv(*any(c), bytes, 1 + rng_below(&c->rng, sizeof(bytes)), MSG_DONTWAIT);
}

static void go(struct chaos *c)
{
	int *slot = any(c);

	if (*slot < 0)
		return;
	if (chance(c, 30)) {
		shutdown(*slot, SHUT_WR);
		return;
	}
	if (chance(c, 50))
		tcp_reset(*slot);
	else
		close(*slot);
	*slot = -1;
}

static void judge(struct chaos *c)
{
	unsigned listener = (unsigned)rng_below(&c->rng, N_LISTENERS);
	unsigned server = (unsigned)rng_below(&c->rng, N_SERVERS);
	enum server_state to = (enum server_state)rng_below(&c->rng, N_SERVER_STATES);
	struct world *w = c->w;

	w->generation[listener][server] += to == SERVER_CLOSED || chance(c, 10);
	w->state[listener][server] = chance(c, 50) ? SERVER_OPEN : to;
	publish_unheard(w);
}

static void step(struct chaos *c)
{
	unsigned dice = (unsigned)rng_below(&c->rng, 100);

	if (dice < 25)
		come(c);
	else if (dice < 45)
		take_at_server(c);
	else if (dice < 80)
		talk(c);
	else if (dice < 96)
		go(c);
	else
		judge(c);
	uv_run(&c->w->loop, UV_RUN_NOWAIT);
}

static void everybody_leaves(struct chaos *c)
{
	for (int i = 0; i < MOST; i++)
		if (c->fds[i] >= 0)
			close(c->fds[i]);
	for (int i = 0; i < N_SERVERS; i++) { /* calls that nobody took */
		close(c->w->server[i]);
		c->w->server[i] = -1;
	}
	for (int i = 0; i < N_LISTENERS; i++) /* a paused server would keep its sessions */
		for (int k = 0; k < N_SERVERS; k++)
			c->w->state[i][k] = SERVER_KEPT;
	publish(c->w);
	AWAIT(c->w, all_sessions(c->w) == 0);
}

static void test_whatever_happens_nobody_is_left_and_nobody_is_counted(void **state)
{
	const char *seed = getenv("SEED");
	struct world *w =
		world_new(&(struct options){.n_workers = 2, .connect_ms = 300, .startup_ms = 500});
	struct chaos c = {.w = w};
	uint64_t ended = 0;

	(void)state;
	rng_seed(&c.rng, seed ? strtoull(seed, NULL, 10) : 1);
	for (int i = 0; i < N_SERVERS; i++)
		make_nonblocking(w->server[i]);
	memset(c.fds, -1, sizeof(c.fds));
	for (int i = 0; i < STEPS; i++)
		step(&c);
	everybody_leaves(&c);
	assert_nobody_is_counted(w);
	for (unsigned i = 0; i < N_LISTENERS; i++)
		ended += listener_sum(w, i).ended;
	assert_true(c.begun > STEPS / 20);
	assert_true(ended > 0 && ended <= c.begun); /* cancel requests are no sessions */
	world_free(w);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_whatever_happens_nobody_is_left_and_nobody_is_counted),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
