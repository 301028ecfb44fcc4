/* The failover journal as JSON, newest first: per failover who, when and why, and its phases. */
#include "admin/json_pages.h"
#include "admin/json_parts.h"
#include "admin/phrases.h"
#include "base/str.h"

static void put_phases(struct json_out *j, const struct failover *e)
{
	json_out_array(j, "phases");
	for (unsigned p = 0; p < N_PHASES; p++) {
		json_out_object(j, NULL);
		json_out_str(j, "key", phase_key((enum phase)p));
		json_out_str(j, "words", phrase_phase(e, (enum phase)p));
		if (e->at_ms[p] < 0)
			json_out_null(j, "at_ms");
		else
			json_out_int(j, "at_ms", e->at_ms[p] - failover_began_ms(e));
		json_out_end(j);
	}
	json_out_end(j);
}

static void put_counts(struct json_out *j, const struct failover *e)
{
	json_out_uint(j, "cut", e->counted.cut);
	json_out_uint(j, "held", e->counted.held);
	json_out_uint(j, "released", e->counted.released);
	json_out_uint(j, "refused", e->counted.refused);
	json_out_uint(j, "waiting", e->waiting);
}

static void put_event(struct json_out *j, const struct admin_facts *f, const struct failover *e)
{
	char began[STR_UTC_BYTES];

	json_out_object(j, NULL);
	json_out_str(j, "cluster", f->config->clusters[e->cluster].name);
	json_out_str(j, "from", phrase_member(f, e->from, NULL));
	json_out_str(j, "to", phrase_member(f, e->to, NULL));
	json_out_str(j, "kind", phrase_failover_kind(e));
	json_out_str(j, "why", why_text(e->why));
	json_out_known_uint(j, "from_timeline", e->from_timeline);
	json_out_known_uint(j, "to_timeline", e->to_timeline);
	json_out_str(j, "began", str_utc(failover_began_wall_ms(e), began, sizeof(began)));
	json_out_known_int(j, "gap_ms", failover_gap_ms(e));
	json_out_bool(j, "closed", e->closed);
	put_phases(j, e);
	put_counts(j, e);
	json_out_end(j);
}

void json_events(const struct admin_facts *f, struct buf *out)
{
	struct json_out j;

	json_out_init(&j, out);
	json_out_object(&j, NULL);
	json_out_array(&j, "events");
	for (unsigned i = f->journal->n; i-- > 0;)
		put_event(&j, f, &f->journal->entries[i]);
	json_out_end(&j);
	json_out_end(&j);
}
