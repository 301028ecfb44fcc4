/* Pick a server for a new session: round robin, least connections, or the better of two draws.
 * Not here: who is open (the view says), what a pick costs a retry (proxy/connect.c). Pure. */
#include "core/balance.h"
#include "base/assert.h"

enum { TRIED_BITS = 64 };

static bool is_tried(const struct balance_input *in, unsigned i)
{
	return i < TRIED_BITS && (in->tried >> i & 1);
}

static bool is_full(const struct balance_input *in, unsigned i)
{
	return in->limits && in->sessions[i] >= in->limits[i];
}

/* Only servers that are open and weigh something have turns, so those are the only ones looked at.
 */
static unsigned at_turn(const struct balance_input *in, uint64_t step)
{
	const struct view_listener *l = in->listener;

	return l->turns[(in->turn % l->n_turns + step) % l->n_turns];
}

static bool is_candidate(const struct balance_input *in, unsigned i)
{
	return !is_tried(in, i) && !is_full(in, i);
}

/* sessions/weight of a below that of b, without dividing. */
static bool is_less_loaded(const struct balance_input *in, unsigned a, unsigned b)
{
	const struct view_server *s = in->listener->servers;

	return (uint64_t)in->sessions[a] * s[b].weight < (uint64_t)in->sessions[b] * s[a].weight;
}

static int pick_roundrobin(const struct balance_input *in)
{
	for (unsigned step = 0; step < in->listener->n_turns; step++) {
		unsigned i = at_turn(in, step);

		if (is_candidate(in, i))
			return (int)i;
	}
	return -1;
}

/* Among equals the turn decides, so that idle servers share and weights still count. */
static int pick_leastconn(const struct balance_input *in)
{
	int best = -1;

	for (unsigned step = 0; step < in->listener->n_turns; step++) {
		unsigned i = at_turn(in, step);

		if (is_candidate(in, i) && (best < 0 || is_less_loaded(in, i, (unsigned)best)))
			best = (int)i;
	}
	return best;
}

/* Each server holds as many turns as it weighs: a draw among the candidates' turns is a weighted
 * draw. */
static unsigned draw(const struct balance_input *in, unsigned n_candidate_turns)
{
	uint64_t left = rng_below(in->rng, n_candidate_turns);

	for (unsigned step = 0; step < in->listener->n_turns; step++) {
		unsigned i = in->listener->turns[step];

		if (is_candidate(in, i) && left-- == 0)
			return i;
	}
	INSIST(false); /* the caller counted the candidates' turns */
	return 0;
}

static int pick_random(const struct balance_input *in)
{
	unsigned n = 0, first, second;

	for (unsigned step = 0; step < in->listener->n_turns; step++)
		n += is_candidate(in, in->listener->turns[step]);
	if (n == 0)
		return -1;
	first = draw(in, n);
	second = draw(in, n);
	return (int)(is_less_loaded(in, second, first) ? second : first);
}

static bool some_untried_is_full(const struct balance_input *in)
{
	for (unsigned step = 0; step < in->listener->n_turns; step++)
		if (!is_tried(in, in->listener->turns[step]) &&
		    is_full(in, in->listener->turns[step]))
			return true;
	return false;
}

int balance_pick(const struct balance_input *in, bool *full)
{
	static int (*const pick[])(const struct balance_input *) = {
		[BALANCE_ROUNDROBIN] = pick_roundrobin,
		[BALANCE_LEASTCONN] = pick_leastconn,
		[BALANCE_RANDOM] = pick_random,
	};
	int i;

	REQUIRE((size_t)in->method < sizeof(pick) / sizeof(pick[0]));
	i = pick[in->method](in);
	*full = i < 0 && some_untried_is_full(in);
	return i;
}
