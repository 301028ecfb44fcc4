/* Every message counts, in order: a list under a mutex and a wake-up. uv coalesces wake-ups, so
 * each one empties the whole list. */
#include "io/mailbox.h"
#include "base/assert.h"

static void dispatch_all(struct mailbox *m)
{
	struct list mine;

	list_init(&mine);
	pthread_mutex_lock(&m->lock);
	list_move_all(&mine, &m->messages);
	pthread_mutex_unlock(&m->lock);

	while (!list_empty(&mine)) {
		struct list *message = mine.next;

		list_unlink(message);
		m->on_message(m->arg, message);
	}
}

static void on_async(uv_async_t *async)
{
	dispatch_all(async->data);
}

int mailbox_open(struct mailbox *m, uv_loop_t *loop, void (*on_message)(void *, struct list *),
		 void *arg)
{
	int rc;

	REQUIRE(on_message != NULL);
	list_init(&m->messages);
	m->on_message = on_message;
	m->on_closed = NULL;
	m->arg = arg;
	m->async.data = m;
	rc = uv_async_init(loop, &m->async, on_async);
	if (rc == 0)
		pthread_mutex_init(&m->lock, NULL);
	return rc;
}

void mailbox_send(struct mailbox *m, struct list *message)
{
	pthread_mutex_lock(&m->lock);
	list_append(&m->messages, message);
	pthread_mutex_unlock(&m->lock);
	uv_async_send(&m->async);
}

static void on_async_closed(uv_handle_t *h)
{
	struct mailbox *m = h->data;

	pthread_mutex_destroy(&m->lock);
	if (m->on_closed)
		m->on_closed(m->arg);
}

void mailbox_close(struct mailbox *m, void (*on_closed)(void *arg))
{
	while (!list_empty(&m->messages)) /* no lock: every sender has stopped */
		dispatch_all(m);
	m->on_closed = on_closed;
	uv_close((uv_handle_t *)&m->async, on_async_closed);
}
