/* Read a map by its table of keys, and the plain values: numbers, durations, words, texts.
 * Not here: what the keys are (config_yaml.c, config_cluster.c, config_listener.c, config_stats.c).
 */
#include "wire/config_keys.h"
#include "base/mem.h"
#include "base/str.h"
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

enum { MAX_NAME = 64, MAX_CANDIDATES = 32 };

void reader_fault(struct reader *r, const struct yaml_node *at, const char *format, ...)
{
	va_list ap;

	if (at->kind == YAML_KIND_BAD)
		return;
	va_start(ap, format);
	faults_addv(r->faults, at->line, at->column, format, ap);
	va_end(ap);
}

/* ---- maps ---- */

void reader_suggest(const char *word, const char *const *candidates, char *out, size_t n)
{
	const char *nearest = str_nearest(word, candidates);

	if (nearest)
		snprintf(out, n, "; did you mean %s?", nearest);
	else
		str_copy(out, n, "");
}

static const struct key *find_key(const struct key *table, const char *name)
{
	for (; table->name; table++)
		if (strcmp(table->name, name) == 0)
			return table;
	return NULL;
}

static void unknown_key(struct reader *r, const struct key *table, const struct yaml_entry *e)
{
	const char *names[MAX_CANDIDATES + 1] = {NULL};
	char hint[80];
	size_t mark = faults_enter(r->faults, e->key);

	for (size_t i = 0; i < MAX_CANDIDATES && table[i].name; i++)
		names[i] = table[i].name;
	reader_suggest(e->key, names, hint, sizeof(hint));
	faults_add(r->faults, e->key_line, e->key_column, "is not a known key%s", hint);
	faults_leave(r->faults, mark);
}

static void missing_key(struct reader *r, const struct key *k, const struct yaml_node *map)
{
	size_t mark = faults_enter(r->faults, k->name);

	reader_fault(r, map, "is missing: %s", k->required);
	faults_leave(r->faults, mark);
}

/* In the order of the table, not of the file: a later key may refer to an earlier one. */
void read_keys(struct reader *r, const struct key *table, const struct yaml_node *map, void *base)
{
	for (const struct key *k = table; k->name; k++) {
		const struct yaml_entry *e = yaml_map_find(map, k->name);

		if (e == NULL) {
			if (k->required)
				missing_key(r, k, map);
			continue;
		}
		if ((k->flags & KEY_NULLABLE) && yaml_node_is_null(e->value))
			continue;
		size_t mark = faults_enter(r->faults, k->name);

		k->read(r, k, e->value, (char *)base + k->offset);
		faults_leave(r->faults, mark);
	}
	for (size_t i = 0; i < map->n; i++)
		if (find_key(table, map->entries[i].key) == NULL)
			unknown_key(r, table, &map->entries[i]);
}

bool reader_expect_map(struct reader *r, const struct yaml_node *v, const char *remedy)
{
	if (v->kind == YAML_KIND_MAP)
		return true;
	reader_fault(r, v, "must be a map of keys%s%s", remedy ? ": " : "", remedy ? remedy : "");
	return false;
}

void read_section(struct reader *r, const struct key *k, const struct yaml_node *v, void *field)
{
	if (reader_expect_map(r, v, "leave the key out to have the defaults"))
		read_keys(r, k->keys, v, field);
}

/* ---- plain values ---- */

/* The words of a scalar for a message: shortened, and null by its name. */
static const char *shown(const struct yaml_node *v, char *out, size_t n)
{
	if (v->kind == YAML_KIND_LIST)
		str_copy(out, n, "a list");
	else if (v->kind == YAML_KIND_MAP)
		str_copy(out, n, "a map");
	else if (yaml_node_is_null(v))
		str_copy(out, n, "null");
	else
		snprintf(out, n, v->plain ? "%.40s" : "\"%.40s\"", v->text);
	return out;
}

const char *reader_expect_text(struct reader *r, const struct yaml_node *v, const char *what)
{
	char has[48];

	if (v->kind == YAML_KIND_SCALAR && !yaml_node_is_null(v) && v->text[0])
		return v->text;
	if (v->kind != YAML_KIND_BAD)
		reader_fault(r, v, "must be %s, not %s", what, shown(v, has, sizeof(has)));
	return NULL;
}

static void number_fault(struct reader *r, const struct key *k, const struct yaml_node *v)
{
	char has[48];

	if (v->kind == YAML_KIND_BAD)
		return;
	reader_fault(r, v, "must be %sa number %lld..%lld%s, not %s",
		     k->flags & KEY_AUTO ? "auto or " : "", (long long)k->min, (long long)k->max,
		     k->flags & KEY_NULLABLE ? " or null" : "", shown(v, has, sizeof(has)));
}

static bool number(struct reader *r, const struct key *k, const struct yaml_node *v, uint64_t *out)
{
	bool ok = v->kind == YAML_KIND_SCALAR && v->plain &&
		  str_to_uint(v->text, (uint64_t)k->min, (uint64_t)k->max, out) == 0;

	if (!ok)
		number_fault(r, k, v);
	return ok;
}

void read_unsigned(struct reader *r, const struct key *k, const struct yaml_node *v, void *field)
{
	uint64_t n;

	if ((k->flags & KEY_AUTO) && v->kind == YAML_KIND_SCALAR && strcmp(v->text, "auto") == 0)
		*(unsigned *)field = 0;
	else if (number(r, k, v, &n))
		*(unsigned *)field = (unsigned)n;
}

void read_port(struct reader *r, const struct key *k, const struct yaml_node *v, void *field)
{
	uint64_t n;

	if (number(r, k, v, &n))
		*(uint16_t *)field = (uint16_t)n;
}

/* In the largest unit that keeps it whole. */
static const char *us_as_written(int64_t us, char *out, size_t n)
{
	static const struct {
		const char *unit;
		int64_t us;
	} units[] = {{"d", 86400000000}, {"h", 3600000000}, {"m", 60000000},
		     {"s", 1000000},     {"ms", 1000},      {"us", 1}};
	enum { SMALLEST = 5 };
	size_t i = 0;

	while (i < SMALLEST && (us % units[i].us != 0 || us < units[i].us))
		i++;
	snprintf(out, n, "%lld%s", (long long)(us / units[i].us), units[i].unit);
	return out;
}

const char *duration_as_written(int64_t ms, char *out, size_t n)
{
	return us_as_written(ms * 1000, out, n);
}

/* `unit`: of the key's limits, in us. */
static void duration_fault(struct reader *r, const struct key *k, const struct yaml_node *v,
			   int64_t unit)
{
	char has[48], min[24], max[24];

	if (v->kind == YAML_KIND_BAD)
		return;
	reader_fault(r, v, "must be a duration %s%s..%s%s (units %sms, s, m, h, d), not %s",
		     k->flags & KEY_ZERO ? "0 (none) or " : "",
		     us_as_written(k->min * unit, min, sizeof(min)),
		     us_as_written(k->max * unit, max, sizeof(max)),
		     k->flags & KEY_SECONDS ? " in whole seconds" : "", unit == 1 ? "us, " : "",
		     shown(v, has, sizeof(has)));
}

static bool duration_fits(const struct key *k, int64_t n)
{
	if (n == 0 && (k->flags & KEY_ZERO))
		return true;
	return n >= k->min && n <= k->max && !((k->flags & KEY_SECONDS) && n % 1000 != 0);
}

void read_duration(struct reader *r, const struct key *k, const struct yaml_node *v, void *field)
{
	int64_t ms;

	if (v->kind == YAML_KIND_SCALAR && str_to_duration_ms(v->text, &ms) == 0 &&
	    duration_fits(k, ms))
		*(int64_t *)field = ms;
	else
		duration_fault(r, k, v, 1000);
}

void read_duration_us(struct reader *r, const struct key *k, const struct yaml_node *v, void *field)
{
	int64_t us;

	if (v->kind == YAML_KIND_SCALAR && str_to_duration_us(v->text, &us) == 0 &&
	    duration_fits(k, us))
		*(int64_t *)field = us;
	else
		duration_fault(r, k, v, 1);
}

static const char *size_as_written(int64_t bytes, char *out, size_t n)
{
	static const struct {
		const char *unit;
		int64_t bytes;
	} units[] = {{"TB", 1ll << 40}, {"GB", 1 << 30}, {"MB", 1 << 20}, {"kB", 1 << 10}, {"", 1}};
	enum { SMALLEST = 4 };
	size_t i = 0;

	while (i < SMALLEST && (bytes % units[i].bytes != 0 || bytes < units[i].bytes))
		i++;
	snprintf(out, n, "%lld%s", (long long)(bytes / units[i].bytes), units[i].unit);
	return out;
}

static void size_fault(struct reader *r, const struct key *k, const struct yaml_node *v)
{
	char has[48], min[24], max[24];

	if (v->kind == YAML_KIND_BAD)
		return;
	reader_fault(r, v, "must be a size %s..%s (bytes, or with kB, MB, GB, TB)%s, not %s",
		     size_as_written(k->min, min, sizeof(min)),
		     size_as_written(k->max, max, sizeof(max)),
		     k->flags & KEY_NULLABLE ? " or null" : "", shown(v, has, sizeof(has)));
}

void read_size(struct reader *r, const struct key *k, const struct yaml_node *v, void *field)
{
	uint64_t bytes;

	if (v->kind == YAML_KIND_SCALAR && str_to_size_bytes(v->text, &bytes) == 0 &&
	    bytes >= (uint64_t)k->min && bytes <= (uint64_t)k->max)
		*(uint64_t *)field = bytes;
	else
		size_fault(r, k, v);
}

void read_bool(struct reader *r, const struct key *k, const struct yaml_node *v, void *field)
{
	char has[48];
	bool plain = v->kind == YAML_KIND_SCALAR && v->plain;

	(void)k;
	if (plain && strcmp(v->text, "true") == 0)
		*(bool *)field = true;
	else if (plain && strcmp(v->text, "false") == 0)
		*(bool *)field = false;
	else if (v->kind != YAML_KIND_BAD)
		reader_fault(r, v, "must be true or false, not %s", shown(v, has, sizeof(has)));
}

static void word_fault(struct reader *r, const struct yaml_node *v, const struct word *words)
{
	const char *names[MAX_CANDIDATES + 1] = {NULL};
	char all[160] = "", hint[80] = "", has[48];

	for (size_t i = 0; i < MAX_CANDIDATES && words[i].name; i++) {
		size_t used = strlen(all);

		names[i] = words[i].name;
		snprintf(all + used, sizeof(all) - used, "%s%s", i ? ", " : "", words[i].name);
	}
	if (v->kind == YAML_KIND_SCALAR)
		reader_suggest(v->text, names, hint, sizeof(hint));
	reader_fault(r, v, "must be one of %s; not %s%s", all, shown(v, has, sizeof(has)), hint);
}

bool reader_find_word(struct reader *r, const struct yaml_node *v, const struct word *words,
		      unsigned *out)
{
	if (v->kind == YAML_KIND_BAD)
		return false;
	for (const struct word *w = words; v->kind == YAML_KIND_SCALAR && w->name; w++) {
		if (strcmp(w->name, v->text) == 0) {
			*out = w->value;
			return true;
		}
	}
	word_fault(r, v, words);
	return false;
}

/* For enums: gcc and clang give one without negative values the type unsigned. */
_Static_assert(sizeof(enum balance) == sizeof(unsigned), "read_word writes an unsigned");

void read_word(struct reader *r, const struct key *k, const struct yaml_node *v, void *field)
{
	reader_find_word(r, v, k->words, field);
}

static bool is_printable(const char *s)
{
	while (*s > ' ' && *s < 0x7f)
		s++;
	return *s == '\0';
}

void read_text(struct reader *r, const struct key *k, const struct yaml_node *v, void *field)
{
	const char *text =
		reader_expect_text(r, v, k->flags & KEY_NULLABLE ? "a text or null" : "a text");
	char **to = field;

	if (text == NULL)
		return;
	if (strlen(text) > (size_t)k->max || !is_printable(text)) {
		reader_fault(r, v, "must be at most %d letters, digits and signs, without spaces",
			     (int)k->max);
		return;
	}
	free(*to);
	*to = xstrdup(text);
}

/* ---- names and addresses ---- */

bool reader_check_name(struct reader *r, unsigned line, unsigned column, const char *name,
		       const char *allowed)
{
	size_t len = strlen(name);

	/* HAProxy's CSV has rows of these names beside the servers' */
	if (strcmp(name, "FRONTEND") == 0 || strcmp(name, "BACKEND") == 0)
		faults_add(r->faults, line, column, "the statistics have a row named %s already",
			   name);
	else if (len == 0 || len > MAX_NAME)
		faults_add(r->faults, line, column, "a name has 1..%d characters", MAX_NAME);
	else if (strspn(name, allowed) != len)
		faults_add(r->faults, line, column,
			   "a name has only letters, digits and %s, not '%.40s'",
			   allowed + strlen(LETTERS_AND_DIGITS), name);
	else
		return true;
	return false;
}

bool reader_bind_addr(struct reader *r, const struct yaml_node *v, struct addr *a)
{
	const char *text = reader_expect_text(r, v, "host:port, *:port, [v6]:port or /path");
	struct err e;

	if (text == NULL)
		return false;
	if (addr_parse(a, text, 0, &e) < 0)
		reader_fault(r, v, "%s", e.text);
	else if (a->kind == ADDR_TCP && strcmp(a->host, "*") != 0 && !addr_is_numeric(a->host))
		reader_fault(r, v, "'%.60s' is a name: write the address to listen on, or *",
			     a->host);
	else if (a->kind == ADDR_UNIX && (!is_printable(a->host) || text[strlen(text) - 1] == '/'))
		reader_fault(r, v, "'%.60s' is no path of a socket", a->host);
	else
		return true;
	return false;
}
