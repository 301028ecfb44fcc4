/* What each worker thread carries, and its turns, as JSON. */
#include "admin/json_pages.h"
#include "admin/json_parts.h"

static void put_worker(struct json_out *j, unsigned index, const struct worker_numbers *w)
{
	json_out_object(j, NULL);
	json_out_uint(j, "worker", index);
#define FIELD(name, help) json_out_uint(j, #name, w->name);
	WORKER_STATS_LIST(FIELD)
#undef FIELD
	json_out_uint(j, "coalesced", w->coalesced);
	json_out_uint(j, "spliced", w->spliced);
	json_out_end(j);
}

void json_workers(const struct admin_facts *f, struct buf *out)
{
	struct json_out j;

	json_out_init(&j, out);
	json_out_object(&j, NULL);
	json_out_array(&j, "workers");
	for (unsigned i = 0; i < f->n_workers; i++)
		put_worker(&j, i, &f->workers[i]);
	json_out_end(&j);
	json_out_end(&j);
}
