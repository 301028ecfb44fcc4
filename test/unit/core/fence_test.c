/* Which sessions a new view dooms. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "core/fence.h"
#include "view_fixture.h"

struct verdicts {
	struct doomed list[8];
	size_t n;
};

static void note(void *arg, const struct doomed *d)
{
	struct verdicts *v = arg;

	assert_true(v->n < 8);
	v->list[v->n++] = *d;
}

struct pair {
	struct view *before, *now;
};

static struct pair open_pair(void)
{
	struct config *c = fixture_config((unsigned[]){100, 100, 100}, 3);
	struct pair p = {view_new(c), view_new(c)};

	fixture_open_all(p.before);
	fixture_open_all(p.now);
	config_unref(c);
	return p;
}

static void close_pair(struct pair *p)
{
	view_unref(p->before);
	view_unref(p->now);
}

static void close_server(struct view *v, unsigned listener, unsigned server, enum close_reason why)
{
	struct view_server *s = &v->listeners[listener].servers[server];

	s->state = SERVER_CLOSED;
	s->cut = why;
	s->generation++;
}

static struct verdicts compare(const struct pair *p)
{
	struct verdicts v = {0};

	size_t n = fence_compare(p->before, p->now, note, &v);

	assert_int_equal(n, v.n);
	return v;
}

static void test_nothing_closed_nobody_doomed(void **state)
{
	struct pair p = open_pair();

	(void)state;
	assert_int_equal(compare(&p).n, 0);
	close_pair(&p);
}

static void test_closed_servers_are_doomed_with_their_reason(void **state)
{
	struct pair p = open_pair();
	struct verdicts v;

	(void)state;
	close_server(p.now, 0, 2, CLOSE_DEMOTED);
	close_server(p.now, 1, 0, CLOSE_UNREACHABLE);
	v = compare(&p);
	assert_int_equal(v.n, 2);
	assert_int_equal(v.list[0].listener, 0);
	assert_int_equal(v.list[0].server, 2);
	assert_int_equal(v.list[0].reason, CLOSE_DEMOTED);
	assert_int_equal(v.list[1].listener, 1);
	assert_int_equal(v.list[1].server, 0);
	assert_int_equal(v.list[1].reason, CLOSE_UNREACHABLE);
	close_pair(&p);
}

static void test_server_closed_in_both_views_is_not_doomed_again(void **state)
{
	struct pair p = open_pair();

	(void)state;
	close_server(p.before, 0, 1, CLOSE_DEMOTED);
	close_server(p.now, 0, 1, CLOSE_DEMOTED);
	assert_int_equal(compare(&p).n, 0);
	close_pair(&p);
}

static void test_kept_and_paused_servers_doom_nobody(void **state)
{
	struct pair p = open_pair();

	(void)state;
	p.now->listeners[0].servers[0].state = SERVER_KEPT;
	p.now->listeners[0].servers[1].state = SERVER_PAUSED;
	assert_int_equal(compare(&p).n, 0);
	close_pair(&p);
}

/* The worker slept over the view in between. */
static void test_server_closed_and_reopened_between_two_views_is_doomed(void **state)
{
	struct pair p = open_pair();
	struct verdicts v;

	(void)state;
	close_server(p.now, 0, 1, CLOSE_LEASE);
	p.now->listeners[0].servers[1].state = SERVER_OPEN;
	v = compare(&p);
	assert_int_equal(v.n, 1);
	assert_int_equal(v.list[0].server, 1);
	assert_int_equal(v.list[0].reason, CLOSE_LEASE);
	close_pair(&p);
}

static void test_reason_forgotten_on_reopening_reads_as_fenced(void **state)
{
	struct pair p = open_pair();
	struct verdicts v;

	(void)state;
	close_server(p.now, 0, 1, 0);
	p.now->listeners[0].servers[1].state = SERVER_OPEN;
	v = compare(&p);
	assert_int_equal(v.n, 1);
	assert_int_equal(v.list[0].reason, CLOSE_FENCED);
	close_pair(&p);
}

static void test_first_view_dooms_nobody(void **state)
{
	struct pair p = open_pair();
	struct verdicts v = {0};

	(void)state;
	close_server(p.now, 0, 1, CLOSE_DEMOTED);
	assert_int_equal(fence_compare(NULL, p.now, note, &v), 0);
	assert_int_equal(v.n, 0);
	close_pair(&p);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_nothing_closed_nobody_doomed),
		cmocka_unit_test(test_closed_servers_are_doomed_with_their_reason),
		cmocka_unit_test(test_server_closed_in_both_views_is_not_doomed_again),
		cmocka_unit_test(test_kept_and_paused_servers_doom_nobody),
		cmocka_unit_test(test_server_closed_and_reopened_between_two_views_is_doomed),
		cmocka_unit_test(test_reason_forgotten_on_reopening_reads_as_fenced),
		cmocka_unit_test(test_first_view_dooms_nobody),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
