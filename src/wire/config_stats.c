/* The keys below `stats`: `socket`, a path or a list of sockets with their rights, and `http`; and
 * a listener's `stats_name`, by which HAProxy's tools know it. */
#include "base/mem.h"
#include "base/str.h"
#include "wire/config_keys.h"
#include <stdlib.h>
#include <string.h>

enum { MAX_STATS_SOCKETS = 16 };

static const struct word levels[] = {
	{"user", LEVEL_USER},
	{"operator", LEVEL_OPERATOR},
	{"admin", LEVEL_ADMIN},
	{0},
};

static void check_socket_is_free(struct reader *r, const struct yaml_node *v, const struct addr *a)
{
	const struct config *c = r->config;

	for (size_t i = 0; i < c->n_stats_sockets; i++)
		if (addr_overlaps(&c->stats_sockets[i].addr, a))
			reader_fault(r, v, "another stats socket has this address already");
	if (c->http.wanted && addr_overlaps(&c->http.addr, a))
		reader_fault(r, v, "stats.http has this address already");
	for (size_t i = 0; i < c->n_listeners; i++)
		for (size_t k = 0; k < c->listeners[i].n_binds; k++)
			if (addr_overlaps(&c->listeners[i].binds[k], a))
				reader_fault(r, v, "listener %.64s binds this address already",
					     c->listeners[i].name);
}

static void read_path(struct reader *r, const struct key *k, const struct yaml_node *v, void *field)
{
	struct addr a;

	(void)k;
	if (!reader_bind_addr(r, v, &a))
		return;
	check_socket_is_free(r, v, &a);
	*(struct addr *)field = a;
}

static void read_mode(struct reader *r, const struct key *k, const struct yaml_node *v, void *field)
{
	const char *text = reader_expect_text(r, v, "octal digits in quotes, such as \"0660\"");
	size_t len;

	(void)k;
	if (text == NULL)
		return;
	len = strlen(text);
	if (len < 3 || len > 4 || strspn(text, "01234567") != len || (len == 4 && text[0] != '0'))
		reader_fault(r, v, "must be octal digits \"0000\"..\"0777\", not '%.40s'", text);
	else
		*(unsigned *)field = (unsigned)strtoul(text, NULL, 8);
}

#define SOCKET(name, reader, ...) KEY(name, reader, struct stats_socket_config, __VA_ARGS__)

static const struct key stats_socket_keys[] = {
	SOCKET("path", read_path, addr,
	       .required = "where to listen, such as /run/isari/isari.sock"),
	SOCKET("mode", read_mode, mode),
	SOCKET("user", read_text, user, .max = 32, .flags = KEY_NULLABLE),
	SOCKET("group", read_text, group, .max = 32, .flags = KEY_NULLABLE),
	SOCKET("level", read_word, level, .words = levels),
	{0},
};

/* A port has no owner: rights that would protect nothing are refused, not ignored. */
static void refuse_rights_of_tcp(struct reader *r, const struct yaml_node *map,
				 const struct stats_socket_config *s)
{
	static const char *const only_unix[] = {"mode", "user", "group"};

	for (size_t i = 0; s->addr.kind == ADDR_TCP && s->addr.port != 0 && i < 3; i++) {
		const struct yaml_entry *e = yaml_map_find(map, only_unix[i]);

		if (e == NULL || yaml_node_is_null(e->value))
			continue;
		size_t mark = faults_enter(r->faults, only_unix[i]);

		reader_fault(r, e->value,
			     "is for a socket's path; a TCP address has no owner and no mode");
		faults_leave(r->faults, mark);
	}
}

/* A bare path is guarded by its mode 0660 and may do all; a bare TCP address is guarded by nothing.
 */
static void read_socket(struct reader *r, const struct yaml_node *v)
{
	struct stats_socket_config s;

	stats_socket_config_defaults(&s);
	if (v->kind == YAML_KIND_MAP) {
		read_keys(r, stats_socket_keys, v, &s);
		refuse_rights_of_tcp(r, v, &s);
	} else {
		read_path(r, NULL, v, &s.addr);
		s.level = s.addr.kind == ADDR_UNIX ? LEVEL_ADMIN : LEVEL_OPERATOR;
	}
	r->config->stats_sockets[r->config->n_stats_sockets++] = s;
}

static void make_room(struct config *c, size_t n)
{
	free(c->stats_sockets);
	c->stats_sockets = xcalloc(n, sizeof(*c->stats_sockets));
	c->n_stats_sockets = 0;
}

void config_default_stats_socket(struct config *c)
{
	make_room(c, 1);
	stats_socket_config_defaults(&c->stats_sockets[0]);
	c->stats_sockets[0].addr.kind = ADDR_UNIX;
	str_copy(c->stats_sockets[0].addr.host, sizeof(c->stats_sockets[0].addr.host),
		 "/run/isari/isari.sock");
	c->stats_sockets[0].level = LEVEL_ADMIN;
	c->n_stats_sockets = 1;
}

void read_stats_sockets(struct reader *r, const struct key *k, const struct yaml_node *v,
			void *config)
{
	(void)k;
	if (v->kind != YAML_KIND_LIST) {
		make_room(config, 1);
		read_socket(r, v);
		return;
	}
	if (v->n > MAX_STATS_SOCKETS) {
		reader_fault(r, v, "must have at most %d sockets, not %zu", MAX_STATS_SOCKETS,
			     v->n);
		return;
	}
	make_room(config, v->n);
	for (size_t i = 0; i < v->n; i++) {
		size_t mark = faults_enter_item(r->faults, i);

		read_socket(r, v->entries[i].value);
		faults_leave(r->faults, mark);
	}
}

void read_stats_http(struct reader *r, const struct key *k, const struct yaml_node *v, void *field)
{
	struct addr a;

	(void)k;
	(void)field;
	if (!reader_bind_addr(r, v, &a))
		return;
	if (a.kind != ADDR_TCP) {
		reader_fault(r, v, "must be host:port, such as 127.0.0.1:7000");
		return;
	}
	check_socket_is_free(r, v, &a);
	r->config->http.wanted = true;
	r->config->http.addr = a;
}

static void read_proxy_name(struct reader *r, const struct key *k, const struct yaml_node *v,
			    void *field)
{
	char **name = field;

	read_text(r, k, v, field);
	if (*name)
		reader_check_name(r, v->line, v->column, *name, NAME_CHARACTERS);
}

#define PROXY(name, ...)                                                           \
	KEY(name, read_proxy_name, struct listener_config, __VA_ARGS__, .max = 64, \
	    .flags = KEY_NULLABLE)

static const struct key stats_name_keys[] = {
	PROXY("frontend", frontend_name),
	PROXY("backend", backend_name),
	{0},
};

void read_stats_name(struct reader *r, const struct key *k, const struct yaml_node *v,
		     void *listener)
{
	(void)k;
	if (reader_expect_map(r, v, "frontend and backend, each a name"))
		read_keys(r, stats_name_keys, v, listener);
}

static const char *frontend_of(const struct listener_config *l)
{
	return l->frontend_name ? l->frontend_name : l->name;
}

static const char *backend_of(const struct listener_config *l)
{
	return l->backend_name ? l->backend_name : l->name;
}

static bool has_name(const struct listener_config *l, const char *name)
{
	return strcmp(frontend_of(l), name) == 0 || strcmp(backend_of(l), name) == 0;
}

void check_stats_name(struct reader *r, const struct yaml_entry *listener)
{
	const struct config *c = r->config;
	const struct listener_config *last = &c->listeners[c->n_listeners - 1];
	const struct yaml_entry *e = yaml_map_find(listener->value, "stats_name");

	for (size_t i = 0; i + 1 < c->n_listeners; i++) {
		const struct listener_config *l = &c->listeners[i];
		const char *taken = has_name(l, frontend_of(last))  ? frontend_of(last)
				    : has_name(l, backend_of(last)) ? backend_of(last)
								    : NULL;

		if (taken == NULL || strcmp(l->name, last->name) == 0)
			continue; /* a name that is there twice is a fault of its own */
		size_t mark = faults_enter(r->faults, "stats_name");

		faults_add(r->faults, e ? e->value->line : listener->key_line,
			   e ? e->value->column : listener->key_column,
			   "listener %.64s is shown as '%.64s' already", l->name, taken);
		faults_leave(r->faults, mark);
	}
}
