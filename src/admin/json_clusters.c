/* Clusters with their members and listeners as JSON, and the members of all of them in one list. */
#include "admin/json_pages.h"
#include "admin/json_parts.h"
#include "admin/phrases.h"
#include "admin/stat_row.h"
#include <inttypes.h>
#include <stdio.h>

static void put_why(struct json_out *j, const struct admin_facts *f, const struct cluster_report *r)
{
	struct buf why = {0};

	buf_puts(&why, "");
	phrase_cluster_why(f, r, &why);
	json_out_str(j, "why", why.data);
	buf_fini(&why);
}

/* A string: it has more digits than JavaScript's numbers. */
static void put_system_id(struct json_out *j, uint64_t id)
{
	char text[24];

	snprintf(text, sizeof(text), "%" PRIu64, id);
	json_out_str(j, "system_id", id ? text : NULL);
}

static void put_head(struct json_out *j, const struct admin_facts *f,
		     const struct cluster_report *r)
{
	json_out_str(j, "name", f->config->clusters[r->cluster].name);
	json_out_known_str(j, "scope", r->scope);
	put_system_id(j, r->system_id);
	json_out_str(j, "primary", phrase_member(f, r->primary, NULL));
	json_out_int(j, "since_ms", r->since_ms_ago);
	json_out_known_uint(j, "timeline", r->timeline);
	put_why(j, f, r);
	json_out_bool(j, "ambiguous", r->ambiguous);
	json_out_bool(j, "in_doubt", r->in_doubt);
	json_out_uint(j, "primary_changes", r->primary_changes);
}

static void put_members(struct json_out *j, const struct admin_facts *f, unsigned cluster)
{
	const struct cluster_config *c = &f->config->clusters[cluster];

	json_out_array(j, "members");
	for (unsigned i = 0; i < c->n_members; i++) {
		json_out_object(j, NULL);
		json_member_fields(j, f, &f->report->members[c->first_member + i]);
		json_out_end(j);
	}
	json_out_end(j);
}

static void put_server(struct json_out *j, const struct stat_row *r)
{
	json_out_object(j, NULL);
	json_out_str(j, "name", r->member->name);
	json_out_str(j, "status", r->status);
	json_out_str(j, "admin", admin_state_name(r->server->admin));
	json_out_str(j, "state", server_state_name(r->server->state));
	json_out_str(j, "why", why_text(r->server->why));
	json_out_uint(j, "weight", r->server->weight);
	json_out_uint(j, "sessions", r->counts.sessions_now);
	json_out_uint(j, "sessions_total", r->counts.sum.sessions);
	json_out_end(j);
}

static void put_servers(struct json_out *j, const struct admin_facts *f, unsigned listener)
{
	struct stat_row r;
	unsigned n = config_listener_cluster(f->config, &f->config->listeners[listener])->n_members;

	json_out_array(j, "servers");
	for (unsigned i = 0; i < n; i++) {
		stat_row_server(&r, f, listener, i);
		put_server(j, &r);
	}
	json_out_end(j);
}

static void put_traffic(struct json_out *j, const struct row_facts *row)
{
	json_out_uint(j, "sessions", row->sessions_now);
	json_out_uint(j, "sessions_total", row->sum.sessions);
	json_out_uint(j, "rate", row->rate);
	json_out_uint(j, "bytes_in", row->sum.bytes_in);
	json_out_uint(j, "bytes_out", row->sum.bytes_out);
	json_out_uint(j, "waiting", row->waiting_now);
	json_out_known_int(j, "waiting_ms", row->waiting_ms);
	json_out_uint(j, "held", row->sum.held);
	json_out_uint(j, "released", row->sum.released);
	json_out_uint(j, "cuts", row->sum.cuts);
}

static void put_listener(struct json_out *j, const struct admin_facts *f, unsigned listener)
{
	const struct listener_config *l = &f->config->listeners[listener];
	struct stat_row r;

	stat_row_frontend(&r, f, listener);
	json_out_object(j, NULL);
	json_out_str(j, "name", l->name);
	json_out_str(j, "frontend", l->frontend_name);
	json_out_str(j, "backend", l->backend_name);
	json_out_roles(j, "serve", l->serve);
	put_traffic(j, &r.counts);
	json_out_str(j, "status", r.status);
	put_servers(j, f, listener);
	json_out_end(j);
}

static void put_cluster(struct json_out *j, const struct admin_facts *f, unsigned cluster)
{
	json_out_object(j, NULL);
	put_head(j, f, &f->report->clusters[cluster]);
	put_members(j, f, cluster);
	json_out_array(j, "listeners");
	for (unsigned i = 0; i < f->config->n_listeners; i++)
		if (f->config->listeners[i].cluster == cluster)
			put_listener(j, f, i);
	json_out_end(j);
	json_out_end(j);
}

void json_clusters(const struct admin_facts *f, struct buf *out)
{
	struct json_out j;

	json_out_init(&j, out);
	json_out_object(&j, NULL);
	json_out_array(&j, "clusters");
	for (unsigned i = 0; i < f->report->n_clusters; i++)
		put_cluster(&j, f, i);
	json_out_end(&j);
	json_out_end(&j);
}

void json_members(const struct admin_facts *f, struct buf *out)
{
	struct json_out j;

	json_out_init(&j, out);
	json_out_object(&j, NULL);
	json_out_array(&j, "members");
	for (size_t i = 0; i < f->report->n_members; i++) {
		const struct member_report *m = &f->report->members[i];

		json_out_object(&j, NULL);
		json_out_str(&j, "cluster",
			     f->config->clusters[f->config->members[m->member].cluster].name);
		json_member_fields(&j, f, m);
		json_out_end(&j);
	}
	json_out_end(&j);
	json_out_end(&j);
}
