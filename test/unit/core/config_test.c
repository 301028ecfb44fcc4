/* Defaults are those of the documentation; what is derived fits; the count frees once. */
#include "base/mem.h"
#include "core/config.h"
#include <pthread.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

static void a_new_configuration_has_the_documented_defaults(void **state)
{
	struct config *c = config_new();

	(void)state;
	assert_int_equal(c->threads, 0);
	assert_int_equal(c->maxconn, 20000);
	assert_int_equal(c->log.level, LOG_LEVEL_INFO);
	assert_int_equal(c->log.format, LOG_FORMAT_TEXT);
	assert_true(c->log.sessions);
	assert_string_equal(c->log.tag, "haproxy");
	assert_int_equal(c->drain_timeout_ms, 30000);
	assert_int_equal(c->n_clusters + c->n_members + c->n_listeners + c->n_stats_sockets, 0);
	config_unref(c);
}

static void probing_has_the_documented_defaults(void **state)
{
	struct probe_config p;

	(void)state;
	probe_config_defaults(&p);
	assert_int_equal(p.interval_ms, 1000);
	assert_int_equal(p.fast_interval_ms, 100);
	assert_int_equal(p.timeout_ms, 3000);
	assert_int_equal(p.fall, 3);
	assert_int_equal(p.rise, 1);
	assert_int_equal(p.lease_ms, 10000);
	assert_int_equal(p.ping_timeout_ms, 1000);
	assert_false(p.sql.wanted);
}

static void a_listener_has_the_documented_defaults(void **state)
{
	struct listener_config l;

	(void)state;
	listener_config_defaults(&l);
	assert_int_equal(l.serve, ROLE_BIT(ROLE_PRIMARY));
	assert_int_equal(l.balance, BALANCE_ROUNDROBIN);
	assert_int_equal(l.maxconn, 10000);
	assert_int_equal(l.server_maxconn, 0);
	assert_int_equal(l.on_demotion, POLICY_CLOSE);
	assert_int_equal(l.on_unreachable, POLICY_CLOSE);
	assert_int_equal(l.on_lag, POLICY_KEEP);
	assert_int_equal(l.fallback, FALLBACK_NONE);
	assert_false(l.has_max_lag);
	assert_int_equal(l.hold_ms, 30000);
	assert_int_equal(l.hold_max, 10000);
	assert_int_equal(l.protocol, PROTOCOL_POSTGRESQL);
	assert_int_equal(l.timeouts.connect_ms, 1000);
	assert_int_equal(l.timeouts.startup_ms, 60000);
	assert_int_equal(l.timeouts.client_idle_ms, 0);
	assert_int_equal(l.timeouts.server_idle_ms, 0);
	assert_int_equal(l.keepalive.idle_ms, 30000);
	assert_int_equal(l.keepalive.interval_ms, 10000);
	assert_int_equal(l.keepalive.count, 3);
	assert_int_equal(l.keepalive.user_timeout_ms, 30000);
}

static void members_and_sockets_have_the_documented_defaults(void **state)
{
	struct stats_socket_config s;
	struct member_config m;

	(void)state;
	member_config_defaults(&m);
	assert_int_equal(m.port, 5432);
	assert_int_equal(m.rest_port, 8008);
	assert_false(m.rest_tls);
	assert_int_equal(m.weight, 100);
	stats_socket_config_defaults(&s);
	assert_int_equal(s.mode, 0660);
	assert_int_equal(s.level, LEVEL_OPERATOR);
}

/* Two clusters: `one` with two members, `two` with one; three listeners. */
static struct config *two_clusters(void)
{
	static const unsigned cluster_of_member[] = {0, 0, 1}, cluster_of_listener[] = {0, 1, 0};
	static const unsigned serve[] = {ROLE_BIT(ROLE_PRIMARY), ROLE_BIT(ROLE_ANY),
					 ROLE_BIT(ROLE_SYNC)};
	struct config *c = config_new();

	c->n_clusters = 2;
	c->clusters = xcalloc(2, sizeof(*c->clusters));
	c->clusters[0].name = xstrdup("one");
	c->clusters[0].scope = xstrdup("scope");
	c->clusters[1].name = xstrdup("two");
	c->n_members = c->n_listeners = 3;
	c->members = xcalloc(3, sizeof(*c->members));
	c->listeners = xcalloc(3, sizeof(*c->listeners));
	for (unsigned i = 0; i < 3; i++) {
		c->members[i].cluster = cluster_of_member[i];
		c->members[i].name = xasprintf("n%u", i);
		c->members[i].host = xstrdup("h");
		c->members[i].rest_host = xstrdup("h");
		c->listeners[i].name = xasprintf("l%u", i);
		c->listeners[i].cluster = cluster_of_listener[i];
		c->listeners[i].serve = serve[i];
		c->listeners[i].binds = xcalloc(1, sizeof(struct addr));
	}
	c->n_stats_sockets = 1;
	c->stats_sockets = xcalloc(1, sizeof(*c->stats_sockets));
	c->stats_sockets[0].user = xstrdup("postgres");
	return c;
}

static void what_is_derived_fits_the_rest(void **state)
{
	struct config *c = two_clusters();

	(void)state;
	config_finish(c);
	assert_int_equal(c->clusters[0].first_member, 0);
	assert_int_equal(c->clusters[0].n_members, 2);
	assert_int_equal(c->clusters[1].first_member, 2);
	assert_int_equal(c->clusters[1].n_members, 1);
	assert_int_equal(c->clusters[0].roles_served, ROLE_BIT(ROLE_PRIMARY) | ROLE_BIT(ROLE_SYNC));
	assert_int_equal(c->clusters[1].roles_served, ROLE_BIT(ROLE_ANY));
	for (unsigned i = 0; i < 3; i++) {
		assert_int_equal(c->members[i].id, i);
		assert_int_equal(c->listeners[i].id, i);
	}
	assert_string_equal(config_listener_cluster(c, &c->listeners[1])->name, "two");
	config_unref(c);
}

static void *borrow_and_return(void *arg)
{
	for (int i = 0; i < 1000; i++)
		config_unref(config_ref(arg));
	config_unref(arg);
	return NULL;
}

static void the_last_reference_frees_on_any_thread(void **state)
{
	struct config *c = two_clusters();
	pthread_t threads[4];

	(void)state;
	for (int i = 0; i < 4; i++)
		assert_int_equal(
			pthread_create(&threads[i], NULL, borrow_and_return, config_ref(c)), 0);
	config_unref(c);
	for (int i = 0; i < 4; i++)
		assert_int_equal(pthread_join(threads[i], NULL), 0);
	config_unref(NULL); /* nothing to give back */
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(a_new_configuration_has_the_documented_defaults),
		cmocka_unit_test(probing_has_the_documented_defaults),
		cmocka_unit_test(a_listener_has_the_documented_defaults),
		cmocka_unit_test(members_and_sockets_have_the_documented_defaults),
		cmocka_unit_test(what_is_derived_fits_the_rest),
		cmocka_unit_test(the_last_reference_frees_on_any_thread),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
