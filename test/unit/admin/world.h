#pragma once
/* Facts for the tests of commands: listener "primary" (servers limited) and "replica" over three
 * members, n1 primary, n2 replica, n3 refusing connections. */
#include "admin/commands.h"
#include "base/mem.h"
#include <stdlib.h>
#include <string.h>

enum { WORLD_MEMBERS = 3, WORLD_LISTENERS = 2, WORLD_ROWS = 2 + 2 * 3, WORLD_MAX_CELLS = 256 };

struct world {
	struct config *config;
	struct view *view;
	struct cluster_report clusters[1];
	struct member_report members[WORLD_MEMBERS];
	struct server_report servers[WORLD_LISTENERS * WORLD_MEMBERS];
	struct report report;
	struct row_facts rows[WORLD_ROWS];
	struct listener_facts listeners[WORLD_LISTENERS];
	struct process_facts process;
	struct journal journal;
	struct admin_facts facts;
	struct buf out;
	struct admin_order order;
};

static inline struct config *world_config(void)
{
	static const char *const names[] = {"primary", "replica"};
	struct config *c = config_new();

	c->n_clusters = 1;
	c->clusters = xcalloc(1, sizeof(*c->clusters));
	c->clusters[0].name = xstrdup("main");
	probe_config_defaults(&c->clusters[0].probe);
	c->clusters[0].probe.rise = 2;
	c->n_members = WORLD_MEMBERS;
	c->members = xcalloc(WORLD_MEMBERS, sizeof(*c->members));
	for (unsigned i = 0; i < WORLD_MEMBERS; i++) {
		c->members[i].name = xasprintf("n%u", i + 1);
		c->members[i].host = xasprintf("10.0.0.%u", i + 1);
		c->members[i].port = 5432;
		c->members[i].rest_host = xstrdup(c->members[i].host);
		c->members[i].rest_port = 8008;
		c->members[i].weight = 1;
	}
	c->n_listeners = WORLD_LISTENERS;
	c->listeners = xcalloc(WORLD_LISTENERS, sizeof(*c->listeners));
	for (unsigned i = 0; i < WORLD_LISTENERS; i++) {
		listener_config_defaults(&c->listeners[i]);
		c->listeners[i].name = xstrdup(names[i]);
		c->listeners[i].maxconn = 200;
	}
	c->listeners[0].server_maxconn = 100;
	c->listeners[1].serve = ROLE_BIT(ROLE_REPLICA);
	config_finish(c);
	return c;
}

static inline struct server_report *world_server(struct world *w, unsigned listener,
						 unsigned server)
{
	return &w->servers[listener * WORLD_MEMBERS + server];
}

static inline void world_set(struct world *w, unsigned listener, unsigned server,
			     enum server_state state, enum outcome outcome, int status)
{
	struct server_report *s = world_server(w, listener, server);

	s->state = state;
	s->check_outcome = outcome;
	s->check_status = status;
}

static inline void world_init_report(struct world *w)
{
	w->clusters[0] = (struct cluster_report){
		.primary = 0, .why = WHY_PROVEN, .since_ms_ago = 192000, .timeline = 5};
	w->members[0] = (struct member_report){.member = 0,
					       .up = true,
					       .asked = true,
					       .why = WHY_PROVEN,
					       .claim = CLAIM_PRIMARY,
					       .state = PG_RUNNING,
					       .timeline = 5,
					       .outcome = OUTCOME_ANSWERED,
					       .http_status = 200,
					       .last_answer_age_ms = 300};
	w->members[1] = w->members[0];
	w->members[1].member = 1;
	w->members[1].claim = CLAIM_REPLICA;
	w->members[1].why = WHY_NOT_LEADER;
	w->members[1].http_status = 503;
	w->members[1].lag_known = true;
	w->members[1].lag_bytes = 4096;
	w->members[2] = (struct member_report){.member = 2,
					       .why = WHY_PORT_REFUSED,
					       .outcome = OUTCOME_REFUSED,
					       .last_answer_age_ms = -1};
	for (unsigned i = 0; i < WORLD_LISTENERS * WORLD_MEMBERS; i++) {
		w->servers[i].listener = i / WORLD_MEMBERS;
		w->servers[i].server = w->servers[i].member = i % WORLD_MEMBERS;
		w->servers[i].row = WORLD_LISTENERS + i;
		w->servers[i].last_change_ms_ago = 4999;
		w->servers[i].weight = 1;
	}
	world_set(w, 0, 0, SERVER_OPEN, OUTCOME_ANSWERED, 200);
	world_set(w, 0, 1, SERVER_CLOSED, OUTCOME_ANSWERED, 503);
	world_set(w, 0, 2, SERVER_CLOSED, OUTCOME_REFUSED, 0);
	world_set(w, 1, 0, SERVER_CLOSED, OUTCOME_ANSWERED, 503);
	world_set(w, 1, 1, SERVER_OPEN, OUTCOME_ANSWERED, 200);
	world_set(w, 1, 2, SERVER_CLOSED, OUTCOME_REFUSED, 0);
	w->report = (struct report){.clusters = w->clusters,
				    .members = w->members,
				    .servers = w->servers,
				    .n_clusters = 1,
				    .n_members = WORLD_MEMBERS,
				    .n_servers = WORLD_LISTENERS * WORLD_MEMBERS};
}

static inline struct world *world_new(void)
{
	struct world *w = xcalloc(1, sizeof(*w));

	w->config = world_config();
	w->view = view_new(w->config);
	world_init_report(w);
	for (unsigned i = 0; i < WORLD_ROWS; i++) {
		w->rows[i].last_session_ms_ago = w->rows[i].waiting_ms = -1;
		w->rows[i].limit = GAUGE_UNLIMITED;
	}
	w->rows[0].limit = w->rows[1].limit = 200;
	for (unsigned i = 0; i < WORLD_MEMBERS; i++)
		w->rows[WORLD_LISTENERS + i].limit = 100;
	w->listeners[0] = w->listeners[1] = (struct listener_facts){.since_ms_ago = 4000};
	w->process = (struct process_facts){.pid = 4711,
					    .node = "db1",
					    .uptime_ms = 93784000,
					    .threads = 4,
					    .nofile = 1024,
					    .maxconn = 20000,
					    .idle_pct = 99};
	w->facts = (struct admin_facts){.config = w->config,
					.report = &w->report,
					.view = w->view,
					.rows = w->rows,
					.listeners = w->listeners,
					.process = &w->process,
					.journal = &w->journal,
					.level = LEVEL_ADMIN};
	return w;
}

static inline void world_free(struct world *w)
{
	buf_fini(&w->out);
	view_unref(w->view);
	config_unref(w->config);
	free(w);
}

/* Run a command of blank-separated words; the reply's text without its last empty line. */
static inline const char *world_run(struct world *w, const char *command)
{
	const char *words[16];
	size_t n = 0;
	char *line = xstrdup(command), *rest = line, *word;

	while ((word = strsep(&rest, " ")) != NULL) {
		if (*word)
			words[n++] = word;
	}
	buf_clear(&w->out);
	buf_puts(&w->out, "");
	commands_run(&w->facts, words, n, &w->out, &w->order);
	free(line);
	return w->out.data;
}

/* Cut a CSV line without quotes into cells, in place; returns how many. */
static inline size_t world_cells(char *line, char **cells)
{
	size_t n = 0;
	char *cell;

	while (n < WORLD_MAX_CELLS && (cell = strsep(&line, ",")) != NULL)
		cells[n++] = cell;
	return n;
}
