/* Mode `connect`: as many connections as can be had, one after the other, --inflight at once. Each
 * is connect, start, an echo (unless --no-message), close.
 * Not here: asking and comparing (echo.c). */
#include "echo.h"

#include <stdlib.h>

static int open_again(struct echo *e, int64_t now)
{
	struct echoes *es = e->of;
	e->begun_ns = now;
	es->n_busy++;
	return client_open(&e->client, es->all);
}

static int over(struct echo *e, int64_t now)
{
	struct echoes *es = e->of;
	client_close(&e->client);
	if (now >= es->from_ns)
		hist_add(&es->hist, now - e->begun_ns);
	if (now >= es->from_ns && now < es->until_ns)
		es->n_counted++;
	return es->stopping ? 0 : open_again(e, now_ns());
}

/* echo_ask() begins anew: what counts here is the time since the connect. */
static int connected(struct client *c)
{
	struct echo *e = (struct echo *)c;
	client_settled(c);
	e->of->n_busy--;
	if (c->all->o->no_message)
		return over(e, now_ns());
	return echo_ask(e, e->begun_ns);
}

static int open_first(struct echoes *es)
{
	int err = 0;
	for (unsigned i = 0; i < es->n && err == 0; i++) {
		struct echo *e = &es->list[i];
		e->of = es;
		e->client.target = &es->all->target;
		e->client.deeds = &es->deeds;
		e->client.number = i;
		err = open_again(e, now_ns());
	}
	return err;
}

static int measure(struct echoes *es)
{
	const struct options *o = es->all->o;
	es->from_ns = now_ns() + (int64_t)(o->warmup * 1e9);
	es->until_ns = es->from_ns + (int64_t)(o->seconds * 1e9);
	int err = open_first(es);
	err = err < 0 ? err : clients_run_until(es->all, es->until_ns);
	return err < 0 ? err : echoes_stop(es);
}

int mode_connect(struct clients *a)
{
	struct echoes *es = malloc(sizeof(*es));
	int err = echoes_init(es, a, (unsigned)a->o->inflight);
	es->deeds.ready = connected;
	es->answered = over;
	err = err < 0 ? err : measure(es);
	if (err == 0) {
		json_open("connect");
		echoes_json(es);
		json_flag("message", !a->o->no_message);
		json_close();
	}
	echoes_fini(es);
	free(es);
	return err;
}
