/* The journal's edge: a real monitor, a scoreboard and workers' words in, one log line out. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "base/mem.h"
#include "control/failovers.h"
#include "io/clock.h"
#include "io/log.h"
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <unistd.h>

enum { START_MS = 1000000 };

struct bench {
	struct config *config;
	struct scoreboard *board;
	struct monitor *monitor;
	struct failovers *failovers;
	uint64_t generation; /* of the last view */
	int64_t now_ms;
	int log_fd;
	char text[8192];
};

static struct config *make_config(void)
{
	struct config *c = config_new();

	c->n_clusters = 1;
	c->clusters = xcalloc(1, sizeof(*c->clusters));
	c->clusters[0].name = xstrdup("main");
	probe_config_defaults(&c->clusters[0].probe);
	c->n_members = 2;
	c->members = xcalloc(2, sizeof(*c->members));
	for (unsigned i = 0; i < 2; i++) {
		member_config_defaults(&c->members[i]);
		c->members[i].name = xasprintf("n%u", i + 1);
		c->members[i].host = xasprintf("10.0.0.%u", i + 1);
		c->members[i].rest_host = xstrdup(c->members[i].host);
	}
	c->n_listeners = 2;
	c->listeners = xcalloc(2, sizeof(*c->listeners));
	for (unsigned i = 0; i < 2; i++) {
		listener_config_defaults(&c->listeners[i]);
		c->listeners[i].name = xstrdup(i ? "read" : "write");
		c->listeners[i].serve = ROLE_BIT(i ? ROLE_REPLICA : ROLE_PRIMARY);
	}
	config_finish(c);
	return c;
}

/* As control does it. */
static void step(struct bench *b, struct event ev)
{
	struct update up;

	ev.now_ms = b->now_ms;
	monitor_step(b->monitor, &ev, &up);
	failovers_take(b->failovers, b->monitor, &up, b->now_ms);
	if (up.view)
		b->generation = up.view->generation;
	view_unref(up.view);
	failovers_say(b->failovers, b->now_ms);
}

static void answer(struct bench *b, unsigned member, int status, uint64_t timeline)
{
	struct event ev = {.type = EV_OBSERVATION};

	ev.u.observation = (struct observation){
		.member = member,
		.question = ASK_PRIMARY,
		.asked_ms = b->now_ms - 4,
		.answered_ms = b->now_ms,
		.outcome = OUTCOME_ANSWERED,
		.http_status = status,
		.claim = status == 200 ? CLAIM_PRIMARY : CLAIM_REPLICA,
		.state = PG_RUNNING,
		.timeline = timeline,
		.system_id = 7,
	};
	step(b, ev);
}

static void address(struct bench *b, unsigned member)
{
	struct event ev = {.type = EV_ADDRESS};

	ev.u.address.member = member;
	strcpy(ev.u.address.ip, "10.0.0.1");
	strcpy(ev.u.address.rest_ip, "10.0.0.1");
	step(b, ev);
}

static int setup(void **state)
{
	struct bench *b = xcalloc(1, sizeof(*b));

	b->config = make_config();
	b->board = scoreboard_new(b->config, 2);
	b->now_ms = START_MS;
	b->monitor = monitor_new(b->config, 1, b->now_ms);
	b->failovers = failovers_new(b->config, b->board);
	b->log_fd = memfd_create("log", 0);
	log_open(b->log_fd, &(struct log_options){.least = SEVERITY_INFO});
	address(b, 0);
	address(b, 1);
	answer(b, 1, 503, 5);
	answer(b, 0, 200, 5);
	*state = b;
	return 0;
}

static int teardown(void **state)
{
	struct bench *b = *state;

	log_close();
	close(b->log_fd);
	failovers_free(b->failovers);
	monitor_free(b->monitor);
	scoreboard_free(b->board);
	config_unref(b->config);
	free(b);
	return 0;
}

static const struct failover *latest(const struct bench *b)
{
	const struct journal *j = failovers_journal(b->failovers);

	assert_true(j->n > 0);
	return &j->entries[j->n - 1];
}

static const char *logged(struct bench *b)
{
	ssize_t n;

	/* A file has a writer of its own; opening the log again waits for it. */
	log_open(b->log_fd, &(struct log_options){.least = SEVERITY_INFO});
	n = pread(b->log_fd, b->text, sizeof(b->text) - 1, 0);
	assert_true(n >= 0);
	b->text[n] = '\0';
	return b->text;
}

static void close_sessions(struct bench *b, unsigned listener, enum close_reason reason, unsigned n)
{
	COUNT(scoreboard_row(b->board, n % 2, listener), closes[reason], n);
}

static void first_session(struct bench *b, unsigned member, int64_t at_ms)
{
	struct message m = {.type = MSG_FIRST_SESSION};

	m.u.first_session.member = member;
	m.u.first_session.generation = b->generation;
	m.u.first_session.at_ms = at_ms;
	failovers_session(b->failovers, &m);
}

static void wait_ms(struct bench *b, int64_t ms)
{
	for (int64_t until = b->now_ms + ms; b->now_ms < until;) {
		b->now_ms = until - b->now_ms > 500 ? b->now_ms + 500 : until;
		step(b, (struct event){.type = EV_TICK});
	}
}

/* It goes on proving itself. */
static void prove(struct bench *b, unsigned member, uint64_t timeline, int64_t ms)
{
	for (int64_t until = b->now_ms + ms; b->now_ms < until;) {
		b->now_ms += 900;
		answer(b, member, 200, timeline);
	}
}

static void test_a_failover_is_one_log_line_with_its_phases(void **state)
{
	struct bench *b = *state;

	b->now_ms += 100;
	answer(b, 0, 503, 5);
	b->now_ms += 400;
	answer(b, 1, 200, 6);
	failovers_in_force(b->failovers, b->generation, b->now_ms + 1);
	first_session(b, 1, b->now_ms + 3);
	assert_null(strstr(logged(b), "event=failover"));
	wait_ms(b, JOURNAL_SETTLE_MS + 3);
	assert_non_null(strstr(
		logged(b),
		"event=failover cluster=main from=n1 to=n2 from_timeline=5 timeline=6 "
		"why=\"answers that it does not hold the leader lock\" last_answer_ms=0 "
		"first_doubt_ms=104 gone_ms=104 asked_ms=500 writable_ms=504 published_ms=504 "
		"in_force_ms=505 first_session_ms=507 cut=0 held=0 released=0 refused=0\n"));
	wait_ms(b, 20000);
	assert_null(strstr(strstr(b->text, "event=failover") + 1, "event=failover"));
}

static void test_a_start_is_in_the_journal_and_no_failover_in_the_log(void **state)
{
	struct bench *b = *state;

	assert_int_equal(latest(b)->from, -1);
	assert_int_equal(latest(b)->to, 0);
	prove(b, 0, 5, JOURNAL_PATIENCE_MS);
	assert_int_equal(failovers_journal(b->failovers)->n, 1);
	assert_true(latest(b)->closed);
	assert_null(strstr(logged(b), "event=failover"));
}

static void test_what_was_felt_since_the_first_doubt_is_counted(void **state)
{
	struct bench *b = *state;

	close_sessions(b, 0, CLOSE_DEMOTED, 50); /* long ago */
	b->now_ms += 100;
	step(b, (struct event){.type = EV_SIGN});
	close_sessions(b, 0, CLOSE_CONNECT_FAILED, 3);
	b->now_ms += 50;
	answer(b, 0, 503, 5);
	close_sessions(b, 0, CLOSE_DEMOTED, 8);
	close_sessions(b, 0, CLOSE_NO_SERVER, 4);
	close_sessions(b, 0, CLOSE_LIMIT, 64);     /* no place to wait */
	close_sessions(b, 0, CLOSE_CLIENT, 16);    /* ended by themselves */
	close_sessions(b, 1, CLOSE_NO_SERVER, 32); /* readers */
	b->now_ms += 50;
	answer(b, 1, 200, 6);
	assert_int_equal(latest(b)->counted.cut, 8);
	assert_int_equal(latest(b)->counted.refused, 71);
	assert_false(latest(b)->closed);
}

static void hold_emptied(struct bench *b, unsigned worker, unsigned listener, int64_t at_ms)
{
	struct message m = {.type = MSG_HOLD_EMPTIED, .worker = worker};

	m.u.hold_emptied.listener = listener;
	m.u.hold_emptied.at_ms = at_ms;
	failovers_released(b->failovers, &m);
}

/* As the proxy does it. */
static void hold(struct bench *b, unsigned worker, unsigned listener)
{
	gauge_enter_anyway(&b->board->holds[listener]);
	COUNT(scoreboard_row(b->board, worker, listener), held, 1);
}

static void release(struct bench *b, unsigned worker, unsigned listener)
{
	gauge_leave(&b->board->holds[listener]);
	COUNT(scoreboard_row(b->board, worker, listener), released, 1);
}

static void test_the_line_waits_for_the_last_held_client(void **state)
{
	struct bench *b = *state;
	int64_t last_ms;

	answer(b, 0, 503, 5);
	hold(b, 0, 0);
	hold(b, 1, 0);
	hold(b, 0, 1); /* a reader: of no failover's business */
	b->now_ms += 100;
	answer(b, 1, 200, 6);
	failovers_in_force(b->failovers, b->generation, b->now_ms);
	release(b, 0, 0);
	hold_emptied(b, 0, 0, b->now_ms + 2);
	first_session(b, 1, b->now_ms + 2);
	prove(b, 1, 6, JOURNAL_PATIENCE_MS + 1000);
	assert_null(strstr(logged(b), "event=failover"));
	assert_int_equal(latest(b)->waiting, 1);
	last_ms = b->now_ms;
	release(b, 1, 0);
	hold_emptied(b, 1, 0, last_ms);
	hold_emptied(b, 0, 1, last_ms + 50);
	prove(b, 1, 6, 900);
	assert_true(latest(b)->closed);
	assert_int_equal(latest(b)->at_ms[PHASE_RELEASED], last_ms);
	assert_non_null(strstr(logged(b), " cut=0 held=2 released=2 refused=0\n"));
	assert_non_null(strstr(b->text, " last_released_ms="));
}

/* Until all that goes on is told. */
static void settle(struct bench *b, unsigned member, uint64_t timeline)
{
	prove(b, member, timeline, JOURNAL_PATIENCE_MS);
	assert_true(latest(b)->closed);
}

static void answer_state(struct bench *b, unsigned member, enum pg_state state, uint64_t timeline)
{
	struct event ev = {.type = EV_OBSERVATION};

	ev.u.observation = (struct observation){.member = member,
						.question = ASK_PRIMARY,
						.asked_ms = b->now_ms - 4,
						.answered_ms = b->now_ms,
						.outcome = OUTCOME_ANSWERED,
						.http_status = 200,
						.claim = CLAIM_PRIMARY,
						.state = state,
						.timeline = timeline,
						.system_id = 7};
	step(b, ev);
}

static void test_a_crash_that_clients_felt_is_an_interruption(void **state)
{
	struct bench *b = *state;
	int64_t doubt_ms;

	settle(b, 0, 5);
	b->now_ms += 100;
	doubt_ms = b->now_ms;
	step(b, (struct event){.type = EV_SIGN});
	hold(b, 0, 0);
	b->now_ms += 100;
	answer_state(b, 0, PG_CRASHED, 5); /* it keeps the lock, and takes no new sessions */
	b->now_ms += 600;
	answer(b, 0, 200, 5);
	assert_int_equal(failovers_journal(b->failovers)->n, 2);
	assert_true(latest(b)->interruption);
	assert_int_equal(latest(b)->at_ms[PHASE_DOUBT], doubt_ms);
	assert_int_equal(latest(b)->at_ms[PHASE_PUBLISHED], b->now_ms);
	release(b, 0, 0);
	failovers_in_force(b->failovers, b->generation, b->now_ms + 1);
	hold_emptied(b, 0, 0, b->now_ms + 2);
	first_session(b, 0, b->now_ms + 2);
	settle(b, 0, 5);
	assert_non_null(strstr(
		logged(b),
		"event=interruption cluster=main from=n1 to=n1 from_timeline=5 timeline=5 "
		"why=\"holds the lock but its PostgreSQL is not running\" first_doubt_ms=0 "
		"gone_ms=100 writable_ms=700 published_ms=700 in_force_ms=701 "
		"first_session_ms=702 last_released_ms=702 cut=0 held=1 released=1 refused=0\n"));
	assert_null(strstr(b->text, "event=failover"));
}

static void test_a_doubt_that_nobody_felt_is_no_event(void **state)
{
	struct bench *b = *state;

	settle(b, 0, 5);
	b->now_ms += 100;
	step(b, (struct event){.type = EV_SIGN});
	hold(b, 0, 1); /* a reader */
	b->now_ms += 100;
	answer(b, 0, 200, 5);
	settle(b, 0, 5);
	assert_int_equal(failovers_journal(b->failovers)->n, 1);
}

/* Its port refuses, and one sign after the other is dispelled by the next proof. */
static void test_doubts_in_a_row_are_one_interruption_while_clients_wait(void **state)
{
	struct bench *b = *state;

	settle(b, 0, 5);
	for (unsigned i = 0; i < 10; i++) {
		b->now_ms += 100;
		step(b, (struct event){.type = EV_SIGN});
		hold(b, i % 2, 0);
		b->now_ms += 20;
		answer(b, 0, 200, 5);
	}
	assert_int_equal(failovers_journal(b->failovers)->n, 2);
	for (unsigned i = 0; i < 10; i++)
		release(b, i % 2, 0);
	hold_emptied(b, 1, 0, b->now_ms + 5);
	settle(b, 0, 5);
	assert_int_equal(failovers_journal(b->failovers)->n, 2);
	assert_non_null(strstr(logged(b), "event=interruption cluster=main from=n1 to=n1 "
					  "from_timeline=5 timeline=5 first_doubt_ms=0 "
					  "writable_ms=20 last_released_ms=1105 cut=0 held=10 "
					  "released=10 refused=0\n"));
}

static void test_a_doubt_that_ends_in_a_loss_is_a_failover_only(void **state)
{
	struct bench *b = *state;

	settle(b, 0, 5);
	b->now_ms += 100;
	step(b, (struct event){.type = EV_SIGN});
	hold(b, 0, 0);
	b->now_ms += 100;
	answer(b, 0, 503, 5);
	b->now_ms += 100;
	answer(b, 1, 200, 6);
	release(b, 0, 0);
	prove(b, 1, 6, JOURNAL_PATIENCE_MS);
	assert_int_equal(failovers_journal(b->failovers)->n, 2);
	assert_false(latest(b)->interruption);
	assert_int_equal(latest(b)->counted.held, 1);
}

static void test_who_waited_already_is_held_by_the_new_failover(void **state)
{
	struct bench *b = *state;

	for (unsigned i = 0; i < 3; i++) { /* long ago */
		hold(b, 0, 0);
		release(b, 0, 0);
	}
	answer(b, 0, 503, 5);
	hold(b, 0, 0);
	hold(b, 1, 0);
	b->now_ms += 50;
	answer(b, 1, 200, 6);
	release(b, 0, 0);
	b->now_ms += 50;
	answer(b, 1, 503, 6); /* gone again, and one has waited through both */
	hold(b, 0, 0);
	b->now_ms += 50;
	answer(b, 0, 200, 7);
	release(b, 0, 0);
	release(b, 1, 0);
	wait_ms(b, 10);
	const struct journal *j = failovers_journal(b->failovers);
	assert_int_equal(j->n, 3);
	assert_int_equal(j->entries[1].counted.held, 2);
	assert_int_equal(j->entries[2].counted.held, 2);
	assert_int_equal(j->entries[2].counted.released, 2);
	assert_int_equal(j->entries[2].waiting, 0);
}

static void test_what_comes_with_the_next_doubt_is_not_counted_twice(void **state)
{
	struct bench *b = *state;
	const struct journal *j = failovers_journal(b->failovers);

	answer(b, 0, 503, 5);
	close_sessions(b, 0, CLOSE_NO_SERVER, 4);
	b->now_ms += 50;
	answer(b, 1, 200, 6);
	b->now_ms += 50;
	step(b, (struct event){.type = EV_SIGN}); /* the new one wavers at once */
	close_sessions(b, 0, CLOSE_CONNECT_FAILED, 16);
	b->now_ms += 50;
	answer(b, 1, 503, 6);
	assert_int_equal(j->n, 3);
	assert_int_equal(j->entries[1].counted.refused, 4);
	assert_int_equal(j->entries[2].counted.refused, 16);
}

static void test_a_start_counts_who_came_too_early(void **state)
{
	struct bench *b = *state;
	struct monitor *old = b->monitor;

	failovers_free(b->failovers);
	b->failovers = failovers_new(b->config, b->board);
	b->monitor = monitor_new(b->config, 1, b->now_ms);
	address(b, 0);
	close_sessions(b, 0, CLOSE_NO_SERVER, 3);
	b->now_ms += 1000;
	answer(b, 0, 200, 5);
	assert_int_equal(latest(b)->from, -1);
	assert_int_equal(latest(b)->counted.refused, 3);
	monitor_free(old);
}

static void test_without_any_doubt_before_counting_begins_with_the_loss(void **state)
{
	struct bench *b = *state;

	close_sessions(b, 0, CLOSE_DEMOTED, 50);
	wait_ms(b, 100);
	close_sessions(b, 0, CLOSE_NO_SERVER, 9);
	answer(b, 0, 503, 5);
	assert_int_equal(latest(b)->counted.cut, 0);
	assert_int_equal(latest(b)->counted.refused, 0);
	close_sessions(b, 0, CLOSE_DEMOTED, 2);
	wait_ms(b, 10);
	assert_int_equal(latest(b)->counted.cut, 2);
}

static void test_without_a_session_the_line_comes_in_time_and_leaves_it_out(void **state)
{
	struct bench *b = *state;

	answer(b, 0, 503, 5);
	b->now_ms += 10;
	answer(b, 1, 200, 6);
	prove(b, 1, 6, JOURNAL_PATIENCE_MS);
	assert_non_null(strstr(logged(b), "event=failover cluster=main from=n1 to=n2 "));
	assert_null(strstr(b->text, "first_session_ms"));
	assert_null(strstr(b->text, "in_force_ms"));
}

static void test_the_wall_clock_is_read_at_the_change(void **state)
{
	struct bench *b = *state;
	int64_t before_ms = (int64_t)clock_wall().tv_sec * 1000;

	b->now_ms += 104;
	answer(b, 0, 503, 5);
	/* It began 108 ms before that, with the question for the last proof. */
	assert_in_range(failover_began_wall_ms(latest(b)), before_ms - 108, before_ms + 60000);
	assert_int_equal(b->now_ms - failover_began_ms(latest(b)), 108);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
#define TEST(f) cmocka_unit_test_setup_teardown(f, setup, teardown)
		TEST(test_a_failover_is_one_log_line_with_its_phases),
		TEST(test_a_start_is_in_the_journal_and_no_failover_in_the_log),
		TEST(test_what_was_felt_since_the_first_doubt_is_counted),
		TEST(test_the_line_waits_for_the_last_held_client),
		TEST(test_who_waited_already_is_held_by_the_new_failover),
		TEST(test_a_crash_that_clients_felt_is_an_interruption),
		TEST(test_a_doubt_that_nobody_felt_is_no_event),
		TEST(test_doubts_in_a_row_are_one_interruption_while_clients_wait),
		TEST(test_a_doubt_that_ends_in_a_loss_is_a_failover_only),
		TEST(test_what_comes_with_the_next_doubt_is_not_counted_twice),
		TEST(test_a_start_counts_who_came_too_early),
		TEST(test_without_any_doubt_before_counting_begins_with_the_loss),
		TEST(test_without_a_session_the_line_comes_in_time_and_leaves_it_out),
		TEST(test_the_wall_clock_is_read_at_the_change),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
