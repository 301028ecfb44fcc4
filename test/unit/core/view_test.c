/* Views: how turns are unrolled, what counts as the same routing, and what clients read. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "core/counters.h"
#include "view_fixture.h"
#include <stdlib.h>

enum { READ = 1 };

static unsigned turns_of(const struct view_listener *l, unsigned server)
{
	unsigned n = 0;

	for (unsigned t = 0; t < l->n_turns; t++)
		n += l->turns[t] == server;
	return n;
}

static void test_new_view_has_every_server_closed(void **state)
{
	struct view *v = fixture_view((unsigned[]){100, 50}, 2);

	(void)state;
	assert_int_equal(v->n_listeners, 2);
	for (unsigned l = 0; l < 2; l++) {
		assert_int_equal(v->listeners[l].listener, l);
		assert_int_equal(v->listeners[l].n_servers, 2);
		assert_int_equal(v->listeners[l].n_open, 0);
		for (unsigned i = 0; i < 2; i++) {
			const struct view_server *s = &v->listeners[l].servers[i];

			assert_int_equal(s->state, SERVER_CLOSED);
			assert_int_equal(s->member, i);
			assert_int_equal(s->row, counters_server_row(v->config, l, i));
			assert_int_equal(s->weight, i ? 50 : 100);
			assert_int_equal(s->port, 5432);
		}
	}
	view_unref(v);
}

static void test_view_lives_until_its_last_reference(void **state)
{
	struct config *c = fixture_config((unsigned[]){100}, 1);
	struct view *v = view_new(c);

	(void)state;
	assert_int_equal(atomic_load(&c->refs), 2);
	assert_ptr_equal(view_ref(v), v);
	view_unref(v);
	assert_int_equal(atomic_load(&c->refs), 2);
	view_unref(v);
	assert_int_equal(atomic_load(&c->refs), 1);
	view_unref(NULL);
	config_unref(c);
}

static void test_equal_weights_alternate_strictly(void **state)
{
	struct view *v = fixture_view((unsigned[]){100, 100, 100}, 3);
	const struct view_listener *l = &v->listeners[READ];

	(void)state;
	fixture_open_all(v);
	assert_int_equal(l->n_open, 3);
	assert_int_equal(l->n_turns, 3);
	for (unsigned i = 0; i < 3; i++)
		assert_int_equal(turns_of(l, i), 1);
	v->listeners[READ].servers[1].state = SERVER_KEPT;
	view_finish(v);
	assert_int_equal(l->n_turns, 2);
	assert_int_equal(l->turns[0], 0);
	assert_int_equal(l->turns[1], 2);
	view_unref(v);
}

static void test_weighted_turns_are_spread_not_bunched(void **state)
{
	struct view *v = fixture_view((unsigned[]){150, 50}, 2);
	const struct view_listener *l = &v->listeners[READ];
	const uint16_t expected[] = {0, 0, 1, 0};

	(void)state;
	fixture_open_all(v);
	assert_int_equal(l->n_turns, 4);
	assert_memory_equal(l->turns, expected, sizeof(expected));
	view_unref(v);
}

static void test_weight_zero_takes_no_new_sessions(void **state)
{
	struct view *v = fixture_view((unsigned[]){0, 100, 0}, 3);
	const struct view_listener *l = &v->listeners[READ];

	(void)state;
	fixture_open_all(v);
	assert_int_equal(l->n_open, 1);
	assert_int_equal(l->n_turns, 1);
	assert_int_equal(l->turns[0], 1);
	v->listeners[READ].servers[1].weight = 0;
	view_finish(v);
	assert_int_equal(l->n_open, 0);
	assert_int_equal(l->n_turns, 0);
	assert_null(l->turns);
	view_unref(v);
}

static void test_states_other_than_open_have_no_turn(void **state)
{
	struct view *v = fixture_view((unsigned[]){100, 100, 100}, 3);
	struct view_listener *l = &v->listeners[0];

	(void)state;
	l->servers[0].state = SERVER_KEPT;
	l->servers[1].state = SERVER_PAUSED;
	l->servers[2].state = SERVER_CLOSED;
	view_finish(v);
	assert_int_equal(l->n_open, 0);
	assert_int_equal(l->n_turns, 0);
	view_unref(v);
}

/* Coprime weights would need 256+255+253+251+247+241+239 turns. */
static void test_turns_are_bounded_and_keep_their_proportions(void **state)
{
	unsigned weights[] = {256, 255, 253, 251, 247, 241, 239, 1};
	struct view *v = fixture_view(weights, 8);
	const struct view_listener *l = &v->listeners[READ];

	(void)state;
	fixture_open_all(v);
	assert_in_range(l->n_turns, 1000, 1024);
	for (unsigned i = 0; i < 8; i++)
		assert_in_range(turns_of(l, i), weights[i] * 1000 / 1743,
				weights[i] * 1024 / 1743 + 2);
	assert_true(turns_of(l, 7) >= 1);
	view_unref(v);
}

static void test_more_servers_than_the_bound_have_one_turn_each(void **state)
{
	enum { MANY = 1500 };
	unsigned *weights = xcalloc(MANY, sizeof(*weights));
	struct view *v;

	(void)state;
	for (unsigned i = 0; i < MANY; i++)
		weights[i] = 1 + i % 256;
	v = fixture_view(weights, MANY);
	v->n_listeners = 1; /* the second would only repeat the first */
	view_finish(v);
	fixture_open_all(v);
	assert_int_equal(v->listeners[0].n_turns, MANY);
	for (unsigned t = 0; t < MANY; t++)
		assert_int_equal(v->listeners[0].turns[t], t);
	v->n_listeners = 2;
	view_unref(v);
	free(weights);
}

static void test_same_routing_ignores_the_generation(void **state)
{
	struct config *c = fixture_config((unsigned[]){100, 100}, 2);
	struct view *a = view_new(c), *b = view_new(c);

	(void)state;
	a->generation = 1;
	b->generation = 2;
	assert_true(view_same(a, b));
	assert_true(view_same(a, a));
	view_unref(a);
	view_unref(b);
	config_unref(c);
}

static void differ_state(struct view_listener *l)
{
	l->servers[1].state = SERVER_OPEN;
}

static void differ_generation(struct view_listener *l)
{
	l->servers[1].generation++;
}

static void differ_drain_back(struct view_listener *l)
{
	l->servers[0].drain_back = true;
}

static void differ_ip(struct view_listener *l)
{
	strcpy(l->servers[0].ip, "10.0.0.9");
}

static void differ_cut(struct view_listener *l)
{
	l->servers[0].cut = CLOSE_DEMOTED;
}

static void differ_why(struct view_listener *l)
{
	l->servers[0].why = WHY_ROLE_LOST;
}

static void differ_weight(struct view_listener *l)
{
	l->servers[0].weight = 7;
}

static void differ_none_why(struct view_listener *l)
{
	l->none_why = WHY_AMBIGUOUS;
}

static void differ_none_member(struct view_listener *l)
{
	l->none_member = 1;
}

static void differ_none_since(struct view_listener *l)
{
	l->none_since_ms = 5;
}

static void test_every_routing_difference_is_seen(void **state)
{
	static void (*const differences[])(struct view_listener *) = {
		differ_drain_back,  differ_state,     differ_generation, differ_ip,
		differ_cut,         differ_why,       differ_weight,     differ_none_why,
		differ_none_member, differ_none_since};
	struct config *c = fixture_config((unsigned[]){100, 100}, 2);

	(void)state;
	for (size_t i = 0; i < sizeof(differences) / sizeof(differences[0]); i++) {
		struct view *a = view_new(c), *b = view_new(c);

		differences[i](&b->listeners[READ]);
		assert_false(view_same(a, b));
		assert_false(view_same(b, a));
		view_unref(a);
		view_unref(b);
	}
	config_unref(c);
}

static void test_cut_reason_of_an_open_server_is_no_difference(void **state)
{
	struct config *c = fixture_config((unsigned[]){100}, 1);
	struct view *a = view_new(c), *b = view_new(c);

	(void)state;
	fixture_open_all(a);
	fixture_open_all(b);
	b->listeners[0].servers[0].cut = CLOSE_DEMOTED;
	assert_true(view_same(a, b));
	view_unref(a);
	view_unref(b);
	config_unref(c);
}

static void expect_sentence(const struct view *v, unsigned listener, int64_t now_ms,
			    const char *expected)
{
	char text[320];

	view_none_sentence(v, listener, now_ms, text, sizeof(text));
	assert_string_equal(text, expected);
}

static void test_sentence_says_cluster_role_since_and_why(void **state)
{
	struct view *v = fixture_view((unsigned[]){100, 100}, 2);
	struct view_listener *l = &v->listeners[0];

	(void)state;
	l->none_since_ms = 1000;
	l->none_member = 0;
	l->none_why = WHY_REST_SILENT;
	expect_sentence(v, 0, 4250,
			"cluster \"main\" has no primary since 3.2s: "
			"n1 does not answer on its Patroni port");
	l->none_why = WHY_AMBIGUOUS;
	expect_sentence(v, 0, 1150,
			"cluster \"main\" has no primary since 150ms: "
			"n1 and another member prove the same timeline");
	view_unref(v);
}

static void test_sentence_without_a_member(void **state)
{
	struct view *v = fixture_view((unsigned[]){100, 100}, 2);
	struct view_listener *l = &v->listeners[0];

	(void)state;
	l->none_why = WHY_NO_PROOF;
	expect_sentence(v, 0, 2000,
			"cluster \"main\" has no primary since 2.0s: "
			"no member has proven to be primary");
	l->none_why = WHY_NOT_ASKED;
	expect_sentence(v, 0, 2000,
			"cluster \"main\" has no primary since 2.0s: "
			"a member has not answered yet");
	l->none_why = WHY_NONE;
	expect_sentence(v, 0, 2000, "cluster \"main\" has no primary since 2.0s");
	view_unref(v);
}

static void test_sentence_names_the_last_primary_if_it_is_somebody_else(void **state)
{
	struct view *v = fixture_view((unsigned[]){100, 100}, 2);
	struct view_listener *l = &v->listeners[0];

	(void)state;
	l->none_why = WHY_AMBIGUOUS;
	l->none_member = 0;
	l->none_last = 1;
	expect_sentence(
		v, 0, 2000,
		"cluster \"main\" has no primary since 2.0s: n1 and another member prove the "
		"same timeline; the last primary was n2");
	l->none_last = 0;
	expect_sentence(
		v, 0, 2000,
		"cluster \"main\" has no primary since 2.0s: n1 and another member prove the "
		"same timeline");
	view_unref(v);
}

static void test_sentence_when_only_the_weight_is_in_the_way(void **state)
{
	struct view *v = fixture_view((unsigned[]){0}, 1);

	(void)state;
	fixture_open_all(v);
	v->listeners[0].none_member = 0;
	v->listeners[0].none_why = WHY_PROVEN;
	expect_sentence(v, 0, 0,
			"cluster \"main\" has no primary since 0ms: "
			"every server with the role has weight 0");
	view_unref(v);
}

static void test_sentence_names_the_roles_that_are_served(void **state)
{
	struct view *v = fixture_view((unsigned[]){100}, 1);
	struct listener_config *lc = &v->config->listeners[0];

	(void)state;
	v->listeners[0].none_why = WHY_NONE;
	lc->serve = ROLE_BIT(ROLE_REPLICA) | ROLE_BIT(ROLE_PRIMARY);
	expect_sentence(v, 0, 0, "cluster \"main\" has no primary or replica since 0ms");
	lc->serve = ROLE_BIT(ROLE_SYNC) | ROLE_BIT(ROLE_QUORUM);
	expect_sentence(v, 0, 0,
			"cluster \"main\" has no sync replica or quorum replica since 0ms");
	lc->serve = ROLE_BIT(ROLE_ANY) | ROLE_BIT(ROLE_PRIMARY);
	expect_sentence(v, 0, 0, "cluster \"main\" has no running server since 0ms");
	lc->serve = ROLE_BIT(ROLE_STANDBY_LEADER);
	expect_sentence(v, 0, 0, "cluster \"main\" has no standby leader since 0ms");
	lc->serve = ROLE_BIT(ROLE_REPLICA);
	lc->fallback = FALLBACK_PRIMARY;
	expect_sentence(v, 0, 0, "cluster \"main\" has no primary or replica since 0ms");
	view_unref(v);
}

static void test_sentence_is_cut_to_the_room(void **state)
{
	struct view *v = fixture_view((unsigned[]){100}, 1);
	char text[20];

	(void)state;
	view_none_sentence(v, 0, 0, text, sizeof(text));
	assert_string_equal(text, "cluster \"main\" has ");
	v->config->listeners[0].serve = (1u << N_ROLES) - 1 - ROLE_BIT(ROLE_ANY);
	v->listeners[0].none_member = 0;
	for (size_t n = 1; n <= sizeof(text); n++) {
		view_none_sentence(v, 0, 0, text, n);
		assert_int_equal(strlen(text), n - 1);
	}
	view_unref(v);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_new_view_has_every_server_closed),
		cmocka_unit_test(test_view_lives_until_its_last_reference),
		cmocka_unit_test(test_equal_weights_alternate_strictly),
		cmocka_unit_test(test_weighted_turns_are_spread_not_bunched),
		cmocka_unit_test(test_weight_zero_takes_no_new_sessions),
		cmocka_unit_test(test_states_other_than_open_have_no_turn),
		cmocka_unit_test(test_turns_are_bounded_and_keep_their_proportions),
		cmocka_unit_test(test_more_servers_than_the_bound_have_one_turn_each),
		cmocka_unit_test(test_same_routing_ignores_the_generation),
		cmocka_unit_test(test_every_routing_difference_is_seen),
		cmocka_unit_test(test_cut_reason_of_an_open_server_is_no_difference),
		cmocka_unit_test(test_sentence_says_cluster_role_since_and_why),
		cmocka_unit_test(test_sentence_without_a_member),
		cmocka_unit_test(test_sentence_names_the_last_primary_if_it_is_somebody_else),
		cmocka_unit_test(test_sentence_when_only_the_weight_is_in_the_way),
		cmocka_unit_test(test_sentence_names_the_roles_that_are_served),
		cmocka_unit_test(test_sentence_is_cut_to_the_room),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
