#pragma once
/* One door between threads: latest wins. The publisher puts a value, the reader's loop wakes and
 * takes the newest; values nobody collected come back to the publisher. Reader side: the loop that
 * opened it. */
#include <stdatomic.h>
#include <uv.h>

struct slot {
	_Atomic(void *) value;
	uv_async_t async;
	void (*on_value)(void *arg); /* call slot_take there */
	void (*on_closed)(void *arg);
	void *arg;
};

int slot_open(struct slot *s, uv_loop_t *loop, void (*on_value)(void *arg), void *arg);
/* Any thread; returns the uncollected old value or NULL. */
void *slot_put(struct slot *s, void *value);
void *slot_take(struct slot *s); /* reader; NULL: nothing new */
/* Every publisher must have stopped. Calls back once, later; an uncollected value stays for
 * slot_take. */
void slot_close(struct slot *s, void (*on_closed)(void *arg));
