/* Patroni's JSON into an observation (api.py: get_postgresql_status and _write_status_response).
 * jansson reads; what it may be given is checked first. Each field is looked for on its own level
 * only. */
#include "wire/patroni_json.h"
#include "base/str.h"
#include <errno.h>
#include <jansson.h>
#include <limits.h>
#include <string.h>

enum { MAX_DEPTH = 32 }; /* Patroni's own answers are 4 deep (tags and replication) */

/* ---- from bytes to one object ---- */

/* Brackets outside of strings; cheaper than letting a parser recurse into a hostile answer. */
static bool is_too_deep(const char *body, size_t len)
{
	size_t depth = 0;
	bool in_string = false;

	for (size_t i = 0; i < len; i++) {
		char c = body[i];

		if (in_string && c == '\\')
			i++; /* whatever is escaped ends no string */
		else if (c == '"')
			in_string = !in_string;
		else if (!in_string && (c == '{' || c == '['))
			depth++;
		else if (!in_string && (c == '}' || c == ']') && depth > 0)
			depth--;
		if (depth > MAX_DEPTH)
			return true;
	}
	return false;
}

/* One number beyond 64 bits must not cost the other fields: then all are read as reals, and only
 * those that are exact are believed (see read_uint). */
static json_t *load(const char *body, size_t len)
{
	json_error_t error;
	json_t *root = json_loadb(body, len, JSON_REJECT_DUPLICATES, &error);

	if (root == NULL && json_error_code(&error) == json_error_numeric_overflow)
		root = json_loadb(body, len, JSON_REJECT_DUPLICATES | JSON_DECODE_INT_AS_REAL,
				  &error);
	return root;
}

static json_t *load_object(const char *body, size_t len)
{
	json_t *root;

	if (len == 0 || memchr(body, '\0', len) || is_too_deep(body, len))
		return NULL;
	root = load(body, len);
	if (json_is_object(root))
		return root;
	json_decref(root);
	return NULL;
}

/* ---- values: anything unexpected is "not said" ---- */

static const char *read_text(const json_t *object, const char *key)
{
	const char *text = json_string_value(json_object_get(object, key));

	return text ? text : "";
}

static void copy_text(const json_t *object, const char *key, char *out, size_t n)
{
	const char *text = read_text(object, key);

	str_copy_printable(out, n, text, strlen(text));
}

static uint64_t read_real(double v, uint64_t max)
{
	const double exact_below = 9007199254740992.0; /* 2^53 */

	if (!(v >= 0 && v < exact_below))
		return 0;
	return (double)(uint64_t)v == v && (uint64_t)v <= max ? (uint64_t)v : 0;
}

/* 0: not said, not a number, negative, or above `max`. */
static uint64_t read_uint(const json_t *value, uint64_t max)
{
	if (json_is_real(value))
		return read_real(json_real_value(value), max);
	if (!json_is_integer(value) || json_integer_value(value) < 0)
		return 0;
	return (uint64_t)json_integer_value(value) <= max ? (uint64_t)json_integer_value(value) : 0;
}

/* Digits and nothing else, all 64 bits: system identifiers pass 2^63 in the year 2038. */
static uint64_t read_digits(const char *s)
{
	uint64_t v = 0;

	for (; *s; s++)
		if (*s < '0' || *s > '9' || __builtin_mul_overflow(v, 10u, &v) ||
		    __builtin_add_overflow(v, (uint64_t)(*s - '0'), &v))
			return 0;
	return v;
}

static uint64_t read_uint_or_digits(const json_t *value, uint64_t max)
{
	uint64_t v = json_is_string(value) ? read_digits(json_string_value(value))
					   : read_uint(value, max);

	return v <= max ? v : 0;
}

/* Patroni asks bool(tag): what Python holds for true is set, the string "false" included. */
static bool is_truthy(const json_t *value)
{
	if (json_is_string(value))
		return json_string_length(value) > 0;
	return json_is_true(value) || (json_is_number(value) && json_number_value(value) != 0) ||
	       json_array_size(value) > 0 || json_object_size(value) > 0;
}

/* ---- words ---- */

struct word {
	const char *text;
	int value;
};

static int look_up(const struct word *words, const char *text, int otherwise)
{
	for (; words->text; words++)
		if (strcmp(words->text, text) == 0)
			return words->value;
	return otherwise;
}

static enum claim read_claim(const json_t *root)
{
	static const struct word words[] = {
		{"primary", CLAIM_PRIMARY},
		{"master", CLAIM_PRIMARY}, /* until 3.x */
		{"replica", CLAIM_REPLICA},
		{"standby_leader", CLAIM_STANDBY_LEADER},
		{"demoted", CLAIM_DEMOTED},
		{"promoted", CLAIM_PROMOTED},
		{"uninitialized", CLAIM_UNINITIALIZED},
		{NULL, 0},
	};

	return (enum claim)look_up(words, read_text(root, "role"), CLAIM_UNKNOWN);
}

static enum pg_state read_state(const json_t *root)
{
	static const struct word words[] = {
		{"", PG_UNKNOWN},
		{"unknown", PG_UNKNOWN}, /* Patroni could not ask its PostgreSQL */
		{"running", PG_RUNNING},
		{"streaming", PG_RUNNING},
		{"in archive recovery", PG_RUNNING},
		{"starting", PG_STARTING},
		{"starting after custom bootstrap", PG_STARTING},
		{"stopping", PG_STOPPING},
		{"stopped", PG_STOPPED},
		{"crashed", PG_CRASHED},
		{NULL, 0},
	};

	return (enum pg_state)look_up(words, read_text(root, "state"), PG_OTHER);
}

static unsigned read_flags(const json_t *root)
{
	static const struct {
		const char *key;
		unsigned flag;
	} flags[] = {
		{"pause", FLAG_PAUSED},
		{"sync_standby", FLAG_SYNC},
		{"quorum_standby", FLAG_QUORUM},
		{"cluster_unlocked", FLAG_CLUSTER_UNLOCKED},
		{"failsafe_mode_is_active", FLAG_FAILSAFE},
	};
	unsigned set = 0;

	for (size_t i = 0; i < sizeof(flags) / sizeof(flags[0]); i++)
		if (json_is_true(json_object_get(root, flags[i].key)))
			set |= flags[i].flag;
	if (is_truthy(json_object_get(json_object_get(root, "tags"), "noloadbalance")))
		set |= TAG_NOLOADBALANCE;
	return set;
}

/* A primary says where it writes, a replica how far it has replayed; nobody says both. */
static uint64_t read_lsn(const json_t *root)
{
	const json_t *xlog = json_object_get(root, "xlog");
	uint64_t lsn = read_uint(json_object_get(xlog, "location"), INT64_MAX);

	return lsn ? lsn : read_uint(json_object_get(xlog, "replayed_location"), INT64_MAX);
}

/* ---- the two bodies ---- */

static void fill_status(const json_t *root, struct observation *o)
{
	const json_t *patroni = json_object_get(root, "patroni");

	o->claim = read_claim(root);
	o->state = read_state(root);
	o->timeline = read_uint(json_object_get(root, "timeline"), UINT32_MAX);
	o->lsn = read_lsn(root);
	o->system_id = read_uint_or_digits(json_object_get(root, "database_system_identifier"),
					   UINT64_MAX);
	o->flags = read_flags(root);
	o->server_version = (int)read_uint(json_object_get(root, "server_version"), INT_MAX);
	copy_text(patroni, "scope", o->scope, sizeof(o->scope));
	copy_text(patroni, "name", o->name, sizeof(o->name));
	copy_text(patroni, "version", o->patroni_version, sizeof(o->patroni_version));
}

static int bad_json(struct observation *o)
{
	o->outcome = OUTCOME_BAD_JSON;
	return -EBADMSG;
}

/* Who is primary hangs on the timeline: an answer that garbles it is not believed in anything else
 * either. */
static bool is_garbled(const json_t *root)
{
	const json_t *timeline = json_object_get(root, "timeline");
	bool not_said = timeline == NULL || json_is_null(timeline) ||
			(json_is_integer(timeline) && json_integer_value(timeline) == 0);

	return !not_said && read_uint(timeline, UINT32_MAX) == 0;
}

int patroni_json_read(const char *body, size_t len, struct observation *o)
{
	json_t *root = load_object(body, len);

	if (is_garbled(root)) {
		json_decref(root);
		root = NULL;
	}
	fill_status(root, o); /* of NULL every field is "not said" */
	if (root == NULL)
		return bad_json(o);
	json_decref(root);
	return 0;
}

/* Seconds, as a number or (Patroni calls int() on it) as digits. */
static int64_t read_seconds(const json_t *root, const char *key)
{
	const uint64_t a_year_s = 365 * 86400;

	return 1000 * (int64_t)read_uint_or_digits(json_object_get(root, key), a_year_s);
}

int patroni_json_read_config(const char *body, size_t len, struct observation *o)
{
	json_t *root = load_object(body, len);

	o->ttl_ms = read_seconds(root, "ttl");
	o->loop_wait_ms = read_seconds(root, "loop_wait");
	if (root == NULL)
		return bad_json(o);
	json_decref(root);
	return 0;
}
