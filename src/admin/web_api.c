/* What programs ask: where the primary is, which replicas there are, whether we are alive and
 * ready. Not here: everything about the clusters (json_clusters.c). */
#include "admin/phrases.h"
#include "admin/web_parts.h"
#include "base/str.h"
#include "wire/json_out.h"
#include <string.h>

/* ---- which cluster ---- */

static void name_clusters(const struct config *config, struct buf *out)
{
	for (size_t i = 0; i < config->n_clusters; i++)
		buf_printf(out, "%s%s", i ? ", " : "", config->clusters[i].name);
}

static void refuse_naming_clusters(const struct web_call *c, unsigned status, const char *what)
{
	struct buf known = {0};

	name_clusters(c->facts->config, &known);
	web_refuse_json(c, status, "%s: use ?cluster= with one of %s", what, known.data);
	buf_fini(&known);
}

/* The one that `cluster=` names, or the only one. -1: refused already. */
static int wanted_cluster(const struct web_call *c)
{
	const struct config *config = c->facts->config;
	struct web_field wanted;
	int found;

	if (!web_find_field(c->query, "cluster", &wanted)) {
		if (config->n_clusters == 1)
			return 0;
		refuse_naming_clusters(c, 400, "there are several clusters");
		return -1;
	}
	found = config_find_cluster(config, wanted.value);
	if (found < 0)
		refuse_naming_clusters(c, 404, "there is no such cluster");
	return found;
}

/* ---- members as applications connect to them ---- */

static void put_member(struct json_out *j, const struct admin_facts *f, unsigned member)
{
	const struct member_config *m = &f->config->members[member];
	uint64_t timeline = f->report->members[member].timeline;

	json_out_object(j, NULL);
	json_out_str(j, "host", m->host);
	json_out_uint(j, "port", m->port);
	json_out_str(j, "name", m->name);
	if (timeline)
		json_out_uint(j, "timeline", timeline);
	else
		json_out_null(j, "timeline");
	json_out_end(j);
}

static void end_json(const struct web_call *c)
{
	buf_putc(&c->answer->body, '\n');
	c->answer->type = WEB_JSON;
}

/* Also while two claim to be it: an application that would write to either of them may lose it. */
static void refuse_without_primary(const struct web_call *c, const struct cluster_report *r)
{
	struct buf why = {0};

	phrase_cluster_why(c->facts, r, &why);
	web_refuse_json(c, 503, "cluster %s has %s%s%s",
			c->facts->config->clusters[r->cluster].name, phrase_no_primary(r),
			why.len ? ": " : "", why.len ? why.data : "");
	buf_fini(&why);
}

/* In doubt it is still the one, as for new sessions of ours, until somebody knows better. */
void web_primary(const struct web_call *c)
{
	const struct admin_facts *f = c->facts;
	int cluster = wanted_cluster(c);
	struct json_out j;

	if (cluster < 0)
		return;
	const struct cluster_report *r = &f->report->clusters[cluster];
	if (r->primary < 0) {
		refuse_without_primary(c, r);
		return;
	}
	json_out_init(&j, &c->answer->body);
	put_member(&j, f, (unsigned)r->primary);
	end_json(c);
}

/* What /replica of its Patroni would say, from the body of its last answer. */
static bool claims_replica(const struct member_report *m)
{
	return m->claim == CLAIM_REPLICA && m->state == PG_RUNNING &&
	       !(m->flags & TAG_NOLOADBALANCE);
}

/* Patroni is asked for the roles that our listeners serve only. */
static bool is_replica(const struct admin_facts *f, const struct cluster_config *cluster,
		       unsigned member)
{
	const struct member_report *m = &f->report->members[member];
	const unsigned replica = ROLE_BIT(ROLE_REPLICA);

	return m->up && (cluster->roles_served & replica ? m->roles & replica : claims_replica(m));
}

void web_replicas(const struct web_call *c)
{
	const struct admin_facts *f = c->facts;
	int cluster = wanted_cluster(c);
	struct json_out j;
	unsigned n = 0;

	if (cluster < 0)
		return;
	const struct cluster_config *cc = &f->config->clusters[cluster];
	json_out_init(&j, &c->answer->body);
	json_out_array(&j, NULL);
	for (unsigned i = cc->first_member; i < cc->first_member + cc->n_members; i++) {
		if (!is_replica(f, cc, i))
			continue;
		put_member(&j, f, i);
		n++;
	}
	json_out_end(&j);
	end_json(c);
	if (n == 0)
		web_refuse_json(c, 503, "cluster %s has no replica", cc->name);
}

/* ---- alive and ready ---- */

void web_healthz(const struct web_call *c)
{
	c->answer->type = WEB_TEXT;
	buf_puts(&c->answer->body, "alive\n");
}

static bool serves_primary(const struct listener_config *l)
{
	return (l->serve & ROLE_BIT(ROLE_PRIMARY)) != 0;
}

/* Does it let sessions go to the primary? */
static bool has_primary(const struct admin_facts *f, const struct listener_config *l)
{
	int primary = f->report->clusters[l->cluster].primary;
	const struct view_listener *v = &f->view->listeners[l->id];

	for (unsigned i = 0; i < v->n_servers; i++)
		if ((int)v->servers[i].member == primary)
			return v->servers[i].state == SERVER_OPEN;
	return false;
}

static void say_missing(const struct admin_facts *f, const struct listener_config *l,
			struct buf *out)
{
	char sentence[640];

	if (f->view->listeners[l->id].n_open > 0)
		buf_printf(out, "%s: cluster \"%s\" has no primary that takes sessions\n", l->name,
			   f->config->clusters[l->cluster].name);
	else {
		view_none_sentence(f->view, l->id, f->report->now_ms, sentence, sizeof(sentence));
		buf_printf(out, "%s: %s\n", l->name, sentence);
	}
}

static void list_missing(const struct admin_facts *f, struct buf *out)
{
	for (size_t i = 0; i < f->config->n_listeners; i++) {
		const struct listener_config *l = &f->config->listeners[i];

		if (serves_primary(l) && !has_primary(f, l))
			say_missing(f, l, out);
	}
}

/* Ready is who can do its whole job: every listener that serves the primary has one, and we mean to
 * stay. */
void web_readyz(const struct web_call *c)
{
	const struct admin_facts *f = c->facts;
	struct web_answer *a = c->answer;

	a->type = WEB_TEXT;
	if (f->process->stopping)
		buf_puts(&a->body, "isari is stopping\n");
	else if (f->view == NULL)
		buf_puts(&a->body, "no member was asked yet\n");
	else
		list_missing(f, &a->body);
	if (a->body.len > 0)
		a->status = 503;
	else
		buf_puts(&a->body, "ready\n");
}
