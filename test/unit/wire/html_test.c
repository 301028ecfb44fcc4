/* HTML written piece by piece: what is text stays text. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "wire/html.h"
#include <string.h>

struct state {
	struct html h;
	struct buf out;
};

static int setup(void **state)
{
	static struct state s;

	s = (struct state){0};
	html_init(&s.h, &s.out);
	*state = &s;
	return 0;
}

static int teardown(void **state)
{
	buf_fini(&((struct state *)*state)->out);
	return 0;
}

static void test_elements_nest_and_hold_attributes_and_text(void **state)
{
	struct state *s = *state;

	html_doctype(&s->h);
	html_begin(&s->h, "p", "a b");
	html_attrf(&s->h, "id", "n-%d", 3);
	html_text(&s->h, "one ");
	html_leaff(&s->h, "b", NULL, "%s", "two");
	html_void(&s->h, "br", NULL);
	html_void(&s->h, "input", "x");
	html_flag(&s->h, "disabled");
	html_textf(&s->h, "%d", 3);
	html_leaf(&s->h, "i", "y", "");
	html_end(&s->h);
	html_fini(&s->h);
	assert_string_equal(s->out.data,
			    "<!DOCTYPE html><p class=\"a b\" id=\"n-3\">one <b>two</b><br>"
			    "<input class=\"x\" disabled>3<i class=\"y\"></i></p>");
}

static void test_text_and_attributes_cannot_leave_their_place(void **state)
{
	struct state *s = *state;

	html_begin(&s->h, "p", NULL);
	html_attr(&s->h, "title", "\"><script>'&");
	html_attrf(&s->h, "id", "%s", "'\"");
	html_text(&s->h, "</p><script>alert(1)</script>&amp;");
	html_textf(&s->h, "%s", "<");
	html_end(&s->h);
	assert_string_equal(
		s->out.data,
		"<p title=\"&#34;&#62;&#60;script&#62;&#39;&#38;\" id=\"&#39;&#34;\">"
		"&#60;/p&#62;&#60;script&#62;alert(1)&#60;/script&#62;&#38;amp;&#60;</p>");
}

static void test_any_text_is_one_line_of_ascii(void **state)
{
	struct state *s = *state;

	html_leaf(&s->h, "p", NULL, "a\nb\tc\rd \xC3\xA9 \xF0\x9F\x90\x98 \xE2\x80\xAE");
	assert_string_equal(s->out.data, "<p>a&#10;b&#9;c&#65533;d &#233; &#128024; &#8238;</p>");
}

static void test_bytes_that_are_no_characters_are_shown_as_such(void **state)
{
	static const char *const bad[] = {
		"\x01", "\x7F",     "\xFF",         "\xC0\x80", "\xED\xA0\x80", "\xF4\x90\x80\x80",
		"\xC3", "\xE2\x82", "\xEF\xBF\xBF", "\xC2\x80"};
	struct state *s = *state;

	for (size_t i = 0; i < sizeof(bad) / sizeof(bad[0]); i++) {
		buf_clear(&s->out);
		html_leaff(&s->h, "p", NULL, "x%sy", bad[i]);
		assert_memory_equal(s->out.data, "<p>x&#65533;", 12);
		assert_string_equal(strchr(s->out.data, 'y'), "y</p>");
	}
}

static void test_long_text_is_whole(void **state)
{
	static char text[70001];
	struct state *s = *state;

	memset(text, '<', sizeof(text) - 1);
	html_leaff(&s->h, "p", NULL, "%s", text);
	assert_int_equal(s->out.len, strlen("<p></p>") + 5 * strlen(text));
}

static void test_a_wrong_sequence_is_the_callers_fault(void **state)
{
	struct state *s = *state;

	html_begin(&s->h, "p", NULL);
	html_text(&s->h, "text");
	assert_int_equal(s->h.depth, 1);
	assert_false(s->h.in_tag); /* an attribute now would be refused */
	html_end(&s->h);
	assert_int_equal(s->h.depth, 0);
	html_fini(&s->h);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test_setup_teardown(test_elements_nest_and_hold_attributes_and_text,
						setup, teardown),
		cmocka_unit_test_setup_teardown(test_text_and_attributes_cannot_leave_their_place,
						setup, teardown),
		cmocka_unit_test_setup_teardown(test_any_text_is_one_line_of_ascii, setup,
						teardown),
		cmocka_unit_test_setup_teardown(test_bytes_that_are_no_characters_are_shown_as_such,
						setup, teardown),
		cmocka_unit_test_setup_teardown(test_long_text_is_whole, setup, teardown),
		cmocka_unit_test_setup_teardown(test_a_wrong_sequence_is_the_callers_fault, setup,
						teardown),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
