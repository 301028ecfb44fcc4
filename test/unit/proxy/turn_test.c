/* Stories of a worker's turns: what they tell of themselves, that nothing is forgotten when there
 * is too much for one of them, and that a worker without work does nothing. */
#include "unit/proxy/world.h"

enum { MANY = 40, LAPS = 20 };

static struct world *new_world(const struct options *o)
{
	struct world *w = world_new(o);

	w->state[WRITE][0] = SERVER_OPEN;
	publish(w);
	return w;
}

static struct worker_numbers numbers(const struct world *w)
{
	struct worker_numbers n;

	scoreboard_worker(w->board, 0, N_LISTENERS, &n);
	return n;
}

static void test_a_worker_tells_of_its_turns(void **state)
{
	struct world *w = new_world(&(struct options){0});
	struct wire a = carry(w, WRITE, 0), b = carry(w, WRITE, 0);
	struct worker_numbers before, now;

	(void)state;
	AWAIT(w, numbers(w).sessions == 2 && numbers(w).generation == w->view_generation);
	before = numbers(w);
	assert_true(before.longest_turn_us > 0);
	for (unsigned i = 0; i < LAPS; i++)
		assert_carries(&a);
	AWAIT(w, numbers(w).turns >= before.turns + LAPS);
	now = numbers(w);
	assert_true(now.sleeps > before.sleeps);
	assert_true(now.longest_turn_us >= before.longest_turn_us);
	assert_int_equal(now.spins, 0); /* off unless configured */
	hang_up(&a);
	hang_up(&b);
	AWAIT(w, numbers(w).sessions == 0);
	world_free(w);
}

static void talk_at_once(struct wire *s, unsigned n)
{
	for (unsigned i = 0; i < n; i++) {
		write_all(s[i].client, "ping", 4);
		write_all(s[i].server, "pong", 4);
	}
	for (unsigned i = 0; i < n; i++) {
		expect(s[i].server, "ping", 4);
		expect(s[i].client, "pong", 4);
	}
}

/* As if the first events of each batch had taken all the time there is. */
static void test_who_is_late_in_a_turn_is_served_nevertheless(void **state)
{
	struct world *w = new_world(&(struct options){.data_us = 1});
	struct wire s[MANY];

	(void)state;
	for (unsigned i = 0; i < MANY; i++)
		s[i] = carry(w, WRITE, 0);
	while (numbers(w).late < MANY)
		talk_at_once(s, MANY);
	for (unsigned i = 0; i < LAPS; i++)
		talk_at_once(s, MANY);
	for (unsigned i = 0; i < MANY; i++)
		hang_up(&s[i]);
	AWAIT(w, all_sessions(w) == 0);
	world_free(w);
}

/* Counted, not timed: whenever it wakes, it goes to sleep again, and polls for nothing. */
static void test_a_worker_without_work_sleeps(void **state)
{
	struct world *w = new_world(&(struct options){.spin_us = 50});
	struct wire s = carry(w, WRITE, 0);
	struct worker_numbers before, now;

	(void)state;
	for (unsigned i = 0; i < 200; i++)
		assert_carries(&s);
	before = numbers(w);
	AWAIT(w,
	      numbers(w).turns >= before.turns + 2); /* the last bytes, and what was swept then */
	before = numbers(w);
	AWAIT(w, numbers(w).turns >= before.turns + 2);
	now = numbers(w);
	assert_int_equal(now.spins, before.spins);
	assert_int_equal(now.spun_us, before.spun_us);
	assert_int_equal(now.sleeps - before.sleeps, now.turns - before.turns);
	hang_up(&s);
	world_free(w);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_a_worker_tells_of_its_turns),
		cmocka_unit_test(test_who_is_late_in_a_turn_is_served_nevertheless),
		cmocka_unit_test(test_a_worker_without_work_sleeps),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
