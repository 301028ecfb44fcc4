/* The list whose nodes live inside the objects. */
#include "base/list.h"
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

struct item {
	int value;
	struct list node;
};

/* The values as one number: items 1, 2, 3 give 123. */
static int digits(const struct list *head)
{
	int n = 0;

	LIST_FOREACH (node, head)
		n = 10 * n + LIST_ENTRY(node, struct item, node)->value;
	return n;
}

static void fill(struct list *head, struct item *items, int n)
{
	list_init(head);
	for (int i = 0; i < n; i++) {
		items[i].value = i + 1;
		list_append(head, &items[i].node);
	}
}

static void items_stay_in_their_order(void **state)
{
	struct list head = LIST_INIT(head);
	struct item items[3];

	(void)state;
	assert_true(list_empty(&head));
	assert_int_equal(digits(&head), 0);
	fill(&head, items, 3);
	assert_false(list_empty(&head));
	assert_int_equal(digits(&head), 123);
}

static void unlinking_twice_is_harmless(void **state)
{
	struct item items[3];
	struct list head;

	(void)state;
	fill(&head, items, 3);
	list_unlink(&items[1].node);
	list_unlink(&items[1].node);
	assert_int_equal(digits(&head), 13);
	list_append(&head, &items[1].node);
	assert_int_equal(digits(&head), 132);
}

static void a_whole_list_moves_to_the_end_of_another(void **state)
{
	struct item a[2], b[2];
	struct list to, from;

	(void)state;
	fill(&to, a, 2);
	fill(&from, b, 2);
	b[0].value = 8;
	b[1].value = 9;
	list_move_all(&to, &from);
	assert_int_equal(digits(&to), 1289);
	assert_true(list_empty(&from));
	list_move_all(&to, &from); /* nothing more to move */
	assert_int_equal(digits(&to), 1289);
	list_move_all(&from, &to); /* into an empty one */
	assert_int_equal(digits(&from), 1289);
	assert_true(list_empty(&to));
	list_unlink(&b[1].node);
	assert_int_equal(digits(&from), 128);
}

static void the_safe_walk_survives_unlinking(void **state)
{
	struct item items[5];
	struct list head;
	int seen = 0;

	(void)state;
	fill(&head, items, 5);
	LIST_FOREACH_SAFE (node, &head) {
		seen = 10 * seen + LIST_ENTRY(node, struct item, node)->value;
		if (seen % 2)
			list_unlink(node);
	}
	assert_int_equal(seen, 12345);
	assert_int_equal(digits(&head), 24);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(items_stay_in_their_order),
		cmocka_unit_test(unlinking_twice_is_harmless),
		cmocka_unit_test(a_whole_list_moves_to_the_end_of_another),
		cmocka_unit_test(the_safe_walk_survives_unlinking),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
