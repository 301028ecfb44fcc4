/* Are the members of more than one cluster? Only at the start is that a question: later each answer
 * is held against what the primary has said of its cluster (proof.c). */
#include "core/monitor_state.h"
#include <string.h>

static bool are_of_different_clusters(const struct observation *a, const struct observation *b)
{
	bool systems = a->system_id && b->system_id && a->system_id != b->system_id;
	bool scopes = a->scope[0] && b->scope[0] && strcmp(a->scope, b->scope) != 0;

	return systems || scopes;
}

/* Before anybody was primary nobody has said which cluster this is. When primaries of two are among
 * the members, their timelines have nothing to do with each other, and to follow one is to guess
 * (rules 8 and 9). */
bool monitor_sees_two_clusters(const struct cluster_state *c, int64_t now_ms, struct ruling *r)
{
	for (unsigned i = 0; i < c->config->n_members; i++)
		for (unsigned k = i + 1; k < c->config->n_members; k++) {
			const struct member_state *a = &c->members[i], *b = &c->members[k];

			if (!monitor_claims_primary(c, a, now_ms) ||
			    !monitor_claims_primary(c, b, now_ms) ||
			    !are_of_different_clusters(&a->last, &b->last))
				continue;
			*r = (struct ruling){.member = -1,
					     .first = (int)a->config->id,
					     .other = (int)b->config->id,
					     .ambiguous = true,
					     .why = WHY_TWO_CLUSTERS};
			return true;
		}
	return false;
}
