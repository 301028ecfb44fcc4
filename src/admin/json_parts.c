/* Pieces of JSON pages. Not here: the pages (json_*.c), the format (wire/json_out.h). */
#include "admin/json_parts.h"
#include "admin/phrases.h"
#include <string.h>

bool json_wanted(const struct command_call *c,
		 void (*page)(const struct admin_facts *f, struct buf *out))
{
	bool wanted = false;

	for (size_t i = 0; i < c->n_args; i++)
		wanted = wanted || strcmp(c->args[i], "json") == 0;
	if (!wanted)
		return false;
	page(c->facts, c->out);
	buf_putc(c->out, '\n');
	return true;
}

void json_out_known_int(struct json_out *j, const char *key, int64_t value)
{
	if (value < 0)
		json_out_null(j, key);
	else
		json_out_int(j, key, value);
}

void json_out_known_uint(struct json_out *j, const char *key, uint64_t value)
{
	if (value == 0)
		json_out_null(j, key);
	else
		json_out_uint(j, key, value);
}

void json_out_known_str(struct json_out *j, const char *key, const char *value)
{
	json_out_str(j, key, value && *value ? value : NULL);
}

void json_out_roles(struct json_out *j, const char *key, unsigned roles)
{
	json_out_array(j, key);
	for (unsigned r = 0; r < N_ROLES; r++)
		if (roles & ROLE_BIT(r))
			json_out_str(j, NULL, role_name((enum role)r));
	json_out_end(j);
}

static void put_tags(struct json_out *j, unsigned flags)
{
	json_out_array(j, "tags");
	for (unsigned i = 0; i < N_PHRASE_FLAGS; i++)
		if (flags & 1u << i)
			json_out_str(j, NULL, phrase_flag(i));
	json_out_end(j);
}

/* What it said of itself. */
static void put_claims(struct json_out *j, const struct admin_facts *f,
		       const struct member_report *m)
{
	bool current = phrase_is_current(f, m);

	json_out_str(j, "role", current ? claim_name(m->claim) : NULL);
	json_out_str(j, "state", current ? pg_state_name(m->state) : NULL);
	json_out_bool(j, "up", m->up);
	json_out_known_uint(j, "timeline", current ? m->timeline : 0);
	json_out_known_int(j, "lag_bytes", phrase_has_lag(f, m) ? (int64_t)m->lag_bytes : -1);
	json_out_roles(j, "serves", m->roles);
	put_tags(j, current ? m->flags : 0);
}

/* What became of the questions that we put to it. */
static void put_answers(struct json_out *j, const struct member_report *m)
{
	json_out_str(j, "outcome", outcome_name(m->outcome));
	json_out_int(j, "http_status", m->http_status);
	json_out_known_int(j, "last_answer_ms", m->last_answer_age_ms);
	json_out_known_int(j, "proof_left_ms", m->proof_left_ms);
	json_out_str(j, "why", why_text(m->why));
	json_out_known_str(j, "patroni_name", m->patroni_name);
	json_out_known_str(j, "patroni_version", m->patroni_version);
	json_out_known_int(j, "server_version", m->server_version ? m->server_version : -1);
}

void json_member_fields(struct json_out *j, const struct admin_facts *f,
			const struct member_report *m)
{
	const struct member_config *config = &f->config->members[m->member];

	json_out_str(j, "name", config->name);
	json_out_str(j, "host", config->socket_path ? config->socket_path : config->host);
	json_out_uint(j, "port", config->port);
	put_claims(j, f, m);
	put_answers(j, m);
	json_out_uint(j, "weight", config->weight);
	json_out_uint(j, "sessions", phrase_member_sessions(f, m->member));
}
