#pragma once
/* Stories about the monitor: members that behave as they are told, and virtual time in which they
 * are asked.
 *
 *	struct story *s = story_new(3);   a cluster of n1 n2 n3, a write and a read listener
 *	s->config->...                    whatever is special about it
 *	story_begin(s);                   n1 is primary on timeline 5, the others replicas
 *	s->acts[0].rest = s->acts[0].port = OUTCOME_TIMEOUT;
 *	story_run(s, 3000);
 *	assert_int_equal(story_state(s, WRITE, 0), SERVER_CLOSED);
 *	story_end(s);
 *
 * A question is answered as its member behaves when the answer is due, so a member that freezes
 * leaves what it was asked hanging. Member 0 is n1. */
#include "base/mem.h"
#include "base/str.h"
#include "core/counters.h"
#include "core/journal.h"
#include "core/monitor.h"
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

enum { WRITE, READ }; /* the first cluster's listeners */
enum { STORY_START_MS = 1000000, STORY_MAX_MEMBERS = 8, STORY_MAX_CHANGES = 512 };
enum { STORY_SYSTEM_ID = 7001, STORY_WALL_OFFSET_MS = 500000000 };

struct act { /* how a member behaves */
	enum outcome rest,
		port; /* TIMEOUT: no answer, until it behaves better or the asker gives up */
	int64_t rest_ms, port_ms;
	int primary_status;
	unsigned roles; /* ROLE_BITs of the other endpoints that say 200 */
	unsigned flags;
	enum claim claim;
	enum claim port_claim; /* what the data port says over SQL */
	enum pg_state state;
	uint64_t timeline, lsn, system_id;
	const char *scope, *name;
	int config_status;
	int64_t ttl_ms, loop_wait_ms;
};

struct story_question { /* in flight */
	bool open;
	enum question question;
	int64_t asked_ms, timeout_ms;
};

struct story {
	struct config *config;
	struct monitor *monitor;
	struct view *view; /* the newest */
	int64_t now_ms, tick_ms;
	struct act acts[STORY_MAX_MEMBERS];
	struct story_question rest[STORY_MAX_MEMBERS], port[STORY_MAX_MEMBERS];
	unsigned n_asked[STORY_MAX_MEMBERS][N_QUESTIONS]; /* since story_forget */
	char asked_ip[STORY_MAX_MEMBERS][46];             /* of the last REST question */
	int64_t last_asked_ms[STORY_MAX_MEMBERS];         /* ASK_PRIMARY */
	struct change changes[STORY_MAX_CHANGES];         /* since story_forget */
	size_t n_changes, n_steps;
	struct journal *journal; /* fed, if there is one */
	struct tally tally;      /* what clients have felt */
};

static inline struct act story_primary(uint64_t timeline)
{
	return (struct act){.rest = OUTCOME_ANSWERED,
			    .port = OUTCOME_ANSWERED,
			    .rest_ms = 2,
			    .port_ms = 2,
			    .primary_status = 200,
			    .claim = CLAIM_PRIMARY,
			    .state = PG_RUNNING,
			    .timeline = timeline,
			    .lsn = 5000,
			    .system_id = STORY_SYSTEM_ID,
			    .scope = "batman",
			    .name = "",
			    .config_status = 200,
			    .ttl_ms = 30000,
			    .loop_wait_ms = 10000};
}

static inline struct act story_replica(uint64_t timeline)
{
	struct act a = story_primary(timeline);

	a.primary_status = 503;
	a.claim = CLAIM_REPLICA;
	a.roles = ROLE_BIT(ROLE_REPLICA) | ROLE_BIT(ROLE_ASYNC);
	return a;
}

/* ---- the cast ---- */

static inline void story_add_listener(struct story *s, const char *name, unsigned cluster,
				      unsigned serve)
{
	struct config *c = s->config;

	c->listeners = xrealloc(c->listeners, (c->n_listeners + 1) * sizeof(*c->listeners));
	listener_config_defaults(&c->listeners[c->n_listeners]);
	c->listeners[c->n_listeners].name = xstrdup(name);
	c->listeners[c->n_listeners].cluster = cluster;
	c->listeners[c->n_listeners++].serve = serve;
}

static inline void story_add_cluster(struct story *s, const char *name, unsigned n_members)
{
	struct config *c = s->config;
	unsigned id = (unsigned)c->n_clusters++;

	c->clusters = xrealloc(c->clusters, c->n_clusters * sizeof(*c->clusters));
	c->clusters[id] = (struct cluster_config){.name = xstrdup(name)};
	probe_config_defaults(&c->clusters[id].probe);
	for (unsigned i = 0; i < n_members; i++) {
		struct member_config *m;

		c->members = xrealloc(c->members, (c->n_members + 1) * sizeof(*c->members));
		m = &c->members[c->n_members];
		member_config_defaults(m);
		m->cluster = id;
		m->name = xasprintf("n%zu", c->n_members + 1);
		m->host = xasprintf("10.0.0.%zu", c->n_members + 1);
		m->rest_host = xstrdup(m->host);
		s->acts[c->n_members++] = i ? story_replica(5) : story_primary(5);
	}
}

static inline struct story *story_new(unsigned n_members)
{
	struct story *s = xcalloc(1, sizeof(*s));

	s->config = config_new();
	s->now_ms = STORY_START_MS;
	story_add_cluster(s, "main", n_members);
	story_add_listener(s, "write", 0, ROLE_BIT(ROLE_PRIMARY));
	story_add_listener(s, "read", 0, ROLE_BIT(ROLE_REPLICA));
	return s;
}

static inline void story_end(struct story *s)
{
	view_unref(s->view);
	monitor_free(s->monitor);
	config_unref(s->config);
	free(s);
}

/* ---- one step ---- */

static inline void story_note_order(struct story *s, const struct probe_order *p)
{
	struct story_question *q =
		p->question == ASK_PORT ? &s->port[p->member] : &s->rest[p->member];

	assert_false(q->open); /* one in flight */
	*q = (struct story_question){true, p->question, s->now_ms, p->timeout_ms};
	s->n_asked[p->member][p->question]++;
	if (p->question != ASK_PORT)
		str_copy(s->asked_ip[p->member], sizeof(s->asked_ip[0]), p->ip);
	if (p->question == ASK_PRIMARY)
		s->last_asked_ms[p->member] = s->now_ms;
}

static inline void story_tell_journal(struct story *s, const struct update *up)
{
	for (size_t i = 0; i < up->n_changes; i++)
		journal_change(s->journal, &up->changes[i], &s->tally, s->now_ms,
			       s->now_ms + STORY_WALL_OFFSET_MS);
	if (up->view)
		journal_view(s->journal, up->view);
}

static inline void story_step(struct story *s, struct event ev)
{
	struct update up;

	ev.now_ms = s->now_ms;
	monitor_step(s->monitor, &ev, &up);
	if (s->journal)
		story_tell_journal(s, &up);
	if (up.view) {
		view_unref(s->view);
		s->view = up.view;
	}
	assert_in_range(up.next_tick_ms - s->now_ms, 0, 1000);
	s->n_steps++;
	s->tick_ms = up.next_tick_ms;
	for (size_t i = 0; i < up.n_probes; i++)
		story_note_order(s, &up.probes[i]);
	for (size_t i = 0; i < up.n_changes && s->n_changes < STORY_MAX_CHANGES; i++)
		s->changes[s->n_changes++] = up.changes[i];
}

static inline void story_address(struct story *s, unsigned member, const char *ip)
{
	struct event ev = {.type = EV_ADDRESS};

	ev.u.address.member = member;
	str_copy(ev.u.address.ip, sizeof(ev.u.address.ip), ip);
	str_copy(ev.u.address.rest_ip, sizeof(ev.u.address.rest_ip), ip);
	story_step(s, ev);
}

/* ---- answers ---- */

static inline int64_t story_due(const struct story *s, unsigned member,
				const struct story_question *q)
{
	const struct act *a = &s->acts[member];
	bool port = q->question == ASK_PORT;
	int64_t end = q->asked_ms + q->timeout_ms,
		due = q->asked_ms + (port ? a->port_ms : a->rest_ms);

	if ((port ? a->port : a->rest) == OUTCOME_TIMEOUT || due > end)
		due = end;
	return due < s->now_ms ? s->now_ms : due;
}

static inline void story_fill(const struct act *a, struct observation *o)
{
	static const enum role roles[] = {[ASK_REPLICA] = ROLE_REPLICA,
					  [ASK_SYNC] = ROLE_SYNC,
					  [ASK_ASYNC] = ROLE_ASYNC,
					  [ASK_QUORUM] = ROLE_QUORUM,
					  [ASK_STANDBY_LEADER] = ROLE_STANDBY_LEADER};

	if (o->question == ASK_CONFIG) {
		o->http_status = a->config_status;
		o->ttl_ms = a->ttl_ms;
		o->loop_wait_ms = a->loop_wait_ms;
		return;
	}
	o->http_status = o->question == ASK_PRIMARY                ? a->primary_status
			 : a->roles & ROLE_BIT(roles[o->question]) ? 200
								   : 503;
	o->claim = a->claim;
	o->state = a->state;
	o->timeline = a->timeline;
	o->lsn = a->lsn;
	o->system_id = a->system_id;
	o->flags = a->flags;
	str_copy(o->scope, sizeof(o->scope), a->scope);
	str_copy(o->name, sizeof(o->name), a->name);
}

static inline void story_answer(struct story *s, unsigned member, struct story_question *q)
{
	const struct act *a = &s->acts[member];
	struct event ev = {.type = EV_OBSERVATION};
	struct observation *o = &ev.u.observation;

	o->member = member;
	o->question = q->question;
	o->asked_ms = q->asked_ms;
	o->answered_ms = s->now_ms;
	o->outcome = q->question == ASK_PORT ? a->port : a->rest;
	if (o->outcome == OUTCOME_ANSWERED && s->now_ms - q->asked_ms >= q->timeout_ms)
		o->outcome = OUTCOME_TIMEOUT;
	if (o->outcome == OUTCOME_ANSWERED && q->question != ASK_PORT)
		story_fill(a, o);
	if (o->outcome == OUTCOME_ANSWERED && q->question == ASK_PORT)
		o->claim = a->port_claim;
	q->open = false;
	story_step(s, ev);
}

/* ---- time ---- */

static inline struct story_question *story_next(struct story *s, unsigned *member, int64_t *due)
{
	struct story_question *next = NULL;

	*due = INT64_MAX;
	for (unsigned i = 0; i < 2 * s->config->n_members; i++) {
		struct story_question *q = i % 2 ? &s->port[i / 2] : &s->rest[i / 2];

		if (!q->open || story_due(s, i / 2, q) >= *due)
			continue;
		*due = story_due(s, i / 2, q);
		*member = i / 2;
		next = q;
	}
	return next;
}

static inline void story_run(struct story *s, int64_t ms)
{
	int64_t until_ms = s->now_ms + ms;

	for (;;) {
		unsigned member = 0;
		int64_t due;
		struct story_question *q = story_next(s, &member, &due);
		int64_t at = due < s->tick_ms ? due : s->tick_ms;

		if (at > until_ms)
			break;
		s->now_ms = at > s->now_ms ? at : s->now_ms;
		if (q && due <= at)
			story_answer(s, member, q);
		else
			story_step(s, (struct event){.type = EV_TICK});
	}
	s->now_ms = until_ms;
}

/* isari itself stands still: nothing is asked, heard or decided. */
static inline void story_sleep(struct story *s, int64_t ms)
{
	s->now_ms += ms;
}

static inline void story_forget(struct story *s)
{
	memset(s->n_asked, 0, sizeof(s->n_asked));
	s->n_changes = s->n_steps = 0;
}

/* isari starts; addresses are known unless a member's host is empty. */
static inline void story_open(struct story *s)
{
	config_finish(s->config);
	s->monitor = monitor_new(s->config, 1, s->now_ms);
	story_step(s, (struct event){.type = EV_TICK});
	for (unsigned i = 0; i < s->config->n_members; i++)
		story_address(s, i, s->config->members[i].host);
}

/* ... and all is calm. */
static inline void story_begin(struct story *s)
{
	story_open(s);
	story_run(s, 10000);
	story_forget(s);
}

/* ---- questions ---- */

static inline enum server_state story_state(const struct story *s, unsigned listener,
					    unsigned server)
{
	return s->view->listeners[listener].servers[server].state;
}

static inline enum why story_why(const struct story *s, unsigned listener, unsigned server)
{
	return s->view->listeners[listener].servers[server].why;
}

static inline enum close_reason story_cut(const struct story *s, unsigned listener, unsigned server)
{
	return s->view->listeners[listener].servers[server].cut;
}

static inline unsigned story_generation(const struct story *s, unsigned listener, unsigned server)
{
	return s->view->listeners[listener].servers[server].generation;
}

static inline struct cluster_report story_cluster(const struct story *s, unsigned cluster)
{
	struct report r;
	struct cluster_report c;

	monitor_report(s->monitor, s->now_ms, &r);
	c = r.clusters[cluster];
	report_fini(&r);
	return c;
}

static inline struct member_report story_member(const struct story *s, unsigned member)
{
	struct report r;
	struct member_report m;

	monitor_report(s->monitor, s->now_ms, &r);
	m = r.members[member];
	report_fini(&r);
	return m;
}

static inline struct server_report story_server(const struct story *s, unsigned listener,
						unsigned server)
{
	struct report r;
	struct server_report found = {0};

	monitor_report(s->monitor, s->now_ms, &r);
	for (size_t i = 0; i < r.n_servers; i++)
		if (r.servers[i].listener == listener && r.servers[i].server == server)
			found = r.servers[i];
	report_fini(&r);
	return found;
}

static inline int story_leader(const struct story *s)
{
	return story_cluster(s, 0).primary;
}

static inline unsigned story_count(const struct story *s, enum change_type type)
{
	unsigned n = 0;

	for (size_t i = 0; i < s->n_changes; i++)
		n += s->changes[i].type == type;
	return n;
}

static inline const struct change *story_change(const struct story *s, enum change_type type)
{
	for (size_t i = 0; i < s->n_changes; i++)
		if (s->changes[i].type == type)
			return &s->changes[i];
	fail_msg("no such change was told");
	return NULL;
}

/* How long until a server is in this state; -1: not within `most_ms`. */
static inline int64_t story_time_until(struct story *s, unsigned listener, unsigned server,
				       enum server_state state, int64_t most_ms)
{
	int64_t from = s->now_ms;

	while (story_state(s, listener, server) != state) {
		if (s->now_ms - from >= most_ms)
			return -1;
		story_run(s, 1);
	}
	return s->now_ms - from;
}

static inline void story_silence(struct story *s, unsigned member)
{
	s->acts[member].rest = s->acts[member].port = OUTCOME_TIMEOUT;
}
