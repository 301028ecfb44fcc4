/* Prometheus' text format, to the byte: a page with one bad line is refused whole. */
#include "wire/prometheus.h"
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

static int setup(void **state)
{
	static struct buf out;

	*state = &out;
	return 0;
}

static int teardown(void **state)
{
	buf_fini(*state);
	return 0;
}

static void a_family_says_what_it_is(void **state)
{
	struct buf *out = *state;

	prom_family(out, "isari_x", PROM_GAUGE, "What it is.");
	prom_family(out, "isari_y_total", PROM_COUNTER, "How many.");
	prom_family(out, "isari_z", PROM_HISTOGRAM, "How long.");
	assert_string_equal(out->data, "# HELP isari_x What it is.\n# TYPE isari_x gauge\n"
				       "# HELP isari_y_total How many.\n"
				       "# TYPE isari_y_total counter\n"
				       "# HELP isari_z How long.\n# TYPE isari_z histogram\n");
}

static void numbers_are_written_exactly(void **state)
{
	struct buf *out = *state;

	prom_sample(out, "a", NULL, PROM_INTEGER(0));
	prom_sample(out, "b", "", PROM_INTEGER(-1));
	prom_sample(out, "c", NULL, PROM_INTEGER(INT64_MAX));
	prom_sample(out, "d", NULL, PROM_INTEGER(INT64_MIN));
	prom_sample(out, "e", NULL, PROM_MS(1));
	prom_sample(out, "f", NULL, PROM_MS(-1500));
	prom_sample(out, "g", NULL, PROM_US(12000007));
	prom_sample(out, "h", NULL, (struct prom_value){.kind = PROM_NAN});
	prom_sample(out, "i", NULL, (struct prom_value){.kind = PROM_ABSENT});
	assert_string_equal(out->data, "a 0\nb -1\nc 9223372036854775807\nd -9223372036854775808\n"
				       "e 0.001\nf -1.500\ng 12.000007\nh NaN\n");
}

static void labels_are_in_braces_and_separated(void **state)
{
	struct buf *out = *state, labels = {0};

	prom_label(&labels, "proxy", "write");
	prom_sample(out, "a", labels.data, PROM_INTEGER(1));
	prom_label(&labels, "server", "n1");
	prom_sample(out, "b", labels.data, PROM_INTEGER(2));
	prom_sample_with(out, "c", labels.data, "state", "UP", PROM_INTEGER(3));
	prom_sample_with(out, "d", "", "state", "UP", PROM_INTEGER(4));
	prom_sample_with(out, "e", NULL, "state", "UP", PROM_INTEGER(5));
	assert_string_equal(out->data, "a{proxy=\"write\"} 1\n"
				       "b{proxy=\"write\",server=\"n1\"} 2\n"
				       "c{proxy=\"write\",server=\"n1\",state=\"UP\"} 3\n"
				       "d{state=\"UP\"} 4\ne{state=\"UP\"} 5\n");
	buf_fini(&labels);
}

static void what_would_break_out_of_a_label_is_escaped(void **state)
{
	struct buf *labels = *state;

	prom_label(labels, "x", "a\"} 1\nb{c=\\\"");
	assert_string_equal(labels->data, "x=\"a\\\"} 1\\nb{c=\\\\\\\"\"");
}

static void what_is_no_utf8_is_a_question_mark(void **state)
{
	struct buf *labels = *state;

	prom_label(labels, "good", "caf\xc3\xa9 \xe1\x83\x98 \xf0\x9f\x98\x80 \xef\xbf\xbd");
	prom_label(labels, "bad", "\xff|\xc3|\xc0\x80|\xed\xa0\x80|\xf5\x80\x80\x80|\xe1\x83");
	assert_string_equal(labels->data,
			    "good=\"caf\xc3\xa9 \xe1\x83\x98 \xf0\x9f\x98\x80 \xef\xbf\xbd\","
			    "bad=\"?|?|??|???|????|\?\?\"");
}

static void buckets_are_cumulative_and_bounds_are_short(void **state)
{
	static const int64_t bounds[] = {1, 250, 1000, 10000};
	struct buf *out = *state;
	struct hist h;

	hist_init(&h, bounds, 4);
	hist_add(&h, 1);
	hist_add(&h, 200);
	hist_add(&h, 200);
	hist_add(&h, 20000);
	prom_histogram(out, "t", "m=\"n1\"", &h, 3);
	assert_string_equal(out->data, "t_bucket{m=\"n1\",le=\"0.001\"} 1\n"
				       "t_bucket{m=\"n1\",le=\"0.25\"} 3\n"
				       "t_bucket{m=\"n1\",le=\"1\"} 3\n"
				       "t_bucket{m=\"n1\",le=\"10\"} 3\n"
				       "t_bucket{m=\"n1\",le=\"+Inf\"} 4\n"
				       "t_sum{m=\"n1\"} 20.401\nt_count{m=\"n1\"} 4\n");
}

static void bounds_of_whole_units_keep_their_zeros(void **state)
{
	static const int64_t bounds[] = {10, 100};
	struct buf *out = *state;
	struct hist h;

	hist_init(&h, bounds, 2);
	prom_histogram(out, "t", NULL, &h, 0);
	assert_string_equal(out->data, "t_bucket{le=\"10\"} 0\nt_bucket{le=\"100\"} 0\n"
				       "t_bucket{le=\"+Inf\"} 0\nt_sum 0\nt_count 0\n");
}

#define TEST(name) cmocka_unit_test_setup_teardown(name, setup, teardown)

int main(void)
{
	const struct CMUnitTest tests[] = {
		TEST(a_family_says_what_it_is),
		TEST(numbers_are_written_exactly),
		TEST(labels_are_in_braces_and_separated),
		TEST(what_would_break_out_of_a_label_is_escaped),
		TEST(what_is_no_utf8_is_a_question_mark),
		TEST(buckets_are_cumulative_and_bounds_are_short),
		TEST(bounds_of_whole_units_keep_their_zeros),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
