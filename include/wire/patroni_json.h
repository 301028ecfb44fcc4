#pragma once
/* The bodies of Patroni's REST answers, every dialect from 2.1 to 4.x made one. Pure.
 * Not here: what an answer proves (core/proof.h), which status codes mean what.
 *
 * A field of an unexpected type or out of range is a field not said; a body that is not one JSON
 * object (a key twice, a NUL, nested too deep, cut short) or that garbles its timeline says nothing
 * at all. */
#include "core/observation.h"
#include <stddef.h>

/* Role endpoints (/primary, /replica ...): fill claim, state, timeline, lsn, system_id, flags,
 * server_version, scope, name, patroni_version. */
int patroni_json_read(const char *body, size_t len, struct observation *o);

/* GET /config: fill ttl_ms and loop_wait_ms. */
int patroni_json_read_config(const char *body, size_t len, struct observation *o);

/* Both return 0, or -EBADMSG with outcome set to OUTCOME_BAD_JSON. The fields named are reset first
 * in either case; the others are not touched. */
