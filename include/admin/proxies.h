#pragma once
/* Listeners and their servers as HAProxy's tools name them: by stats_name or by "#id". Every
 * command that takes such a name finds it here. A listener whose two names are one is one proxy, a
 * `listen`; else its FRONTEND and its BACKEND are two, each with its own id. Pure. */
#include "core/config.h"

enum { PROXY_FIRST_SID = 1 }; /* of a proxy's servers, as in HAProxy */

/* The listener with a frontend, or a backend, of this name or "#iid"; -1: none. */
int proxies_frontend(const struct config *c, const char *name);
int proxies_backend(const struct config *c, const char *name);
/* The id of either; 0: none. */
unsigned proxies_iid(const struct config *c, const char *name);
/* The server of this name or "#sid" in a listener; -1: none. */
int proxies_server(const struct config *c, unsigned listener, const char *name);

enum proxies_found { PROXIES_FOUND, PROXIES_NO_SLASH, PROXIES_NO_BACKEND, PROXIES_NO_SERVER };
/* "backend/server"; both are set only when both were found. */
enum proxies_found proxies_backend_server(const struct config *c, const char *text,
					  unsigned *listener, unsigned *server);

/* One name and one id for both. */
static inline bool proxies_is_listen(const struct listener_config *l)
{
	return l->frontend_iid == l->backend_iid;
}
