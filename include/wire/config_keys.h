#pragma once
/* Configuration keys as tables: one row says a key's name, how its value is read, and where it
 * goes. Shared by the config_*.c files of wire/; nobody else needs it. */
#include "core/config.h"
#include "wire/faults.h"
#include "wire/yaml_tree.h"

struct reader {
	struct faults *faults;
	struct config *config;
};

struct word {
	const char *name; /* NULL ends the table */
	unsigned value;
};

struct key;
/* Read `value` into `field`, which is the row's place in the struct that the table is about. A
 * fault leaves the default there. */
typedef void key_reader(struct reader *r, const struct key *k, const struct yaml_node *value,
			void *field);

enum key_flag {
	KEY_NULLABLE = 1, /* null is its default */
	KEY_ZERO = 2,     /* a duration: 0 (none) is allowed besides min..max */
	KEY_SECONDS = 4,  /* a duration that the kernel takes in whole seconds */
	KEY_AUTO = 8,     /* a number that may be left to isari: auto is 0 */
};

struct key {
	const char *name; /* NULL ends the table */
	key_reader *read;
	size_t offset;
	unsigned flags;
	int64_t min, max;         /* numbers; durations in ms; longest text */
	const struct word *words; /* read_word */
	const struct key *keys;   /* read_section */
	const char *required;     /* no default: what to write there */
};

/* A row: KEY(name, reader, struct, field or member, further designated initialisers). */
#define KEY(key, reader, type, field, ...)                                                    \
	{                                                                                     \
		.name = (key), .read = (reader), .offset = offsetof(type, field), __VA_ARGS__ \
	}
/* A row whose reader wants the whole struct. */
#define KEY_WHOLE(key, reader, ...)                          \
	{                                                    \
		.name = (key), .read = (reader), __VA_ARGS__ \
	}

/* Read a map by its table; `base` is the struct with its defaults filled in. Unknown and missing
 * keys are faults. */
void read_keys(struct reader *r, const struct key *table, const struct yaml_node *map, void *base);

void read_section(struct reader *r, const struct key *k, const struct yaml_node *v, void *field);
void read_unsigned(struct reader *r, const struct key *k, const struct yaml_node *v, void *field);
void read_port(struct reader *r, const struct key *k, const struct yaml_node *v, void *field);
void read_duration(struct reader *r, const struct key *k, const struct yaml_node *v, void *field);
/* Microseconds; min and max too. */
void read_duration_us(struct reader *r, const struct key *k, const struct yaml_node *v,
		      void *field);
/* Bytes, into a uint64_t. */
void read_size(struct reader *r, const struct key *k, const struct yaml_node *v, void *field);
void read_bool(struct reader *r, const struct key *k, const struct yaml_node *v, void *field);
void read_word(struct reader *r, const struct key *k, const struct yaml_node *v, void *field);
/* Printable text of at most `max` bytes, into a char * that is freed first. */
void read_text(struct reader *r, const struct key *k, const struct yaml_node *v, void *field);

/* Tools of the readers. They add the fault themselves. */
void reader_fault(struct reader *r, const struct yaml_node *at, const char *format, ...)
	__attribute__((format(printf, 3, 4)));
bool reader_expect_map(struct reader *r, const struct yaml_node *v, const char *remedy);
const char *reader_expect_text(struct reader *r, const struct yaml_node *v,
			       const char *what); /* or NULL */
bool reader_find_word(struct reader *r, const struct yaml_node *v, const struct word *words,
		      unsigned *out);
/* "; did you mean x?", or nothing. */
void reader_suggest(const char *word, const char *const *candidates, char *out, size_t n);

/* "90s" for 90000: as a file would write it, in the largest unit that keeps it whole. */
const char *duration_as_written(int64_t ms, char *out, size_t n);

#define LETTERS_AND_DIGITS "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789"
#define NAME_CHARACTERS    LETTERS_AND_DIGITS "._-"
/* A name that people see in CSV, logs and commands: at most 64 bytes, `allowed` ones. */
bool reader_check_name(struct reader *r, unsigned line, unsigned column, const char *name,
		       const char *allowed);
/* host:port or [v6]:port with a number or *, or /path; TCP names are refused: where to listen must
 * not depend on a resolver. */
bool reader_bind_addr(struct reader *r, const struct yaml_node *v, struct addr *a);

/* The readers of the upper keys, by file. */
void read_clusters(struct reader *r, const struct key *k, const struct yaml_node *v, void *config);
void read_members(struct reader *r, const struct key *k, const struct yaml_node *v, void *cluster);
void read_listeners(struct reader *r, const struct key *k, const struct yaml_node *v, void *config);
void read_stats_sockets(struct reader *r, const struct key *k, const struct yaml_node *v,
			void *config);
void read_stats_name(struct reader *r, const struct key *k, const struct yaml_node *v,
		     void *listener);
/* Of the listener read last: tools know a row by these names, so nobody else has them. */
void check_stats_name(struct reader *r, const struct yaml_entry *listener);
void read_stats_http(struct reader *r, const struct key *k, const struct yaml_node *v, void *http);
void config_default_stats_socket(struct config *c);
