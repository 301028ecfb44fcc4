#pragma once
/* Put the monitor's questions to the members and stamp the answers: the one place where an
 * observation gets its times. Owner: the control thread. The prober has a deadline of its own per
 * question: a call back that a library loses costs one question, never a stuck judgement. */
#include "core/config.h"
#include "core/monitor.h"
#include "core/observation.h"
#include <uv.h>

struct prober;

struct prober_setup {
	uv_loop_t *loop;
	struct config *config; /* outlives the prober */
	/* Exactly once for every order taken, never from inside prober_ask. */
	void (*on_answer)(void *arg, const struct observation *o);
	void *arg;
};

struct prober *prober_new(const struct prober_setup *setup);
/* At most one REST question and one ASK_PORT in flight per member. */
void prober_ask(struct prober *p, const struct probe_order *order);
/* Of the same shape; outlives it, too. */
void prober_take_config(struct prober *p, struct config *config);
/* No more answers; calls back once, later, when memory is freed. */
void prober_close(struct prober *p, void (*on_closed)(void *arg), void *arg);
