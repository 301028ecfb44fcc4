/* Finding proxies and servers by the names that HAProxy's tools use. Not here: what is said when
 * there is none (replies.h). */
#include "admin/proxies.h"
#include "base/str.h"
#include <limits.h>
#include <string.h>

/* Is this the name, or "#" and the id? A part of a longer text: `len` bytes of it count. */
static bool is_called(const char *text, size_t len, const char *name, unsigned id)
{
	char digits[16];
	uint64_t value;

	if (strlen(name) == len && memcmp(name, text, len) == 0)
		return true;
	if (len < 2 || len > sizeof(digits) || text[0] != '#')
		return false;
	memcpy(digits, text + 1, len - 1);
	digits[len - 1] = '\0';
	return str_to_uint(digits, 0, UINT_MAX, &value) == 0 && value == id;
}

static int find_backend(const struct config *c, const char *name, size_t len)
{
	for (size_t i = 0; i < c->n_listeners; i++) {
		const struct listener_config *l = &c->listeners[i];

		if (is_called(name, len, l->backend_name, l->backend_iid))
			return (int)i;
	}
	return -1;
}

int proxies_backend(const struct config *c, const char *name)
{
	return find_backend(c, name, strlen(name));
}

int proxies_frontend(const struct config *c, const char *name)
{
	for (size_t i = 0; i < c->n_listeners; i++) {
		const struct listener_config *l = &c->listeners[i];

		if (is_called(name, strlen(name), l->frontend_name, l->frontend_iid))
			return (int)i;
	}
	return -1;
}

unsigned proxies_iid(const struct config *c, const char *name)
{
	int found = proxies_frontend(c, name);

	if (found >= 0)
		return c->listeners[found].frontend_iid;
	found = proxies_backend(c, name);
	return found >= 0 ? c->listeners[found].backend_iid : 0;
}

int proxies_server(const struct config *c, unsigned listener, const char *name)
{
	const struct cluster_config *cluster = config_listener_cluster(c, &c->listeners[listener]);

	for (unsigned i = 0; i < cluster->n_members; i++) {
		const struct member_config *m = &c->members[cluster->first_member + i];

		if (is_called(name, strlen(name), m->name, PROXY_FIRST_SID + i))
			return (int)i;
	}
	return -1;
}

enum proxies_found proxies_backend_server(const struct config *c, const char *text,
					  unsigned *listener, unsigned *server)
{
	const char *slash = strchr(text, '/');

	if (slash == NULL || slash == text || slash[1] == '\0')
		return PROXIES_NO_SLASH;
	int backend = find_backend(c, text, (size_t)(slash - text));
	if (backend < 0)
		return PROXIES_NO_BACKEND;
	int found = proxies_server(c, (unsigned)backend, slash + 1);
	if (found < 0)
		return PROXIES_NO_SERVER;
	*listener = (unsigned)backend;
	*server = (unsigned)found;
	return PROXIES_FOUND;
}
