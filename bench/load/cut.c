/* Mode `cut`: many idle sessions of which the other side is about to make an end, and a few that go
 * on elsewhere. How long did it take, what were they told, and did the others feel it?
 * Not here: who cuts; asking and comparing (echo.c). */
#include "echo.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

struct cut {
	struct echoes doomed, survivors;
	struct address survivors_at;
	bool open; /* all are there: an end is no error now */
	unsigned n_gone, n_told;
	int64_t first_ns, last_ns;
	struct hist before, during;
};

/* ---- the doomed ------------------------------------------------------------------------------ */

static int hear_doomed(struct client *c, const char *data, size_t n)
{
	struct echo *e = (struct echo *)c;
	struct cut *cut = e->of->mode;
	const char *state = e->busy ? NULL : error_field(data, n, 'C');
	if (!state || get32(data + 1) + 1 != n)
		return echo_input(c, data, n);
	cut->n_told += strcmp(state, "57P01") == 0;
	return 0;
}

/* The descriptor stays until all is over: closing it would cost the survivors time. */
static int on_gone(struct client *c, int error)
{
	struct cut *cut = ((struct echo *)c)->of->mode;
	(void)error;
	if (!cut->open)
		return clients_fail(c->all, "session %u was cut before all were open", c->number);
	cut->last_ns = now_ns();
	if (cut->n_gone++ == 0)
		cut->first_ns = cut->last_ns;
	return 0;
}

/* ---- the survivors --------------------------------------------------------------------------- */

/* Whatever overlaps the cut belongs to it, however late its answer came. */
static int survived(struct echo *e, int64_t now)
{
	struct cut *cut = e->of->mode;
	if (cut->open)
		hist_add(cut->n_gone ? &cut->during : &cut->before, now - e->begun_ns);
	return e->of->stopping ? 0 : echo_ask(e, now);
}

/* ---- the mode -------------------------------------------------------------------------------- */

static int open_all(struct cut *cut, struct clients *a)
{
	const struct options *o = a->o;
	const char *at = o->survivors ? o->survivors : o->target;
	unsigned n = o->survivors ? (unsigned)o->survivor_conns : 0;
	if (address_parse(&cut->survivors_at, at, strlen(at)) < 0)
		return clients_fail(a, "--survivors %s: not an address", at);
	int err = echoes_init(&cut->doomed, a, (unsigned)o->conns);
	err = err < 0 ? err : echoes_init(&cut->survivors, a, n);
	cut->doomed.mode = cut->survivors.mode = cut;
	cut->doomed.answered = echo_rest;
	cut->doomed.deeds.ready = echo_ask_once;
	cut->doomed.deeds.input = hear_doomed;
	cut->doomed.deeds.gone = on_gone;
	cut->survivors.answered = survived;
	err = err < 0 ? err : echoes_open(&cut->doomed, &a->target);
	err = err < 0 ? err : echoes_open(&cut->survivors, &cut->survivors_at);
	for (unsigned i = 0; i < n && err == 0; i++)
		cut->survivors.list[i].client.urgent = true;
	return err;
}

static int watch(struct cut *cut, struct clients *a)
{
	int64_t until = now_ns() + (int64_t)(a->o->seconds * 1e9);
	int err = echoes_ask_all(&cut->survivors);
	a->patient = cut->open = true;
	puts("ready");
	fflush(stdout);
	while (err == 0 && cut->n_gone < cut->doomed.n) {
		if (now_ns() >= until)
			return clients_fail(a, "%u of %u sessions were cut within %g s",
					    cut->n_gone, cut->doomed.n, a->o->seconds);
		err = clients_turn(a, until);
	}
	return err < 0 ? err : echoes_stop(&cut->survivors);
}

static void tell(const struct cut *cut)
{
	json_open("cut");
	json_count("n", cut->n_gone);
	json_real("first_to_last_ms", (double)(cut->last_ns - cut->first_ns) / 1e6);
	json_count("told_57P01", cut->n_told);
	json_count("survivors_n", cut->survivors.n);
	json_count("survivors_before_n", cut->before.n);
	json_latency("survivors_before_", &cut->before);
	json_count("survivors_during_n", cut->during.n);
	json_latency("survivors_during_", &cut->during);
	json_close();
}

int mode_cut(struct clients *a)
{
	struct cut *cut = calloc(1, sizeof(*cut));
	int err = open_all(cut, a);
	err = err < 0 ? err : watch(cut, a);
	if (err == 0)
		tell(cut);
	echoes_fini(&cut->doomed);
	echoes_fini(&cut->survivors);
	free(cut);
	return err;
}
