/* What needs a person's eye, each as a sentence with its kind in front: first what is wrong with a
 * cluster's nodes and listeners, and of the process as a whole. Not here: that there is no primary:
 * the verdict says so. */
#include "admin/page.h"
#include "admin/phrases.h"
#include "base/str.h"
#include <inttypes.h>
#include <stdarg.h>

/* A list that is begun by its first item: no alert, no list. It is gone through once per tone: the
 * worst come first. */
struct alerts {
	struct page *p;
	unsigned cluster;
	const char *label;
	enum page_tone tone; /* the only one that is shown in this turn */
	bool any;
};

static void put(struct alerts *a, enum page_tone tone, const char *format, ...)
	__attribute__((format(printf, 3, 4)));

static void put(struct alerts *a, enum page_tone tone, const char *format, ...)
{
	struct html *h = &a->p->h;
	struct buf text = {0};
	va_list ap;

	if (tone != a->tone)
		return;
	if (!a->any) {
		html_begin(h, "ul", "alerts");
		html_attrf(h, "aria-label", "Warnings, %s", a->label);
	}
	a->any = true;
	va_start(ap, format);
	buf_vprintf(&text, format, ap);
	va_end(ap);
	html_begin(h, "li", NULL);
	html_attr(h, "data-tone", page_tone_class(tone));
	html_leaf(h, "span", "badge", page_tone_word(tone));
	html_text(h, " ");
	html_text(h, text.data);
	html_end(h);
	buf_fini(&text);
}

static void finish(struct alerts *a)
{
	if (a->any)
		html_end(&a->p->h);
}

/* ---- nodes ---- */

static void look_at_node(struct alerts *a, const struct member_report *m)
{
	const char *name = page_member(a->p, (int)m->member, "");
	bool is_silent = m->outcome != OUTCOME_ANSWERED && m->outcome != OUTCOME_NONE;
	char age[32];

	if (!is_silent && (m->up || m->outcome == OUTCOME_NONE))
		return;
	if (!is_silent)
		put(a, TONE_WARNING, "%s %s.", name, why_text(m->why));
	else if (m->last_answer_age_ms < 0)
		put(a, TONE_WARNING, "%s %s (%s). It has never answered.", name, why_text(m->why),
		    outcome_name(m->outcome));
	else
		put(a, TONE_WARNING, "%s %s (%s). Last answer %s ago.", name, why_text(m->why),
		    outcome_name(m->outcome),
		    str_duration(m->last_answer_age_ms, age, sizeof(age)));
}

static void look_at_nodes(struct alerts *a, const struct cluster_report *r)
{
	const struct cluster_config *c = &a->p->f->config->clusters[r->cluster];
	bool is_paused = false;

	for (unsigned i = 0; i < c->n_members; i++) {
		const struct member_report *m = &a->p->f->report->members[c->first_member + i];

		look_at_node(a, m);
		is_paused |= m->flags & FLAG_PAUSED && phrase_is_current(a->p->f, m);
	}
	if (is_paused)
		put(a, TONE_WARNING,
		    "Patroni is paused (maintenance mode): it will not fail over by itself.");
}

/* ---- listeners ---- */

/* Who waits for half of what `hold` allows will soon be refused. */
static void look_at_waiting(struct alerts *a, const struct listener_config *l)
{
	const struct row_facts *row = &a->p->f->rows[l->id];
	char longest[32], hold[32];

	if (row->waiting_now == 0)
		return;
	put(a, row->waiting_ms * 2 >= l->hold_ms ? TONE_ALARM : TONE_WARNING,
	    "%s: %u client%s for a server, the longest for %s; refused after %s.", l->name,
	    row->waiting_now, row->waiting_now == 1 ? " waits" : "s wait",
	    str_duration(row->waiting_ms < 0 ? 0 : row->waiting_ms, longest, sizeof(longest)),
	    str_duration(l->hold_ms, hold, sizeof(hold)));
}

/* One that serves the primary only and has none is the verdict's matter. */
static void look_at_emptiness(struct alerts *a, const struct cluster_report *r,
			      const struct listener_config *l)
{
	const struct view *v = a->p->f->view;
	char sentence[512];

	if (!v || v->listeners[l->id].n_open > 0)
		return;
	if (r->primary < 0 && listener_config_roles(l) == ROLE_BIT(ROLE_PRIMARY))
		return;
	view_none_sentence(v, l->id, a->p->f->report->now_ms, sentence, sizeof(sentence));
	put(a, TONE_ALARM, "%s takes no new sessions: %s.", l->name, sentence);
}

static void look_at_limit(struct alerts *a, const struct listener_config *l)
{
	const struct row_facts *row = &a->p->f->rows[l->id];

	if ((uint64_t)row->sessions_now * 10 >= (uint64_t)row->limit * 9)
		put(a, row->sessions_now >= row->limit ? TONE_ALARM : TONE_WARNING,
		    "%s carries %u of at most %u sessions.", l->name, row->sessions_now,
		    row->limit);
}

/* Its own door, whatever its servers are. */
static void look_at_door(struct alerts *a, const struct listener_config *l)
{
	enum frontend_state door = a->p->f->listeners[l->id].frontend;

	if (door != FRONTEND_OPEN)
		put(a, TONE_WARNING, "%s takes no new clients: it was set to %s by an operator.",
		    l->name, frontend_state_name(door));
}

static void look_at_servers(struct alerts *a)
{
	static const char *const done[] = {"", "drained", "in maintenance"};
	const struct page *p = a->p;

	for (size_t i = 0; i < p->f->report->n_servers; i++) {
		const struct server_report *s = &p->f->report->servers[i];
		const struct listener_config *l = &p->f->config->listeners[s->listener];

		if (s->admin != ADMIN_READY && l->cluster == a->cluster)
			put(a, TONE_NOTE, "%s is %s at %s, by an operator.",
			    page_member(p, (int)s->member, ""), done[s->admin], l->name);
	}
}

static void look_at_listeners(struct alerts *a, const struct cluster_report *r)
{
	const struct config *c = a->p->f->config;

	for (unsigned i = 0; i < c->n_listeners; i++) {
		if (c->listeners[i].cluster != r->cluster)
			continue;
		look_at_waiting(a, &c->listeners[i]);
		look_at_emptiness(a, r, &c->listeners[i]);
		look_at_limit(a, &c->listeners[i]);
		look_at_door(a, &c->listeners[i]);
	}
}

void page_cluster_alerts(struct page *p, const struct cluster_report *r)
{
	struct alerts a = {
		.p = p, .cluster = r->cluster, .label = p->f->config->clusters[r->cluster].name};

	for (a.tone = TONE_ALARM; a.tone > TONE_FINE; a.tone--) {
		look_at_listeners(&a, r);
		look_at_nodes(&a, r);
		look_at_servers(&a);
	}
	finish(&a);
}

/* ---- the process ---- */

static void look_at_process(struct alerts *a)
{
	const struct process_facts *process = a->p->f->process;
	unsigned maxconn = process->maxconn;

	if (process->stopping)
		put(a, TONE_WARNING,
		    "isari is stopping: it takes no new clients, and ends with its last session.");
	if ((uint64_t)process->sessions_now * 10 >= (uint64_t)maxconn * 9)
		put(a, TONE_WARNING, "isari carries %u of at most %u sessions.",
		    process->sessions_now, maxconn);
	if (process->reload_failures && !process->reload_ok)
		put(a, TONE_WARNING,
		    "The last reload was refused: what runs is the configuration from before.");
	if (process->dropped_logs)
		put(a, TONE_NOTE, "%" PRIu64 " log lines were dropped: nobody took them in time.",
		    process->dropped_logs);
}

void page_process_alerts(struct page *p)
{
	struct alerts a = {.p = p, .label = "isari"};

	for (a.tone = TONE_ALARM; a.tone > TONE_FINE; a.tone--)
		look_at_process(&a);
	finish(&a);
}
