/* What changed in a step, for the log: noted here, said by control/announce.c. */
#include "base/mem.h"
#include "core/monitor_state.h"

struct change *monitor_note(struct monitor *m, enum change_type type, unsigned cluster)
{
	struct change *c;

	if (m->n_changes == m->changes_cap) {
		m->changes_cap = m->changes_cap ? 2 * m->changes_cap : 16;
		m->changes = xrealloc(m->changes, m->changes_cap * sizeof(*m->changes));
	}
	c = &m->changes[m->n_changes++];
	*c = (struct change){.type = type,
			     .cluster = cluster,
			     .from = -1,
			     .to = -1,
			     .member = -1,
			     .listener = -1};
	return c;
}

/* At the start "not up" is no news: only a member that is refused, gone or has no address is. */
static bool is_news(const struct cluster_state *c, const struct member_state *s, bool up)
{
	if (s->reported || up)
		return up != s->reported_up;
	return s->refused != WHY_NONE || s->health.gone || s->why == WHY_NO_ADDRESS ||
	       s->health.silent >= c->config->probe.fall;
}

void monitor_note_members(struct monitor *m, int64_t now_ms)
{
	for (size_t i = 0; i < m->config->n_members; i++) {
		struct member_state *s = &m->members[i];
		bool up = s->health.up && s->refused == WHY_NONE;
		struct change *change;

		if (!is_news(monitor_cluster_of(m, (unsigned)i), s, up))
			continue;
		change = monitor_note(m, CHANGE_MEMBER, s->config->cluster);
		change->member = (int)i;
		change->up = up;
		change->why = s->why;
		change->outcome = s->outcome;
		change->http_status = s->http_status;
		change->timeline = s->last.timeline;
		change->after_ms = now_ms - s->standing_since_ms;
		s->reported = true;
		s->reported_up = up;
		s->standing_since_ms = now_ms;
	}
}
