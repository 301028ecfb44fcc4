#pragma once
/* What one answer says about the role that was asked for. Pure.
 * Not here: who is primary (proof.h), what a listener makes of roles and tags (eligible.c). */
#include "core/observation.h"

/* The role that a question asks for; ROLE_REPLICA for any that asks for none. */
enum role role_asked(enum question q);

/* Does its member have the role? Patroni answers 503 for a replica that is tagged noloadbalance as
 * if it had lost the role; it has it, and only the tag speaks against new sessions. */
bool role_held(const struct observation *o);
