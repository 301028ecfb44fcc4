/* Modes of closed loops: `pingpong` (round trips alone) and `idle` (sessions that had one answer
 * and then only are there).
 * Not here: asking and comparing (echo.c). */
#include "echo.h"

#include <stdio.h>
#include <stdlib.h>

int mode_pingpong(struct clients *a)
{
	struct echoes *es = malloc(sizeof(*es));
	int err = echoes_init(es, a, (unsigned)a->o->conns);
	err = err < 0 ? err : echoes_open(es, &a->target);
	err = err < 0 ? err : echoes_measure(es);
	if (err == 0) {
		json_open("pingpong");
		echoes_json(es);
		json_close();
	}
	echoes_fini(es);
	free(es);
	return err;
}

/* ---- idle ------------------------------------------------------------------------------------ */

static int wait_for_word(struct clients *a)
{
	int err = clients_watch_stdin(a);
	a->patient = true;
	puts("ready");
	fflush(stdout);
	while (err == 0 && !a->stdin_ended)
		err = clients_turn(a, INT64_MAX);
	return err;
}

int mode_idle(struct clients *a)
{
	int64_t begun = now_ns();
	struct echoes *es = malloc(sizeof(*es));
	int err = echoes_init(es, a, (unsigned)a->o->conns);
	es->deeds.ready = echo_ask_once;
	es->answered = echo_rest;
	err = err < 0 ? err : echoes_open(es, &a->target);
	int64_t open = now_ns();
	err = err < 0 ? err : wait_for_word(a);
	if (err == 0) {
		json_open("idle");
		json_count("n", es->n);
		json_count("response_bytes", es->response);
		json_real("open_seconds", (double)(open - begun) / 1e9);
		json_real("seconds", (double)(now_ns() - open) / 1e9);
		json_close();
	}
	echoes_fini(es);
	free(es);
	return err;
}
