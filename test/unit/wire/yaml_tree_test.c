/* YAML as a tree with places, and what of YAML is refused. */
#include "base/mem.h"
#include "wire/yaml_tree.h"
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

/* The faults of a text, as printed; the tree is dropped. */
static char *faults_of(const char *text, size_t len)
{
	struct faults f = {0};
	struct buf out = {0};

	yaml_tree_free(yaml_tree_parse(text, len, &f));
	faults_print(&f, "f", &out);
	faults_fini(&f);
	return buf_take(&out);
}

static void assert_faults(const char *text, const char *expected)
{
	char *faults = faults_of(text, strlen(text));

	assert_string_equal(faults, expected);
	free(faults);
}

static struct yaml_node *tree_of(const char *text)
{
	struct faults f = {0};
	struct yaml_node *root = yaml_tree_parse(text, strlen(text), &f);

	assert_false(faults_any(&f));
	faults_fini(&f);
	return root;
}

static void a_mark_of_utf8_before_the_text_moves_nothing(void **state)
{
	struct yaml_node *root = tree_of("\xef\xbb\xbf"
					 "a: 1\nb: 2\n");

	(void)state;
	assert_int_equal(root->n, 2);
	assert_int_equal(yaml_map_find(root, "a")->key_column, 1);
	assert_int_equal(yaml_map_find(root, "b")->key_column, 1);
	yaml_tree_free(root);
	assert_faults("\xef\xbb\xbf", "");
}

static void every_node_knows_its_place(void **state)
{
	struct yaml_node *root = tree_of("a: 1\nlist:\n  - x\n  - {k: \"v\"}\n");
	const struct yaml_entry *list = yaml_map_find(root, "list");
	const struct yaml_entry *k;

	(void)state;
	assert_int_equal(root->kind, YAML_KIND_MAP);
	assert_int_equal(root->n, 2);
	assert_non_null(list);
	assert_int_equal(list->key_line, 2);
	assert_int_equal(list->key_column, 1);
	assert_int_equal(list->value->kind, YAML_KIND_LIST);
	assert_int_equal(list->value->n, 2);
	assert_int_equal(list->value->entries[0].value->line, 3);
	assert_int_equal(list->value->entries[0].value->column, 5);
	k = yaml_map_find(list->value->entries[1].value, "k");
	assert_non_null(k);
	assert_string_equal(k->value->text, "v");
	assert_false(k->value->plain);
	assert_int_equal(k->value->line, 4);
	assert_int_equal(k->value->column, 9);
	assert_null(yaml_map_find(root, "lis"));
	yaml_tree_free(root);
}

static void null_is_nothing_or_its_word_without_quotes(void **state)
{
	struct yaml_node *root =
		tree_of("{a: , b: ~, c: null, d: NULL, e: \"null\", f: \"\", g: nil, h: []}");

	(void)state;
	for (size_t i = 0; i < root->n; i++)
		assert_int_equal(yaml_node_is_null(root->entries[i].value), i < 4);
	assert_int_equal(root->n, 8);
	yaml_tree_free(root);
}

static void an_empty_document_is_no_fault_and_no_tree(void **state)
{
	(void)state;
	assert_null(tree_of(""));
	assert_null(tree_of("# only a comment\n"));
}

static void a_syntax_error_has_its_place(void **state)
{
	(void)state;
	assert_faults("a: [1\nb: 2\n",
		      "f:2:2: syntax: did not find expected ',' or ']', while parsing a "
		      "flow sequence that began in line 1\n");
	assert_faults("a: b: c\n",
		      "f:1:5: syntax: mapping values are not allowed in this context\n");
	assert_faults("a: 1\nb: \xff\n", "f:2:4: syntax: invalid leading UTF-8 octet\n");
	assert_faults("a: \"\\x\"",
		      "f:1:7: syntax: did not find expected hexdecimal number, while parsing "
		      "a quoted scalar that began in line 1\n");
}

static void common_slips_come_with_a_hint(void **state)
{
	char *star = faults_of("bind: *:5000\n", 13), *tab = faults_of("a:\n\tb: 1\n", 9);

	(void)state;
	assert_non_null(strstr(star, "f:1:8: syntax: "));
	assert_non_null(strstr(star, "in quotes: \"*:5000\""));
	assert_non_null(strstr(tab, "f:2:1: syntax: "));
	assert_non_null(strstr(tab, "indented with spaces"));
	free(star);
	free(tab);
}

static void a_key_twice_is_a_fault_and_the_first_stays(void **state)
{
	struct faults f = {0};
	struct buf out = {0};
	const char *text = "m:\n  b: 1\n  a: 2\n  b: 3\n  a: {x: 1}\n  b: 4\n";
	struct yaml_node *root = yaml_tree_parse(text, strlen(text), &f);
	const struct yaml_node *m = root->entries[0].value;

	(void)state;
	faults_print(&f, "f", &out);
	assert_string_equal(out.data, "f:4:3: m.b: is given twice; the first is in line 2\n"
				      "f:5:3: m.a: is given twice; the first is in line 3\n"
				      "f:6:3: m.b: is given twice; the first is in line 2\n");
	assert_int_equal(m->n, 2);
	assert_string_equal(m->entries[0].value->text, "1");
	assert_string_equal(m->entries[1].value->text, "2");
	yaml_tree_free(root);
	buf_fini(&out);
	faults_fini(&f);
}

static void what_the_subset_leaves_out_is_told_in_one_go(void **state)
{
	(void)state;
	assert_faults(
		"a: &x 1\nb: *x\nc: !!int 3\n<<: {d: 1}\n? [k]\n: 1\n",
		"f:1:4: a: anchors (&name) are not supported: write the value out\n"
		"f:2:4: b: aliases (*name) are not supported: put an address with * in quotes\n"
		"f:3:4: c: tags (!name) are not supported\n"
		"f:4:1: configuration: merge keys (<<) are not supported: write the keys out\n"
		"f:5:3: configuration: a key must be a word\n");
	assert_faults("a: 1\n---\nb: 1\n", "f:2:1: configuration: a second document (---) begins "
					   "here: one file, one document\n");
	assert_faults("a: \"x\\0y\"", "f:1:4: a: a NUL byte (\\0) has no place here\n");
}

/* `depth` lists in each other, the root counted. */
static char *nested(size_t depth)
{
	char *text = xcalloc(1, 2 * depth + 1);

	memset(text, '[', depth);
	memset(text + depth, ']', depth);
	return text;
}

static void depth_is_bounded(void **state)
{
	char *ok = nested(YAML_TREE_MAX_DEPTH), *deep = nested(YAML_TREE_MAX_DEPTH + 1);
	char *abyss = nested(100000), *faults;

	(void)state;
	yaml_tree_free(tree_of(ok));
	faults = faults_of(deep, strlen(deep));
	assert_non_null(strstr(faults, "f:1:17: "));
	assert_non_null(strstr(faults, "nested deeper than 16 levels"));
	free(faults);
	faults = faults_of(abyss, strlen(abyss));
	assert_non_null(strstr(faults, "f:1:17: "));
	free(faults);
	free(ok);
	free(deep);
	free(abyss);
}

static void size_is_bounded(void **state)
{
	char *text = xmalloc(YAML_TREE_MAX_BYTES + 1), *faults;

	(void)state;
	memset(text, ' ', YAML_TREE_MAX_BYTES + 1);
	memcpy(text, "a: 1\n", 5);
	text[YAML_TREE_MAX_BYTES - 1] = '\n';
	faults = faults_of(text, YAML_TREE_MAX_BYTES);
	assert_string_equal(faults, "");
	free(faults);
	faults = faults_of(text, YAML_TREE_MAX_BYTES + 1);
	assert_non_null(strstr(faults, "f:1:1: configuration: has 1048577 bytes; at most 1048576"));
	free(faults);
	free(text);
}

static void a_flood_of_faults_is_counted_not_kept(void **state)
{
	struct buf text = {0};
	char *faults, *line;
	size_t n = 0;

	(void)state;
	for (int i = 0; i < MAX_FAULTS + 500; i++)
		buf_puts(&text, "- &a x\n");
	faults = faults_of(text.data, text.len);
	for (line = faults; (line = strchr(line, '\n')) != NULL; line++)
		n++;
	assert_int_equal(n, MAX_FAULTS + 1);
	assert_non_null(strstr(faults, "f: and 500 more faults\n"));
	free(faults);
	buf_fini(&text);
}

static void a_key_of_any_bytes_stays_one_printable_line(void **state)
{
	(void)state;
	assert_faults("\"a\\nb\\e\\x41\": &x 1\n",
		      "f:1:15: a?b?A: anchors (&name) are not supported: write the value out\n");
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(every_node_knows_its_place),
		cmocka_unit_test(a_mark_of_utf8_before_the_text_moves_nothing),
		cmocka_unit_test(null_is_nothing_or_its_word_without_quotes),
		cmocka_unit_test(an_empty_document_is_no_fault_and_no_tree),
		cmocka_unit_test(a_syntax_error_has_its_place),
		cmocka_unit_test(common_slips_come_with_a_hint),
		cmocka_unit_test(a_key_twice_is_a_fault_and_the_first_stays),
		cmocka_unit_test(what_the_subset_leaves_out_is_told_in_one_go),
		cmocka_unit_test(depth_is_bounded),
		cmocka_unit_test(size_is_bounded),
		cmocka_unit_test(a_flood_of_faults_is_counted_not_kept),
		cmocka_unit_test(a_key_of_any_bytes_stays_one_printable_line),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
