#pragma once
/* What control measures of others and of itself: how members answer, how failovers went in number,
 * how late its own timers are, what reading the metrics costs. Plain values; time comes in as an
 * argument. Owner: the control thread. Not here: what clients do (counters.h), the phases of a
 * failover (journal.h). */
#include "base/hist.h"
#include "core/config.h"
#include "core/journal.h"
#include "core/observation.h"

/* Who was asked: Patroni's REST, or the member's data port. */
enum via { VIA_REST, VIA_PORT, N_VIAS };

struct question_meter {
	uint64_t asked;
	uint64_t outcomes[N_OUTCOMES];
	struct hist answer_ms; /* of those that were answered */
};

struct member_meter {
	struct question_meter via[N_VIAS];
};

/* Entries of the journal that are over. */
struct cluster_meter {
	uint64_t failovers;     /* another member became primary */
	uint64_t returns;       /* the same one did, after it was lost */
	uint64_t interruptions; /* it was in doubt only, but clients had to wait */
};

struct meters {
	size_t n_clusters, n_members;
	struct cluster_meter *clusters; /* config order */
	struct member_meter *members;
	struct hist late_us;     /* control's timer: how late it came */
	struct hist page_us;     /* writing the page of metrics */
	uint64_t page_bytes;     /* of the last one */
	uint64_t lookups;        /* of host names ... */
	uint64_t failed_lookups; /* ... that brought no address */
};

struct meters *meters_new(const struct config *config);
void meters_free(struct meters *m); /* NULL is fine */

void meters_asked(struct meters *m, unsigned member, enum question question);
void meters_answered(struct meters *m, const struct observation *o);
void meters_failover(struct meters *m, const struct failover *f); /* it is over; each once */
void meters_late(struct meters *m, int64_t late_us);
void meters_page(struct meters *m, int64_t took_us, size_t bytes);
