/* The nodes of a cluster as cards: what each says of itself, when it last did, and our judgement.
 */
#include "admin/page.h"
#include "admin/phrases.h"
#include "base/str.h"
#include <inttypes.h>

static bool is_primary(const struct cluster_report *r, const struct member_report *m)
{
	return r->primary == (int)m->member;
}

/* The word on the card: our judgement first, else what the member claims. */
static const char *standing(const struct page *p, const struct cluster_report *r,
			    const struct member_report *m)
{
	if (is_primary(r, m))
		return role_name(ROLE_PRIMARY);
	if (m->outcome == OUTCOME_NONE)
		return outcome_name(OUTCOME_NONE);
	if (!m->up)
		return "down";
	return phrase_is_current(p->f, m) ? claim_name(m->claim) : "silent";
}

static enum page_tone tone_of(const struct cluster_report *r, const struct member_report *m)
{
	if (is_primary(r, m))
		return m->why == WHY_PROVEN ? TONE_FINE : TONE_WARNING;
	if (m->outcome == OUTCOME_NONE)
		return TONE_NOTE;
	return m->up && m->outcome == OUTCOME_ANSWERED ? TONE_NOTE : TONE_WARNING;
}

static void put_head(struct page *p, const struct cluster_report *r, const struct member_report *m)
{
	const struct member_config *c = &p->f->config->members[m->member];

	html_begin(&p->h, "h3", NULL);
	html_leaf(&p->h, "span", "name", c->name);
	html_text(&p->h, " ");
	html_leaf(&p->h, "span", "role", standing(p, r, m));
	html_end(&p->h);
	html_begin(&p->h, "p", "address");
	if (c->socket_path)
		html_text(&p->h, c->socket_path);
	else
		html_textf(&p->h, "%s:%u", c->host, c->port);
	html_end(&p->h);
}

static void put_claims(struct page *p, const struct member_report *m)
{
	char lag[PAGE_BYTES_TEXT] = "-";
	bool current = phrase_is_current(p->f, m);

	if (phrase_has_lag(p->f, m))
		page_bytes(m->lag_bytes, lag);
	page_field_text(p, "Role", NULL, "%s", current ? claim_name(m->claim) : "-");
	page_field_text(p, "State", NULL, "%s", current ? pg_state_name(m->state) : "-");
	if (current && m->timeline)
		page_field_text(p, "Timeline", NULL, "%" PRIu64, m->timeline);
	else
		page_field_text(p, "Timeline", NULL, "-");
	page_field_text(p, "Lag", NULL, "%s", lag);
}

static void put_answer(struct page *p, const struct member_report *m)
{
	char age[32] = "never", left[32];

	if (m->last_answer_age_ms >= 0)
		str_duration(m->last_answer_age_ms, age, sizeof(age));
	if (m->outcome == OUTCOME_ANSWERED)
		page_field_text(p, "Last answer", NULL, "%s ago, HTTP %d", age, m->http_status);
	else if (m->last_answer_age_ms < 0)
		page_field_text(p, "Last answer", "bad", "%s", outcome_name(m->outcome));
	else
		page_field_text(p, "Last answer", "bad", "%s ago, now %s", age,
				outcome_name(m->outcome));
	if (m->proof_left_ms > 0)
		page_field_text(p, "Proven for", NULL, "%s more",
				str_duration(m->proof_left_ms, left, sizeof(left)));
}

static void put_versions(struct page *p, const struct member_report *m)
{
	char version[PHRASE_VERSION_BYTES];

	if (*m->patroni_version)
		page_field_text(p, "Patroni", NULL, "%s", m->patroni_version);
	if (m->server_version)
		page_field_text(p, "PostgreSQL", NULL, "%s",
				phrase_server_version(m->server_version, version));
}

static void put_flags(struct page *p, const struct member_report *m)
{
	if (!m->flags || !phrase_is_current(p->f, m))
		return;
	html_begin(&p->h, "p", "tags");
	for (unsigned i = 0; i < N_PHRASE_FLAGS; i++) {
		if (!(m->flags & 1u << i))
			continue;
		html_leaf(&p->h, "span", "tag", phrase_flag(i));
		html_text(&p->h, " ");
	}
	html_end(&p->h);
}

static void put_node(struct page *p, const struct cluster_report *r, const struct member_report *m)
{
	html_begin(&p->h, "li", is_primary(r, m) ? "node primary" : "node");
	html_attr(&p->h, "data-tone", page_tone_class(tone_of(r, m)));
	html_attrf(&p->h, "id", "node-%u", m->member);
	put_head(p, r, m);
	html_begin(&p->h, "dl", NULL);
	put_claims(p, m);
	put_answer(p, m);
	page_field_text(p, "Sessions", NULL, "%u", phrase_member_sessions(p->f, m->member));
	put_versions(p, m);
	html_end(&p->h);
	put_flags(p, m);
	html_leaf(&p->h, "p", "why", why_text(m->why));
	html_end(&p->h);
}

void page_nodes(struct page *p, const struct cluster_report *r)
{
	const struct cluster_config *cluster = &p->f->config->clusters[r->cluster];

	html_begin(&p->h, "ul", "nodes");
	html_attrf(&p->h, "aria-label", "Nodes of %s", cluster->name);
	for (unsigned i = 0; i < cluster->n_members; i++)
		put_node(p, r, &p->f->report->members[cluster->first_member + i]);
	html_end(&p->h);
}
