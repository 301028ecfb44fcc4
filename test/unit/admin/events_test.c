/* `show events` and `probe`: what they print and what they order. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "admin/replies.h"
#include "unit/admin/world.h"

static int setup(void **state)
{
	*state = world_new();
	return 0;
}

static int teardown(void **state)
{
	world_free(*state);
	return 0;
}

enum { BEGAN_MS = 5000 };
#define BEGAN_WALL_MS INT64_C(1795172327123) /* 2026-11-20 10:58:47.123 UTC */

static struct failover *add(struct world *w, int from, int to)
{
	struct failover *f = &w->journal.entries[w->journal.n++];

	*f = (struct failover){.from = from,
			       .to = to,
			       .why = from < 0 ? WHY_NONE : WHY_NOT_LEADER,
			       .from_timeline = from < 0 ? 0 : 5,
			       .to_timeline = to < 0 ? 0 : 6,
			       .wall_offset_ms = BEGAN_WALL_MS - BEGAN_MS};
	for (unsigned i = 0; i < N_PHASES; i++)
		f->at_ms[i] = -1;
	return f;
}

static void test_a_failover_is_a_table_of_phases(void **state)
{
	static const int64_t at[N_PHASES] = {5000, 5130, 5130, 5505, 5512, 5512, 5513, 5511, 5560};
	struct world *w = *state;
	struct failover *f = add(w, 0, 1);

	memcpy(f->at_ms, at, sizeof(at));
	f->counted = (struct tally){.cut = 8, .held = 40, .released = 37, .refused = 3};
	f->closed = true;
	assert_string_equal(world_run(w, "show events"),
			    "2026-11-20T10:58:47.123Z main: n1 -> n2, timeline 5 -> 6\n"
			    "  n1 answers that it does not hold the leader lock\n"
			    "  phase                                   at       step\n"
			    "  last good answer asked                0 ms          -\n"
			    "  first doubt                         130 ms    +130 ms\n"
			    "  old primary gone                    130 ms      +0 ms\n"
			    "  new primary's first proof asked     505 ms          -\n"
			    "  new primary writable                512 ms    +382 ms\n"
			    "  published                           512 ms      +0 ms\n"
			    "  in force on every worker            513 ms      +1 ms\n"
			    "  first session on new primary        511 ms      -2 ms\n"
			    "  last held client released           560 ms     +49 ms\n"
			    "  8 sessions cut; 40 clients held, 37 released, 3 refused\n");
}

static void test_what_is_not_known_is_a_dash(void **state)
{
	struct world *w = *state;
	struct failover *f = add(w, 0, -1);

	f->at_ms[PHASE_LAST_ANSWER] = BEGAN_MS;
	f->at_ms[PHASE_GONE] = BEGAN_MS + 3000;
	const char *reply = world_run(w, "show events");
	assert_non_null(strstr(reply, " main: n1 -> (nobody yet), timeline 5 -> -\n"));
	assert_non_null(strstr(reply, "  first doubt                              -          -\n"));
	assert_non_null(strstr(reply, "  old primary gone                   3000 ms   +3000 ms\n"));
	assert_non_null(strstr(reply, "  new primary writable                     -          -\n"));
	assert_non_null(strstr(
		reply, "\n  0 sessions cut; 0 clients held, 0 released, 0 refused (so far)\n"));
}

static void test_a_primary_that_comes_back_was_gone_for_a_while(void **state)
{
	struct world *w = *state;
	struct failover *f = add(w, 1, 1);

	f->why = WHY_PORT_REFUSED;
	f->from_timeline = f->to_timeline = 6;
	f->at_ms[PHASE_DOUBT] = BEGAN_MS;
	f->at_ms[PHASE_GONE] = BEGAN_MS + 7;
	f->at_ms[PHASE_WRITABLE] = BEGAN_MS + 2312;
	f->at_ms[PHASE_PUBLISHED] = BEGAN_MS + 2312;
	const char *reply = world_run(w, "show events");
	assert_non_null(strstr(reply, " main: n2 was gone for 2.3s, timeline 6 -> 6\n"
				      "  n2 is silent and its PostgreSQL port refuses\n"));
	assert_non_null(strstr(reply, "\n  gone                            7 ms      +7 ms\n"));
	assert_non_null(strstr(reply, "\n  writable again               2312 ms   +2305 ms\n"));
	assert_non_null(strstr(reply, "\n  first session again  "));
	assert_null(strstr(reply, "new primary"));
	assert_null(strstr(reply, "old primary"));
}

static void test_an_interruption_is_a_doubt_that_clients_felt(void **state)
{
	struct world *w = *state;
	struct failover *f = add(w, 1, 1);

	f->interruption = true;
	f->why = WHY_PG_NOT_RUNNING;
	f->at_ms[PHASE_DOUBT] = BEGAN_MS;
	f->at_ms[PHASE_GONE] = BEGAN_MS + 2840;
	f->at_ms[PHASE_WRITABLE] = BEGAN_MS + 3551;
	f->counted = (struct tally){.held = 4, .released = 4};
	const char *reply = world_run(w, "show events");
	assert_non_null(strstr(reply, "47.123Z main: n2 was in doubt for 3.5s, timeline 5 -> 6\n"
				      "  n2 holds the lock but its PostgreSQL is not running\n"));
	assert_non_null(strstr(reply, "\n  closed to new sessions       2840 ms   +2840 ms\n"));
	f->why = WHY_NONE; /* nobody but the clients knew */
	assert_non_null(strstr(world_run(w, "show events"), " timeline 5 -> 6\n  phase "));
}

static void test_a_start_has_no_old_primary(void **state)
{
	struct world *w = *state;
	struct failover *f = add(w, -1, 0);

	f->at_ms[PHASE_ASKED] = BEGAN_MS;
	f->at_ms[PHASE_WRITABLE] = BEGAN_MS + 7;
	const char *reply = world_run(w, "show events");
	assert_non_null(strstr(reply, "47.123Z main: (start) -> n1, timeline - -> 6\n  phase "));
	assert_non_null(strstr(reply, "  new primary writable                  7 ms          -\n"));
}

static void test_the_newest_comes_first(void **state)
{
	struct world *w = *state;

	add(w, 0, 1)->at_ms[PHASE_GONE] = 1;
	add(w, 1, 2)->at_ms[PHASE_GONE] = 2;
	const char *reply = world_run(w, "show events");
	const char *older = strstr(reply, "n1 -> n2"), *newer = strstr(reply, "n2 -> n3");
	assert_true(newer && older && newer < older);
}

/* Readable on a narrow terminal, whatever the reason, and with a full ring one reply still. */
static void test_lines_fit_and_none_is_empty(void **state)
{
	struct world *w = *state;

	for (unsigned i = 0; i < JOURNAL_ENTRIES; i++) {
		struct failover *f = add(w, 0, 1);

		f->why = (enum why)(1 + i % (N_WHYS - 1));
		f->at_ms[PHASE_GONE] = BEGAN_MS;
		f->at_ms[PHASE_WRITABLE] = BEGAN_MS + 86400000;
		f->counted = (struct tally){10000, 10000, 10000, 10000};
	}
	const char *reply = world_run(w, "show events");
	assert_null(strstr(reply, "\n\n"));
	for (const char *line = reply; *line; line = strchr(line, '\n') + 1)
		assert_in_range(strcspn(line, "\n"), 1, 80);
}

static void test_no_event_yet_is_a_sentence(void **state)
{
	assert_string_equal(world_run(*state, "show events"),
			    "No cluster has had a primary since isari started.\n");
}

static void test_probe_orders_a_hint(void **state)
{
	struct world *w = *state;

	assert_string_equal(world_run(w, "probe"), "");
	assert_int_equal(w->order.type, ORDER_HINT);
	assert_int_equal(w->order.cluster, -1);
	assert_string_equal(world_run(w, "probe main"), "");
	assert_int_equal(w->order.type, ORDER_HINT);
	assert_int_equal(w->order.cluster, 0);
}

static void test_probe_of_an_unknown_cluster_is_an_error(void **state)
{
	struct world *w = *state;
	const char *reply = world_run(w, "probe Main");

	assert_string_equal(reply, "No such cluster.\n");
	assert_true(reply_has_error(reply));
	assert_int_equal(w->order.type, ORDER_NONE);
}

static void test_probe_says_whom_it_asks_when_asked_for_json(void **state)
{
	struct world *w = *state;

	assert_string_equal(world_run(w, "probe json"), "{\"asked\":[\"main\"]}\n");
	assert_int_equal(w->order.cluster, -1);
	assert_string_equal(world_run(w, "probe main json"), "{\"asked\":[\"main\"]}\n");
	assert_int_equal(w->order.type, ORDER_HINT);
	assert_int_equal(w->order.cluster, 0);
	assert_string_equal(world_run(w, "probe Main json"), "No such cluster.\n");
	assert_string_equal(world_run(w, "probe main"), "");
}

static const char *reload_as_json(const char *text, struct buf *out)
{
	struct buf words = {0};

	buf_puts(&words, text);
	buf_clear(out);
	reload_reply(&words, true, out);
	buf_fini(&words);
	return out->data;
}

static void test_what_became_of_a_reload_is_told_as_json(void **state)
{
	struct buf out = {0};

	(void)state;
	assert_string_equal(
		reload_as_json("isari: configuration reloaded\na: 1 -> 2\nb: \"x\"\n", &out),
		"{\"reloaded\":true,\"changes\":[\"a: 1 -> 2\",\"b: \\\"x\\\"\"]}\n");
	assert_false(reply_has_error(out.data));
	assert_string_equal(
		reload_as_json("isari: configuration not reloaded, nothing was changed:\n"
			       "f:1:1: x: y\n",
			       &out),
		"{\"reloaded\":false,\"reasons\":[\"f:1:1: x: y\"]}\n");
	assert_true(reply_has_error(out.data));
	buf_fini(&out);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
#define TEST(f) cmocka_unit_test_setup_teardown(f, setup, teardown)
		TEST(test_a_failover_is_a_table_of_phases),
		TEST(test_what_is_not_known_is_a_dash),
		TEST(test_a_primary_that_comes_back_was_gone_for_a_while),
		TEST(test_an_interruption_is_a_doubt_that_clients_felt),
		TEST(test_a_start_has_no_old_primary),
		TEST(test_the_newest_comes_first),
		TEST(test_lines_fit_and_none_is_empty),
		TEST(test_no_event_yet_is_a_sentence),
		TEST(test_probe_orders_a_hint),
		TEST(test_probe_of_an_unknown_cluster_is_an_error),
		TEST(test_probe_says_whom_it_asks_when_asked_for_json),
		TEST(test_what_became_of_a_reload_is_told_as_json),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
