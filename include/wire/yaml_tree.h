#pragma once
/* YAML as a small tree that remembers where everything stood. A strict subset: one document of at
 * most 1 MiB, maps and lists at most 16 deep, no anchors, aliases, merge keys or tags. */
#include "wire/faults.h"
#include <stdbool.h>
#include <stddef.h>

enum { YAML_TREE_MAX_BYTES = 1 << 20, YAML_TREE_MAX_DEPTH = 16 };

enum yaml_kind {
	YAML_KIND_SCALAR,
	YAML_KIND_LIST,
	YAML_KIND_MAP,
	YAML_KIND_BAD, /* a fault was told already: nothing more to say about it */
};

struct yaml_node {
	enum yaml_kind kind;
	unsigned line, column;      /* from 1; of the value */
	char *text;                 /* SCALAR */
	bool plain;                 /* SCALAR: written without quotes */
	struct yaml_entry *entries; /* LIST and MAP, in the file's order */
	size_t n;
};

struct yaml_entry {
	char *key; /* NULL in a list */
	unsigned key_line, key_column;
	struct yaml_node *value;
};

/* The whole text, or NULL when it cannot be read on (a syntax error; a document without content is
 * NULL without a fault). Faults such as a duplicate key are added and the tree is returned: the
 * first of two equal keys stays. */
struct yaml_node *yaml_tree_parse(const char *text, size_t len, struct faults *faults);
void yaml_tree_free(struct yaml_node *root);

bool yaml_node_is_null(const struct yaml_node *n); /* nothing, ~ or null, without quotes */
const struct yaml_entry *yaml_map_find(const struct yaml_node *map, const char *key);
