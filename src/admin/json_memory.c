/* Where memory is, as JSON. */
#include "admin/json_pages.h"
#include "admin/json_parts.h"
#include "admin/memory_rows.h"

void json_memory(const struct admin_facts *f, struct buf *out)
{
	struct json_out j;

	json_out_init(&j, out);
	json_out_object(&j, NULL);
	json_out_object(&j, "memory");
	for (unsigned i = 0; i < n_memory_rows; i++)
		json_out_known_int(&j, memory_rows[i].key, memory_rows[i].value(f));
	json_out_end(&j);
	json_out_end(&j);
}
