/* Birth and death of the messages between control and workers. Not here: how they travel
 * (io/mailbox.h) and what they make somebody do. Any thread: one holder at a time. */
#include "core/messages.h"
#include "base/mem.h"
#include <stdlib.h>

struct message *message_new(enum message_type type)
{
	struct message *m = xcalloc(1, sizeof(*m));

	list_init(&m->node);
	m->type = type;
	return m;
}

void message_free(struct message *m)
{
	if (m == NULL)
		return;
	if (m->type == MSG_SESSIONS)
		free(m->u.sessions.list);
	free(m);
}
