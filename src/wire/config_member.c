/* The key `members` of a cluster: each in one of two spellings, none of them twice.
 * Not here: how they are probed (config_cluster.c). */
#include "base/mem.h"
#include "base/str.h"
#include "wire/config_keys.h"
#include <stdlib.h>
#include <string.h>
#include <strings.h>

enum {
	MAX_MEMBERS = 64,
	POSTGRESQL_PORT = 5432,
	REST_PORT = 8008,
	LONGEST_SOCKET = 107, /* sun_path less its NUL */
};

/* The default name is the host, which may be an IPv6 address with a zone. */
#define MEMBER_NAME_CHARACTERS NAME_CHARACTERS ":%"

#define SOCKET_NAME ".s.PGSQL." /* and the port */

/* ---- one member ---- */

static void read_name(struct reader *r, const struct key *k, const struct yaml_node *v, void *field)
{
	const char *name = reader_expect_text(r, v, "a name");
	char **to = field;

	(void)k;
	if (name && reader_check_name(r, v->line, v->column, name, MEMBER_NAME_CHARACTERS))
		*to = xstrdup(name);
}

/* A host to connect to: "*" and socket paths are for listening. */
static bool parse_server(struct reader *r, const struct yaml_node *v, const char *text,
			 uint16_t port, struct addr *a)
{
	struct err e;

	if (addr_parse(a, text, port, &e) < 0)
		reader_fault(r, v, "%s", e.text);
	else if (a->kind == ADDR_UNIX)
		reader_fault(r, v,
			     "a server is a host name or an address; its UNIX socket is a key of "
			     "its own, socket: %.60s",
			     text);
	else if (strcmp(a->host, "*") == 0)
		reader_fault(r, v, "a server is a host name or an address, not '%.60s'", text);
	else
		return true;
	return false;
}

static void read_host(struct reader *r, const struct key *k, const struct yaml_node *v, void *field)
{
	const char *text = reader_expect_text(r, v, "a host name or an address"), *colon;
	char **to = field;
	struct addr a;

	(void)k;
	if (text == NULL)
		return;
	colon = strrchr(text, ':');
	if (colon && (colon == strchr(text, ':') || colon[-1] == ']'))
		reader_fault(r, v, "write the port as a key of its own, port: %.20s", colon + 1);
	else if (parse_server(r, v, text, POSTGRESQL_PORT, &a))
		*to = xstrdup(a.host);
}

/* http://host:port or https://host:port; nothing after it, since each role is a path of its own. */
static void read_rest(struct reader *r, const struct key *k, const struct yaml_node *v,
		      void *member)
{
	const char *url = reader_expect_text(r, v, "a URL such as http://10.0.0.1:8008");
	struct member_config *m = member;
	struct addr a;
	size_t len;

	(void)k;
	if (url == NULL)
		return;
	m->rest_tls = strncasecmp(url, "https://", 8) == 0;
	if (!m->rest_tls && strncasecmp(url, "http://", 7) != 0) {
		reader_fault(r, v, "must begin with http:// or https://, not '%.40s'", url);
		return;
	}
	url += m->rest_tls ? 8 : 7;
	len = strcspn(url, "/?#@");
	if (url[len] && strcmp(url + len, "/") != 0) {
		reader_fault(r, v, "has only scheme, host and port, without '%.40s'", url + len);
		return;
	}
	char *host = xstrndup(url, len);

	if (host[0] != '[' && strchr(host, ':') != strrchr(host, ':'))
		reader_fault(r, v, "write an IPv6 address as http://[address]:port");
	else if (parse_server(r, v, host, REST_PORT, &a)) {
		m->rest_host = xstrdup(a.host);
		m->rest_port = a.port;
	}
	free(host);
}

/* As libpq has it: what does not end in the name that every PostgreSQL gives its socket is the
 * directory, and the port completes it. */
static char *whole_path(const char *path, uint16_t port)
{
	size_t len = strlen(path);

	if (strncmp(strrchr(path, '/') + 1, SOCKET_NAME, strlen(SOCKET_NAME)) == 0)
		return xstrdup(path);
	while (len > 0 && path[len - 1] == '/')
		len--;
	return xasprintf("%.*s/" SOCKET_NAME "%u", (int)len, path, port);
}

/* One port, however often it is written: SQL and the passfile go by the number. */
static bool take_port(struct reader *r, const struct yaml_node *v, const char *path,
		      struct member_config *m)
{
	const char *name = strrchr(path, '/') + 1;
	uint64_t port;

	if (str_to_uint(name + strlen(SOCKET_NAME), 1, 65535, &port) < 0) {
		reader_fault(r, v,
			     "PostgreSQL's socket is named " SOCKET_NAME "<port>, not '%.60s'",
			     name);
		return false;
	}
	if (m->port != POSTGRESQL_PORT && m->port != port) {
		reader_fault(r, v,
			     "is the socket of port %u, and port is %u: leave one of them out",
			     (unsigned)port, m->port);
		return false;
	}
	m->port = (uint16_t)port;
	return true;
}

static void complete_socket(struct reader *r, const struct yaml_node *v, const char *text,
			    struct member_config *m)
{
	char *path = whole_path(text, m->port);
	struct addr a;
	struct err e;

	if (addr_parse(&a, path, 0, &e) < 0)
		reader_fault(r, v, "%s, and %s has %zu", e.text, path, strlen(path));
	else if (take_port(r, v, path, m))
		m->socket_path = xstrdup(path);
	free(path);
}

/* After `port`: read_keys goes by the table. */
static void read_socket(struct reader *r, const struct key *k, const struct yaml_node *v,
			void *member)
{
	char *text = NULL;

	read_text(r, k, v, &text);
	if (text && text[0] != '/')
		reader_fault(r, v, "must be an absolute path, such as /var/run/postgresql");
	else if (text)
		complete_socket(r, v, text, member);
	free(text);
}

static const struct key member_keys[] = {
	KEY("name", read_name, struct member_config, name),
	KEY("host", read_host, struct member_config, host,
	    .required = "a member's host name or address"),
	KEY("port", read_port, struct member_config, port, .min = 1, .max = 65535),
	KEY_WHOLE("socket", read_socket, .max = LONGEST_SOCKET, .flags = KEY_NULLABLE),
	KEY_WHOLE("rest", read_rest),
	KEY("weight", read_unsigned, struct member_config, weight, .max = 256),
	{0},
};

/* ---- members ---- */

static bool same_server(const char *host_a, uint16_t port_a, const char *host_b, uint16_t port_b)
{
	struct addr a = {.kind = ADDR_TCP, .port = port_a}, b = {.kind = ADDR_TCP, .port = port_b};

	memcpy(a.host, host_a, strlen(host_a) + 1);
	memcpy(b.host, host_b, strlen(host_b) + 1);
	return addr_equal(&a, &b);
}

static bool same_data_port(const struct member_config *a, const struct member_config *b)
{
	if (a->socket_path && b->socket_path)
		return strcmp(a->socket_path, b->socket_path) == 0;
	return same_server(a->host, a->port, b->host, b->port);
}

static void twin_fault(struct reader *r, const struct yaml_node *v, const struct member_config *m,
		       const char *other)
{
	if (m->socket_path)
		reader_fault(r, v, "is the server %s, which is member '%s' already", m->socket_path,
			     other);
	else
		reader_fault(r, v, "is the server %s:%u, which is member '%s' already", m->host,
			     m->port, other);
}

static void check_twins(struct reader *r, const struct yaml_node *v, const struct member_config *m)
{
	for (size_t i = 0; i < r->config->n_members; i++) {
		const struct member_config *o = &r->config->members[i];

		if (o->cluster != m->cluster)
			continue;
		if (same_data_port(o, m)) {
			twin_fault(r, v, m, o->name);
			continue;
		}
		if (strcmp(o->name, m->name) == 0)
			reader_fault(r, v,
				     "another member is named '%s': give each a name of its own",
				     m->name);
		if (same_server(o->rest_host, o->rest_port, m->rest_host, m->rest_port))
			reader_fault(r, v,
				     "has the same Patroni REST (%s:%u) as member '%s': give each "
				     "its own",
				     m->rest_host, m->rest_port, o->name);
	}
}

static void add_member(struct reader *r, const struct yaml_node *v, struct member_config *m)
{
	struct config *c = r->config;

	if (m->name == NULL) {
		m->name = xstrdup(m->host);
		reader_check_name(r, v->line, v->column, m->name, MEMBER_NAME_CHARACTERS);
	}
	if (m->rest_host == NULL)
		m->rest_host = xstrdup(m->host);
	check_twins(r, v, m);
	c->members = xrealloc(c->members, (c->n_members + 1) * sizeof(*c->members));
	c->members[c->n_members++] = *m;
}

static void read_member(struct reader *r, const struct yaml_node *v, unsigned cluster)
{
	struct member_config m;
	struct addr a;

	member_config_defaults(&m);
	m.cluster = cluster;
	if (v->kind == YAML_KIND_MAP) {
		read_keys(r, member_keys, v, &m);
	} else {
		const char *text =
			reader_expect_text(r, v, "host, host:port or a map with the key host");

		if (text && parse_server(r, v, text, POSTGRESQL_PORT, &a)) {
			m.host = xstrdup(a.host);
			m.port = a.port;
		}
	}
	if (m.host) {
		add_member(r, v, &m);
		return;
	}
	free(m.name); /* the fault is told; what was read of it is dropped */
	free(m.rest_host);
	free(m.socket_path);
}

void read_members(struct reader *r, const struct key *k, const struct yaml_node *v, void *field)
{
	const struct cluster_config *cluster = field;

	(void)k;
	if (v->kind != YAML_KIND_LIST)
		reader_fault(r, v, "must be a list of members, such as [10.0.0.1, 10.0.0.2]");
	else if (v->n == 0 || v->n > MAX_MEMBERS)
		reader_fault(r, v, "must have 1..%d members, not %zu", MAX_MEMBERS, v->n);
	else
		for (size_t i = 0; i < v->n; i++) {
			size_t mark = faults_enter_item(r->faults, i);

			read_member(r, v->entries[i].value,
				    (unsigned)(cluster - r->config->clusters));
			faults_leave(r->faults, mark);
		}
}
