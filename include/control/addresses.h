#pragma once
/* Keep the numeric addresses of the members' names fresh. An address once known is kept until a
 * better one comes. Owner: the control thread. */
#include "core/config.h"
#include "core/meters.h"
#include <uv.h>

struct addresses;

struct addresses_setup {
	uv_loop_t *loop;
	struct config *config; /* outlives it */
	/* Both known, or an empty string for the one that could not be resolved, and for the
	 * sessions' of a member that has a socket. Never from inside addresses_start. */
	void (*on_address)(void *arg, unsigned member, const char *ip, const char *rest_ip);
	void *arg;
	struct meters *meters; /* NULL: failures are not counted */
};

struct addresses *addresses_new(const struct addresses_setup *setup);
void addresses_start(struct addresses *a); /* ask for every name now, and again from time to time */
/* Of the same shape; outlives it, too. Whose address differs is looked up at once; the one before
 * must live until this returns. */
void addresses_take_config(struct addresses *a, struct config *config);
void addresses_close(struct addresses *a, void (*on_closed)(void *arg),
		     void *arg); /* calls back once, later */
