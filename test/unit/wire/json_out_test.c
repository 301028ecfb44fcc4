/* JSON that is written piece by piece, read back by jansson. */
#include "wire/json_out.h"
#include <jansson.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>

#include <cmocka.h>

static void nested_values_are_read_back(void **state)
{
	struct buf b = {0};
	struct json_out j;

	(void)state;
	json_out_init(&j, &b);
	json_out_object(&j, NULL);
	json_out_str(&j, "name", "n1");
	json_out_array(&j, "list");
	json_out_int(&j, NULL, -1);
	json_out_uint(&j, NULL, UINT64_MAX);
	json_out_object(&j, NULL);
	json_out_end(&j);
	json_out_end(&j);
	json_out_bool(&j, "up", true);
	json_out_str(&j, "none", NULL);
	json_out_end(&j);
	assert_string_equal(b.data, "{\"name\":\"n1\",\"list\":[-1,18446744073709551615,{}],"
				    "\"up\":true,\"none\":null}");
	buf_fini(&b);
}

static void any_bytes_are_text_that_jansson_reads(void **state)
{
	struct buf b = {0};
	struct json_out j;
	json_t *root;

	(void)state;
	json_out_init(&j, &b);
	json_out_array(&j, NULL);
	json_out_str(&j, NULL, "a\"b\\c\n\x01 \xc3\xbc \xf0\x9f\x90\x98 \xff");
	json_out_end(&j);
	for (size_t i = 0; i < b.len; i++)
		assert_in_range((unsigned char)b.data[i], ' ', '~');
	root = json_loads(b.data, 0, NULL);
	assert_non_null(root);
	assert_string_equal(json_string_value(json_array_get(root, 0)),
			    "a\"b\\c\n\x01 \xc3\xbc \xf0\x9f\x90\x98 \xef\xbf\xbd");
	json_decref(root);
	buf_fini(&b);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(nested_values_are_read_back),
		cmocka_unit_test(any_bytes_are_text_that_jansson_reads),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
