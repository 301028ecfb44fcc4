/* Names to numbers: exactly one answer, later. */
#include "io/loop.h"
#include "io/resolve.h"
#include "peer.h"

struct answer {
	int calls, status;
	char ip[RESOLVE_IP_BYTES];
};

static void on_resolved(void *arg, int status, const char *ip)
{
	struct answer *a = arg;

	a->calls++;
	a->status = status;
	assert_true((status == 0) == (ip != NULL));
	snprintf(a->ip, sizeof(a->ip), "%s", ip ? ip : "");
}

static struct answer resolve(const char *host)
{
	struct answer a = {0};
	uv_loop_t loop;

	assert_int_equal(loop_open(&loop), 0);
	assert_int_equal(resolve_start(&loop, host, on_resolved, &a), 0);
	assert_int_equal(a.calls, 0); /* never from inside */
	uv_run(&loop, UV_RUN_DEFAULT);
	assert_int_equal(a.calls, 1);
	loop_close(&loop, "resolve test");
	assert_int_equal(a.calls, 1);
	return a;
}

static void test_numbers_answer_as_they_are(void **state)
{
	(void)state;
	assert_string_equal(resolve("10.1.2.3").ip, "10.1.2.3");
	assert_string_equal(resolve("fd00::12").ip, "fd00::12");
}

static void test_localhost_is_ipv4_first(void **state)
{
	struct answer a = resolve("localhost");

	(void)state;
	assert_int_equal(a.status, 0);
	assert_string_equal(a.ip, "127.0.0.1");
}

static void test_a_name_that_cannot_exist_is_an_error(void **state)
{
	struct answer a = resolve("no-such-host.invalid");

	(void)state;
	assert_true(a.status < 0);
	assert_string_equal(a.ip, "");
}

static void test_a_name_longer_than_dns_allows_is_refused(void **state)
{
	struct answer a = {0};
	char name[400];
	uv_loop_t loop;

	(void)state;
	memset(name, 'a', sizeof(name));
	name[sizeof(name) - 1] = '\0';
	assert_int_equal(loop_open(&loop), 0);
	assert_true(resolve_start(&loop, name, on_resolved, &a) < 0);
	loop_close(&loop, "resolve test");
	assert_int_equal(a.calls, 0); /* an error from start and no call back */
}

static void test_many_at_once_each_answer_once(void **state)
{
	struct answer a[20] = {0};
	uv_loop_t loop;

	(void)state;
	assert_int_equal(loop_open(&loop), 0);
	for (int i = 0; i < 20; i++)
		assert_int_equal(
			resolve_start(&loop, i % 2 ? "localhost" : "127.0.0.9", on_resolved, &a[i]),
			0);
	loop_close(&loop, "resolve test"); /* runs what is under way to its end */
	for (int i = 0; i < 20; i++) {
		assert_int_equal(a[i].calls, 1);
		assert_int_equal(a[i].status, 0);
	}
}

static bool any_may_be_bound(void)
{
	FILE *f = fopen("/proc/sys/net/ipv4/ip_nonlocal_bind", "r");
	int value = 0;

	assert_int_equal(fscanf(f, "%d", &value), 1);
	fclose(f);
	return value != 0;
}

static void test_which_addresses_are_ours(void **state)
{
	(void)state;
	assert_true(resolve_is_ours("127.0.0.1"));
	assert_false(resolve_is_ours("localhost"));
	assert_false(resolve_is_ours(""));
	if (access("/proc/sys/net/ipv4/ip_nonlocal_bind", R_OK) == 0)
		assert_int_equal(resolve_is_ours("192.0.2.1"), any_may_be_bound());
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_numbers_answer_as_they_are),
		cmocka_unit_test(test_localhost_is_ipv4_first),
		cmocka_unit_test(test_a_name_that_cannot_exist_is_an_error),
		cmocka_unit_test(test_a_name_longer_than_dns_allows_is_refused),
		cmocka_unit_test(test_many_at_once_each_answer_once),
		cmocka_unit_test(test_which_addresses_are_ours),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
