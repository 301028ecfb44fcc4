/* A reload up to the decision: what an operator hears, and that a refused file leaves nothing. */
#include "admin/replies.h"
#include "control/reload.h"
#include "unit/core/config_copy.h"
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

struct disk { /* what the file is, when it is read again */
	struct config *now, *next;
	const char *faults;
	unsigned n_reads;
};

static struct config *load(void *arg, struct buf *faults)
{
	struct disk *d = arg;

	d->n_reads++;
	if (d->next == NULL)
		buf_puts(faults, d->faults);
	return d->next;
}

static struct config *small_config(void)
{
	struct config *c = config_new();

	c->n_clusters = c->n_members = c->n_listeners = 1;
	c->clusters = xcalloc(1, sizeof(*c->clusters));
	c->clusters[0].name = xstrdup("main");
	probe_config_defaults(&c->clusters[0].probe);
	c->members = xcalloc(1, sizeof(*c->members));
	member_config_defaults(&c->members[0]);
	c->members[0].name = xstrdup("n1");
	c->members[0].host = xstrdup("10.0.0.1");
	c->members[0].rest_host = xstrdup("10.0.0.1");
	c->listeners = xcalloc(1, sizeof(*c->listeners));
	listener_config_defaults(&c->listeners[0]);
	c->listeners[0].name = xstrdup("write");
	config_finish(c);
	return c;
}

static int setup(void **state)
{
	struct disk *d = xcalloc(1, sizeof(*d));

	d->now = small_config();
	*state = d;
	return 0;
}

static int teardown(void **state)
{
	struct disk *d = *state;

	config_unref(d->now);
	free(d);
	return 0;
}

/* One reload; returns whether it is to be applied. */
static bool reload(struct disk *d, struct buf *reply)
{
	struct reload_setup setup = {load, d};
	struct config *next = reload_prepare(&setup, d->now, reply);
	bool ok = next != NULL;

	if (ok)
		assert_ptr_equal(next, d->next);
	config_unref(next); /* a refused one is gone already */
	d->next = NULL;
	return ok;
}

static void test_each_change_is_a_line_of_the_reply(void **state)
{
	struct disk *d = *state;
	struct buf reply = {0};

	d->next = config_copy(d->now);
	d->next->listeners[0].hold_ms = 5000;
	d->next->members[0].weight = 7;
	assert_true(reload(d, &reply));
	assert_string_equal(reply.data, "isari: configuration reloaded\n"
					"clusters.main.members.n1.weight: 100 -> 7\n"
					"listeners.write.hold: 30s -> 5s\n");
	assert_false(reply_has_error(reply.data));
	buf_fini(&reply);
}

static void test_the_same_file_is_applied_as_well_and_says_so(void **state)
{
	struct disk *d = *state;
	struct buf reply = {0};

	d->next = config_copy(d->now);
	assert_true(reload(d, &reply));
	assert_string_equal(reply.data, "isari: configuration reloaded, nothing has changed\n");
	buf_fini(&reply);
}

static void test_faults_are_the_reply_and_an_error_to_ctl(void **state)
{
	struct disk *d = *state;
	struct buf reply = {0};

	d->faults = "isari.yaml:3:5: a: b\nisari.yaml:4:5: c: d\n";
	assert_false(reload(d, &reply));
	assert_string_equal(reply.data, "isari: configuration not reloaded, nothing was changed:\n"
					"isari.yaml:3:5: a: b\nisari.yaml:4:5: c: d\n");
	assert_true(reply_has_error(reply.data));
	buf_fini(&reply);
}

static void test_one_key_that_needs_a_restart_refuses_all(void **state)
{
	struct disk *d = *state;
	struct buf reply = {0};

	d->next = config_copy(d->now);
	d->next->listeners[0].hold_ms = 5000;
	d->next->threads = 7;
	assert_false(reload(d, &reply));
	assert_string_equal(reply.data, "isari: configuration not reloaded, nothing was changed:\n"
					"threads: needs a restart: auto -> 7\n");
	assert_true(reply_has_error(reply.data));
	buf_fini(&reply);
}

static void test_a_signal_needs_no_reply(void **state)
{
	struct disk *d = *state;

	d->n_reads = 0;
	d->faults = "isari.yaml: cannot be read\n";
	assert_false(reload(d, NULL));
	d->next = config_copy(d->now);
	assert_true(reload(d, NULL));
	assert_int_equal(d->n_reads, 2);
	reload_refuse("isari is stopping\n", NULL);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_each_change_is_a_line_of_the_reply),
		cmocka_unit_test(test_the_same_file_is_applied_as_well_and_says_so),
		cmocka_unit_test(test_faults_are_the_reply_and_an_error_to_ctl),
		cmocka_unit_test(test_one_key_that_needs_a_restart_refuses_all),
		cmocka_unit_test(test_a_signal_needs_no_reply),
	};

	return cmocka_run_group_tests(tests, setup, teardown);
}
