#pragma once
/* The configuration's values as tables, for config_diff.c only. */
#include "base/buf.h"
#include "core/config.h"

struct value; /* how a kind of value reads */
typedef void say_fn(const struct value *v, const void *base, struct buf *out);

struct value {
	const char *key; /* NULL ends the table */
	say_fn *say;
	size_t offset;
	const char *const *words; /* say_word: by value */
	bool fixed;               /* needs a restart */
};

extern const struct value config_process_values[]; /* of struct config */
extern const struct value config_cluster_values[];
extern const struct value config_member_values[];
extern const struct value config_listener_values[];
extern const struct value config_socket_values[];
extern const struct value config_its_cluster[]; /* of a listener's cluster's name */
