/* libyaml's events to a tree with places.
 * Not here: what the keys mean (config_*.c). Depth is bounded by the parser below, so recursion is
 * too; a document that is refused half-way frees what it had built. */
#include "wire/yaml_tree.h"
#include "base/mem.h"
#include <stdlib.h>
#include <string.h>
#include <strings.h>
#include <yaml.h>

struct builder {
	yaml_parser_t parser;
	struct faults *faults;
	const char *text;
	size_t len;
	bool broken; /* no further event can be had */
};

static struct yaml_node *build(struct builder *b, yaml_event_t *ev, unsigned depth);

static unsigned line_of(yaml_mark_t m)
{
	return (unsigned)m.line + 1;
}

static unsigned column_of(yaml_mark_t m)
{
	return (unsigned)m.column + 1;
}

/* ---- faults of syntax ---- */

/* libyaml's reader (bad UTF-8, control bytes) gives an offset only. */
static yaml_mark_t mark_of_offset(const struct builder *b, size_t offset)
{
	yaml_mark_t m = {0};

	for (size_t i = 0; i < offset && i < b->len; i++) {
		m.column++;
		if (b->text[i] == '\n') {
			m.line++;
			m.column = 0;
		}
	}
	return m;
}

/* What most often lies behind libyaml's words. */
static const char *syntax_hint(const struct builder *b)
{
	const char *context = b->parser.context ? b->parser.context : "";
	size_t at = b->parser.problem_mark.index;

	if (strstr(context, "alias"))
		return " (put an address with * in quotes: \"*:5000\")";
	if (at < b->len && b->text[at] == '\t')
		return " (a tab: YAML is indented with spaces)";
	return "";
}

static void syntax_fault(struct builder *b)
{
	const yaml_parser_t *p = &b->parser;
	bool reader = p->error == YAML_READER_ERROR;
	yaml_mark_t at = reader ? mark_of_offset(b, p->problem_offset) : p->problem_mark;
	const char *problem = p->problem ? p->problem : "cannot be read";
	size_t mark;

	b->broken = true;
	faults_leave(b->faults, 0);
	mark = faults_enter(b->faults, "syntax");
	if (p->context && !reader)
		faults_add(b->faults, line_of(at), column_of(at), "%s, %s that began in line %u%s",
			   problem, p->context, line_of(p->context_mark), syntax_hint(b));
	else
		faults_add(b->faults, line_of(at), column_of(at), "%s%s", problem, syntax_hint(b));
	faults_leave(b->faults, mark);
}

static bool next_event(struct builder *b, yaml_event_t *ev)
{
	if (!b->broken && yaml_parser_parse(&b->parser, ev))
		return true;
	if (!b->broken)
		syntax_fault(b);
	memset(ev, 0, sizeof(*ev));
	return false;
}

/* ---- what the subset leaves out ---- */

static void fault_at(struct builder *b, const yaml_event_t *ev, const char *why)
{
	faults_add(b->faults, line_of(ev->start_mark), column_of(ev->start_mark), "%s", why);
}

static void refuse_extras(struct builder *b, const yaml_event_t *ev, const void *anchor,
			  const void *tag)
{
	if (anchor)
		fault_at(b, ev, "anchors (&name) are not supported: write the value out");
	if (tag)
		fault_at(b, ev, "tags (!name) are not supported");
}

/* ---- nodes ---- */

static struct yaml_node *node_new(enum yaml_kind kind, const yaml_event_t *ev)
{
	struct yaml_node *n = xcalloc(1, sizeof(*n));

	n->kind = kind;
	n->line = line_of(ev->start_mark);
	n->column = column_of(ev->start_mark);
	return n;
}

void yaml_tree_free(struct yaml_node *n)
{
	if (n == NULL)
		return;
	for (size_t i = 0; i < n->n; i++) {
		free(n->entries[i].key);
		yaml_tree_free(n->entries[i].value);
	}
	free(n->entries);
	free(n->text);
	free(n);
}

static struct yaml_entry *add_entry(struct yaml_node *n)
{
	if ((n->n & (n->n - 1)) == 0) /* 0 or a power of two: full */
		n->entries = xrealloc(n->entries, (n->n ? 2 * n->n : 1) * sizeof(*n->entries));
	n->entries[n->n] = (struct yaml_entry){0};
	return &n->entries[n->n++];
}

static struct yaml_node *build_scalar(struct builder *b, const yaml_event_t *ev)
{
	struct yaml_node *n = node_new(YAML_KIND_SCALAR, ev);
	const char *value = (const char *)ev->data.scalar.value;

	refuse_extras(b, ev, ev->data.scalar.anchor, ev->data.scalar.tag);
	if (strlen(value) != ev->data.scalar.length) {
		fault_at(b, ev, "a NUL byte (\\0) has no place here");
		n->kind = YAML_KIND_BAD;
		return n;
	}
	n->text = xstrdup(value);
	n->plain = ev->data.scalar.style == YAML_PLAIN_SCALAR_STYLE;
	return n;
}

static struct yaml_node *build_list(struct builder *b, const yaml_event_t *start, unsigned depth)
{
	struct yaml_node *list = node_new(YAML_KIND_LIST, start);
	yaml_event_t ev;

	refuse_extras(b, start, start->data.sequence_start.anchor, start->data.sequence_start.tag);
	while (next_event(b, &ev) && ev.type != YAML_SEQUENCE_END_EVENT) {
		size_t mark = faults_enter_item(b->faults, list->n);
		struct yaml_entry *e = add_entry(list);

		e->value = build(b, &ev, depth + 1);
		if (!b->broken)
			faults_leave(b->faults, mark);
	}
	yaml_event_delete(&ev);
	return list;
}

/* The key of the next entry; NULL (and a fault) for what is no word. Takes the event over. */
static char *build_key(struct builder *b, yaml_event_t *ev, unsigned depth)
{
	struct yaml_node *n;
	char *key;

	if (ev->type == YAML_SCALAR_EVENT && ev->data.scalar.style == YAML_PLAIN_SCALAR_STYLE &&
	    strcmp((const char *)ev->data.scalar.value, "<<") == 0)
		fault_at(b, ev, "merge keys (<<) are not supported: write the keys out");
	else if (ev->type != YAML_SCALAR_EVENT)
		fault_at(b, ev, "a key must be a word");
	else {
		n = build(b, ev, depth);
		key = n->text;
		n->text = NULL;
		yaml_tree_free(n);
		return key;
	}
	yaml_tree_free(build(b, ev, depth));
	return NULL;
}

static void build_value(struct builder *b, struct yaml_node *map, char *key, yaml_mark_t at,
			unsigned depth)
{
	struct yaml_node *value;
	struct yaml_entry *e;
	yaml_event_t ev;
	size_t mark = 0;

	if (!next_event(b, &ev)) {
		free(key);
		return;
	}
	if (key)
		mark = faults_enter(b->faults, key);
	value = build(b, &ev, depth);
	if (key && !b->broken)
		faults_leave(b->faults, mark);
	if (key == NULL) {
		yaml_tree_free(value);
		return;
	}
	e = add_entry(map);
	*e = (struct yaml_entry){key, line_of(at), column_of(at), value};
}

static int by_key_and_place(const void *left, const void *right)
{
	const struct yaml_entry *a = *(struct yaml_entry *const *)left;
	const struct yaml_entry *b = *(struct yaml_entry *const *)right;
	int order = strcmp(a->key, b->key);

	return order ? order : (a > b) - (a < b); /* entries stand in the file's order */
}

/* Tell the second of two equal keys and drop its value. Sorting keeps a hostile file linear. */
static void refuse_duplicates(struct builder *b, struct yaml_node *map)
{
	struct yaml_entry **sorted;
	size_t kept = 0;

	if (map->n < 2)
		return;
	sorted = xmalloc(map->n * sizeof(struct yaml_entry *));
	for (size_t i = 0; i < map->n; i++)
		sorted[i] = &map->entries[i];
	qsort(sorted, map->n, sizeof(struct yaml_entry *), by_key_and_place);
	for (size_t i = 1, first = 0; i < map->n; i++) {
		if (strcmp(sorted[i]->key, sorted[first]->key) != 0) {
			first = i;
			continue;
		}
		size_t mark = faults_enter(b->faults, sorted[i]->key);

		faults_add(b->faults, sorted[i]->key_line, sorted[i]->key_column,
			   "is given twice; the first is in line %u", sorted[first]->key_line);
		faults_leave(b->faults, mark);
		yaml_tree_free(sorted[i]->value);
		sorted[i]->value = NULL;
	}
	free(sorted);
	for (size_t i = 0; i < map->n; i++) {
		if (map->entries[i].value)
			map->entries[kept++] = map->entries[i];
		else
			free(map->entries[i].key);
	}
	map->n = kept;
}

static struct yaml_node *build_map(struct builder *b, const yaml_event_t *start, unsigned depth)
{
	struct yaml_node *map = node_new(YAML_KIND_MAP, start);
	yaml_event_t ev;

	refuse_extras(b, start, start->data.mapping_start.anchor, start->data.mapping_start.tag);
	while (next_event(b, &ev) && ev.type != YAML_MAPPING_END_EVENT) {
		yaml_mark_t at = ev.start_mark;
		char *key = build_key(b, &ev, depth + 1);

		build_value(b, map, key, at, depth + 1);
	}
	yaml_event_delete(&ev);
	if (!b->broken)
		refuse_duplicates(b, map);
	return map;
}

static struct yaml_node *too_deep(struct builder *b, const yaml_event_t *ev)
{
	faults_add(b->faults, line_of(ev->start_mark), column_of(ev->start_mark),
		   "is nested deeper than %d levels", YAML_TREE_MAX_DEPTH);
	b->broken = true;
	return node_new(YAML_KIND_BAD, ev);
}

/* One node from its first event, which is taken over. Never NULL. */
static struct yaml_node *build(struct builder *b, yaml_event_t *ev, unsigned depth)
{
	struct yaml_node *n;

	if (ev->type == YAML_SCALAR_EVENT)
		n = build_scalar(b, ev);
	else if (ev->type == YAML_ALIAS_EVENT) {
		fault_at(b, ev,
			 "aliases (*name) are not supported: put an address with * in quotes");
		n = node_new(YAML_KIND_BAD, ev);
	} else if (depth > YAML_TREE_MAX_DEPTH)
		n = too_deep(b, ev);
	else if (ev->type == YAML_SEQUENCE_START_EVENT)
		n = build_list(b, ev, depth);
	else
		n = build_map(b, ev, depth);
	yaml_event_delete(ev);
	return n;
}

static struct yaml_node *build_document(struct builder *b)
{
	struct yaml_node *root = NULL;
	yaml_event_t ev;

	while (next_event(b, &ev) && ev.type != YAML_STREAM_END_EVENT) {
		bool content = ev.type == YAML_SCALAR_EVENT || ev.type == YAML_ALIAS_EVENT ||
			       ev.type == YAML_SEQUENCE_START_EVENT ||
			       ev.type == YAML_MAPPING_START_EVENT;

		if (ev.type == YAML_DOCUMENT_START_EVENT && root) {
			fault_at(b, &ev,
				 "a second document (---) begins here: one file, one document");
			b->broken = true;
		}
		if (content)
			root = build(b, &ev, 1);
		else
			yaml_event_delete(&ev);
	}
	yaml_event_delete(&ev);
	return root;
}

/* Some editors begin a file with a mark that says "UTF-8"; libyaml takes it for a column. */
static size_t byte_order_mark(const char *text, size_t len)
{
	return len >= 3 && memcmp(text, "\xef\xbb\xbf", 3) == 0 ? 3 : 0;
}

struct yaml_node *yaml_tree_parse(const char *text, size_t len, struct faults *faults)
{
	size_t mark = byte_order_mark(text, len);
	struct builder b = {.faults = faults, .text = text + mark, .len = len - mark};
	struct yaml_node *root;

	if (len > YAML_TREE_MAX_BYTES) {
		faults_add(faults, 1, 1, "has %zu bytes; at most %d are read", len,
			   YAML_TREE_MAX_BYTES);
		return NULL;
	}
	if (!yaml_parser_initialize(&b.parser)) {
		faults_add(faults, 1, 1, "out of memory");
		return NULL;
	}
	yaml_parser_set_encoding(&b.parser, YAML_UTF8_ENCODING);
	yaml_parser_set_input_string(&b.parser, (const unsigned char *)b.text, b.len);
	root = build_document(&b);
	yaml_parser_delete(&b.parser);
	if (!b.broken)
		return root;
	faults_leave(faults, 0);
	yaml_tree_free(root);
	return NULL;
}

/* ---- reading the tree ---- */

bool yaml_node_is_null(const struct yaml_node *n)
{
	return n->kind == YAML_KIND_SCALAR && n->plain &&
	       (n->text[0] == '\0' || strcmp(n->text, "~") == 0 ||
		strcasecmp(n->text, "null") == 0);
}

const struct yaml_entry *yaml_map_find(const struct yaml_node *map, const char *key)
{
	for (size_t i = 0; i < map->n; i++)
		if (strcmp(map->entries[i].key, key) == 0)
			return &map->entries[i];
	return NULL;
}
