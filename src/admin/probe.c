/* `probe`: somebody knows that a cluster changes, and we are to ask now instead of at the next
 * round. Not here: the asking; the order says it to the caller. */
#include "admin/command.h"
#include "admin/replies.h"
#include <string.h>

static int find_cluster(const struct config *config, const char *name)
{
	for (size_t i = 0; i < config->n_clusters; i++)
		if (strcmp(config->clusters[i].name, name) == 0)
			return (int)i;
	return -1;
}

void probe(const struct command_call *c)
{
	int cluster = -1;

	if (c->n_args > 0) {
		cluster = find_cluster(c->facts->config, c->args[0]);
		if (cluster < 0) {
			reply_error(c->out, REPLY_NO_CLUSTER);
			return;
		}
	}
	c->order->type = ORDER_HINT;
	c->order->cluster = cluster;
}
