/* What the log says of a change. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "base/mem.h"
#include "control/announce.h"
#include "io/log.h"
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <unistd.h>

enum { SECOND = 1000 };

struct bench {
	struct config *config;
	int log_fd;
	char text[4096];
};

/* Of two clusters; the first has four listeners. */
static struct config *make_config(void)
{
	static const struct {
		const char *name;
		unsigned cluster, serve;
		int64_t hold_ms;
	} rows[] = {{"write", 0, ROLE_BIT(ROLE_PRIMARY), 30 * SECOND},
		    {"patient", 0, ROLE_BIT(ROLE_PRIMARY), 40 * SECOND},
		    {"none", 0, ROLE_BIT(ROLE_PRIMARY), 0},
		    {"read", 0, ROLE_BIT(ROLE_REPLICA), 30 * SECOND},
		    {"other", 1, ROLE_BIT(ROLE_PRIMARY), 30 * SECOND}};
	struct config *c = config_new();

	c->n_clusters = 2;
	c->clusters = xcalloc(2, sizeof(*c->clusters));
	c->n_listeners = sizeof(rows) / sizeof(rows[0]);
	c->listeners = xcalloc(c->n_listeners, sizeof(*c->listeners));
	for (size_t i = 0; i < c->n_listeners; i++) {
		listener_config_defaults(&c->listeners[i]);
		c->listeners[i].name = xstrdup(rows[i].name);
		c->listeners[i].cluster = rows[i].cluster;
		c->listeners[i].serve = rows[i].serve;
		c->listeners[i].hold_ms = rows[i].hold_ms;
	}
	config_finish(c);
	return c;
}

static int setup(void **state)
{
	struct bench *b = xcalloc(1, sizeof(*b));

	b->config = make_config();
	b->log_fd = memfd_create("log", 0);
	log_open(b->log_fd, &(struct log_options){.least = SEVERITY_INFO});
	*state = b;
	return 0;
}

static int teardown(void **state)
{
	struct bench *b = *state;

	log_close();
	close(b->log_fd);
	config_unref(b->config);
	free(b);
	return 0;
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

static void learn(const struct bench *b, int64_t ttl_ms, int64_t loop_wait_ms)
{
	announce(b->config, &(struct change){.type = CHANGE_SETTINGS,
					     .ttl_ms = ttl_ms,
					     .loop_wait_ms = loop_wait_ms});
}

static void test_a_hold_that_a_failover_can_outlast_is_said_once_per_listener(void **state)
{
	struct bench *b = *state;
	const char *line;

	learn(b, 30 * SECOND, 10 * SECOND);
	line = strstr(logged(b), "event=hold_short listener=write hold_ms=30000 ttl_ms=30000 "
				 "loop_wait_ms=10000 msg=");
	assert_non_null(line);
	assert_null(strstr(line + 1, "event=")); /* no other listener is to blame */
}

static void test_a_hold_that_outlasts_a_failover_is_not_talked_about(void **state)
{
	struct bench *b = *state;

	learn(b, 20 * SECOND, 10 * SECOND);
	assert_string_equal(logged(b), "");
}

#define STORY(f) cmocka_unit_test_setup_teardown(f, setup, teardown)

int main(void)
{
	const struct CMUnitTest tests[] = {
		STORY(test_a_hold_that_a_failover_can_outlast_is_said_once_per_listener),
		STORY(test_a_hold_that_outlasts_a_failover_is_not_talked_about),
	};

	return cmocka_run_group_tests_name("announce", tests, NULL, NULL);
}
