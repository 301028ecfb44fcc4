/* What the tables of `isari top` hold: their columns, and a row's cells from left to right.
 * Not here: order, widths and drawing (top_grid.c, top.c). */
#include "admin/top_cells.h"
#include "base/assert.h"
#include "base/mem.h"
#include "base/str.h"
#include <inttypes.h>
#include <stdio.h>
#include <string.h>

#define COUNT(array) (sizeof(array) / sizeof((array)[0]))

/* With one cluster its name is said once. */
static void put_cluster(struct top_cell **c, const struct top_model *m, const char *name)
{
	cell_text(c, m->n_clusters > 1 ? name : "", LOOK_PLAIN);
}

/* ---- clusters ---- */

static const struct top_column cluster_columns[] = {
	{"CLUSTER", .min = 7},
	{"PRIMARY", .min = 7},
	{"SINCE", .number = true, .drop = 1},
	{"TL", .number = true, .drop = 2},
	{"SESS", .number = true, .drop = 3},
	{"WAIT", .number = true, .drop = 1},
	{"WHY", .min = 12, .drop = 4, .sentence = true},
};

static void put_primary(struct top_cell **cell, const struct top_cluster *c)
{
	if (c->primary[0])
		cell_text(cell, c->primary, c->in_doubt ? LOOK_WARN : LOOK_GOOD);
	else
		cell_text(cell, c->ambiguous ? "NONE: two claim it" : "NONE", LOOK_BAD);
}

static bool fill_cluster(const struct top_model *m, size_t row, struct top_cell **cell)
{
	const struct top_cluster *c = &m->clusters[row];
	enum top_look look = c->primary[0] ? LOOK_PLAIN : LOOK_BAD;

	cell_text(cell, c->name, LOOK_STRONG);
	put_primary(cell, c);
	cell_duration_as(cell, c->since_ms, look);
	cell_count(cell, c->timeline);
	cell_count(cell, c->sessions);
	cell_count_as(cell, c->waiting, c->waiting > 0 ? LOOK_WARN : LOOK_PLAIN);
	snprintf(cell_own(cell, TOP_UNKNOWN, look), sizeof((*cell)->own), "%s%s", c->why,
		 c->in_doubt ? ", asked fast" : "");
	return !c->primary[0] || c->ambiguous;
}

/* ---- nodes ---- */

static const struct top_column node_columns[] = {
	{"NODE", .min = 6},
	{"CLUSTER", .min = 6, .drop = 2},
	{"ROLE", .min = 7},
	{"STATE", .min = 7, .drop = 3},
	{"TL", .number = true, .drop = 4},
	{"LAG", .number = true, .drop = 1},
	{"ANSWER", .number = true, .min = 8, .drop = 1},
	{"SESS", .number = true, .drop = 2},
	{"TAGS", .min = 6, .drop = 7},
	{"WHY", .min = 8, .drop = 6, .sentence = true},
};

static bool has_answered(const struct top_node *n)
{
	return !n->outcome[0] || strcmp(n->outcome, outcome_name(OUTCOME_ANSWERED)) == 0;
}

static enum top_look look_of_node(const struct top_node *n)
{
	if (n->is_primary)
		return LOOK_GOOD;
	return n->up ? LOOK_PLAIN : LOOK_WARN;
}

/* How old its last answer is, and what became of the latest question when that was none. */
static void put_answer(struct top_cell **cell, const struct top_node *n)
{
	char age[32] = "never";

	if (has_answered(n)) {
		cell_duration(cell, n->last_answer_ms);
		return;
	}
	if (n->last_answer_ms >= 0)
		str_duration(n->last_answer_ms, age, sizeof(age));
	snprintf(cell_own(cell, n->last_answer_ms < 0 ? INT64_MAX : n->last_answer_ms, LOOK_BAD),
		 sizeof((*cell)->own), "%s %s", n->outcome, age);
}

static bool fill_node(const struct top_model *m, size_t row, struct top_cell **cell)
{
	const struct top_node *n = &m->nodes[row];

	cell_text(cell, n->name, LOOK_STRONG);
	put_cluster(cell, m, n->cluster);
	cell_text(cell, n->role[0] ? n->role : "-", look_of_node(n));
	cell_text(cell, n->state[0] ? n->state : "-", LOOK_PLAIN);
	cell_count(cell, n->timeline);
	cell_bytes(cell, n->is_primary ? -1 : (double)n->lag_bytes);
	put_answer(cell, n);
	cell_count(cell, n->sessions);
	cell_text(cell, n->tags, LOOK_WARN);
	cell_text(cell, n->why, has_answered(n) ? LOOK_PLAIN : LOOK_BAD);
	return !has_answered(n);
}

/* ---- listeners ---- */

static const struct top_column listener_columns[] = {
	{"LISTENER", .min = 8},
	{"CLUSTER", .min = 6, .drop = 4},
	{"SERVES", .min = 7, .drop = 5},
	{"STATUS", .min = 6, .drop = 6},
	{"SESS", .number = true},
	{"RATE", .number = true, .drop = 1},
	{"IN/s", .number = true, .drop = 2},
	{"OUT/s", .number = true, .drop = 2},
	{"WAIT", .number = true},
	{"OLDEST", .number = true, .drop = 1},
	{"HELD", .number = true, .drop = 3},
	{"CUT", .number = true, .drop = 1},
};

static bool fill_listener(const struct top_model *m, size_t row, struct top_cell **cell)
{
	const struct top_listener *l = &m->listeners[row];
	bool waits = l->waiting > 0;

	cell_text(cell, l->name, LOOK_STRONG);
	put_cluster(cell, m, l->cluster);
	cell_text(cell, l->serve, LOOK_PLAIN);
	cell_text(cell, l->status, LOOK_PLAIN);
	cell_count(cell, l->sessions);
	cell_rate(cell, l->rate);
	cell_bytes(cell, l->in_per_second);
	cell_bytes(cell, l->out_per_second);
	cell_count_as(cell, l->waiting, waits ? LOOK_BAD : LOOK_PLAIN);
	cell_duration_as(cell, waits ? l->waiting_ms : -1, LOOK_BAD);
	cell_count(cell, l->held);
	cell_count(cell, l->cuts);
	return waits;
}

/* ---- servers ---- */

static const struct top_column server_columns[] = {
	{"LISTENER", .min = 8},
	{"SERVER", .min = 6},
	{"STATUS", .min = 6},
	{"WEIGHT", .number = true, .drop = 3},
	{"SESS", .number = true},
	{"TOTAL", .number = true, .drop = 2},
	{"WHY", .min = 8, .drop = 4, .sentence = true},
};

static enum top_look look_of_server(const struct top_server *s)
{
	static const struct {
		const char *status;
		enum top_look look;
	} looks[] = {{"UP", LOOK_GOOD}, {"DRAIN", LOOK_WARN}, {"MAINT", LOOK_WARN}};

	for (size_t i = 0; i < COUNT(looks); i++)
		if (strncmp(s->status, looks[i].status, strlen(looks[i].status)) == 0)
			return looks[i].look;
	return LOOK_DIM; /* down is what a replica is to a write listener */
}

static bool fill_server(const struct top_model *m, size_t row, struct top_cell **cell)
{
	const struct top_server *s = &m->servers[row];
	enum top_look look = look_of_server(s);

	cell_text(cell, s->listener, LOOK_PLAIN);
	cell_text(cell, s->name, LOOK_STRONG);
	cell_text(cell, s->status, look);
	cell_count(cell, s->weight);
	cell_count(cell, s->sessions);
	cell_count(cell, s->sessions_total);
	cell_text(cell, s->why, look == LOOK_GOOD ? LOOK_PLAIN : look);
	return false;
}

/* ---- failovers ---- */

static const struct top_column event_columns[] = {
	{"FAILOVER (UTC)", .min = 15},
	{"CLUSTER", .min = 6, .drop = 4},
	{"CHANGE", .min = 10},
	{"TL", .number = true, .drop = 9},
	{"TOTAL", .number = true},
	{"DOUBT", .number = true, .drop = 8},
	{"GONE", .number = true, .drop = 5},
	{"WRITABLE", .number = true, .drop = 3},
	{"SESSION", .number = true, .drop = 2},
	{"CUT", .number = true, .drop = 1},
	{"HELD", .number = true, .drop = 2},
	{"REFUSED", .number = true, .drop = 6},
	{"WHY", .min = 10, .drop = 7, .sentence = true},
};

/* "2026-11-20T10:58:47.123Z" as "11-20 10:58:47": as the log has it. */
static void put_moment(struct top_cell **cell, const char *utc)
{
	char *out;

	if (strlen(utc) < 19) {
		cell_text(cell, utc, LOOK_PLAIN);
		return;
	}
	out = cell_own(cell, TOP_UNKNOWN, LOOK_PLAIN);
	snprintf(out, sizeof((*cell)->own), "%.5s %.8s", utc + 5, utc + 11);
}

static void put_change(struct top_cell **cell, const struct top_event *e)
{
	char *out = cell_own(cell, TOP_UNKNOWN, e->closed ? LOOK_STRONG : LOOK_WARN);
	size_t size = sizeof((*cell)->own);

	if (strcmp(e->kind, "start") == 0)
		snprintf(out, size, "start: %s", e->to[0] ? e->to : "nobody yet");
	else if (strcmp(e->kind, "interruption") == 0)
		snprintf(out, size, "%s in doubt", e->from);
	else if (strcmp(e->kind, "return") == 0)
		snprintf(out, size, "%s gone", e->from);
	else
		snprintf(out, size, "%s -> %s", e->from[0] ? e->from : "nobody",
			 e->to[0] ? e->to : "nobody yet");
}

static void put_timelines(struct top_cell **cell, const struct top_event *e)
{
	if (e->to_timeline < 0 || e->from_timeline < 0 || e->to_timeline == e->from_timeline)
		cell_count(cell, e->to_timeline < 0 ? e->from_timeline : e->to_timeline);
	else
		snprintf(cell_own(cell, e->to_timeline, LOOK_PLAIN), sizeof((*cell)->own),
			 "%" PRId64 "->%" PRId64, e->from_timeline, e->to_timeline);
}

static void put_phase(struct top_cell **cell, int64_t at_ms)
{
	if (at_ms == TOP_PHASE_UNKNOWN)
		cell_unknown(cell);
	else
		cell_duration(cell, at_ms < 0 ? 0 : at_ms);
}

static bool fill_event(const struct top_model *m, size_t row, struct top_cell **cell)
{
	const struct top_event *e = &m->events[row];

	put_moment(cell, e->began);
	put_cluster(cell, m, e->cluster);
	put_change(cell, e);
	put_timelines(cell, e);
	cell_duration_as(cell, e->gap_ms, LOOK_STRONG);
	put_phase(cell, e->at_ms[PHASE_DOUBT]);
	put_phase(cell, e->at_ms[PHASE_GONE]);
	put_phase(cell, e->at_ms[PHASE_WRITABLE]);
	put_phase(cell, e->at_ms[PHASE_SESSION]);
	cell_count(cell, e->cut);
	cell_count(cell, e->held);
	cell_count(cell, e->refused);
	cell_text(cell, e->why, LOOK_PLAIN);
	return false;
}

/* ---- all of them ---- */

static const struct {
	const struct top_column *columns;
	size_t n_columns;
	size_t rows_at; /* where the model has their number */
	bool (*fill)(const struct top_model *m, size_t row, struct top_cell **cell); /* alarming */
	const char *empty;
} tables[N_TOP_TABLES] = {
	[TOP_CLUSTERS] = {cluster_columns, COUNT(cluster_columns),
			  offsetof(struct top_model, n_clusters), fill_cluster, "no cluster"},
	[TOP_NODES] = {node_columns, COUNT(node_columns), offsetof(struct top_model, n_nodes),
		       fill_node, "no node"},
	[TOP_LISTENERS] = {listener_columns, COUNT(listener_columns),
			   offsetof(struct top_model, n_listeners), fill_listener, "no listener"},
	[TOP_SERVERS] = {server_columns, COUNT(server_columns),
			 offsetof(struct top_model, n_servers), fill_server, "no server"},
	[TOP_EVENTS] = {event_columns, COUNT(event_columns), offsetof(struct top_model, n_events),
			fill_event, "none since isari started"},
};

size_t top_table_rows(enum top_table t, const struct top_model *m)
{
	return *(const size_t *)(const void *)((const char *)m + tables[t].rows_at);
}

size_t top_table_columns(enum top_table t)
{
	return tables[t].n_columns;
}

bool top_column_is_number(enum top_table t, int column)
{
	return column >= 0 && tables[t].columns[column].number;
}

const char *top_table_empty(enum top_table t, const struct top_model *m)
{
	if (t == TOP_EVENTS && m->events_denied)
		return "not for this socket: they need level operator";
	return tables[t].empty;
}

void top_grid_fill(struct top_grid *g, enum top_table t, const struct top_model *m)
{
	size_t n = top_table_rows(t, m), columns = tables[t].n_columns;

	*g = (struct top_grid){.columns = tables[t].columns, .n_columns = columns, .n_rows = n};
	g->cells = xcalloc(n * columns + 1, sizeof(*g->cells));
	g->order = xcalloc(n + 1, sizeof(*g->order));
	g->alarming = xcalloc(n + 1, sizeof(*g->alarming));
	g->width = xcalloc(columns, sizeof(*g->width));
	for (size_t row = 0; row < n; row++) {
		struct top_cell *cell = g->cells + row * columns;

		g->order[row] = row;
		g->alarming[row] = tables[t].fill(m, row, &cell);
		INSIST(cell == g->cells + (row + 1) * columns);
	}
}

void top_row_key(enum top_table t, const struct top_model *m, size_t row,
		 char out[static TOP_KEY_BYTES])
{
	const char *a = "", *b = "";

	switch (t) {
	case TOP_CLUSTERS: a = m->clusters[row].name; break;
	case TOP_NODES: a = m->nodes[row].cluster, b = m->nodes[row].name; break;
	case TOP_LISTENERS: a = m->listeners[row].name; break;
	case TOP_SERVERS: a = m->servers[row].backend, b = m->servers[row].name; break;
	case TOP_EVENTS: a = m->events[row].began, b = m->events[row].cluster; break;
	case N_TOP_TABLES: break;
	}
	snprintf(out, TOP_KEY_BYTES, "%s/%s", a, b);
}
