/* When to poll before sleeping. Not here: the polling, and how many processors there are (edge.c).
 * Pure, any thread. */
#include "io/spin.h"

enum {
	WEIGHT = 8, /* a gap counts for an eighth of the mean */
	DENSE = 2,  /* mean gap, in longest polls, below which traffic is dense */
	CAP = 32,   /* a gap counts as no more longest polls: one pause is forgotten after half
		       a dozen batches, and until then traffic is not dense */
	FULL = 16,  /* four polls in vain are forgiven, the fifth one in a row is the last */
	SULK = 64,  /* chances passed before a poll is tried again */
};

void spin_init(struct spin *s, int64_t most_us)
{
	*s = (struct spin){
		.most_us = most_us, .credit = FULL, .eight_gaps_us = WEIGHT * CAP * most_us};
}

/* Also when the last batch is long ago: what follows it is no gap yet, but will be a long one. */
static bool is_dense(const struct spin *s, int64_t now_us)
{
	return s->eight_gaps_us < WEIGHT * DENSE * s->most_us &&
	       now_us - s->last_us < DENSE * s->most_us;
}

int64_t spin_wants(struct spin *s, int64_t now_us, int64_t due_us)
{
	if (s->most_us == 0 || !is_dense(s, now_us) || due_us - now_us <= s->most_us)
		return 0;
	if (s->credit == 0 && ++s->n_passed <= SULK)
		return 0;
	s->n_passed = 0;
	return s->most_us;
}

static void count(struct spin *s, int64_t spun_us)
{
	s->spins++;
	s->spun_us += (uint64_t)spun_us;
}

void spin_hit(struct spin *s, int64_t spun_us)
{
	count(s, spun_us);
	s->credit = FULL;
}

void spin_miss(struct spin *s, int64_t spun_us)
{
	count(s, spun_us);
	s->credit /= 2;
}

void spin_batch(struct spin *s, int64_t now_us)
{
	int64_t gap_us = now_us - s->last_us;

	if (gap_us > CAP * s->most_us)
		gap_us = CAP * s->most_us;
	s->eight_gaps_us += gap_us - s->eight_gaps_us / WEIGHT;
	s->last_us = now_us;
}
