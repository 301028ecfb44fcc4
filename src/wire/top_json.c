/* isari's own JSON into the model of `isari top`. Tables say which key goes where; everything is
 * copied as printable text, so that nothing a name holds can reach a terminal.
 * Not here: how it looks (admin/top*.c). */
#include "wire/top_json.h"
#include "base/mem.h"
#include "base/str.h"
#include <errno.h>
#include <jansson.h>
#include <stdlib.h>
#include <string.h>

/* ---- fields ---- */

enum kind { KIND_TEXT, KIND_WORDS, KIND_NUMBER, KIND_FLAG };

struct field {
	const char *key;
	enum kind kind;
	size_t at, size;
};

#define FIELD(kind, type, field)                                                \
	{                                                                       \
#field, kind, offsetof(type, field), sizeof(((type *)0)->field) \
	}
#define COUNT(array) (sizeof(array) / sizeof((array)[0]))

static void copy_text(char *to, size_t size, const char *text)
{
	str_copy_printable(to, size, text ? text : "", text ? strlen(text) : 0);
}

/* ["a","b"] as "a,b". */
static void copy_words(char *to, size_t size, const json_t *list)
{
	const json_t *word;
	size_t i;

	to[0] = '\0';
	json_array_foreach(list, i, word)
	{
		size_t used = strlen(to);

		if (used > 0 && used + 2 < size)
			to[used++] = ',';
		copy_text(to + used, size - used, json_string_value(word));
	}
}

static int64_t number_of(const json_t *value)
{
	const double exact_below = 9007199254740992.0; /* 2^53 */
	double real = json_real_value(value);          /* 0 unless it is one */

	if (json_is_integer(value))
		return json_integer_value(value);
	return json_is_real(value) && real >= 0 && real < exact_below ? (int64_t)real : -1;
}

static void read_field(const json_t *value, const struct field *f, char *to)
{
	int64_t number = number_of(value);
	bool flag = json_is_true(value);

	switch (f->kind) {
	case KIND_TEXT: copy_text(to, f->size, json_string_value(value)); break;
	case KIND_WORDS: copy_words(to, f->size, value); break;
	case KIND_NUMBER: memcpy(to, &number, sizeof(number)); break;
	case KIND_FLAG: memcpy(to, &flag, sizeof(flag)); break;
	}
}

static void read_fields(const json_t *object, const struct field *fields, size_t n, void *to)
{
	for (size_t i = 0; i < n; i++)
		read_field(json_object_get(object, fields[i].key), &fields[i],
			   (char *)to + fields[i].at);
}

/* ---- clusters, and what is in them ---- */

#define CLUSTER(kind, field) FIELD(kind, struct top_cluster, field)
static const struct field cluster_fields[] = {
	CLUSTER(KIND_TEXT, name),       CLUSTER(KIND_TEXT, primary),
	CLUSTER(KIND_TEXT, why),        CLUSTER(KIND_NUMBER, since_ms),
	CLUSTER(KIND_NUMBER, timeline), CLUSTER(KIND_FLAG, ambiguous),
	CLUSTER(KIND_FLAG, in_doubt),
};

#define NODE(kind, field) FIELD(kind, struct top_node, field)
static const struct field node_fields[] = {
	NODE(KIND_TEXT, name),
	NODE(KIND_TEXT, role),
	NODE(KIND_TEXT, state),
	NODE(KIND_TEXT, outcome),
	NODE(KIND_WORDS, tags),
	NODE(KIND_TEXT, why),
	NODE(KIND_NUMBER, timeline),
	NODE(KIND_NUMBER, lag_bytes),
	NODE(KIND_NUMBER, last_answer_ms),
	NODE(KIND_NUMBER, sessions),
	NODE(KIND_FLAG, up),
};

#define LISTENER(kind, field) FIELD(kind, struct top_listener, field)
static const struct field listener_fields[] = {
	LISTENER(KIND_TEXT, name),       LISTENER(KIND_TEXT, backend),
	LISTENER(KIND_WORDS, serve),     LISTENER(KIND_TEXT, status),
	LISTENER(KIND_NUMBER, sessions), LISTENER(KIND_NUMBER, sessions_total),
	LISTENER(KIND_NUMBER, bytes_in), LISTENER(KIND_NUMBER, bytes_out),
	LISTENER(KIND_NUMBER, waiting),  LISTENER(KIND_NUMBER, waiting_ms),
	LISTENER(KIND_NUMBER, held),     LISTENER(KIND_NUMBER, cuts),
};

#define SERVER(kind, field) FIELD(kind, struct top_server, field)
static const struct field server_fields[] = {
	SERVER(KIND_TEXT, name),
	SERVER(KIND_TEXT, status),
	SERVER(KIND_TEXT, admin),
	SERVER(KIND_TEXT, why),
	SERVER(KIND_NUMBER, weight),
	SERVER(KIND_NUMBER, sessions),
	SERVER(KIND_NUMBER, sessions_total),
};

/* The list with one more, zeroed, at its end. */
static void *grow(void *list, size_t *n, size_t size)
{
	char *longer = xrealloc(list, (*n + 1) * size);

	memset(longer + *n * size, 0, size);
	++*n;
	return longer;
}

#define ADD(m, list)                                                      \
	((m)->list = grow((m)->list, &(m)->n_##list, sizeof(*(m)->list)), \
	 &(m)->list[(m)->n_##list - 1])

static void add_node(struct top_model *m, const struct top_cluster *c, const json_t *object)
{
	struct top_node *n = ADD(m, nodes);

	read_fields(object, node_fields, COUNT(node_fields), n);
	str_copy(n->cluster, sizeof(n->cluster), c->name);
	n->is_primary = c->primary[0] && strcmp(c->primary, n->name) == 0;
}

static void add_server(struct top_model *m, const struct top_listener *l, const json_t *object)
{
	struct top_server *s = ADD(m, servers);

	read_fields(object, server_fields, COUNT(server_fields), s);
	str_copy(s->listener, sizeof(s->listener), l->name);
	str_copy(s->backend, sizeof(s->backend), l->backend[0] ? l->backend : l->name);
}

static void add_up(struct top_cluster *c, const struct top_listener *l)
{
	c->sessions += l->sessions > 0 ? l->sessions : 0;
	c->waiting += l->waiting > 0 ? l->waiting : 0;
	if (l->waiting_ms > c->waiting_ms)
		c->waiting_ms = l->waiting_ms;
}

static void add_listener(struct top_model *m, struct top_cluster *c, const json_t *object)
{
	struct top_listener *l = ADD(m, listeners);
	const json_t *server;
	size_t i;

	read_fields(object, listener_fields, COUNT(listener_fields), l);
	str_copy(l->cluster, sizeof(l->cluster), c->name);
	l->rate = json_is_number(json_object_get(object, "rate"))
			  ? json_number_value(json_object_get(object, "rate"))
			  : -1;
	l->in_per_second = l->out_per_second = -1;
	add_up(c, l);
	json_array_foreach(json_object_get(object, "servers"), i, server) add_server(m, l, server);
}

static void add_cluster(struct top_model *m, const json_t *object)
{
	struct top_cluster *c = ADD(m, clusters);
	const json_t *value;
	size_t i;

	read_fields(object, cluster_fields, COUNT(cluster_fields), c);
	c->waiting_ms = -1;
	json_array_foreach(json_object_get(object, "members"), i, value) add_node(m, c, value);
	json_array_foreach(json_object_get(object, "listeners"), i, value)
		add_listener(m, c, value);
}

/* ---- whole replies ---- */

static void drop_clusters(struct top_model *m)
{
	free(m->clusters);
	free(m->nodes);
	free(m->listeners);
	free(m->servers);
	m->clusters = NULL;
	m->nodes = NULL;
	m->listeners = NULL;
	m->servers = NULL;
	m->n_clusters = m->n_nodes = m->n_listeners = m->n_servers = 0;
}

static void drop_events(struct top_model *m)
{
	free(m->events);
	m->events = NULL;
	m->n_events = 0;
}

void top_model_fini(struct top_model *m)
{
	drop_clusters(m);
	drop_events(m);
	*m = (struct top_model){0};
}

/* An object with a list of this name, or NULL. The caller releases it. */
static json_t *load(const char *text, size_t len, const char *list)
{
	json_error_t error;
	json_t *root = json_loadb(text, len, 0, &error);

	if (json_is_array(json_object_get(root, list)))
		return root;
	json_decref(root);
	return NULL;
}

int top_json_clusters(struct top_model *m, const char *text, size_t len)
{
	json_t *root = load(text, len, "clusters");
	const json_t *value;
	size_t i;

	if (root == NULL)
		return -EBADMSG;
	drop_clusters(m);
	json_array_foreach(json_object_get(root, "clusters"), i, value) add_cluster(m, value);
	json_decref(root);
	return 0;
}

/* ---- events ---- */

#define EVENT(kind, field) FIELD(kind, struct top_event, field)
static const struct field event_fields[] = {
	EVENT(KIND_TEXT, cluster),
	EVENT(KIND_TEXT, from),
	EVENT(KIND_TEXT, to),
	EVENT(KIND_TEXT, kind),
	EVENT(KIND_TEXT, began),
	EVENT(KIND_TEXT, why),
	EVENT(KIND_NUMBER, from_timeline),
	EVENT(KIND_NUMBER, to_timeline),
	EVENT(KIND_NUMBER, gap_ms),
	EVENT(KIND_NUMBER, cut),
	EVENT(KIND_NUMBER, held),
	EVENT(KIND_NUMBER, released),
	EVENT(KIND_NUMBER, refused),
	EVENT(KIND_FLAG, closed),
};

static void read_phase(struct top_event *e, const json_t *object)
{
	const char *key = json_string_value(json_object_get(object, "key"));
	const json_t *at = json_object_get(object, "at_ms");

	for (int p = 0; key && p < N_PHASES; p++)
		if (strcmp(key, phase_key((enum phase)p)) == 0)
			e->at_ms[p] = json_is_number(at) ? number_of(at) : TOP_PHASE_UNKNOWN;
}

static void add_event(struct top_model *m, const json_t *object)
{
	struct top_event *e = ADD(m, events);
	const json_t *phase;
	size_t i;

	read_fields(object, event_fields, COUNT(event_fields), e);
	for (int p = 0; p < N_PHASES; p++)
		e->at_ms[p] = TOP_PHASE_UNKNOWN;
	json_array_foreach(json_object_get(object, "phases"), i, phase) read_phase(e, phase);
}

int top_json_events(struct top_model *m, const char *text, size_t len)
{
	json_t *root = load(text, len, "events");
	const json_t *value;
	size_t i;

	if (root == NULL)
		return -EBADMSG;
	drop_events(m);
	m->events_denied = false;
	json_array_foreach(json_object_get(root, "events"), i, value) add_event(m, value);
	json_decref(root);
	return 0;
}

/* ---- show info ---- */

static int64_t digits(const char *text)
{
	uint64_t v;

	return str_to_uint(text, 0, INT64_MAX, &v) == 0 ? (int64_t)v : -1;
}

static void take_info(struct top_process *p, const char *name, const char *value)
{
	const struct {
		const char *name;
		int64_t *to;
	} numbers[] = {
		{"Pid", &p->pid},       {"Uptime_sec", &p->uptime_s}, {"CurrConns", &p->sessions},
		{"SessRate", &p->rate}, {"Stopping", &p->stopping},
	};
	const char *own = strstr(value, "isari-"); /* HAProxy's number is in front of it */

	if (strcmp(name, "Version") == 0)
		copy_text(p->version, sizeof(p->version), own ? own + strlen("isari-") : value);
	if (strcmp(name, "node") == 0)
		copy_text(p->node, sizeof(p->node), value);
	for (size_t i = 0; i < COUNT(numbers); i++)
		if (strcmp(name, numbers[i].name) == 0)
			*numbers[i].to = digits(value);
}

void top_json_info(struct top_model *m, const char *text, size_t len)
{
	char *copy = xstrndup(text, len), *rest = copy, *line, *colon;

	m->process = (struct top_process){
		.pid = -1, .uptime_s = -1, .sessions = -1, .rate = -1, .stopping = -1};
	while ((line = strsep(&rest, "\n")) != NULL) {
		colon = strstr(line, ": ");
		if (!colon)
			continue;
		*colon = '\0';
		take_info(&m->process, line, colon + 2);
	}
	free(copy);
}
