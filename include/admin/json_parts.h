#pragma once
/* Pieces that several JSON pages have in common. For src/admin/json_*.c and the
 * commands that have a JSON form. */
#include "admin/command.h"
#include "wire/json_out.h"

/* A command whose words include `json` is answered with this page; else false. */
bool json_wanted(const struct command_call *c,
		 void (*page)(const struct admin_facts *f, struct buf *out));

/* An array of role names. */
void json_out_roles(struct json_out *j, const char *key, unsigned roles);

/* The fields of a member in the object that is open. */
void json_member_fields(struct json_out *j, const struct admin_facts *f,
			const struct member_report *m);

/* null below 0, or for 0: not known. */
void json_out_known_int(struct json_out *j, const char *key, int64_t value);
void json_out_known_uint(struct json_out *j, const char *key, uint64_t value);
/* null where it is empty. */
void json_out_known_str(struct json_out *j, const char *key, const char *value);
