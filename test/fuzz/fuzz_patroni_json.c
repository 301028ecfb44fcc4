/* Any bytes as a Patroni answer. Besides the sanitizers:
 * PRIMARY only if the top level's role is exactly master or primary, by an independent reading of
 * the JSON; a refused body says nothing; an accepted one says the same after it was written anew.
 */
#include "base/assert.h"
#include "wire/patroni_json.h"
#include <jansson.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static void check_text(const char *text, size_t n)
{
	size_t len = strnlen(text, n);

	INSIST(len < n);
	for (size_t i = 0; i < len; i++)
		INSIST(text[i] >= 0x20 && text[i] < 0x7f);
}

static void check_ranges(const struct observation *o)
{
	INSIST((unsigned)o->claim < N_CLAIMS && (unsigned)o->state < N_PG_STATES);
	INSIST(o->timeline <= UINT32_MAX && o->lsn <= INT64_MAX && o->server_version >= 0);
	INSIST(o->ttl_ms >= 0 && o->loop_wait_ms >= 0 && o->ttl_ms % 1000 == 0);
	check_text(o->scope, sizeof(o->scope));
	check_text(o->name, sizeof(o->name));
	check_text(o->patroni_version, sizeof(o->patroni_version));
}

static void check_refused(const struct observation *o)
{
	const struct observation nothing = {.outcome = OUTCOME_BAD_JSON};

	INSIST(memcmp(o, &nothing, sizeof(*o)) == 0);
}

static int role_is_primary(const json_t *root)
{
	const json_t *role = json_object_get(root, "role");
	const char *text = json_string_value(role);

	return text && json_string_length(role) == strlen(text) &&
	       (strcmp(text, "master") == 0 || strcmp(text, "primary") == 0);
}

static void check_accepted(const struct observation *o, const char *body, size_t size)
{
	struct observation again = {0};
	json_t *root = json_loadb(body, size, JSON_ALLOW_NUL, NULL);
	char *text;

	if (root == NULL) { /* a number beyond 64 bits: only as reals */
		root = json_loadb(body, size, JSON_ALLOW_NUL | JSON_DECODE_INT_AS_REAL, NULL);
		INSIST(root != NULL);
	}
	INSIST(json_is_object(root));
	INSIST((o->claim == CLAIM_PRIMARY) == role_is_primary(root));
	text = json_dumps(root, JSON_COMPACT | JSON_REAL_PRECISION(17));
	INSIST(text != NULL);
	INSIST(patroni_json_read(text, strlen(text), &again) == 0);
	INSIST(memcmp(&again, o, sizeof(again)) == 0);
	free(text);
	json_decref(root);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	struct observation o = {0}, c = {0};
	char *body = malloc(size ? size : 1); /* exactly its size, no NUL behind it */
	int status, config;

	INSIST(body != NULL);
	memcpy(body, data, size);
	status = patroni_json_read(body, size, &o);
	config = patroni_json_read_config(body, size, &c);
	INSIST(status < 0 || config == 0); /* a status may be refused for its timeline alone */
	check_ranges(&o);
	check_ranges(&c);
	if (status < 0)
		check_refused(&o);
	else
		check_accepted(&o, body, size);
	free(body);
	return 0;
}
