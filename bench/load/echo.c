/* Sessions that ask for one echo after the other.
 * Not here: sockets (client.c), what the numbers are for (the modes). */
#include "echo.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

static struct echo *echo_of(struct client *c)
{
	return (struct echo *)c;
}

/* ---- questions ------------------------------------------------------------------------------- */

/* Query "echo N TAG......": the dots make it as long as was asked for. */
static void write_question(struct echoes *es)
{
	char *q = es->question;
	int words = snprintf(q + 5, es->request - 5, "echo %zu ", es->response);
	memset(q + 5 + words, '.', es->request - 6 - (size_t)words);
	q[0] = 'Q';
	put32(q + 1, (uint32_t)es->request - 1);
	q[es->request - 1] = 0;
}

static char *tag_in_question(const struct echoes *es)
{
	return (char *)memchr(es->question + 10, ' ', 20) + 1;
}

/* Who asks and for which time: an answer to another question is a wrong answer. */
static void next_tag(struct echo *e)
{
	static const char digits[] =
		"ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/";
	uint64_t n = (uint64_t)e->client.number << 28 | (e->asked++ & 0xfffffff);
	for (int i = 0; i < TAG; i++, n >>= 6)
		e->tag[i] = digits[n & 63];
}

static int push_question(struct client *c)
{
	size_t sent;
	struct echo *e = echo_of(c);
	struct echoes *es = e->of;
	if (!e->busy || e->sent == es->request)
		return 0;
	memcpy(tag_in_question(es), e->tag, TAG);
	int err = client_send(c, es->question + e->sent, es->request - e->sent, &sent);
	e->sent += sent;
	return err;
}

int echo_ask(struct echo *e, int64_t now)
{
	next_tag(e);
	e->busy = true;
	e->of->n_busy++;
	e->sent = e->got = 0;
	e->begun_ns = now;
	return push_question(&e->client);
}

/* ---- answers --------------------------------------------------------------------------------- */

static size_t n_right(const char *want, const char *got, size_t n)
{
	size_t i = 0;
	if (memcmp(want, got, n) == 0)
		return n;
	while (want[i] == got[i])
		i++;
	return i;
}

int echo_input(struct client *c, const char *data, size_t n)
{
	struct echo *e = echo_of(c);
	struct echoes *es = e->of;
	size_t due = e->busy ? es->response - e->got : 0;
	if (n > due)
		return client_wrong(c, "more than was asked for", e->got + due, data, n);
	const char *want = echo_image(&c->all->images, es->response, e->tag) + e->got;
	size_t right = n_right(want, data, n);
	if (right < n)
		return client_wrong(c, "an answer", e->got + right, data, n);
	e->got += n;
	if (e->got < es->response)
		return 0;
	e->busy = false;
	es->n_busy--;
	return es->answered(e, now_ns());
}

static int settle(struct client *c)
{
	client_settled(c);
	return 0;
}

/* ---- crowds ---------------------------------------------------------------------------------- */

int echoes_init(struct echoes *es, struct clients *a, unsigned n)
{
	*es = (struct echoes){.all = a,
			      .n = n,
			      .request = (size_t)a->o->request,
			      .response = (size_t)a->o->response,
			      .answered = echo_again,
			      .deeds = {settle, echo_input, push_question, NULL}};
	if (es->request < QUERY_MIN || es->request > ECHO_MAX || es->response < ECHO_MIN ||
	    es->response > ECHO_MAX)
		return clients_fail(a, "--request must be %d bytes or more, --response %d",
				    QUERY_MIN, ECHO_MIN);
	es->question = malloc(es->request);
	es->list = calloc(n + 1, sizeof(*es->list));
	if (!es->question || !es->list)
		return clients_fail(a, "no memory for %u sessions", n);
	write_question(es);
	return 0;
}

void echoes_fini(struct echoes *es)
{
	for (unsigned i = 0; es->list && i < es->n; i++)
		client_close(&es->list[i].client);
	free(es->list);
	free(es->question);
}

int echoes_open(struct echoes *es, const struct address *target)
{
	int err = 0;
	for (unsigned i = 0; i < es->n && err == 0; i++) {
		struct echo *e = &es->list[i];
		e->of = es;
		e->client.target = target;
		e->client.deeds = &es->deeds;
		e->client.number = i;
		err = client_open(&e->client, es->all);
		if (err == 0)
			err = clients_settle(es->all, OPENING);
	}
	return err < 0 ? err : clients_settle(es->all, 0);
}

/* ---- the closed loop ------------------------------------------------------------------------- */

int echo_ask_once(struct client *c)
{
	return echo_ask((struct echo *)c, now_ns());
}

int echo_rest(struct echo *e, int64_t now)
{
	(void)now;
	client_settled(&e->client);
	return 0;
}

int echo_again(struct echo *e, int64_t now)
{
	struct echoes *es = e->of;
	if (now >= es->from_ns)
		hist_add(&es->hist, now - e->begun_ns);
	if (now >= es->from_ns && now < es->until_ns)
		es->n_counted++;
	return es->stopping ? 0 : echo_ask(e, now);
}

int echoes_ask_all(struct echoes *es)
{
	int err = 0;
	for (unsigned i = 0; i < es->n && err == 0; i++)
		err = echo_ask(&es->list[i], now_ns());
	return err;
}

int echoes_stop(struct echoes *es)
{
	int err = 0;
	es->stopping = true;
	int64_t until = now_ns() + (int64_t)(es->all->o->timeout * 1e9);
	while (err == 0 && es->n_busy) {
		if (now_ns() >= until)
			return clients_fail(es->all, "%u questions had no answer in %g s",
					    es->n_busy, es->all->o->timeout);
		err = clients_turn(es->all, until);
	}
	return err;
}

int echoes_measure(struct echoes *es)
{
	const struct options *o = es->all->o;
	es->from_ns = now_ns() + (int64_t)(o->warmup * 1e9);
	es->until_ns = es->from_ns + (int64_t)(o->seconds * 1e9);
	int err = echoes_ask_all(es);
	err = err < 0 ? err : clients_run_until(es->all, es->until_ns);
	return err < 0 ? err : echoes_stop(es);
}

void echoes_json(const struct echoes *es)
{
	double seconds = (double)(es->until_ns - es->from_ns) / 1e9;
	json_count("conns", es->n);
	json_count("n", es->n_counted);
	json_real("seconds", seconds);
	json_real("rate_per_s", (double)es->n_counted / seconds);
	json_latency("", &es->hist);
}
