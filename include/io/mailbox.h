#pragma once
/* The other door between threads: every message counts, in order. Senders append under a mutex; the
 * reader detaches the whole list first and dispatches outside the lock. Messages are owned by
 * whoever holds them. */
#include "base/list.h"
#include <pthread.h>
#include <uv.h>

struct mailbox {
	pthread_mutex_t lock;
	struct list messages;
	uv_async_t async;
	void (*on_message)(void *arg, struct list *message); /* the receiver owns it now */
	void (*on_closed)(void *arg);
	void *arg;
};

int mailbox_open(struct mailbox *m, uv_loop_t *loop, void (*on_message)(void *, struct list *),
		 void *arg);
void mailbox_send(struct mailbox *m, struct list *message); /* any thread */
/* Every sender must have stopped. What is left is dispatched first; then calls back once, later. */
void mailbox_close(struct mailbox *m, void (*on_closed)(void *arg));
