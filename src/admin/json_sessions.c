/* The sessions of the moment as JSON. */
#include "admin/json_pages.h"
#include "admin/json_parts.h"
#include <inttypes.h>
#include <stdio.h>

static void put_session(struct json_out *j, const struct admin_facts *f,
			const struct session_info *s)
{
	char id[24];

	snprintf(id, sizeof(id), "0x%" PRIx64, s->id); /* a string, as commands take it */
	json_out_object(j, NULL);
	json_out_str(j, "id", id);
	json_out_str(j, "listener", f->config->listeners[s->listener].name);
	json_out_str(j, "server", facts_session_server(f, s));
	json_out_str(j, "client", s->client);
	json_out_known_str(j, "server_local", s->server_local);
	json_out_str(j, "state", s->state);
	json_out_int(j, "age_ms", s->age_ms);
	json_out_int(j, "idle_ms", s->idle_ms);
	json_out_uint(j, "bytes_in", s->bytes_in);
	json_out_uint(j, "bytes_out", s->bytes_out);
	json_out_end(j);
}

void json_sessions(const struct admin_facts *f, struct buf *out)
{
	struct json_out j;

	json_out_init(&j, out);
	json_out_object(&j, NULL);
	json_out_array(&j, "sessions");
	for (size_t i = 0; i < f->n_sessions; i++)
		if (f->sessions[i].listener < f->config->n_listeners)
			put_session(&j, f, &f->sessions[i]);
	json_out_end(&j);
	json_out_end(&j);
}
