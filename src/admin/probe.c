/* `probe`: somebody knows that a cluster changes, and we are to ask now instead of at the next
 * round. Not here: the asking; the order says it to the caller. */
#include "admin/command.h"
#include "admin/replies.h"
#include "wire/json_out.h"
#include <string.h>

static void say_asked(const struct config *config, int cluster, struct buf *out)
{
	struct json_out j;

	json_out_init(&j, out);
	json_out_object(&j, NULL);
	json_out_array(&j, "asked");
	for (size_t i = 0; i < config->n_clusters; i++)
		if (cluster < 0 || (size_t)cluster == i)
			json_out_str(&j, NULL, config->clusters[i].name);
	json_out_end(&j);
	json_out_end(&j);
	buf_putc(out, '\n');
}

/* A cluster may be called json. */
void probe(const struct command_call *c)
{
	const struct config *config = c->facts->config;
	int cluster = c->n_args > 0 ? config_find_cluster(config, c->args[0]) : -1;
	bool json = c->n_args > 0 && strcmp(c->args[c->n_args - 1], "json") == 0 &&
		    (c->n_args > 1 || cluster < 0);

	if (c->n_args > (json ? 1 : 0) && cluster < 0) {
		reply_error(c->out, REPLY_NO_CLUSTER);
		return;
	}
	c->order->type = ORDER_HINT;
	c->order->cluster = cluster;
	if (json)
		say_asked(config, cluster, c->out);
}
