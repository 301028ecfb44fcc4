/* Sessions that carry one COPY of known content. Down: what comes is compared with what must come,
 * all of it (verify) or only what is not CopyData. Up: the server's count is compared, and with
 * verify it compares the content.
 * Not here: sockets (client.c), what the numbers are for (the modes). */
#include "stream.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

static struct stream *stream_of(struct client *c)
{
	return (struct stream *)c;
}

static size_t least(size_t a, uint64_t b)
{
	return a < b ? a : (size_t)b;
}

static int settle(struct client *c)
{
	client_settled(c);
	return 0;
}

/* ---- down ------------------------------------------------------------------------------------ */

/* How much from here on need not be looked at. */
static uint64_t unseen(const struct stream *s)
{
	bool inside = s->at >= s->copy.head && s->at < s->copy.rounds;
	return inside && !s->of->verify ? s->copy.rounds - s->at : 0;
}

static void look_ahead(struct stream *s)
{
	uint64_t n = s->of->discard ? unseen(s) : 0;
	s->client.recv_flags = n ? MSG_TRUNC : 0;
	s->client.recv_most = least(SCRATCH, n);
}

static int hear_down(struct client *c, const char *data, size_t n)
{
	struct stream *s = stream_of(c);
	size_t skip = least(n, unseen(s));
	s->at += skip;
	size_t good = copy_compare(&s->copy, s->at, data + skip, n - skip);
	if (good < n - skip)
		return client_wrong(c, "a copy", s->at + good, data + skip, n - skip);
	s->at += good;
	s->of->wire_bytes += n;
	if (s->at == s->copy.total)
		s->of->n_running--;
	if (s->of->discard)
		look_ahead(s);
	return 0;
}

/* ---- up -------------------------------------------------------------------------------------- */

static int push_up(struct client *c)
{
	struct stream *s = stream_of(c);
	size_t left = TAILQ_EMPTY(&c->all->ready) ? SCRATCH : PASS;
	while (s->told && s->at < s->copy.total && left && !c->blocked) {
		size_t n = left, sent;
		const char *data = copy_piece(&s->copy, s->at, &n);
		int err = client_send(c, data, n, &sent);
		if (err < 0)
			return err;
		s->at += sent;
		left -= sent;
		s->of->wire_bytes += sent;
	}
	if (s->told && !c->blocked && s->at < s->copy.total)
		client_queue(c);
	return 0;
}

/* CopyInResponse, and when all is sent the number of bytes that came. */
static int hear_up(struct client *c, const char *data, size_t n)
{
	struct stream *s = stream_of(c);
	size_t due = s->at == s->copy.total ? s->n_answer : 8;
	due = least(due - s->answered, n);
	if (due < n || memcmp(s->answer + s->answered, data, n) != 0)
		return client_wrong(c, "the answer to a sink", s->answered, data, n);
	s->answered += n;
	s->told = s->answered >= 8;
	if (s->answered == s->n_answer)
		s->of->n_running--;
	return push_up(c);
}

static void expect_answer(struct stream *s)
{
	char tag[32];
	snprintf(tag, sizeof(tag), "COPY %llu", (unsigned long long)s->of->bytes);
	char *end = put_message(s->answer, 'G', "\0\0", 3);
	s->n_answer = (size_t)(put_done(end, tag) - s->answer);
}

/* ---- crowds ---------------------------------------------------------------------------------- */

int streams_init(struct streams *ss, struct clients *a, unsigned n, enum copy_way way,
		 uint64_t bytes, uint64_t rate)
{
	static const struct deeds ways[] = {
		[COPY_DOWN] = {settle, hear_down, NULL, NULL},
		[COPY_UP] = {settle, hear_up, push_up, NULL},
	};
	*ss = (struct streams){.all = a,
			       .n = n,
			       .way = way,
			       .bytes = bytes,
			       .rate = rate,
			       .chunk = (size_t)a->o->chunk,
			       .verify = a->o->verify,
			       .discard = a->o->discard && way == COPY_DOWN,
			       .deeds = ways[way]};
	ss->list = calloc(n + 1, sizeof(*ss->list));
	if (!ss->list)
		return clients_fail(a, "no memory for %u streams", n);
	return 0;
}

int streams_open(struct streams *ss, const struct address *target)
{
	int err = 0;
	for (unsigned i = 0; i < ss->n && err == 0; i++) {
		struct stream *s = &ss->list[i];
		if (copy_init(&s->copy, &ss->all->images, ss->way, ss->bytes, ss->chunk) < 0)
			return clients_fail(ss->all, "--chunk must be %d to %d, --bytes not 0",
					    CHUNK_MIN, CHUNK_MAX);
		s->of = ss;
		s->client.target = target;
		s->client.deeds = &ss->deeds;
		s->client.number = i;
		expect_answer(s);
		err = client_open(&s->client, ss->all);
		if (err == 0)
			err = clients_settle(ss->all, OPENING);
	}
	return err < 0 ? err : clients_settle(ss->all, 0);
}

static void write_command(const struct streams *ss, char *to, size_t size)
{
	unsigned long long bytes = ss->bytes, rate = ss->rate;
	if (ss->way == COPY_DOWN)
		snprintf(to, size, "send %llu %zu %llu", bytes, ss->chunk, rate);
	else if (ss->verify)
		snprintf(to, size, "sink %llu %zu", bytes, ss->chunk);
	else
		snprintf(to, size, "sink");
}

int streams_start(struct streams *ss)
{
	char words[96], query[128];
	write_command(ss, words, sizeof(words));
	size_t n = (size_t)(put_message(query, 'Q', words, strlen(words) + 1) - query), sent;
	for (unsigned i = 0; i < ss->n; i++) {
		int err = client_send(&ss->list[i].client, query, n, &sent);
		if (err < 0)
			return err;
		if (sent < n)
			return clients_fail(ss->all, "stream %u: no room for a query", i);
		ss->n_running++;
	}
	return 0;
}

int streams_finish(struct streams *ss)
{
	int err = 0;
	while (err == 0 && ss->n_running)
		err = clients_turn(ss->all, INT64_MAX);
	return err;
}

void streams_fini(struct streams *ss)
{
	for (unsigned i = 0; ss->list && i < ss->n; i++)
		client_close(&ss->list[i].client);
	free(ss->list);
}
